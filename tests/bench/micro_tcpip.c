/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * micro_tcpip: what the packet toolkit costs, in nanoseconds per packet and bytes per nanosecond.
 * Each figure is the median of ROUNDS runs; "warm" data fit the first-level cache, "batch" data are
 * 45 packets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vpncore/tcpip.h>

#define ROUNDS   21
#define SEGMENTS 45
#define MSS      1368u
#define STRIDE   2048u

struct fixture {
	uint8_t super[65536];
	uint8_t slots[TCPIP_GRO_MAX * STRIDE];
	uint8_t pristine[TCPIP_GRO_MAX][128];
	struct tcpip_gro_item items[TCPIP_GRO_MAX];
	struct tcpip_gro gro;
	struct tcpip_gso gso;
	uint32_t sink;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median ns per call of fn over `calls` calls. */
static double measure(void (*fn)(struct fixture *), struct fixture *f, int calls)
{
	double t[ROUNDS];

	for (int r = 0; r < ROUNDS; r++) {
		uint64_t start = now_ns();

		for (int i = 0; i < calls; i++)
			fn(f);
		t[r] = (double)(now_ns() - start) / calls;
	}
	qsort(t, ROUNDS, sizeof(t[0]), by_value);
	return t[ROUNDS / 2];
}

static void build_tcp(struct fixture *f)
{
	static const uint8_t src[4] = {10, 78, 0, 1}, dst[4] = {10, 78, 0, 2};
	uint8_t *l4 = f->super + TCPIP_IPV4_LEN;
	uint32_t len = SEGMENTS * MSS + 32;
	struct tcpip_vnet_hdr vh = {TCPIP_VNET_NEEDS_CSUM, TCPIP_VNET_GSO_TCPV4, 52, MSS, 20, 16};

	for (size_t i = 0; i < sizeof(f->super); i++)
		f->super[i] = (uint8_t)(i * 31 >> 3);
	tcpip_ipv4_write(f->super, src, dst, TCPIP_IPPROTO_TCP, 64, 0, (uint16_t)len);
	l4[12] = 0x80;
	l4[13] = TCPIP_TCP_ACK;
	if (tcpip_gso_plan(&f->gso, &vh, f->super, TCPIP_IPV4_LEN + len, 0) < 0)
		abort();
}

static void plan(struct fixture *f)
{
	struct tcpip_vnet_hdr vh = {TCPIP_VNET_NEEDS_CSUM, TCPIP_VNET_GSO_TCPV4, 52, MSS, 20, 16};

	f->sink += (uint32_t)tcpip_gso_plan(&f->gso, &vh, f->super, SEGMENTS * MSS + 52, 0);
}

static void segment(struct fixture *f)
{
	for (uint32_t i = 0; i < f->gso.n_segs; i++)
		f->sink += (uint32_t)tcpip_gso_segment(&f->gso, i, f->slots + (size_t)i * STRIDE,
						       STRIDE);
}

static void copy_segments(struct fixture *f)
{
	for (uint32_t i = 0; i < f->gso.n_segs; i++)
		memcpy(f->slots + (size_t)i * STRIDE, f->super + (size_t)i * MSS, MSS + 52);
}

static void coalesce(struct fixture *f)
{
	for (uint32_t i = 0; i < SEGMENTS; i++)
		memcpy(f->items[i].data, f->pristine[i], 64);
	f->sink += (uint32_t)tcpip_gro_run(&f->gro, f->items, SEGMENTS);
}

static void restore_headers(struct fixture *f)
{
	for (uint32_t i = 0; i < SEGMENTS; i++)
		memcpy(f->items[i].data, f->pristine[i], 64);
	f->sink += f->items[0].data[3];
}

static void gather(struct fixture *f)
{
	struct tcpip_iov iov[TCPIP_GRO_MAX];

	f->sink += tcpip_gro_iov(&f->gro, &f->gro.groups[0], iov, TCPIP_GRO_MAX);
}

static void checksum_1400(struct fixture *f)
{
	f->sink += tcpip_checksum(f->super, 1400);
}

static void checksum_64k(struct fixture *f)
{
	f->sink += tcpip_checksum(f->super, sizeof(f->super));
}

static void checksum_copy_1400(struct fixture *f)
{
	f->sink += (uint32_t)tcpip_csum_copy(f->slots, f->super, 1400, 0);
}

static void memcpy_1400(struct fixture *f)
{
	memcpy(f->slots, f->super + (f->sink & 1), 1400);
	f->sink += f->slots[1399];
}

static void parse(struct fixture *f)
{
	struct tcpip_packet p;

	tcpip_packet_parse(f->super, sizeof(f->super), &p);
	f->sink += p.payload_offset;
}

static void fill_items(struct fixture *f, uint32_t flags)
{
	segment(f);
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		f->items[i].data = f->slots + (size_t)i * STRIDE;
		f->items[i].len = tcpip_gso_segment_len(&f->gso, i);
		f->items[i].flags = flags;
		memcpy(f->pristine[i], f->items[i].data, sizeof(f->pristine[i]));
	}
}

