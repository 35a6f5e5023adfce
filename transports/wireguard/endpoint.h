/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endpoint: where a peer is, read by every lane for every batch and changed when it roams. A sequence
 * lock over atomic words: readers never wait for long, writers that meet give way.
 */
#ifndef WG_ENDPOINT_H
#define WG_ENDPOINT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <vpncore/plugin.h>

#define WG_ENDPOINT_WORDS (sizeof(struct vpn_endpoint) / 8u)

struct wg_endpoint {
	_Atomic uint32_t sequence; /* odd while it is being written */
	_Atomic uint64_t words[WG_ENDPOINT_WORDS];
};

/* Copies it; false when it is not known. [any] */
bool wg_endpoint_get(const struct wg_endpoint *e, struct vpn_endpoint *out);

/* Replaces it. [any] */
void wg_endpoint_set(struct wg_endpoint *e, const struct vpn_endpoint *value);

/* What `value` says is where the peer is now. False: it was known already, nothing was written.
 * *ret_roamed: the far end differs, not only our own side of the way. [any] */
bool wg_endpoint_learn(struct wg_endpoint *e, const struct vpn_endpoint *value, bool *ret_roamed);

/* Lets the system choose our own address again. The port stays: it is a socket of ours. [any] */
void wg_endpoint_clear_local(struct wg_endpoint *e);

#endif
