/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4, IPv6, extension headers, options, whole packets, header writers. */
#include "support.h"

static void ip_version_is_that_of_the_nibble(void **state)
{
	uint8_t b = 0x45;

	(void)state;
	assert_int_equal(tcpip_ip_version(&b, 1), 4);
	b = 0x60;
	assert_int_equal(tcpip_ip_version(&b, 1), 6);
	b = 0x50;
	assert_int_equal(tcpip_ip_version(&b, 1), 0);
	assert_int_equal(tcpip_ip_version(&b, 0), 0);
}

static void reads_every_ipv4_field(void **state)
{
	struct spec s = {.protocol = 6,
			 .flags = 0x10,
			 .payload_len = 7,
			 .ttl = 33,
			 .tos = 0xb9,
			 .id = 0xbeef,
			 .ip_options = 8};
	struct tcpip_ipv4 ip;
	uint8_t buf[128];
	size_t len = build(buf, &s);

	(void)state;
	assert_int_equal(tcpip_ipv4_parse(buf, len + 3, &ip), TCPIP_OK);
	assert_int_equal(ip.header_len, 28);
	assert_int_equal(ip.options_len, 8);
	assert_ptr_equal(ip.options, buf + 20);
	assert_int_equal(ip.dscp, 46);
	assert_int_equal(ip.ecn, 1);
	assert_int_equal(ip.total_len, len);
	assert_int_equal(ip.payload_len, len - 28);
	assert_int_equal(ip.id, 0xbeef);
	assert_true(ip.dont_fragment && !ip.more_fragments && !ip.reserved_bit);
	assert_int_equal(ip.frag_offset, 0);
	assert_int_equal(ip.ttl, 33);
	assert_int_equal(ip.protocol, 6);
	assert_memory_equal(ip.src, ((uint8_t[]){10, 78, 0, 1}), 4);
	assert_memory_equal(ip.dst, ((uint8_t[]){10, 78, 0, 2}), 4);
	assert_true(tcpip_ipv4_checksum_ok(&ip));
	assert_false(tcpip_ipv4_is_fragment(&ip));
	buf[8]--;
	assert_false(tcpip_ipv4_checksum_ok(&ip));
}

static void ipv4_setters_write_what_the_parser_reads(void **state)
{
	uint8_t buf[64] = {0x45, 0, 0, 64};
	struct tcpip_ipv4 ip;

	(void)state;
	tcpip_ipv4_set_dscp(buf, 46);
	tcpip_ipv4_set_ecn(buf, 3);
	tcpip_ipv4_set_total_len(buf, 60);
	tcpip_ipv4_set_id(buf, 0x1234);
	tcpip_ipv4_set_fragment(buf, false, true, 1480);
	tcpip_ipv4_set_ttl(buf, 9);
	tcpip_ipv4_set_protocol(buf, 89);
	tcpip_ipv4_set_src(buf, (const uint8_t[4]){1, 2, 3, 4});
	tcpip_ipv4_set_dst(buf, (const uint8_t[4]){5, 6, 7, 8});
	tcpip_ipv4_reset_checksum(buf);
	assert_int_equal(tcpip_ipv4_parse(buf, 64, &ip), TCPIP_OK);
	assert_int_equal(ip.dscp, 46);
	assert_int_equal(ip.ecn, 3);
	assert_int_equal(ip.total_len, 60);
	assert_int_equal(ip.id, 0x1234);
	assert_true(ip.more_fragments && !ip.dont_fragment);
	assert_int_equal(ip.frag_offset, 1480);
	assert_true(tcpip_ipv4_is_fragment(&ip));
	assert_int_equal(ip.ttl, 9);
	assert_int_equal(ip.protocol, 89);
	assert_int_equal(ip.src[3], 4);
	assert_int_equal(ip.dst[3], 8);
	assert_true(tcpip_ipv4_checksum_ok(&ip));
	tcpip_ipv4_set_checksum(buf, 0x0102);
	assert_int_equal(tcpip_load_be16(buf + 10), 0x0102);
}

