/* SPDX-License-Identifier: BSD-2-Clause */
/* What is retired is freed when no lane is left that could read it, and not before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>

#include "epoch.h"

static bool refusing;

void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
	return refusing ? NULL : __real_aligned_alloc(alignment, n);
}

struct object {
	uint32_t number; /* `retired` is not the first member on purpose */
	struct wg_retired retired;
};

static uint32_t released, order[16];

static void release(struct wg_retired *r)
{
	struct object *o = (struct object *)((char *)r - offsetof(struct object, retired));
	order[released++] = o->number;
	free(o);
}

static void retire(struct wg_epoch *e, uint32_t number)
{
	struct object *o = calloc(1, sizeof(*o));
	assert_non_null(o);
	o->number = number;
	wg_epoch_retire(e, &o->retired, release);
}

static void begin(struct wg_epoch *e, uint32_t n_slots)
{
	released = 0;
	assert_true(wg_epoch_init(e, n_slots));
}

static void frees_at_once_when_no_lane_is_inside(void **state)
{
	struct wg_epoch e;
	(void)state;
	begin(&e, 2);
	assert_false(wg_epoch_reclaim(&e));
	retire(&e, 7);
	assert_int_equal(released, 0);
	assert_false(wg_epoch_reclaim(&e));
	assert_int_equal(released, 1);
	assert_int_equal(order[0], 7);
	wg_epoch_clear(&e);
	assert_int_equal(released, 1);
}

static void keeps_what_a_lane_inside_could_read(void **state)
{
	struct wg_epoch e;
	(void)state;
	begin(&e, 3);
	wg_epoch_enter(&e, 2);
	retire(&e, 1);
	for (int i = 0; i < 5; i++) {
		/* others come and go */
		wg_epoch_enter(&e, 0);
		wg_epoch_leave(&e, 0);
		assert_true(wg_epoch_reclaim(&e));
	}
	assert_int_equal(released, 0);
	wg_epoch_leave(&e, 2);
	assert_false(wg_epoch_reclaim(&e));
	assert_int_equal(released, 1);
	wg_epoch_clear(&e);
}

static void a_lane_that_came_later_holds_nothing(void **state)
{
	struct wg_epoch e;
	(void)state;
	begin(&e, 2);
	retire(&e, 1);
	wg_epoch_enter(&e, 0);
	assert_false(wg_epoch_reclaim(&e));
	assert_int_equal(released, 1);
	wg_epoch_leave(&e, 0);
	wg_epoch_clear(&e);
}

static void a_lane_that_comes_again_lets_go(void **state)
{
	struct wg_epoch e;
	(void)state;
	begin(&e, 1);
	wg_epoch_enter(&e, 0);
	retire(&e, 1);
	wg_epoch_leave(&e, 0);
	wg_epoch_enter(&e, 0);
	assert_false(wg_epoch_reclaim(&e));
	assert_int_equal(released, 1);
	wg_epoch_leave(&e, 0);
	wg_epoch_clear(&e);
}

static void an_inner_callback_does_not_end_the_outer_one(void **state)
{
	struct wg_epoch e;
	(void)state;
	begin(&e, 1);
	wg_epoch_enter(&e, 0);
	retire(&e, 1);
	wg_epoch_enter(&e, 0);
	wg_epoch_enter(&e, 0);
	wg_epoch_leave(&e, 0);
	assert_true(wg_epoch_reclaim(&e));
	wg_epoch_leave(&e, 0);
	assert_true(wg_epoch_reclaim(&e));
	assert_int_equal(released, 0);
	wg_epoch_leave(&e, 0);
	assert_false(wg_epoch_reclaim(&e));
	assert_int_equal(released, 1);
	wg_epoch_clear(&e);
}

static void frees_the_oldest_up_to_the_first_that_is_held(void **state)
{
	struct wg_epoch e;
	(void)state;
	begin(&e, 2);
	retire(&e, 1);
	retire(&e, 2);
	wg_epoch_enter(&e, 0);
	retire(&e, 3);
	wg_epoch_enter(&e, 1);
	retire(&e, 4);
	assert_true(wg_epoch_reclaim(&e));
	assert_int_equal(released, 2);
	wg_epoch_leave(&e, 0);
	assert_true(wg_epoch_reclaim(&e));
	assert_int_equal(released, 3);
	retire(&e, 5);
	wg_epoch_leave(&e, 1);
	assert_false(wg_epoch_reclaim(&e));
	assert_int_equal(released, 5);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(order[i], i + 1);
	wg_epoch_clear(&e);
}

