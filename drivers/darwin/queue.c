/* SPDX-License-Identifier: BSD-2-Clause */
#include "queue.h"

#include <errno.h>
#include <string.h>

#include "inner.h"

#define STARVED_NS UINT64_C(1000000)   /* until the pool is asked again */
#define RETRY_NS   UINT64_C(250000000) /* until a device that is down, or fails, is read again */

void darwin_queue_init(struct darwin_queue *q, const struct darwin_port *port,
		       struct darwin_device *device, struct vpn_lane *lane)
{
	memset(q, 0, sizeof(*q));
	q->port = port;
	q->device = device;
	q->host = device->host;
	q->lane = lane;
	q->room = device->host->mtu_above;
}

void darwin_queue_clear(struct darwin_queue *q)
{
	if (q->port == NULL)
		return;
	q->port->watch(q, false);
	q->host->arm(q->lane, 0);
	if (q->n_spares != 0)
		q->host->release(q->lane, q->spares, q->n_spares);
	if (q->n_batch != 0)
		q->host->release(q->lane, q->batch, q->n_batch);
	memset(q, 0, sizeof(*q));
}

/* ---- waiting ---- */

static void pause_for(struct darwin_queue *q, uint64_t ns)
{
	q->paused = true;
	q->port->watch(q, false);
	q->host->arm(q->lane, q->lane->now_ns + ns);
}

void darwin_queue_fail(struct darwin_queue *q, int os_errno)
{
	q->closed = true;
	q->port->watch(q, false);
	darwin_device_gone(q->device, os_errno);
}

/* Pushes the batch. False when something was left over: then nothing more may be read. */
static bool push_batch(struct darwin_queue *q)
{
	uint32_t n = q->n_batch;
	if (n == 0)
		return true;
	uint32_t taken = vpn_push(q->lane->down, q->batch, n);
	q->n_batch = n - taken;
	if (q->n_batch == 0)
		return true;
	memmove(q->batch, q->batch + taken, q->n_batch * sizeof(struct vpn_packet *));
	if (!q->blocked)
		vpn_count(q->lane, DARWIN_BLOCKED, 1);
	q->blocked = true;
	q->port->watch(q, false);
	return false;
}

/* ---- down ---- */

static void label(const struct darwin_queue *q, struct vpn_packet *p)
{
	int c = darwin_inner_class(vpn_packet_data(p), p->len, q->device->ethernet);
	p->stamp_ns = q->lane->now_ns;
	if (c >= 0)
		vpn_packet_set_class(p, (uint8_t)c);
}

/* Moves what was read into the batch; a packet that was dropped stays a spare. */
static void keep(struct darwin_queue *q, uint32_t n)
{
	uint32_t left = 0;
	for (uint32_t i = 0; i < q->n_spares; i++) {
		struct vpn_packet *p = q->spares[i];
		if (i < n && p->len != 0) {
			label(q, p);
			q->batch[q->n_batch++] = p;
		} else {
			q->spares[left++] = p;
		}
	}
	q->n_spares = left;
}

/* Reads until the batch is full (VPN_MORE), nothing is left or something must be waited for. */
static uint32_t fill_batch(struct darwin_queue *q)
{
	uint32_t max = q->lane->max_batch;
	for (uint32_t reads = 0; reads < max && q->n_batch < max; reads++) {
		uint32_t want = max - q->n_batch;
		if (q->n_spares == 0)
			q->n_spares = q->host->alloc(q->lane, VPN_POOL_TX, q->spares,
						     want < DARWIN_QUEUE_READ ? want
									      : DARWIN_QUEUE_READ);
		if (q->n_spares == 0) {
			vpn_count(q->lane, DARWIN_STARVED, 1);
			pause_for(q, STARVED_NS);
			return VPN_IDLE;
		}
		int n = q->port->read(q, q->spares, want < q->n_spares ? want : q->n_spares);
		if (n == -EIO)
			pause_for(q, RETRY_NS);
		else if (n < 0)
			darwin_queue_fail(q, -n);
		if (n <= 0)
			return VPN_IDLE;
		keep(q, (uint32_t)n);
	}
	return VPN_MORE;
}