static void refuses_bad_ipv4_lengths(void **state)
{
	struct spec s = {.protocol = 17, .payload_len = 12};
	struct tcpip_ipv4 ip;
	uint8_t buf[64];
	size_t len = build(buf, &s);

	(void)state;
	buf[0] = 0x44;
	assert_int_equal(tcpip_ipv4_parse(buf, len, &ip), TCPIP_EHEADER);
	buf[0] = 0x4f;
	assert_int_equal(tcpip_ipv4_parse(buf, len, &ip), TCPIP_ELENGTH);
	buf[0] = 0x65;
	assert_int_equal(tcpip_ipv4_parse(buf, len, &ip), TCPIP_EVERSION);
	assert_int_equal(tcpip_ipv4_parse(buf, 3, &ip), TCPIP_EVERSION);
	buf[0] = 0x45;
	tcpip_store_be16(buf + 2, 19);
	assert_int_equal(tcpip_ipv4_parse(buf, len, &ip), TCPIP_ELENGTH);
	tcpip_store_be16(buf + 2, (uint16_t)(len + 1));
	assert_int_equal(tcpip_ipv4_parse(buf, len, &ip), TCPIP_ESHORT);
	assert_int_equal(tcpip_ipv4_parse(buf, 0, &ip), TCPIP_ESHORT);
}

static void reads_options_to_their_end(void **state)
{
	static const uint8_t options[] = {1, 2, 4, 0x05, 0xb4, 3, 3, 7, 0, 99, 99};
	struct tcpip_option_iter it;
	struct tcpip_option o;

	(void)state;
	tcpip_option_iter_init(&it, options, sizeof(options));
	assert_int_equal(tcpip_option_next(&it, &o), 1);
	assert_int_equal(o.kind, TCPIP_TCP_OPT_NOP);
	assert_int_equal(tcpip_option_next(&it, &o), 1);
	assert_int_equal(o.kind, TCPIP_TCP_OPT_MSS);
	assert_int_equal(o.len, 2);
	assert_int_equal(tcpip_load_be16(o.data), 1460);
	assert_int_equal(tcpip_option_next(&it, &o), 1);
	assert_int_equal(o.kind, TCPIP_TCP_OPT_WSCALE);
	assert_int_equal(o.data[0], 7);
	assert_int_equal(tcpip_option_next(&it, &o), 0);
	assert_int_equal(tcpip_option_next(&it, &o), 0);
}

static void refuses_malformed_options(void **state)
{
	static const uint8_t bad[][4] = {{2}, {2, 0}, {2, 1}, {2, 5, 0, 0}};
	static const size_t len[] = {1, 4, 4, 4};
	struct tcpip_option_iter it;
	struct tcpip_option o;

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		uint8_t *copy = exact_copy(bad[i], len[i]);

		tcpip_option_iter_init(&it, copy, len[i]);
		assert_int_equal(tcpip_option_next(&it, &o), TCPIP_EOPTION);
		free(copy);
	}
}

static void reads_every_ipv6_field(void **state)
{
	struct spec s = {.family = 6,
			 .protocol = 17,
			 .payload_len = 5,
			 .ttl = 7,
			 .tos = 0xb9,
			 .flow_label = 0xabcde};
	struct tcpip_ipv6 ip;
	uint8_t buf[128];
	size_t len = build(buf, &s);

	(void)state;
	assert_int_equal(tcpip_ipv6_parse(buf, len + 9, &ip), TCPIP_OK);
	assert_int_equal(ip.dscp, 46);
	assert_int_equal(ip.ecn, 1);
	assert_int_equal(ip.flow_label, 0xabcde);
	assert_int_equal(ip.payload_len, 13);
	assert_int_equal(ip.next_header, 17);
	assert_int_equal(ip.hop_limit, 7);
	assert_ptr_equal(ip.src, buf + 8);
	assert_ptr_equal(ip.dst, buf + 24);
	assert_ptr_equal(ip.payload, buf + 40);
	assert_int_equal(tcpip_ipv6_parse(buf, len - 1, &ip), TCPIP_ESHORT);
	buf[0] = 0x45;
	assert_int_equal(tcpip_ipv6_parse(buf, len, &ip), TCPIP_EVERSION);
}

static void ipv6_setters_write_what_the_parser_reads(void **state)
{
	uint8_t buf[40] = {0x60}, addr[16];
	struct tcpip_ipv6 ip;

	(void)state;
	memset(addr, 0x77, sizeof(addr));
	tcpip_ipv6_set_flow_label(buf, 0xfedcb);
	tcpip_ipv6_set_traffic_class(buf, 63, 2);
	tcpip_ipv6_set_payload_len(buf, 0);
	tcpip_ipv6_set_next_header(buf, 59);
	tcpip_ipv6_set_hop_limit(buf, 255);
	tcpip_ipv6_set_src(buf, addr);
	addr[0] = 1;
	tcpip_ipv6_set_dst(buf, addr);
	assert_int_equal(tcpip_ipv6_parse(buf, 40, &ip), TCPIP_OK);
	assert_int_equal(ip.flow_label, 0xfedcb);
	assert_int_equal(ip.dscp, 63);
	assert_int_equal(ip.ecn, 2);
	assert_int_equal(ip.next_header, 59);
	assert_int_equal(ip.hop_limit, 255);
	assert_int_equal(ip.src[0], 0x77);
	assert_int_equal(ip.dst[0], 1);
}

