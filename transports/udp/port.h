/* SPDX-License-Identifier: BSD-2-Clause */
/* port: which local port and mark the sockets have, at start and when others change them while lanes
 * run: extension VPN_EXT_SOCKET. */
#ifndef UDP_PORT_H
#define UDP_PORT_H

#include "udp.h"

extern const struct vpn_socket_ext udp_port_ext;

/* Opens the sockets of all lanes on the port of "listen". [main], in start() */
vpn_status udp_port_start(struct udp *u, struct vpn_error *err);

/* Closes everything; nothing can be changed any more. Lanes' watches must have ended. [main] */
void udp_port_stop(struct udp *u);

/* Takes the sockets that wait for this lane; what has arrived on the old ones goes up first. VPN_MORE:
 * call again soon. [lane] */
uint32_t udp_port_pick_up(struct udp_lane *l);

#endif
