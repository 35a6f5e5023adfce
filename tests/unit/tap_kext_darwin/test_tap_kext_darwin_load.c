/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading and unloading on request, and the journal of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "rig.h"
#include "tap_options.h"

#define INSTALLED    "/Library/Extensions/tunnelblick-tap.kext"
#define ETHERNET_MTU (RIG_MTU + DARWIN_ETHERNET_ROOM)

static struct rig rig;
static struct tap_options options;

static int setup(void **state)
{
	(void)state;
	model_reset();
	memset(&rig, 0, sizeof(rig));
	model.files[0] = INSTALLED;
	options = (struct tap_options){.common.name = "tap%d", .common.up = 1, .load = 1};
	return 0;
}

static uint32_t runs_of(const char *command)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < model.n_runs && i < 16; i++)
		n += strncmp(model.runs[i], command, strlen(command)) == 0;
	return n;
}

/* ---- not asked to ---- */

static void never_loads_without_being_asked(void **state)
{
	(void)state;
	options.load = 0;
	rig_must_refuse(&rig, &options, VPN_ENOENT, "/load", "sudo kextload " INSTALLED);
	model.files[0] = NULL;
	rig_must_refuse(&rig, &options, VPN_ENOENT, "", "docs/macos.md");
	assert_int_equal(runs_of("/sbin/kextload"), 0);
}

static void loads_nothing_beside_what_is_loaded(void **state)
{
	(void)state;
	model.loaded[0] = "net.sf.tuntaposx.tap";
	rig_must_start(&rig, &options, ETHERNET_MTU);
	assert_int_equal(model.n_runs, 0);
	rig_stop(&rig);
	model.no_nodes = true;
	rig_must_refuse(&rig, &options, VPN_EBUSY, "", "");
	assert_int_equal(runs_of("/sbin/kextload"), 0);
}

/* ---- loading ---- */

static void loads_what_is_installed(void **state)
{
	(void)state;
	rig_must_start(&rig, &options, ETHERNET_MTU);
	assert_int_equal(runs_of("/sbin/kextload " INSTALLED), 1);
	assert_int_equal(model.slept_ms, 0);
	assert_true(rig_logged(&rig, "loaded net.tunnelblick.tap"));
	rig_stop(&rig);
	assert_string_equal(model.loaded[0], "net.tunnelblick.tap"); /* it stays */
}

static void loads_what_the_manifest_names(void **state)
{
	(void)state;
	options.kext = "/Library/Extensions/other tap.kext";
	rig_must_refuse(&rig, &options, VPN_ENOENT, "/kext", "other tap.kext");
	model.files[1] = options.kext;
	model.plist = "<key>CFBundleIdentifier</key><string>net.sf.tuntaposx.tap</string>";
	rig_must_start(&rig, &options, ETHERNET_MTU);
	assert_int_equal(runs_of("/sbin/kextload /Library/Extensions/other tap.kext"), 1);
	rig_stop(&rig);
}

static void tries_again_when_that_can_help(void **state)
{
	(void)state;
	model.load_after = 3;
	rig_must_start(&rig, &options, ETHERNET_MTU);
	assert_int_equal(runs_of("/sbin/kextload"), 4);
	assert_int_equal(model.slept_ms, 3000);
	rig_stop(&rig);
}

static void does_not_believe_kextload(void **state)
{
	(void)state;
	model.lying = true;
	rig_must_refuse(&rig, &options, VPN_EIO, "/load", "was not loaded");
	assert_int_equal(runs_of("/sbin/kextload"), 5);
	assert_int_equal(runs_of("/usr/bin/kextutil -d " INSTALLED " -b net.tunnelblick.tap"), 1);
}

static const char *answer;

/* kextload prints `answer` and fails; the rest works. */
static int refuse_to_load(const char *const *argv, char *out, size_t cap)
{
	if (strcmp(argv[0], "/sbin/kextload") != 0)
		return -1;
	snprintf(out, cap, "%s", answer);
	return 71;
}

