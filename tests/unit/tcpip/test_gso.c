/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segmentation: each segment against the same packet built on its own; impossible super-packets
 * refused.
 */
#include "support.h"

static uint8_t super[65536 + 64], segment[65536], want[65536 + 64];

static size_t l4_header(const struct spec *s)
{
	return s->protocol == 6 ? 20u + s->tcp_options : 8;
}

static size_t ip_header(const struct spec *s)
{
	return s->family == 6 ? 40 : 20u + s->ip_options;
}

static struct tcpip_vnet_hdr vnet(const struct spec *s, uint16_t gso_size)
{
	struct tcpip_vnet_hdr vh = {
		.flags = TCPIP_VNET_NEEDS_CSUM,
		.gso_size = gso_size,
		.csum_start = (uint16_t)(s->l2_len + ip_header(s)),
		.csum_offset = s->protocol == 6 ? 16 : 6,
	};

	vh.gso_type = TCPIP_VNET_GSO_UDP_L4;
	if (s->protocol == 6)
		vh.gso_type = s->family == 6 ? TCPIP_VNET_GSO_TCPV6 : TCPIP_VNET_GSO_TCPV4;
	return vh;
}

/* The packet that segment i must be. */
static size_t expected(const struct spec *whole, uint32_t i, uint32_t n, uint16_t gso_size)
{
	struct spec s = *whole;
	uint32_t at = i * gso_size;

	s.payload_len = whole->payload_len - at < gso_size ? whole->payload_len - at : gso_size;
	s.payload_seed = whole->payload_seed + at;
	s.seq = whole->seq + at;
	s.id = (uint16_t)(whole->id + i);
	if (i + 1 != n)
		s.flags &= (uint16_t) ~(TCPIP_TCP_FIN | TCPIP_TCP_PSH);
	if (i != 0)
		s.flags &= (uint16_t)~TCPIP_TCP_CWR;
	return build(want, &s);
}

static void check_all_segments(const struct spec *s, uint16_t gso_size)
{
	struct tcpip_vnet_hdr vh = vnet(s, gso_size);
	struct tcpip_gso gso;
	size_t len = build(super, s), total = 0;
	uint32_t n = s->payload_len <= gso_size ? 1 : (s->payload_len - 1) / gso_size + 1;

	vh.hdr_len = (uint16_t)len; /* as the kernel's forward path has it: not to be trusted */
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, s->l2_len), TCPIP_OK);
	assert_int_equal(gso.n_segs, n);
	assert_int_equal(gso.header_len, s->l2_len + ip_header(s) + l4_header(s));
	for (uint32_t i = 0; i < n; i++) {
		size_t want_len = expected(s, i, n, gso_size);

		assert_int_equal(tcpip_gso_segment_len(&gso, i), want_len);
		assert_int_equal(tcpip_gso_segment(&gso, i, segment, want_len - 1), 0);
		segment[want_len] = 0xa5;
		assert_int_equal(tcpip_gso_segment(&gso, i, segment, want_len), want_len);
		assert_memory_equal(segment, want, want_len);
		assert_int_equal(segment[want_len], 0xa5);
		total += want_len;
	}
	assert_int_equal(total, gso.total_len);
	assert_int_equal(tcpip_gso_segment(&gso, n, segment, sizeof(segment)), 0);
}

static const struct spec kinds[] = {
	{.protocol = 6, .flags = 0x10},
	{.protocol = 6, .flags = 0x19, .tcp_options = 12, .id = 0xfffe, .seq = 0xfffffff0},
	{.protocol = 6, .flags = 0xd8, .tcp_options = 40, .ip_options = 40, .no_df = true},
	{.family = 6, .protocol = 6, .flags = 0x18, .tcp_options = 12, .flow_label = 0x12345},
	{.protocol = 17, .id = 65530},
	{.family = 6, .protocol = 17, .tos = 3},
};

