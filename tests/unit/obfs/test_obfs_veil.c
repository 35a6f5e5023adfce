/* SPDX-License-Identifier: BSD-2-Clause */
/* Mode veil as a stage: what it carries, what it looks like, what a manifest may say. */
#include <string.h>

#include "veil_world.h"

static struct veil_world v;

static int setup(void **state)
{
	(void)state;
	veil_world_init(&v);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	veil_world_end(&v);
	return 0;
}

static void arrives(uint32_t side, const uint8_t *wire, uint32_t wire_len, const uint8_t *data,
		    uint32_t len)
{
	assert_true(testhost_recv(v.w.stage[side], 0, wire, wire_len, NULL));
	const struct testhost_record *r = world_next(&v.w, side, VPN_UP);
	TESTHOST_SAME_BYTES(r->data, r->len, data, len);
}

/* ---- the format ---- */

/* From the reference in Python: sender 11 22 .. 88 (big end first), number 7, time 1700000000123, "hello" and
 * three bytes of padding. */
static void opens_the_vector(void **state)
{
	static const char hex[] =
		"404142434445464748494a4b4c4d4e4f505152535455565789755f4cec3d5534fceccbe05a83fc7673"
		"32bbb832f1b1d0da5400504b5bfd15f975b8e637496aeff295691fb495df32";
	uint8_t wire[128];
	uint32_t len = world_hex(hex, wire);
	(void)state;
	testhost_set_wall(v.w.host, UINT64_C(1700000000000) * 1000000);
	veil_world_start(&v);
	arrives(0, wire, len, (const uint8_t *)"hello", 5);
}

static void both_sides_understand_each_other_at_every_length(void **state)
{
	uint8_t message[MTU_ABOVE], wire[MTU_ABOVE + 64];
	(void)state;
	veil_world_start(&v);
	for (uint32_t type = INITIATION; type <= DATA; type++) {
		for (uint32_t len = 4; len <= MTU_ABOVE; len += len < 400 ? 1 : 17) {
			if (type != DATA && len >= VEIL_MASK_FROM + VEIL_OVERHEAD)
				break;
			uint32_t side = len % 2;
			veil_world_message(&v, message, type, len);
			uint32_t wire_len = veil_world_seal(&v, side, message, len, wire);
			arrives(1 - side, wire, wire_len, message, len);
		}
	}
	assert_int_equal(testhost_drops(v.w.stage[0]) + testhost_drops(v.w.stage[1]), 0);
}

static void carries_what_is_no_message_of_wireguard(void **state)
{
	uint8_t wire[MTU_ABOVE];
	(void)state;
	veil_world_start(&v);
	for (uint32_t len = 1; len <= 3; len++) {
		uint32_t wire_len = veil_world_seal(&v, 0, (const uint8_t *)"abc", len, wire);
		arrives(1, wire, wire_len, (const uint8_t *)"abc", len);
	}
}

static void a_full_packet_does_not_grow(void **state)
{
	uint8_t wire[MTU_ABOVE + 64];
	(void)state;
	veil_world_start(&v);
	assert_int_equal(testhost_needs(v.w.stage[0])->overhead, 0);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(veil_world_sealed(&v, 0, DATA, MTU_ABOVE, wire), MTU_ABOVE);
}

static void nothing_is_longer_than_a_full_packet(void **state)
{
	uint8_t wire[MTU_ABOVE + 64];
	(void)state;
	v.w.setup[0].mtu_above = 700;
	v.w.setup[0].mtu_below = 1400;
	veil_world_start(&v);
	for (uint32_t len = 32; len <= 700; len += 4)
		assert_in_range(veil_world_sealed(&v, 0, DATA, len, wire), 32, 700);
}

/* Three messages of one size, then a shorter one, as a segmented write of TCP comes. */
static void a_train_of_packets_stays_one(void **state)
{
	uint8_t data[1000];
	struct vpn_packet *pkts[4];
	(void)state;
	veil_world_start(&v);
	for (uint32_t round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < 4; i++) {
			veil_world_message(&v, data, DATA, sizeof(data));
			pkts[i] = testhost_packet(v.w.stage[0], 0, VPN_DOWN, data,
						  i < 3 ? sizeof(data) : sizeof(data) - 16);
		}
		assert_int_equal(testhost_offer(v.w.stage[0], 0, VPN_DOWN, pkts, 4), 4);
		uint32_t len = world_next(&v.w, 0, VPN_DOWN)->len;
		assert_int_equal(world_next(&v.w, 0, VPN_DOWN)->len, len);
		assert_int_equal(world_next(&v.w, 0, VPN_DOWN)->len, len);
		assert_in_range(world_next(&v.w, 0, VPN_DOWN)->len, sizeof(data) - 16, len);
	}
}

