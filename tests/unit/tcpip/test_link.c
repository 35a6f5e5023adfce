/* SPDX-License-Identifier: BSD-2-Clause */
/* Byte order, Ethernet, VLAN tags, ARP. */
#include "support.h"

static void loads_and_stores_are_big_endian_at_any_alignment(void **state)
{
	uint8_t b[16];

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		memset(b, 0xaa, sizeof(b));
		tcpip_store_be64(b + i, 0x0102030405060708u);
		for (uint8_t k = 0; k < 8; k++)
			assert_int_equal(b[i + k], k + 1);
		assert_true(tcpip_load_be64(b + i) == 0x0102030405060708u);
		assert_int_equal(tcpip_load_be32(b + i), 0x01020304);
		assert_int_equal(tcpip_load_be16(b + i), 0x0102);
		tcpip_store_be32(b + i, 0xfffefdfc);
		assert_int_equal(tcpip_load_be32(b + i), 0xfffefdfc);
		tcpip_store_be16(b + i, 0x8001);
		assert_int_equal(tcpip_load_be16(b + i), 0x8001);
	}
}

static const uint8_t double_tagged[] = {
	0x02, 0,    0,    0,    0, 2, 0x02, 0, 0, 0, 0, 1, /* addresses */
	0x88, 0xa8, 0x20, 0x64,                            /* 802.1ad: priority 1, id 100 */
	0x81, 0x00, 0xb0, 0x0a,                            /* 802.1Q: priority 5, DEI, id 10 */
	0x08, 0x06, 0x55,
};

static void reads_a_plain_frame(void **state)
{
	static const uint8_t frame[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,
					0,    0,    0,    1,    0x86, 0xdd, 9};
	struct tcpip_eth eth;

	(void)state;
	assert_int_equal(tcpip_eth_parse(frame, sizeof(frame), &eth), TCPIP_OK);
	assert_int_equal(eth.ethertype, TCPIP_ETHERTYPE_IPV6);
	assert_int_equal(eth.n_tags, 0);
	assert_int_equal(eth.header_len, 14);
	assert_int_equal(eth.payload_len, 1);
	assert_int_equal(eth.payload[0], 9);
	assert_true(tcpip_mac_is_broadcast(eth.dst));
	assert_false(tcpip_mac_is_broadcast(eth.src));
	assert_false(tcpip_mac_is_multicast(eth.src));
}

static void reads_two_tags(void **state)
{
	struct tcpip_eth eth;

	(void)state;
	assert_int_equal(tcpip_eth_parse(double_tagged, sizeof(double_tagged), &eth), TCPIP_OK);
	assert_int_equal(eth.n_tags, 2);
	assert_int_equal(eth.tpid[0], 0x88a8);
	assert_int_equal(tcpip_vlan_id(eth.tci[0]), 100);
	assert_int_equal(tcpip_vlan_priority(eth.tci[0]), 1);
	assert_int_equal(eth.tpid[1], 0x8100);
	assert_int_equal(tcpip_vlan_id(eth.tci[1]), 10);
	assert_int_equal(tcpip_vlan_priority(eth.tci[1]), 5);
	assert_int_equal(eth.ethertype, TCPIP_ETHERTYPE_ARP);
	assert_int_equal(eth.header_len, 22);
	assert_int_equal(eth.payload_len, 1);
}

static void leaves_a_third_tag_in_the_payload(void **state)
{
	uint8_t frame[30] = {0};
	struct tcpip_eth eth;

	(void)state;
	for (size_t i = 12; i < 24; i += 4)
		tcpip_store_be16(frame + i, 0x8100);
	assert_int_equal(tcpip_eth_parse(frame, sizeof(frame), &eth), TCPIP_OK);
	assert_int_equal(eth.n_tags, 2);
	assert_int_equal(eth.ethertype, 0x8100);
}

static void refuses_truncated_frames(void **state)
{
	struct tcpip_eth eth;

	(void)state;
	for (size_t len = 0; len < 22; len++) {
		uint8_t *copy = exact_copy(double_tagged, len);

		assert_int_equal(tcpip_eth_parse(copy, len, &eth), TCPIP_ESHORT);
		free(copy);
	}
}

static void setters_write_the_addresses(void **state)
{
	uint8_t frame[14] = {0};
	struct tcpip_eth eth;

	(void)state;
	tcpip_eth_set_dst(frame, (const uint8_t[6]){0x01, 0, 0x5e, 1, 2, 3});
	tcpip_eth_set_src(frame, (const uint8_t[6]){0x33, 0x33, 0, 0, 0, 1});
	assert_int_equal(tcpip_eth_parse(frame, sizeof(frame), &eth), TCPIP_OK);
	assert_true(tcpip_mac_is_multicast(eth.dst));
	assert_true(tcpip_mac_is_ipv4_multicast(eth.dst));
	assert_false(tcpip_mac_is_ipv6_multicast(eth.dst));
	assert_true(tcpip_mac_is_ipv6_multicast(eth.src));
}

static const uint8_t arp_request[] = {
	0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
};

static void reads_arp(void **state)
{
	struct tcpip_arp arp;

	(void)state;
	assert_int_equal(tcpip_arp_parse(arp_request, sizeof(arp_request), &arp), TCPIP_OK);
	assert_int_equal(arp.hw_type, 1);
	assert_int_equal(arp.proto_type, TCPIP_ETHERTYPE_IPV4);
	assert_int_equal(arp.operation, 1);
	assert_int_equal(arp.hw_len, 6);
	assert_int_equal(arp.ip_len, 4);
	assert_int_equal(arp.sender_hw[5], 1);
	assert_int_equal(arp.sender_ip[3], 1);
	assert_int_equal(arp.target_hw[5], 0);
	assert_int_equal(arp.target_ip[3], 2);
}

static void refuses_truncated_arp(void **state)
{
	struct tcpip_arp arp;

	(void)state;
	for (size_t len = 0; len < sizeof(arp_request); len++) {
		uint8_t *copy = exact_copy(arp_request, len);

		assert_int_equal(tcpip_arp_parse(copy, len, &arp), TCPIP_ESHORT);
		free(copy);
	}
}

static void refuses_arp_with_addresses_longer_than_the_packet(void **state)
{
	uint8_t copy[sizeof(arp_request)];
	struct tcpip_arp arp;

	(void)state;
	memcpy(copy, arp_request, sizeof(copy));
	copy[4] = copy[5] = 255;
	assert_int_equal(tcpip_arp_parse(copy, sizeof(copy), &arp), TCPIP_ESHORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_and_stores_are_big_endian_at_any_alignment),
		cmocka_unit_test(reads_a_plain_frame),
		cmocka_unit_test(reads_two_tags),
		cmocka_unit_test(leaves_a_third_tag_in_the_payload),
		cmocka_unit_test(refuses_truncated_frames),
		cmocka_unit_test(setters_write_the_addresses),
		cmocka_unit_test(reads_arp),
		cmocka_unit_test(refuses_truncated_arp),
		cmocka_unit_test(refuses_arp_with_addresses_longer_than_the_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
