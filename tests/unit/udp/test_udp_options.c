/* SPDX-License-Identifier: BSD-2-Clause */
/* What udp's options accept and what the host is told about the stage. */
#include "world.h"

#include <ctype.h>
#include <string.h>

static struct udp_options plain(void)
{
	static struct world w;
	world_init(&w);
	return w.options;
}

static void refused(const struct udp_options *o, const char *where)
{
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(udp_options_validate(o, &err), VPN_EINVAL);
	assert_int_equal(err.status, VPN_EINVAL);
	assert_string_equal(err.where, where);
	assert_true(strlen(err.text) > 10);
}

static struct vpn_needs needs_of(const struct udp_options *o)
{
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_needs needs = {.size = sizeof(needs)};
	assert_int_equal(udp_options_validate(o, &err), VPN_OK);
	udp_options_needs(o, &needs);
	return needs;
}

static void refuses_a_name_to_listen_on(void **state)
{
	struct udp_options o = plain();
	(void)state;
	o.listen = world_at("example.org", 1);
	refused(&o, "/listen");
	o.listen = world_at("10.0.0.256", 1);
	refused(&o, "/listen");
	o.listen = world_at("fe80::1%", 1);
	refused(&o, "/listen");
}

static void refuses_a_remote_without_port_or_host(void **state)
{
	struct udp_options o = plain();
	(void)state;
	o.remote = world_at("192.0.2.1", 0);
	refused(&o, "/remote");
	o.remote = world_at("*", 7);
	refused(&o, "/remote");
	o.remote = world_at("", 7);
	refused(&o, "/remote");
}

static void refuses_a_link_local_address_without_interface(void **state)
{
	struct udp_options o = plain();
	(void)state;
	o.remote = world_at("fe80::1", 7);
	refused(&o, "/remote");
	o.remote = world_at("fe80::1%lo", 7);
	assert_int_equal(needs_of(&o).overhead, 48);
	o = plain();
	o.listen = world_at("febf::1", 7);
	refused(&o, "/listen");
}

static void refuses_families_that_contradict(void **state)
{
	struct udp_options o = plain();
	(void)state;
	o.listen = world_at("0.0.0.0", 7);
	o.family = UDP_FAMILY_IPV6;
	refused(&o, "/family");
	o.family = UDP_FAMILY_AUTO;
	o.remote = world_at("2001:db8::1", 7);
	refused(&o, "/remote");
	o = plain();
	o.family = UDP_FAMILY_IPV4;
	o.remote = world_at("2001:db8::1", 7);
	refused(&o, "/remote");
}

static void refuses_learn_with_remote(void **state)
{
	struct udp_options o = plain();
	(void)state;
	o.learn = 1;
	assert_int_equal(needs_of(&o).flags & VPN_NEEDS_REMOTE, 0);
	o.remote = world_at("192.0.2.1", 7);
	refused(&o, "/learn");
}

static struct vpn_hostport range_of(const char *host, uint16_t first, uint16_t last)
{
	struct vpn_hostport at = world_at(host, first);
	at.port_last = last;
	return at;
}

static void takes_ranges_of_ports(void **state)
{
	struct udp_options o = plain();
	(void)state;
	o.listen = range_of("*", 20000, 21023);
	(void)needs_of(&o);
	assert_int_equal(udp_options_ports(&o), 1024);
	o.remote = range_of("192.0.2.1", 1, 65535);
	(void)needs_of(&o);
	o.listen = range_of("*", 65535, 65535);
	(void)needs_of(&o);
	assert_int_equal(udp_options_ports(&o), 1);
}

static void refuses_ranges_that_begin_with_zero_or_are_too_long(void **state)
{
	struct udp_options o = plain();
	(void)state;
	o.listen = range_of("*", 0, 9);
	refused(&o, "/listen");
	o.listen = range_of("*", 20000, 21024);
	refused(&o, "/listen");
	o.listen = range_of("*", 1, 65535);
	refused(&o, "/listen");
	o = plain();
	o.remote = range_of("192.0.2.1", 0, 9);
	refused(&o, "/remote");
}

static struct udp_hop_plan plan_of(const struct udp_options *o)
{
	struct udp_hop_plan plan;
	(void)needs_of(o);
	udp_options_hop(o, &plan);
	return plan;
}

