/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fault at the n-th call, for every n: whatever fails, a descriptor, a packet or a device is not left
 * behind, once the journal was undone as the host does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

#define CALLS_MOST 200u

static struct rig rig;

/* How a device is asked for. */
enum plan { FRESH, NUMBERED, RENAMED, EXISTING, STAYING, GOING, GIVEN, PLANS };

static const int errors[] = {EIO, EPERM, ENOMEM, EBUSY, ENXIO, ENOTTY, EEXIST, EINVAL};

static void boot(enum model_os os, enum bsd_layer_kind layer, enum plan plan)
{
	const char *name = layer == BSD_IP ? "tun2" : "tap2";
	model_boot(os);
	rig_init(&rig, layer);
	rig_add_address(&rig, "10.78.0.1/24");
	rig_add_address(&rig, "fd78::1/64");
	rig.options.name = plan == FRESH ? "" : plan == RENAMED ? "wg0" : name;
	if (layer == BSD_ETHERNET)
		rig.options.mac = (struct vpn_mac){.addr = {2, 0, 0, 0, 0, 1}, .is_set = 1};
	if (plan == STAYING)
		rig.options.persist = BSD_PERSIST_ON;
	if (plan == GOING)
		rig.options.persist = BSD_PERSIST_OFF;
	if (plan == EXISTING || plan == GOING || plan == GIVEN)
		model_create(name);
	if (plan == GIVEN)
		rig.options.fd = model_open(layer == BSD_IP ? "/dev/tun2" : "/dev/tap2");
}

/* The devices that may be there after it: those that were there before, that shall stay, and the
 * first four of DragonFly, which nothing destroys. */
static uint32_t may_stay(enum model_os os, enum plan plan, bool started)
{
	bool low = os == MODEL_DRAGONFLY && plan == NUMBERED;
	switch (plan) {
	case EXISTING:
	case GIVEN:
		return 1;
	case GOING:
		return started ? 0 : 1;
	case STAYING:
		return started ? 1 : 0;
	default:
		return low ? 1 : 0;
	}
}

static void settle(enum model_os os, enum plan plan, bool started, bool exact)
{
	model.fail_at = 0;
	assert_int_equal(rig_undo(&rig), 0);
	if (plan == GIVEN)
		model_kill();
	assert_int_equal(model_open_fds(), 0);
	assert_false(model.hung);
	assert_false(model.bad_request);
	assert_false(model.closed_badly);
	uint32_t most = may_stay(os, plan, started);
	if (exact)
		assert_int_equal(model_devices(), most);
	else
		assert_true(model_devices() <= most);
}

/* Returns whether the fault was met. */
static bool try_start(enum model_os os, enum bsd_layer_kind layer, enum plan plan, uint32_t n,
		      int e)
{
	boot(os, layer, plan);
	model.fail_at = n;
	model.fail_errno = e;
	bool started = rig_start(&rig) == VPN_OK;
	bool met = model.failed;
	if (!started) {
		assert_true(met);
		assert_int_not_equal(rig.err.status, VPN_OK);
		assert_true(rig.err.text[0] != '\0');
		fake_check_clean(&rig.fake);
	} else {
		model.fail_at = 0;
		rig_stop(&rig);
	}
	/* a start that fails takes away no device that was there; a kernel that denies that there is
	 * one (ENXIO) is believed, so that one stays which was to go */
	bool kept = plan == EXISTING || plan == GIVEN;
	if (plan == GOING && e == ENXIO)
		settle(os, EXISTING, started, false);
	else
		settle(os, plan, started, started ? plan != NUMBERED : kept);
	return met;
}

static void a_start_that_fails_leaves_nothing(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++)
			for (enum plan plan = 0; plan < PLANS; plan++)
				for (size_t k = 0; k < sizeof(errors) / sizeof(errors[0]); k++) {
					uint32_t n = 1;
					while (try_start(os, layer, plan, n, errors[k]))
						assert_true(++n < CALLS_MOST);
					assert_true(n > 8);
				}
}

static bool try_stop(enum model_os os, enum bsd_layer_kind layer, enum plan plan, uint32_t n, int e)
{
	boot(os, layer, plan);
	rig_must_start(&rig);
	model.calls = 0;
	model.fail_at = n;
	model.fail_errno = e;
	rig_stop(&rig);
	bool met = model.failed;
	model.failed = false;
	/* one that was to go and cannot be destroyed stays: it was there before us and is in no journal */
	if (plan == GOING && model_devices() == 1)
		assert_true(met);
	else
		settle(os, plan, true, plan != NUMBERED);
	return met;
}

static void a_stop_that_fails_leaves_nothing(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++)
			for (enum plan plan = 0; plan < PLANS; plan++) {
				uint32_t n = 1;
				while (try_stop(os, layer, plan, n, EIO))
					assert_true(++n < CALLS_MOST);
				assert_true(n > 3);
			}
}

/* The process is killed before the n-th call instead of a fault at it. */
static bool try_death(enum model_os os, enum bsd_layer_kind layer, enum plan plan, uint32_t n)
{
	/* all further calls fail as well, as if they were not made */
	boot(os, layer, plan);
	model.fail_at = n;
	model.fail_errno = EIO;
	model.dies = true;
	bool started = rig_start(&rig) == VPN_OK;
	bool met = model.failed;
	model.dies = model.failed = false;
	model.fail_at = 0;
	if (started)
		rig_kill(&rig);
	model_kill();
	assert_int_equal(rig_undo(&rig), 0);
	assert_int_equal(model_open_fds(), 0);
	assert_false(model.hung);
	assert_true(model_devices() <= 1);
	if (plan == FRESH || plan == RENAMED)
		assert_int_equal(model_devices(), 0);
	return met;
}

static void a_death_at_any_call_leaves_nothing(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++)
			for (enum plan plan = 0; plan < PLANS; plan++) {
				uint32_t n = 1;
				while (try_death(os, layer, plan, n))
					assert_true(++n < CALLS_MOST);
				assert_true(n > 8);
			}
}

static void an_undo_that_fails_can_be_done_again(void **state)
{
	(void)state;
	for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++)
		for (uint32_t n = 1;; n++) {
			boot(MODEL_FREEBSD, layer, RENAMED);
			rig_must_start(&rig);
			rig_kill(&rig);
			model.calls = 0;
			model.fail_at = n;
			model.fail_errno = EIO;
			uint32_t failed = rig_undo(&rig);
			bool met = model.failed;
			assert_int_equal(model_open_fds(), 0);
			model.fail_at = 0;
			if (failed != 0)
				assert_int_equal(rig_undo(&rig), 0);
			rig_check_clean();
			if (!met)
				break;
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_that_fails_leaves_nothing),
		cmocka_unit_test(a_stop_that_fails_leaves_nothing),
		cmocka_unit_test(a_death_at_any_call_leaves_nothing),
		cmocka_unit_test(an_undo_that_fails_can_be_done_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
