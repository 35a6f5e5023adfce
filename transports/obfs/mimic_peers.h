/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mimic_peers: what is remembered of each endpoint that we talk with. Who is here is somebody that the stage
 * above sends to, or who has proved the key. All memory is taken at the start; when there is no room,
 * the one that has been silent longest is forgotten. Its owner has the lock. [lane]
 */
#ifndef MIMIC_PEERS_H
#define MIMIC_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <vpncore/plugin.h>

#include "mimic_dtls.h"
#include "mimic_rtp.h"

#define MIMIC_PEERS_MOST 2048u
/* Whoever is greeted while packets wait is looked at every 10 ms, and so among the newest. Bounded, since
 * strangers can ask for it. */
#define MIMIC_PEERS_LOOK 16u

enum mimic_state {
	MIMIC_NEW,      /* nothing has been said */
	MIMIC_GREETING, /* our ClientHello waits for an answer */
	MIMIC_ANSWERED, /* we have answered one, and its sender has not finished */
	MIMIC_READY,
};

struct mimic_peer {
	struct vpn_endpoint endpoint; /* family VPN_AF_NONE: whom the stage below chooses */
	enum mimic_state state;
	uint32_t attempts;                 /* ClientHellos, of this greeting */
	uint64_t number;                   /* of the next record of data */
	uint64_t since_ns;                 /* of this state */
	uint64_t due_ns;                   /* of the next ClientHello */
	uint64_t heard_ns;                 /* the last packet that was somebody's with the key */
	uint8_t hello[MIMIC_DTLS_HELLO];   /* of the client, whoever that is */
	uint8_t random[MIMIC_DTLS_RANDOM]; /* of the server */
	struct mimic_rtp rtp;              /* what we send */
	/* the table's: indices, and where there is none MIMIC_PEERS_MOST */
	uint32_t chain, newer, older;
};

struct mimic_peers;

/* `seed`: random, so that nobody can choose endpoints that collide. NULL: out of memory. [main] */
struct mimic_peers *mimic_peers_new(const uint8_t seed[16]);

/* Accepts NULL, returns NULL. [main] */
struct mimic_peers *mimic_peers_free(struct mimic_peers *t);

/* By family, port, scope, address and id; NULL stands for whom the stage below chooses. Returns NULL when
 * there is none; who is found is the newest then. */
struct mimic_peer *mimic_peers_find(struct mimic_peers *t, const struct vpn_endpoint *endpoint);

/* Likewise, and adds one that is MIMIC_NEW where there is none. Never NULL. */
struct mimic_peer *mimic_peers_get(struct mimic_peers *t, const struct vpn_endpoint *endpoint);

/* Who was greeted with this session's id, whatever the endpoint; NULL when it is none of the
 * MIMIC_PEERS_LOOK newest. */
struct mimic_peer *mimic_peers_greeted(struct mimic_peers *t,
				       const uint8_t session[MIMIC_DTLS_SESSION]);

void mimic_peers_remove(struct mimic_peers *t, struct mimic_peer *p);

/* The number of the next record of data. False: they have been used up. */
bool mimic_peer_number(struct mimic_peer *p, uint64_t *ret_number);

/* Whether two endpoints, either of which may be NULL, are the same peer. */
bool mimic_endpoint_same(const struct vpn_endpoint *a, const struct vpn_endpoint *b);

#endif