static void refuses_a_jumbogram(void **state)
{
	uint8_t buf[64] = {0x60, 0, 0, 0, 0, 0, 0, 64};
	struct tcpip_ipv6 ip;

	(void)state;
	assert_int_equal(tcpip_ipv6_parse(buf, sizeof(buf), &ip), TCPIP_ELENGTH);
}

/* IPv6 with hop-by-hop, destination options, routing, AH and UDP with `payload` bytes. */
static size_t build_chain(uint8_t *buf, size_t payload)
{
	size_t chain = 8 + 16 + 8 + 12, len = 40 + chain + 8 + payload;
	uint8_t *h = buf + 40;

	memset(buf, 0, len);
	buf[0] = 0x60;
	tcpip_store_be16(buf + 4, (uint16_t)(len - 40));
	buf[6] = TCPIP_IPPROTO_HOPOPT;
	h[0] = TCPIP_IPPROTO_DSTOPTS; /* hop-by-hop: router alert, PadN */
	h[2] = 5;
	h[3] = 2;
	h[6] = 1;
	h += 8;
	h[0] = TCPIP_IPPROTO_ROUTING; /* destination options: 2 units, PadN of 12 */
	h[1] = 1;
	h[2] = 1;
	h[3] = 12;
	h += 16;
	h[0] = TCPIP_IPPROTO_AH;
	h += 8;
	h[0] = TCPIP_IPPROTO_UDP; /* AH: (1 + 2) * 4 bytes */
	h[1] = 1;
	h += 12;
	tcpip_udp_write(h, 53, 5353, (uint16_t)payload);
	return len;
}

static void walks_extension_headers(void **state)
{
	static const uint8_t types[] = {0, 60, 43, 51};
	static const size_t lens[] = {8, 16, 8, 12};
	uint8_t buf[256];
	size_t len = build_chain(buf, 10), i = 0;
	struct tcpip_ipv6 ip;
	struct tcpip_ipv6_walk walk;
	struct tcpip_ipv6_ext ext;

	(void)state;
	assert_int_equal(tcpip_ipv6_parse(buf, len, &ip), TCPIP_OK);
	tcpip_ipv6_walk_init(&walk, &ip);
	while (tcpip_ipv6_walk_next(&walk, &ext) == 1) {
		assert_int_equal(ext.type, types[i]);
		assert_int_equal(ext.len, lens[i]);
		i++;
	}
	assert_int_equal(i, 4);
	assert_int_equal(tcpip_ipv6_walk_next(&walk, &ext), 0);
	assert_int_equal(walk.next, TCPIP_IPPROTO_UDP);
	assert_int_equal(walk.offset, 44);
	assert_false(walk.fragmented);
}

static void reads_ipv6_options(void **state)
{
	uint8_t buf[256];
	size_t len = build_chain(buf, 0);
	struct tcpip_ipv6 ip;
	struct tcpip_ipv6_walk walk;
	struct tcpip_ipv6_ext ext;
	struct tcpip_option_iter it;
	struct tcpip_option o;

	(void)state;
	assert_int_equal(tcpip_ipv6_parse(buf, len, &ip), TCPIP_OK);
	tcpip_ipv6_walk_init(&walk, &ip);
	assert_int_equal(tcpip_ipv6_walk_next(&walk, &ext), 1);
	tcpip_ipv6_option_iter_init(&it, &ext);
	assert_int_equal(tcpip_ipv6_option_next(&it, &o), 1);
	assert_int_equal(o.kind, 5);
	assert_int_equal(o.len, 2);
	assert_int_equal(tcpip_ipv6_option_next(&it, &o), 1);
	assert_int_equal(o.kind, 1);
	assert_int_equal(o.len, 0);
	assert_int_equal(tcpip_ipv6_option_next(&it, &o), 0);
	buf[43] = 5; /* now the option runs past the header */
	tcpip_ipv6_option_iter_init(&it, &ext);
	assert_int_equal(tcpip_ipv6_option_next(&it, &o), TCPIP_EOPTION);
}

