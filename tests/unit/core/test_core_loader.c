/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the loader: what it finds, what it refuses, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <ltdl.h>

#include "fault.h"
#include "folder.h"
#include "loader.h"

#define GOOD TEST_PLUGINS "/good/good.so"
#define BAD  TEST_PLUGINS "/bad/"

static struct loader *loader_on(const char *path)
{
	struct vpn_error err = VPN_ERROR_INIT;
	if (path != NULL)
		setenv("VPNCORE_PLUGIN_PATH", path, 1);
	else
		unsetenv("VPNCORE_PLUGIN_PATH");
	struct loader *l = loader_new(&err);
	if (l == NULL)
		fail_msg("%s", err.text);
	return l;
}

static const struct loaded *find(struct loader *l, const char *id, const char *file)
{
	return loader_find(l, VPN_KIND_TRANSPORT, id, file, NULL);
}

/* The reason for which a file was refused, or NULL. */
static const char *reason(const struct loader *l, const char *path)
{
	for (size_t i = 0; i < loader_refused_count(l); i++)
		if (strcmp(loader_refused_at(l, i)->path, path) == 0)
			return loader_refused_at(l, i)->text;
	return NULL;
}

static void finds_by_scanning(void **state)
{
	(void)state;
	struct loader *l = loader_on(TEST_PLUGINS "/good");
	const struct loaded *found = find(l, "test-middle", NULL);
	assert_non_null(found);
	assert_string_equal(found->path, GOOD);
	assert_string_equal(found->component->id, "test-middle");
	assert_string_equal(found->plugin->version, "1.0");
	assert_ptr_equal(find(l, "test-middle", NULL), found);
	assert_null(loader_find(l, VPN_KIND_DEVICE, "test-middle", NULL, NULL));
	assert_non_null(loader_find(l, VPN_KIND_DEVICE, "test-device", NULL, NULL));
	loader_free(l);
}

/* With the right name nothing else of the folder is loaded. */
static void tries_the_named_file_first(void **state)
{
	(void)state;
	char *folder = folder_new();
	folder_copy(folder, "transport-test-middle.so", GOOD, 0644);
	folder_copy(folder, "driver-test-device.so", GOOD, 0644);
	folder_write(folder, "broken.so", "x", 1, 0644);
	struct loader *l = loader_on(folder);
	assert_non_null(find(l, "test-middle", NULL));
	assert_int_equal(loader_count(l), 3);
	assert_int_equal(loader_refused_count(l), 0);
	const struct loaded *device = loader_find(l, VPN_KIND_DEVICE, "test-device", NULL, NULL);
	assert_non_null(device);
	assert_int_equal(loader_refused_count(l), 0);
	loader_scan(l);
	assert_int_equal(loader_refused_count(l), 1);
	loader_free(l);
	folder_free(folder);
}

static void searches_folders_in_order(void **state)
{
	(void)state;
	char *first = folder_new(), *second = folder_new(), path[256];
	folder_copy(first, "a.so", GOOD, 0644);
	folder_copy(second, "transport-test-middle.so", GOOD, 0644);
	snprintf(path, sizeof(path), "%s:%s", first, second);
	struct loader *l = loader_on(path);
	const struct loaded *found = find(l, "test-middle", NULL);
	assert_non_null(found);
	assert_memory_equal(found->path, first, strlen(first));
	loader_free(l);
	folder_free(first);
	folder_free(second);
}

static void loads_an_absolute_path_for_itself_alone(void **state)
{
	(void)state;
	struct loader *l = loader_on(NULL);
	struct vpn_error err = VPN_ERROR_INIT;
	const struct loaded *found = find(l, "test-middle", GOOD);
	assert_non_null(found);
	assert_null(find(l, "test-middle", NULL));
	assert_false(loader_is_searched(l, 0));
	assert_null(loader_find(l, VPN_KIND_TRANSPORT, "other", GOOD, &err));
	assert_string_equal(err.text, GOOD " has no transport \"other\"");
	assert_int_equal(err.status, VPN_ENOENT);
	loader_free(l);
}

static void says_what_is_not_installed(void **state)
{
	(void)state;
	struct loader *l = loader_on(TEST_PLUGINS "/good:/nonexistent");
	struct vpn_error err = VPN_ERROR_INIT;
	assert_null(loader_find(l, VPN_KIND_TRANSPORT, "quic", NULL, &err));
	assert_int_equal(err.status, VPN_ENOENT);
	assert_string_equal(err.text, "no transport \"quic\" is installed");
	loader_free(l);
}