static void segments_equal_packets_built_alone(void **state)
{
	static const uint16_t sizes[] = {1, 7, 63, 64, 536, 1368, 1448, 8000, 65000};
	static const uint32_t payloads[] = {1, 2, 64, 1368, 1369, 2736, 9001};

	(void)state;
	for (size_t k = 0; k < N_OF(kinds); k++) {
		for (size_t a = 0; a < N_OF(sizes); a++) {
			for (size_t b = 0; b < N_OF(payloads); b++) {
				struct spec s = kinds[k];

				s.payload_len = payloads[b];
				s.payload_seed = (uint32_t)(a * 1000 + b);
				check_all_segments(&s, sizes[a]);
			}
		}
	}
}

static void segments_of_the_largest_packets_are_right(void **state)
{
	(void)state;
	for (size_t k = 0; k < N_OF(kinds); k++) {
		struct spec s = kinds[k];

		s.payload_len = (uint32_t)(65535 - ip_header(&s) - l4_header(&s));
		check_all_segments(&s, 1368);
		check_all_segments(&s, 33);
	}
}

static void segments_keep_the_link_header(void **state)
{
	(void)state;
	for (size_t k = 0; k < N_OF(kinds); k++) {
		struct spec s = kinds[k];

		s.l2_len = 14;
		s.payload_len = 4000;
		check_all_segments(&s, 1300);
	}
}

static void segments_keep_vlan_tags(void **state)
{
	struct spec s = {.protocol = 6, .flags = 0x10, .payload_len = 3000};
	size_t len = build(super + 22, &s);
	struct tcpip_vnet_hdr vh = vnet(&s, 1000);
	struct tcpip_gso gso;

	(void)state;
	memset(super, 0x5a, 22);
	for (uint32_t l2 = 18; l2 <= 22; l2 += 4) {
		vh.csum_start = (uint16_t)(l2 + 20);
		assert_int_equal(tcpip_gso_plan(&gso, &vh, super + 22 - l2, len + l2, l2),
				 TCPIP_OK);
		assert_int_equal(gso.n_segs, 3);
		assert_int_equal(tcpip_gso_segment(&gso, 2, segment, sizeof(segment)),
				 l2 + 40 + 1000);
		assert_int_equal(segment[l2 - 1], 0x5a);
		assert_true(checksums_right(segment + l2, 1040));
	}
}

static void segments_keep_ipv6_extension_headers(void **state)
{
	struct spec s = {.family = 6, .protocol = 6, .flags = 0x10, .payload_len = 2500};
	size_t len = build(super, &s);
	struct tcpip_vnet_hdr vh = vnet(&s, 1000);
	struct tcpip_gso gso;
	struct tcpip_packet p;

	(void)state;
	memmove(super + 48, super + 40, len - 40);
	memset(super + 40, 0, 8);
	super[40] = 6;
	super[42] = 1; /* PadN */
	super[43] = 4;
	super[6] = TCPIP_IPPROTO_DSTOPTS;
	tcpip_store_be16(super + 4, (uint16_t)(len - 32));
	vh.csum_start = 48;
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len + 8, 0), TCPIP_OK);
	for (uint32_t i = 0; i < 3; i++) {
		size_t n = tcpip_gso_segment(&gso, i, segment, sizeof(segment));

		assert_int_equal(tcpip_packet_parse(segment, n, &p), TCPIP_OK);
		assert_int_equal(p.l4_offset, 48);
		assert_int_equal(p.total_len, n);
		assert_int_equal(tcpip_l4_checksum_ok(segment, n), 1);
	}
}

/* BIG TCP: a length field of 0 and more bytes than it could say. */
static void length_field_of_zero_means_all_data(void **state)
{
	struct spec s = {.family = 6, .protocol = 6, .flags = 0x10, .payload_len = 5000};
	size_t len = build(super, &s);
	struct tcpip_vnet_hdr vh = vnet(&s, 1400);
	struct tcpip_gso gso;

	(void)state;
	tcpip_ipv6_set_payload_len(super, 0);
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, 0), TCPIP_OK);
	assert_int_equal(gso.n_segs, 4);
	s.family = 4;
	len = build(super, &s);
	vh = vnet(&s, 1400);
	tcpip_ipv4_set_total_len(super, 0);
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, 0), TCPIP_OK);
	assert_int_equal(gso.payload_len, 5000);
}

