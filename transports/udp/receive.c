/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * receive: packets on their way from the network.
 *
 * With UDP_GRO a message of up to 64 KiB holds many datagrams of one size; it is read into a large
 * packet and cut by the host's split(), without copying. Without it each datagram has its own packet.
 * All that one system call brings goes up in one push.
 */
#include "receive.h"

#include <errno.h>
#include <string.h>

#include "hop.h"
#include "remote.h"

#define ERRORS_PER_CALL  16u
#define WAIT_FOR_PACKETS (2 * UDP_SECOND / 1000)
#define WAIT_FOR_ABOVE   (100 * UDP_SECOND / 1000) /* at most: writable() ends it */

void udp_receive_init(struct udp_lane *l)
{
	l->rx.large = (struct udp_slots){.pool = VPN_POOL_RX_LARGE, .size = UDP_LARGE_SLOTS};
	l->rx.small = (struct udp_slots){.pool = VPN_POOL_RX, .size = UDP_SMALL_SLOTS};
}

/* ---- pausing ---- */

/* The other sockets follow when they have something: there may be a thousand. */
static uint32_t pause_reading(struct udp_lane *l, struct udp_socket *s, uint64_t ns)
{
	l->resume_ns = l->pub->now_ns + ns;
	vpn_count(l->pub, RECEIVE_PAUSED, 1);
	(void)udp_watch(l, s);
	udp_arm(l);
	return VPN_IDLE;
}

static void unmute(struct udp_lane *l, struct udp_socket *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (s[i].fd >= 0 && s[i].muted)
			(void)udp_watch(l, &s[i]);
}

void udp_receive_resume(struct udp_lane *l)
{
	if (l->resume_ns == 0)
		return;
	l->resume_ns = 0;
	unmute(l, l->sockets, l->n_sockets);
	for (uint32_t i = 0; i < UDP_OLD_PAIRS; i++)
		unmute(l, l->old[i].pair.sockets, UDP_SOCKETS);
	udp_arm(l);
	if (atomic_load_explicit(&l->has_next, memory_order_relaxed))
		l->host->wake(l->host,
			      l->pub->index); /* new sockets wait for what we had not read */
}

/* ---- errors ---- */

static bool is_trouble(int why)
{
	return why == ECONNREFUSED || why == EHOSTUNREACH || why == ENETUNREACH || why == EHOSTDOWN;
}

uint32_t udp_receive_errors(struct udp_lane *l, struct udp_socket *s)
{
	const struct udp *u = l->udp;
	struct udp_wire_error e;
	for (uint32_t i = 0; i < ERRORS_PER_CALL; i++) {
		if (!udp_wire_next_error(s->fd, &e))
			return VPN_IDLE;
		vpn_count(l->pub, ICMP_ERRORS, 1);
		e.to.port = udp_hop_fold(u, e.to.port);
		bool ours = e.to.family == VPN_AF_NONE ||
			    udp_address_is_peer(&l->peer.endpoint, &e.to);
		if (ours && is_trouble(e.os_errno))
			udp_remote_trouble(l);
	}
	return VPN_MORE;
}

static void fail(struct udp_lane *l, int why)
{
	struct vpn_error err = {.size = sizeof(err)};
	udp_fault(&err, VPN_EIO, why, "", "cannot receive any more: %s", strerror(why));
	l->host->fail(l->host, &err);
}

static uint32_t receive_failed(struct udp_lane *l, struct udp_socket *s, int why)
{
	if (why == EAGAIN || why == EWOULDBLOCK)
		return VPN_IDLE;
	switch (why) {
	case EINTR:
		return VPN_MORE;
	case ENOMEM:
	case ENOBUFS:
		return pause_reading(l, s, WAIT_FOR_PACKETS);
	case EBADF:
	case ENOTSOCK:
	case EINVAL:
	case EFAULT:
		fail(l, why);
		return pause_reading(l, s, WAIT_FOR_ABOVE);
	default:
		/* of an earlier datagram; reading it has taken it off the socket */
		vpn_count(l->pub, ICMP_ERRORS, 1);
		if (is_trouble(why))
			udp_remote_trouble(l);
		return VPN_MORE;
	}
}

/* ---- slots ---- */

static uint32_t fill_slots(struct udp_lane *l, struct udp_slots *slots)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < slots->n; i++)
		if (slots->packets[i] != NULL)
			slots->packets[n++] = slots->packets[i];
	if (n < slots->size)
		n += l->host->alloc(l->pub, slots->pool, &slots->packets[n], slots->size - n);
	slots->n = n;
	return n;
}

static void prepare(struct udp_rx *rx, const struct udp_slots *slots)
{
	for (uint32_t i = 0; i < slots->n; i++) {
		struct vpn_packet *p = slots->packets[i];
		rx->iov[i] = (struct iovec){vpn_packet_data(p), p->cap - p->off};
		rx->msgs[i].hdr = (struct msghdr){
			.msg_name = &rx->names[i],
			.msg_namelen = sizeof(rx->names[i]),
			.msg_iov = &rx->iov[i],
			.msg_iovlen = 1,
			.msg_control = rx->control[i],
			.msg_controllen = sizeof(rx->control[i]),
		};
	}
}

static void clear_slots(struct udp_lane *l, struct udp_slots *slots)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < slots->n; i++)
		if (slots->packets[i] != NULL)
			slots->packets[n++] = slots->packets[i];
	if (n != 0)
		l->host->release(l->pub, slots->packets, n);
	slots->n = 0;
}

void udp_receive_clear(struct udp_lane *l)
{
	clear_slots(l, &l->rx.large);
	clear_slots(l, &l->rx.small);
}

