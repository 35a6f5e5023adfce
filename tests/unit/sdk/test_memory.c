/* SPDX-License-Identifier: BSD-2-Clause */
/* test_memory: failing allocations of the component, and of it alone; on the template. */
#include "puppet.h"

#include "xor.h"

extern const struct vpn_plugin vpncore_plugin_v1;

static const uint8_t key[] = {1, 2, 3};
static const struct xor_config config = {.key = {.data = key, .len = sizeof(key)}};

static struct testhost_stage *add(struct vpn_error *err)
{
	const struct testhost_setup setup = {.config = &config};
	return testhost_add(host, vpncore_plugin_v1.components[0], &setup, err);
}

static void the_template_survives_every_failing_allocation(void **state)
{
	(void)state;
	struct vpn_error err;
	uint32_t n = 1;
	for (;; n++) {
		testhost_fail_memory(n);
		struct testhost_stage *s = add(&err);
		if (s != NULL && testhost_start(s, &err) == VPN_OK)
			testhost_send(s, 0, "data", 4);
		testhost_remove(s);
		if (!testhost_memory_failed())
			break;
		assert_int_equal(err.status, VPN_ENOMEM);
	}
	testhost_fail_memory(0);
	assert_int_equal(n, 2); /* the template allocates once */
}

static void only_the_components_own_allocations_fail(void **state)
{
	(void)state;
	struct testhost_stage *s = add(NULL);
	assert_non_null(s);
	assert_int_equal(testhost_start(s, NULL), VPN_OK);
	testhost_fail_memory(1);
	for (int i = 0; i < 10; i++)
		assert_true(testhost_send(s, 0, "data", 4)); /* the host allocates here */
	assert_false(testhost_memory_failed());
	testhost_fail_memory(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_template_survives_every_failing_allocation),
		TEST(only_the_components_own_allocations_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