static void a_batch_stays_one_batch_up_and_down(void **state)
{
	static const uint32_t lens[] = {148, 1452, 96, 1452, 32, 600, 92, 64};
	static const uint32_t types[] = {1, 4, 4, 4, 4, 4, 2, 3};
	uint8_t data[8][MTU_ABOVE];
	struct vpn_packet *pkts[8];
	(void)state;
	veil_world_start(&v);
	for (uint32_t i = 0; i < 8; i++) {
		veil_world_message(&v, data[i], types[i], lens[i]);
		pkts[i] = testhost_packet(v.w.stage[0], 0, VPN_DOWN, data[i], lens[i]);
	}
	assert_int_equal(testhost_offer(v.w.stage[0], 0, VPN_DOWN, pkts, 8), 8);
	for (uint32_t i = 0; i < 8; i++) {
		const struct testhost_record *r = world_next(&v.w, 0, VPN_DOWN);
		assert_int_equal(r->push, 1);
		pkts[i] = testhost_packet(v.w.stage[1], 0, VPN_UP, r->data, r->len);
	}
	assert_int_equal(testhost_offer(v.w.stage[1], 0, VPN_UP, pkts, 8), 8);
	for (uint32_t i = 0; i < 8; i++) {
		const struct testhost_record *r = world_next(&v.w, 1, VPN_UP);
		assert_int_equal(r->push, 1);
		TESTHOST_SAME_BYTES(r->data, r->len, data[i], lens[i]);
	}
}

/* ---- several peers, several lanes ---- */

static void many_sides_share_one_key(void **state)
{
	uint8_t message[148], wire[MTU_ABOVE];
	struct testhost_stage *extra[20];
	struct vpn_endpoint from = testhost_endpoint("192.0.2.7:99");
	(void)state;
	veil_world_start(&v);
	for (uint32_t i = 0; i < 20; i++) {
		extra[i] = testhost_add(v.w.host, world_component(), &v.w.setup[0], NULL);
		assert_non_null(extra[i]);
		assert_int_equal(testhost_start(extra[i], NULL), VPN_OK);
	}
	for (uint32_t i = 0; i < 60; i++) {
		veil_world_message(&v, message, INITIATION, sizeof(message));
		assert_true(testhost_send(extra[i % 20], 0, message, sizeof(message)));
		const struct testhost_record *r = testhost_next(extra[i % 20], 0, VPN_DOWN);
		memcpy(wire, r->data, r->len);
		assert_true(testhost_recv(v.w.stage[1], 0, wire, r->len, &from));
		r = world_next(&v.w, 1, VPN_UP);
		TESTHOST_SAME_BYTES(r->data, r->len, message, sizeof(message));
		assert_true(r->has_endpoint);
		assert_int_equal(r->endpoint.port, 99);
	}
}

static void lanes_send_as_different_senders(void **state)
{
	uint8_t message[148], wire[MTU_ABOVE];
	(void)state;
	v.w.setup[0].n_lanes = 4;
	v.w.setup[1].n_lanes = 3;
	veil_world_start(&v);
	for (uint32_t i = 0; i < 120; i++) {
		veil_world_message(&v, message, RESPONSE, 92);
		assert_true(testhost_send(v.w.stage[0], i % 4, message, 92));
		const struct testhost_record *r = testhost_next(v.w.stage[0], i % 4, VPN_DOWN);
		uint32_t len = r->len;
		memcpy(wire, r->data, len);
		assert_true(testhost_recv(v.w.stage[1], i % 3, wire, len, NULL));
		assert_non_null(testhost_next(v.w.stage[1], i % 3, VPN_UP));
		/* what another lane has taken is not taken again */
		assert_true(testhost_recv(v.w.stage[1], (i + 1) % 3, wire, len, NULL));
		assert_null(testhost_next(v.w.stage[1], (i + 1) % 3, VPN_UP));
		/* and no lane takes what another of its own side has sent */
		assert_true(testhost_recv(v.w.stage[0], (i + 1) % 4, wire, len, NULL));
	}
	assert_int_equal(testhost_counter(v.w.stage[1], "drop_replay"), 120);
	assert_int_equal(testhost_counter(v.w.stage[0], "drop_reflected"), 120);
}

/* ---- cover: whole ---- */

