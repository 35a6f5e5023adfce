/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP, UDP and ICMP views. */
#include "support.h"

static void reads_every_tcp_field(void **state)
{
	struct spec s = {.protocol = 6,
			 .flags = 0x1d2,
			 .seq = 0xdeadbeef,
			 .ack = 0x01020304,
			 .window = 0xfffe,
			 .tcp_options = 12,
			 .payload_len = 9,
			 .sport = 22,
			 .dport = 50000};
	uint8_t buf[128];
	size_t len = build(buf, &s);
	struct tcpip_tcp tcp;

	(void)state;
	assert_int_equal(tcpip_tcp_parse(buf + 20, len - 20, &tcp), TCPIP_OK);
	assert_int_equal(tcp.src_port, 22);
	assert_int_equal(tcp.dst_port, 50000);
	assert_int_equal(tcp.seq, 0xdeadbeef);
	assert_int_equal(tcp.ack, 0x01020304);
	assert_int_equal(tcp.flags, TCPIP_TCP_AE | TCPIP_TCP_CWR | TCPIP_TCP_ECE | TCPIP_TCP_ACK |
					    TCPIP_TCP_SYN);
	assert_int_equal(tcp.window, 0xfffe);
	assert_int_equal(tcp.header_len, 32);
	assert_int_equal(tcp.options_len, 12);
	assert_int_equal(tcp.payload_len, 9);
	assert_ptr_equal(tcp.payload, buf + 52);
}

static void tcp_setters_write_what_the_parser_reads(void **state)
{
	uint8_t h[20] = {0};
	struct tcpip_tcp tcp;

	(void)state;
	h[12] = 0x50;
	tcpip_tcp_set_src_port(h, 1);
	tcpip_tcp_set_dst_port(h, 65535);
	tcpip_tcp_set_seq(h, 0x80000001);
	tcpip_tcp_set_ack(h, 0xffffffff);
	tcpip_tcp_set_flags(h, TCPIP_TCP_AE | TCPIP_TCP_FIN);
	tcpip_tcp_set_window(h, 4096);
	tcpip_tcp_set_checksum(h, 0xabcd);
	tcpip_tcp_set_urgent(h, 5);
	assert_int_equal(tcpip_tcp_parse(h, 20, &tcp), TCPIP_OK);
	assert_int_equal(tcp.src_port, 1);
	assert_int_equal(tcp.dst_port, 65535);
	assert_int_equal(tcp.seq, 0x80000001);
	assert_int_equal(tcp.ack, 0xffffffff);
	assert_int_equal(tcp.flags, TCPIP_TCP_AE | TCPIP_TCP_FIN);
	assert_int_equal(tcp.window, 4096);
	assert_int_equal(tcp.checksum, 0xabcd);
	assert_int_equal(tcp.urgent, 5);
	assert_int_equal(tcp.payload_len, 0);
}

static void refuses_bad_tcp_offsets(void **state)
{
	uint8_t h[24] = {0};
	struct tcpip_tcp tcp;

	(void)state;
	for (uint8_t offset = 0; offset < 16; offset++) {
		int want = offset < 5 ? TCPIP_EHEADER : offset <= 6 ? TCPIP_OK : TCPIP_ESHORT;

		h[12] = (uint8_t)(offset << 4);
		assert_int_equal(tcpip_tcp_parse(h, sizeof(h), &tcp), want);
	}
	assert_int_equal(tcpip_tcp_parse(h, 19, &tcp), TCPIP_ESHORT);
}

static void reads_and_writes_udp(void **state)
{
	uint8_t h[16] = {0};
	struct tcpip_udp udp;

	(void)state;
	tcpip_udp_write(h, 53, 5353, 4);
	tcpip_udp_set_checksum(h, 0x1234);
	assert_int_equal(tcpip_udp_parse(h, sizeof(h), &udp), TCPIP_OK);
	assert_int_equal(udp.src_port, 53);
	assert_int_equal(udp.dst_port, 5353);
	assert_int_equal(udp.length, 12);
	assert_int_equal(udp.payload_len, 4);
	assert_int_equal(udp.checksum, 0x1234);
	tcpip_udp_set_src_port(h, 7);
	tcpip_udp_set_dst_port(h, 8);
	tcpip_udp_set_length(h, 16);
	assert_int_equal(tcpip_udp_parse(h, sizeof(h), &udp), TCPIP_OK);
	assert_int_equal(udp.src_port, 7);
	assert_int_equal(udp.dst_port, 8);
	assert_int_equal(udp.payload_len, 8);
}

static void refuses_bad_udp_lengths(void **state)
{
	uint8_t h[16] = {0};
	struct tcpip_udp udp;

	(void)state;
	for (uint16_t n = 0; n < 20; n++) {
		int want = n < 8 ? TCPIP_ELENGTH : n <= 16 ? TCPIP_OK : TCPIP_ESHORT;

		tcpip_udp_set_length(h, n);
		assert_int_equal(tcpip_udp_parse(h, sizeof(h), &udp), want);
	}
	assert_int_equal(tcpip_udp_parse(h, 7, &udp), TCPIP_ESHORT);
}

static void reads_and_writes_icmp(void **state)
{
	uint8_t h[12] = {8, 0, 0, 0, 0x12, 0x34, 0, 7, 1, 2, 3, 4};
	struct tcpip_icmp icmp;

	(void)state;
	assert_int_equal(tcpip_icmp_parse(h, sizeof(h), &icmp), TCPIP_OK);
	assert_int_equal(icmp.type, TCPIP_ICMP_ECHO);
	assert_int_equal(tcpip_icmp_echo_id(&icmp), 0x1234);
	assert_int_equal(tcpip_icmp_echo_seq(&icmp), 7);
	assert_int_equal(icmp.payload_len, 4);
	tcpip_icmp_set_type(h, 3);
	tcpip_icmp_set_code(h, 4);
	tcpip_icmp_set_checksum(h, 0xfeed);
	assert_int_equal(tcpip_icmp_parse(h, sizeof(h), &icmp), TCPIP_OK);
	assert_int_equal(icmp.type, 3);
	assert_int_equal(icmp.code, 4);
	assert_int_equal(icmp.checksum, 0xfeed);
	assert_int_equal(tcpip_icmp_parse(h, 7, &icmp), TCPIP_ESHORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_tcp_field),
		cmocka_unit_test(tcp_setters_write_what_the_parser_reads),
		cmocka_unit_test(refuses_bad_tcp_offsets),
		cmocka_unit_test(reads_and_writes_udp),
		cmocka_unit_test(refuses_bad_udp_lengths),
		cmocka_unit_test(reads_and_writes_icmp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
