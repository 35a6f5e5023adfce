/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gro: coalesces a batch. A packet is tried on the group that took the one before, then on the
 * newest groups of its flow, which a hash table gives. Nothing is copied: members of a group form a
 * chain of item indexes, and only the head's headers are rewritten, once, at the end.
 */
#include "checksum.h"
#include "gro_packet.h"

#define GROUP_OPEN     1u /* may take packets */
#define GROUP_FULL     2u /* ends in a short or PSH segment: takes packets in front only */
#define GROUP_PSH      4u /* its last segment has PSH */
#define GROUP_VERIFIED 8u /* its checksums are known to be good */

/* Groups of one flow that are tried, newest first: bounds the work that reordering can cause. */
#define FLOW_DEPTH 16

enum outcome { NO_FIT, MERGED, BAD };

int tcpip_gro_init(struct tcpip_gro *gro, uint32_t l2_len, uint32_t options)
{
	if (l2_len != 0 && l2_len != TCPIP_ETH_LEN)
		return TCPIP_ERANGE;
	gro->l2_len = l2_len;
	gro->options = options;
	gro->n_groups = 0;
	gro->items = NULL;
	return TCPIP_OK;
}

static inline bool same_flow(const struct tcpip_gro_group *g, const struct gro_packet *p)
{
	uint64_t diff = (g->addr[0] ^ p->addr[0]) | (g->addr[1] ^ p->addr[1]) |
			(g->addr[2] ^ p->addr[2]) | (g->addr[3] ^ p->addr[3]) |
			(g->ports_ack ^ p->ports_ack) | (uint64_t)(g->family ^ p->family) |
			(uint64_t)(g->protocol ^ p->protocol);

	return diff == 0;
}

static inline uint32_t hash(const struct gro_packet *p)
{
	uint64_t h = p->ports_ack * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 29 ^ p->addr[0] ^ p->addr[2]) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 32 ^ p->addr[1] ^ p->addr[3] ^ p->protocol) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(h >> 40) & (TCPIP_GRO_TABLE - 1);
}

/* The slot of the packet's flow, or the free slot where it belongs. The table is never full. */
static uint16_t *find_slot(struct tcpip_gro *gro, const struct gro_packet *p)
{
	uint32_t i = hash(p);

	while (gro->table[i] != TCPIP_GRO_NIL && !same_flow(&gro->groups[gro->table[i]], p))
		i = (i + 1) & (TCPIP_GRO_TABLE - 1);
	return &gro->table[i];
}

/* Link headers and TCP options as the head has them; lengths of both are known to be equal. */
static bool same_bytes(const uint8_t *head, const struct gro_packet *p, uint32_t l2_len)
{
	uint32_t from = p->l4_offset + TCPIP_TCP_LEN;

	if (l2_len && memcmp(head, p->data, l2_len) != 0)
		return false;
	for (; from < p->header_len; from += 4) {
		if (checksum_load32(head + from) != checksum_load32(p->data + from))
			return false;
	}
	return true;
}

/* Verifies both sides, each at most once. A bad head leaves its group as it is, closed. */
static enum outcome verify_both(struct tcpip_gro *gro, struct tcpip_gro_group *g,
				struct gro_packet *p)
{
	if (!(g->state & GROUP_VERIFIED)) {
		const struct tcpip_gro_item *head = &gro->items[g->head];

		if (!gro_packet_verify(head->data, head->len, gro->l2_len, g->l4_offset)) {
			g->state &= (uint8_t)~GROUP_OPEN;
			return NO_FIT;
		}
		g->state |= GROUP_VERIFIED;
	}
	if (!(p->flags & GRO_VERIFIED)) {
		if (!gro_packet_verify(p->data, p->len, gro->l2_len, p->l4_offset))
			return BAD;
		p->flags |= GRO_VERIFIED;
	}
	return MERGED;
}

static bool fits_behind(const struct tcpip_gro_group *g, const struct gro_packet *p)
{
	return !(g->state & GROUP_FULL) && p->seq == g->next_seq &&
	       p->payload_len <= g->payload_size;
}

static bool fits_in_front(const struct tcpip_gro_group *g, const struct gro_packet *p)
{
	if (p->protocol != TCPIP_IPPROTO_TCP || p->flags & GRO_PSH)
		return false;
	if (p->seq + p->payload_len != g->first_seq || p->payload_len < g->payload_size)
		return false;
	/* A longer one makes the single packet behind it the short tail. */
	return p->payload_len == g->payload_size || g->n_items == 1;
}

