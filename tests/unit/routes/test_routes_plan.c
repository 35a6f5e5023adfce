/* SPDX-License-Identifier: BSD-2-Clause */
/* What shall be in the kernel: a pure function of manifest and scene. */
#include "scenes.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "prefix.h"

static struct scenes s;

static int fresh(void **state)
{
	(void)state;
	scenes_init(&s);
	return 0;
}

static int done(void **state)
{
	(void)state;
	scenes_clear(&s);
	return 0;
}

static void plans(void)
{
	assert_int_equal(scenes_plan(&s), VPN_OK);
}

static void nothing_asked_for_is_nothing_done(void **state)
{
	(void)state;
	plans();
	assert_int_equal(s.plan.routes.n + s.plan.rules.n + s.plan.switches.n, 0);
}

static void single_networks_go_into_main(void **state)
{
	(void)state;
	scenes_networks(&s, "10.9.0.0/16", "fd99::/48", NULL);
	plans();
	const struct routes_route *r = scenes_route(&s, "10.9.0.0/16", RTN_UNICAST);
	assert_non_null(r);
	assert_int_equal(r->table, ROUTES_MAIN_TABLE);
	assert_int_equal(r->ifindex, DEVICE);
	assert_int_equal(r->protocol, 190);
	assert_int_equal(r->metric, 0);
	assert_int_equal(scenes_route(&s, "fd99::/48", RTN_UNICAST)->metric, 1024);
	assert_int_equal(s.plan.routes.n, 2);
	assert_int_equal(s.plan.rules.n, 0);
}

static void allowed_networks_are_routed_but_for_everything_and_the_devices_own(void **state)
{
	(void)state;
	scenes_allow(&s, "0.0.0.0/0", 0);
	scenes_allow(&s, "10.78.0.1/32", 0);
	scenes_allow(&s, "10.50.0.0/16", 9);
	plans();
	assert_int_equal(s.plan.routes.n, 1);
	assert_int_equal(scenes_route(&s, "10.50.0.0/16", RTN_UNICAST)->metric, 9);
	s.options.allowed_ips = 0;
	plans();
	assert_int_equal(s.plan.routes.n, 0);
}

static void a_full_tunnel_has_its_own_table_and_rules(void **state)
{
	(void)state;
	s.options.is_default = 1;
	plans();
	assert_true(s.plan.policy);
	static const char *const all[] = {"0.0.0.0/0", "::/0"};
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(scenes_route(&s, all[i], RTN_UNICAST)->table, 7600);
		assert_int_equal(scenes_route(&s, all[i], RTN_UNREACHABLE)->metric,
				 ROUTES_LAST_METRIC);
	}
	assert_int_equal(s.plan.rules.n, 6);
	const struct routes_rule *rule = s.plan.rules.items;
	assert_int_equal(rule[0].preference, 7600);
	assert_int_equal(rule[0].table, ROUTES_MAIN_TABLE);
	assert_int_equal(rule[0].mark, 0x76000000);
	assert_int_equal(rule[0].mask, 0xff000000);
	assert_int_equal(rule[1].preference, 7610);
	assert_int_equal(rule[1].action, FR_ACT_UNREACHABLE);
	assert_int_equal(rule[2].preference, 7630);
	assert_int_equal(rule[2].table, 7600);
	assert_int_equal(rule[2].mask, 0);
}

static void single_networks_stand_before_a_full_tunnel_of_another_pipeline(void **state)
{
	(void)state;
	s.place = (struct routes_place){.slot = 3, .table = 7603};
	scenes_networks(&s, "10.9.0.0/16", NULL);
	scenes_exclude(&s, "10.9.1.0/24", NULL);
	plans();
	const struct routes_rule *rule = s.plan.rules.items;
	assert_int_equal(rule[2].preference, 7623);
	assert_int_equal(rule[2].table, 7603);
}

