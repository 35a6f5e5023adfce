/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * micro_tcpip: what the packet toolkit costs: a super-packet of 64 KiB is cut into segments, and
 * segments become a super-packet again.
 */
#include <stdlib.h>
#include <string.h>
#include <vpncore/tcpip.h>

#include "stages.h"

#define SEGMENTS 47u
#define MSS      1368u
#define HEADERS  52u /* IPv4, TCP with timestamps */
#define SEGMENT  (MSS + HEADERS)
#define STRIDE   2048u
#define SHORT    1400u

struct fixture {
	uint8_t super[65536];
	uint8_t slots[SEGMENTS * STRIDE];
	uint8_t pristine[SEGMENTS][64]; /* headers, which coalescing changes */
	struct tcpip_gro_item items[SEGMENTS];
	struct tcpip_gro gro;
	struct tcpip_gso gso;
	uint32_t groups; /* as many are expected */
	uint32_t sum;
};

static const struct tcpip_vnet_hdr vnet = {
	TCPIP_VNET_NEEDS_CSUM, TCPIP_VNET_GSO_TCPV4, HEADERS, MSS, 20, 16};

static void chill(void *ctx)
{
	(void)ctx;
	measure_evict();
}

static uint8_t *slot(struct fixture *f, uint32_t i)
{
	return f->slots + (size_t)i * STRIDE;
}

/* ---- segment ---- */

static uint32_t plan(void *ctx)
{
	struct fixture *f = ctx;
	return tcpip_gso_plan(&f->gso, &vnet, f->super, SEGMENTS * MSS + HEADERS, 0) < 0 ? 0 : 1;
}

static uint32_t segment(void *ctx)
{
	struct fixture *f = ctx;
	for (uint32_t i = 0; i < f->gso.n_segs; i++)
		f->sum += (uint32_t)tcpip_gso_segment(&f->gso, i, slot(f, i), STRIDE);
	return f->gso.n_segs;
}

static uint32_t copy_segments(void *ctx)
{
	struct fixture *f = ctx;
	for (uint32_t i = 0; i < f->gso.n_segs; i++)
		memcpy(slot(f, i), f->super + (size_t)i * MSS, SEGMENT);
	return f->gso.n_segs;
}

static bool check_plan(void *ctx)
{
	const struct fixture *f = ctx;
	return f->gso.n_segs == SEGMENTS && f->gso.total_len == SEGMENTS * SEGMENT;
}

static void take_items(struct fixture *f, uint32_t flags)
{
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		f->items[i] = (struct tcpip_gro_item){slot(f, i), SEGMENT, flags};
		memcpy(f->pristine[i], slot(f, i), sizeof(f->pristine[i]));
	}
}

/* The payloads are there in their order, and all checksums are right: else they would not merge. */
static bool check_segments(void *ctx)
{
	struct fixture *f = ctx;
	take_items(f, 0);
	for (uint32_t i = 0; i < SEGMENTS; i++)
		if (memcmp(slot(f, i) + HEADERS, f->super + HEADERS + (size_t)i * MSS, MSS) != 0)
			return false;
	return tcpip_gro_run(&f->gro, f->items, SEGMENTS) == 1 &&
	       f->gro.groups[0].total_len == SEGMENTS * MSS + HEADERS;
}

static bool check_copies(void *ctx)
{
	struct fixture *f = ctx;
	uint32_t last = SEGMENTS - 1;
	return memcmp(slot(f, last), f->super + (size_t)last * MSS, SEGMENT) == 0;
}

static void build_super(struct fixture *f)
{
	static const uint8_t src[4] = {10, 78, 0, 1}, dst[4] = {10, 78, 0, 2};
	uint8_t *l4 = f->super + TCPIP_IPV4_LEN;
	for (size_t i = 0; i < sizeof(f->super); i++)
		f->super[i] = (uint8_t)(i * 31 >> 3);
	tcpip_ipv4_write(f->super, src, dst, TCPIP_IPPROTO_TCP, 64, 0,
			 (uint16_t)(SEGMENTS * MSS + HEADERS - TCPIP_IPV4_LEN));
	l4[12] = 0x80;
	l4[13] = TCPIP_TCP_ACK;
}

static void measure_segment(struct measure *m, struct fixture *f)
{
	struct measure_case c = {.stage = "segment", .ctx = f};
	c.variant = "plan a super-packet";
	c.work = plan;
	c.check = check_plan;
	measure_run(m, &c);
	c.variant = "64 KiB of TCP, copied and summed";
	c.bytes = SEGMENT;
	c.work = segment;
	c.check = check_segments;
	measure_run(m, &c);
	c.variant = "64 KiB of TCP, copied and summed, cold";
	c.prepare = chill;
	measure_run(m, &c);
	c.variant = "(memcpy alone, cold)";
	c.work = copy_segments;
	c.check = check_copies;
	measure_run(m, &c);
	c.variant = "(memcpy alone)";
	c.prepare = NULL;
	measure_run(m, &c);
}

/* ---- coalesce ---- */