static void append(struct tcpip_gro *gro, struct tcpip_gro_group *g, const struct gro_packet *p,
		   uint16_t item)
{
	gro->next[g->tail] = item;
	gro->next[item] = TCPIP_GRO_NIL;
	g->tail = item;
	if (p->protocol == TCPIP_IPPROTO_TCP)
		g->next_seq = p->seq + p->payload_len;
	if (p->flags & GRO_PSH)
		g->state |= GROUP_PSH | GROUP_FULL;
	if (p->payload_len < g->payload_size)
		g->state |= GROUP_FULL;
}

static void prepend(struct tcpip_gro *gro, struct tcpip_gro_group *g, const struct gro_packet *p,
		    uint16_t item)
{
	gro->next[item] = g->head;
	g->head = item;
	g->first_seq = p->seq;
	if (p->payload_len > g->payload_size)
		g->state |= GROUP_FULL;
	g->payload_size = p->payload_len;
}

static enum outcome merge(struct tcpip_gro *gro, struct tcpip_gro_group *g, struct gro_packet *p,
			  uint16_t item)
{
	bool behind;
	enum outcome outcome;

	if (!(g->state & GROUP_OPEN) || g->same != p->same || g->header_len != p->header_len)
		return NO_FIT;
	behind = fits_behind(g, p);
	if (!behind && !fits_in_front(g, p))
		return NO_FIT;
	if (g->total_len + p->payload_len - gro->l2_len > 65535)
		return NO_FIT;
	if (!same_bytes(gro->items[g->head].data, p, gro->l2_len))
		return NO_FIT;
	outcome = verify_both(gro, g, p);
	if (outcome != MERGED)
		return outcome;
	if (behind)
		append(gro, g, p, item);
	else
		prepend(gro, g, p, item);
	g->n_items++;
	g->total_len += p->payload_len;
	return MERGED;
}

/* A group of one packet that nothing may join. */
static struct tcpip_gro_group *add_alone(struct tcpip_gro *gro, uint16_t item)
{
	struct tcpip_gro_group *g = &gro->groups[gro->n_groups++];

	memset(&g->vh, 0, sizeof(g->vh));
	g->head = g->tail = item;
	g->n_items = 1;
	g->header_len = 0;
	g->total_len = gro->items[item].len;
	g->state = 0;
	gro->next[item] = TCPIP_GRO_NIL;
	return g;
}

static void add_group(struct tcpip_gro *gro, const struct gro_packet *p, uint16_t item,
		      uint16_t *slot)
{
	uint16_t index = (uint16_t)gro->n_groups;
	struct tcpip_gro_group *g = add_alone(gro, item);

	memcpy(g->addr, p->addr, sizeof(g->addr));
	g->ports_ack = p->ports_ack;
	g->same = p->same;
	g->family = p->family;
	g->protocol = p->protocol;
	g->l4_offset = p->l4_offset;
	g->header_len = p->header_len;
	g->payload_size = p->payload_len;
	g->first_seq = p->seq;
	g->next_seq = p->protocol == TCPIP_IPPROTO_TCP ? p->seq + p->payload_len : 0;
	g->state = GROUP_OPEN;
	if (p->flags & GRO_PSH)
		g->state |= GROUP_PSH | GROUP_FULL;
	if (p->flags & GRO_VERIFIED)
		g->state |= GROUP_VERIFIED;
	g->older = *slot;
	*slot = index;
	gro->last = index;
}

/* Tries the groups of the flow, newest first; of UDP only the newest, so that order is kept. */
static enum outcome merge_flow(struct tcpip_gro *gro, uint16_t newest, struct gro_packet *p,
			       uint16_t item)
{
	int depth = p->protocol == TCPIP_IPPROTO_TCP ? FLOW_DEPTH : 1;

	for (uint16_t i = newest; i != TCPIP_GRO_NIL && depth-- > 0; i = gro->groups[i].older) {
		enum outcome outcome = merge(gro, &gro->groups[i], p, item);

		if (outcome == MERGED)
			gro->last = i;
		if (outcome != NO_FIT)
			return outcome;
	}
	return NO_FIT;
}

/* What comes later in a UDP flow must not join what came before this packet. */
static void end_flow(struct tcpip_gro *gro, const uint16_t *slot)
{
	if (*slot != TCPIP_GRO_NIL)
		gro->groups[*slot].state &= (uint8_t)~GROUP_OPEN;
}

static void add_candidate(struct tcpip_gro *gro, struct gro_packet *p, uint16_t item)
{
	enum outcome outcome = NO_FIT;
	uint16_t *slot;

	if (gro->last != TCPIP_GRO_NIL && same_flow(&gro->groups[gro->last], p))
		outcome = merge(gro, &gro->groups[gro->last], p, item);
	if (outcome == MERGED)
		return;
	slot = find_slot(gro, p);
	if (outcome == NO_FIT)
		outcome = merge_flow(gro, *slot, p, item);
	if (outcome == NO_FIT) {
		add_group(gro, p, item, slot);
	} else if (outcome == BAD) {
		if (p->protocol == TCPIP_IPPROTO_UDP)
			end_flow(gro, slot);
		add_alone(gro, item);
	}
}

