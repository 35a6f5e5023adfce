/* SPDX-License-Identifier: BSD-2-Clause */
/* The way down, and the life of a queue; the way up is in queue_write.c. */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"

#define STARVED_NS UINT64_C(1000000) /* until the pool is asked again */
#define CUT_MOST   1024u             /* segments in one call: the lane has others to serve */

_Static_assert(sizeof(struct tcpip_vnet_hdr) == TCPIP_VNET_HDR_LEN,
	       "read into and written as it is");

struct tuntap_queue *tuntap_queue_new(struct tuntap *owner, struct vpn_lane *lane, int fd)
{
	struct tuntap_queue *q = aligned_alloc(64, (sizeof(*q) + 63) / 64 * 64);
	if (q == NULL)
		return NULL;
	memset(q, 0, sizeof(*q));
	q->fd = fd;
	q->owner = owner;
	q->lane = lane;
	q->host = owner->host;
	q->ethernet = owner->device.ethernet;
	q->vnet_hdr = owner->device.vnet_hdr;
	q->room = owner->host->mtu_above;
	q->big = malloc(TUNTAP_BIG_ROOM + TUNTAP_BIG_BYTES);
	if (q->big == NULL)
		return tuntap_queue_free(q);
	if (owner->device.offload == TUNTAP_OFFLOAD_NONE)
		q->gro_options = TCPIP_GRO_NO_TCP;
	if (owner->device.offload != TUNTAP_OFFLOAD_TCP_UDP)
		q->gro_options |= TCPIP_GRO_NO_UDP;
	tcpip_gro_init(&q->gro, q->ethernet ? TCPIP_ETH_LEN : 0, q->gro_options);
	return q;
}

struct tuntap_queue *tuntap_queue_free(struct tuntap_queue *q)
{
	if (q == NULL)
		return NULL;
	tuntap_queue_watch(q, false);
	q->host->arm(q->lane, 0);
	if (q->n_spares != 0)
		q->host->release(q->lane, q->spares, q->n_spares);
	if (q->n_batch != 0)
		q->host->release(q->lane, q->batch, q->n_batch);
	free(q->big);
	free(q);
	return NULL;
}

vpn_status tuntap_queue_watch(struct tuntap_queue *q, bool on)
{
	return q->host->watch(q->lane, q->fd, on ? VPN_POLLIN : 0, TUNTAP_TOKEN_QUEUE);
}

/* ---- waiting ---- */

static void pause_for(struct tuntap_queue *q, uint64_t ns)
{
	q->paused = true;
	tuntap_queue_watch(q, false);
	q->host->arm(q->lane, q->lane->now_ns + ns);
}

/* The pool is empty: whoever has the packets may never tell us, so ask again soon. */
static void starve(struct tuntap_queue *q)
{
	vpn_count(q->lane, TUNTAP_STARVED, 1);
	pause_for(q, STARVED_NS);
}

/* Pushes the batch. False when something was left over: then nothing more may be read. */
static bool push_batch(struct tuntap_queue *q)
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
		vpn_count(q->lane, TUNTAP_BLOCKED, 1);
	q->blocked = true;
	tuntap_queue_watch(q, false);
	return false;
}

/* ---- super-packets ---- */

static void label(const struct tuntap_queue *q, struct vpn_packet *p, uint32_t len)
{
	p->len = len;
	p->stamp_ns = q->lane->now_ns;
	if (q->has_class)
		vpn_packet_set_class(p, q->traffic_class);
}

static void find_class(struct tuntap_queue *q, const uint8_t *data, uint32_t len)
{
	int c = tuntap_inner_class(data, len, q->ethernet);
	q->has_class = c >= 0;
	q->traffic_class = (uint8_t)(c >= 0 ? c : 0);
}

/* Cuts up to n segments into the packets that stand behind the batch. Segments that do not fit into
 * the MTU are dropped. */
static void cut_into_batch(struct tuntap_queue *q, uint32_t n)
{
	struct vpn_packet **fresh = q->batch + q->n_batch;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = fresh[i];
		size_t len = tcpip_gso_segment(&q->gso, q->next_seg++, vpn_packet_data(p), q->room);
		if (len == 0) {
			vpn_count(q->lane, TUNTAP_DROP_TOO_BIG, 1);
			q->host->release(q->lane, &p, 1);
			continue;
		}
		label(q, p, (uint32_t)len);
		fresh[kept++] = p;
	}
	q->n_batch += kept;
}