/* `n` destination options headers in a row, before "no next header". */
static int walk_result(int n, uint8_t first, uint8_t each)
{
	uint8_t buf[40 + 8 * 32] = {0x60};
	struct tcpip_ipv6 ip;
	struct tcpip_ipv6_walk walk;
	struct tcpip_ipv6_ext ext;
	int r;

	tcpip_store_be16(buf + 4, (uint16_t)(8 * n));
	buf[6] = first;
	for (int i = 0; i < n; i++)
		buf[40 + 8 * i] = i == n - 1 ? TCPIP_IPPROTO_NONE : each;
	assert_int_equal(tcpip_ipv6_parse(buf, (size_t)(40 + 8 * n), &ip), TCPIP_OK);
	tcpip_ipv6_walk_init(&walk, &ip);
	do {
		r = tcpip_ipv6_walk_next(&walk, &ext);
	} while (r > 0);
	return r;
}

static void refuses_too_many_extension_headers(void **state)
{
	(void)state;
	assert_int_equal(walk_result(16, 60, 60), 0);
	assert_int_equal(walk_result(17, 60, 60), TCPIP_ECHAIN);
}

static void refuses_hop_by_hop_behind_another_header(void **state)
{
	(void)state;
	assert_int_equal(walk_result(2, 0, 60), 0);
	assert_int_equal(walk_result(3, 60, 0), TCPIP_ECHAIN);
}

static void reads_a_whole_ipv4_packet(void **state)
{
	struct spec s = {.protocol = 6,
			 .flags = 0x18,
			 .payload_len = 50,
			 .tcp_options = 12,
			 .ip_options = 4,
			 .sport = 443,
			 .dport = 60000};
	struct tcpip_packet p;
	uint8_t buf[256];
	size_t len = build(buf, &s);

	(void)state;
	assert_int_equal(tcpip_packet_parse(buf, len + 10, &p), TCPIP_OK);
	assert_int_equal(p.family, 4);
	assert_int_equal(p.addr_len, 4);
	assert_int_equal(p.protocol, 6);
	assert_int_equal(p.total_len, len);
	assert_int_equal(p.l4_offset, 24);
	assert_int_equal(p.payload_offset, 56);
	assert_int_equal(p.src_port, 443);
	assert_int_equal(p.dst_port, 60000);
	assert_int_equal(p.flags, 0);
}

static void reads_a_whole_ipv6_packet_behind_extension_headers(void **state)
{
	struct tcpip_packet p;
	uint8_t buf[256];
	size_t len = build_chain(buf, 10);

	(void)state;
	assert_int_equal(tcpip_packet_parse(buf, len, &p), TCPIP_OK);
	assert_int_equal(p.family, 6);
	assert_int_equal(p.addr_len, 16);
	assert_int_equal(p.protocol, TCPIP_IPPROTO_UDP);
	assert_int_equal(p.l4_offset, 84);
	assert_int_equal(p.payload_offset, 92);
	assert_int_equal(p.dst_port, 5353);
}

static void tells_first_and_later_ipv4_fragments(void **state)
{
	struct spec s = {.protocol = 17, .payload_len = 64, .id = 77};
	struct tcpip_packet p;
	uint8_t buf[128];
	size_t len = build(buf, &s);

	(void)state;
	tcpip_store_be16(buf + 24, 4000); /* the datagram is longer than its first fragment */
	tcpip_ipv4_set_fragment(buf, false, true, 0);
	assert_int_equal(tcpip_packet_parse(buf, len, &p), TCPIP_OK);
	assert_int_equal(p.flags, TCPIP_PACKET_FRAGMENT | TCPIP_PACKET_MORE_FRAGMENTS);
	assert_int_equal(p.dst_port, 5000);
	assert_int_equal(p.frag_id, 77);
	tcpip_ipv4_set_fragment(buf, false, false, 1480);
	assert_int_equal(tcpip_packet_parse(buf, len, &p), TCPIP_OK);
	assert_int_equal(p.flags, TCPIP_PACKET_FRAGMENT | TCPIP_PACKET_LATER_FRAGMENT);
	assert_int_equal(p.frag_offset, 1480);
	assert_int_equal(p.dst_port, 0);
	assert_int_equal(p.payload_offset, p.l4_offset);
	tcpip_ipv4_set_fragment(buf, true, false, 0);
	assert_int_equal(tcpip_packet_parse(buf, len, &p), TCPIP_ESHORT);
}

