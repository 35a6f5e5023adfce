/* SPDX-License-Identifier: BSD-2-Clause */
/* The way up: coalesce, write, and what to do when the kernel refuses. */
#include "queue.h"

#include <errno.h>
#include <stddef.h>

#include "fault.h"
#include "inner.h"

_Static_assert(sizeof(struct tcpip_iov) == sizeof(struct iovec), "struct iovec");
_Static_assert(offsetof(struct tcpip_iov, base) == offsetof(struct iovec, iov_base), "iov_base");
_Static_assert(offsetof(struct tcpip_iov, len) == offsetof(struct iovec, iov_len), "iov_len");

#define MERGE_NOTHING (TCPIP_GRO_NO_TCP | TCPIP_GRO_NO_UDP)

/* Counts n packets that the kernel did not take. */
static void count_failure(struct tuntap_queue *q, int e, uint32_t n)
{
	uint32_t counter = TUNTAP_DROP_REFUSED;
	switch (e) {
	case EIO:
		counter = TUNTAP_DROP_DOWN;
		break;
	case EAGAIN:
		counter = TUNTAP_DROP_BUSY;
		break;
	case ENOMEM:
	case ENOBUFS:
		counter = TUNTAP_DROP_NO_BUFFERS;
		break;
	case EBADF:
	case EBADFD:
		counter = TUNTAP_DROP_DOWN;
		q->closed = true;
		tuntap_queue_watch(q, false);
		tuntap_gone(q->owner);
		break;
	default:
		break;
	}
	vpn_count(q->lane, counter, n);
}

/* writev() of iov[0..n). Returns 0 or an errno. */
static int put(struct tuntap_queue *q, uint32_t n)
{
	ssize_t done;
	do
		done = writev(q->fd, q->iov, (int)n);
	while (done < 0 && errno == EINTR);
	return done < 0 ? errno : 0;
}

static int put_item(struct tuntap_queue *q, const struct tcpip_gro_item *item)
{
	static const struct tcpip_vnet_hdr plain;
	uint32_t n = 0;
	if (q->vnet_hdr)
		q->iov[n++] = (struct iovec){(void *)(uintptr_t)&plain, TCPIP_VNET_HDR_LEN};
	q->iov[n++] = (struct iovec){item->data, item->len};
	return put(q, n);
}

static void write_item(struct tuntap_queue *q, const struct tcpip_gro_item *item)
{
	int e = put_item(q, item);
	if (e != 0)
		count_failure(q, e, 1);
}

/* ---- fallback: a kernel that has agreed to the offload and then refuses super-packets ---- */

/* Undoes what coalescing has done to the headers of a group's head. */
static void restore_head(const struct tuntap_queue *q, const struct tcpip_gro_group *group)
{
	const struct tcpip_gro_item *item = &q->items[group->head];
	uint32_t l2_len = q->ethernet ? TCPIP_ETH_LEN : 0;
	uint8_t *ip = item->data + l2_len;
	uint32_t len = item->len - l2_len;
	uint32_t ip_len = TCPIP_IPV6_LEN;
	if (ip[0] >> 4 == 4) {
		ip_len = TCPIP_IPV4_LEN;
		tcpip_ipv4_set_total_len(ip, (uint16_t)len);
		tcpip_ipv4_reset_checksum(ip);
	} else {
		tcpip_ipv6_set_payload_len(ip, (uint16_t)(len - ip_len));
	}
	if (group->vh.gso_type == TCPIP_VNET_GSO_UDP_L4)
		tcpip_udp_set_length(ip + ip_len, (uint16_t)(len - ip_len));
	else
		ip[ip_len + 13] &= (uint8_t)~TCPIP_TCP_PSH; /* a segment with it is never a head */
	tcpip_l4_reset_checksum(ip, len);
}

static void turn_off(struct tuntap_queue *q, uint32_t option, const char *what)
{
	char name[IFNAMSIZ];
	if ((q->gro_options & option) != 0)
		return;
	q->gro_options |= option;
	tuntap_name(q->owner, name);
	tuntap_log(q->host, VPN_LOG_WARN,
		   "%s: the kernel refuses super-packets of %s that it had agreed to take: writing "
		   "single packets",
		   name, what);
}