static void a_family_without_an_address_is_unreachable(void **state)
{
	(void)state;
	s.options.is_default = 1;
	scenes_own(&s, "10.78.0.2/24", "fe80::2/64", NULL);
	plans();
	assert_non_null(scenes_route(&s, "0.0.0.0/0", RTN_UNICAST));
	assert_null(scenes_route(&s, "::/0", RTN_UNICAST));
	assert_non_null(scenes_route(&s, "::/0", RTN_UNREACHABLE));
}

static void a_family_that_no_peer_takes_is_unreachable(void **state)
{
	(void)state;
	s.options.is_default = 1;
	scenes_allow(&s, "::/0", 0);
	scenes_allow(&s, "0.0.0.0/1", 0);
	plans();
	assert_null(scenes_route(&s, "0.0.0.0/0", RTN_UNICAST));
	scenes_allow(&s, "128.0.0.0/1", 0); /* the other half */
	plans();
	assert_non_null(scenes_route(&s, "0.0.0.0/0", RTN_UNICAST));
}

static void a_device_that_is_down_has_no_routes_and_nothing_passes_it(void **state)
{
	(void)state;
	s.options.is_default = 1;
	s.scene.device_up = false;
	plans();
	assert_null(scenes_route(&s, "0.0.0.0/0", RTN_UNICAST));
	assert_non_null(scenes_route(&s, "0.0.0.0/0", RTN_UNREACHABLE));
	assert_non_null(scenes_route(&s, "::/0", RTN_UNREACHABLE));
	assert_int_equal(s.plan.rules.n, 6);
}

static void a_kernel_without_ipv6_gets_none(void **state)
{
	(void)state;
	s.options.is_default = 1;
	s.scene.has_ipv6 = false;
	plans();
	const struct routes_route *r = s.plan.routes.items;
	for (uint32_t i = 0; i < s.plan.routes.n; i++)
		assert_int_equal(r[i].dst.family, VPN_AF_INET);
	assert_int_equal(s.plan.rules.n, 3);
}

/* ---- what stays outside ---- */

static void exclude_and_private_local_networks_are_thrown_back(void **state)
{
	(void)state;
	s.options.is_default = 1;
	scenes_lan(&s, "1.2.3.0/24");
	scenes_exclude(&s, "203.0.113.0/24", NULL);
	plans();
	assert_non_null(scenes_route(&s, "203.0.113.0/24", RTN_THROW));
	assert_non_null(scenes_route(&s, "192.168.5.0/24", RTN_THROW));
	assert_null(scenes_route(&s, "1.2.3.0/24", RTN_THROW));
	assert_non_null(scenes_route(&s, "fe80::/10", RTN_THROW));
	assert_non_null(scenes_route(&s, "255.255.255.255/32", RTN_THROW));
	assert_non_null(scenes_route(&s, "224.0.0.0/4", RTN_THROW));
}

static void lan_access_off_leaves_what_a_link_needs(void **state)
{
	(void)state;
	s.options.is_default = 1;
	s.options.lan_access = ROUTES_LAN_OFF;
	plans();
	assert_null(scenes_route(&s, "192.168.5.0/24", RTN_THROW));
	assert_null(scenes_route(&s, "224.0.0.0/4", RTN_THROW));
	assert_non_null(scenes_route(&s, "fe80::/10", RTN_THROW));
}

static void lan_access_by_list_takes_what_lies_within(void **state)
{
	(void)state;
	s.options.is_default = 1;
	scenes_lan(&s, "1.2.3.0/24");
	scenes_lan(&s, "1.0.0.0/7");
	scenes_lan_list(&s, "1.0.0.0/8", NULL);
	plans();
	assert_non_null(scenes_route(&s, "1.2.3.0/24", RTN_THROW));
	assert_null(scenes_route(&s, "1.0.0.0/7", RTN_THROW));
	assert_null(scenes_route(&s, "192.168.5.0/24", RTN_THROW));
}

static void the_same_network_outside_wins(void **state)
{
	(void)state;
	scenes_allow(&s, "192.168.5.0/24", 0);
	scenes_exclude(&s, "10.0.0.0/8", NULL);
	plans();
	assert_non_null(scenes_route(&s, "192.168.5.0/24", RTN_THROW));
	assert_null(scenes_route(&s, "192.168.5.0/24", RTN_UNICAST));
}