static void padding_behind_the_packet_is_no_payload(void **state)
{
	struct spec s = {.protocol = 6, .flags = 0x10, .payload_len = 2000};
	size_t len = build(super, &s);
	struct tcpip_vnet_hdr vh = vnet(&s, 1400);
	struct tcpip_gso gso;

	(void)state;
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len + 20, 0), TCPIP_OK);
	assert_int_equal(gso.payload_len, 2000);
}

static void more_than_128_segments_are_no_error(void **state)
{
	struct spec s = {.protocol = 6, .flags = 0x10, .payload_len = 60000};
	size_t len = build(super, &s);
	struct tcpip_vnet_hdr vh = vnet(&s, 88);
	struct tcpip_gso gso;

	(void)state;
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, 0), TCPIP_OK);
	assert_int_equal(gso.n_segs, 682);
}

static int plan(const struct spec *s, const struct tcpip_vnet_hdr *vh)
{
	struct tcpip_gso gso;
	size_t len = build(super, s);

	return tcpip_gso_plan(&gso, vh, super, len, s->l2_len);
}

static const struct spec tcp4 = {.protocol = 6, .flags = 0x10, .payload_len = 3000};
static const struct spec udp4 = {.protocol = 17, .payload_len = 3000};

static void refuses_a_segment_size_of_zero(void **state)
{
	struct tcpip_vnet_hdr vh = vnet(&tcp4, 0);

	(void)state;
	assert_int_equal(plan(&tcp4, &vh), TCPIP_EGSOSIZE);
}

static void refuses_segments_that_no_ip_header_can_describe(void **state)
{
	struct spec s = {.family = 6, .protocol = 6, .flags = 0x10, .payload_len = 10};
	static uint8_t big[80000];
	struct tcpip_vnet_hdr vh = vnet(&s, 65535);
	struct tcpip_gso gso;

	(void)state;
	build(big, &s);
	tcpip_ipv6_set_payload_len(big, 0);
	assert_int_equal(tcpip_gso_plan(&gso, &vh, big, sizeof(big), 0), TCPIP_EGSOSIZE);
	vh.gso_size = 65515;
	assert_int_equal(tcpip_gso_plan(&gso, &vh, big, sizeof(big), 0), TCPIP_OK);
}

static void refuses_types_that_do_not_fit_the_packet(void **state)
{
	struct tcpip_vnet_hdr vh = vnet(&tcp4, 1000);
	static const uint8_t bad[] = {0, 2, 3, 4, 5, 6, 0x7f, 0x80, 0x84, 0x85, 0xff};

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		vh.gso_type = bad[i];
		assert_int_equal(plan(&tcp4, &vh), TCPIP_EGSOTYPE);
	}
	vh = vnet(&udp4, 1000);
	vh.gso_type |= TCPIP_VNET_GSO_ECN;
	assert_int_equal(plan(&udp4, &vh), TCPIP_EGSOTYPE);
}

static void takes_the_ecn_bit_with_tcp(void **state)
{
	struct tcpip_vnet_hdr vh = vnet(&tcp4, 1000);

	(void)state;
	vh.gso_type |= TCPIP_VNET_GSO_ECN;
	assert_int_equal(plan(&tcp4, &vh), TCPIP_OK);
}

static void refuses_a_checksum_in_another_place(void **state)
{
	struct tcpip_vnet_hdr vh = vnet(&tcp4, 1000);

	(void)state;
	vh.csum_start = 24;
	assert_int_equal(plan(&tcp4, &vh), TCPIP_ECSUM);
	vh.csum_start = 65535;
	assert_int_equal(plan(&tcp4, &vh), TCPIP_ECSUM);
	vh = vnet(&tcp4, 1000);
	vh.csum_offset = 6;
	assert_int_equal(plan(&tcp4, &vh), TCPIP_ECSUM);
	vh.flags = 0; /* then the fields mean nothing */
	assert_int_equal(plan(&tcp4, &vh), TCPIP_OK);
}

