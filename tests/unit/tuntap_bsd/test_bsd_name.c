/* SPDX-License-Identifier: BSD-2-Clause */
/* Which device a name leads to, on each kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "name.h"
#include "rig.h"

static struct rig rig;

static void boot(enum model_os os, enum bsd_layer_kind layer, const char *name)
{
	model_boot(os);
	rig_init(&rig, layer);
	rig.options.name = name;
}

static void must_be_called(const char *name)
{
	rig_must_start(&rig);
	assert_string_equal(rig_info(&rig).name, name);
	assert_int_equal(rig_info(&rig).ifindex, model_find(name)->index);
	rig_stop(&rig);
}

static void reads_numbers_as_a_kernel_writes_them(void **state)
{
	static const struct {
		const char *name;
		enum bsd_name_kind kind;
		uint32_t unit;
		const char *text;
	} rows[] = {
		{"", BSD_NAME_ANY, BSD_UNIT_NONE, ""},
		{NULL, BSD_NAME_ANY, BSD_UNIT_NONE, ""},
		{"tun%d", BSD_NAME_ANY, BSD_UNIT_NONE, ""},
		{"tun0", BSD_NAME_NUMBERED, 0, ""},
		{"tun32767", BSD_NAME_NUMBERED, 32767, ""},
		{"tun32768", BSD_NAME_GIVEN, BSD_UNIT_NONE, "tun32768"},
		{"tun99999999999", BSD_NAME_GIVEN, BSD_UNIT_NONE, "tun99999999999"},
		{"tun", BSD_NAME_GIVEN, BSD_UNIT_NONE, "tun"},
		{"tun01", BSD_NAME_GIVEN, BSD_UNIT_NONE, "tun01"},
		{"tun1a", BSD_NAME_GIVEN, BSD_UNIT_NONE, "tun1a"},
		{"tap0", BSD_NAME_GIVEN, BSD_UNIT_NONE, "tap0"},
		{"wg0", BSD_NAME_GIVEN, BSD_UNIT_NONE, "wg0"},
		{"fifteen-letters", BSD_NAME_GIVEN, BSD_UNIT_NONE, "fifteen-letters"},
		{"vpn%d", BSD_NAME_PATTERN, BSD_UNIT_NONE, "vpn"},
		{"%d", BSD_NAME_PATTERN, BSD_UNIT_NONE, ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bsd_name n = bsd_name_parse(rows[i].name, "tun");
		assert_int_equal(n.kind, rows[i].kind);
		assert_int_equal(n.unit, rows[i].unit);
		assert_string_equal(n.text, rows[i].text);
	}
}

static void the_default_is_renamed_where_the_kernel_can(void **state)
{
	(void)state;
	for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++) {
		boot(MODEL_FREEBSD, layer, "vpn%d");
		must_be_called("vpn0");
		rig_check_clean();
		boot(MODEL_DRAGONFLY, layer, "vpn%d");
		must_be_called("vpn0");
		rig_check_clean();
		boot(MODEL_OPENBSD, layer, "vpn%d");
		must_be_called(layer == BSD_IP ? "tun0" : "tap0");
		assert_false(rig_logged(&rig, "vpn%d\n") &&
			     rig.fake.host.log_level < VPN_LOG_DEBUG);
		rig_check_clean();
		boot(MODEL_NETBSD, layer, "vpn%d");
		must_be_called(layer == BSD_IP ? "tun0" : "tap0");
		rig_check_clean();
	}
}

static void a_pattern_gets_the_first_free_name(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP, "vpn%d");
	model_create("tun0");
	model_rename("tun0", "vpn0");
	must_be_called("vpn1");
	rig_check_left(1);
}

static void a_given_name_that_cannot_be_is_told(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP, "wg0");
	must_be_called("wg0");
	rig_check_clean();
	boot(MODEL_OPENBSD, BSD_IP, "wg0");
	must_be_called("tun0");
	assert_true(rig_logged(&rig, "OpenBSD cannot rename it to wg0"));
	rig_check_clean();
}

static void the_word_without_a_number_is_a_name_to_rename_to(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP, "tun");
	must_be_called("tun");
	rig_check_clean();
}

static void a_number_is_exactly_that_one(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++) {
			boot(os, layer, layer == BSD_IP ? "tun2" : "tap2");
			must_be_called(layer == BSD_IP ? "tun2" : "tap2");
			/* DragonFly has no means to destroy the first four */
			rig_check_left(os == MODEL_DRAGONFLY ? 1 : 0);
		}
	boot(MODEL_DRAGONFLY, BSD_IP, "tun9");
	must_be_called("tun9");
	rig_check_clean();
	boot(MODEL_DRAGONFLY, BSD_ETHERNET, "tap9");
	must_be_called("tap9");
	rig_check_clean();
	boot(MODEL_FREEBSD, BSD_IP, "tun300");
	must_be_called("tun300");
	rig_check_clean();
}

static void the_first_free_number_passes_over_devices_of_others(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_IP, "");
		assert_non_null(model_create("tun0"));
		assert_true(model_open("/dev/tun1") > 0);
		must_be_called(os == MODEL_DRAGONFLY ? "tun4" : "tun2");
		assert_non_null(model_find("tun0"));
		assert_non_null(model_find("tun1"));
		assert_int_equal(model_devices(), 2);
		assert_int_equal(model_open_fds(), 1);
	}
}

