/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send: packets on their way to the network.
 *
 * A batch is cut into groups: consecutive packets of one length (the last may be shorter) to one
 * endpoint become one message, an iovec for each packet, which UDP_SEGMENT cuts into datagrams again
 * as late as in the network card. All messages go in one system call. No payload is copied.
 *
 * When a message fails, what made it fail is turned off (late error: nothing; local address;
 * segmentation to this destination or at all), and the rest of the batch is grouped anew. A message
 * that fails MOST_TRIES times is dropped, so that every call ends.
 */
#include "send.h"

#include <errno.h>
#include <string.h>

#include "hop.h"
#include "remote.h"

#define MOST_SEGMENTS  64u    /* UDP_MAX_SEGMENTS of linux/udp.h */
#define MOST_BYTES_IP4 65507u /* 65535 - 20 - 8 */
#define MOST_BYTES_IP6 65527u /* 65535 - 8: the IPv6 header does not count, RFC 8200 section 3 */
#define MOST_TRIES     6u
#define PLAIN_LIFETIME (600 * UDP_SECOND) /* then try segmentation to a destination again */
#define STALE_LIFETIME (10 * UDP_SECOND)  /* then try a local address again */
#define HINT_INTERVAL  (60 * UDP_SECOND)

enum verdict { GIVE_UP, RETRY, BLOCKED };

struct batch {
	struct udp_lane *l;
	struct vpn_packet **pkts;
	uint32_t n;
	const struct vpn_endpoint *peer; /* for packets without endpoint; NULL = none */
	uint32_t tries;                  /* of the first message, since something last moved */
};

/* ---- grouping ---- */

static const struct vpn_endpoint *destination(const struct batch *b, uint32_t i)
{
	const struct vpn_endpoint *e = b->pkts[i]->endpoint;
	return e != NULL ? e : b->peer;
}

static bool carries_class(const struct udp_options *o)
{
	return (o->carry_dscp | o->carry_ecn) != 0;
}

static uint8_t class_of(const struct udp_options *o, const struct vpn_packet *p)
{
	uint8_t inner = (p->flags & VPN_PACKET_HAS_CLASS) != 0 ? vpn_packet_class(p) : 0;
	uint8_t dscp = o->carry_dscp != 0 ? inner & 0xfc : (uint8_t)(o->dscp << 2);
	uint8_t ecn = o->carry_ecn != 0 ? inner & 0x03 : 0;
	return dscp | ecn;
}

static bool goes_along(const struct batch *b, uint32_t i, uint32_t k)
{
	const struct vpn_endpoint *x = b->pkts[i]->endpoint;
	const struct vpn_endpoint *y = b->pkts[k]->endpoint;
	const struct udp_options *o = b->l->options;
	if (x != y && (x == NULL || y == NULL || memcmp(x, y, sizeof(*x)) != 0))
		return false;
	return !carries_class(o) || class_of(o, b->pkts[i]) == class_of(o, b->pkts[k]);
}

/* How many packets from i on fit into one message. */
static uint32_t group_length(const struct batch *b, uint32_t i, uint8_t family)
{
	uint32_t segment = b->pkts[i]->len;
	uint32_t most = family == VPN_AF_INET ? MOST_BYTES_IP4 : MOST_BYTES_IP6;
	uint32_t total = segment;
	uint32_t k = i + 1;
	if (segment == 0)
		return 1;
	while (k < b->n && k - i < MOST_SEGMENTS) {
		uint32_t len = b->pkts[k]->len;
		if (len > segment || len == 0 || total + len > most || !goes_along(b, i, k))
			break;
		total += len;
		k++;
		if (len < segment)
			break;
	}
	return k - i;
}

static bool may_segment(const struct udp_lane *l, const struct udp_socket *s,
			const struct vpn_endpoint *to)
{
	uint64_t now = l->pub->now_ns;
	if (!s->segments)
		return false;
	return udp_memo_is_empty(&l->tx.plain, now) ||
	       !udp_memo_search(&l->tx.plain, udp_memo_destination(to), now);
}

static bool may_set_local(const struct udp_lane *l, const struct vpn_endpoint *to)
{
	uint64_t now = l->pub->now_ns;
	if (l->options->sticky == 0 || !udp_address_has_local(to))
		return false;
	return udp_memo_is_empty(&l->tx.stale, now) ||
	       !udp_memo_search(&l->tx.stale, udp_memo_source(to), now);
}

static socklen_t name_of(const struct udp_lane *l, const struct vpn_endpoint *to,
			 union udp_name *out)
{
	struct vpn_endpoint far;
	if (!udp_hop_is_on(l->udp))
		return udp_address_to_name(to, out);
	far = *to;
	far.port = udp_hop_aim(l, to->port);
	return udp_address_to_name(&far, out);
}

