/* SPDX-License-Identifier: BSD-2-Clause */
/* What systemd-resolved is told, and what comes of its refusals. */
#include "fake.h"

#include <errno.h>
#include <string.h>

#include "link.h"
#include "push.h"
#include "trouble.h"

#define SOON_US UINT64_C(5000000)

static struct resolved_bus b;
static struct resolved_settings settings;
static struct resolved_push push;
static struct vpn_error err;
static char logged[256];

static void on_log(const struct vpn_host *host, uint32_t level, const char *text)
{
	(void)host;
	(void)level;
	strncpy(logged, text, sizeof(logged) - 1);
}

static const struct vpn_host host = {
	.size = sizeof(host), .log_level = VPN_LOG_DEBUG, .log = on_log};

static int fresh(void **state)
{
	static const struct vpn_address four = {VPN_AF_INET, {0}, {10, 78, 0, 1}};
	static const struct vpn_address six = {VPN_AF_INET6, {0}, {0xfd, 0x78, [15] = 1}};
	(void)state;
	memset(&settings, 0, sizeof(settings));
	settings.version = RESOLVED_RECORD_VERSION;
	settings.ifindex = FAKE_INDEX;
	settings.default_route = 1;
	resolved_settings_add_server(&settings, &four);
	resolved_settings_add_server(&settings, &six);
	resolved_settings_add_domain(&settings, ".", true);
	resolved_settings_add_domain(&settings, "lan.example", false);
	memset(&push, 0, sizeof(push));
	push.host = &host;
	err = (struct vpn_error){.size = sizeof(err)};
	logged[0] = '\0';
	return 0;
}

static uint64_t soon(void)
{
	return resolved_bus_now() + SOON_US;
}

/* Pushes, and returns the status that set() would have. */
static vpn_status tell(enum fake_kind kind, uint64_t limit)
{
	vpn_status status = VPN_OK;
	fake_start(kind, &b);
	int e = resolved_push_begin(&push, &b, &settings);
	if (e == 0)
		e = resolved_bus_drive(&b, &push.done, resolved_bus_now() + limit);
	if (e == 0)
		e = push.error;
	if (e != 0)
		status = resolved_trouble(&err, e, &push.said, "wg0");
	resolved_push_clear(&push);
	fake_stop(&b);
	return status;
}

static void tells_the_domains_before_the_servers(void **state)
{
	(void)state;
	assert_int_equal(tell(FAKE_GOOD, SOON_US), VPN_OK);
	assert_string_equal(fake_calls(), "SetLinkDomains 7 ~. lan.example\n"
					  "SetLinkDefaultRoute 7 yes\n"
					  "SetLinkDNS 7 10.78.0.1 fd78::1\n"
					  "FlushCaches\n");
}

static void does_without_what_an_old_version_lacks(void **state)
{
	(void)state;
	assert_int_equal(tell(FAKE_OLD, SOON_US), VPN_OK);
	assert_string_equal(fake_calls(), "SetLinkDomains 7 ~. lan.example\n"
					  "SetLinkDNS 7 10.78.0.1 fd78::1\n");
	assert_non_null(strstr(logged, "has no FlushCaches"));
}

static void says_who_has_to_allow_it(void **state)
{
	(void)state;
	assert_int_equal(tell(FAKE_DENIES, SOON_US), VPN_EPERM);
	assert_non_null(strstr(err.text, "run as root"));
}

static void says_who_manages_the_interface(void **state)
{
	(void)state;
	assert_int_equal(tell(FAKE_BUSY, SOON_US), VPN_EBUSY);
	assert_non_null(strstr(err.text, "systemd-networkd manages wg0"));
}

static void says_that_the_interface_is_not_known(void **state)
{
	(void)state;
	assert_int_equal(tell(FAKE_NO_LINK, SOON_US), VPN_ENOENT);
	assert_non_null(strstr(err.text, "network namespace"));
}

static void does_not_wait_for_one_that_is_silent(void **state)
{
	(void)state;
	assert_int_equal(tell(FAKE_SILENT, 50000), VPN_ETIMEDOUT);
	assert_non_null(strstr(err.text, "does not answer"));
}

static void survives_the_end_of_the_other_side(void **state)
{
	(void)state;
	assert_int_not_equal(tell(FAKE_DIES, SOON_US), VPN_OK);
	assert_true(err.text[0] != '\0');
}

/* ---- reading ---- */

static void reads_what_an_interface_has(void **state)
{
	static const struct vpn_address four = {VPN_AF_INET, {0}, {10, 78, 0, 1}};
	struct resolved_settings now, wanted = {.n_servers = 0};
	sd_bus_error said = SD_BUS_ERROR_NULL;
	bool more = true;
	(void)state;
	resolved_settings_add_server(&wanted, &four);
	resolved_settings_add_domain(&wanted, "corp.example", true);
	resolved_settings_add_domain(&wanted, "lan", false);
	fake_start(FAKE_GOOD, &b);
	assert_int_equal(resolved_link_read(&b, FAKE_INDEX, soon(), &now, &more, &said), 0);
	fake_stop(&b);
	assert_false(more);
	assert_int_equal(now.default_route, 1);
	assert_true(resolved_settings_same_servers(&now, &wanted));
	assert_true(resolved_settings_same_domains(&now, &wanted));
}

static void refuses_properties_of_other_types(void **state)
{
	struct resolved_settings now;
	sd_bus_error said = SD_BUS_ERROR_NULL;
	bool more;
	(void)state;
	fake_start(FAKE_STRANGE, &b);
	assert_int_not_equal(resolved_link_read(&b, FAKE_INDEX, soon(), &now, &more, &said), 0);
	fake_stop(&b);
	assert_int_equal(now.n_servers, 0);
	sd_bus_error_free(&said);
}

static void knows_that_an_interface_is_not_there(void **state)
{
	struct resolved_settings now;
	sd_bus_error said = SD_BUS_ERROR_NULL;
	bool more;
	(void)state;
	fake_start(FAKE_GOOD, &b);
	assert_int_not_equal(resolved_link_read(&b, FAKE_INDEX + 1, soon(), &now, &more, &said), 0);
	fake_stop(&b);
	assert_true(resolved_trouble_is_no_link(&said));
	sd_bus_error_free(&said);
}

static void reverting_needs_no_cache_to_empty(void **state)
{
	sd_bus_error said = SD_BUS_ERROR_NULL;
	(void)state;
	fake_start(FAKE_OLD, &b);
	assert_int_equal(resolved_link_revert(&b, FAKE_INDEX, soon(), &said), 0);
	fake_stop(&b);
	assert_string_equal(fake_calls(), "RevertLink 7\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(tells_the_domains_before_the_servers, fresh),
		cmocka_unit_test_setup(does_without_what_an_old_version_lacks, fresh),
		cmocka_unit_test_setup(says_who_has_to_allow_it, fresh),
		cmocka_unit_test_setup(says_who_manages_the_interface, fresh),
		cmocka_unit_test_setup(says_that_the_interface_is_not_known, fresh),
		cmocka_unit_test_setup(does_not_wait_for_one_that_is_silent, fresh),
		cmocka_unit_test_setup(survives_the_end_of_the_other_side, fresh),
		cmocka_unit_test_setup(reads_what_an_interface_has, fresh),
		cmocka_unit_test_setup(refuses_properties_of_other_types, fresh),
		cmocka_unit_test_setup(knows_that_an_interface_is_not_there, fresh),
		cmocka_unit_test_setup(reverting_needs_no_cache_to_empty, fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
