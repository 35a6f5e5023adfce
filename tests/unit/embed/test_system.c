/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore_system_*: who answers, what arrives, and what is said when nobody can. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/vpncore.h>

static char heard[256];
static uint32_t heard_level;

static void hear(void *ctx, uint32_t level, const char *component, const char *text)
{
	(void)ctx;
	heard_level = level;
	snprintf(heard, sizeof(heard), "%s: %s", component, text);
}

/* The components of one folder of plugins/answers.c. */
static struct vpncore_system *open_system(const char *folder)
{
	const struct vpncore_callbacks callbacks = {.size = sizeof(callbacks), .log = hear};
	struct vpn_error err = {.size = sizeof(err)};
	struct vpncore_system *s;
	char path[512];
	snprintf(path, sizeof(path), ANSWERS "/%s", folder);
	assert_int_equal(setenv("VPNCORE_PLUGIN_PATH", path, 1), 0);
	if (vpncore_system_open(&s, &callbacks, &err) != VPN_OK)
		fail_msg("%s", err.text);
	heard[0] = '\0';
	return s;
}

static void tells_the_default_route(void **state)
{
	struct vpncore_system *s = open_system("one");
	struct vpn_route route = {.size = sizeof(route)};
	(void)state;
	assert_int_equal(vpncore_system_default_route(s, VPN_AF_INET, &route, NULL), VPN_OK);
	assert_int_equal(route.size, sizeof(route));
	assert_int_equal(route.ifindex, 7);
	assert_int_equal(route.metric, 100);
	assert_int_equal(route.mtu, 1500);
	assert_int_equal(route.gateway.family, VPN_AF_INET);
	assert_int_equal(route.gateway.addr[0], 192);
	assert_int_equal(route.source.family, VPN_AF_NONE);
	assert_string_equal(route.ifname, "only");
	assert_int_equal(route.ifname[sizeof(route.ifname) - 1], '\0');
	assert_null(vpncore_system_free(s));
	assert_null(vpncore_system_free(NULL));
}

static void passes_on_why_there_is_none(void **state)
{
	struct vpncore_system *s = open_system("one");
	struct vpn_route route = {.size = sizeof(route)};
	/* as a caller leaves it who has used it before */
	struct vpn_error err = {.size = sizeof(err), .status = 7, .os_errno = 7, .text = "old"};
	(void)state;
	assert_int_equal(vpncore_system_default_route(s, VPN_AF_INET6, &route, &err), VPN_ENOENT);
	assert_int_equal(err.status, VPN_ENOENT);
	assert_int_equal(err.os_errno, 0);
	assert_string_equal(err.text, "there is no default route for IPv6");
	vpncore_system_free(s);
}

static void tells_the_route_to_an_address(void **state)
{
	struct vpncore_system *s = open_system("one");
	struct vpn_address to = {.family = VPN_AF_INET, .addr = {203, 0, 113, 9}};
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_route route = {.size = sizeof(route)};
	(void)state;
	assert_int_equal(vpncore_system_route_to(s, &to, &route, &err), VPN_OK);
	assert_int_equal(route.flags, VPN_ROUTE_BLOCKED);
	assert_memory_equal(&route.source, &to, sizeof(to));
	assert_string_equal(heard, "only: somebody asks");
	assert_int_equal(heard_level, VPN_LOG_WARN);
	to.addr[0] = 9;
	assert_int_equal(vpncore_system_route_to(s, &to, &route, &err), VPN_EIO);
	assert_string_equal(err.text, "only cannot tell the system's routes: status -4");
	vpncore_system_free(s);
}

static void refuses_what_is_no_address(void **state)
{
	struct vpncore_system *s = open_system("one");
	const struct vpn_address none = {.family = VPN_AF_NONE};
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_route route = {.size = sizeof(route)};
	(void)state;
	assert_int_equal(vpncore_system_route_to(s, &none, &route, &err), VPN_EINVAL);
	assert_non_null(strstr(err.text, "family 0"));
	assert_int_equal(vpncore_system_default_route(s, VPN_AF_OPAQUE, &route, &err), VPN_EINVAL);
	vpncore_system_free(s);
}

