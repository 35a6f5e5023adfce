/* SPDX-License-Identifier: BSD-2-Clause */
/* Mode salamander: the bytes of Hysteria 2. */
#include <string.h>

#include "obfs_world.h"

#define SALT 8u

static struct world w;

/* BLAKE2b-256 of "average_password" and a salt of 00 01 .. 07 */
static const char pad_hex[] = "7145ab9cb8618c6057681425a251337ddff92fdc6320f58920527b95fff4df33";

static int setup(void **state)
{
	(void)state;
	world_init(&w, OBFS_SALAMANDER);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static void opens_what_a_known_salt_has_sealed(void **state)
{
	uint8_t wire[SALT + 32], pad[32];
	(void)state;
	world_start(&w, 0);
	assert_int_equal(world_hex(pad_hex, pad), sizeof(pad));
	for (uint32_t i = 0; i < SALT; i++)
		wire[i] = (uint8_t)i;
	memset(wire + SALT, 0, sizeof(wire) - SALT);
	assert_true(testhost_recv(w.stage[0], 0, wire, sizeof(wire), NULL));
	const struct testhost_record *r = world_next(&w, 0, VPN_UP);
	TESTHOST_SAME_BYTES(r->data, r->len, pad, sizeof(pad));
}

static void brings_back_any_length(void **state)
{
	uint8_t data[1420];
	(void)state;
	world_start(&w, 0);
	world_start(&w, 1);
	for (uint32_t len = 1; len <= sizeof(data); len += len < 300 ? 1 : 7) {
		for (uint32_t i = 0; i < len; i++)
			data[i] = (uint8_t)testhost_random(w.host);
		assert_true(testhost_send(w.stage[0], 0, data, len));
		const struct testhost_record *r = world_next(&w, 0, VPN_DOWN);
		assert_int_equal(r->len, len + SALT);
		assert_true(testhost_recv(w.stage[1], 0, r->data, r->len, NULL));
		r = world_next(&w, 1, VPN_UP);
		TESTHOST_SAME_BYTES(r->data, r->len, data, len);
	}
}

static void drops_what_has_no_data_behind_the_salt(void **state)
{
	static const uint8_t zeroes[SALT];
	(void)state;
	world_start(&w, 0);
	for (uint32_t len = 0; len <= SALT; len++)
		assert_true(testhost_recv(w.stage[0], 0, zeroes, len, NULL));
	assert_int_equal(testhost_counter(w.stage[0], "drop_short"), SALT + 1);
	assert_int_equal(testhost_waiting(w.stage[0], 0, VPN_UP), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opens_what_a_known_salt_has_sealed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(brings_back_any_length, setup, teardown),
		cmocka_unit_test_setup_teardown(drops_what_has_no_data_behind_the_salt, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
