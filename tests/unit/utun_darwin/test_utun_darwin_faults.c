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
#include "utun_options.h"

static struct rig rig;
static struct utun_options options;
static struct vpn_prefix addresses[2];

static void prepare(uint32_t fail_at, int e)
{
	model_reset();
	memset(&rig, 0, sizeof(rig));
	addresses[0] = rig_prefix("10.78.0.1/24");
	addresses[1] = rig_prefix("fd78::1/64");
	options = (struct utun_options){
		.common = {.name = "utun3",
			   .up = 1,
			   .addresses = {.items = addresses, .count = 2, .item_size = 20}},
		.batch = UTUN_BATCH_ON,
		.fd = -1};
	model.fail_at = fail_at;
	model.fail_errno = e;
}

/* A life with traffic. Returns the calls that it took. */
static uint32_t live(uint32_t fail_at, int e)
{
	uint8_t packet[100];
	uint32_t sent = 0;
	prepare(fail_at, e);
	vpn_status status = rig_start(&rig, &options, RIG_MTU);
	if (status != VPN_OK) {
		/* started or refused, and a refusal says why */
		assert_true(rig.err.text[0] != '\0');
		assert_int_equal(rig.err.status, status);
		assert_int_equal(model_open_descriptors(), 0);
		assert_int_equal(model_count_interfaces(), 0);
		return model.calls;
	}
	rig_packet(packet, sizeof(packet), 4, 1);
	for (int i = 0; i < 10; i++)
		sent += model_send("utun3", packet, sizeof(packet));
	model_set_mtu("utun3", 1300);
	rig_turn(&rig);
	rig_retry(&rig);
	rig_up(&rig, packet, sizeof(packet), 0, 10);
	if (!rig.fake.failed) {
		uint32_t got = model_find("utun3")->n_received;
		uint64_t lost = rig_count(&rig, "drop_refused") + rig_count(&rig, "drop_down") +
				rig_count(&rig, "drop_busy") + rig_count(&rig, "drop_no_buffers");
		assert_int_equal(got + lost, 10);
		assert_int_equal(rig.fake.n_captured, sent);
	}
	rig_stop(&rig);
	return model.calls;
}

static void survives_the_failure_of_every_call(void **state)
{
	static const int errors[] = {EIO, ENOMEM, EPERM, EINVAL, EINTR, ENOBUFS, ENXIO};
	(void)state;
	uint32_t calls = live(0, EIO);
	assert_true(calls > 20);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		for (uint32_t n = 1; n <= calls; n++)
			(void)live(n, errors[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_the_failure_of_every_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