static void refuses_names_that_are_paths(void **state)
{
	(void)state;
	struct loader *l = loader_on(TEST_PLUGINS "/bad");
	struct vpn_error err = VPN_ERROR_INIT;
	assert_null(loader_find(l, VPN_KIND_TRANSPORT, "../good/good", NULL, &err));
	assert_int_equal(err.status, VPN_EINVAL);
	assert_null(loader_find(l, VPN_KIND_TRANSPORT, "", NULL, &err));
	assert_false(loader_id_is_valid(".hidden"));
	assert_false(loader_id_is_valid("a/b"));
	assert_false(loader_id_is_valid("a b"));
	assert_true(loader_id_is_valid("org.example.quic_2-x"));
	loader_free(l);
}

/* ---- files that are no plugins for us ----------------------------------------------------------- */

struct bad {
	const char *file;
	const char *text; /* what the reason contains */
};

static void refuses_what_does_not_fit_and_says_why(void **state)
{
	(void)state;
	static const struct bad cases[] = {
		{BAD "symbol_v2.so",
		 "made for plugin ABI 2, newer than ABI 1 of this vpncore; update vpncore"},
		{BAD "symbol_v0.so",
		 "made for plugin ABI 0, older than ABI 1 of this vpncore; rebuild the plugin"},
		{BAD "major_2.so",
		 "made for plugin ABI 2, newer than ABI 1 of this vpncore; update vpncore"},
		{BAD "major_0.so",
		 "made for plugin ABI 0, older than ABI 1 of this vpncore; rebuild the plugin"},
		{BAD "newer_need.so",
		 "it asks for a feature that this vpncore does not know (flags 0x00010000): the "
		 "plugin is newer; update vpncore"},
		{BAD "wrong_magic.so",
		 "not a vpncore plugin: its symbol vpncore_plugin_v1 has the wrong magic"},
		{BAD "short_plugin.so",
		 "its descriptor has 24 bytes, ABI 1.0 has 64: the plugin is older than 1.0; "
		 "rebuild it"},
		{BAD "no_components.so", "it has no components"},
		{BAD "no_symbol.so",
		 "not a vpncore plugin: it exports no symbol vpncore_plugin_v1"},
		{BAD "undefined.so", "undefined symbol: nosuch_function"},
		{BAD "needs_gone.so", "libvpncore-test-gone.so.1: cannot open shared object file"},
		{TEST_PLUGINS "/missing.so", "No such file or directory"},
		{TEST_PLUGINS "/good", "a plugin file's name ends in .so"},
		{"good/good.so", "not an absolute path"},
	};
	struct loader *l = loader_on(NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vpn_error err = VPN_ERROR_INIT;
		assert_null(
			loader_find(l, VPN_KIND_TRANSPORT, "test-harmless", cases[i].file, &err));
		assert_int_equal(err.status, VPN_EABI);
		const char *why = reason(l, cases[i].file);
		assert_non_null(why);
		if (strstr(why, cases[i].text) == NULL)
			fail_msg("%s: expected \"%s\" in: %s", cases[i].file, cases[i].text, why);
		assert_memory_equal(err.text, cases[i].file, strlen(cases[i].file));
	}
	assert_int_equal(loader_count(l), 0);
	loader_free(l);
}

static void loads_a_later_minor(void **state)
{
	(void)state;
	struct loader *l = loader_on(TEST_PLUGINS "/good");
	const struct loaded *found = find(l, "test-newer-minor", NULL);
	assert_non_null(found);
	assert_int_equal(found->plugin->abi_minor, 9);
	loader_free(l);
}

static void refuses_what_is_no_library_at_all(void **state)
{
	(void)state;
	char *folder = folder_new();
	static const char text_file[] =
		"This is a text and no plugin, whatever its name may have to say of it.\n";
	folder_write(folder, "text.so", text_file, sizeof(text_file) - 1, 0644);
	folder_write(folder, "empty.so", "", 0, 0644);
	folder_write(folder, "notes.txt", "x", 1, 0644);
	char *dir = folder_path(folder, "dir.so");
	assert_int_equal(mkdir(dir, 0755), 0);
	struct loader *l = loader_on(folder);
	loader_scan(l);
	assert_int_equal(loader_count(l), 0);
	assert_int_equal(loader_refused_count(l), 3);
	char *text = folder_path(folder, "text.so"), *empty = folder_path(folder, "empty.so");
	assert_non_null(strstr(reason(l, text), "invalid ELF header"));
	assert_non_null(strstr(reason(l, empty), "file too short"));
	assert_string_equal(reason(l, dir), "not a regular file");
	loader_free(l);
	folder_free(folder);
	free(text);
	free(empty);
	free(dir);
}