static void fill_message(const struct batch *b, uint32_t g, const struct vpn_endpoint *to)
{
	struct udp_tx *tx = &b->l->tx;
	const struct udp_options *o = b->l->options;
	struct udp_group *group = &tx->groups[g];
	const struct vpn_packet *first = b->pkts[group->first];
	struct udp_control control = {.has_local = group->has_local, .has_class = carries_class(o)};
	struct msghdr *hdr = &tx->msgs[g].hdr;
	group->segmented = group->count > 1;
	if (group->segmented)
		control.segment = first->len;
	if (control.has_class)
		control.traffic_class = class_of(o, first);
	if (control.has_local) {
		control.ifindex = to->ifindex;
		memcpy(control.local, to->local, sizeof(control.local));
	}
	for (uint32_t i = group->first; i < (uint32_t)group->first + group->count; i++)
		tx->iov[i] = (struct iovec){vpn_packet_data(b->pkts[i]), b->pkts[i]->len};
	*hdr = (struct msghdr){.msg_name = &tx->names[g], .msg_iov = &tx->iov[group->first]};
	hdr->msg_namelen = name_of(b->l, to, &tx->names[g]);
	hdr->msg_iovlen = group->count;
	if (group->segmented || control.has_local || control.has_class) {
		hdr->msg_control = tx->control[g];
		hdr->msg_controllen = (socklen_t)udp_control_write(to->family, &control,
								   tx->control[g]);
	}
	if (hdr->msg_controllen == 0)
		hdr->msg_control = NULL;
}

static struct udp_socket *socket_for(struct udp_lane *l, const struct vpn_endpoint *to)
{
	if (to->family != VPN_AF_INET && to->family != VPN_AF_INET6)
		return NULL;
	/* below the first port this is large: then, and for none, the first serves */
	uint32_t pair = (uint16_t)(to->local_port - l->port);
	if (pair >= l->n_sockets / UDP_SOCKETS)
		pair = 0;
	struct udp_socket *s = &l->sockets[pair * UDP_SOCKETS + udp_socket_index(to->family)];
	return s->fd >= 0 ? s : NULL;
}

/* Makes group g from packet i on; returns how many packets it holds. */
static uint32_t make_group(const struct batch *b, uint32_t g, uint32_t i)
{
	struct udp_group *group = &b->l->tx.groups[g];
	const struct vpn_endpoint *to = destination(b, i);
	const struct udp_socket *s = to != NULL ? socket_for(b->l, to) : NULL;
	*group = (struct udp_group){.first = (uint16_t)i, .count = 1, .drop = UDP_COUNTERS};
	if (s == NULL) {
		group->drop = to == NULL ? DROP_NO_ENDPOINT : DROP_NO_SOCKET;
		return 1;
	}
	group->socket = (uint16_t)s->token;
	group->has_local = may_set_local(b->l, to);
	if (may_segment(b->l, s, to))
		group->count = (uint16_t)group_length(b, i, to->family);
	fill_message(b, g, to);
	return group->count;
}

static void make_groups(const struct batch *b, uint32_t from)
{
	uint32_t g = 0;
	for (uint32_t i = from; i < b->n; g++)
		i += make_group(b, g, i);
	b->l->tx.n_groups = g;
}

/* ---- failures ---- */

/* Errors that may be about an earlier datagram: reading them took them away. ip(7), IP_RECVERR. */
static bool may_be_late(int why)
{
	switch (why) {
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
	case EMSGSIZE:
	case EPROTO:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EACCES:
		return true;
	default:
		return false;
	}
}

static bool blames_local(int why)
{
	return why == EINVAL || why == EADDRNOTAVAIL || why == ENETUNREACH || why == EHOSTUNREACH ||
	       why == ENODEV || why == ENXIO;
}

static enum udp_count reason_of(int why)
{
	switch (why) {
	case EMSGSIZE:
		return DROP_TOO_BIG;
	case ECONNREFUSED:
		return DROP_REFUSED;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
	case EADDRNOTAVAIL:
	case ENODEV:
	case ENXIO:
		return DROP_UNREACHABLE;
	case EPERM:
	case EACCES:
		return DROP_FILTERED;
	case ENOBUFS:
	case ENOMEM:
		return DROP_NO_BUFFERS;
	default:
		return DROP_SEND_ERROR;
	}
}

static void hint_too_big(struct udp_lane *l, uint32_t len)
{
	uint64_t now = l->pub->now_ns;
	if (l->tx.hinted_ns != 0 && now - l->tx.hinted_ns < HINT_INTERVAL)
		return;
	l->tx.hinted_ns = now;
	udp_log(l->host, VPN_LOG_WARN,
		"a datagram of %u bytes is too big for the path: lower \"path_mtu\" (it is %llu)",
		len, (unsigned long long)l->options->path_mtu);
}

static void clear_local(const struct batch *b, const struct vpn_endpoint *to)
{
	struct udp_lane *l = b->l;
	uint64_t now = l->pub->now_ns;
	udp_memo_add(&l->tx.stale, udp_memo_source(to), now, now + STALE_LIFETIME);
	vpn_count(l->pub, SOURCE_CLEARED, 1);
	if (to == b->peer)
		udp_remote_clear_local(l);
}

/* EIO: the route's interface cannot checksum, which concerns all destinations alike. Others (EINVAL,
 * EMSGSIZE: a segment does not fit the route) concern one. */
