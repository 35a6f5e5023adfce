/* SPDX-License-Identifier: BSD-2-Clause */
/* Whoever wants to know is told when the device changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "world.h"

static struct world world;

struct listener {
	struct world *w;
	_Atomic uint32_t calls;
	struct vpn_device_info last;
};

static struct listener listener, later;

static void on_change(void *ctx)
{
	struct listener *l = ctx;
	l->last = (struct vpn_device_info){.size = sizeof(l->last)};
	(void)world_device(l->w)->info(l->w->inst, &l->last);
	l->calls++;
}

/* Subscribes between create and start, as another component of the pipeline would from its own start,
 * which comes before the device's. */
static void start_with(struct listener *l)
{
	const struct vpn_lifecycle *life = world_component()->lifecycle;
	struct world *w = &world;
	*l = (struct listener){.w = w};
	fake_init(&w->fake, 1, WORLD_MTU);
	assert_int_equal(life->create(&w->fake.host, &w->options, &w->inst, &w->err), VPN_OK);
	world_device(w)->subscribe(w->inst, on_change, l);
	assert_int_equal(l->calls, 0);
	assert_int_equal(life->start(w->inst, w->fake.lane_list, &w->err), VPN_OK);
}

static int fresh(void **state)
{
	(void)state;
	memset(&later, 0, sizeof(later));
	later.w = &world;
	world_init(&world, "alpha");
	return 0;
}

static int done(void **state)
{
	(void)state;
	world_stop(&world);
	return 0;
}

static bool told_twice(struct world *w)
{
	(void)w;
	return listener.calls >= 2;
}

static bool told_thrice(struct world *w)
{
	(void)w;
	return listener.calls >= 3;
}

static void is_told_once_at_start_when_the_name_is_known(void **state)
{
	(void)state;
	start_with(&listener);
	assert_int_equal(listener.calls, 1);
	assert_string_equal(listener.last.name, "alpha");
	assert_int_equal(listener.last.mtu, WORLD_MTU);
	assert_int_equal(listener.last.flags, VPN_DEVICE_UP);
}

static void is_told_of_down_and_up(void **state)
{
	(void)state;
	start_with(&listener);
	assert_int_equal(world_set_up("alpha", false), 0);
	world_until(&world, told_twice);
	assert_int_equal(listener.last.flags, 0);
	assert_int_equal(world_set_up("alpha", true), 0);
	world_until(&world, told_thrice);
	assert_int_equal(listener.last.flags, VPN_DEVICE_UP);
}

static void is_told_of_the_mtu(void **state)
{
	(void)state;
	start_with(&listener);
	assert_int_equal(world_set_mtu("alpha", 1300), 0);
	world_until(&world, told_twice);
	assert_int_equal(listener.last.mtu, 1300);
}

static void is_told_of_the_name(void **state)
{
	(void)state;
	world.options.up = 0; /* older kernels rename only what is down */
	start_with(&listener);
	assert_int_equal(listener.last.flags, 0);
	assert_int_equal(world_rename("alpha", "beta"), 0);
	world_until(&world, told_twice);
	assert_string_equal(listener.last.name, "beta");
}

static bool mtu_is_1300(struct world *w)
{
	return world_info(w).mtu == 1300;
}

static void nobody_is_told_after_the_end(void **state)
{
	(void)state;
	start_with(&listener);
	world_device(&world)->subscribe(world.inst, NULL, NULL);
	assert_int_equal(world_set_mtu("alpha", 1300), 0);
	world_until(&world, mtu_is_1300);
	assert_int_equal(listener.calls, 1);
}

static bool later_was_told(struct world *w)
{
	(void)w;
	return later.calls != 0;
}

static void a_later_subscriber_takes_the_place(void **state)
{
	(void)state;
	start_with(&listener);
	world_device(&world)->subscribe(world.inst, on_change, &later);
	assert_int_equal(later.calls, 0);
	assert_int_equal(world_set_mtu("alpha", 1300), 0);
	world_until(&world, later_was_told);
	assert_int_equal(later.last.mtu, 1300);
	assert_int_equal(listener.calls, 1);
}

static bool saw_1400(struct world *w)
{
	return strstr(w->fake.log, "to 1400") != NULL;
}

/* An event of the link that changes nothing that info() tells. */
static void what_changes_nothing_is_not_told(void **state)
{
	(void)state;
	start_with(&listener);
	assert_int_equal(world_set_mtu("alpha", WORLD_MTU), 0);
	assert_int_equal(world_set_up("alpha", true), 0);
	assert_int_equal(world_set_mtu("alpha", 1400), 0);
	world_until(&world, saw_1400);
	assert_int_equal(listener.calls, 2);
}

static void info_writes_no_more_than_an_older_caller_has_room_for(void **state)
{
	struct vpn_device_info info;
	(void)state;
	start_with(&listener);
	memset(&info, 0xaa, sizeof(info));
	info.size = offsetof(struct vpn_device_info, flags);
	assert_int_equal(world_device(&world)->info(world.inst, &info), VPN_OK);
	assert_string_equal(info.name, "alpha");
	assert_int_equal(info.flags, 0xaaaaaaaa);
}

/* ---- threads ---- */

static atomic_bool finished;

static void *run_the_driver(void *ctx)
{
	struct world *w = ctx;
	while (!atomic_load(&finished))
		fake_turn(&w->fake, world_component()->flow, w->inst, 1);
	return NULL;
}

/* Its memory may go as soon as subscribe(NULL) has returned. */
static void ends_between_two_calls(void **state)
{
	pthread_t thread;
	(void)state;
	start_with(&listener);
	atomic_store(&finished, false);
	assert_int_equal(pthread_create(&thread, NULL, run_the_driver, &world), 0);
	uint32_t calls = 0;
	for (uint32_t i = 0; i < 100 || calls == 0; i++) {
		struct listener mine = {.w = &world};
		assert_true(i < 100000);
		world_device(&world)->subscribe(world.inst, on_change, &mine);
		assert_int_equal(world_set_mtu("alpha", 1280 + i % 100), 0);
		world_device(&world)->subscribe(world.inst, NULL, NULL);
		calls += mine.calls;
		memset(&mine.last, 0, sizeof(mine.last));
	}
	atomic_store(&finished, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(is_told_once_at_start_when_the_name_is_known),
		CASE(is_told_of_down_and_up),
		CASE(is_told_of_the_mtu),
		CASE(is_told_of_the_name),
		CASE(nobody_is_told_after_the_end),
		CASE(a_later_subscriber_takes_the_place),
		CASE(what_changes_nothing_is_not_told),
		CASE(info_writes_no_more_than_an_older_caller_has_room_for),
		CASE(ends_between_two_calls),
	};
	return cmocka_run_group_tests(tests, world_enter, NULL);
}
