/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and their names; texts of errors. */
#include "support.h"

static void every_protocol_number_of_the_registry_has_a_name(void **state)
{
	(void)state;
	for (int n = 0; n < 256; n++) {
		const char *name = tcpip_ipproto_name((uint8_t)n);

		if (n <= 146 || n >= 253) {
			assert_non_null(name);
			assert_int_equal(tcpip_ipproto_by_name(name), n);
		} else {
			assert_null(name);
		}
	}
}

static void every_ethertype_is_found_by_its_name(void **state)
{
	int found = 0;

	(void)state;
	for (int n = 0; n < 65536; n++) {
		const char *name = tcpip_ethertype_name((uint16_t)n);

		if (!name)
			continue;
		found++;
		assert_int_equal(tcpip_ethertype_by_name(name), n);
	}
	assert_true(found >= 39);
}

static void known_numbers_have_their_known_names(void **state)
{
	(void)state;
	assert_string_equal(tcpip_ethertype_name(0x86dd), "IPv6");
	assert_string_equal(tcpip_ethertype_name(0x88a8), "802.1ad");
	assert_string_equal(tcpip_ipproto_name(6), "TCP");
	assert_string_equal(tcpip_ipproto_name(58), "IPv6-ICMP");
	assert_string_equal(tcpip_ipproto_name(132), "SCTP");
	assert_string_equal(tcpip_icmp_name(TCPIP_ICMP_ECHO), "echo-request");
	assert_string_equal(tcpip_icmp6_name(TCPIP_ICMP6_TOO_BIG), "packet-too-big");
	assert_int_equal(TCPIP_ETHERTYPE_ARP, 0x0806);
	assert_int_equal(TCPIP_IPPROTO_OSPF, 89);
}

static void names_are_found_in_any_case_and_only_whole(void **state)
{
	(void)state;
	assert_int_equal(tcpip_ipproto_by_name("udp"), 17);
	assert_int_equal(tcpip_ipproto_by_name("UdP"), 17);
	assert_int_equal(tcpip_ipproto_by_name("ud"), -1);
	assert_int_equal(tcpip_ipproto_by_name("udpx"), -1);
	assert_int_equal(tcpip_ipproto_by_name(""), -1);
	assert_int_equal(tcpip_ethertype_by_name("ipv6"), 0x86dd);
	assert_int_equal(tcpip_ethertype_by_name("ipv7"), -1);
}

static void unassigned_numbers_have_no_name(void **state)
{
	(void)state;
	assert_null(tcpip_ethertype_name(0x0001));
	assert_null(tcpip_icmp_name(1));
	assert_null(tcpip_icmp6_name(0));
}

static void every_error_has_its_own_text(void **state)
{
	(void)state;
	for (int a = TCPIP_OK; a >= TCPIP_ENOMEM; a--) {
		assert_non_null(tcpip_strerror(a));
		for (int b = TCPIP_OK; b > a; b--)
			assert_string_not_equal(tcpip_strerror(a), tcpip_strerror(b));
	}
	assert_string_equal(tcpip_strerror(TCPIP_ENOMEM - 1), "unknown error");
	assert_string_equal(tcpip_strerror(INT32_MIN), "unknown error");
	assert_string_equal(tcpip_strerror(7), tcpip_strerror(TCPIP_OK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_protocol_number_of_the_registry_has_a_name),
		cmocka_unit_test(every_ethertype_is_found_by_its_name),
		cmocka_unit_test(known_numbers_have_their_known_names),
		cmocka_unit_test(names_are_found_in_any_case_and_only_whole),
		cmocka_unit_test(unassigned_numbers_have_no_name),
		cmocka_unit_test(every_error_has_its_own_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
