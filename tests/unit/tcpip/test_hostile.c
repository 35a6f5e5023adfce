/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile bytes: every parser over every truncation of valid packets, every byte changed, and
 * noise. What is tested is that no call reads or writes out of bounds (under the sanitizers) and
 * that views stay within the data that they were made from.
 */
#include "support.h"

static const struct spec kinds[] = {
	{.protocol = 6, .flags = 0x18, .tcp_options = 12, .payload_len = 40},
	{.protocol = 6, .flags = 0x10, .ip_options = 16, .payload_len = 5},
	{.protocol = 17, .payload_len = 30},
	{.protocol = 1, .payload_len = 16},
	{.protocol = 132, .payload_len = 4},
	{.family = 6, .protocol = 6, .flags = 0x18, .tcp_options = 12, .payload_len = 40},
	{.family = 6, .protocol = 17, .payload_len = 30},
	{.family = 6, .protocol = 58, .payload_len = 16},
};

/* IPv6 with hop-by-hop options, a routing header, a fragment header and UDP. */
static size_t build_chain(uint8_t *buf)
{
	struct spec s = {.family = 6, .protocol = 17, .payload_len = 20};
	size_t len = build(buf, &s);

	memmove(buf + 64, buf + 40, len - 40);
	memset(buf + 40, 0, 24);
	buf[6] = 0;
	buf[40] = 43;
	buf[42] = 5;
	buf[43] = 2;
	buf[46] = 1;
	buf[48] = 44;
	buf[56] = 17;
	tcpip_store_be16(buf + 4, (uint16_t)(len - 40 + 24));
	return len + 24;
}

static size_t build_kind(uint8_t *buf, size_t kind)
{
	return kind < N_OF(kinds) ? build(buf, &kinds[kind]) : build_chain(buf);
}

#define N_KINDS (N_OF(kinds) + 1)

static void within(const uint8_t *data, size_t len, const uint8_t *p, size_t n)
{
	assert_true(p >= data && p <= data + len && n <= (size_t)(data + len - p));
}

static void poke_options(const uint8_t *data, size_t len, const uint8_t *options, size_t n)
{
	struct tcpip_option_iter it;
	struct tcpip_option o;

	tcpip_option_iter_init(&it, options, n);
	while (tcpip_option_next(&it, &o) == 1)
		within(data, len, o.data, o.len);
}

static void poke_ipv6(const uint8_t *data, size_t len)
{
	struct tcpip_ipv6 ip;
	struct tcpip_ipv6_walk walk;
	struct tcpip_ipv6_ext ext;
	struct tcpip_option_iter it;
	struct tcpip_option o;

	if (tcpip_ipv6_parse(data, len, &ip) < 0)
		return;
	within(data, len, ip.src, 16);
	within(data, len, ip.payload, ip.payload_len);
	tcpip_ipv6_walk_init(&walk, &ip);
	while (tcpip_ipv6_walk_next(&walk, &ext) == 1) {
		within(data, len, ext.data, ext.len);
		tcpip_ipv6_option_iter_init(&it, &ext);
		while (tcpip_ipv6_option_next(&it, &o) == 1)
			within(data, len, o.data, o.len);
	}
}

static void poke_headers(const uint8_t *data, size_t len)
{
	struct tcpip_eth eth;
	struct tcpip_arp arp;
	struct tcpip_ipv4 ip;
	struct tcpip_tcp tcp;
	struct tcpip_udp udp;
	struct tcpip_icmp icmp;

	if (tcpip_eth_parse(data, len, &eth) == TCPIP_OK)
		within(data, len, eth.payload, eth.payload_len);
	if (tcpip_arp_parse(data, len, &arp) == TCPIP_OK)
		within(data, len, arp.target_ip, arp.ip_len);
	if (tcpip_ipv4_parse(data, len, &ip) == TCPIP_OK) {
		within(data, len, ip.payload, ip.payload_len);
		poke_options(data, len, ip.options, ip.options_len);
		(void)tcpip_ipv4_checksum_ok(&ip);
	}
	if (tcpip_tcp_parse(data, len, &tcp) == TCPIP_OK) {
		within(data, len, tcp.payload, tcp.payload_len);
		poke_options(data, len, tcp.options, tcp.options_len);
	}
	if (tcpip_udp_parse(data, len, &udp) == TCPIP_OK)
		within(data, len, udp.payload, udp.payload_len);
	if (tcpip_icmp_parse(data, len, &icmp) == TCPIP_OK)
		within(data, len, icmp.payload, icmp.payload_len);
}

static void poke_packet(const uint8_t *data, size_t len)
{
	static const uint8_t src[16] = {0x20, 1};
	uint8_t out[TCPIP_ICMP6_ERROR_MAX];
	struct tcpip_packet p;
	int r;

	if (tcpip_packet_parse(data, len, &p) == TCPIP_OK) {
		within(data, len, p.src, p.addr_len);
		within(data, len, p.dst, p.addr_len);
		assert_true(p.total_len <= len && p.l4_offset <= p.payload_offset);
		assert_true(p.payload_offset <= p.total_len);
	}
	assert_true(tcpip_l4_checksum_ok(data, len) <= 1);
	r = tcpip_icmp4_unreachable(out, sizeof(out), src, data, len, 1);
	assert_true(r <= (int)TCPIP_ICMP4_ERROR_MAX);
	r = tcpip_icmp6_too_big(out, sizeof(out), src, data, len, 1280);
	assert_true(r <= (int)TCPIP_ICMP6_ERROR_MAX);
}