static void restore(void *ctx)
{
	struct fixture *f = ctx;
	for (uint32_t i = 0; i < SEGMENTS; i++)
		memcpy(f->items[i].data, f->pristine[i], sizeof(f->pristine[i]));
}

static void restore_cold(void *ctx)
{
	restore(ctx);
	measure_evict();
}

static uint32_t coalesce(void *ctx)
{
	struct fixture *f = ctx;
	return tcpip_gro_run(&f->gro, f->items, SEGMENTS) > 0 ? SEGMENTS : 0;
}

static uint32_t gather(void *ctx)
{
	struct fixture *f = ctx;
	struct tcpip_iov iov[TCPIP_GRO_MAX];
	return tcpip_gro_iov(&f->gro, &f->gro.groups[0], iov, TCPIP_GRO_MAX);
}

/* As many groups as there are flows, and every byte of payload in them. */
static bool check_groups(void *ctx)
{
	const struct fixture *f = ctx;
	uint32_t len = 0;
	for (uint32_t i = 0; i < f->gro.n_groups; i++)
		len += f->gro.groups[i].total_len - HEADERS;
	return f->gro.n_groups == f->groups && len == SEGMENTS * MSS;
}

/* Spreads the segments over `flows` flows, by turns. */
static void split_flows(struct fixture *f, uint32_t flows)
{
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		tcpip_tcp_set_src_port(f->pristine[i] + TCPIP_IPV4_LEN,
				       (uint16_t)(1000 + i % flows));
		tcpip_tcp_set_seq(f->pristine[i] + TCPIP_IPV4_LEN, i / flows * MSS);
	}
	f->groups = flows;
}

static void measure_coalesce(struct measure *m, struct fixture *f)
{
	struct measure_case c = {.stage = "coalesce",
				 .bytes = SEGMENT,
				 .work = coalesce,
				 .prepare = restore,
				 .check = check_groups,
				 .ctx = f};
	segment(f);
	take_items(f, 0);
	f->groups = 1;
	c.variant = "one flow, checksums verified";
	measure_run(m, &c);
	for (uint32_t i = 0; i < SEGMENTS; i++)
		f->items[i].flags = TCPIP_GRO_VERIFIED;
	c.variant = "one flow";
	measure_run(m, &c);
	c.variant = "one flow, cold";
	c.prepare = restore_cold;
	measure_run(m, &c);
	c.prepare = NULL;
	c.variant = "slices of a group";
	c.work = gather;
	measure_run(m, &c);
	c.prepare = restore;
	c.work = coalesce;
	c.variant = "4 flows by turns";
	split_flows(f, 4);
	measure_run(m, &c);
	c.variant = "each packet a flow of its own";
	split_flows(f, SEGMENTS);
	measure_run(m, &c);
}

/* ---- single functions ---- */

static uint32_t sum_short(void *ctx)
{
	struct fixture *f = ctx;
	f->sum = tcpip_checksum(f->super, SHORT);
	return 1;
}

static uint32_t sum_copy(void *ctx)
{
	struct fixture *f = ctx;
	f->sum = (uint32_t)tcpip_csum_copy(f->slots, f->super, SHORT, 0);
	return 1;
}

static uint32_t copy_short(void *ctx)
{
	struct fixture *f = ctx;
	memcpy(f->slots, f->super, SHORT);
	f->sum = f->slots[SHORT - 1];
	return 1;
}

static uint32_t parse(void *ctx)
{
	struct fixture *f = ctx;
	struct tcpip_packet p;
	f->sum = tcpip_packet_parse(f->super, sizeof(f->super), &p) >= 0 ? p.payload_offset : 0;
	return 1;
}

/* RFC 1071, word by word. */
static bool check_sum(void *ctx)
{
	const struct fixture *f = ctx;
	uint32_t sum = 0;
	for (uint32_t i = 0; i < SHORT; i += 2)
		sum += (uint32_t)f->super[i] << 8 | f->super[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return tcpip_checksum(f->super, SHORT) == (uint16_t)~sum;
}

static bool check_copy(void *ctx)
{
	const struct fixture *f = ctx;
	return memcmp(f->slots, f->super, SHORT) == 0;
}

static bool check_parse(void *ctx)
{
	const struct fixture *f = ctx;
	return f->sum == HEADERS;
}

static void measure_single(struct measure *m, struct fixture *f)
{
	const struct measure_case cases[] = {
		{"checksum", "1400 bytes", SHORT, sum_short, NULL, check_sum, f},
		{"checksum", "1400 bytes, while copying", SHORT, sum_copy, NULL, check_copy, f},
		{"checksum", "(memcpy of 1400 bytes)", SHORT, copy_short, NULL, check_copy, f},
		{"parse", "IPv4, TCP", 0, parse, NULL, check_parse, f},
	};
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		measure_run(m, &cases[i]);
}

void stages_tcpip(struct measure *m)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL)
		abort();
	build_super(f);
	if (plan(f) != 1 || tcpip_gro_init(&f->gro, 0, 0) < 0)
		abort();
	measure_segment(m, f);
	measure_coalesce(m, f);
	measure_single(m, f);
	free(f);
}
