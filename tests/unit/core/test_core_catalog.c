/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the catalog, and of manifests that are read for another platform. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "catalog.h"
#include "fault.h"
#include "folder.h"
#include "lines.h"
#include "manifest.h"

static struct lines lines;

/* As the build generates them. */
const struct catalog_row *catalog_rows(void)
{
	static const struct catalog_row rows[] = {
		{VPN_KIND_ROUTES, "test-device", "linux"},
		{VPN_KIND_DEVICE, "test-device", "freebsd netbsd"},
		{VPN_KIND_DEVICE, "elsewhere", "macos"},
		{VPN_KIND_TRANSPORT, "test-bottom", ""},
		{0, NULL, NULL},
	};
	return rows;
}

const char *catalog_host(void)
{
	return "linux";
}

static void tells_for_whom_a_component_is(void **state)
{
	(void)state;
	assert_true(catalog_serves(VPN_KIND_DEVICE, "test-device", "freebsd"));
	assert_true(catalog_serves(VPN_KIND_DEVICE, "test-device", "netbsd"));
	assert_false(catalog_serves(VPN_KIND_DEVICE, "test-device", "linux"));
	assert_true(catalog_serves(VPN_KIND_ROUTES, "test-device", "linux"));
	assert_string_equal(catalog_platforms_of(VPN_KIND_DEVICE, "elsewhere"), "macos");
}

static void a_part_of_a_name_is_no_platform(void **state)
{
	(void)state;
	assert_false(catalog_serves(VPN_KIND_DEVICE, "test-device", "free"));
	assert_false(catalog_serves(VPN_KIND_DEVICE, "test-device", "bsd"));
	assert_false(catalog_serves(VPN_KIND_DEVICE, "test-device", ""));
	assert_false(catalog_serves(VPN_KIND_DEVICE, "elsewhere", "macosx"));
}

static void what_names_no_platform_is_for_all(void **state)
{
	(void)state;
	assert_true(catalog_serves(VPN_KIND_TRANSPORT, "test-bottom", "openbsd"));
	assert_true(catalog_serves(VPN_KIND_TRANSPORT, "of-somebody-else", "openbsd"));
}

static struct loader *loader_for(const char *path, const char *platform)
{
	struct vpn_error err = VPN_ERROR_INIT;
	setenv("VPNCORE_PLUGIN_PATH", path, 1);
	struct loader *l = loader_new(&err);
	if (l == NULL)
		fail_msg("%s", err.text);
	if (platform != NULL)
		assert_true(loader_set_platform(l, platform));
	return l;
}

static struct manifest *parse(struct loader *l, const char *device)
{
	struct problems p;
	char text[256];
	problems_init(&p, "f");
	snprintf(text, sizeof(text),
		 "{\"vpncore\":1,\"pipeline\":[{\"device\":\"%s\"},"
		 "{\"transport\":\"test-bottom\"}],\"allow_insecure\":true}",
		 device);
	struct manifest *m = manifest_parse("f", text, strlen(text), l, &p);
	lines_of(&lines, &p);
	return m;
}

static void expect(const char *path, const char *platform, const char *device, const char *problem)
{
	struct loader *l = loader_for(path, platform);
	struct manifest *m = parse(l, device);
	if (problem == NULL)
		assert_string_equal(lines.text, "");
	else if (!lines_have(&lines, problem))
		fail_msg("expected %s, got %s", problem, lines.text);
	assert_true((m != NULL) == (problem == NULL));
	if (m != NULL)
		assert_string_equal(m->stages[0].loaded->component->id, "test-device");
	manifest_free(m);
	loader_free(l);
}

static void auto_takes_what_is_for_the_platform(void **state)
{
	(void)state;
	expect(TEST_PLUGINS "/good", "netbsd", "auto", NULL);
	expect(TEST_PLUGINS "/good", NULL, "auto", NULL); /* the catalog is for others only */
	expect(TEST_PLUGINS "/good", "macos", "auto", "no device for macos is installed");
}

static void a_named_component_must_be_for_the_platform(void **state)
{
	(void)state;
	expect(TEST_PLUGINS "/good", "freebsd", "test-device", NULL);
	expect(TEST_PLUGINS "/good", "macos", "test-device",
	       "\"test-device\" is not for macos, but for freebsd netbsd");
}

static void the_folder_foreign_is_for_other_platforms_only(void **state)
{
	(void)state;
	char *folder = folder_new();
	char *foreign = folder_path(folder, "foreign");
	assert_int_equal(mkdir(foreign, 0755), 0);
	folder_copy(foreign, "good.so", TEST_PLUGINS "/good/good.so", 0755);
	expect(folder, NULL, "test-device", "no device \"test-device\" is installed");
	expect(folder, "freebsd", "test-device", NULL);
	expect(folder, "freebsd", "auto", NULL);
	free(foreign);
	folder_free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_for_whom_a_component_is),
		cmocka_unit_test(a_part_of_a_name_is_no_platform),
		cmocka_unit_test(what_names_no_platform_is_for_all),
		cmocka_unit_test(auto_takes_what_is_for_the_platform),
		cmocka_unit_test(a_named_component_must_be_for_the_platform),
		cmocka_unit_test(the_folder_foreign_is_for_other_platforms_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