/* Cuts the rest of the super-packet, pushing whenever the batch is full. False: wait. */
static bool cut(struct tuntap_queue *q)
{
	uint32_t max = q->lane->max_batch;
	uint32_t first = q->next_seg;
	if (q->n_batch != 0 && q->gso.n_segs - q->next_seg > max - q->n_batch && !push_batch(q))
		return false;
	while (q->next_seg < q->gso.n_segs) {
		uint32_t want = q->gso.n_segs - q->next_seg;
		if (q->next_seg - first >= CUT_MOST) {
			pause_for(q, 0); /* 64 KiB in segments of one byte are no one batch */
			return false;
		}
		if (q->n_batch == max && !push_batch(q))
			return false;
		if (want > max - q->n_batch)
			want = max - q->n_batch;
		uint32_t got = q->host->alloc(q->lane, VPN_POOL_TX, q->batch + q->n_batch, want);
		if (got == 0) {
			starve(q);
			return false;
		}
		cut_into_batch(q, got);
	}
	q->cutting = false;
	return true;
}

/* Plans a super-packet that lies whole at `data`. */
static bool plan(struct tuntap_queue *q, const struct tcpip_vnet_hdr *vh, const uint8_t *data,
		 uint32_t len)
{
	uint32_t l2_len = q->ethernet ? tuntap_inner_l2_len(data, len) : 0;
	if (tcpip_gso_plan(&q->gso, vh, data, len, l2_len) != TCPIP_OK) {
		vpn_count(q->lane, TUNTAP_DROP_BAD_OFFLOAD, 1);
		return false;
	}
	vpn_count(q->lane, TUNTAP_SUPER_READ, 1);
	find_class(q, data, len);
	q->next_seg = 0;
	q->cutting = true;
	return true;
}

/* ---- reading ---- */

enum outcome { READ_NOTHING, READ_PACKET, READ_SUPER, READ_DROPPED, READ_STARVED };

/* Where one read has put its data. */
struct arrival {
	struct tcpip_vnet_hdr vh;
	struct vpn_packet *p; /* the spare that goes with it */
	uint32_t len;
	uint32_t in_packet; /* bytes of it that are in p, the rest is in the big buffer */
};

static struct vpn_packet *spare(struct tuntap_queue *q)
{
	if (q->n_spares == 0)
		q->n_spares = q->host->alloc(q->lane, VPN_POOL_TX, q->spares, TUNTAP_SPARES);
	return q->n_spares != 0 ? q->spares[q->n_spares - 1] : NULL;
}

static enum outcome read_failed(struct tuntap_queue *q, int e)
{
	if (e == EBADFD || e == EBADF) {
		q->closed = true;
		tuntap_queue_watch(q, false);
		tuntap_gone(q->owner);
	} else if (e != EAGAIN) {
		vpn_count(q->lane, TUNTAP_READ_ERRORS, 1);
	}
	return READ_NOTHING;
}

/* One packet or super-packet of the kernel. A super-packet is expected after another: then the data
 * goes to the big buffer in one piece; otherwise a packet's worth goes straight into a packet. */
static ssize_t read_kernel(struct tuntap_queue *q, struct arrival *a)
{
	struct iovec iov[3];
	int n = 0;
	ssize_t got;
	uint32_t header = q->vnet_hdr ? TCPIP_VNET_HDR_LEN : 0;
	if (q->vnet_hdr)
		iov[n++] = (struct iovec){&a->vh, TCPIP_VNET_HDR_LEN};
	a->in_packet = q->expect_super ? 0 : q->room;
	if (a->in_packet != 0)
		iov[n++] = (struct iovec){vpn_packet_data(a->p), q->room};
	iov[n++] = (struct iovec){q->big + TUNTAP_BIG_ROOM, TUNTAP_BIG_BYTES};
	do
		got = readv(q->fd, iov, n);
	while (got < 0 && errno == EINTR);
	if (got < (ssize_t)header)
		return got < 0 ? got : 0;
	a->len = (uint32_t)got - header;
	if (a->len < a->in_packet)
		a->in_packet = a->len;
	return got;
}

