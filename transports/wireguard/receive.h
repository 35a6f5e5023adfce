/* SPDX-License-Identifier: BSD-2-Clause */
/* receive: messages from the network to the device. */
#ifndef WG_RECEIVE_H
#define WG_RECEIVE_H

#include <vpncore/plugin.h>

struct wg_lane;

/* The component's recv(). Takes all. [lane] */
uint32_t wg_receive(struct wg_lane *l, struct vpn_packet **pkts, uint32_t n);

#endif
