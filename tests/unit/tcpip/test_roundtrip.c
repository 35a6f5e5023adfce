/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segment and coalesce: a super-packet cut and put together again is the super-packet; packets put
 * together and cut again are the packets, whatever their order was.
 */
#include "support.h"

#define SLOT   2048u
#define ROUNDS 400

static uint8_t super[65536 + 64], again[65536 + 64], segment[65536];
static uint8_t slots[TCPIP_GRO_MAX][SLOT];
static struct tcpip_gro_item items[TCPIP_GRO_MAX];
static struct tcpip_gro gro;

static struct spec random_spec(struct rng *rng, uint8_t protocol, int family, uint16_t gso_size)
{
	uint32_t most = (65535u - 120) / gso_size;
	struct spec s = {.protocol = protocol, .family = family, .flags = 0x10};

	most = most > 200 ? 200 : most;
	s.payload_len = 1 + rng_below(rng, most * gso_size);
	s.seq = rng_next(rng);
	s.ack = rng_next(rng);
	s.id = (uint16_t)rng_next(rng);
	s.tos = (uint8_t)rng_next(rng);
	s.window = (uint16_t)rng_next(rng);
	s.tcp_options = (uint8_t)(rng_below(rng, 11) * 4);
	s.payload_seed = rng_next(rng);
	s.l2_len = rng_below(rng, 2) * 14;
	if (rng_below(rng, 2))
		s.flags |= TCPIP_TCP_PSH;
	return s;
}

static struct tcpip_vnet_hdr vnet(const struct spec *s, uint16_t gso_size)
{
	uint16_t start = (uint16_t)(s->l2_len + (s->family == 6 ? 40 : 20));
	uint8_t type = TCPIP_VNET_GSO_UDP_L4;

	if (s->protocol == 6)
		type = s->family == 6 ? TCPIP_VNET_GSO_TCPV6 : TCPIP_VNET_GSO_TCPV4;
	return (struct tcpip_vnet_hdr){
		.flags = TCPIP_VNET_NEEDS_CSUM,
		.gso_type = type,
		.hdr_len = (uint16_t)(start + (s->protocol == 6 ? 20u + s->tcp_options : 8)),
		.gso_size = gso_size,
		.csum_start = start,
		.csum_offset = s->protocol == 6 ? 16 : 6,
	};
}

/* What the kernel would have given us: the pseudo-header's sum in the checksum field. */
static size_t build_super(const struct spec *s, const struct tcpip_vnet_hdr *vh)
{
	size_t len = build(super, s);
	const uint8_t *l3 = super + s->l2_len;
	uint16_t l4_len = (uint16_t)(len - vh->csum_start);
	uint64_t acc = s->family == 6 ? tcpip_csum_pseudo6(l3 + 8, l3 + 24, s->protocol, l4_len)
				      : tcpip_csum_pseudo4(l3 + 12, l3 + 16, s->protocol, l4_len);

	tcpip_store_be16(super + vh->csum_start + vh->csum_offset, tcpip_csum_fold(acc));
	return len;
}

static uint32_t cut(const uint8_t *packet, size_t len, const struct tcpip_vnet_hdr *vh, uint32_t l2)
{
	struct tcpip_gso gso;

	assert_int_equal(tcpip_gso_plan(&gso, vh, packet, len, l2), TCPIP_OK);
	assert_true(gso.n_segs <= TCPIP_GRO_MAX);
	for (uint32_t i = 0; i < gso.n_segs; i++) {
		items[i].data = slots[i];
		items[i].len = (uint32_t)tcpip_gso_segment(&gso, i, slots[i], SLOT);
		items[i].flags = 0;
		assert_true(items[i].len > 0);
	}
	return gso.n_segs;
}

static size_t gather(const struct tcpip_gro_group *g, uint8_t *out)
{
	struct tcpip_iov iov[TCPIP_GRO_MAX];
	uint32_t n = tcpip_gro_iov(&gro, g, iov, TCPIP_GRO_MAX);
	size_t len = 0;

	assert_int_equal(n, g->n_items);
	for (uint32_t i = 0; i < n; i++) {
		memcpy(out + len, iov[i].base, iov[i].len);
		len += iov[i].len;
	}
	assert_int_equal(len, g->total_len);
	return len;
}

static void check_there_and_back(struct rng *rng, uint8_t protocol, int family)
{
	uint16_t gso_size = (uint16_t)(1 + rng_below(rng, 1450));
	struct spec s = random_spec(rng, protocol, family, gso_size);
	struct tcpip_vnet_hdr vh = vnet(&s, gso_size);
	size_t len = build_super(&s, &vh);
	uint32_t n = cut(super, len, &vh, s.l2_len);

	assert_int_equal(tcpip_gro_init(&gro, s.l2_len, 0), TCPIP_OK);
	assert_int_equal(tcpip_gro_run(&gro, items, n), 1);
	assert_int_equal(gather(&gro.groups[0], again), len);
	if (n == 1) {
		assert_int_equal(gro.groups[0].vh.flags, 0);
		return;
	}
	assert_memory_equal(again, super, len);
	assert_memory_equal(&gro.groups[0].vh, &vh, sizeof(vh));
}

