/* SPDX-License-Identifier: BSD-2-Clause */
/* wire: the system calls of the data path. One file per system. All [lane]. */
#ifndef UDP_WIRE_H
#define UDP_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <vpncore/plugin.h>

/* As struct mmsghdr of recvmmsg(2) on Linux. */
struct udp_message {
	struct msghdr hdr;
	unsigned int len; /* bytes received or sent */
};

/* Sends messages in order. Returns how many went (1..n), or -errno of the first. Never blocks. */
int udp_wire_send(int fd, struct udp_message *msgs, uint32_t n);

/* Receives up to n messages. Returns how many came (1..n), or -errno. Never blocks. */
int udp_wire_receive(int fd, struct udp_message *msgs, uint32_t n);

/* An error that arrived later than the datagram that caused it (ICMP). */
struct udp_wire_error {
	int os_errno;
	struct vpn_endpoint to; /* where the datagram went; family VPN_AF_NONE = not known */
};

/* Takes the oldest error off the socket; false when there is none. */
bool udp_wire_next_error(int fd, struct udp_wire_error *out);

#endif
