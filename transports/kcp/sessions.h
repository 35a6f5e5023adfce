/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sessions: all of an instance. Found by endpoint and by number through hash tables of fixed size with a
 * secret seed, and by what is due first through a heap. Bounded. [lane]
 */
#ifndef KCP_SESSIONS_H
#define KCP_SESSIONS_H

#include "session.h"

/* Sessions that we begin with endpoints from above. */
#define KCP_BEGUN_MOST 1024u

/* Of one session before it is the next one's turn: a dozen large datagrams, which still go out as one. */
#define KCP_TURN_BYTES 16384

struct kcp_sessions {
	struct kcp_session **by_endpoint, **by_number; /* heads of chains */
	uint32_t mask;
	uint64_t seed;
	struct kcp_session **heap; /* from 1 on */
	struct kcp_session *first; /* of all, the newest first */
	struct kcp_session *by_default;
	struct kcp_session *touched, **touched_last; /* a queue: who has been served comes last */
	struct kcp_session *gone;                    /* taken out, to be freed: by `after` */
	uint32_t count, n_accepted, n_begun, n_candidates, n_planned;
	uint32_t most;
};

/* accept: sessions that peers may begin. False: no memory. */
bool kcp_sessions_init(struct kcp_sessions *t, uint32_t accept, uint64_t seed);

/* Frees all sessions too. */
void kcp_sessions_clear(struct kcp_sessions *t);

/* Puts a session in; there is room (kcp_sessions_has_room()). It belongs to the table then. */
void kcp_sessions_add(struct kcp_sessions *t, struct kcp_session *s);

/* Takes it out. It is freed by kcp_sessions_bury(): whoever is at work on it may look at it until then. */
void kcp_sessions_remove(struct kcp_sessions *t, struct kcp_session *s);
void kcp_sessions_bury(struct kcp_sessions *t);

bool kcp_sessions_has_room(const struct kcp_sessions *t, uint32_t accept, bool accepted);

/* The session of a peer: its endpoint is this one, or the last datagram of the default session came
 * from there. NULL: none. */
struct kcp_session *kcp_sessions_find(const struct kcp_sessions *t, const struct vpn_endpoint *e);

/* The session with a number; when several have it, the newest. */
struct kcp_session *kcp_sessions_number(const struct kcp_sessions *t, uint32_t number);

/* The session that seems to have moved to this endpoint. */
struct kcp_session *kcp_sessions_candidate(const struct kcp_sessions *t,
					   const struct vpn_endpoint *e);

/* Changes what a session is found by. */
void kcp_sessions_set_endpoint(struct kcp_sessions *t, struct kcp_session *s,
			       const struct vpn_endpoint *e);
void kcp_sessions_set_from(struct kcp_sessions *t, struct kcp_session *s,
			   const struct vpn_endpoint *e);
void kcp_sessions_set_number(struct kcp_sessions *t, struct kcp_session *s, uint32_t number);
void kcp_sessions_set_candidate(struct kcp_sessions *t, struct kcp_session *s,
				const struct vpn_endpoint *e);

/* Marks a session to be flushed before the component returns. */
void kcp_sessions_touch(struct kcp_sessions *t, struct kcp_session *s);
/* Takes the one that is marked longest, and gives it its turn: KCP_TURN_BYTES that it may emit, less what it
 * has emitted beyond the last (deficit round robin: Shreedhar and Varghese, IEEE/ACM ToN 4-3, 1996). One that
 * is alone may emit without end. NULL: none. */
struct kcp_session *kcp_sessions_next_touched(struct kcp_sessions *t);

/* Has it looked at when due_us comes; UINT64_MAX: never. */
void kcp_sessions_plan(struct kcp_sessions *t, struct kcp_session *s, uint64_t due_us);
/* The one that is due first, NULL: none is planned. */
static inline struct kcp_session *kcp_sessions_first_due(const struct kcp_sessions *t)
{
	return t->heap[1];
}

/* The session for what has no endpoint: the default one, else the accepted one that was heard last. */
struct kcp_session *kcp_sessions_primary(const struct kcp_sessions *t);

/* True when family, address, port, scope and id are equal: plugin.h section 4. */
bool kcp_endpoint_is_peer(const struct vpn_endpoint *a, const struct vpn_endpoint *b);

#endif