static void gives_up_at_once_when_it_cannot_help(void **state)
{
	(void)state;
	model.on_run = refuse_to_load;
	answer = "failed to load - (libkern/kext) system policy prevents loading";
	model.product = "10.14.6";
	rig_must_refuse(&rig, &options, VPN_EPERM, "", "30 minutes");
	assert_int_equal(runs_of("/sbin/kextload"), 1);
	assert_int_equal(model.slept_ms, 0);
	answer = "not privileged";
	rig_must_refuse(&rig, &options, VPN_EPERM, "/load", "sudo");
}

static void explains_a_start_routine_that_fails(void **state)
{
	(void)state;
	model.on_run = refuse_to_load;
	answer = "kext (kmod) start/stop routine failed";
	rig_must_refuse(&rig, &options, VPN_EBUSY, "", "VirtualBox");
	assert_int_equal(runs_of("/sbin/kextload"), 5);
}

static const char *allowed;

static int refuse_and_tell_policy(const char *const *argv, char *out, size_t cap)
{
	if (strcmp(argv[0], "/usr/bin/sqlite3") != 0)
		return refuse_to_load(argv, out, cap);
	assert_string_equal(argv[1], "-readonly");
	assert_string_equal(
		argv[3], "SELECT allowed FROM kext_policy WHERE bundle_id = 'net.tunnelblick.tap'");
	assert_null(argv[4]);
	snprintf(out, cap, "%s", allowed);
	return 0;
}

static void tells_approval_from_the_restart_behind_it(void **state)
{
	(void)state;
	model.on_run = refuse_and_tell_policy;
	model.files[1] = "/private/var/db/SystemPolicyConfiguration/KextPolicy";
	answer = "Extension with identifiers net.tunnelblick.tap not approved to load";
	allowed = "0\n";
	rig_must_refuse(&rig, &options, VPN_EPERM, "", "approve");
	allowed = "";
	rig_must_refuse(&rig, &options, VPN_EPERM, "", "approve");
	allowed = "1\n";
	rig_must_refuse(&rig, &options, VPN_EPERM, "", "after a restart");
}

static void knows_beforehand_what_cannot_load(void **state)
{
	(void)state;
	model.files[0] = "/Library/Extensions/tap.kext";
	model.apple_silicon = true;
	rig_must_refuse(&rig, &options, VPN_ENOTSUP, "", "not built for this processor");
	options.kext = "/Users/me/tap.kext";
	model.files[1] = options.kext;
	model.plist = "<key>CFBundleIdentifier</key><string>net.tunnelblick.tap</string>";
	rig_must_refuse(&rig, &options, VPN_ENOTSUP, "/kext", "/Library/Extensions only");
	assert_int_equal(runs_of("/sbin/kextload"), 0);
	model.apple_silicon = false;
	model.product = "10.15.7";
	rig_must_start(&rig, &options, ETHERNET_MTU);
	rig_stop(&rig);
}

/* ---- unloading ---- */

static void unloads_what_it_has_loaded(void **state)
{
	(void)state;
	options.unload = 1;
	for (int journal = 0; journal < 2; journal++) {
		rig.has_journal = journal != 0;
		rig_must_start(&rig, &options, ETHERNET_MTU);
		assert_int_equal(rig.record, journal != 0 ? 77 : 0);
		rig_stop(&rig);
		assert_null(model.loaded[0]);
		assert_int_equal(rig.record, 0);
	}
	assert_int_equal(runs_of("/sbin/kextunload -b net.tunnelblick.tap"), 2);
}

static void unloads_nothing_that_was_there(void **state)
{
	(void)state;
	options.unload = 1;
	rig.has_journal = true;
	model.loaded[0] = "net.tunnelblick.tap";
	rig_must_start(&rig, &options, ETHERNET_MTU);
	assert_int_equal(rig.record, 0);
	rig_stop(&rig);
	assert_non_null(model.loaded[0]);
}

static void says_when_it_stays(void **state)
{
	(void)state;
	options.unload = 1;
	rig.has_journal = true;
	rig_must_start(&rig, &options, ETHERNET_MTU);
	model.unload_fails = true;
	rig_stop(&rig);
	assert_true(rig_logged(&rig, "stays loaded"));
	assert_int_equal(rig.record, 77); /* for the next try */
}

