/* SPDX-License-Identifier: BSD-2-Clause */
/* Every mode where memory is short: an error, and nothing left behind. */
#include "obfs_world.h"

static void says_so_when_memory_is_short(void **state)
{
	(void)state;
	for (uint32_t mode = 0; mode < OBFS_N_MODES; mode++) {
		for (uint32_t n = 1;; n++) {
			struct world w;
			struct vpn_error err = {.size = sizeof(err)};
			world_init(&w, (enum obfs_mode_id)mode);
			w.setup[0].n_lanes = 3;
			testhost_fail_memory(n);
			w.stage[0] = testhost_add(w.host, world_component(), &w.setup[0], &err);
			bool failed = testhost_memory_failed();
			testhost_fail_memory(0);
			if (failed) {
				assert_null(w.stage[0]);
				assert_int_equal(err.status, VPN_ENOMEM);
			} else {
				assert_non_null(w.stage[0]);
			}
			world_end(&w);
			if (!failed)
				break;
		}
	}
}

static void destroy_takes_nothing(void **state)
{
	(void)state;
	world_component()->lifecycle->destroy(NULL);
	for (uint32_t mode = 0; mode < OBFS_N_MODES; mode++)
		obfs_modes[mode]->destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_so_when_memory_is_short),
		cmocka_unit_test(destroy_takes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
