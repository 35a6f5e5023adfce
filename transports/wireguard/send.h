/* SPDX-License-Identifier: BSD-2-Clause */
/* send: packets from the device to their peers. */
#ifndef WG_SEND_H
#define WG_SEND_H

#include <stdbool.h>
#include <vpncore/plugin.h>

struct wg_lane;
struct wg_peer;

/* The component's send(). [lane] */
uint32_t wg_send(struct wg_lane *l, struct vpn_packet **pkts, uint32_t n);

/* Seals and pushes packets that are all for one peer; false when it has no session to send under,
 * and nothing has happened. n <= VPN_BATCH_MAX. [lane], not with the lock held */
bool wg_send_to(struct wg_lane *l, struct wg_peer *peer, struct vpn_packet **pkts, uint32_t n);

/* Sends an empty message through the outbox, or begins a handshake when there is no session. With the
 * lock held. [lane] */
void wg_send_keepalive_locked(struct wg_lane *l, struct wg_peer *peer, uint32_t pool);

/* How many zero bytes are put behind a packet: to a multiple of 16, but not past the MTU. [any] */
uint32_t wg_send_padding(uint32_t len, uint32_t mtu);

#endif