int darwin_queue_read_failed(struct darwin_queue *q, int os_errno)
{
	switch (os_errno) {
	case EAGAIN:
	case EINTR:
		return 0;
	case EBADF:
	case ENXIO:
	case ENODEV:
	case ENOTCONN:
	case ECONNRESET:
	case EPIPE:
		return -os_errno;
	default: /* not known to pass: later, so that it cannot spin */
		if (os_errno != EIO || q->device->up)
			vpn_count(q->lane, DARWIN_READ_ERRORS, 1);
		return -EIO;
	}
}

uint32_t darwin_queue_read(struct darwin_queue *q)
{
	if (q->closed || q->blocked || q->paused)
		return VPN_IDLE;
	uint32_t more = fill_batch(q);
	/* what has been read goes on its way, also while the rest must wait */
	if (!push_batch(q))
		return VPN_IDLE;
	return q->paused || q->closed ? VPN_IDLE : more;
}

/* Goes on where push_batch() or pause_for() has stopped. */
static void proceed(struct darwin_queue *q)
{
	if (push_batch(q) && !q->paused)
		q->port->watch(q, true);
}

void darwin_queue_writable(struct darwin_queue *q)
{
	if (q->closed || !q->blocked)
		return;
	q->blocked = false;
	proceed(q);
}

void darwin_queue_timer(struct darwin_queue *q)
{
	if (q->closed || !q->paused)
		return;
	q->paused = false;
	if (!q->blocked)
		proceed(q);
}

/* ---- up ---- */

void darwin_queue_count(struct darwin_queue *q, int e, uint32_t n)
{
	uint32_t counter = DARWIN_DROP_REFUSED;
	switch (e) {
	case EIO:
	case ENETDOWN:
	case EHOSTDOWN:
		counter = DARWIN_DROP_DOWN;
		break;
	case EAGAIN:
		counter = DARWIN_DROP_BUSY;
		break;
	case ENOMEM:
	case ENOBUFS:
		counter = DARWIN_DROP_NO_BUFFERS;
		break;
	case EBADF:
	case ENXIO:
	case ENOTCONN:
	case EPIPE:
		counter = DARWIN_DROP_DOWN;
		if (!q->closed)
			darwin_queue_fail(q, e);
		break;
	default:
		break;
	}
	vpn_count(q->lane, counter, n);
}

/* Whether a packet goes to the kernel; counts it when not. */
static bool admit(struct darwin_queue *q, const struct vpn_packet *p)
{
	const struct darwin_device *d = q->device;
	uint8_t *data = vpn_packet_data(p);
	if (!darwin_inner_ok(data, p->len, d->ethernet)) {
		vpn_count(q->lane, DARWIN_DROP_MALFORMED, 1);
		return false;
	}
	if (!d->ethernet && (p->flags & VPN_PACKET_HAS_CLASS) != 0 &&
	    !darwin_inner_decapsulate(data, vpn_packet_class(p))) {
		vpn_count(q->lane, DARWIN_DROP_ECN, 1);
		return false;
	}
	/* writing to an interface that is down fails silently, or not at all */
	if (q->closed || !d->up) {
		vpn_count(q->lane, DARWIN_DROP_DOWN, 1);
		return false;
	}
	if (d->ethernet && p->len > d->mtu + 14) {
		vpn_count(q->lane, DARWIN_DROP_OVERSIZE, 1);
		return false;
	}
	if (!d->ethernet && p->len > d->mtu)
		vpn_count(q->lane, DARWIN_OVERSIZE, 1);
	return true;
}

void darwin_queue_write(struct darwin_queue *q, struct vpn_packet **pkts, uint32_t n)
{
	uint32_t fit = 0;
	for (uint32_t i = 0; i < n; i++)
		if (admit(q, pkts[i]))
			q->fit[fit++] = pkts[i];
	if (fit != 0)
		q->port->write(q, q->fit, fit);
	q->host->release(q->lane, pkts, n);
}
