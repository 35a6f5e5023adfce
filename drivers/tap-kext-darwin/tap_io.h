/* SPDX-License-Identifier: BSD-2-Clause */
/* tap_io: reading and writing of a node: one frame in a call, and none is longer than the MTU. */
#ifndef TAP_IO_H
#define TAP_IO_H

#include "queue.h"
#include "ready.h"

struct tap_io {
	struct darwin_queue queue; /* first: a port gets a pointer to it */
	struct tap_ready ready;
	int fd;
	uint8_t spill[64]; /* the beginning of what exceeds the room: shows that it does */
};

extern const struct darwin_port tap_port;

/* A frame may be there: reads. Returns VPN_MORE or VPN_IDLE. [lane] */
uint32_t tap_io_ready(struct tap_io *io);

#endif