/* ---- messages ---- */

static void count_overflow(struct udp_lane *l, struct udp_socket *s, const struct udp_control *c)
{
	if (!c->has_overflow || c->overflow == s->overflow)
		return;
	vpn_count(l->pub, DROP_SOCKET_FULL, c->overflow - s->overflow);
	s->overflow = c->overflow;
}

static void read_source(const struct udp_lane *l, const struct udp_socket *s,
			const union udp_name *name, const struct udp_control *c,
			struct vpn_endpoint *out)
{
	udp_address_from_name(name, out);
	if (l->n_sockets > UDP_SOCKETS)
		out->local_port = (uint16_t)(l->port + s->token / UDP_SOCKETS);
	if (!c->has_local || l->options->sticky == 0)
		return;
	memcpy(out->local, c->local, sizeof(out->local));
	out->ifindex = c->ifindex;
}

static enum udp_count refuse(const struct udp_lane *l, const struct udp_message *msg,
			     const struct vpn_endpoint *from)
{
	if ((msg->hdr.msg_flags & MSG_TRUNC) != 0)
		return DROP_TRUNCATED;
	if (!udp_remote_accepts(l, from))
		return DROP_UNEXPECTED_SOURCE;
	return msg->len == 0 ? DROP_EMPTY : UDP_COUNTERS;
}

static void describe(const struct udp_lane *l, struct vpn_packet *p, uint32_t len,
		     const struct vpn_endpoint *from, const struct udp_control *c)
{
	p->len = len;
	p->flags = 0;
	p->endpoint = from;
	p->stamp_ns = l->pub->now_ns;
	if (c->has_class)
		vpn_packet_set_class(p, c->traffic_class);
}

/* The datagrams of message i into out[0..room); returns how many. The slot keeps its packet when
 * there are none. */
static uint32_t accept_message(struct udp_lane *l, struct udp_socket *s, struct udp_slots *slots,
			       uint32_t i, struct vpn_packet **out, uint32_t room)
{
	struct udp_rx *rx = &l->rx;
	struct udp_message *msg = &rx->msgs[i];
	struct vpn_packet *p = slots->packets[i];
	struct udp_control c;
	uint32_t pieces = 1;
	udp_control_read(&msg->hdr, &c);
	count_overflow(l, s, &c);
	if (c.segment != 0 && c.segment < msg->len)
		pieces = (msg->len + c.segment - 1) / c.segment;
	read_source(l, s, &rx->names[i], &c, &rx->from[i]);
	const uint16_t port = rx->from[i].port;
	rx->from[i].port = udp_hop_fold(l->udp, port);
	enum udp_count reason = refuse(l, msg, &rx->from[i]);
	if (reason != UDP_COUNTERS) {
		vpn_count(l->pub, reason, pieces);
		return 0;
	}
	describe(l, p, msg->len, &rx->from[i], &c);
	if (pieces == 1 && room != 0) {
		out[0] = p;
	} else if (l->host->split(l->pub, p, c.segment, out, room) == 0) {
		vpn_count(l->pub, DROP_NO_PIECES, pieces);
		p->len = 0;
		p->endpoint = NULL;
		return 0;
	}
	slots->packets[i] = NULL;
	rx->answered |= port == l->far_port;
	return pieces;
}

static void deliver(struct udp_lane *l, struct udp_socket *s, struct vpn_packet **pkts, uint32_t n)
{
	uint32_t done = 0;
	while (done < n) {
		uint32_t chunk = n - done < l->pub->max_batch ? n - done : l->pub->max_batch;
		uint32_t taken = vpn_push(l->pub->up, pkts + done, chunk);
		done += taken;
		if (taken < chunk)
			break;
	}
	if (done == n)
		return;
	vpn_count(l->pub, DROP_ABOVE_FULL, n - done);
	l->host->release(l->pub, pkts + done, n - done);
	pause_reading(l, s, WAIT_FOR_ABOVE);
}

/* A socket that has something while reading is paused. */
static uint32_t mute(struct udp_lane *l, struct udp_socket *s)
{
	if (!s->muted)
		(void)udp_watch(l, s);
	return VPN_IDLE;
}

uint32_t udp_receive(struct udp_lane *l, struct udp_socket *s)
{
	struct udp_rx *rx = &l->rx;
	struct udp_slots *slots = s->coalesces ? &rx->large : &rx->small;
	const struct vpn_endpoint *heard = NULL;
	uint32_t n = 0;
	if (l->resume_ns != 0)
		return mute(l, s);
	uint32_t asked = fill_slots(l, slots);
	if (asked == 0)
		return pause_reading(l, s, WAIT_FOR_PACKETS);
	prepare(rx, slots);
	int got = udp_wire_receive(s->fd, rx->msgs, asked);
	if (got < 0)
		return receive_failed(l, s, -got);
	udp_remote_refresh(l);
	rx->answered = false;
	if (udp_hop_is_on(l->udp))
		udp_hop_refresh(l);
	for (uint32_t i = 0; i < (uint32_t)got; i++) {
		uint32_t k = accept_message(l, s, slots, i, rx->arrivals + n, UDP_ARRIVALS - n);
		if (k != 0)
			heard = &rx->from[i];
		n += k;
	}
	if (heard != NULL)
		udp_remote_heard(l, heard);
	if (rx->answered && udp_hop_is_on(l->udp))
		udp_hop_heard(l);
	deliver(l, s, rx->arrivals, n);
	return (uint32_t)got == asked && l->resume_ns == 0 ? VPN_MORE : VPN_IDLE;
}