static void coalescing_undoes_segmentation(void **state)
{
	struct rng rng = {11};

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		check_there_and_back(&rng, 6, 4);
		check_there_and_back(&rng, 6, 6);
		check_there_and_back(&rng, 17, 4);
		check_there_and_back(&rng, 17, 6);
	}
}

static void shuffle(struct rng *rng, uint32_t n, uint32_t reach)
{
	for (uint32_t i = 0; i + 1 < n; i++) {
		uint32_t j = i + rng_below(rng, n - i < reach ? n - i : reach);
		struct tcpip_gro_item t = items[i];

		items[i] = items[j];
		items[j] = t;
	}
}

/* Packets of three flows with IPv4 id 0, as their ids follow no order here. */
static uint32_t build_streams(struct rng *rng, uint32_t n, uint8_t protocol, int family)
{
	uint32_t at[3] = {0, 0, 0}, size = 100 + rng_below(rng, 1300);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t flow = rng_below(rng, 3);
		struct spec s = {.protocol = protocol,
				 .family = family,
				 .flags = 0x10,
				 .tcp_options = 12,
				 .sport = (uint16_t)(1 + flow)};

		s.payload_len = rng_below(rng, 8) ? size : 1 + rng_below(rng, size);
		s.flags |= rng_below(rng, 10) ? 0 : TCPIP_TCP_PSH;
		s.seq = 0xffff0000u + at[flow];
		s.payload_seed = at[flow];
		at[flow] += s.payload_len;
		items[i] = (struct tcpip_gro_item){.data = slots[i]};
		items[i].len = (uint32_t)build(slots[i], &s);
		assert_true(items[i].len <= SLOT);
	}
	return n;
}

/* The packets that went in, and which of them have come out. */
static struct {
	uint8_t data[TCPIP_GRO_MAX][SLOT];
	uint32_t len[TCPIP_GRO_MAX];
	bool out[TCPIP_GRO_MAX];
	uint32_t n;
} before;

static void remember(uint32_t n)
{
	before.n = n;
	for (uint32_t i = 0; i < n; i++) {
		memcpy(before.data[i], items[i].data, items[i].len);
		before.len[i] = items[i].len;
		before.out[i] = false;
	}
}

/* Segments of IPv4 get ids that count up: cleared, as in what went in. */
static void tick_off(uint8_t *packet, size_t len)
{
	if (packet[0] >> 4 == 4) {
		tcpip_ipv4_set_id(packet, 0);
		tcpip_ipv4_reset_checksum(packet);
	}
	for (uint32_t k = 0; k < before.n; k++) {
		if (!before.out[k] && before.len[k] == len &&
		    memcmp(before.data[k], packet, len) == 0) {
			before.out[k] = true;
			return;
		}
	}
	fail_msg("a packet came out that had not gone in");
}

static uint32_t tick_off_group(const struct tcpip_gro_group *g)
{
	size_t len = gather(g, again);
	struct tcpip_gso gso;

	if (g->n_items == 1) {
		tick_off(again, len);
		return 1;
	}
	assert_int_equal(tcpip_gso_plan(&gso, &g->vh, again, len, 0), TCPIP_OK);
	for (uint32_t i = 0; i < gso.n_segs; i++) {
		len = tcpip_gso_segment(&gso, i, segment, sizeof(segment));
		tick_off(segment, len);
	}
	return gso.n_segs;
}

static void check_shuffled(struct rng *rng, uint8_t protocol, int family)
{
	uint32_t n = build_streams(rng, 2 + rng_below(rng, 100), protocol, family), out = 0;

	shuffle(rng, n, 1 + rng_below(rng, 6));
	remember(n);
	assert_int_equal(tcpip_gro_init(&gro, 0, 0), TCPIP_OK);
	assert_true(tcpip_gro_run(&gro, items, n) > 0);
	for (uint32_t g = 0; g < gro.n_groups; g++)
		out += tick_off_group(&gro.groups[g]);
	assert_int_equal(out, n);
}

static void segmentation_undoes_coalescing_in_any_order(void **state)
{
	struct rng rng = {12};

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		check_shuffled(&rng, 6, 4);
		check_shuffled(&rng, 6, 6);
		check_shuffled(&rng, 17, 4);
		check_shuffled(&rng, 17, 6);
	}
}

/* The order of UDP datagrams of a flow is the order in which they came. */
static void udp_keeps_its_order(void **state)
{
	struct rng rng = {14};

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t n = build_streams(&rng, 100, 17, 4), last[4] = {0}, any[4] = {0};

		assert_int_equal(tcpip_gro_init(&gro, 0, 0), TCPIP_OK);
		assert_true(tcpip_gro_run(&gro, items, n) > 0);
		for (uint32_t g = 0; g < gro.n_groups; g++) {
			uint32_t i = gro.groups[g].head;

			for (; i != TCPIP_GRO_NIL; i = gro.next[i]) {
				uint16_t port = tcpip_load_be16(slots[i] + 20);

				assert_true(!any[port] || i > last[port]);
				any[port] = 1;
				last[port] = i;
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coalescing_undoes_segmentation),
		cmocka_unit_test(segmentation_undoes_coalescing_in_any_order),
		cmocka_unit_test(udp_keeps_its_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
