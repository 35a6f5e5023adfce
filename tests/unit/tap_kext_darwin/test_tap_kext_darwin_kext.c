/* SPDX-License-Identifier: BSD-2-Clause */
/* What is loaded, what is on the disk, which macOS this is, and what is said to the user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "advice.h"
#include "rig.h"

static int setup(void **state)
{
	(void)state;
	model_reset();
	return 0;
}

/* ---- loaded ---- */

static void reads_the_list_of_kextstat(void **state)
{
	struct tap_loaded l;
	(void)state;
	tap_kext_parse_list(
		"Index Refs Address            Size       Wired      Name (Version) UUID <Linked "
		"Against>\n"
		"    1  127 0                  0          0          com.apple.kpi.bsd (21.6.0)\n"
		"  168    0 0xffffff7f9c2f1000 0x5fff     0x5fff     net.tunnelblick.tap (5.0) 4A "
		"<7 5 1>\n"
		"  169    0 0xffffff7f9c2f7000 0x5fff     0x5fff     net.sf.tuntaposx.tun (1.0) 4B "
		"<7>\n",
		&l);
	assert_int_equal(l.n_tap, 1);
	assert_int_equal(l.n_tun, 1);
	assert_true(tap_kext_is_loaded(&l, "net.tunnelblick.tap"));
	assert_false(tap_kext_is_loaded(&l, "net.sf.tuntaposx.tap"));
}

static void takes_whole_names_only(void **state)
{
	struct tap_loaded l;
	(void)state;
	tap_kext_parse_list("net.tunnelblick.tapper (1)\nxnet.tunnelblick.tap (1)\nfoo.tap.x\n"
			    "com.example.foo.tap (2) net.sf.tuntaposx.ta\n",
			    &l);
	assert_int_equal(l.n_tap, 0);
	tap_kext_parse_list("foo.tap\tfoo.tap foo.tap", &l);
	assert_int_equal(l.n_tap, 1);
	tap_kext_parse_list("", &l);
	assert_int_equal(l.n_tap, 0);
}

static int only_kmutil(const char *const *argv, char *out, size_t cap)
{
	if (strcmp(argv[0], "/usr/bin/kmutil") != 0)
		return 1; /* kextstat fails */
	assert_string_equal(argv[1], "showloaded");
	snprintf(out, cap, "No variant specified\n  9 0 0 0 0 net.sf.tuntaposx.tap (1.0) X\n");
	return 0;
}

static int endless(const char *const *argv, char *out, size_t cap)
{
	(void)argv;
	memset(out, 'x', cap - 1);
	out[cap - 1] = '\0';
	return 0;
}

static int nothing_works(const char *const *argv, char *out, size_t cap)
{
	(void)argv;
	(void)out;
	(void)cap;
	return 71;
}

static void asks_kmutil_where_kextstat_is_gone(void **state)
{
	struct tap_loaded l;
	(void)state;
	model.on_run = only_kmutil;
	assert_int_equal(tap_kext_list(&l), 0);
	assert_true(tap_kext_is_loaded(&l, "net.sf.tuntaposx.tap"));
	model.on_run = nothing_works;
	assert_int_not_equal(tap_kext_list(&l), 0);
	assert_int_equal(l.n_tap, 0);
	model.on_run = endless; /* a list that is cut off says nothing */
	assert_int_equal(tap_kext_list(&l), EOVERFLOW);
}

/* ---- on the disk ---- */

static const char plist[] =
	"<?xml version=\"1.0\"?><plist><dict>\n<key>CFBundleName</key><string>tap</string>\n"
	"<key>CFBundleIdentifier</key>\n\t<string>net.tunnelblick.tap</string>\n</dict></plist>";

static void finds_extensions_in_order(void **state)
{
	const struct tap_system old = {10, 14, false}, now = {14, 5, true};
	struct tap_found f;
	(void)state;
	assert_false(tap_kext_find(NULL, &now, &f));
	model.files[0] = "/Applications/Tunnelblick.app/Contents/Resources/tap-signed.kext";
	assert_true(tap_kext_find("", &old, &f));
	assert_string_equal(f.path, model.files[0]);
	assert_string_equal(f.id, "net.tunnelblick.tap");
	assert_false(tap_kext_find(NULL, &now, &f)); /* not from there any more */
	model.files[1] = "/Library/Extensions/tap.kext";
	assert_true(tap_kext_find(NULL, &now, &f));
	assert_string_equal(f.id, "net.sf.tuntaposx.tap");
	model.plist = plist; /* what is inside counts, not the name */
	assert_true(tap_kext_find(NULL, &now, &f));
	assert_string_equal(f.id, "net.tunnelblick.tap");
	model.files[2] = "/Library/Extensions/tap-notarized.kext";
	assert_true(tap_kext_find(NULL, &now, &f));
	assert_string_equal(f.path, model.files[2]);
	model.files[3] = "/Library/Extensions/tunnelblick-tap.kext";
	assert_true(tap_kext_find(NULL, &now, &f));
	assert_string_equal(f.path, model.files[3]);
	assert_false(tap_kext_find("/tmp/mine.kext", &now, &f));
	model.files[4] = "/tmp/mine.kext";
	assert_true(tap_kext_find("/tmp/mine.kext", &now, &f));
	assert_string_equal(f.path, "/tmp/mine.kext");
}

