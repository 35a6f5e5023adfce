/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of plugins that are linked into the program: found without a file, before all files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <ltdl.h>

#include "fault.h"
#include "loader.h"

extern const struct vpn_plugin test_good_LTX_vpncore_plugin_v1;
static const struct vpn_plugin foreign = {.magic = 1};

const lt_dlsymlist *loader_preloaded(void);

/* As the build generates it for VPNCORE_STATIC_PLUGINS. */
const lt_dlsymlist *loader_preloaded(void)
{
	static const lt_dlsymlist list[] = {
		{"test_good.a", NULL},
		{"test_good_LTX_vpncore_plugin_v1",
		 (void *)(uintptr_t)&test_good_LTX_vpncore_plugin_v1},
		{"foreign.a", NULL},
		{"foreign_LTX_vpncore_plugin_v1", (void *)(uintptr_t)&foreign},
		{NULL, NULL},
	};
	return list;
}

static struct loader *new_loader(void)
{
	struct vpn_error err = VPN_ERROR_INIT;
	setenv("VPNCORE_PLUGIN_PATH", TEST_PLUGINS "/good", 1);
	struct loader *l = loader_new(&err);
	if (l == NULL)
		fail_msg("%s", err.text);
	return l;
}

static void finds_linked_in_components_before_files(void **state)
{
	(void)state;
	struct loader *l = new_loader();
	const struct loaded *found = loader_find(l, VPN_KIND_TRANSPORT, "test-middle", NULL, NULL);
	assert_non_null(found);
	assert_ptr_equal(found->plugin, &test_good_LTX_vpncore_plugin_v1);
	assert_string_equal(found->path, "(built in)");
	found = loader_find(l, VPN_KIND_TRANSPORT, "test-newer-minor", NULL, NULL);
	assert_non_null(found);
	assert_string_equal(found->path, TEST_PLUGINS "/good/newer_minor.so");
	loader_free(l);
}

static void checks_linked_in_plugins_like_others(void **state)
{
	(void)state;
	struct loader *l = new_loader();
	assert_int_equal(loader_count(l), 3);
	assert_int_equal(loader_refused_count(l), 1);
	assert_string_equal(loader_refused_at(l, 0)->path, "foreign_LTX_vpncore_plugin_v1");
	assert_string_equal(
		loader_refused_at(l, 0)->text,
		"not a vpncore plugin: its symbol vpncore_plugin_v1 has the wrong magic");
	loader_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_linked_in_components_before_files),
		cmocka_unit_test(checks_linked_in_plugins_like_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