static void poke_gso(const uint8_t *data, size_t len, struct rng *rng)
{
	static const uint8_t types[] = {1, 4, 5, 0x81, 0x84};
	static const uint32_t l2[] = {0, 14, 18, 22};
	uint8_t out[512];
	struct tcpip_gso gso;

	for (size_t t = 0; t < N_OF(types); t++) {
		struct tcpip_vnet_hdr vh = {
			.gso_type = types[t],
			.gso_size = (uint16_t)(1 + rng_below(rng, 20)),
		};

		if (tcpip_gso_plan(&gso, &vh, data, len, l2[rng_below(rng, 4)]) < 0)
			continue;
		assert_true(gso.header_len + gso.payload_len <= len);
		for (uint32_t i = 0; i < gso.n_segs; i++) {
			size_t n = tcpip_gso_segment(&gso, i, out, sizeof(out));

			assert_int_equal(n, tcpip_gso_segment_len(&gso, i));
		}
	}
}

static void poke_gro(const uint8_t *data, size_t len, uint32_t flags)
{
	static struct tcpip_gro gro;
	struct tcpip_gro_item items[4];
	struct tcpip_iov iov[4];
	size_t total = 0;
	int n;

	for (uint32_t l2 = 0; l2 <= 14; l2 += 14) {
		total = 0;
		for (size_t i = 0; i < 4; i++)
			items[i] = (struct tcpip_gro_item){exact_copy(data, len), (uint32_t)len,
							   flags};
		assert_int_equal(tcpip_gro_init(&gro, l2, 0), TCPIP_OK);
		n = tcpip_gro_run(&gro, items, 4);
		assert_in_range(n, 1, 4);
		for (int g = 0; g < n; g++) {
			assert_true(tcpip_gro_iov(&gro, &gro.groups[g], iov, 4) > 0);
			total += gro.groups[g].n_items;
		}
		assert_int_equal(total, 4);
		for (size_t i = 0; i < 4; i++)
			free(items[i].data);
	}
}

static void poke_all(const uint8_t *data, size_t len, struct rng *rng)
{
	uint8_t *copy = exact_copy(data, len);

	poke_headers(copy, len);
	poke_ipv6(copy, len);
	poke_packet(copy, len);
	poke_gso(copy, len, rng);
	poke_gro(copy, len, rng_below(rng, 2));
	(void)tcpip_l4_reset_checksum(copy, len);
	free(copy);
}

static void no_truncation_is_read_past_its_end(void **state)
{
	struct rng rng = {21};
	uint8_t buf[512];

	(void)state;
	for (size_t k = 0; k < N_KINDS; k++) {
		size_t len = build_kind(buf, k);
		struct tcpip_packet p;

		assert_int_equal(tcpip_packet_parse(buf, len, &p), TCPIP_OK);
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *copy = exact_copy(buf, cut);

			assert_true(tcpip_packet_parse(copy, cut, &p) < 0);
			poke_all(buf, cut, &rng);
			free(copy);
		}
	}
}

/* The length fields say that the truncated packet is whole. */
static void no_truncation_with_a_matching_length_is_read_past_its_end(void **state)
{
	struct rng rng = {22};
	uint8_t buf[512];

	(void)state;
	for (size_t k = 0; k < N_KINDS; k++) {
		size_t len = build_kind(buf, k);

		for (size_t cut = 6; cut < len; cut++) {
			uint8_t copy[512];

			memcpy(copy, buf, len);
			if (copy[0] >> 4 == 4)
				tcpip_store_be16(copy + 2, (uint16_t)cut);
			else
				tcpip_store_be16(copy + 4, (uint16_t)(cut < 40 ? 0 : cut - 40));
			poke_all(copy, cut, &rng);
		}
	}
}

static void no_single_changed_byte_leads_out_of_bounds(void **state)
{
	static const uint8_t flips[] = {0x01, 0x04, 0x10, 0x40, 0x80, 0xff};
	struct rng rng = {23};
	uint8_t buf[512];

	(void)state;
	for (size_t k = 0; k < N_KINDS; k++) {
		size_t len = build_kind(buf, k);

		for (size_t at = 0; at < len; at++) {
			for (size_t f = 0; f < N_OF(flips); f++) {
				buf[at] ^= flips[f];
				poke_all(buf, len, &rng);
				buf[at] ^= flips[f];
			}
		}
	}
}

static void no_random_change_leads_out_of_bounds(void **state)
{
	struct rng rng = {24};
	uint8_t buf[512];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = build_kind(buf, rng_below(&rng, N_KINDS));
		uint32_t changes = 1 + rng_below(&rng, 6);

		while (changes--)
			buf[rng_below(&rng, (uint32_t)len)] = (uint8_t)rng_next(&rng);
		poke_all(buf, rng_below(&rng, 4) ? len : rng_below(&rng, (uint32_t)len), &rng);
	}
}

static void noise_leads_not_out_of_bounds(void **state)
{
	struct rng rng = {25};
	uint8_t buf[256];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = rng_below(&rng, sizeof(buf));

		for (size_t i = 0; i < len; i++)
			buf[i] = (uint8_t)rng_next(&rng);
		if (len && rng_below(&rng, 2))
			buf[0] = rng_below(&rng, 2) ? 0x45 : 0x60;
		poke_all(buf, len, &rng);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_truncation_is_read_past_its_end),
		cmocka_unit_test(no_truncation_with_a_matching_length_is_read_past_its_end),
		cmocka_unit_test(no_single_changed_byte_leads_out_of_bounds),
		cmocka_unit_test(no_random_change_leads_out_of_bounds),
		cmocka_unit_test(noise_leads_not_out_of_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