static void add_item(struct tcpip_gro *gro, uint16_t item)
{
	struct gro_packet p;

	switch (gro_packet_read(&gro->items[item], gro->l2_len, gro->options, &p)) {
	case GRO_CANDIDATE:
		add_candidate(gro, &p, item);
		break;
	case GRO_ENDS:
		end_flow(gro, find_slot(gro, &p));
		add_alone(gro, item);
		break;
	case GRO_OTHER:
		add_alone(gro, item);
		break;
	}
}

static void finish_ip(const struct tcpip_gro_group *g, uint8_t *l3, uint32_t l3_len)
{
	if (g->family == 6) {
		tcpip_store_be16(l3 + 4, (uint16_t)(l3_len - TCPIP_IPV6_LEN));
		return;
	}
	tcpip_store_be16(l3 + 2, (uint16_t)l3_len);
	tcpip_store_be16(l3 + 10, 0);
	tcpip_store_be16(l3 + 10, checksum_final(checksum_header(l3, TCPIP_IPV4_LEN)));
}

/* Rewrites the head's headers for the whole and leaves the L4 checksum to the kernel. */
static void finish_merged(struct tcpip_gro *gro, struct tcpip_gro_group *g)
{
	uint8_t *data = gro->items[g->head].data, *l3 = data + gro->l2_len;
	uint8_t *l4 = data + g->l4_offset;
	uint32_t l4_len = g->total_len - g->l4_offset;
	bool tcp = g->protocol == TCPIP_IPPROTO_TCP;
	uint64_t acc = (uint64_t)checksum_word(g->protocol) + checksum_word((uint16_t)l4_len);

	finish_ip(g, l3, g->total_len - gro->l2_len);
	g->vh.flags = TCPIP_VNET_NEEDS_CSUM;
	g->vh.hdr_len = g->header_len;
	g->vh.gso_size = g->payload_size;
	g->vh.csum_start = g->l4_offset;
	g->vh.csum_offset = tcp ? 16 : 6;
	acc += g->family == 4 ? checksum_addresses4(l3 + 12, l3 + 16)
			      : checksum_addresses6(l3 + 8, l3 + 24);
	tcpip_store_be16(l4 + g->vh.csum_offset, checksum_fold(acc));
	if (!tcp) {
		g->vh.gso_type = TCPIP_VNET_GSO_UDP_L4;
		tcpip_store_be16(l4 + 4, (uint16_t)l4_len);
		return;
	}
	g->vh.gso_type = g->family == 4 ? TCPIP_VNET_GSO_TCPV4 : TCPIP_VNET_GSO_TCPV6;
	if (g->state & GROUP_PSH)
		l4[13] |= TCPIP_TCP_PSH;
}

static void finish(struct tcpip_gro *gro)
{
	for (uint32_t i = 0; i < gro->n_groups; i++) {
		struct tcpip_gro_group *g = &gro->groups[i];

		if (g->n_items > 1)
			finish_merged(gro, g);
		else if (gro->options & TCPIP_GRO_DATA_VALID && g->state & GROUP_VERIFIED)
			g->vh.flags = TCPIP_VNET_DATA_VALID;
	}
}

int tcpip_gro_run(struct tcpip_gro *gro, const struct tcpip_gro_item *items, uint32_t n)
{
	gro->n_groups = 0;
	if (n > TCPIP_GRO_MAX)
		return TCPIP_ERANGE;
	gro->items = items;
	gro->last = TCPIP_GRO_NIL;
	memset(gro->table, 0xff, sizeof(gro->table));
	for (uint32_t i = 0; i < n; i++) {
		if (i + 2 < n)
			__builtin_prefetch(items[i + 2].data);
		add_item(gro, (uint16_t)i);
	}
	finish(gro);
	return (int)gro->n_groups;
}

uint32_t tcpip_gro_iov(const struct tcpip_gro *gro, const struct tcpip_gro_group *group,
		       struct tcpip_iov *out, uint32_t max)
{
	const struct tcpip_gro_item *item = &gro->items[group->head];
	uint32_t n = 1, skip = group->header_len;

	if (max < group->n_items)
		return 0;
	out[0].base = item->data;
	out[0].len = item->len;
	for (uint16_t i = gro->next[group->head]; i != TCPIP_GRO_NIL; i = gro->next[i]) {
		item = &gro->items[i];
		out[n].base = item->data + skip;
		out[n++].len = item->len - skip;
	}
	return n;
}
