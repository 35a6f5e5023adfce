/* SPDX-License-Identifier: BSD-2-Clause */
#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"

#define HEAD       4u                /* address family, network order */
#define STARVED_NS UINT64_C(1000000) /* until the pool is asked again */
/* A device that is down may say for ever that it can be read (NetBSD's tap): look again so often. */
#define DOWN_NS UINT64_C(50000000)

struct bsd_io {
	int fd;
	bool ethernet;
	bool closed;
	bool blocked;       /* waiting for writable() */
	bool paused;        /* waiting for the timer */
	int suspect;        /* errno of a write that a missing device would explain, 0 = none */
	uint32_t head;      /* HEAD or 0 */
	uint32_t room;      /* largest packet that the kernel may hand over */
	uint32_t write_max; /* largest packet that it takes */
	uint8_t family4[HEAD], family6[HEAD];
	const struct bsd_ops *ops;
	const struct vpn_host *host;
	struct vpn_lane *lane;
	struct bsd_tuntap *owner;
	uint32_t n_spares, n_batch;
	struct vpn_packet *spares[BSD_SPARES];
	struct vpn_packet *batch[VPN_BATCH_MAX];
};

struct bsd_io *bsd_io_new(struct bsd_tuntap *owner)
{
	const struct bsd_layer *layer = owner->device.layer;
	struct bsd_io *io = calloc(1, sizeof(*io));
	if (io == NULL)
		return NULL;
	io->fd = owner->device.fd;
	io->ethernet = owner->device.kind == BSD_ETHERNET;
	io->head = layer->has_head ? HEAD : 0;
	io->room = owner->host->mtu_above;
	io->write_max = layer->write_max;
	tcpip_store_be32(io->family4, BSD_AF_INET);
	tcpip_store_be32(io->family6, (uint32_t)owner->control.kernel->af_inet6);
	io->ops = owner->control.ops;
	io->host = owner->host;
	io->lane = owner->lane;
	io->owner = owner;
	return io;
}

struct bsd_io *bsd_io_free(struct bsd_io *io)
{
	if (io == NULL)
		return NULL;
	(void)bsd_io_watch(io, false);
	io->host->arm(io->lane, 0);
	if (io->n_spares != 0)
		io->host->release(io->lane, io->spares, io->n_spares);
	if (io->n_batch != 0)
		io->host->release(io->lane, io->batch, io->n_batch);
	free(io);
	return NULL;
}

vpn_status bsd_io_watch(struct bsd_io *io, bool on)
{
	return io->host->watch(io->lane, io->fd, on ? VPN_POLLIN : 0, BSD_TOKEN_DEVICE);
}

/* ---- waiting ---- */

static void pause_for(struct bsd_io *io, uint64_t ns)
{
	io->paused = true;
	(void)bsd_io_watch(io, false);
	io->host->arm(io->lane, io->lane->now_ns + ns);
}

/* Pushes the batch. False when something was left over: then nothing more may be read. */
static bool push_batch(struct bsd_io *io)
{
	uint32_t n = io->n_batch;
	if (n == 0)
		return true;
	uint32_t taken = vpn_push(io->lane->down, io->batch, n);
	io->n_batch = n - taken;
	if (io->n_batch == 0)
		return true;
	memmove(io->batch, io->batch + taken, io->n_batch * sizeof(struct vpn_packet *));
	if (!io->blocked)
		vpn_count(io->lane, BSD_BLOCKED, 1);
	io->blocked = true;
	(void)bsd_io_watch(io, false);
	return false;
}

/* The descriptor answers no more, or in a way that could mean that: look whether the device is there. */
static void check_gone(struct bsd_io *io, int e)
{
	bool there = e != EBADF && bsd_monitor_look(io->owner);
	if (there && e != ENXIO)
		return;
	io->closed = true;
	(void)bsd_io_watch(io, false);
	bsd_tuntap_gone(io->owner);
}

/* ---- the way down ---- */

enum outcome { READ_NOTHING, READ_PACKET, READ_DROPPED, READ_STARVED };

static struct vpn_packet *spare(struct bsd_io *io)
{
	if (io->n_spares == 0)
		io->n_spares = io->host->alloc(io->lane, VPN_POOL_TX, io->spares, BSD_SPARES);
	return io->n_spares != 0 ? io->spares[io->n_spares - 1] : NULL;
}

static enum outcome read_failed(struct bsd_io *io, int e)
{
	if (e == EAGAIN || e == EWOULDBLOCK)
		return READ_NOTHING;
	/* down, or without an address yet */
	if (e == EHOSTDOWN) {
		pause_for(io, DOWN_NS);
		return READ_NOTHING;
	}
	vpn_count(io->lane, BSD_READ_ERRORS, 1);
	check_gone(io, e);
	if (!io->closed)
		pause_for(io, DOWN_NS);
	return READ_NOTHING;
}

/* One packet; a byte behind the room tells that there was more. Returns its length or an errno, < 0. */
static ssize_t read_kernel(struct bsd_io *io, struct vpn_packet *p)
{
	uint8_t head[HEAD], more;
	struct iovec iov[3];
	int n = 0;
	ssize_t got;
	if (io->head != 0)
		iov[n++] = (struct iovec){head, HEAD};
	iov[n++] = (struct iovec){vpn_packet_data(p), io->room};
	iov[n++] = (struct iovec){&more, 1};
	do
		got = io->ops->readv(io->fd, iov, n);
	while (got == -EINTR);
	if (got < 0)
		return got;
	/* a descriptor that was revoked reads as ended */
	return got == 0 ? -EIO : got < (ssize_t)io->head ? 0 : got - (ssize_t)io->head;
}

