/* SPDX-License-Identifier: BSD-2-Clause */
/* test_builder: the packets that the builders make are what they say, to the packet toolkit. */
#include "puppet.h"

#include <string.h>
#include <vpncore/tcpip.h>

static const struct testhost_flow v4 = {.src = "192.0.2.1",
					.dst = "198.51.100.2",
					.src_port = 1000,
					.dst_port = 2000,
					.seq = 77,
					.echo_id = 5,
					.echo_seq = 6,
					.tos = 0x2e << 2};
static const struct testhost_flow v6 = {.src = "2001:db8::1",
					.dst = "2001:db8::2",
					.src_port = 1000,
					.dst_port = 2000,
					.seq = 77,
					.echo_id = 5,
					.echo_seq = 6,
					.ttl = 9};

typedef uint32_t (*build_fn)(uint8_t *out, uint32_t cap, const struct testhost_flow *f,
			     const void *payload, uint32_t len);

static void check(build_fn build, const struct testhost_flow *f, uint8_t protocol)
{
	uint8_t packet[2048], payload[1400];
	struct tcpip_packet view;
	for (uint32_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	for (uint32_t len = 0; len <= sizeof(payload); len += 175) {
		uint32_t n = build(packet, sizeof(packet), f, payload, len);
		assert_int_not_equal(n, 0);
		assert_int_equal(tcpip_packet_parse(packet, n, &view), TCPIP_OK);
		assert_int_equal(view.total_len, n);
		assert_int_equal(view.protocol, protocol);
		assert_int_equal(view.payload_offset + len, n);
		TESTHOST_SAME_BYTES(packet + view.payload_offset, len, payload, len);
		assert_int_equal(tcpip_l4_checksum_ok(packet, n), 1);
		assert_int_equal(build(packet, n - 1, f, payload, len), 0);
	}
}

static void udp_packets_are_right(void **state)
{
	(void)state;
	check(testhost_build_udp, &v4, TCPIP_IPPROTO_UDP);
	check(testhost_build_udp, &v6, TCPIP_IPPROTO_UDP);
}

static void tcp_packets_are_right(void **state)
{
	(void)state;
	check(testhost_build_tcp, &v4, TCPIP_IPPROTO_TCP);
	check(testhost_build_tcp, &v6, TCPIP_IPPROTO_TCP);
}

static void echo_requests_are_right(void **state)
{
	(void)state;
	check(testhost_build_echo, &v4, TCPIP_IPPROTO_ICMP);
	check(testhost_build_echo, &v6, TCPIP_IPPROTO_ICMPV6);
}

static void fields_are_those_of_the_flow(void **state)
{
	(void)state;
	uint8_t packet[256];
	struct tcpip_ipv4 ip;
	struct tcpip_tcp tcp;
	uint32_t n = testhost_build_tcp(packet, sizeof(packet), &v4, "x", 1);
	assert_int_equal(tcpip_ipv4_parse(packet, n, &ip), TCPIP_OK);
	assert_true(tcpip_ipv4_checksum_ok(&ip));
	assert_int_equal(ip.dscp, 0x2e);
	assert_int_equal(ip.ttl, 64);
	assert_int_equal(tcpip_tcp_parse(ip.payload, ip.payload_len, &tcp), TCPIP_OK);
	assert_int_equal(tcp.src_port, 1000);
	assert_int_equal(tcp.dst_port, 2000);
	assert_int_equal(tcp.seq, 77);
	assert_int_equal(tcp.flags, TCPIP_TCP_ACK);
}

static void refuses_addresses_that_do_not_fit(void **state)
{
	(void)state;
	uint8_t packet[256];
	const struct testhost_flow mixed = {.src = "192.0.2.1", .dst = "2001:db8::2"};
	const struct testhost_flow no_text = {.src = "here", .dst = "there"};
	assert_int_equal(testhost_build_udp(packet, sizeof(packet), &mixed, "x", 1), 0);
	assert_int_equal(testhost_build_udp(packet, sizeof(packet), &no_text, "x", 1), 0);
}

static void frames_carry_their_payload(void **state)
{
	(void)state;
	uint8_t frame[64];
	const uint8_t dst[6] = {2, 0, 0, 0, 0, 1}, src[6] = {2, 0, 0, 0, 0, 2};
	struct tcpip_eth eth;
	uint32_t n = testhost_build_frame(frame, sizeof(frame), dst, src, 0, TCPIP_ETHERTYPE_IPV4,
					  "abc", 3);
	assert_int_equal(n, 17);
	assert_int_equal(tcpip_eth_parse(frame, n, &eth), TCPIP_OK);
	assert_int_equal(eth.ethertype, TCPIP_ETHERTYPE_IPV4);
	assert_memory_equal(eth.dst, dst, 6);
	n = testhost_build_frame(frame, sizeof(frame), dst, src, 7, TCPIP_ETHERTYPE_IPV6, "abc", 3);
	assert_int_equal(tcpip_eth_parse(frame, n, &eth), TCPIP_OK);
	assert_int_equal(eth.n_tags, 1);
	assert_int_equal(tcpip_vlan_id(eth.tci[0]), 7);
	assert_int_equal(eth.ethertype, TCPIP_ETHERTYPE_IPV6);
	assert_memory_equal(eth.payload, "abc", 3);
	assert_int_equal(testhost_build_frame(frame, n - 1, dst, src, 7, 0x800, "abc", 3), 0);
}

static void endpoints_are_read(void **state)
{
	(void)state;
	const uint8_t addr[4] = {192, 0, 2, 1};
	struct vpn_endpoint e = testhost_endpoint("192.0.2.1:7");
	assert_int_equal(e.family, VPN_AF_INET);
	assert_int_equal(e.port, 7);
	assert_memory_equal(e.addr, addr, 4);
	e = testhost_endpoint("[::1]:65535");
	assert_int_equal(e.family, VPN_AF_INET6);
	assert_int_equal(e.port, 65535);
	assert_int_equal(e.addr[15], 1);
}

static void reports_endpoints_that_it_cannot_read(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",       ":",    "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:7x",
		"[::1:7", "[]:7", "host:7"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		testhost_endpoint(bad[i]);
		expect_report("no address with a port");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(udp_packets_are_right),
		TEST(tcp_packets_are_right),
		TEST(echo_requests_are_right),
		TEST(fields_are_those_of_the_flow),
		TEST(refuses_addresses_that_do_not_fit),
		TEST(frames_carry_their_payload),
		TEST(endpoints_are_read),
		TEST(reports_endpoints_that_it_cannot_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
