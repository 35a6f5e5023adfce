/* SPDX-License-Identifier: BSD-2-Clause */
/* port: which local port or ports and mark the sockets have, at start and when others or hops change
 * them while lanes run: extension VPN_EXT_SOCKET. */
#ifndef UDP_PORT_H
#define UDP_PORT_H

#include "udp.h"

extern const struct vpn_socket_ext udp_port_ext;

/* Opens the sockets of all lanes on the ports of "listen". [main], in start() */
vpn_status udp_port_start(struct udp *u, struct vpn_error *err);

/* Closes everything; nothing can be changed any more. Lanes' watches must have ended. [main] */
void udp_port_stop(struct udp *u);

/* Takes the sockets that wait for this lane; what has arrived on the old ones goes up first. VPN_MORE:
 * call again soon. [lane] */
uint32_t udp_port_pick_up(struct udp_lane *l);

/* Leaves all lanes sockets on another port that the system chooses; what has been in use stays open for
 * a while. Where that fails the port stays, which is logged. Under port_lock. [lane] */
void udp_port_renew(struct udp *u);

/* Tells whoever has subscribed that info() has something new. Not under port_lock. [any] */
void udp_port_tell(struct udp *u);

/* Closes sockets whose time is over. [lane] */
void udp_port_expire(struct udp_lane *l, uint64_t now_ns);

/* Ends the watches of s[0..UDP_SOCKETS). [lane] [start] */
void udp_port_unwatch(struct udp_lane *l, struct udp_socket *s);

#endif
