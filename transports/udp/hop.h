/* SPDX-License-Identifier: BSD-2-Clause */
/* hop: the far ports that we take turns on, and when we move. */
#ifndef UDP_HOP_H
#define UDP_HOP_H

#include "udp.h"

/* Chooses the first port. [main], in start() */
void udp_hop_start(struct udp *u);

/* True when the peer is reached on a range of ports. [any] */
static inline bool udp_hop_is_on(const struct udp *u)
{
	return u->hop.plan.last != 0;
}

static inline bool udp_hop_covers(const struct udp *u, uint16_t port)
{
	return udp_hop_is_on(u) && port >= u->hop.plan.first && port <= u->hop.plan.last;
}

/* What those above see instead of a far port: one for the whole range, so that the peer stays the
 * same to them. [any] */
static inline uint16_t udp_hop_fold(const struct udp *u, uint16_t port)
{
	return udp_hop_covers(u, port) ? u->hop.plan.first : port;
}

/* Where to send what is for a port. [lane] */
static inline uint16_t udp_hop_aim(const struct udp_lane *l, uint16_t port)
{
	return udp_hop_covers(l->udp, port) ? l->far_port : port;
}

/* Brings the lane's copy of the port up to date, once it has the sockets for it. [lane] */
void udp_hop_refresh(struct udp_lane *l);

/* A batch with something for the range is about to be sent: asks for a move when one is due. [lane] */
void udp_hop_sending(struct udp_lane *l);

/* Something came from the far port in use. [lane] */
void udp_hop_heard(struct udp_lane *l);

/* wake() was called: moves, if that was asked for. [lane] */
void udp_hop_wake(struct udp_lane *l);

#endif
