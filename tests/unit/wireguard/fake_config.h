/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_config: config.h over plain memory, for the tests and the fuzzer of the UAPI. It keeps what is
 * set, counts what is called, and notes each call that breaks the rule about the lock.
 */
#ifndef FAKE_CONFIG_H
#define FAKE_CONFIG_H

#include <pthread.h>

#include "config.h"

struct fake_allowed {
	struct vpn_prefix prefix;
	struct fake_allowed *next;
};

struct wg_peer {
	uint8_t public_key[WG_KEY_LEN];
	struct wg_peer_view view; /* public_key of it is set when it is asked for */
	struct fake_allowed *allowed;
	unsigned int done; /* calls of wg_config_peer_done() */
	unsigned int psks, endpoints, keepalives;
	struct wg_peer *next;
};

struct wg {
	pthread_mutex_t lock;
	bool locked;
	pthread_t holder;
	struct wg_device_view device;
	uint8_t own_key[WG_KEY_LEN]; /* stands for our public key; zero = none */
	struct wg_peer *peers;       /* oldest first */
	/* what the next calls answer, a positive errno */
	int port_error, fwmark_error, peer_error, allowed_error;
	/* counts */
	unsigned int private_keys, ports, fwmarks, creations, removals, clears, settles, violations;
};

void fake_init(struct wg *wg);
void fake_clear(struct wg *wg);

/* By a key that is one byte repeated; NULL when there is none. */
struct wg_peer *fake_peer(struct wg *wg, uint8_t byte);
unsigned int fake_count_peers(const struct wg *wg);
unsigned int fake_count_allowed(const struct wg_peer *peer);

#endif