static void clear_frees_all(void **state)
{
	struct wg_epoch e;
	(void)state;
	begin(&e, 1);
	wg_epoch_enter(&e, 0);
	retire(&e, 1);
	retire(&e, 2);
	wg_epoch_clear(&e);
	assert_int_equal(released, 2);
}

/* An object that retires another one when it goes. */
static struct wg_epoch *shared;
static void release_with_its_child(struct wg_retired *r)
{
	wg_epoch_enter(shared,
		       0); /* a lane that comes in between, and could have found the child */
	retire(shared, 99);
	release(r);
}

static void release_may_retire_more(void **state)
{
	struct wg_epoch e;
	struct object *o = calloc(1, sizeof(*o));
	(void)state;
	assert_non_null(o);
	begin(&e, 1);
	shared = &e;
	wg_epoch_retire(&e, &o->retired, release_with_its_child);
	assert_true(wg_epoch_reclaim(&e));
	assert_int_equal(released, 1);
	wg_epoch_leave(&e, 0);
	assert_false(wg_epoch_reclaim(&e));
	assert_int_equal(released, 2);
	assert_int_equal(order[1], 99);
	wg_epoch_clear(&e);
}

static void says_when_there_is_no_memory(void **state)
{
	struct wg_epoch e;
	(void)state;
	refusing = true;
	assert_false(wg_epoch_init(&e, 4));
	refusing = false;
	wg_epoch_clear(&e);
}

/* ---- readers at the same time ---------------------------------------------------------------- */

#define READERS 2
#define ALIVE   0xa11fe000u

static struct wg_epoch epoch;
static _Atomic(struct object *) current;
static _Atomic bool done;
static _Atomic uint64_t reads[READERS], dead;

static void bury(struct wg_retired *r)
{
	struct object *o = (struct object *)((char *)r - offsetof(struct object, retired));
	o->number = 0;
	free(o);
}

static struct object *create_alive(void)
{
	struct object *o = calloc(1, sizeof(*o));
	if (o == NULL)
		abort();
	o->number = ALIVE;
	return o;
}

static void *read_on(void *arg)
{
	uint32_t slot = (uint32_t)(uintptr_t)arg;
	while (!atomic_load(&done)) {
		wg_epoch_enter(&epoch, slot);
		const struct object *o = atomic_load_explicit(&current, memory_order_acquire);
		for (int i = 0; i < 20; i++)
			if (*(const volatile uint32_t *)&o->number != ALIVE)
				atomic_fetch_add(&dead, 1);
		wg_epoch_leave(&epoch, slot);
		atomic_fetch_add(&reads[slot], 1);
	}
	return NULL;
}

static void readers_never_see_what_was_freed(void **state)
{
	pthread_t threads[READERS];
	(void)state;
	assert_true(wg_epoch_init(&epoch, READERS));
	atomic_store(&current, create_alive());
	for (uintptr_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, (void *)i), 0);
	for (uint32_t i = 0;
	     i < 100000 || atomic_load(&reads[0]) < 1000 || atomic_load(&reads[1]) < 1000; i++) {
		struct object *old = atomic_load(&current);
		atomic_store_explicit(&current, create_alive(), memory_order_release);
		wg_epoch_retire(&epoch, &old->retired, bury);
		(void)wg_epoch_reclaim(&epoch);
	}
	atomic_store(&done, true);
	for (uint32_t i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&dead), 0);
	assert_false(wg_epoch_reclaim(&epoch));
	wg_epoch_clear(&epoch);
	free(atomic_load(&current));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frees_at_once_when_no_lane_is_inside),
		cmocka_unit_test(keeps_what_a_lane_inside_could_read),
		cmocka_unit_test(a_lane_that_came_later_holds_nothing),
		cmocka_unit_test(a_lane_that_comes_again_lets_go),
		cmocka_unit_test(an_inner_callback_does_not_end_the_outer_one),
		cmocka_unit_test(frees_the_oldest_up_to_the_first_that_is_held),
		cmocka_unit_test(clear_frees_all),
		cmocka_unit_test(release_may_retire_more),
		cmocka_unit_test(says_when_there_is_no_memory),
		cmocka_unit_test(readers_never_see_what_was_freed),
	};
	return cmocka_run_group_tests_name("wireguard epoch", tests, NULL, NULL);
}
