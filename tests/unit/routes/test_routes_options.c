/* SPDX-License-Identifier: BSD-2-Clause */
/* Options that the table alone cannot judge, and what networks are to each other. */
#include "scenes.h"

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

static void is_refused_at(const char *where)
{
	assert_int_equal(routes_options_validate(&s.options, &s.err), VPN_EINVAL);
	assert_string_equal(s.err.where, where);
	assert_true(s.err.text[0] != '\0');
}

static void the_defaults_fit(void **state)
{
	(void)state;
	assert_int_equal(routes_options_validate(&s.options, &s.err), VPN_OK);
}

static void refuses_networks_that_are_none(void **state)
{
	(void)state;
	scenes_networks(&s, "10.0.0.0/8", "0.0.0.0/0", NULL);
	is_refused_at("/networks/1");
	scenes_networks(&s, "ff02::/16", NULL);
	is_refused_at("/networks/0");
	scenes_networks(&s, "127.0.0.0/8", NULL);
	is_refused_at("/networks/0");
	scenes_networks(&s, "10.0.0.0/8", "10.0.0.0/8", NULL);
	is_refused_at("/networks/1");
}

static void refuses_to_exclude_all_that_it_routes(void **state)
{
	(void)state;
	scenes_networks(&s, "10.1.0.0/16", NULL);
	scenes_exclude(&s, "10.1.2.0/24", NULL);
	assert_int_equal(routes_options_validate(&s.options, &s.err), VPN_OK);
	scenes_exclude(&s, "10.1.2.0/24", "10.1.0.0/16", NULL);
	is_refused_at("/exclude/1");
}

static void refuses_numbers_that_cannot_work(void **state)
{
	(void)state;
	s.options.mark = 0x76000001;
	is_refused_at("/mark");
	s.options.mark = 0x76000000;
	s.options.table = 254;
	is_refused_at("/table");
	s.options.table = 0;
	s.options.mtu = 67;
	is_refused_at("/mtu");
}

static void refuses_a_list_that_has_no_effect_and_the_lack_of_one(void **state)
{
	(void)state;
	s.options.lan_access = ROUTES_LAN_LIST;
	is_refused_at("/lan_access");
	scenes_lan_list(&s, "10.0.0.0/8", NULL);
	s.options.lan_access = ROUTES_LAN_ON;
	is_refused_at("/lan_networks");
}

static void refuses_a_second_gateway_of_one_family(void **state)
{
	(void)state;
	struct vpn_address gateways[] = {{.family = VPN_AF_INET, .addr = {10, 0, 0, 1}},
					 {.family = VPN_AF_INET, .addr = {10, 0, 0, 2}}};
	s.options.gateways = (struct vpn_list){gateways, 2, sizeof(gateways[0])};
	is_refused_at("/gateways");
	gateways[1].family = VPN_AF_INET6;
	assert_int_equal(routes_options_validate(&s.options, &s.err), VPN_OK);
	assert_ptr_equal(routes_options_gateway(&s.options, VPN_AF_INET6), &gateways[1]);
}

static void finds_the_metric_of_a_peer(void **state)
{
	(void)state;
	uint8_t one[32] = {1}, two[32] = {2};
	struct routes_peer_metric metrics[] = {{{one, 32, 0}, 11}, {{one, 32, 0}, 12}};
	s.options.metric = 5;
	s.options.peer_metrics = (struct vpn_list){metrics, 2, sizeof(metrics[0])};
	is_refused_at("/peer_metrics/1/public_key");
	s.options.peer_metrics.count = 1;
	assert_int_equal(routes_options_validate(&s.options, &s.err), VPN_OK);
	assert_int_equal(routes_options_metric(&s.options, one), 11);
	assert_int_equal(routes_options_metric(&s.options, two), 5);
}

static void covers_is_right_at_its_edges(void **state)
{
	(void)state;
	struct vpn_prefix all = routes_prefix_of("0.0.0.0/0"), net = routes_prefix_of("10.0.0.0/9"),
			  in = routes_prefix_of("10.127.255.255/32"),
			  out = routes_prefix_of("10.128.0.0/32"), six = routes_prefix_of("::/0");
	assert_true(routes_prefix_covers(&all, &net));
	assert_true(routes_prefix_covers(&net, &net));
	assert_true(routes_prefix_covers(&net, &in));
	assert_false(routes_prefix_covers(&net, &out));
	assert_false(routes_prefix_covers(&net, &all));
	assert_false(routes_prefix_covers(&six, &net));
	assert_true(routes_prefix_is_private(&net));
	assert_false(routes_prefix_is_private(&all));
	struct vpn_prefix host = routes_prefix_of("10.78.0.2/24"),
			  network = routes_prefix_of("10.78.0.0/24");
	struct vpn_prefix masked = routes_prefix_network(&host);
	assert_true(routes_prefix_equal(&masked, &network));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_defaults_fit),
		CASE(refuses_networks_that_are_none),
		CASE(refuses_to_exclude_all_that_it_routes),
		CASE(refuses_numbers_that_cannot_work),
		CASE(refuses_a_list_that_has_no_effect_and_the_lack_of_one),
		CASE(refuses_a_second_gateway_of_one_family),
		CASE(finds_the_metric_of_a_peer),
		CASE(covers_is_right_at_its_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
