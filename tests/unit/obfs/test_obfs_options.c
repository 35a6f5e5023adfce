/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be asked for, and keys. */
#include <sodium.h>
#include <string.h>

#include "key.h"
#include "obfs_world.h"

static const uint8_t raw[OBFS_KEY_LEN] = {1, 2, 3, 4, 5};

static void refused_at(const struct obfs_options *o, const char *where, const char *text)
{
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(obfs_options_validate(o, &err), VPN_EINVAL);
	assert_int_equal(err.status, VPN_EINVAL);
	assert_string_equal(err.where, where);
	assert_non_null(strstr(err.text, text));
}

static void a_password_or_a_key_and_not_both(void **state)
{
	struct vpn_error err = {.size = sizeof(err)};
	struct obfs_options o = {.mode = OBFS_SALAMANDER};
	(void)state;
	refused_at(&o, "/password", "needs a \"password\"");
	o.password = "abc";
	refused_at(&o, "/password", "at least 4 bytes");
	o.password = "abcd";
	assert_int_equal(obfs_options_validate(&o, &err), VPN_OK);
	o.key = (struct vpn_bytes){.data = raw, .len = sizeof(raw)};
	refused_at(&o, "/key", "not both");
	o.password = NULL;
	assert_int_equal(obfs_options_validate(&o, &err), VPN_OK);
}

static void costs_what_the_mode_costs(void **state)
{
	struct obfs_options o = {.mode = OBFS_SALAMANDER, .password = "abcd"};
	struct vpn_needs needs = {.size = sizeof(needs)};
	(void)state;
	obfs_options_needs(&o, &needs);
	assert_int_equal(needs.headroom, 8);
	assert_int_equal(needs.overhead, 8);
	assert_int_equal(needs.tailroom, 0);
	assert_int_equal(needs.flags, VPN_L2 | VPN_L3 | VPN_LANE_AWARE | VPN_WANTS_CIPHERTEXT);
}

static void stretches_a_password_and_takes_a_key_as_it_is(void **state)
{
	/* argon2 -id -t 3 -k 65536 -p 1, salt "vpncore obfs key" */
	static const char expected[] =
		"a33bda724b6667d3d6002683a07e9e26bc63f1d9310f95d6e5eedd01ed747a88";
	struct vpn_error err = {.size = sizeof(err)};
	struct obfs_options o = {.password = "average_password"};
	uint8_t got[OBFS_KEY_LEN], want[OBFS_KEY_LEN];
	(void)state;
	assert_int_equal(sodium_init() >= 0, 1);
	assert_int_equal(obfs_key(&o, got, &err), VPN_OK);
	world_hex(expected, want);
	TESTHOST_SAME_BYTES(got, sizeof(got), want, sizeof(want));
	o = (struct obfs_options){.key = {.data = raw, .len = sizeof(raw)}};
	assert_int_equal(obfs_key(&o, got, &err), VPN_OK);
	assert_memory_equal(got, raw, sizeof(raw));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_or_a_key_and_not_both),
		cmocka_unit_test(costs_what_the_mode_costs),
		cmocka_unit_test(stretches_a_password_and_takes_a_key_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
