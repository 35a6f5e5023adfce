/* SPDX-License-Identifier: BSD-2-Clause */
/* wire for other systems: one sendmsg(2) or recvmsg(2) per datagram. */
#include "wire.h"

#include <errno.h>
#include <string.h>

int udp_wire_send(int fd, struct udp_message *msgs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		ssize_t sent = sendmsg(fd, &msgs[i].hdr, MSG_DONTWAIT);
		if (sent < 0)
			return i != 0 ? (int)i : -errno;
		msgs[i].len = (unsigned int)sent;
	}
	return (int)n;
}

int udp_wire_receive(int fd, struct udp_message *msgs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		ssize_t got = recvmsg(fd, &msgs[i].hdr, MSG_DONTWAIT);
		if (got < 0)
			return i != 0 ? (int)i : -errno;
		msgs[i].len = (unsigned int)got;
	}
	return (int)n;
}

bool udp_wire_next_error(int fd, struct udp_wire_error *out)
{
	socklen_t len = sizeof(out->os_errno);
	memset(out, 0, sizeof(*out));
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &out->os_errno, &len) == 0 &&
	       out->os_errno != 0;
}
