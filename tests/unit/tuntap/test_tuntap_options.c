/* SPDX-License-Identifier: BSD-2-Clause */
/* What the driver's options accept and refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "options.h"

static const struct tuntap_options plain = {.name = "vpn%d", .up = 1, .fd = -1};

static void accepts(const struct tuntap_options *o)
{
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(tuntap_options_validate(o, &err), VPN_OK);
}

static void refuses(const struct tuntap_options *o, const char *where, const char *text)
{
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(tuntap_options_validate(o, &err), VPN_EINVAL);
	assert_int_equal(err.status, VPN_EINVAL);
	assert_string_equal(err.where, where);
	if (strstr(err.text, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, err.text);
}

static void named(const char *name, const char *text)
{
	struct tuntap_options o = plain;
	o.name = name;
	if (text == NULL)
		accepts(&o);
	else
		refuses(&o, "/name", text);
}

static void accepts_the_names_that_the_kernel_takes(void **state)
{
	(void)state;
	named("vpn%d", NULL);
	named("", NULL);
	named(NULL, NULL);
	named("a", NULL);
	named("fifteen-letters", NULL);
}

static void refuses_a_name_of_sixteen_characters(void **state)
{
	(void)state;
	named("sixteen-letters!", "longer than 15");
}

static void refuses_names_that_the_kernel_would_refuse(void **state)
{
	(void)state;
	named("a/b", "slash");
	named("a b", "white space");
	named("a\tb", "white space");
	named("a:b", "colon");
	named(".", "cannot be");
	named("..", "cannot be");
	named("a%s", "%d");
	named("a%d%d", "%d");
	named("a%", "%d");
}

static void keeps_the_mtu_in_its_range(void **state)
{
	struct tuntap_options o = plain;
	(void)state;
	o.mtu = 67;
	refuses(&o, "/mtu", "68..65535");
	o.mtu = 68;
	accepts(&o);
	o.mtu = 65535;
	accepts(&o);
	o.layer = TUNTAP_ETHERNET;
	refuses(&o, "/mtu", "68..65521");
	o.mtu = 65521;
	accepts(&o);
}

static struct vpn_prefix prefix4(uint8_t a, uint8_t length)
{
	return (struct vpn_prefix){.family = VPN_AF_INET, .length = length, .addr = {a, 0, 0, 1}};
}

static struct tuntap_options with(const struct vpn_prefix *list, uint32_t n)
{
	struct tuntap_options o = plain;
	o.addresses = (struct vpn_list){.items = list, .count = n, .item_size = sizeof(*list)};
	return o;
}

static void refuses_ipv6_below_an_mtu_of_1280(void **state)
{
	const struct vpn_prefix list[] = {
		prefix4(10, 24), {.family = VPN_AF_INET6, .length = 64, .addr = {0xfd, 1}}};
	struct tuntap_options o = with(list, 2);
	(void)state;
	o.mtu = 1279;
	refuses(&o, "/addresses/1", "1280");
	o.mtu = 1280;
	accepts(&o);
	o.mtu = 0;
	accepts(&o);
}

static void refuses_addresses_that_no_device_can_have(void **state)
{
	const struct vpn_prefix multicast = prefix4(224, 24),
				any = {.family = VPN_AF_INET, .length = 8};
	const struct vpn_prefix group6 = {.family = VPN_AF_INET6, .length = 64, .addr = {0xff, 2}};
	const struct vpn_prefix whole = prefix4(10, 0);
	struct tuntap_options o = with(&multicast, 1);
	(void)state;
	refuses(&o, "/addresses/0", "multicast");
	o = with(&group6, 1);
	refuses(&o, "/addresses/0", "multicast");
	o = with(&any, 1);
	refuses(&o, "/addresses/0", "unspecified");
	o = with(&whole, 1);
	refuses(&o, "/addresses/0", "prefix length of 0");
}

static void refuses_the_same_address_twice(void **state)
{
	const struct vpn_prefix list[] = {prefix4(10, 24), prefix4(11, 24), prefix4(10, 16)};
	struct tuntap_options o = with(list, 3);
	(void)state;
	refuses(&o, "/addresses/2", "/addresses/0");
}

static void refuses_a_peer_of_another_family(void **state)
{
	struct tuntap_peer peer = {.address = {.family = VPN_AF_INET, .addr = {10, 0, 0, 1}},
				   .peer = prefix4(11, 32)};
	struct tuntap_options o = plain;
	(void)state;
	o.peers = (struct vpn_list){.items = &peer, .count = 1, .item_size = sizeof(peer)};
	accepts(&o);
	peer.peer = (struct vpn_prefix){.family = VPN_AF_INET6, .length = 128, .addr = {0xfd, 1}};
	refuses(&o, "/peers/0/peer", "same family");
	peer.peer = prefix4(11, 32);
	peer.address.addr[0] = 230;
	refuses(&o, "/peers/0/address", "multicast");
}

static void refuses_a_mac_that_cannot_be(void **state)
{
	struct tuntap_options o = plain;
	(void)state;
	o.mac = (struct vpn_mac){.is_set = 1, .addr = {2, 0, 0, 0, 0, 1}};
	refuses(&o, "/mac", "layer");
	o.layer = TUNTAP_ETHERNET;
	accepts(&o);
	o.mac.addr[0] = 1;
	refuses(&o, "/mac", "multicast");
	o.mac = (struct vpn_mac){.is_set = 1};
	refuses(&o, "/mac", "zero");
}

static void refuses_exclusive_with_a_descriptor(void **state)
{
	struct tuntap_options o = plain;
	(void)state;
	o.fd = 7;
	accepts(&o);
	o.exclusive = 1;
	refuses(&o, "/exclusive", "fd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_the_names_that_the_kernel_takes),
		cmocka_unit_test(refuses_a_name_of_sixteen_characters),
		cmocka_unit_test(refuses_names_that_the_kernel_would_refuse),
		cmocka_unit_test(keeps_the_mtu_in_its_range),
		cmocka_unit_test(refuses_ipv6_below_an_mtu_of_1280),
		cmocka_unit_test(refuses_addresses_that_no_device_can_have),
		cmocka_unit_test(refuses_the_same_address_twice),
		cmocka_unit_test(refuses_a_peer_of_another_family),
		cmocka_unit_test(refuses_a_mac_that_cannot_be),
		cmocka_unit_test(refuses_exclusive_with_a_descriptor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
