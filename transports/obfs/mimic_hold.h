/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mimic_hold: packets that wait until the handshake with their peer has ended, sealed but for the header.
 * Bounded; when there is no room the oldest goes, since what is above sends again what matters. Of one
 * lane. [lane]
 */
#ifndef MIMIC_HOLD_H
#define MIMIC_HOLD_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#define MIMIC_HOLD_ROOM 64u

struct mimic_hold {
	uint32_t n;
	struct vpn_packet *pkts[MIMIC_HOLD_ROOM];
	struct vpn_endpoint endpoints[MIMIC_HOLD_ROOM]; /* family VPN_AF_NONE: there was none */
};

/* Keeps a packet, with a copy of its endpoint. Returns the one that had to go, or NULL. */
struct vpn_packet *mimic_hold_add(struct mimic_hold *h, struct vpn_packet *p);

/* The endpoint of the packet i, NULL when it had none. */
static inline const struct vpn_endpoint *mimic_hold_endpoint(const struct mimic_hold *h, uint32_t i)
{
	return h->endpoints[i].family != VPN_AF_NONE ? &h->endpoints[i] : NULL;
}

/* Takes out those of which keep[i] is false; the order stays. */
void mimic_hold_sift(struct mimic_hold *h, const bool keep[MIMIC_HOLD_ROOM]);

#endif
