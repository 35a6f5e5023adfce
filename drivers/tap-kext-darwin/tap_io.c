/* SPDX-License-Identifier: BSD-2-Clause */
#include "tap_io.h"

#include <errno.h>

/* Reads one frame. 1: done; 0: nothing there; or a negative errno. */
static int read_frame(struct tap_io *io, struct vpn_packet *p)
{
	struct iovec iov[2] = {{vpn_packet_data(p), io->queue.room},
			       {io->spill, sizeof(io->spill)}};
	ssize_t n = darwin_ops.readv(io->fd, iov, 2);
	p->len = 0;
	if (n > 0 && (size_t)n <= io->queue.room)
		p->len = (uint32_t)n;
	if (n > 0 && (size_t)n > io->queue.room) /* the kernel has thrown the rest away */
		vpn_count(io->queue.lane, DARWIN_DROP_TOO_BIG, 1);
	if (n > 0)
		return 1;
	if (n == 0)
		return -ENXIO;
	return darwin_queue_read_failed(&io->queue, errno);
}

static int read_frames(struct darwin_queue *q, struct vpn_packet **pkts, uint32_t n)
{
	struct tap_io *io = (struct tap_io *)q;
	for (uint32_t i = 0; i < n; i++) {
		int r = read_frame(io, pkts[i]);
		if (r <= 0)
			return i != 0 ? (int)i : r; /* an error comes again */
	}
	return (int)n;
}

static void write_frames(struct darwin_queue *q, struct vpn_packet **pkts, uint32_t n)
{
	struct tap_io *io = (struct tap_io *)q;
	for (uint32_t i = 0; i < n; i++) {
		struct iovec iov = {vpn_packet_data(pkts[i]), pkts[i]->len};
		ssize_t r;
		do
			r = darwin_ops.writev(io->fd, &iov, 1);
		while (r < 0 && errno == EINTR);
		if (r < 0)
			darwin_queue_count(q, errno, 1);
	}
}

static vpn_status watch(struct darwin_queue *q, bool on)
{
	struct tap_io *io = (struct tap_io *)q;
	return tap_ready_watch(&io->ready, on);
}

uint32_t tap_io_ready(struct tap_io *io)
{
	struct darwin_queue *q = &io->queue;
	if (q->closed)
		return VPN_IDLE;
	int r = tap_ready_check(&io->ready);
	if (r < 0) {
		darwin_queue_fail(q, -r);
		return VPN_IDLE;
	}
	if (r > 0 && darwin_queue_read(q) == VPN_MORE)
		return VPN_MORE;
	/* the thread waits to be told that all was read */
	if (!q->closed && !q->blocked && !q->paused)
		tap_ready_watch(&io->ready, true);
	return VPN_IDLE;
}

const struct darwin_port tap_port = {
	.read = read_frames,
	.write = write_frames,
	.watch = watch,
};
