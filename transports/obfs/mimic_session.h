/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mimic_session: who has greeted whom. Both sides can be the client: it is the one that has something to send
 * to somebody whom it does not know. A server answers a ClientHello that proves the key and has not been
 * here before, and nothing else that arrives; the answer to a client's second try is the same again.
 *
 * All lanes share one: a handshake may begin on one lane and end on another. Its lock is taken once for a
 * batch. Functions ask for the lock, other than those marked [main]. [lane]
 */
#ifndef MIMIC_SESSION_H
#define MIMIC_SESSION_H

#include "mimic_hello.h"
#include "mimic_options.h"
#include "mimic_peers.h"
#include "mode.h"

struct mimic_session;

struct mimic_session_setup {
	const struct vpn_host *host;
	const uint8_t *root; /* OBFS_KEY_LEN bytes, copied */
	enum mimic_claim claim;
	uint64_t window_ms; /* by which clocks may differ */
};

/* NULL: out of memory. [main] */
struct mimic_session *mimic_session_new(const struct mimic_session_setup *setup);

/* Wipes the keys. Accepts NULL, returns NULL. [main] */
struct mimic_session *mimic_session_free(struct mimic_session *s);

void mimic_session_lock(struct mimic_session *s);
void mimic_session_unlock(struct mimic_session *s);

/* Whom packets to this endpoint (may be NULL) go to. Greets it where that has to be, and anew when
 * `initiation` and it has been silent for long, since it may have forgotten us. NULL: not yet ready. */
struct mimic_peer *mimic_session_to(struct mimic_session *s, struct obfs_lane *l,
				    const struct vpn_endpoint *endpoint, bool initiation);

/* What has become of somebody whose packets wait: MIMIC_NEW when that has been given up. Greets again when
 * it is time. */
enum mimic_state mimic_session_wait(struct mimic_session *s, struct obfs_lane *l,
				    const struct vpn_endpoint *endpoint);

/* A packet of the peer at this endpoint was opened; `sealed`: it has proved the key, and is no replay. */
void mimic_session_heard(struct mimic_session *s, struct obfs_lane *l,
			 const struct vpn_endpoint *endpoint, bool sealed);

/* A datagram that is not data: returns its fate. */
uint8_t mimic_session_handshake(struct mimic_session *s, struct obfs_lane *l,
				const struct vpn_packet *p);

#endif
