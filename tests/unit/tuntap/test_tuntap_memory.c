/* SPDX-License-Identifier: BSD-2-Clause */
/* Every allocation of create() and start() fails once: an error each time, and nothing is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "world.h"

static bool counting;
static uint32_t calls, failing;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t each);
void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t each);
void *__wrap_aligned_alloc(size_t alignment, size_t n);

static bool refuse(void)
{
	return counting && ++calls == failing;
}

void *__wrap_malloc(size_t n)
{
	return refuse() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t each)
{
	return refuse() ? NULL : __real_calloc(n, each);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
	return refuse() ? NULL : __real_aligned_alloc(alignment, n);
}

static void survives_the_failure_of_every_allocation(void **state)
{
	static struct world w;
	const struct vpn_prefix list[] = {world_prefix("10.9.0.1/24")};
	vpn_status status = VPN_ENOMEM;
	(void)state;
	for (failing = 1; status != VPN_OK; failing++) {
		assert_true(failing < 100);
		world_init(&w, "alpha");
		w.options.addresses = (struct vpn_list){
			.items = list, .count = 1, .item_size = sizeof(list[0])};
		calls = 0;
		counting = true;
		status = world_start(&w, 2);
		counting = false;
		assert_true(status == VPN_OK || status == VPN_ENOMEM);
		if (status == VPN_OK)
			assert_true(calls < failing);
		else
			assert_false(world_has_link("alpha"));
	}
	assert_true(calls >= 6);
	world_stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_the_failure_of_every_allocation),
	};
	return cmocka_run_group_tests(tests, world_enter, NULL);
}
