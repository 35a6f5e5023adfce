/* SPDX-License-Identifier: BSD-2-Clause */
/* How devices come and go: persistence, the journal, a death, descriptors that are handed in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "record.h"
#include "rig.h"

static struct rig rig;

static void boot(enum model_os os, enum bsd_layer_kind layer, const char *name)
{
	model_boot(os);
	rig_init(&rig, layer);
	rig.options.name = name;
}

/* Whether the kernel takes such a device away by itself. */
static bool goes_by_itself(enum model_os os, enum bsd_layer_kind layer)
{
	return os == MODEL_OPENBSD || os == MODEL_DRAGONFLY ||
	       (os == MODEL_NETBSD && layer == BSD_ETHERNET) ||
	       (os == MODEL_FREEBSD && model.freebsd15);
}

static void a_death_leaves_nothing_behind(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++) {
			boot(os, layer, "vpn%d");
			rig_add_address(&rig, "10.78.0.1/24");
			rig_must_start(&rig);
			bool alone = goes_by_itself(os, layer);
			assert_int_equal(rig_records(&rig), alone ? 0 : 1);
			rig_kill(&rig);
			assert_int_equal(model_devices(), alone ? 0 : 1);
			assert_int_equal(rig_undo(&rig), 0);
			rig_check_clean();
			assert_int_equal(rig_undo(&rig), 0);
		}
}

static void freebsd_15_needs_no_journal(void **state)
{
	(void)state;
	for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++) {
		boot(MODEL_FREEBSD, layer, "vpn%d");
		model.freebsd15 = true;
		rig_must_start(&rig);
		assert_true(rig_if(&rig)->transient);
		assert_int_equal(rig_records(&rig), 0);
		rig_kill(&rig);
		rig_check_clean();
		boot(MODEL_FREEBSD, layer, "vpn%d");
		model.freebsd15 = true;
		rig_must_start(&rig);
		rig_stop(&rig);
		rig_check_clean();
	}
}

static void works_without_a_journal(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_IP, "vpn%d");
		rig.no_journal = true;
		rig_must_start(&rig);
		rig_stop(&rig);
		rig_check_clean();
	}
}

static void makes_nothing_that_the_journal_does_not_have(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP, "vpn%d");
	rig.fail_add = 1;
	rig_must_refuse(&rig, VPN_EIO, "", "the journal is full");
	rig_check_clean();
}

static void the_record_is_there_before_the_device(void **state)
{
	(void)state;
	boot(MODEL_NETBSD, BSD_IP, "tun1");
	/* sockets, one question, then SIOCIFCREATE */
	model.fail_at = 4;
	model.fail_errno = EIO;
	assert_int_not_equal(rig_start(&rig), VPN_OK);
	assert_int_equal(rig.n_adds, 1);
	assert_int_equal(rig_records(&rig), 0);
	rig_check_clean();
}

static void undo_leaves_what_another_program_has_open(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP, "tun3");
	rig_must_start(&rig);
	rig_kill(&rig);
	assert_true(model_open("/dev/tun3") > 0);
	assert_int_equal(rig_undo(&rig), 0);
	assert_int_equal(model_devices(), 1);
	assert_false(model.hung);
	assert_true(rig_logged(&rig, "tun3 is in use by another program"));
}

static void undo_finds_a_device_that_was_renamed_later(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP, "wg0");
	rig_must_start(&rig);
	model_rename("wg0", "other");
	rig_kill(&rig);
	assert_int_equal(rig_undo(&rig), 0);
	rig_check_clean();
}

static void undo_of_what_was_never_made_is_done(void **state)
{
	const struct bsd_record r = {.version = BSD_RECORD_VERSION, .layer = BSD_IP, .unit = 3};
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_IP, "");
		assert_int_equal(rig_component()->undo(&rig.fake.host, 0, &r, sizeof(r), &rig.err),
				 VPN_OK);
		/* DragonFly's node makes one that stays; there is never such a record there */
		if (os != MODEL_DRAGONFLY)
			rig_check_clean();
	}
}

static void undo_refuses_a_record_that_is_none(void **state)
{
	struct bsd_record r = {.version = BSD_RECORD_VERSION, .layer = 2, .unit = 3};
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP, "");
	assert_int_equal(rig_component()->undo(&rig.fake.host, 0, &r, sizeof(r), &rig.err),
			 VPN_EINVAL);
	r.layer = 0;
	r.unit = 40000;
	assert_int_equal(rig_component()->undo(&rig.fake.host, 0, &r, sizeof(r), &rig.err),
			 VPN_EINVAL);
	r.unit = 1;
	r.version = 2;
	assert_int_equal(rig_component()->undo(&rig.fake.host, 0, &r, sizeof(r), &rig.err),
			 VPN_EINVAL);
	r.version = 1;
	for (uint32_t len = 0; len < sizeof(r); len++)
		assert_int_equal(rig_component()->undo(&rig.fake.host, 0, &r, len, &rig.err),
				 VPN_EINVAL);
	assert_int_equal(model.calls, 0);
}