/* A program that was built when the struct had fewer fields. */
static void writes_no_more_than_the_caller_has(void **state)
{
	struct vpncore_system *s = open_system("one");
	struct vpn_route route;
	(void)state;
	memset(&route, 0x55, sizeof(route));
	route.size = offsetof(struct vpn_route, mtu);
	assert_int_equal(vpncore_system_default_route(s, VPN_AF_INET, &route, NULL), VPN_OK);
	assert_int_equal(route.metric, 100);
	assert_int_equal(route.mtu, 0x55555555);
	assert_int_equal(route.ifname[0], 0x55);
	vpncore_system_free(s);
}

struct told {
	unsigned n;
	int stop;
	char domain[32];
	struct vpn_endpoint server;
};

static int take_dns(void *ctx, const struct vpn_dns_info *info)
{
	struct told *t = ctx;
	assert_int_equal(info->n_servers, 1);
	assert_int_equal(info->n_domains, 1);
	t->n++;
	t->server = info->servers[0];
	snprintf(t->domain, sizeof(t->domain), "%s", info->domains[0]);
	return t->stop;
}

static void tells_the_name_servers_until_enough(void **state)
{
	struct vpncore_system *s = open_system("one");
	struct told all = {0}, first = {.stop = 1};
	(void)state;
	assert_int_equal(vpncore_system_dns(s, take_dns, &all, NULL), VPN_OK);
	assert_int_equal(all.n, 2);
	assert_int_equal(all.server.port, 53);
	assert_int_equal(all.server.addr[3], 53);
	assert_int_equal(vpncore_system_dns(s, take_dns, &first, NULL), VPN_OK);
	assert_int_equal(first.n, 1);
	vpncore_system_free(s);
}

static void the_component_that_fits_best_answers(void **state)
{
	struct vpncore_system *s = open_system("several");
	struct vpn_route route = {.size = sizeof(route)};
	struct told told = {0};
	(void)state;
	assert_int_equal(vpncore_system_default_route(s, VPN_AF_INET, &route, NULL), VPN_OK);
	assert_string_equal(route.ifname, "best");
	assert_int_equal(vpncore_system_dns(s, take_dns, &told, NULL), VPN_OK);
	assert_string_equal(told.domain, "best");
	vpncore_system_free(s);
}

/* One that can change nothing here may still be able to look. */
static void one_that_cannot_answer_leaves_it_to_the_next(void **state)
{
	struct vpncore_system *s = open_system("unwilling");
	struct told told = {0};
	(void)state;
	assert_int_equal(vpncore_system_dns(s, take_dns, &told, NULL), VPN_OK);
	assert_string_equal(told.domain, "unable");
	vpncore_system_free(s);
}

static void says_that_nobody_can_tell(void **state)
{
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_route route = {.size = sizeof(route)};
	struct told told = {0};
	static const char *const folders[] = {"none", "is-not-there"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vpncore_system *s = open_system(folders[i]);
		assert_int_equal(vpncore_system_default_route(s, VPN_AF_INET, &route, &err),
				 VPN_ENOTSUP);
		assert_string_equal(err.text, "no routes component that can tell the system's "
					      "routes is installed for this platform");
		assert_int_equal(vpncore_system_dns(s, take_dns, &told, &err), VPN_ENOTSUP);
		assert_non_null(strstr(err.text, "the system's name servers"));
		vpncore_system_free(s);
	}
	assert_int_equal(told.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_default_route),
		cmocka_unit_test(passes_on_why_there_is_none),
		cmocka_unit_test(tells_the_route_to_an_address),
		cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(writes_no_more_than_the_caller_has),
		cmocka_unit_test(tells_the_name_servers_until_enough),
		cmocka_unit_test(the_component_that_fits_best_answers),
		cmocka_unit_test(one_that_cannot_answer_leaves_it_to_the_next),
		cmocka_unit_test(says_that_nobody_can_tell),
	};
	return cmocka_run_group_tests_name("system", tests, NULL, NULL);
}