static void tells_ipv6_fragments_from_atomic_ones(void **state)
{
	uint8_t buf[64] = {0x60, 0, 0, 0, 0, 24, TCPIP_IPPROTO_FRAGMENT, 64};
	uint8_t *frag = buf + 40;
	struct tcpip_packet p;

	(void)state;
	frag[0] = TCPIP_IPPROTO_UDP;
	tcpip_store_be32(frag + 4, 0x01020304);
	tcpip_udp_write(frag + 8, 1, 2, 8);
	assert_int_equal(tcpip_packet_parse(buf, 64, &p), TCPIP_OK);
	assert_int_equal(p.flags, 0);
	assert_int_equal(p.dst_port, 2);
	frag[3] = 1;
	assert_int_equal(tcpip_packet_parse(buf, 64, &p), TCPIP_OK);
	assert_int_equal(p.flags, TCPIP_PACKET_FRAGMENT | TCPIP_PACKET_MORE_FRAGMENTS);
	assert_int_equal(p.frag_id, 0x01020304);
	/* What follows a later fragment is no header, whatever its next-header byte says. */
	frag[0] = TCPIP_IPPROTO_DSTOPTS;
	tcpip_store_be16(frag + 2, 1280);
	memset(frag + 8, 0xff, 16);
	assert_int_equal(tcpip_packet_parse(buf, 64, &p), TCPIP_OK);
	assert_int_equal(p.flags, TCPIP_PACKET_FRAGMENT | TCPIP_PACKET_LATER_FRAGMENT);
	assert_int_equal(p.frag_offset, 1280);
	assert_int_equal(p.l4_offset, 48);
}

static void refuses_a_packet_of_no_version(void **state)
{
	uint8_t buf[64] = {0};
	struct tcpip_packet p;

	(void)state;
	assert_int_equal(tcpip_packet_parse(buf, sizeof(buf), &p), TCPIP_EVERSION);
	assert_int_equal(tcpip_packet_parse(buf, 0, &p), TCPIP_ESHORT);
}

static void written_headers_are_read_back(void **state)
{
	static const uint8_t a4[4] = {192, 0, 2, 1}, b4[4] = {192, 0, 2, 2};
	static const uint8_t a6[16] = {0x20, 1}, b6[16] = {0x20, 2};
	uint8_t buf[64] = {0};
	struct tcpip_ipv4 v4;
	struct tcpip_ipv6 v6;

	(void)state;
	tcpip_ipv4_write(buf, a4, b4, TCPIP_IPPROTO_UDP, 12, 0xc0, 8);
	assert_int_equal(tcpip_ipv4_parse(buf, 28, &v4), TCPIP_OK);
	assert_true(tcpip_ipv4_checksum_ok(&v4));
	assert_memory_equal(v4.src, a4, 4);
	assert_memory_equal(v4.dst, b4, 4);
	assert_int_equal(v4.ttl, 12);
	assert_int_equal(v4.dscp, 48);
	assert_int_equal(v4.payload_len, 8);
	tcpip_ipv6_write(buf, a6, b6, TCPIP_IPPROTO_UDP, 9, 0x42, 8);
	assert_int_equal(tcpip_ipv6_parse(buf, 48, &v6), TCPIP_OK);
	assert_memory_equal(v6.src, a6, 16);
	assert_memory_equal(v6.dst, b6, 16);
	assert_int_equal(v6.hop_limit, 9);
	assert_int_equal(v6.dscp << 2 | v6.ecn, 0x42);
	assert_int_equal(v6.payload_len, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip_version_is_that_of_the_nibble),
		cmocka_unit_test(reads_every_ipv4_field),
		cmocka_unit_test(ipv4_setters_write_what_the_parser_reads),
		cmocka_unit_test(refuses_bad_ipv4_lengths),
		cmocka_unit_test(reads_options_to_their_end),
		cmocka_unit_test(refuses_malformed_options),
		cmocka_unit_test(reads_every_ipv6_field),
		cmocka_unit_test(ipv6_setters_write_what_the_parser_reads),
		cmocka_unit_test(refuses_a_jumbogram),
		cmocka_unit_test(walks_extension_headers),
		cmocka_unit_test(reads_ipv6_options),
		cmocka_unit_test(refuses_too_many_extension_headers),
		cmocka_unit_test(refuses_hop_by_hop_behind_another_header),
		cmocka_unit_test(reads_a_whole_ipv4_packet),
		cmocka_unit_test(reads_a_whole_ipv6_packet_behind_extension_headers),
		cmocka_unit_test(tells_first_and_later_ipv4_fragments),
		cmocka_unit_test(tells_ipv6_fragments_from_atomic_ones),
		cmocka_unit_test(refuses_a_packet_of_no_version),
		cmocka_unit_test(written_headers_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
