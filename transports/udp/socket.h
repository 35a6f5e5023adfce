/* SPDX-License-Identifier: BSD-2-Clause */
/* socket: opening and closing sockets, a pair for each lane. All [any]; under udp.port_lock. */
#ifndef UDP_SOCKET_H
#define UDP_SOCKET_H

#include "udp.h"

/*
 * Opens a socket per lane and family, all on one port, into pairs[0..u->n_lanes); 0 in *port has the
 * system choose one, which *port then tells. A lane that has that port already is left out: its pair
 * stays empty. EADDRINUSE, EADDRNOTAVAIL, EACCES and missing privilege come back as an error that
 * says what to do, with all pairs closed.
 */
vpn_status udp_socket_open_pairs(const struct udp *u, struct udp_pair *pairs, uint16_t *port,
				 struct vpn_error *err);

/* The lane's UDP_SOCKETS sockets on that port, in use or left by a hop; NULL when it has none. */
struct udp_socket *udp_socket_on_port(struct udp_lane *l, uint16_t port);

/* Logs what has been opened: s[0..UDP_SOCKETS) of the first port. */
void udp_socket_tell(const struct udp *u, uint32_t level, const struct udp_socket *s, uint16_t port,
		     uint16_t last);

/* Has the routes component keep a socket out of the tunnel, where there is one; after each change of
 * the socket's mark too. */
vpn_status udp_socket_protect(const struct udp *u, int fd, uint8_t family, struct vpn_error *err);

void udp_socket_init_pair(struct udp_pair *pair);

/* Also an empty one; watches must have ended. */
void udp_socket_close_pair(struct udp_pair *pair);

#endif