static void loads_nothing_that_it_cannot_write_down(void **state)
{
	(void)state;
	options.unload = 1;
	rig.has_journal = true;
	rig.add_status = VPN_EIO;
	assert_int_equal(rig_start(&rig, &options, ETHERNET_MTU), VPN_EIO);
	assert_int_equal(runs_of("/sbin/kextload"), 0);
}

static void keeps_no_record_of_a_load_that_failed(void **state)
{
	(void)state;
	options.unload = 1;
	rig.has_journal = true;
	model.lying = true;
	assert_int_equal(rig_start(&rig, &options, ETHERNET_MTU), VPN_EIO);
	assert_int_equal(rig.record, 0);
}

static void undoes_after_a_crash(void **state)
{
	struct {
		uint32_t version;
		char id[64];
	} record = {1, "net.tunnelblick.tap"};
	struct vpn_error err = {.size = sizeof(err)};
	const struct vpn_component *c = rig_component();
	(void)state;
	fake_init(&rig.fake, 1, RIG_MTU);
	model.loaded[0] = "net.tunnelblick.tap";
	assert_int_equal(c->undo(&rig.fake.host, 0, &record, sizeof(record), &err), VPN_OK);
	assert_null(model.loaded[0]);
	uint32_t runs = runs_of("/sbin/kextunload");
	assert_int_equal(c->undo(&rig.fake.host, 0, &record, sizeof(record), &err), VPN_OK);
	assert_int_equal(runs_of("/sbin/kextunload"), runs); /* nothing to do the second time */
	model.loaded[0] = "net.tunnelblick.tap";
	model.unload_fails = true;
	assert_int_equal(c->undo(&rig.fake.host, 0, &record, sizeof(record), &err), VPN_EBUSY);
}

static void refuses_records_that_are_not_its_own(void **state)
{
	struct {
		uint32_t version;
		char id[64];
	} record = {1, "com.apple.kpi.bsd"};
	struct vpn_error err = {.size = sizeof(err)};
	const struct vpn_component *c = rig_component();
	(void)state;
	fake_init(&rig.fake, 1, RIG_MTU);
	assert_true(c->undo(&rig.fake.host, 0, &record, sizeof(record), &err) < 0);
	assert_true(c->undo(&rig.fake.host, 0, &record, 10, &err) < 0);
	memset(record.id, 'x', sizeof(record.id));
	assert_true(c->undo(&rig.fake.host, 0, &record, sizeof(record), &err) < 0);
	memcpy(record.id, "foo.tap", 8);
	record.version = 2;
	assert_true(c->undo(&rig.fake.host, 0, &record, sizeof(record), &err) < 0);
	assert_int_equal(model.n_runs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(never_loads_without_being_asked, setup),
		cmocka_unit_test_setup(loads_nothing_beside_what_is_loaded, setup),
		cmocka_unit_test_setup(loads_what_is_installed, setup),
		cmocka_unit_test_setup(loads_what_the_manifest_names, setup),
		cmocka_unit_test_setup(tries_again_when_that_can_help, setup),
		cmocka_unit_test_setup(does_not_believe_kextload, setup),
		cmocka_unit_test_setup(gives_up_at_once_when_it_cannot_help, setup),
		cmocka_unit_test_setup(explains_a_start_routine_that_fails, setup),
		cmocka_unit_test_setup(tells_approval_from_the_restart_behind_it, setup),
		cmocka_unit_test_setup(knows_beforehand_what_cannot_load, setup),
		cmocka_unit_test_setup(unloads_what_it_has_loaded, setup),
		cmocka_unit_test_setup(unloads_nothing_that_was_there, setup),
		cmocka_unit_test_setup(says_when_it_stays, setup),
		cmocka_unit_test_setup(loads_nothing_that_it_cannot_write_down, setup),
		cmocka_unit_test_setup(keeps_no_record_of_a_load_that_failed, setup),
		cmocka_unit_test_setup(undoes_after_a_crash, setup),
		cmocka_unit_test_setup(refuses_records_that_are_not_its_own, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
