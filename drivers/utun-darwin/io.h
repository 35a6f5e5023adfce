/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io: reading and writing of a utun socket. Each packet has four bytes in front, its address family in
 * network order; they never reach the packet, because they go through an iovec of their own.
 *
 * recvmsg_x() and sendmsg_x() move up to 64 packets in one call. They are not documented: they are
 * looked for at run time, and left alone for good when the kernel refuses one that has never worked.
 */
#ifndef UTUN_IO_H
#define UTUN_IO_H

#include "queue.h"
#include "utun_options.h"

#define UTUN_HEADER 4u

/* What a batch needs; two of them, as a read may make the stack write before it returns. */
struct utun_batch_room {
	struct darwin_msghdr_x msgs[DARWIN_QUEUE_READ];
	struct iovec iov[DARWIN_QUEUE_READ][3];
	uint8_t header[DARWIN_QUEUE_READ][UTUN_HEADER];
};

struct utun_io {
	struct darwin_queue queue; /* first: a port gets a pointer to it */
	int fd;
	darwin_recvmsg_x receive; /* NULL: one by one */
	darwin_sendmsg_x send;
	bool received, sent; /* the call has worked before */
	struct utun_batch_room in, out;
	uint8_t spill[64]; /* the beginning of what exceeds the room: shows that it does */
};

extern const struct darwin_port utun_port;

/* Looks for the batch calls that the options want. VPN_ENOTSUP when they must be there and are not.
 * [main] */
vpn_status utun_io_probe(struct utun_io *io, const struct utun_options *o, struct vpn_error *err);

#endif