static enum outcome read_one(struct bsd_io *io)
{
	struct vpn_packet *p = spare(io);
	if (p == NULL)
		return READ_STARVED;
	ssize_t got = read_kernel(io, p);
	if (got < 0)
		return read_failed(io, (int)-got);
	uint8_t *data = vpn_packet_data(p);
	uint32_t len = (uint32_t)got;
	if (len > io->room) {
		vpn_count(io->lane, BSD_DROP_TOO_BIG, 1);
		return READ_DROPPED;
	}
	if (!bsd_inner_ok(data, len, io->ethernet)) {
		vpn_count(io->lane, BSD_DROP_NOT_IP, 1);
		return READ_DROPPED;
	}
	int traffic_class = bsd_inner_class(data, len, io->ethernet);
	p->len = len;
	p->stamp_ns = io->lane->now_ns;
	if (traffic_class >= 0)
		vpn_packet_set_class(p, (uint8_t)traffic_class);
	io->batch[io->n_batch++] = p;
	io->n_spares--;
	return READ_PACKET;
}

/* Reads until the batch is full (VPN_MORE), nothing is left or something must be waited for. */
static uint32_t fill_batch(struct bsd_io *io)
{
	for (uint32_t i = 0; i < io->lane->max_batch; i++) {
		switch (read_one(io)) {
		case READ_NOTHING:
			return VPN_IDLE;
		case READ_STARVED:
			/* whoever has the packets may never tell us, so ask again soon */
			vpn_count(io->lane, BSD_STARVED, 1);
			pause_for(io, STARVED_NS);
			return VPN_IDLE;
		case READ_PACKET:
		case READ_DROPPED:
			break;
		}
	}
	return VPN_MORE;
}

uint32_t bsd_io_read(struct bsd_io *io)
{
	if (io->closed || io->blocked || io->paused)
		return VPN_IDLE;
	uint32_t more = fill_batch(io);
	/* what has been read goes on its way, also while the rest waits */
	if (!push_batch(io))
		return VPN_IDLE;
	return io->closed || io->paused ? VPN_IDLE : more;
}

/* Goes on where push_batch() or pause_for() has stopped. */
static void proceed(struct bsd_io *io)
{
	if (!io->closed && !io->paused && !io->blocked && push_batch(io))
		(void)bsd_io_watch(io, true);
}

void bsd_io_writable(struct bsd_io *io)
{
	if (!io->blocked)
		return;
	io->blocked = false;
	proceed(io);
}

void bsd_io_timer(struct bsd_io *io)
{
	if (!io->paused)
		return;
	io->paused = false;
	proceed(io);
}

/* ---- the way up ---- */

/* Counts a packet that the kernel did not take. */
static void write_failed(struct bsd_io *io, int e)
{
	uint32_t counter = BSD_DROP_REFUSED;
	switch (e) {
	case EHOSTDOWN:
	case ENETDOWN:
	case EBADF:
	case ENXIO:
		counter = BSD_DROP_DOWN;
		break;
	case EAGAIN:
		counter = BSD_DROP_BUSY;
		break;
	case ENOMEM:
	case ENOBUFS:
		counter = BSD_DROP_NO_BUFFERS;
		break;
	default:
		break;
	}
	vpn_count(io->lane, counter, 1);
	if (e == EBADF || e == ENXIO || e == EIO)
		io->suspect = e;
}

static void write_one(struct bsd_io *io, const struct vpn_packet *p)
{
	uint8_t *data = vpn_packet_data(p);
	struct iovec iov[2];
	int n = 0;
	ssize_t done;
	if (p->len > io->write_max) {
		vpn_count(io->lane, BSD_DROP_REFUSED, 1);
		return;
	}
	if (io->head != 0)
		iov[n++] = (struct iovec){data[0] >> 4 == 6 ? io->family6 : io->family4, HEAD};
	iov[n++] = (struct iovec){data, p->len};
	do
		done = io->ops->writev(io->fd, iov, n);
	while (done == -EINTR);
	if (done < 0)
		write_failed(io, (int)-done);
	/* FreeBSD takes nothing for a device that is down, and calls that a success */
	else if (done == 0)
		vpn_count(io->lane, BSD_DROP_DOWN, 1);
}

/* Checks one packet. False: dropped. */
static bool admit(struct bsd_io *io, struct vpn_packet *p)
{
	uint8_t *data = vpn_packet_data(p);
	if (!bsd_inner_ok(data, p->len, io->ethernet)) {
		vpn_count(io->lane, BSD_DROP_MALFORMED, 1);
		return false;
	}
	if ((p->flags & VPN_PACKET_HAS_CLASS) != 0 && !io->ethernet &&
	    !bsd_inner_decapsulate(data, vpn_packet_class(p))) {
		vpn_count(io->lane, BSD_DROP_ECN, 1);
		return false;
	}
	if (p->len > io->room)
		vpn_count(io->lane, BSD_OVERSIZE, 1);
	return true;
}

void bsd_io_write(struct bsd_io *io, struct vpn_packet **pkts, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!admit(io, pkts[i]))
			continue;
		if (io->closed)
			vpn_count(io->lane, BSD_DROP_DOWN, 1);
		else
			write_one(io, pkts[i]);
	}
	io->host->release(io->lane, pkts, n);
	if (io->suspect != 0 && !io->closed)
		check_gone(io, io->suspect);
	io->suspect = 0;
}