static void write_singly(struct tuntap_queue *q, const struct tcpip_gro_group *group)
{
	bool udp = group->vh.gso_type == TCPIP_VNET_GSO_UDP_L4;
	uint32_t taken = 0;
	vpn_count(q->lane, TUNTAP_FALLBACKS, 1);
	restore_head(q, group);
	for (uint16_t i = group->head; i != TCPIP_GRO_NIL; i = q->gro.next[i]) {
		int e = put_item(q, &q->items[i]);
		if (e != 0)
			count_failure(q, e, 1);
		else
			taken++;
	}
	/* packets that are refused one by one as well say nothing about super-packets */
	if (taken == group->n_items)
		turn_off(q, udp ? TCPIP_GRO_NO_UDP : TCPIP_GRO_NO_TCP, udp ? "UDP" : "TCP");
}

/* ---- the usual way ---- */

static void write_group(struct tuntap_queue *q, const struct tcpip_gro_group *group)
{
	if (group->n_items == 1) {
		write_item(q, &q->items[group->head]);
		return;
	}
	q->iov[0] = (struct iovec){(void *)(uintptr_t)&group->vh, TCPIP_VNET_HDR_LEN};
	uint32_t n = tcpip_gro_iov(&q->gro, group, (struct tcpip_iov *)(void *)&q->iov[1],
				   TCPIP_GRO_MAX);
	int e = n != 0 ? put(q, n + 1) : EINVAL;
	if (e == EINVAL) {
		write_singly(q, group);
		return;
	}
	if (e != 0) {
		count_failure(q, e, group->n_items);
		return;
	}
	vpn_count(q->lane, TUNTAP_SUPER_WRITTEN, 1);
	vpn_count(q->lane, TUNTAP_MERGED, group->n_items);
}

static void write_coalesced(struct tuntap_queue *q, uint32_t n)
{
	uint32_t options = q->gro_options;
	int n_groups = tcpip_gro_run(&q->gro, q->items, n);
	for (int i = 0; i < n_groups; i++)
		write_group(q, &q->gro.groups[i]);
	if (q->gro_options != options)
		tcpip_gro_init(&q->gro, q->ethernet ? TCPIP_ETH_LEN : 0, q->gro_options);
}

/* Checks one packet and makes it an item. False: dropped. */
static bool admit(struct tuntap_queue *q, struct vpn_packet *p, struct tcpip_gro_item *item)
{
	uint8_t *data = vpn_packet_data(p);
	if (!tuntap_inner_ok(data, p->len, q->ethernet)) {
		vpn_count(q->lane, TUNTAP_DROP_MALFORMED, 1);
		return false;
	}
	if ((p->flags & VPN_PACKET_HAS_CLASS) != 0 && !q->ethernet &&
	    !tuntap_inner_decapsulate(data, vpn_packet_class(p))) {
		vpn_count(q->lane, TUNTAP_DROP_ECN, 1);
		return false;
	}
	if (p->len > q->room)
		vpn_count(q->lane, TUNTAP_OVERSIZE, 1);
	item->data = data;
	item->len = p->len;
	item->flags = (p->flags & VPN_PACKET_VERIFIED) != 0 ? TCPIP_GRO_VERIFIED : 0;
	return true;
}

void tuntap_queue_write(struct tuntap_queue *q, struct vpn_packet **pkts, uint32_t n)
{
	uint32_t n_items = 0;
	for (uint32_t i = 0; i < n; i++)
		n_items += admit(q, pkts[i], &q->items[n_items]);
	if (q->closed)
		vpn_count(q->lane, TUNTAP_DROP_DOWN, n_items);
	else if (n_items > 1 && (q->gro_options & MERGE_NOTHING) != MERGE_NOTHING)
		write_coalesced(q, n_items);
	else
		for (uint32_t i = 0; i < n_items; i++)
			write_item(q, &q->items[i]);
	q->host->release(q->lane, pkts, n);
}
