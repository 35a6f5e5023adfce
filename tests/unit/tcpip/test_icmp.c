/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP errors: what they say, how much they quote, and about what they must not be sent. */
#include "support.h"

static const uint8_t me4[4] = {192, 0, 2, 1};
static const uint8_t me6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const struct spec udp4 = {.protocol = 17, .payload_len = 1200};
static const struct spec udp6 = {.family = 6, .protocol = 17, .payload_len = 1400};
static uint8_t packet[2048], out[2048];

static void check4(int len, uint8_t type, uint8_t code, uint32_t rest, size_t quote)
{
	struct tcpip_ipv4 ip;
	struct tcpip_icmp icmp;

	assert_int_equal(len, 28 + quote);
	assert_int_equal(tcpip_ipv4_parse(out, (size_t)len, &ip), TCPIP_OK);
	assert_int_equal(ip.total_len, len);
	assert_true(tcpip_ipv4_checksum_ok(&ip));
	assert_memory_equal(ip.src, me4, 4);
	assert_memory_equal(ip.dst, packet + 12, 4);
	assert_int_equal(ip.protocol, TCPIP_IPPROTO_ICMP);
	assert_int_equal(naive_checksum(ip.payload, ip.payload_len, 0), 0);
	assert_int_equal(tcpip_icmp_parse(ip.payload, ip.payload_len, &icmp), TCPIP_OK);
	assert_int_equal(icmp.type, type);
	assert_int_equal(icmp.code, code);
	assert_int_equal(icmp.rest, rest);
	assert_int_equal(icmp.payload_len, quote);
	assert_memory_equal(icmp.payload, packet, quote);
}

static void ipv4_errors_quote_up_to_576_bytes(void **state)
{
	size_t len = build(packet, &udp4);

	(void)state;
	check4(tcpip_icmp4_unreachable(out, 576, me4, packet, len, 3), 3, 3, 0, 548);
	check4(tcpip_icmp4_frag_needed(out, 576, me4, packet, len, 1400), 3, 4, 1400, 548);
	check4(tcpip_icmp4_time_exceeded(out, 576, me4, packet, len, 0), 11, 0, 0, 548);
	assert_int_equal(tcpip_icmp4_unreachable(out, 575, me4, packet, len, 3), TCPIP_ESPACE);
}

static void ipv4_errors_quote_small_packets_whole_without_padding(void **state)
{
	struct spec s = {.protocol = 6, .flags = 2};
	size_t len = build(packet, &s);

	(void)state;
	check4(tcpip_icmp4_unreachable(out, 68, me4, packet, len + 50, 1), 3, 1, 0, 40);
}

static void check6(int len, uint8_t type, uint8_t code, uint32_t rest, size_t quote)
{
	struct tcpip_ipv6 ip;
	struct tcpip_icmp icmp;

	assert_int_equal(len, 48 + quote);
	assert_int_equal(tcpip_ipv6_parse(out, (size_t)len, &ip), TCPIP_OK);
	assert_memory_equal(ip.src, me6, 16);
	assert_memory_equal(ip.dst, packet + 8, 16);
	assert_true(checksums_right(out, (size_t)len));
	assert_int_equal(tcpip_icmp_parse(ip.payload, ip.payload_len, &icmp), TCPIP_OK);
	assert_int_equal(icmp.type, type);
	assert_int_equal(icmp.code, code);
	assert_int_equal(icmp.rest, rest);
	assert_int_equal(icmp.payload_len, quote);
	assert_memory_equal(icmp.payload, packet, quote);
}

static void ipv6_errors_quote_up_to_1280_bytes(void **state)
{
	size_t len = build(packet, &udp6);

	(void)state;
	check6(tcpip_icmp6_unreachable(out, 1280, me6, packet, len, 4), 1, 4, 0, 1232);
	check6(tcpip_icmp6_too_big(out, 1280, me6, packet, len, 1380), 2, 0, 1380, 1232);
	check6(tcpip_icmp6_time_exceeded(out, 1280, me6, packet, len, 0), 3, 0, 0, 1232);
	assert_int_equal(tcpip_icmp6_too_big(out, 1279, me6, packet, len, 1380), TCPIP_ESPACE);
}

static int about4(size_t len)
{
	int r = tcpip_icmp4_unreachable(out, sizeof(out), me4, packet, len, 1);

	assert_int_equal(tcpip_icmp4_time_exceeded(out, sizeof(out), me4, packet, len, 0), r);
	return r;
}

static int about6(size_t len)
{
	return tcpip_icmp6_unreachable(out, sizeof(out), me6, packet, len, 1);
}