static void one_network_named_twice_is_one_route(void **state)
{
	(void)state;
	scenes_networks(&s, "10.9.0.0/16", NULL);
	scenes_allow(&s, "10.9.0.0/16", 0);
	plans();
	assert_int_equal(s.plan.routes.n, 1);
}

static void an_endpoint_within_a_network_makes_the_rules(void **state)
{
	(void)state;
	scenes_networks(&s, "198.51.100.0/24", NULL);
	scenes_endpoint(&s, "203.0.113.1/32");
	plans();
	assert_false(s.plan.policy);
	scenes_endpoint(&s, "198.51.100.2/32");
	plans();
	assert_true(s.plan.policy);
	assert_int_equal(scenes_route(&s, "198.51.100.0/24", RTN_UNICAST)->table, 7600);
}

/* ---- the rest ---- */

/* ---- what another component wants ---- */

static void what_is_wanted_is_a_route_in_main(void **state)
{
	(void)state;
	scenes_want(&s, "10.0.0.53/32");
	scenes_want(&s, "fd00::53/128");
	plans();
	assert_false(s.plan.policy);
	const struct routes_route *r = scenes_route(&s, "10.0.0.53/32", RTN_UNICAST);
	assert_int_equal(r->table, ROUTES_MAIN_TABLE);
	assert_int_equal(r->ifindex, DEVICE);
	assert_non_null(scenes_route(&s, "fd00::53/128", RTN_UNICAST));
	assert_int_equal(scenes_route(&s, "10.0.0.53/32", RTN_UNREACHABLE)->metric,
			 ROUTES_LAST_METRIC);
	assert_int_equal(s.plan.routes.n, 4);
}

static void what_is_wanted_goes_nowhere_else_while_the_device_is_down(void **state)
{
	(void)state;
	scenes_want(&s, "10.0.0.53/32");
	s.scene.device_up = false;
	plans();
	assert_null(scenes_route(&s, "10.0.0.53/32", RTN_UNICAST));
	assert_non_null(scenes_route(&s, "10.0.0.53/32", RTN_UNREACHABLE));
}

static void what_is_wanted_wins_over_exclude_and_the_local_network(void **state)
{
	(void)state;
	s.options.is_default = 1;
	scenes_exclude(&s, "10.0.0.0/8", "172.16.1.0/24", "9.9.9.9/32", NULL);
	scenes_want(&s, "10.0.0.53/32");   /* within one */
	scenes_want(&s, "9.9.9.9/32");     /* the same */
	scenes_want(&s, "172.16.0.0/12");  /* around one */
	scenes_want(&s, "192.168.5.1/32"); /* in the local network */
	plans();
	static const char *const inside[] = {"10.0.0.53/32", "9.9.9.9/32", "172.16.0.0/12",
					     "192.168.5.1/32"};
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(scenes_route(&s, inside[i], RTN_UNICAST)->table, 7600);
	assert_non_null(scenes_route(&s, "10.0.0.0/8", RTN_THROW));
	assert_non_null(scenes_route(&s, "192.168.5.0/24", RTN_THROW));
	assert_null(scenes_route(&s, "9.9.9.9/32", RTN_THROW));
	assert_null(scenes_route(&s, "172.16.1.0/24", RTN_THROW));
}

static void an_endpoint_within_what_is_wanted_makes_the_rules(void **state)
{
	(void)state;
	scenes_want(&s, "198.51.100.0/24");
	scenes_endpoint(&s, "198.51.100.2/32");
	plans();
	assert_true(s.plan.policy);
	assert_int_equal(scenes_route(&s, "198.51.100.0/24", RTN_UNICAST)->table, 7600);
}

static void the_devices_own_network_has_its_route_already(void **state)
{
	(void)state;
	scenes_want(&s, "10.78.0.0/24");
	scenes_want(&s, "10.78.0.1/32");
	plans();
	assert_null(scenes_route(&s, "10.78.0.0/24", RTN_UNICAST));
	assert_non_null(scenes_route(&s, "10.78.0.1/32", RTN_UNICAST));
}

