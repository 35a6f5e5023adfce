/* SPDX-License-Identifier: BSD-2-Clause */
/* Every call to the kernel fails once: an error or a way around it, and nothing is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "rig.h"
#include "tap_options.h"

static struct rig rig;
static struct tap_options options;
static struct vpn_prefix addresses[2];

struct scene {
	bool load;   /* the extension is to be loaded and unloaded */
	bool select; /* a thread waits */
};

static void prepare(const struct scene *s, uint32_t fail_at, int e)
{
	model_reset();
	memset(&rig, 0, sizeof(rig));
	addresses[0] = rig_prefix("10.78.0.1/24");
	addresses[1] = rig_prefix("fd78::1/64");
	options = (struct tap_options){
		.common = {.name = "tap3",
			   .up = 1,
			   .addresses = {.items = addresses, .count = 2, .item_size = 20}},
		.mac = {.addr = {2, 1, 1, 1, 1, 1}, .is_set = 1},
		.load = s->load,
		.unload = s->load,
		.readiness = s->select ? TAP_READY_SELECT : TAP_READY_AUTO};
	model.files[0] = "/Library/Extensions/tunnelblick-tap.kext";
	model.loaded[0] = s->load ? NULL : "net.tunnelblick.tap";
	rig.has_journal = true;
	model.fail_at = fail_at;
	model.fail_errno = e;
}

/* A life with traffic. Returns the calls that it took. */
static uint32_t live(const struct scene *s, uint32_t fail_at, int e)
{
	uint8_t frame[100] = {0};
	uint32_t sent = 0;
	prepare(s, fail_at, e);
	vpn_status status = rig_start(&rig, &options, RIG_MTU + DARWIN_ETHERNET_ROOM);
	if (status != VPN_OK) {
		assert_true(rig.err.text[0] != '\0');
		assert_int_equal(rig.err.status, status);
		assert_int_equal(model_open_descriptors(), 0);
		assert_int_equal(model_count_interfaces(), 0);
		assert_true(!s->load || model.loaded[0] == NULL || rig.record != 0);
		return model.calls;
	}
	for (int i = 0; i < 10; i++)
		sent += model_send("tap3", frame, sizeof(frame));
	assert_int_equal(sent, 10);
	rig_settle(&rig, sent);
	rig_up(&rig, frame, sizeof(frame), 0, 10);
	if (!rig.fake.failed) {
		assert_int_equal(rig.fake.n_captured, sent);
		uint64_t lost = rig_count(&rig, "drop_refused") + rig_count(&rig, "drop_down") +
				rig_count(&rig, "drop_busy") + rig_count(&rig, "drop_no_buffers");
		assert_int_equal(model_find("tap3")->n_received + lost, 10);
	}
	rig_stop(&rig);
	/* what was loaded is unloaded, or written down for the next try */
	assert_true(!s->load || model.loaded[0] == NULL || rig.record != 0);
	return model.calls;
}

static void survives_the_failure_of_every_call(void **state)
{
	static const struct scene scenes[] = {{false, false}, {false, true}, {true, false}};
	static const int errors[] = {EIO, ENOMEM, EPERM, EINVAL, EINTR, ENOENT, ENXIO, EBUSY};
	(void)state;
	for (size_t k = 0; k < sizeof(scenes) / sizeof(scenes[0]); k++) {
		uint32_t calls = live(&scenes[k], 0, EIO);
		assert_true(calls > 15);
		for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
			for (uint32_t n = 1; n <= calls; n++)
				(void)live(&scenes[k], n, errors[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_the_failure_of_every_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