static void stop_segmenting(struct udp_lane *l, struct udp_socket *s, const struct vpn_endpoint *to,
			    int why)
{
	uint64_t now = l->pub->now_ns;
	vpn_count(l->pub, SEGMENTATION_OFF, 1);
	if (why == EIO) {
		s->segments = false;
		udp_log(l->host, VPN_LOG_INFO,
			"segmentation is off for IPv%u: the interface cannot do it", s->family);
		return;
	}
	udp_memo_add(&l->tx.plain, udp_memo_destination(to), now, now + PLAIN_LIFETIME);
}

static bool block(struct udp_lane *l, struct udp_socket *s)
{
	s->wants_out = true;
	if (udp_watch(l, s) != VPN_OK) {
		s->wants_out = false;
		return false;
	}
	l->blocked = true;
	vpn_count(l->pub, SEND_BLOCKED, 1);
	return true;
}

static enum verdict give_up(struct batch *b, const struct udp_group *group,
			    const struct vpn_endpoint *to, int why)
{
	struct udp_lane *l = b->l;
	enum udp_count reason = reason_of(why);
	vpn_count(l->pub, reason, group->count);
	if (reason == DROP_TOO_BIG)
		hint_too_big(l, b->pkts[group->first]->len);
	if ((reason == DROP_REFUSED || reason == DROP_UNREACHABLE) && to == b->peer)
		udp_remote_trouble(l);
	return GIVE_UP;
}

/* What to do about a message that failed; turns off what made it fail. */
static enum verdict judge(struct batch *b, const struct udp_group *group, int why)
{
	struct udp_lane *l = b->l;
	struct udp_socket *s = &l->sockets[group->socket];
	const struct vpn_endpoint *to = destination(b, group->first);
	bool again = ++b->tries < MOST_TRIES;
	if (why == EAGAIN || why == EWOULDBLOCK)
		return block(l, s) ? BLOCKED : give_up(b, group, to, ENOBUFS);
	if (again && (why == EINTR || (b->tries == 1 && may_be_late(why)))) {
		if (why == ECONNREFUSED)
			vpn_count(l->pub, ICMP_ERRORS, 1);
		if (why == ECONNREFUSED && b->peer != NULL)
			udp_remote_trouble(l);
		return RETRY;
	}
	if (again && group->has_local && blames_local(why)) {
		clear_local(b, to);
		return RETRY;
	}
	if (again && group->segmented && (why == EIO || why == EINVAL || why == EMSGSIZE)) {
		stop_segmenting(l, s, to, why);
		return RETRY;
	}
	return give_up(b, group, to, why);
}

/* ---- sending ---- */

/* Messages from g on that go through the same socket. */
static uint32_t run_length(const struct udp_tx *tx, uint32_t g)
{
	uint32_t k = g + 1;
	while (k < tx->n_groups && tx->groups[k].drop == UDP_COUNTERS &&
	       tx->groups[k].socket == tx->groups[g].socket)
		k++;
	return k - g;
}

/* Sends the groups. Returns the index of the first packet that is neither sent nor dropped. */
static uint32_t transmit(struct batch *b)
{
	struct udp_lane *l = b->l;
	struct udp_tx *tx = &l->tx;
	for (uint32_t g = 0; g < tx->n_groups;) {
		const struct udp_group *group = &tx->groups[g];
		if (group->drop != UDP_COUNTERS) {
			vpn_count(l->pub, group->drop, 1);
			g++;
			continue;
		}
		int fd = l->sockets[group->socket].fd;
		int sent = udp_wire_send(fd, &tx->msgs[g], run_length(tx, g));
		if (sent > 0) {
			g += (uint32_t)sent;
		} else {
			if (judge(b, group, -sent) != GIVE_UP)
				return group->first;
			g++;
		}
		b->tries = 0;
	}
	return b->n;
}

/* Whether something goes to the range that is hopped over. */
static bool is_for_range(const struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct vpn_endpoint *to = destination(b, i);
		if (to != NULL && udp_hop_covers(b->l->udp, to->port))
			return true;
	}
	return false;
}

uint32_t udp_send(struct udp_lane *l, struct vpn_packet **pkts, uint32_t n)
{
	struct batch b = {.l = l, .pkts = pkts, .n = n < VPN_BATCH_MAX ? n : VPN_BATCH_MAX};
	uint32_t taken = 0;
	if (l->blocked)
		return 0;
	b.peer = udp_remote_sending(l);
	if (udp_hop_is_on(l->udp) && is_for_range(&b))
		udp_hop_sending(l);
	while (taken < b.n && !l->blocked) {
		make_groups(&b, taken);
		taken = transmit(&b);
	}
	if (taken != 0)
		l->host->release(l->pub, pkts, taken);
	return taken;
}

void udp_send_resume(struct udp_lane *l, struct udp_socket *s)
{
	if (!s->wants_out)
		return;
	s->wants_out = false;
	(void)udp_watch(l, s); /* fewer events than before: cannot fail for want of anything */
	l->blocked = false;
	for (uint32_t i = 0; i < l->n_sockets; i++)
		l->blocked |= l->sockets[i].wants_out;
	if (!l->blocked)
		l->host->writable(l->pub, VPN_DOWN);
}