static void a_gateway_and_an_mtu_go_into_the_routes(void **state)
{
	(void)state;
	s.gateway = (struct vpn_address){.family = VPN_AF_INET, .addr = {10, 78, 0, 1}};
	s.options.gateways = (struct vpn_list){&s.gateway, 1, sizeof(s.gateway)};
	s.options.mtu = 1300;
	scenes_networks(&s, "10.9.0.0/16", "fd99::/48", NULL);
	plans();
	const struct routes_route *r = scenes_route(&s, "10.9.0.0/16", RTN_UNICAST);
	assert_true(r->has_gateway);
	assert_memory_equal(r->gateway, s.gateway.addr, 4);
	assert_int_equal(r->mtu, 1300);
	assert_false(scenes_route(&s, "fd99::/48", RTN_UNICAST)->has_gateway);
}

static bool has_switch(const char *path)
{
	const struct routes_switch *at = s.plan.switches.items;
	for (uint32_t i = 0; i < s.plan.switches.n; i++)
		if (strcmp(at[i].path, path) == 0)
			return true;
	return false;
}

static void nat_forwards_the_families_that_the_device_has(void **state)
{
	(void)state;
	s.options.nat = 1;
	scenes_own(&s, "10.78.0.1/24", NULL);
	scenes_allow(&s, "10.78.0.2/32", 0);
	scenes_allow(&s, "10.50.0.0/16", 0);
	plans();
	assert_true(has_switch("net/ipv4/ip_forward"));
	assert_false(has_switch("net/ipv6/conf/all/forwarding"));
	assert_false(has_switch("net/ipv4/conf/all/src_valid_mark"));
	assert_int_equal(s.plan.inside.n, 3);
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	s.options.is_default = 1;
	scenes_allow(&s, "10.0.0.0/8", 0);
	assert_int_equal(scenes_plan(&s), VPN_EINVAL);
	assert_string_equal(s.err.where, "/default");
	routes_list_free(&s.scene.allowed);
	s.scene.has_peers = false;
	s.scene.device.layer = VPN_L2; /* every address of the world would be asked for by ARP */
	assert_int_equal(scenes_plan(&s), VPN_EINVAL);
	assert_string_equal(s.err.where, "/gateways");
	s.options.is_default = 0;
	s.options.nat = 1;
	scenes_own(&s, NULL);
	routes_list_free(&s.scene.allowed);
	assert_int_equal(scenes_plan(&s), VPN_EINVAL);
	assert_string_equal(s.err.where, "/nat");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_asked_for_is_nothing_done),
		CASE(single_networks_go_into_main),
		CASE(allowed_networks_are_routed_but_for_everything_and_the_devices_own),
		CASE(a_full_tunnel_has_its_own_table_and_rules),
		CASE(single_networks_stand_before_a_full_tunnel_of_another_pipeline),
		CASE(a_family_without_an_address_is_unreachable),
		CASE(a_family_that_no_peer_takes_is_unreachable),
		CASE(a_device_that_is_down_has_no_routes_and_nothing_passes_it),
		CASE(a_kernel_without_ipv6_gets_none),
		CASE(exclude_and_private_local_networks_are_thrown_back),
		CASE(lan_access_off_leaves_what_a_link_needs),
		CASE(lan_access_by_list_takes_what_lies_within),
		CASE(the_same_network_outside_wins),
		CASE(one_network_named_twice_is_one_route),
		CASE(an_endpoint_within_a_network_makes_the_rules),
		CASE(what_is_wanted_is_a_route_in_main),
		CASE(what_is_wanted_goes_nowhere_else_while_the_device_is_down),
		CASE(what_is_wanted_wins_over_exclude_and_the_local_network),
		CASE(an_endpoint_within_what_is_wanted_makes_the_rules),
		CASE(the_devices_own_network_has_its_route_already),
		CASE(a_gateway_and_an_mtu_go_into_the_routes),
		CASE(nat_forwards_the_families_that_the_device_has),
		CASE(what_cannot_be_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