static void hops_over_the_range_of_remote_or_over_ports(void **state)
{
	struct udp_hop_options hop = {.interval = 5, .silence = 7};
	struct udp_options o = plain();
	(void)state;
	assert_int_equal(plan_of(&o).last, 0);
	o.remote = world_at("192.0.2.1", 7);
	assert_int_equal(plan_of(&o).last, 0);
	o.remote = range_of("192.0.2.1", 7, 9);
	struct udp_hop_plan plan = plan_of(&o);
	assert_int_equal(plan.first, 7);
	assert_int_equal(plan.last, 9);
	assert_int_equal(plan.interval_ns, 30 * UDP_SECOND);
	assert_int_equal(plan.silence_ns, 15 * UDP_SECOND);
	o.hop = &hop;
	plan = plan_of(&o);
	assert_int_equal(plan.last, 9);
	assert_int_equal(plan.interval_ns, 5);
	assert_int_equal(plan.silence_ns, 7);
	o = plain();
	o.hop = &hop;
	hop.ports = "1-65535";
	plan = plan_of(&o);
	assert_int_equal(plan.first, 1);
	assert_int_equal(plan.last, 65535);
	assert_true((needs_of(&o).flags & VPN_NEEDS_REMOTE) != 0);
}

static void refuses_a_hop_that_has_nowhere_to_go(void **state)
{
	struct udp_hop_options hop = {.interval = 5, .silence = 7};
	struct udp_options o = plain();
	(void)state;
	o.hop = &hop;
	refused(&o, "/hop");
	o.remote = world_at("192.0.2.1", 7);
	refused(&o, "/hop");
	hop.ports = "7-9";
	refused(&o, "/hop/ports");
	o.remote = range_of("192.0.2.1", 7, 9);
	refused(&o, "/hop/ports");
	o = plain();
	o.hop = &hop;
	o.learn = 1;
	refused(&o, "/hop");
}

static void refuses_ports_that_are_no_range(void **state)
{
	static const char *const texts[] = {"",
					    "7",
					    "7-",
					    "-9",
					    "9-7",
					    "7-7",
					    "0-9",
					    "7-65536",
					    "7-9 ",
					    " 7-9",
					    "7- 9",
					    "7--9",
					    "a-b",
					    "7-9-11",
					    "+7-9",
					    "7-+9",
					    "7:9",
					    "0x7-9",
					    "7-99999999999999999999"};
	struct udp_hop_options hop = {.interval = 5, .silence = 7};
	struct udp_options o = plain();
	(void)state;
	o.hop = &hop;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		hop.ports = texts[i];
		refused(&o, "/hop/ports");
	}
}

static void the_object_has_the_defaults_of_its_table(void **state)
{
	const struct vpn_option_table *t = world_component()->lifecycle->options;
	const struct vpn_option_table *hop = NULL;
	(void)state;
	for (uint32_t i = 0; i < t->n_options; i++)
		if (strcmp(t->options[i].name, "hop") == 0)
			hop = t->options[i].table;
	assert_non_null(hop);
	assert_string_equal(hop->options[1].name, "interval");
	assert_string_equal(hop->options[1].dflt, "30s");
	assert_string_equal(hop->options[2].name, "silence");
	assert_string_equal(hop->options[2].dflt, "15s");
}

static void refuses_a_fixed_and_a_carried_dscp(void **state)
{
	struct udp_options o = plain();
	(void)state;
	o.dscp = 46;
	o.carry_ecn = 1;
	(void)needs_of(&o);
	o.carry_dscp = 1;
	refused(&o, "/dscp");
}

static void overhead_is_28_only_for_certain_ipv4(void **state)
{
	struct udp_options o = plain();
	(void)state;
	assert_int_equal(needs_of(&o).overhead, 48);
	o.remote = world_at("example.org", 7);
	assert_int_equal(needs_of(&o).overhead, 48);
	o.family = UDP_FAMILY_IPV4;
	assert_int_equal(needs_of(&o).overhead, 28);
	o = plain();
	o.remote = world_at("192.0.2.1", 7);
	assert_int_equal(needs_of(&o).overhead, 28);
	o = plain();
	o.listen = world_at("0.0.0.0", 7);
	assert_int_equal(needs_of(&o).overhead, 28);
	o.listen = world_at("::", 7);
	assert_int_equal(needs_of(&o).overhead, 48);
}

