/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session: one peer: an engine with the layers around it.
 *
 *   down:  message -> engine -> datagram -> FEC header, parity -> batch (crypt) -> packet
 *   up:    packet -> (crypt) -> FEC -> datagram -> engine -> batch -> message
 *
 * The FEC layer is kcp-go's and stands around the wire of KCP only; our own wire has FEC inside. Crypt
 * stands around both and is applied to whole batches, see batch.h.
 *
 * A session is known by its number (KCP: conv) and by the endpoint of its peer. Where the stage below
 * knows the peer by itself (udp's remote) there is one session without an endpoint of its own; what it
 * sends has none, and `from` tells where the last datagram came from. [lane]
 */
#ifndef KCP_SESSION_H
#define KCP_SESSION_H

#include "engine.h"
#include "fec_decode.h"
#include "fec_encode.h"

struct kcp;

/* A chain of one of the two tables, see sessions.h. */
struct kcp_session_link {
	struct kcp_session *next;
	uint32_t bucket;
	bool is_in;
};

struct kcp_session {
	struct kcp *k;
	void *engine;
	uint32_t number;
	bool by_default;                 /* the stage below chooses where to send */
	bool initiator;                  /* we began it */
	bool accepted;                   /* counts against "accept" */
	bool proven;                     /* the peer has answered */
	bool touched;                    /* to be flushed before we return */
	bool is_gone;                    /* ended, and not freed yet */
	bool restarting;                 /* the engine says that its peer began anew */
	bool leaving;                    /* what it sends now outlives it */
	struct vpn_endpoint endpoint;    /* of the peer; none when by_default */
	struct vpn_endpoint from;        /* where the last valid datagram came from */
	struct vpn_endpoint candidate;   /* another place where the peer seems to be; or none */
	struct kcp_fec_encoder *encoder; /* NULL: no FEC */
	struct kcp_fec_decoder
		*decoder; /* NULL: not the wire of KCP; a peer may have FEC unasked */

	uint64_t begun_us;
	uint64_t heard_us;  /* the last valid datagram; 0 = none yet */
	uint64_t here_us;   /* the last of these that came from `endpoint` */
	uint64_t data_us;   /* the last message, either way */
	uint64_t probed_us; /* the last sign of life that we asked for */
	uint64_t due_us;    /* when it is to be looked at; its place in the heap follows */
	uint64_t engine_due_us;

	/* sessions.h */
	struct kcp_session_link by_endpoint, by_number;
	struct kcp_session *next_touched;
	int64_t credit; /* bytes that it may still emit in its turn; below 0: it owes them */
	struct kcp_session *before, *after; /* of all, the newest first */
	uint32_t heap_at;                   /* 0 = not in it */
};

/* A session with its engine; in no table yet. endpoint NULL: the stage below chooses. NULL: no memory. */
struct kcp_session *kcp_session_new(struct kcp *k, const struct vpn_endpoint *endpoint,
				    uint32_t number, bool initiator);

/* Accepts NULL. The packets that it has given to the batches have to be gone. */
void kcp_session_free(struct kcp_session *s);

/* Begins anew with a fresh engine and this number; what waited is dropped. False: no memory, and the
 * session has no engine: it is to be ended. */
bool kcp_session_renew(struct kcp_session *s, uint32_t number);

/* Takes a datagram without its crypt header. True: there was something valid in it. */
bool kcp_session_input(struct kcp_session *s, struct vpn_packet *p);

/* Has the engine send what is due; plans the next look. */
void kcp_session_flush(struct kcp_session *s);

/* Tells the peer that the session ends for want of use, where the wire has a word for that (KCP has
 * none). The datagram waits in the batch; the session may be ended at once. */
void kcp_session_say_close(struct kcp_session *s);

/* True once the peer has said that it ends. */
bool kcp_session_is_closed(const struct kcp_session *s);

enum kcp_session_end {
	KCP_SESSION_GOES_ON,
	KCP_SESSION_IDLE,
	KCP_SESSION_DEAD,
	KCP_SESSION_CLOSED
};

/* Looks whether it is to end; asks the peer for a sign of life when it has been silent. */
enum kcp_session_end kcp_session_review(struct kcp_session *s);

/* When a session of this age and history is to be looked at again. */
void kcp_session_plan(struct kcp_session *s);

/* For how long nothing has been heard, us. */
uint64_t kcp_session_silence(const struct kcp_session *s);

#endif