static void a_device_that_is_there_is_taken_and_left(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++) {
			const char *name = layer == BSD_IP ? "tun1" : "tap1";
			boot(os, layer, name);
			assert_non_null(model_create(name));
			must_be_called(name);
			assert_int_equal(rig.n_adds, 0);
			rig_check_left(1);
		}
}

static void a_renamed_device_is_taken_by_its_name(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP, "office");
	model_create("tun5");
	model_rename("tun5", "office");
	must_be_called("office");
	rig_check_left(1);
	assert_non_null(model_find("office"));
	/* a tap of that name answers the same request, and would be taken for a tun */
	boot(MODEL_DRAGONFLY, BSD_IP, "office");
	model_create("tun5");
	model_rename("tun5", "office");
	rig_must_refuse(&rig, VPN_EBUSY, "/name", "office is there already");
	rig_check_left(1);
}

static void another_interface_of_that_name_is_refused(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_ETHERNET, "lan0");
	model_create("tun5");
	model_rename("tun5", "lan0");
	rig_must_refuse(&rig, VPN_EBUSY, "/name", "lan0 is there already");
	rig_check_left(1);
}

static void exclusive_refuses_what_is_there(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_IP, "tun1");
		rig.options.exclusive = 1;
		model_create("tun1");
		rig_must_refuse(&rig, VPN_EBUSY, "/exclusive", "tun1 is there already");
		rig_check_left(1);
	}
	boot(MODEL_FREEBSD, BSD_IP, "wg0");
	rig.options.exclusive = 1;
	model_create("tun1");
	model_rename("tun1", "wg0");
	rig_must_refuse(&rig, VPN_EBUSY, "/exclusive", "wg0 is there already");
}

static void a_device_in_use_is_said_to_be_so(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_IP, "tun1");
		assert_true(model_open("/dev/tun1") > 0);
		rig_must_refuse(&rig, VPN_EBUSY, "/name", "tun1 is in use by another program");
		assert_int_equal(model_open_fds(), 1);
		assert_int_equal(model_devices(), 1);
		assert_false(model.hung);
	}
}

static void says_how_to_make_a_missing_node(void **state)
{
	(void)state;
	boot(MODEL_OPENBSD, BSD_IP, "tun9");
	rig_must_refuse(&rig, VPN_ENOENT, "", "MAKEDEV");
	rig_check_clean();
	boot(MODEL_NETBSD, BSD_IP, "tun9");
	rig_must_refuse(&rig, VPN_ENOENT, "", "MAKEDEV");
	rig_check_clean();
	assert_int_equal(rig_records(&rig), 0);
	boot(MODEL_NETBSD, BSD_ETHERNET, "");
	model.has_clone_nodes = false;
	rig_must_refuse(&rig, VPN_ENOENT, "", "/dev/tap is not there");
	rig_check_clean();
	boot(MODEL_OPENBSD, BSD_IP, "");
	for (int i = 0; i < 4; i++) {
		char path[24];
		snprintf(path, sizeof(path), "/dev/tun%d", i);
		assert_true(model_open(path) > 0);
	}
	rig_must_refuse(&rig, VPN_ENOENT, "", "/dev/tun4 is not there");
	assert_int_equal(model_open_fds(), 4);
}

static void says_that_root_is_needed(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_IP, "tun1");
		model.no_root = true;
		rig_must_refuse(&rig, VPN_EPERM, "", "root");
		rig_check_clean();
		assert_int_equal(rig_records(&rig), 0);
	}
}

static void a_pattern_that_becomes_too_long_is_refused(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP, "fourteen-char%d");
	for (int i = 0; i < 10; i++) {
		char from[16], to[32];
		snprintf(from, sizeof(from), "tun%d", i);
		snprintf(to, sizeof(to), "fourteen-char%d", i);
		model_create(from);
		model_rename(from, to);
	}
	must_be_called("fourteen-char10");
	rig_check_left(10);
	boot(MODEL_FREEBSD, BSD_IP, "fifteen-chars-%d");
	assert_int_equal(rig_validate(&rig), VPN_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_numbers_as_a_kernel_writes_them),
		cmocka_unit_test(the_default_is_renamed_where_the_kernel_can),
		cmocka_unit_test(a_pattern_gets_the_first_free_name),
		cmocka_unit_test(a_given_name_that_cannot_be_is_told),
		cmocka_unit_test(the_word_without_a_number_is_a_name_to_rename_to),
		cmocka_unit_test(a_number_is_exactly_that_one),
		cmocka_unit_test(the_first_free_number_passes_over_devices_of_others),
		cmocka_unit_test(a_device_that_is_there_is_taken_and_left),
		cmocka_unit_test(a_renamed_device_is_taken_by_its_name),
		cmocka_unit_test(another_interface_of_that_name_is_refused),
		cmocka_unit_test(exclusive_refuses_what_is_there),
		cmocka_unit_test(a_device_in_use_is_said_to_be_so),
		cmocka_unit_test(says_how_to_make_a_missing_node),
		cmocka_unit_test(says_that_root_is_needed),
		cmocka_unit_test(a_pattern_that_becomes_too_long_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