static void takes_no_strange_identifiers(void **state)
{
	static const char *const bad[] = {
		"<key>CFBundleIdentifier</key><string>a'; rm -rf /</string>",
		"<key>CFBundleIdentifier</key><string></string>",
		"<key>CFBundleIdentifier</key><string>unfinished",
		"<key>CFBundleIdentifier</key>",
		"bplist00",
		("<key>CFBundleIdentifier</key><string>"
		 "0123456789012345678901234567890123456789012345678901234567890123456789</string>"),
	};
	const struct tap_system now = {14, 5, false};
	struct tap_found f;
	(void)state;
	model.files[0] = "/Library/Extensions/tap.kext";
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		model.plist = bad[i];
		assert_true(tap_kext_find(NULL, &now, &f));
		assert_string_equal(f.id, "net.sf.tuntaposx.tap");
	}
}

/* ---- the system ---- */

static void tells_versions_and_processors(void **state)
{
	static const struct {
		const char *product, *release;
		int major, minor;
	} cases[] = {
		{"14.5", "23.5.0", 14, 5}, {"10.15.7", "19.6.0", 10, 15},
		{"26.0", "25.0.0", 26, 0}, {"10.16", "20.1.0", 11, 0},
		{NULL, "8.11.1", 10, 4},   {NULL, "17.4.0", 10, 13},
		{NULL, "20.2.0", 11, 0},   {NULL, "24.6.0", 15, 0},
		{NULL, "25.5.0", 26, 0},   {"?", "19.0.0", 10, 15},
		{NULL, NULL, 0, 0},        {NULL, "x", 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		model.product = cases[i].product;
		model.release = cases[i].release;
		model.apple_silicon = i == 0;
		struct tap_system s = tap_system_read();
		assert_int_equal(s.major, cases[i].major);
		assert_int_equal(s.minor, cases[i].minor);
		assert_int_equal(s.apple_silicon, i == 0);
	}
}

/* ---- advice ---- */

static void understands_what_programs_print(void **state)
{
	static const struct {
		const char *output;
		enum tap_reason reason;
	} cases[] = {
		{"/x/tap-signed.kext failed to load - (libkern/kext) system policy prevents "
		 "loading; "
		 "check the system/kernel logs for errors or try kextutil(8).\n",
		 TAP_NOT_APPROVED},
		{"Extension with identifiers net.tunnelblick.tap not approved to load. Please "
		 "approve "
		 "using System Settings.\n",
		 TAP_NOT_APPROVED},
		{"Error occurred while building a collection: a reboot is required",
		 TAP_NEEDS_RESTART},
		{"failed to load - (libkern/kext) kext (kmod) start/stop routine failed",
		 TAP_NO_SLOT},
		{"(kernel) Kext net.tunnelblick.tap start failed (result 0x5).", TAP_NO_SLOT},
		{"could not find architecture x86_64 in the binary", TAP_WRONG_CPU},
		{"Kext rejected due to insecure location or: not Notarized", TAP_UNSIGNED},
		{"Can't load tap-signed.kext - validation problems.", TAP_UNSIGNED},
		{"You must be running as root to load kexts.", TAP_NO_RIGHTS},
		{"", TAP_LOAD_FAILED},
		{"something new", TAP_LOAD_FAILED},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(tap_advice_classify(cases[i].output), cases[i].reason);
}

static void says_it_whole_on_every_system(void **state)
{
	static const struct tap_system systems[] = {
		{10, 9, false}, {10, 13, false}, {10, 15, false}, {11, 0, false},
		{15, 2, true},  {26, 0, true},   {0, 0, false}};
	struct tap_found f = {.id = "net.sf.tuntaposx.tap"};
	char output[400];
	(void)state;
	memset(f.path, 'p', sizeof(f.path) - 1);
	memset(output, 'o', sizeof(output) - 1);
	output[sizeof(output) - 1] = '\0';
	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
		for (int reason = TAP_NOT_INSTALLED; reason <= TAP_LOAD_FAILED; reason++) {
			struct vpn_error err = {.size = sizeof(err)};
			vpn_status status = tap_advice_explain((enum tap_reason)reason, &systems[i],
							       &f, output, &err);
			assert_int_equal(status, err.status);
			assert_true(status < 0 && strlen(err.text) > 20);
			if (strlen(err.text) >= sizeof(err.text) - 1)
				fail_msg("cut off: %s", err.text);
		}
}

static const char *approval(int major, int minor, bool arm)
{
	static struct vpn_error err;
	const struct tap_system s = {major, minor, arm};
	const struct tap_found f = {.id = "net.tunnelblick.tap"};
	err = (struct vpn_error){.size = sizeof(err)};
	assert_int_equal(tap_advice_explain(TAP_NOT_APPROVED, &s, &f, "", &err), VPN_EPERM);
	return err.text;
}

static void tells_the_way_to_approval_of_each_system(void **state)
{
	(void)state;
	assert_non_null(strstr(approval(10, 13, false), "30 minutes"));
	assert_null(strstr(approval(10, 13, false), "restart"));
	assert_non_null(strstr(approval(11, 2, false), "restart"));
	assert_null(strstr(approval(11, 2, false), "Recovery"));
	assert_non_null(strstr(approval(14, 0, true), "Reduced Security"));
	assert_non_null(strstr(approval(14, 0, true), "restart"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_the_list_of_kextstat, setup),
		cmocka_unit_test_setup(takes_whole_names_only, setup),
		cmocka_unit_test_setup(asks_kmutil_where_kextstat_is_gone, setup),
		cmocka_unit_test_setup(finds_extensions_in_order, setup),
		cmocka_unit_test_setup(takes_no_strange_identifiers, setup),
		cmocka_unit_test_setup(tells_versions_and_processors, setup),
		cmocka_unit_test_setup(understands_what_programs_print, setup),
		cmocka_unit_test_setup(says_it_whole_on_every_system, setup),
		cmocka_unit_test_setup(tells_the_way_to_approval_of_each_system, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