/* A file that a broken download left behind: its headers are good, the dynamic linker would die. */
static void refuses_truncated_files(void **state)
{
	(void)state;
	static char data[1 << 22];
	char *folder = folder_new();
	FILE *f = fopen(GOOD, "rb");
	assert_non_null(f);
	size_t len = fread(data, 1, sizeof(data), f), cuts = 0;
	assert_in_range(len, 8192, sizeof(data) - 1);
	fclose(f);
	for (size_t n = 1; n < len; n = n * 2 + 1, cuts++) {
		char name[32];
		snprintf(name, sizeof(name), "cut%zu.so", n);
		folder_write(folder, name, data, n, 0644);
	}
	folder_write(folder, "almost.so", data, len - 1, 0644);
	struct loader *l = loader_on(folder);
	loader_scan(l);
	assert_int_equal(loader_count(l), 0);
	assert_int_equal(loader_refused_count(l), cuts + 1);
	char *almost = folder_path(folder, "almost.so");
	assert_non_null(
		strstr(reason(l, almost), "truncated: its headers speak of more than its "));
	folder_write(folder, "whole.so", data, len, 0644);
	char *whole = folder_path(folder, "whole.so");
	assert_non_null(find(l, "test-middle", whole));
	loader_free(l);
	folder_free(folder);
	free(almost);
	free(whole);
}

static void refuses_components_one_by_one(void **state)
{
	(void)state;
	static const char *const reasons[] = {
		"component \"unknown-kind\": its kind 77 is unknown to this vpncore: the plugin is "
		"newer; update vpncore",
		"component 1: its id is missing or has other characters than A-Z a-z 0-9 . _ -",
		"component \"../up\": its id is missing or has other characters than A-Z a-z 0-9 . "
		"_ -",
		"component \"lifeless\": its lifecycle is missing or shorter than ABI 1.0 has it",
		"component \"shortlived\": its lifecycle is missing or shorter than ABI 1.0 has it",
		"component \"uncreated\": it lacks one of needs, create, start, stop, destroy",
		"component \"demanding\": its lifecycle asks for a feature that this vpncore does "
		"not know (flags "
		"0x80000000): the plugin is newer; update vpncore",
		"component \"tabled\": its option table is wrong: option \"a\": a type that this "
		"vpncore does not "
		"know: the plugin is newer",
		"component \"flowless\": its flow is missing or shorter than ABI 1.0 has it",
		"component \"sendless\": it is a transport without send",
		"component \"recvless\": it is a device without recv",
		"component \"planless\": it lacks apply or revert",
	};
	struct loader *l = loader_on(NULL);
	assert_non_null(find(l, "test-good-one", BAD "misfits.so"));
	assert_int_equal(loader_count(l), 1);
	assert_int_equal(loader_refused_count(l), sizeof(reasons) / sizeof(reasons[0]));
	for (size_t i = 0; i < loader_refused_count(l); i++)
		assert_string_equal(loader_refused_at(l, i)->text, reasons[i]);
	assert_non_null(find(l, "test-twice", BAD "twice.so"));
	assert_string_equal(loader_refused_at(l, loader_refused_count(l) - 1)->text,
			    "component \"test-twice\": it stands twice in this plugin");
	loader_free(l);
}

/* ---- trust -------------------------------------------------------------------------------------- */

static void expect_refusal(const char *folder, const char *name, const char *text)
{
	char *path = folder_path(folder, name);
	struct loader *l = loader_on(NULL);
	assert_null(find(l, "test-middle", path));
	const char *why = reason(l, path);
	assert_non_null(why);
	if (strstr(why, text) == NULL)
		fail_msg("expected \"%s\" in: %s", text, why);
	loader_free(l);
	free(path);
}

static void refuses_files_that_others_can_write(void **state)
{
	(void)state;
	char *folder = folder_new();
	folder_copy(folder, "world.so", GOOD, 0646);
	folder_copy(folder, "group.so", GOOD, 0664);
	expect_refusal(folder, "world.so", "others can write it (mode 0646); chmod go-w it");
	expect_refusal(folder, "group.so", "others can write it (mode 0664); chmod go-w it");
	folder_free(folder);
}

static void refuses_folders_that_others_can_write(void **state)
{
	(void)state;
	char *folder = folder_new();
	char *inner = folder_path(folder, "inner");
	assert_int_equal(mkdir(inner, 0755), 0);
	folder_copy(folder, "a.so", GOOD, 0644);
	folder_copy(inner, "b.so", GOOD, 0644);
	assert_int_equal(chmod(folder, 01777), 0);
	expect_refusal(folder, "a.so", "(mode 1777); chmod go-w it");
	assert_int_equal(chmod(folder, 0775), 0);
	expect_refusal(folder, "a.so", "others can write its folder ");
	assert_int_equal(chmod(folder, 0777), 0);
	expect_refusal(inner, "b.so", "anybody can write the folder ");
	assert_int_equal(chmod(folder, 0755), 0);
	char *path = folder_path(inner, "b.so");
	struct loader *l = loader_on(NULL);
	assert_non_null(find(l, "test-middle", path));
	loader_free(l);
	free(path);
	free(inner);
	folder_free(folder);
}

