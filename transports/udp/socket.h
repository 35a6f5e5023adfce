/* SPDX-License-Identifier: BSD-2-Clause */
/* socket: opening and closing the sockets of all lanes. */
#ifndef UDP_SOCKET_H
#define UDP_SOCKET_H

#include "udp.h"

/*
 * Opens a socket per lane and family, all on one port. EADDRINUSE, EADDRNOTAVAIL, EACCES and missing
 * privilege come back as an error that says what to do. [main], in start()
 */
vpn_status udp_socket_open_all(struct udp *u, struct vpn_error *err);

/* Closes them; the watches must have ended. [main] */
void udp_socket_close_all(struct udp *u);

#endif