static void none_about_an_icmp_error(void **state)
{
	struct spec s = {.protocol = 1, .payload_len = 40};
	size_t len = build(packet, &s);
	static const uint8_t errors[] = {3, 4, 5, 11, 12};

	(void)state;
	assert_true(about4(len) > 0);
	for (size_t i = 0; i < N_OF(errors); i++) {
		packet[20] = errors[i];
		assert_int_equal(about4(len), TCPIP_EFORBIDDEN);
	}
	s.family = 6;
	s.protocol = 58;
	len = build(packet, &s);
	packet[40] = 128;
	assert_true(about6(len) > 0);
	for (uint8_t type = 0; type < 128; type++) {
		packet[40] = type;
		assert_int_equal(about6(len), TCPIP_EFORBIDDEN);
	}
	packet[40] = 137;
	assert_int_equal(about6(len), TCPIP_EFORBIDDEN);
}

static void none_about_a_later_fragment(void **state)
{
	size_t len = build(packet, &udp4);

	(void)state;
	tcpip_ipv4_set_fragment(packet, false, true, 0);
	assert_true(about4(len) > 0);
	tcpip_ipv4_set_fragment(packet, false, false, 8);
	assert_int_equal(about4(len), TCPIP_EFORBIDDEN);
}

static void none_to_a_source_that_is_not_one_host(void **state)
{
	static const uint8_t bad4[][4] = {{0, 0, 0, 0},        {0, 1, 2, 3},   {127, 0, 0, 1},
					  {224, 0, 0, 1},      {239, 1, 1, 1}, {240, 0, 0, 1},
					  {255, 255, 255, 255}};
	static const uint8_t bad6[][16] = {{0}, {[15] = 1}, {0xff, 2, [15] = 1}};
	size_t len = build(packet, &udp4);

	(void)state;
	for (size_t i = 0; i < N_OF(bad4); i++) {
		tcpip_ipv4_set_src(packet, bad4[i]);
		assert_int_equal(about4(len), TCPIP_EFORBIDDEN);
	}
	len = build(packet, &udp6);
	for (size_t i = 0; i < N_OF(bad6); i++) {
		tcpip_ipv6_set_src(packet, bad6[i]);
		assert_int_equal(about6(len), TCPIP_EFORBIDDEN);
	}
}

static void none_about_a_packet_to_many(void **state)
{
	static const uint8_t bad4[][4] = {
		{224, 0, 0, 251}, {239, 255, 255, 250}, {255, 255, 255, 255}};
	size_t len = build(packet, &udp4);

	(void)state;
	for (size_t i = 0; i < N_OF(bad4); i++) {
		tcpip_ipv4_set_dst(packet, bad4[i]);
		assert_int_equal(about4(len), TCPIP_EFORBIDDEN);
	}
	len = build(packet, &udp6);
	packet[24] = 0xff;
	assert_int_equal(about6(len), TCPIP_EFORBIDDEN);
	assert_true(tcpip_icmp6_too_big(out, sizeof(out), me6, packet, len, 1280) > 0);
}

static void none_about_the_other_family_or_a_broken_packet(void **state)
{
	size_t len = build(packet, &udp4);

	(void)state;
	assert_int_equal(about6(len), TCPIP_EVERSION);
	assert_int_equal(about4(len - 1), TCPIP_ESHORT);
	len = build(packet, &udp6);
	assert_int_equal(about4(len), TCPIP_EVERSION);
}

static void error_types_are_known(void **state)
{
	(void)state;
	assert_true(tcpip_icmp_is_error(TCPIP_ICMP_UNREACHABLE));
	assert_false(tcpip_icmp_is_error(TCPIP_ICMP_ECHO));
	assert_false(tcpip_icmp_is_error(TCPIP_ICMP_ECHO_REPLY));
	assert_true(tcpip_icmp6_is_error(TCPIP_ICMP6_TOO_BIG));
	assert_false(tcpip_icmp6_is_error(TCPIP_ICMP6_ECHO));
	assert_true(tcpip_icmp6_is_error(TCPIP_ICMP6_REDIRECT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_errors_quote_up_to_576_bytes),
		cmocka_unit_test(ipv4_errors_quote_small_packets_whole_without_padding),
		cmocka_unit_test(ipv6_errors_quote_up_to_1280_bytes),
		cmocka_unit_test(none_about_an_icmp_error),
		cmocka_unit_test(none_about_a_later_fragment),
		cmocka_unit_test(none_to_a_source_that_is_not_one_host),
		cmocka_unit_test(none_about_a_packet_to_many),
		cmocka_unit_test(none_about_the_other_family_or_a_broken_packet),
		cmocka_unit_test(error_types_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