/* Makes the data of an arrival one piece in the big buffer. */
static uint8_t *gather(struct tuntap_queue *q, const struct arrival *a)
{
	uint8_t *at = q->big + TUNTAP_BIG_ROOM - a->in_packet;
	memcpy(at, vpn_packet_data(a->p), a->in_packet);
	return at;
}

static enum outcome take_packet(struct tuntap_queue *q, const struct arrival *a)
{
	uint8_t *data = vpn_packet_data(a->p);
	q->expect_super = false;
	if (a->len > q->room) {
		vpn_count(q->lane, TUNTAP_DROP_TOO_BIG, 1);
		return READ_DROPPED;
	}
	if (a->in_packet == 0)
		memcpy(data, q->big + TUNTAP_BIG_ROOM, a->len);
	if ((a->vh.flags & TCPIP_VNET_NEEDS_CSUM) != 0 &&
	    tcpip_csum_finish(data, a->len, a->vh.csum_start, a->vh.csum_offset) != TCPIP_OK) {
		vpn_count(q->lane, TUNTAP_DROP_BAD_OFFLOAD, 1);
		return READ_DROPPED;
	}
	find_class(q, data, a->len);
	label(q, a->p, a->len);
	q->batch[q->n_batch++] = a->p;
	q->n_spares--;
	return READ_PACKET;
}

static enum outcome read_one(struct tuntap_queue *q)
{
	struct arrival a = {.p = spare(q)};
	if (a.p == NULL)
		return READ_STARVED;
	ssize_t got = read_kernel(q, &a);
	if (got < 0)
		return read_failed(q, errno);
	if (a.len == 0)
		return READ_NOTHING;
	if (a.vh.gso_type == TCPIP_VNET_GSO_NONE)
		return take_packet(q, &a);
	q->expect_super = true;
	return plan(q, &a.vh, gather(q, &a), a.len) ? READ_SUPER : READ_DROPPED;
}

/* Reads until the batch is full (VPN_MORE), nothing is left or something must be waited for. A
 * super-packet makes a batch of its own where it fills more than half of one. */
static uint32_t fill_batch(struct tuntap_queue *q)
{
	uint32_t max = q->lane->max_batch;
	for (uint32_t reads = 0; reads < max && q->n_batch < max; reads++) {
		switch (read_one(q)) {
		case READ_NOTHING:
			return VPN_IDLE;
		case READ_STARVED:
			starve(q);
			return VPN_IDLE;
		case READ_SUPER:
			if (!cut(q))
				return VPN_IDLE;
			if (q->n_batch > max / 2)
				return VPN_MORE;
			break;
		case READ_PACKET:
		case READ_DROPPED:
			break;
		}
	}
	return VPN_MORE;
}

uint32_t tuntap_queue_read(struct tuntap_queue *q)
{
	if (q->closed || q->blocked || q->paused)
		return VPN_IDLE;
	if (q->cutting && !cut(q)) {
		if (!q->blocked)
			push_batch(q);
		return VPN_IDLE;
	}
	uint32_t more = fill_batch(q);
	/* what has been read goes on its way, also while the rest waits for packets */
	if (!q->blocked && !push_batch(q))
		return VPN_IDLE;
	return q->blocked || q->paused ? VPN_IDLE : more;
}

/* Goes on where push_batch() or pause_for() has stopped. */
static void proceed(struct tuntap_queue *q)
{
	if (!push_batch(q) || q->paused)
		return;
	if (q->cutting && !cut(q)) {
		if (!q->blocked)
			push_batch(q);
		return;
	}
	if (push_batch(q))
		tuntap_queue_watch(q, true);
}

void tuntap_queue_writable(struct tuntap_queue *q)
{
	if (q->closed || !q->blocked)
		return;
	q->blocked = false;
	proceed(q);
}

void tuntap_queue_timer(struct tuntap_queue *q)
{
	if (q->closed || !q->paused)
		return;
	q->paused = false;
	if (!q->blocked)
		proceed(q);
}