static void a_new_device_can_be_made_to_stay(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++) {
			boot(os, layer, layer == BSD_IP ? "tun1" : "tap1");
			model.freebsd15 = os == MODEL_FREEBSD && layer == BSD_IP;
			rig.options.persist = BSD_PERSIST_ON;
			rig_add_address(&rig, "10.78.0.1/24");
			rig_must_start(&rig);
			assert_int_equal(rig_records(&rig), 0);
			rig_stop(&rig);
			rig_check_left(1);
			struct model_if *f = model_find(rig.options.name);
			assert_non_null(f);
			assert_false(model_has(f, "10.78.0.1/24"));
		}
}

static void a_device_can_be_made_to_go(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++) {
			boot(os, layer, layer == BSD_IP ? "tun1" : "tap1");
			model_create(rig.options.name);
			rig.options.persist = BSD_PERSIST_OFF;
			rig_must_start(&rig);
			rig_stop(&rig);
			rig_check_clean();
		}
}

static void a_start_that_fails_keeps_what_was_there(void **state)
{
	(void)state;
	boot(MODEL_NETBSD, BSD_IP, "tun1");
	model_create("tun1");
	model.ifs[0].flags |= BSD_IFF_UP;
	rig.options.persist = BSD_PERSIST_OFF;
	rig_add_address(&rig, "10.78.0.1/24");
	rig_must_refuse(&rig, VPN_EBUSY, "/name", "take it down first");
	rig_check_left(1);
}

static void a_given_descriptor_is_taken(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++) {
			boot(os, layer, "vpn%d");
			model_create(layer == BSD_IP ? "tun2" : "tap2");
			int fd = model_open(layer == BSD_IP ? "/dev/tun2" : "/dev/tap2");
			rig.options.fd = fd;
			rig_must_start(&rig);
			assert_string_equal(rig_info(&rig).name, layer == BSD_IP ? "tun2" : "tap2");
			rig_stop(&rig);
			assert_int_equal(model_open_fds(), 1); /* the one that was handed in */
			model_kill();
			/* DragonFly's tap goes with its last close from number 4 on only */
			rig_check_left(1);
		}
}

static void a_descriptor_of_another_kind_is_refused(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_ETHERNET, "vpn%d");
		model_create("tun2");
		rig.options.fd = model_open("/dev/tun2");
		rig_must_refuse(&rig, VPN_EINVAL, "/fd", "layer");
		boot(os, BSD_IP, "vpn%d");
		rig.options.fd = 5;
		rig_must_refuse(&rig, VPN_EINVAL, "/fd", "cannot take descriptor 5 over");
		rig_check_clean();
	}
}

static void a_device_that_cannot_be_destroyed_is_told_and_tried_again(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP, "tun1");
	rig_must_start(&rig);
	/* the monitor's close, the name, the device's close, then SIOCIFDESTROY */
	model.calls = 0;
	model.fail_at = 4;
	model.fail_errno = EBUSY;
	rig_stop(&rig);
	assert_true(model.failed);
	assert_int_equal(model_devices(), 1);
	assert_true(rig_logged(&rig, "cannot remove the device tun1"));
	assert_int_equal(rig_records(&rig), 1);
	assert_int_equal(rig_undo(&rig), 0);
	rig_check_clean();
}

static void a_renamed_device_is_destroyed_by_its_present_name(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP, "wg0");
	rig_must_start(&rig);
	model_rename("wg0", "other");
	rig_stop(&rig);
	rig_check_clean();
	assert_int_equal(rig_records(&rig), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_death_leaves_nothing_behind),
		cmocka_unit_test(freebsd_15_needs_no_journal),
		cmocka_unit_test(works_without_a_journal),
		cmocka_unit_test(makes_nothing_that_the_journal_does_not_have),
		cmocka_unit_test(the_record_is_there_before_the_device),
		cmocka_unit_test(undo_leaves_what_another_program_has_open),
		cmocka_unit_test(undo_finds_a_device_that_was_renamed_later),
		cmocka_unit_test(undo_of_what_was_never_made_is_done),
		cmocka_unit_test(undo_refuses_a_record_that_is_none),
		cmocka_unit_test(a_new_device_can_be_made_to_stay),
		cmocka_unit_test(a_device_can_be_made_to_go),
		cmocka_unit_test(a_start_that_fails_keeps_what_was_there),
		cmocka_unit_test(a_given_descriptor_is_taken),
		cmocka_unit_test(a_descriptor_of_another_kind_is_refused),
		cmocka_unit_test(a_device_that_cannot_be_destroyed_is_told_and_tried_again),
		cmocka_unit_test(a_renamed_device_is_destroyed_by_its_present_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
