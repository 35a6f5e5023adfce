/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wg_world: an instance of the component on the test host, and reference peers that speak with it
 * message by message, rightly or wrongly:
 *
 *	world_init(&w);                                     a host and options, nothing made yet
 *	struct ref *r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
 *	world_start(&w);                                    makes and starts the instance
 *	world_join(&w, r);                                  a session, which r has begun
 *	world_say(&w, r, r->inside, w.inside, 100);         data from r: a UDP packet goes up
 *	world_hear(&w, r, &said);                           data to r, opened
 *	world_end(&w);                                      stops, destroys, reports leaks
 *
 * A reference peer keeps its own state in the same structs as the component (noise.h, cookie.h), which
 * have tests of their own against other implementations.
 */
#ifndef TEST_WG_WORLD_H
#define TEST_WG_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <vpncore/testhost.h>

#include "config.h"
#include "peer.h"
#include "wireguard.h"

#define WORLD_PEERS    8u
#define WORLD_PREFIXES 8u /* of one peer */
#define WORLD_BYTES    2048u

/* A message as it lies on the wire, or a packet. */
struct bytes {
	uint8_t data[WORLD_BYTES];
	uint32_t len;
};

/* The other side of a session. */
struct ref_session {
	struct wg_session_keys keys;
	uint64_t sent; /* counter of the next message */
	bool known;
};

struct ref {
	struct world *w;
	struct wg_identity id;
	uint8_t psk[WG_KEY_LEN]; /* zero = none */
	bool has_psk;
	struct vpn_endpoint at; /* where it sends from */
	char inside[48];        /* an address inside of its first prefix */
	struct wg_noise noise;
	struct wg_cookie_maker maker;
	struct wg_cookie_checker checker;
	struct ref_session session; /* the newest one */
	uint32_t next_index;        /* of its next handshake */
	uint64_t wall_ns;           /* of its next timestamp */
	/* options of the component that are about it */
	uint8_t public_key[WG_KEY_LEN];
	struct vpn_prefix prefixes[WORLD_PREFIXES];
	uint32_t n_prefixes;
};

struct world {
	struct testhost *host;
	struct testhost_setup setup; /* config is filled in by world_add() */
	struct wg_options options;
	struct wg_peer_options peer_options[WORLD_PEERS];
	uint8_t private_key[WG_KEY_LEN];
	uint8_t public_key[WG_KEY_LEN];
	char inside[48]; /* an address for the device: "10.0.0.1" */
	struct testhost_stage *stage;
	struct wg *wg; /* the instance */
	struct ref refs[WORLD_PEERS];
	uint32_t n_refs;
	uint64_t before[WG_COUNTERS]; /* see world_mark() */
};

const struct vpn_component *world_component(void);

/* ---- life ---- */

void world_init(struct world *w);

/* One more peer, in the options and as a reference peer. `endpoint` and `prefix` may be NULL. To be
 * called before world_start(); options may be changed by the test in between. */
struct ref *world_peer(struct world *w, const char *endpoint, const char *prefix);
void world_prefix(struct ref *r, const char *prefix);
void world_psk(struct ref *r, uint8_t fill);

/* Only makes it: for failures. NULL when it is refused. */
struct testhost_stage *world_add(struct world *w, struct vpn_error *err);
void world_start(struct world *w);
void world_end(struct world *w);

/* The peer of the component that the reference peer stands for. With the lock held or not. */
struct wg_peer *world_peer_of(struct world *w, const struct ref *r);

/* ---- messages of a reference peer ---- */

/* The handshake's state changes as if each had been sent. */
void ref_initiation(struct ref *r, struct bytes *out);
/* Answers an initiation of the component; the session is r->session. Fails the test when it cannot be
 * read. */
void ref_response(struct ref *r, const struct bytes *initiation, struct bytes *out);
/* False when the response does not verify. The session is r->session. */
bool ref_consume(struct ref *r, const struct bytes *response);
/* Writes mac1 and mac2 anew, for a message that was changed. */
void ref_sign(struct ref *r, struct bytes *msg);
/* A cookie reply to a message of the component, which came from where the component is. */
void ref_cookie(struct ref *r, const struct bytes *msg, struct bytes *out);
/* Data under a session of its own choice, with its own choice of counter. */
void ref_seal(const struct ref_session *s, uint64_t counter, const void *plain, uint32_t len,
	      struct bytes *out);
/* The next one of r->session. */
void ref_data(struct ref *r, const void *plain, uint32_t len, struct bytes *out);
/* Opens data for this session; false when it is not for it or does not verify. */
bool ref_open(const struct ref_session *s, const struct bytes *msg, struct bytes *plain);

/* ---- between both ---- */

/* A message for the component, from where the reference peer is, on lane 0. */
void world_recv(struct world *w, const struct ref *r, const struct bytes *msg);
void world_recv_from(struct world *w, const char *endpoint, const struct bytes *msg);

/* The next message that goes down on lane 0, which must be of this type (WG_TYPE_*). The record, whose
 * bytes are copied to `out` (may be NULL), is good until the next call. */
const struct testhost_record *world_expect(struct world *w, uint32_t type, struct bytes *out);
/* Nothing goes down, or up. */
void world_silent(struct world *w);
void world_nothing_up(struct world *w);

/* A whole session: begun by the reference peer, and confirmed by it with a keepalive. */
void world_join(struct world *w, struct ref *r);
/* The same, begun by the component, which has been made to send a packet of `len` bytes of payload,
 * which the reference peer has got. */
void world_call(struct world *w, struct ref *r);

/* A UDP packet of `len` bytes of payload, each `fill`. */
void world_udp(struct bytes *out, const char *src, const char *dst, uint32_t len, uint8_t fill);

/* A packet from the device on lane 0. It must be taken. */
void world_send(struct world *w, const struct bytes *packet);
/* A UDP packet from the device to the reference peer's inside address. */
void world_send_to(struct world *w, const struct ref *r, uint32_t len, uint8_t fill);

/* A UDP packet in data from the reference peer. */
void world_say(struct world *w, struct ref *r, const char *src, const char *dst, uint32_t len,
	       uint8_t fill);
/* The next message down is data that opens under r->session: its plaintext, padding included. */
void world_hear(struct world *w, struct ref *r, struct bytes *plain);
/* ... and it is empty. */
void world_hear_keepalive(struct world *w, struct ref *r);

/* The next packet up is this one. */
void world_expect_up(struct world *w, const struct bytes *packet);

/* ---- counters ---- */

uint64_t world_count(const struct world *w, enum wg_count what);
/* Remembers all counters, to be compared with later. */
void world_mark(struct world *w);
/* How much one has grown since. */
uint64_t world_grown(const struct world *w, enum wg_count what);
/* Since then this one drop has grown by n and no other drop at all; WG_COUNTERS: none has. */
void world_only_drop(struct world *w, enum wg_count what, uint64_t n);

/* ---- time ---- */

/* Both clocks of the host, and those of the reference peers. */
void world_advance(struct world *w, uint64_t ns);

#endif