static void whole_carries_anything_and_encrypts_it(void **state)
{
	uint8_t data[1400], wire[1400 + 64];
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		v.veil[i].cover = VEIL_COVER_WHOLE;
		v.w.setup[i].above = "kcp";
		v.w.setup[i].mtu_above = 1400;
	}
	veil_world_start(&v);
	const struct vpn_needs *needs = testhost_needs(v.w.stage[0]);
	assert_int_equal(needs->overhead, VEIL_OVERHEAD);
	assert_int_equal(needs->flags & (VPN_ENCRYPTS | VPN_WANTS_CIPHERTEXT), VPN_ENCRYPTS);
	for (uint32_t len = 1; len <= sizeof(data); len += len < 200 ? 1 : 31) {
		memset(data, (int)len, len);
		uint32_t wire_len = veil_world_seal(&v, 0, data, len, wire);
		assert_in_range(wire_len, len + VEIL_OVERHEAD, 1464);
		arrives(1, wire, wire_len, data, len);
	}
	assert_int_equal(veil_world_seal(&v, 0, data, sizeof(data), wire), 1464);
	/* also what looks like WireGuard's data */
	veil_world_message(&v, data, DATA, 1000);
	assert_in_range(veil_world_seal(&v, 0, data, 1000, wire), 1064, 1464);
}

static void whole_takes_nothing_that_is_only_masked(void **state)
{
	uint8_t wire[MTU_ABOVE];
	(void)state;
	v.veil[1].cover = VEIL_COVER_WHOLE;
	veil_world_start(&v);
	uint32_t len = veil_world_sealed(&v, 0, DATA, 1000, wire);
	assert_true(testhost_recv(v.w.stage[1], 0, wire, len, NULL));
	assert_int_equal(testhost_waiting(v.w.stage[1], 0, VPN_UP), 0);
	assert_int_equal(testhost_counter(v.w.stage[1], "drop_foreign"), 1);
}

/* ---- junk ---- */

static void junk_goes_before_initiations_and_ends_at_the_other_side(void **state)
{
	uint8_t data[148], wire[MTU_ABOVE];
	struct vpn_endpoint to = testhost_endpoint("192.0.2.9:77");
	uint32_t lens[9];
	(void)state;
	v.veil[0].junk = 8;
	v.veil[0].junk_min = 100;
	v.veil[0].junk_max = 300;
	veil_world_start(&v);
	veil_world_message(&v, data, INITIATION, sizeof(data));
	struct vpn_packet *p = testhost_packet(v.w.stage[0], 0, VPN_DOWN, data, sizeof(data));
	testhost_packet_from(v.w.stage[0], p, &to);
	assert_int_equal(testhost_offer(v.w.stage[0], 0, VPN_DOWN, &p, 1), 1);
	assert_int_equal(testhost_waiting(v.w.stage[0], 0, VPN_DOWN), 9);
	for (uint32_t i = 0; i < 9; i++) {
		const struct testhost_record *r = world_next(&v.w, 0, VPN_DOWN);
		assert_int_equal(r->endpoint.port, 77);
		lens[i] = r->len;
		memcpy(wire, r->data, r->len);
		if (i < 8)
			assert_in_range(r->len, 100, 300);
		assert_true(testhost_recv(v.w.stage[1], 0, wire, lens[i], NULL));
	}
	assert_int_equal(testhost_waiting(v.w.stage[1], 0, VPN_UP), 1);
	assert_int_equal(testhost_counter(v.w.stage[1], "veil_junk"), 8);
	assert_int_equal(testhost_drops(v.w.stage[1]), 0);
	uint32_t same = 0;
	for (uint32_t i = 1; i < 8; i++)
		same += lens[i] == lens[0];
	assert_in_range(same, 0, 6);
	/* nothing before anything else */
	(void)veil_world_sealed(&v, 0, RESPONSE, 92, wire);
	(void)veil_world_sealed(&v, 0, DATA, 148, wire);
	assert_int_equal(testhost_waiting(v.w.stage[0], 0, VPN_DOWN), 0);
}

static void an_initiation_goes_without_junk_when_packets_are_short(void **state)
{
	uint8_t wire[MTU_ABOVE];
	(void)state;
	v.veil[0].junk = 3;
	veil_world_start(&v);
	testhost_fail_alloc(v.w.host, 1, false);
	assert_in_range(veil_world_sealed(&v, 0, INITIATION, 148, wire), 212, MTU_ABOVE);
	assert_int_equal(testhost_waiting(v.w.stage[0], 0, VPN_DOWN), 0);
}