static void refuses_what_belongs_to_somebody_else(void **state)
{
	(void)state;
	char *folder = folder_new();
	folder_copy(folder, "a.so", GOOD, 0644);
	char *path = folder_path(folder, "a.so");
	if (chown(path, 12345, (gid_t)-1) != 0)
		fail_msg("this test gives a file away: run it as root");
	expect_refusal(folder, "a.so",
		       "it belongs to user 12345, who is neither root nor you; chown it");
	assert_int_equal(chown(path, 0, (gid_t)-1), 0);
	assert_int_equal(chown(folder, 12345, (gid_t)-1), 0);
	expect_refusal(folder, "a.so",
		       "belongs to user 12345, who is neither root nor you; chown it");
	free(path);
	folder_free(folder);
}

/* A link is as good as what it leads to. */
static void looks_behind_symbolic_links(void **state)
{
	(void)state;
	char *folder = folder_new(), *open = folder_new();
	folder_copy(open, "real.so", GOOD, 0644);
	assert_int_equal(chmod(open, 0777), 0);
	char *real = folder_path(open, "real.so"), *link = folder_path(folder, "link.so");
	assert_int_equal(symlink(real, link), 0);
	expect_refusal(folder, "link.so", "others can write its folder ");
	assert_int_equal(chmod(open, 0755), 0);
	struct loader *l = loader_on(NULL);
	assert_non_null(find(l, "test-middle", link));
	loader_free(l);
	free(real);
	free(link);
	folder_free(folder);
	folder_free(open);
}

static void refuses_relative_search_paths(void **state)
{
	(void)state;
	struct loader *l = loader_on("relative:" TEST_PLUGINS "/good::");
	assert_string_equal(reason(l, "relative"), "VPNCORE_PLUGIN_PATH takes absolute paths only");
	assert_non_null(find(l, "test-middle", NULL));
	loader_free(l);
}

static void keeps_what_it_gave_out_while_it_grows(void **state)
{
	(void)state;
	struct loader *l = loader_on(TEST_PLUGINS "/good");
	const struct loaded *found = find(l, "test-middle", NULL);
	const struct loaded copy = *found;
	for (int i = 0; i < 20; i++) {
		char *folder = folder_new();
		folder_copy(folder, "x.so", GOOD, 0644);
		char *path = folder_path(folder, "x.so");
		assert_non_null(find(l, "test-bottom", path));
		free(path);
		folder_free(folder);
	}
	assert_memory_equal(found, &copy, sizeof(copy));
	assert_null(loader_free(NULL));
	loader_free(l);
}

/* A program that embeds us, and has libltdl for plugins of its own. */
static void leaves_libltdl_to_others_as_well(void **state)
{
	(void)state;
	struct loader *l = loader_on(TEST_PLUGINS "/good");
	assert_non_null(find(l, "test-middle", NULL));
	lt_dlhandle theirs = lt_dlopen(BAD "no_symbol.so");
	assert_non_null(theirs);
	lt_dlhandle lazy = lt_dlopen(BAD "undefined.so"); /* it may: it is theirs */
	assert_non_null(lazy);
	assert_null(find(l, "test-middle", BAD "undefined.so")); /* and is no plugin of ours */
	assert_non_null(strstr(reason(l, BAD "undefined.so"), "another part of this program"));
	assert_int_equal(lt_dlclose(lazy), 0);
	assert_int_equal(lt_dlclose(theirs), 0);
	loader_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_scanning),
		cmocka_unit_test(tries_the_named_file_first),
		cmocka_unit_test(searches_folders_in_order),
		cmocka_unit_test(loads_an_absolute_path_for_itself_alone),
		cmocka_unit_test(says_what_is_not_installed),
		cmocka_unit_test(refuses_names_that_are_paths),
		cmocka_unit_test(refuses_what_does_not_fit_and_says_why),
		cmocka_unit_test(loads_a_later_minor),
		cmocka_unit_test(refuses_what_is_no_library_at_all),
		cmocka_unit_test(refuses_truncated_files),
		cmocka_unit_test(refuses_components_one_by_one),
		cmocka_unit_test(refuses_files_that_others_can_write),
		cmocka_unit_test(refuses_folders_that_others_can_write),
		cmocka_unit_test(refuses_what_belongs_to_somebody_else),
		cmocka_unit_test(looks_behind_symbolic_links),
		cmocka_unit_test(refuses_relative_search_paths),
		cmocka_unit_test(keeps_what_it_gave_out_while_it_grows),
		cmocka_unit_test(leaves_libltdl_to_others_as_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
