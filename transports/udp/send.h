/* SPDX-License-Identifier: BSD-2-Clause */
/* send: packets on their way to the network. */
#ifndef UDP_SEND_H
#define UDP_SEND_H

#include "udp.h"

/* Sends pkts[0..n). Returns how many were taken: sent or dropped, and released. Fewer than n means
 * that a send buffer is full; the host's writable() follows. [lane] */
uint32_t udp_send(struct udp_lane *l, struct vpn_packet **pkts, uint32_t n);

/* A socket has room again. [lane] */
void udp_send_resume(struct udp_lane *l, struct udp_socket *s);

#endif
