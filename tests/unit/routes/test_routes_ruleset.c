/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of our tables, against files in golden/. VPNCORE_GOLDEN_UPDATE=1 writes them anew. */
#include "scenes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ruleset.h"

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

static void compare(const char *name, char *text)
{
	char path[512], wanted[8192] = "";
	assert_non_null(text);
	snprintf(path, sizeof(path), "%s/%s.nft", GOLDEN_DIR, name);
	bool update = getenv("VPNCORE_GOLDEN_UPDATE") != NULL;
	FILE *f = fopen(path, update ? "w" : "r");
	assert_non_null(f);
	if (update)
		fputs(text, f);
	else
		assert_true(fread(wanted, 1, sizeof(wanted) - 1, f) > 0);
	fclose(f);
	if (!update)
		assert_string_equal(text, wanted);
	free(text);
}

static struct routes_ruleset ruleset(void)
{
	assert_int_equal(scenes_plan(&s), VPN_OK);
	return (struct routes_ruleset){.options = &s.options,
				       .scene = &s.scene,
				       .plan = &s.plan,
				       .pipeline = "home",
				       .device = "wg0"};
}

static void a_split_tunnel_needs_no_table(void **state)
{
	(void)state;
	char *text = NULL;
	scenes_networks(&s, "10.9.0.0/16", NULL);
	struct routes_ruleset r = ruleset();
	assert_true(routes_ruleset_guard(&r, &text));
	assert_null(text);
	assert_true(routes_ruleset_lock(&r, &text));
	assert_null(text);
}

static void a_full_tunnel_is_guarded(void **state)
{
	(void)state;
	char *text = NULL;
	s.options.is_default = 1;
	struct routes_ruleset r = ruleset();
	assert_true(routes_ruleset_guard(&r, &text));
	compare("guard-default", text);
}

/* Overlapping networks would be refused by nft. */
static void a_server_translates_each_network_once(void **state)
{
	(void)state;
	char *text = NULL;
	s.options.nat = 1;
	scenes_allow(&s, "10.78.0.7/32", 0);
	scenes_allow(&s, "10.50.0.0/16", 0);
	scenes_allow(&s, "10.50.0.0/17", 0);
	scenes_allow(&s, "0.0.0.0/0", 0);
	struct routes_ruleset r = ruleset();
	assert_true(routes_ruleset_guard(&r, &text));
	compare("guard-nat", text);
}

static void forwarding_is_limited_where_it_was_off(void **state)
{
	(void)state;
	char *text = NULL;
	s.options.nat = 1;
	struct routes_ruleset r = ruleset();
	assert_true(routes_ruleset_forward(&r, &text));
	assert_null(text);
	r.opened4 = true;
	assert_true(routes_ruleset_forward(&r, &text));
	assert_null(strstr(text, "ipv6 drop"));
	free(text);
	r.opened6 = true;
	assert_true(routes_ruleset_forward(&r, &text));
	compare("forward", text);
}

static void queries_that_would_leave_elsewhere_are_refused(void **state)
{
	(void)state;
	char *text = NULL;
	scenes_networks(&s, "10.9.0.0/16", NULL);
	s.scene.block_dns = true;
	struct routes_ruleset r = ruleset();
	assert_true(routes_ruleset_guard(&r, &text));
	compare("guard-dns", text);
}

static void the_kill_switch_lets_little_pass(void **state)
{
	(void)state;
	char *text = NULL;
	s.options.kill_switch = ROUTES_KILL_ON;
	s.options.lan_access = ROUTES_LAN_OFF;
	struct routes_ruleset r = ruleset();
	assert_true(routes_ruleset_lock(&r, &text));
	compare("lock", text);
}

static void the_kill_switch_lets_pass_what_the_manifest_names(void **state)
{
	(void)state;
	char *text = NULL;
	s.options.kill_switch = ROUTES_KILL_LOCKDOWN;
	s.scene.port = 51820;
	scenes_exclude(&s, "192.168.0.0/16", "2001:db8:9::/48", NULL);
	struct routes_ruleset r = ruleset();
	assert_true(routes_ruleset_lock(&r, &text));
	compare("lock-open", text);
}

static void the_kill_switch_is_open_for_each_port_of_a_range(void **state)
{
	(void)state;
	char *text = NULL;
	s.options.kill_switch = ROUTES_KILL_ON;
	s.scene.port = 20000;
	s.scene.port_last = 20100;
	struct routes_ruleset r = ruleset();
	assert_true(routes_ruleset_lock(&r, &text));
	assert_non_null(strstr(text, "\t\tudp dport 20000-20100 accept\n"));
	free(text);
}

static void names_that_would_break_out_are_refused(void **state)
{
	(void)state;
	assert_true(routes_ruleset_takes("wg0"));
	assert_true(routes_ruleset_takes("eth0.5@x-y_z+"));
	assert_false(routes_ruleset_takes(""));
	assert_false(routes_ruleset_takes("wg*"));
	assert_false(routes_ruleset_takes("a\"b"));
	assert_false(routes_ruleset_takes("a;b"));
	assert_false(routes_ruleset_takes("a\\b"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_split_tunnel_needs_no_table),
		CASE(a_full_tunnel_is_guarded),
		CASE(a_server_translates_each_network_once),
		CASE(forwarding_is_limited_where_it_was_off),
		CASE(queries_that_would_leave_elsewhere_are_refused),
		CASE(the_kill_switch_lets_little_pass),
		CASE(the_kill_switch_lets_pass_what_the_manifest_names),
		CASE(the_kill_switch_is_open_for_each_port_of_a_range),
		CASE(names_that_would_break_out_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
