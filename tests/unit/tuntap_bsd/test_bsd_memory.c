/* SPDX-License-Identifier: BSD-2-Clause */
/* The n-th allocation fails, for every n. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

static uint32_t allocations, fail_at;

void *__wrap_calloc(size_t n, size_t size)
{
	return ++allocations == fail_at ? NULL : __real_calloc(n, size);
}

static struct rig rig;

static void a_lack_of_memory_leaves_nothing(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (uint32_t n = 1;; n++) {
			model_boot(os);
			rig_init(&rig, BSD_IP);
			rig_add_address(&rig, "10.78.0.1/24");
			allocations = 0;
			fail_at = n;
			vpn_status status = rig_start(&rig);
			fail_at = 0;
			if (status == VPN_OK) {
				rig_stop(&rig);
				rig_check_clean();
				assert_true(n > 3);
				break;
			}
			assert_int_equal(status, VPN_ENOMEM);
			assert_int_equal(rig.err.status, VPN_ENOMEM);
			assert_int_equal(rig_undo(&rig), 0);
			rig_check_clean();
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lack_of_memory_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
