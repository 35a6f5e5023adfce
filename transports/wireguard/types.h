/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * types: the words that the four messages begin with. They are 1 to 4 (whitepaper sections 5.4.2 to
 * 5.4.7) unless a stage below asks for others, see VPN_EXT_WIREGUARD_TYPES in plugin.h.
 */
#ifndef WG_TYPES_H
#define WG_TYPES_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "message.h"

struct wg_type {
	uint32_t first;
	uint32_t span; /* last - first */
};

/* Set before lanes run, only read afterwards. */
struct wg_types {
	struct wg_type of[WG_TYPE_DATA + 1]; /* by WG_TYPE_*; [0] is not used */
	bool disguised;                      /* a stage below has set them */
};

static inline bool wg_types_has(const struct wg_types *t, uint32_t type, uint32_t word)
{
	return word - t->of[type].first <= t->of[type].span;
}

/* The words of the whitepaper. [any] */
void wg_types_init(struct wg_types *t);

/* Takes other ones. VPN_EINVAL when a range is turned round or two overlap; nothing has changed then.
 * [main], before lanes run */
vpn_status wg_types_set(struct wg_types *t, const struct vpn_wireguard_types *from,
			struct vpn_error *err);

/* The handshake message (WG_TYPE_*) that a word stands for; 0 = none. [any] */
uint32_t wg_types_find(const struct wg_types *t, uint32_t word);

/* Writes the word of a handshake message that is to be sent, before its MACs are made. [any] */
void wg_types_write(const struct wg_types *t, const struct vpn_host *host, uint32_t type,
		    uint8_t out[4]);

#endif