static void refuses_fragments(void **state)
{
	struct tcpip_vnet_hdr vh = vnet(&udp4, 1000);
	struct tcpip_gso gso;
	size_t len = build(super, &udp4);

	(void)state;
	tcpip_ipv4_set_fragment(super, false, true, 0);
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, 0), TCPIP_EFRAGMENT);
	tcpip_ipv4_set_fragment(super, false, false, 8);
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, 0), TCPIP_EFRAGMENT);
}

static void refuses_ipv6_fragments(void **state)
{
	struct spec s = {.family = 6, .protocol = 17, .payload_len = 2500};
	struct tcpip_vnet_hdr vh = vnet(&s, 1000);
	struct tcpip_gso gso;
	size_t len = build(super, &s);

	(void)state;
	memmove(super + 48, super + 40, len - 40);
	memset(super + 40, 0, 8);
	super[40] = 17;
	super[43] = 1; /* more fragments */
	super[6] = TCPIP_IPPROTO_FRAGMENT;
	tcpip_store_be16(super + 4, (uint16_t)(len - 32));
	vh.csum_start = 48;
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len + 8, 0), TCPIP_EFRAGMENT);
}

static void refuses_bad_header_lengths(void **state)
{
	struct tcpip_vnet_hdr vh = vnet(&tcp4, 1000);
	struct tcpip_gso gso;
	size_t len = build(super, &tcp4);

	(void)state;
	super[32] = 0x40;
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, 0), TCPIP_EHEADER);
	super[32] = 0xf0;
	tcpip_ipv4_set_total_len(super, 79);
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, 0), TCPIP_ESHORT);
	tcpip_ipv4_set_total_len(super, (uint16_t)(len + 1));
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, 0), TCPIP_ESHORT);
	tcpip_ipv4_set_total_len(super, 19);
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, 0), TCPIP_ELENGTH);
	super[0] = 0x44;
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, 0), TCPIP_EHEADER);
	super[0] = 0x55;
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, 0), TCPIP_EVERSION);
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, len, 15), TCPIP_ERANGE);
	assert_int_equal(tcpip_gso_plan(&gso, &vh, super, 14, 14), TCPIP_ESHORT);
}

static void refuses_every_truncation_within_the_headers(void **state)
{
	(void)state;
	for (size_t k = 0; k < N_OF(kinds); k++) {
		struct spec s = kinds[k];
		struct tcpip_vnet_hdr vh = vnet(&s, 1000);
		size_t headers = ip_header(&s) + l4_header(&s);

		s.payload_len = 3000;
		build(super, &s);
		for (size_t len = 0; len < headers; len++) {
			uint8_t *copy = exact_copy(super, len);
			struct tcpip_gso gso;

			/* Also with a length field that agrees with the truncation. */
			assert_true(tcpip_gso_plan(&gso, &vh, copy, len, 0) < 0);
			if (len >= 6)
				tcpip_store_be16(copy + (s.family == 6 ? 4 : 2), 0);
			assert_true(tcpip_gso_plan(&gso, &vh, copy, len, 0) < 0);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_equal_packets_built_alone),
		cmocka_unit_test(segments_of_the_largest_packets_are_right),
		cmocka_unit_test(segments_keep_the_link_header),
		cmocka_unit_test(segments_keep_vlan_tags),
		cmocka_unit_test(segments_keep_ipv6_extension_headers),
		cmocka_unit_test(length_field_of_zero_means_all_data),
		cmocka_unit_test(padding_behind_the_packet_is_no_payload),
		cmocka_unit_test(more_than_128_segments_are_no_error),
		cmocka_unit_test(refuses_a_segment_size_of_zero),
		cmocka_unit_test(refuses_segments_that_no_ip_header_can_describe),
		cmocka_unit_test(refuses_types_that_do_not_fit_the_packet),
		cmocka_unit_test(takes_the_ecn_bit_with_tcp),
		cmocka_unit_test(refuses_a_checksum_in_another_place),
		cmocka_unit_test(refuses_fragments),
		cmocka_unit_test(refuses_ipv6_fragments),
		cmocka_unit_test(refuses_bad_header_lengths),
		cmocka_unit_test(refuses_every_truncation_within_the_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
