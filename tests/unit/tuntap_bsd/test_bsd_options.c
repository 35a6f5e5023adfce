/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

static struct rig rig;

static int begin(void **state)
{
	(void)state;
	model_boot(MODEL_FREEBSD);
	rig_init(&rig, BSD_IP);
	return 0;
}

static void must_refuse(const char *where, const char *text)
{
	assert_int_not_equal(rig_validate(&rig), VPN_OK);
	assert_string_equal(rig.err.where, where);
	if (strstr(rig.err.text, text) == NULL)
		fail_msg("\"%s\" is not in: %s", text, rig.err.text);
}

static void takes_the_defaults_of_every_kernel(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++) {
			struct vpn_needs needs = {.size = sizeof(needs)};
			model_boot(os);
			rig_init(&rig, layer);
			assert_int_equal(rig_validate(&rig), VPN_OK);
			rig_component()->lifecycle->needs(&rig.options, &needs);
			assert_int_equal(needs.flags, layer == BSD_IP ? VPN_L3 : VPN_L2);
			assert_int_equal(needs.mtu, 0);
		}
}

static void refuses_names_that_no_kernel_takes(void **state)
{
	static const char *const bad[] = {
		"sixteen-letters0", "a/b", "../null", "a b", "a:b", "vpn%s", "%d%d",
		"vpn%d0",           "a\nb"};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rig.options.name = bad[i];
		must_refuse("/name", "");
	}
}

static void knows_the_mtu_of_each_kernel(void **state)
{
	static const struct {
		enum model_os os;
		enum bsd_layer_kind layer;
		uint32_t min, max;
	} limits[] = {
		{MODEL_FREEBSD, BSD_IP, 72, 65535},   {MODEL_FREEBSD, BSD_ETHERNET, 72, 65521},
		{MODEL_OPENBSD, BSD_IP, 68, 16384},   {MODEL_OPENBSD, BSD_ETHERNET, 68, 16362},
		{MODEL_NETBSD, BSD_IP, 576, 1500},    {MODEL_NETBSD, BSD_ETHERNET, 68, 9000},
		{MODEL_DRAGONFLY, BSD_IP, 72, 16380}, {MODEL_DRAGONFLY, BSD_ETHERNET, 72, 1500},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		model_boot(limits[i].os);
		rig_init(&rig, limits[i].layer);
		rig.options.mtu = limits[i].min;
		assert_int_equal(rig_validate(&rig), VPN_OK);
		rig.options.mtu = limits[i].max;
		assert_int_equal(rig_validate(&rig), VPN_OK);
		rig.options.mtu = limits[i].min - 1;
		must_refuse("/mtu", "");
		rig.options.mtu = limits[i].max + 1;
		must_refuse("/mtu", "");
	}
}

static void says_which_kernel_limits_the_mtu(void **state)
{
	(void)state;
	model_boot(MODEL_NETBSD);
	rig.options.mtu = 1501;
	must_refuse("/mtu", "a tun device of NetBSD takes 576..1500");
}

static void refuses_addresses_that_no_device_can_have(void **state)
{
	static const struct {
		const char *prefix, *text;
	} bad[] = {
		{"0.0.0.0/8", "unspecified"},    {"224.0.0.1/24", "multicast"},
		{"ff02::1/64", "multicast"},     {"::/64", "unspecified"},
		{"10.0.0.1/0", "prefix length"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rig_init(&rig, BSD_IP);
		rig_add_address(&rig, bad[i].prefix);
		must_refuse("/addresses/0", bad[i].text);
	}
	rig_init(&rig, BSD_IP);
	rig_add_address(&rig, "10.0.0.1/24");
	rig_add_address(&rig, "10.0.0.1/16");
	must_refuse("/addresses/1", "stands at /addresses/0");
	rig_init(&rig, BSD_IP);
	rig.options.mtu = 1279;
	rig_add_address(&rig, "fd78::1/64");
	must_refuse("/addresses/0", "1280");
}

static void refuses_peers_that_no_kernel_can_have(void **state)
{
	(void)state;
	rig_add_peer(&rig, "10.0.0.1/32", "10.1.0.0/16");
	must_refuse("/peers/0/peer", "write /32");
	rig_init(&rig, BSD_IP);
	rig_add_peer(&rig, "fd78::1/128", "fd78::2/64");
	must_refuse("/peers/0/peer", "write /128");
	rig_init(&rig, BSD_IP);
	rig_add_peer(&rig, "10.0.0.1/32", "fd78::2/128");
	must_refuse("/peers/0/peer", "same family");
	rig_init(&rig, BSD_IP);
	rig_add_peer(&rig, "0.0.0.0/32", "10.0.0.2/32");
	must_refuse("/peers/0/address", "unspecified");
	rig_init(&rig, BSD_ETHERNET);
	rig_add_peer(&rig, "10.0.0.1/32", "10.0.0.2/32");
	must_refuse("/peers", "ethernet");
}

static void refuses_mac_addresses_that_are_none(void **state)
{
	(void)state;
	rig.options.mac = (struct vpn_mac){.addr = {2, 0, 0, 0, 0, 1}, .is_set = 1};
	must_refuse("/mac", "layer \"ip\"");
	rig_init(&rig, BSD_ETHERNET);
	rig.options.mac = (struct vpn_mac){.addr = {3, 0, 0, 0, 0, 1}, .is_set = 1};
	must_refuse("/mac", "multicast");
	rig.options.mac = (struct vpn_mac){.is_set = 1};
	must_refuse("/mac", "zero");
}

static void takes_what_only_linux_has_as_far_as_it_asks_for_nothing(void **state)
{
	(void)state;
	rig.options.offload = BSD_OFF;
	rig.options.uso = BSD_OFF;
	rig.options.txqueuelen = 500;
	assert_int_equal(rig_validate(&rig), VPN_OK);
	rig.options.offload = BSD_ON;
	must_refuse("/offload", "write \"auto\"");
	rig.options.offload = BSD_AUTO;
	rig.options.uso = BSD_ON;
	must_refuse("/uso", "write \"auto\"");
}

static void refuses_what_contradicts_a_given_descriptor(void **state)
{
	(void)state;
	rig.options.fd = 7;
	rig.options.exclusive = 1;
	must_refuse("/exclusive", "fd");
	rig.options.exclusive = 0;
	rig.options.persist = BSD_PERSIST_OFF;
	must_refuse("/persist", "fd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(takes_the_defaults_of_every_kernel, begin),
		cmocka_unit_test_setup(refuses_names_that_no_kernel_takes, begin),
		cmocka_unit_test_setup(knows_the_mtu_of_each_kernel, begin),
		cmocka_unit_test_setup(says_which_kernel_limits_the_mtu, begin),
		cmocka_unit_test_setup(refuses_addresses_that_no_device_can_have, begin),
		cmocka_unit_test_setup(refuses_peers_that_no_kernel_can_have, begin),
		cmocka_unit_test_setup(refuses_mac_addresses_that_are_none, begin),
		cmocka_unit_test_setup(takes_what_only_linux_has_as_far_as_it_asks_for_nothing,
				       begin),
		cmocka_unit_test_setup(refuses_what_contradicts_a_given_descriptor, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
