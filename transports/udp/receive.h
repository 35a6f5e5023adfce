/* SPDX-License-Identifier: BSD-2-Clause */
/* receive: packets on their way from the network. */
#ifndef UDP_RECEIVE_H
#define UDP_RECEIVE_H

#include "udp.h"

/* Sets up the lane's slots. [main] */
void udp_receive_init(struct udp_lane *l);

/* Receives one batch and hands it up. Returns VPN_MORE or VPN_IDLE. [lane] */
uint32_t udp_receive(struct udp_lane *l, struct udp_socket *s);

/* Takes errors off the socket. Returns VPN_MORE when some may be left. [lane] */
uint32_t udp_receive_errors(struct udp_lane *l, struct udp_socket *s);

/* Reads again after a pause. [lane] */
void udp_receive_resume(struct udp_lane *l);

/* Gives the slots' packets back. [main], at stop */
void udp_receive_clear(struct udp_lane *l);

#endif