static void packets_of_ones_own_design_go_first(void **state)
{
	static const char *const first[] = {"<b 0x16fefd><r 20>", "<rd 7>"};
	uint8_t wire[MTU_ABOVE];
	(void)state;
	v.veil[0].first = (struct vpn_list){first, 2, sizeof(first[0])};
	v.veil[0].junk = 1;
	veil_world_start(&v);
	for (uint32_t round = 0; round < 2; round++) {
		uint32_t len = veil_world_sealed(&v, 0, INITIATION, 148, wire);
		assert_int_equal(len, 23);
		assert_memory_equal(wire, "\x16\xfe\xfd", 3);
		assert_true(testhost_recv(v.w.stage[1], 0, wire, len, NULL));
		const struct testhost_record *r = world_next(&v.w, 0, VPN_DOWN);
		assert_int_equal(r->len, 7);
		for (uint32_t i = 0; i < 7; i++)
			assert_in_range(r->data[i], '0', '9');
		assert_in_range(world_next(&v.w, 0, VPN_DOWN)->len, 64, 512);
		assert_in_range(world_next(&v.w, 0, VPN_DOWN)->len, 212, MTU_ABOVE);
		assert_null(testhost_next(v.w.stage[0], 0, VPN_DOWN));
	}
	assert_int_equal(testhost_counter(v.w.stage[1], "drop_short"), 2);
}

/* ---- what a manifest may say ---- */

static void refused(const char *where, const char *what)
{
	struct vpn_error err = {.size = sizeof(err)};
	assert_null(testhost_add(v.w.host, world_component(), &v.w.setup[0], &err));
	assert_int_equal(err.status, VPN_EINVAL);
	assert_string_equal(err.where, where);
	if (strstr(err.text, what) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, what);
}

static void needs_a_key_or_a_password_of_some_length(void **state)
{
	(void)state;
	v.w.options[0].key = (struct vpn_bytes){NULL, 0, 0};
	refused("/password", "needs a \"password\" or a \"key\"");
	v.w.options[0].password = "7 bytes";
	refused("/password", "at least 8 bytes");
}

static void headers_stand_under_wireguard_alone(void **state)
{
	(void)state;
	v.w.setup[0].above = "kcp";
	refused("/veil/cover", "\"whole\"");
	v.w.setup[0].above = NULL;
	refused("/veil/cover", "\"whole\"");
}

static void refuses_a_path_without_room(void **state)
{
	(void)state;
	v.w.setup[0].mtu_above = 319;
	v.w.setup[0].mtu_below = 319;
	refused("/mode", "320 bytes");
}

static void refuses_junk_that_cannot_be(void **state)
{
	(void)state;
	v.veil[0].junk = 1;
	v.veil[0].junk_min = 513;
	refused("/veil/junk_min", "greater than junk_max");
	v.veil[0].junk_max = 1500;
	refused("/veil/junk_max", "up to 1452 bytes");
	v.veil[0].cover = VEIL_COVER_WHOLE;
	refused("/veil/junk", "leave it out");
}

static void refuses_first_packets_that_cannot_be(void **state)
{
	static const char *const first[] = {"<r 20>", "<r 20><q 7>"};
	static const char *const long_one[] = {"<r 1453>"};
	(void)state;
	v.veil[0].first = (struct vpn_list){first, 2, sizeof(first[0])};
	refused("/veil/first/1", "at character 7");
	v.veil[0].first = (struct vpn_list){long_one, 1, sizeof(long_one[0])};
	refused("/veil/first/0", "1453 bytes");
	v.veil[0].cover = VEIL_COVER_WHOLE;
	refused("/veil/first", "leave it out");
}

static void an_object_for_another_mode_is_refused(void **state)
{
	(void)state;
	v.w.options[0].mode = OBFS_SALAMANDER;
	refused("/veil", "belongs to modes");
}

static void the_object_may_be_left_out(void **state)
{
	uint8_t message[148], wire[MTU_ABOVE];
	(void)state;
	v.w.options[0].veil = NULL;
	veil_world_start(&v);
	veil_world_message(&v, message, INITIATION, sizeof(message));
	uint32_t len = veil_world_seal(&v, 0, message, sizeof(message), wire);
	arrives(1, wire, len, message, sizeof(message));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_the_vector),
		TEST(both_sides_understand_each_other_at_every_length),
		TEST(carries_what_is_no_message_of_wireguard),
		TEST(a_full_packet_does_not_grow),
		TEST(nothing_is_longer_than_a_full_packet),
		TEST(a_train_of_packets_stays_one),
		TEST(a_batch_stays_one_batch_up_and_down),
		TEST(many_sides_share_one_key),
		TEST(lanes_send_as_different_senders),
		TEST(whole_carries_anything_and_encrypts_it),
		TEST(whole_takes_nothing_that_is_only_masked),
		TEST(junk_goes_before_initiations_and_ends_at_the_other_side),
		TEST(an_initiation_goes_without_junk_when_packets_are_short),
		TEST(packets_of_ones_own_design_go_first),
		TEST(needs_a_key_or_a_password_of_some_length),
		TEST(headers_stand_under_wireguard_alone),
		TEST(refuses_a_path_without_room),
		TEST(refuses_junk_that_cannot_be),
		TEST(refuses_first_packets_that_cannot_be),
		TEST(an_object_for_another_mode_is_refused),
		TEST(the_object_may_be_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
