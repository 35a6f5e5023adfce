/* SPDX-License-Identifier: BSD-2-Clause */
/* What other programs do to the device while it runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

static struct rig rig;

static void run(enum model_os os)
{
	model_boot(os);
	rig_init(&rig, BSD_IP);
	rig_add_address(&rig, "10.78.0.1/24");
	rig_must_start(&rig);
	rig.fake.n_events = 0;
}

static void down_and_up_are_noticed(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		run(os);
		rig_if(&rig)->flags &= ~BSD_IFF_UP;
		rig_notice(&rig);
		assert_true(fake_saw_event(&rig.fake, VPN_EVENT_LINK_DOWN));
		assert_int_equal(rig_info(&rig).flags, 0);
		rig_if(&rig)->flags |= BSD_IFF_UP;
		rig_notice(&rig);
		assert_true(fake_saw_event(&rig.fake, VPN_EVENT_LINK_UP));
		assert_int_equal(rig_info(&rig).flags, VPN_DEVICE_UP);
		rig_stop(&rig);
		rig_check_clean();
	}
}

static void another_mtu_is_noticed(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		run(os);
		rig_if(&rig)->mtu = 1500;
		rig_notice(&rig);
		assert_true(fake_saw_event(&rig.fake, VPN_EVENT_MTU));
		assert_int_equal(rig_info(&rig).mtu, 1500);
		assert_true(rig_logged(&rig, "more than the stack carries"));
		rig_stop(&rig);
	}
}

static void messages_about_others_say_nothing(void **state)
{
	(void)state;
	run(MODEL_FREEBSD);
	size_t before = strlen(rig.fake.log);
	model.route_messages = 500; /* read in two goes */
	rig_notice(&rig);
	assert_true(model.route_messages > 400);
	rig_notice(&rig);
	assert_int_equal(strlen(rig.fake.log), before);
	assert_int_equal(rig.fake.n_events, 0);
	assert_false(rig.fake.failed);
	rig_stop(&rig);
}

static void a_new_name_is_followed(void **state)
{
	(void)state;
	run(MODEL_FREEBSD);
	model_rename("vpn0", "office");
	rig_notice(&rig);
	assert_string_equal(rig_info(&rig).name, "office");
	assert_true(rig_logged(&rig, "vpn0 has a new name: office"));
	rig_stop(&rig);
	rig_check_clean();
}

static void a_removed_device_ends_the_pipeline_once(void **state)
{
	(void)state;
	for (enum model_os os = MODEL_OPENBSD; os <= MODEL_NETBSD; os++) {
		run(os);
		assert_int_equal(model_destroy("tun0"), 0);
		rig_notice(&rig);
		assert_true(rig.fake.failed);
		assert_string_equal(rig.fake.failure.text,
				    "device tun0 was removed by another program");
		rig_notice(&rig);
		assert_int_equal(rig_read(&rig), VPN_IDLE);
		rig_stop(&rig);
		rig_check_clean();
		assert_int_equal(rig_records(&rig), 0);
	}
}

static void a_removed_device_is_noticed_by_reading_too(void **state)
{
	(void)state;
	for (enum model_os os = MODEL_OPENBSD; os <= MODEL_NETBSD; os++) {
		run(os);
		assert_int_equal(model_destroy("tun0"), 0);
		assert_int_equal(rig_read(&rig), VPN_IDLE);
		assert_true(rig.fake.failed);
		rig_stop(&rig);
		rig_check_clean();
	}
}

static void a_removed_device_is_noticed_by_writing_too(void **state)
{
	uint8_t p[64];
	(void)state;
	for (enum model_os os = MODEL_OPENBSD; os <= MODEL_NETBSD; os++) {
		run(os);
		assert_int_equal(model_destroy("tun0"), 0);
		rig_write(&rig, p, rig_packet(p, 4, 64), 0);
		assert_true(rig.fake.failed);
		rig_write(&rig, p, 64, 0);
		assert_int_equal(rig_count(&rig, "drop_down") + rig_count(&rig, "drop_refused"), 2);
		rig_stop(&rig);
		rig_check_clean();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(down_and_up_are_noticed),
		cmocka_unit_test(another_mtu_is_noticed),
		cmocka_unit_test(messages_about_others_say_nothing),
		cmocka_unit_test(a_new_name_is_followed),
		cmocka_unit_test(a_removed_device_ends_the_pipeline_once),
		cmocka_unit_test(a_removed_device_is_noticed_by_reading_too),
		cmocka_unit_test(a_removed_device_is_noticed_by_writing_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
