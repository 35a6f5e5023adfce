/* SPDX-License-Identifier: BSD-2-Clause */
/* What the driver reads from packets, and ECN on the way up (RFC 6040 figure 4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <vpncore/tcpip.h>

#include "inner.h"

enum { NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3, DROP = -1 };

static void make4(uint8_t *p, uint8_t tos)
{
	static const uint8_t src[4] = {10, 0, 0, 1}, dst[4] = {10, 0, 0, 2};
	tcpip_ipv4_write(p, src, dst, TCPIP_IPPROTO_UDP, 64, tos, 0);
}

static void make6(uint8_t *p, uint8_t tos)
{
	static const uint8_t src[16] = {0xfd, 1}, dst[16] = {0xfd, 2};
	tcpip_ipv6_write(p, src, dst, TCPIP_IPPROTO_UDP, 64, tos, 0);
}

static void accepts_ip_headers_only(void **state)
{
	uint8_t p[40];
	(void)state;
	make4(p, 0);
	assert_true(tuntap_inner_ok(p, 20, false));
	assert_false(tuntap_inner_ok(p, 19, false));
	assert_false(tuntap_inner_ok(p, 0, false));
	make6(p, 0);
	assert_true(tuntap_inner_ok(p, 40, false));
	assert_false(tuntap_inner_ok(p, 39, false));
	p[0] = 0x50;
	assert_false(tuntap_inner_ok(p, 40, false));
	assert_true(tuntap_inner_ok(p, 14, true));
	assert_false(tuntap_inner_ok(p, 13, true));
}

static void reads_the_class_of_both_families(void **state)
{
	uint8_t p[40];
	(void)state;
	for (int c = 0; c < 256; c++) {
		make4(p, (uint8_t)c);
		assert_int_equal(tuntap_inner_class(p, 20, false), c);
		make6(p, (uint8_t)c);
		assert_int_equal(tuntap_inner_class(p, 40, false), c);
	}
	assert_int_equal(tuntap_inner_class(p, 1, false), -1);
	p[0] = 0;
	assert_int_equal(tuntap_inner_class(p, 40, false), -1);
}

static void reads_the_class_behind_vlan_tags(void **state)
{
	uint8_t frame[14 + 8 + 20] = {0};
	(void)state;
	tcpip_store_be16(frame + 12, 0x0800);
	make4(frame + 14, 0xb8);
	assert_int_equal(tuntap_inner_class(frame, 34, true), 0xb8);
	assert_int_equal(tuntap_inner_l2_len(frame, 34), 14);
	tcpip_store_be16(frame + 12, 0x88a8);
	tcpip_store_be16(frame + 16, 0x8100);
	tcpip_store_be16(frame + 20, 0x0800);
	make4(frame + 22, 0x28);
	assert_int_equal(tuntap_inner_class(frame, sizeof(frame), true), 0x28);
	assert_int_equal(tuntap_inner_l2_len(frame, sizeof(frame)), 22);
	tcpip_store_be16(frame + 20, 0x0806);
	assert_int_equal(tuntap_inner_class(frame, sizeof(frame), true), -1);
}

/* [outer][inner] -> what the packet has afterwards */
static const int expected[4][4] = {
	[NOT_ECT] = {[NOT_ECT] = NOT_ECT, [ECT_1] = ECT_1, [ECT_0] = ECT_0, [CE] = CE},
	[ECT_1] = {[NOT_ECT] = NOT_ECT, [ECT_1] = ECT_1, [ECT_0] = ECT_1, [CE] = CE},
	[ECT_0] = {[NOT_ECT] = NOT_ECT, [ECT_1] = ECT_1, [ECT_0] = ECT_0, [CE] = CE},
	[CE] = {[NOT_ECT] = DROP, [ECT_1] = CE, [ECT_0] = CE, [CE] = CE},
};

static void carries_the_outer_ecn_over(void **state)
{
	uint8_t p[40];
	struct tcpip_ipv4 ip;
	(void)state;
	for (int outer = 0; outer < 4; outer++) {
		for (int inner = 0; inner < 4; inner++) {
			int want = expected[outer][inner];
			make4(p, (uint8_t)(0xb8 | inner));
			assert_int_equal(tuntap_inner_decapsulate(p, (uint8_t)(0x40 | outer)),
					 want != DROP);
			if (want != DROP)
				assert_int_equal(p[1], 0xb8 | want);
			assert_int_equal(tcpip_ipv4_parse(p, 20, &ip), TCPIP_OK);
			assert_true(tcpip_ipv4_checksum_ok(&ip));
			make6(p, (uint8_t)(0xb8 | inner));
			assert_int_equal(tuntap_inner_decapsulate(p, (uint8_t)outer), want != DROP);
			if (want != DROP)
				assert_int_equal(tuntap_inner_class(p, 40, false), 0xb8 | want);
			assert_int_equal(p[0] >> 4, 6);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_ip_headers_only),
		cmocka_unit_test(reads_the_class_of_both_families),
		cmocka_unit_test(reads_the_class_behind_vlan_tags),
		cmocka_unit_test(carries_the_outer_ecn_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
