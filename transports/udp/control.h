/* SPDX-License-Identifier: BSD-2-Clause */
/* control: what travels beside a datagram in control messages (cmsg). One file per system. */
#ifndef UDP_CONTROL_H
#define UDP_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define UDP_CONTROL_SPACE 128u /* bytes; enough for everything below at once */

struct udp_control {
	uint32_t
		segment; /* bytes of each datagram in a message of many, 0 = a message is a datagram */
	uint32_t ifindex;  /* our interface, 0 = none */
	uint8_t local[16]; /* our address, zero = none */
	uint32_t overflow; /* received: datagrams that this socket's buffer had no room for, ever */
	bool has_local;
	bool has_class;
	bool has_overflow;
	uint8_t traffic_class;
};

/*
 * Writes what `c` holds as control messages for a socket of `family` (VPN_AF_*) into buf
 * [UDP_CONTROL_SPACE], aligned as struct cmsghdr. Returns their length in bytes. What the system
 * cannot say is left out. Linux: ip(7), ipv6(7), udp(7). [lane]
 */
size_t udp_control_write(uint8_t family, const struct udp_control *c, void *buf);

/* Reads a received message's control messages; *out is complete afterwards. [lane] */
void udp_control_read(struct msghdr *msg, struct udp_control *out);

#endif