/* Spreads the segments over `flows` flows, by turns, or one packet per flow. */
static void split_flows(struct fixture *f, uint32_t flows)
{
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		tcpip_tcp_set_src_port(f->pristine[i] + TCPIP_IPV4_LEN,
				       (uint16_t)(1000 + i % flows));
		tcpip_tcp_set_seq(f->pristine[i] + TCPIP_IPV4_LEN, i / flows * MSS);
	}
}

int main(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	double t, headers;

	if (!f)
		return 1;
	build_tcp(f);
	tcpip_gro_init(&f->gro, 0, 0);
	t = measure(checksum_1400, f, 20000);
	printf("checksum 1400 B warm        %7.1f ns  %5.1f B/ns\n", t, 1400 / t);
	t = measure(checksum_64k, f, 1000);
	printf("checksum 64 KiB             %7.1f ns  %5.1f B/ns\n", t, 65536 / t);
	t = measure(checksum_copy_1400, f, 20000);
	printf("copy and checksum 1400 B    %7.1f ns  %5.1f B/ns\n", t, 1400 / t);
	t = measure(memcpy_1400, f, 20000);
	printf("memcpy 1400 B               %7.1f ns  %5.1f B/ns\n", t, 1400 / t);
	t = measure(parse, f, 20000);
	printf("parse IPv4 TCP              %7.1f ns\n", t);
	t = measure(plan, f, 20000);
	printf("plan a super-packet         %7.1f ns\n", t);
	t = measure(segment, f, 500) / f->gso.n_segs;
	printf("segment, batch              %7.1f ns per packet\n", t);
	t = measure(copy_segments, f, 500) / f->gso.n_segs;
	printf("  (memcpy alone             %7.1f ns per packet)\n", t);

	fill_items(f, TCPIP_GRO_VERIFIED);
	headers = measure(restore_headers, f, 2000) / SEGMENTS;
	t = measure(coalesce, f, 2000) / SEGMENTS - headers;
	printf("coalesce, verified          %7.1f ns per packet, %u group(s)\n", t,
	       f->gro.n_groups);
	t = measure(gather, f, 2000) / SEGMENTS;
	printf("iovecs of a group           %7.1f ns per packet\n", t);
	split_flows(f, 4);
	t = measure(coalesce, f, 2000) / SEGMENTS - headers;
	printf("coalesce, 4 flows by turns  %7.1f ns per packet, %u group(s)\n", t,
	       f->gro.n_groups);
	split_flows(f, SEGMENTS);
	t = measure(coalesce, f, 2000) / SEGMENTS - headers;
	printf("coalesce, all flows differ  %7.1f ns per packet, %u group(s)\n", t,
	       f->gro.n_groups);
	fill_items(f, 0);
	t = measure(coalesce, f, 500) / SEGMENTS - headers;
	printf("coalesce, verifying         %7.1f ns per packet, %u group(s)\n", t,
	       f->gro.n_groups);
	printf("(%u)\n", f->sink & 1);
	free(f);
	return 0;
}