static void needs_say_bottom_layers_lanes_and_mtu(void **state)
{
	struct udp_options o = plain();
	(void)state;
	o.path_mtu = 1280;
	struct vpn_needs needs = needs_of(&o);
	assert_int_equal(needs.flags,
			 VPN_BOTTOM | VPN_L2 | VPN_L3 | VPN_LANE_AWARE | VPN_NEEDS_REMOTE);
	assert_int_equal(needs.mtu, 1280);
	assert_int_equal(needs.headroom + needs.tailroom, 0);
	o.remote = world_at("example.org", 7);
	assert_int_equal(needs_of(&o).flags & VPN_NEEDS_REMOTE, 0);
}

static void every_option_is_documented_and_inside_the_struct(void **state)
{
	const struct vpn_option_table *t = world_component()->lifecycle->options;
	(void)state;
	assert_int_equal(t->config_size, sizeof(struct udp_options));
	for (uint32_t i = 0; i < t->n_options; i++) {
		const struct vpn_option *o = &t->options[i];
		assert_true(strlen(o->doc) > 10);
		assert_true(o->offset < t->config_size);
		for (const char *c = o->name; *c != '\0'; c++)
			assert_true(islower((unsigned char)*c) || *c == '_');
		for (uint32_t k = 0; k < i; k++)
			assert_string_not_equal(o->name, t->options[k].name);
	}
}

static void every_counter_has_a_name_and_drops_are_marked(void **state)
{
	const struct vpn_lifecycle *life = world_component()->lifecycle;
	(void)state;
	assert_int_equal(life->n_counters, UDP_COUNTERS);
	for (uint32_t i = 0; i < life->n_counters; i++) {
		const struct vpn_counter *c = &life->counters[i];
		assert_non_null(c->name);
		assert_non_null(c->doc);
		bool drop = strncmp(c->name, "drop_", 5) == 0;
		assert_int_equal(drop, (c->flags & VPN_COUNTER_DROP) != 0);
	}
}

static void literals_are_read_and_written_alike(void **state)
{
	static const char *const texts[][2] = {
		{"192.0.2.1", "192.0.2.1:9"},
		{"2001:db8::1", "[2001:db8::1]:9"},
		{"fe80::1%7", "[fe80::1%7]:9"},
	};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char text[UDP_ADDRESS_TEXT];
		struct vpn_endpoint e = endpoint_at(texts[i][0], 9);
		union udp_name name;
		struct vpn_endpoint back;
		assert_string_equal(udp_address_text(&e, text), texts[i][1]);
		assert_true(udp_address_to_name(&e, &name) > 0);
		udp_address_from_name(&name, &back);
		assert_memory_equal(&e, &back, sizeof(e));
	}
	struct vpn_endpoint e;
	assert_false(udp_address_parse("1.2.3", &e));
	assert_false(udp_address_parse("host", &e));
	assert_false(udp_address_parse("", &e));
	assert_false(
		udp_address_parse("1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_a_name_to_listen_on),
		cmocka_unit_test(refuses_a_remote_without_port_or_host),
		cmocka_unit_test(refuses_a_link_local_address_without_interface),
		cmocka_unit_test(refuses_families_that_contradict),
		cmocka_unit_test(refuses_learn_with_remote),
		cmocka_unit_test(takes_ranges_of_ports),
		cmocka_unit_test(refuses_ranges_that_begin_with_zero_or_are_too_long),
		cmocka_unit_test(hops_over_the_range_of_remote_or_over_ports),
		cmocka_unit_test(refuses_a_hop_that_has_nowhere_to_go),
		cmocka_unit_test(refuses_ports_that_are_no_range),
		cmocka_unit_test(the_object_has_the_defaults_of_its_table),
		cmocka_unit_test(refuses_a_fixed_and_a_carried_dscp),
		cmocka_unit_test(overhead_is_28_only_for_certain_ipv4),
		cmocka_unit_test(needs_say_bottom_layers_lanes_and_mtu),
		cmocka_unit_test(every_option_is_documented_and_inside_the_struct),
		cmocka_unit_test(every_counter_has_a_name_and_drops_are_marked),
		cmocka_unit_test(literals_are_read_and_written_alike),
	};
	return cmocka_run_group_tests_name("udp options", tests, NULL, NULL);
}
