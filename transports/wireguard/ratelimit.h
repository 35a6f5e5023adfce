/* SPDX-License-Identifier: BSD-2-Clause */
/* ratelimit: handshakes under load, 20 a second from one address, 5 at once (Linux ratelimiter.c). An
 * IPv6 address counts by its /64. A fixed table: a flood takes no memory; an entry that was not used
 * for a second makes room. [any], under the caller's lock */
#ifndef WG_RATELIMIT_H
#define WG_RATELIMIT_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#define WG_RATELIMIT_PER_SECOND 20u
#define WG_RATELIMIT_BURST      5u

struct wg_ratelimit;

/* `seed` keys the table's hash against chosen addresses: 16 random bytes. NULL without memory. */
struct wg_ratelimit *wg_ratelimit_new(const uint8_t seed[16]);
struct wg_ratelimit *wg_ratelimit_free(struct wg_ratelimit *r);

/* True when the address may have one more handshake now. NULL or a family without address: true. A
 * full bucket of live entries refuses. */
bool wg_ratelimit_allow(struct wg_ratelimit *r, const struct vpn_endpoint *from, uint64_t now_ns);

#endif
