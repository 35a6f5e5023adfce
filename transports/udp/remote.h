/* SPDX-License-Identifier: BSD-2-Clause */
/* remote: the peer that "remote" names or that "learn" has found, shared by all lanes. */
#ifndef UDP_REMOTE_H
#define UDP_REMOTE_H

#include "udp.h"

/* Reads a literal or starts the first look-up. [main], in start() */
vpn_status udp_remote_start(struct udp *u, struct vpn_error *err);

/* Brings the lane's copy of the peer up to date, once per batch. [lane] */
void udp_remote_refresh(struct udp_lane *l);

/* The peer to send a batch to, valid until the lane refreshes again; NULL = not known. Forgets a local
 * address, and asks for a look-up of the name, when the peer has been silent for long. [lane] */
const struct vpn_endpoint *udp_remote_sending(struct udp_lane *l);

/* True when a datagram from there may go up. [lane] */
bool udp_remote_accepts(const struct udp_lane *l, const struct vpn_endpoint *from);

/* A datagram that was accepted came from there. [lane] */
void udp_remote_heard(struct udp_lane *l, const struct vpn_endpoint *from);

/* The peer cannot be reached with the local address that it was last heard on. [lane] */
void udp_remote_clear_local(struct udp_lane *l);

/* The peer cannot be reached: its name may have another address by now. [lane] */
void udp_remote_trouble(struct udp_lane *l);

/* wake() was called, the deadline has passed, an answer has come. [lane] */
void udp_remote_wake(struct udp_lane *l);
void udp_remote_timer(struct udp_lane *l, uint64_t now_ns);
void udp_remote_resolved(struct udp_lane *l, vpn_status status, const struct vpn_endpoint *found,
			 uint32_t n);

#endif
