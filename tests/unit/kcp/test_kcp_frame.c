/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "frame.h"

static uint8_t peek(uint8_t first, uint32_t len)
{
	uint8_t data[128] = {0};
	uint32_t number;
	data[0] = first;
	return kcp_frame_peek(data, len, &number);
}

static void lengths_are_checked(void **state)
{
	(void)state;
	for (uint32_t len = 0; len < 128; len++) {
		assert_int_equal(peek(0x10, len) != 0, len > 16);
		assert_int_equal(peek(0x20, len) != 0, len > 22);
		assert_int_equal(peek(0x30, len) != 0, len > 22);
		assert_int_equal(peek(0x40, len) != 0, len > 16);
		assert_int_equal(peek(0x50, len) != 0, len == 16);
		assert_int_equal(peek(0x80, len) != 0, len == 64);
		assert_int_equal(peek(0x90, len) != 0, len == 64);
		assert_int_equal(peek(0xa0, len) != 0, len == 64);
		assert_int_equal(peek(0xb0, len) != 0, len == 16);
		assert_int_equal(peek(0xc0, len) != 0, len == 24);
	}
}

static void unknown_kinds_and_flags_are_refused(void **state)
{
	(void)state;
	for (uint32_t first = 0; first < 256; first++) {
		uint32_t flags = first & 0x0f;
		bool may_be_covered = first >> 4 == 1 || first >> 4 == 2;
		bool known = first >> 4 == 1 || first >> 4 == 2 || first >> 4 == 3 ||
			     first >> 4 == 4;
		bool good = known && (flags == 0 || (flags == 1 && may_be_covered));
		assert_int_equal(peek((uint8_t)first, 100) != 0, good);
	}
}

/* The bytes of docs/protocols/kcp.md. */
static void a_head_has_these_bytes(void **state)
{
	static const uint8_t bytes[16] = {0x11, 0x07, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12,
					  0xef, 0xcd, 0xab, 0x89, 0x01, 0x00, 0x00, 0x80};
	struct kcp_frame f = {.kind = KCP_FRAME_DATA,
			      .flags = KCP_FRAME_COVERED,
			      .small = 7,
			      .word = 0x1234,
			      .number = 0x12345678,
			      .pn = 0x89abcdef,
			      .id = 0x80000001};
	struct kcp_frame back;
	uint8_t data[16];
	uint32_t number;
	(void)state;
	kcp_frame_write(data, &f);
	assert_memory_equal(data, bytes, sizeof(bytes));
	kcp_frame_parse(data, &back);
	assert_int_equal(back.kind, f.kind);
	assert_int_equal(back.flags, f.flags);
	assert_int_equal(back.small, f.small);
	assert_int_equal(back.word, f.word);
	assert_int_equal(back.number, f.number);
	assert_int_equal(back.pn, f.pn);
	assert_int_equal(back.id, f.id);
	uint8_t longer[17] = {0};
	memcpy(longer, bytes, sizeof(bytes));
	assert_int_equal(kcp_frame_peek(longer, 17, &number), KCP_FRAME_DATA);
	assert_int_equal(number, 0x12345678);
}

static void a_hello_has_these_bytes(void **state)
{
	struct kcp_frame_hello h = {.kind = KCP_FRAME_WELCOME,
				    .version = 1,
				    .mode = KCP_FRAME_MODE_DEADLINE,
				    .number = 0x04030201,
				    .sender = 0x1817161514131211,
				    .receiver = 0x2827262504030201,
				    .first_pn = 0x34333231,
				    .window = 0x1000,
				    .budget_us = 300000,
				    .message = 1378};
	struct kcp_frame_hello back;
	uint8_t data[KCP_FRAME_HELLO_LEN];
	(void)state;
	memset(h.cookie, 0x5a, sizeof(h.cookie));
	kcp_frame_write_hello(data, &h);
	assert_int_equal(data[0], 0xa0);
	assert_int_equal(data[1], 1);
	assert_int_equal(data[2], 2);
	assert_int_equal(data[3], 0);
	assert_int_equal(kcp_load_le32(data + 4), 0x04030201);
	assert_true(kcp_load_le64(data + 8) == h.sender);
	assert_true(kcp_load_le64(data + 16) == h.receiver);
	assert_int_equal(data[24], 0x31);
	assert_int_equal(kcp_load_le32(data + 28), 0x1000);
	assert_int_equal(kcp_load_le32(data + 32), 300000);
	assert_int_equal(kcp_load_le32(data + 36), 1378);
	assert_true(kcp_load_le64(data + 40) == 0);
	assert_int_equal(data[48], 0x5a);
	assert_int_equal(data[63], 0x5a);
	assert_true(kcp_frame_parse_hello(data, &back));
	assert_true(back.sender == h.sender && back.receiver == h.receiver);
	assert_int_equal(back.budget_us, h.budget_us);
	assert_memory_equal(back.cookie, h.cookie, sizeof(h.cookie));
}

static void a_hello_has_a_mode_that_exists_and_a_cookie_has_none(void **state)
{
	static const uint8_t kinds[] = {KCP_FRAME_HELLO, KCP_FRAME_WELCOME, KCP_FRAME_COOKIE};
	struct kcp_frame_hello h = {.version = KCP_FRAME_VERSION}, back;
	uint8_t data[KCP_FRAME_HELLO_LEN];
	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		h.kind = kinds[i];
		kcp_frame_write_hello(data, &h);
		for (uint32_t mode = 0; mode < 256; mode++) {
			bool good = i == 2 ? mode == 0 : mode == 1 || mode == 2;
			data[2] = (uint8_t)mode;
			assert_int_equal(kcp_frame_parse_hello(data, &back), good);
		}
	}
}

static void a_hello_of_another_version_is_refused(void **state)
{
	struct kcp_frame_hello h = {.kind = KCP_FRAME_HELLO,
				    .version = KCP_FRAME_VERSION,
				    .mode = KCP_FRAME_MODE_DATAGRAM};
	struct kcp_frame_hello back;
	uint8_t data[KCP_FRAME_HELLO_LEN];
	(void)state;
	kcp_frame_write_hello(data, &h);
	assert_true(kcp_frame_parse_hello(data, &back));
	data[1] = 2;
	assert_false(kcp_frame_parse_hello(data, &back));
	data[1] = 1;
	data[3] = 1;
	assert_false(kcp_frame_parse_hello(data, &back));
	data[3] = 0;
	data[44] = 1;
	assert_false(kcp_frame_parse_hello(data, &back));
}

static void a_shard_is_within_its_bytes(void **state)
{
	struct kcp_frame_shard s = {.len = 10, .back = 300, .lane = 9};
	struct kcp_frame_shard back;
	uint8_t data[KCP_FRAME_SHARD_LEN + 10] = {0};
	(void)state;
	kcp_frame_write_shard(data, &s);
	for (uint32_t len = 0; len < sizeof(data); len++)
		assert_false(kcp_frame_parse_shard(data, len, &back));
	assert_true(kcp_frame_parse_shard(data, sizeof(data), &back));
	assert_int_equal(back.len, 10);
	assert_int_equal(back.back, 300);
	assert_int_equal(back.lane, 9);
	data[5] = 1;
	assert_false(kcp_frame_parse_shard(data, sizeof(data), &back));
	data[5] = 0;
	data[0] = 0; /* an empty message */
	assert_false(kcp_frame_parse_shard(data, sizeof(data), &back));
}

static void numbers_expand_to_the_nearest(void **state)
{
	uint64_t base = UINT64_C(1) << 32;
	(void)state;
	assert_true(kcp_frame_expand(base, 0) == base);
	assert_true(kcp_frame_expand(base, 5) == base + 5);
	assert_true(kcp_frame_expand(base, 0xffffffff) == base - 1);
	assert_true(kcp_frame_expand(base + 0xfffffff0, 3) == 2 * base + 3);
	assert_true(kcp_frame_expand(base + 0x7fffffff, 0xfffffffe) == base + 0xfffffffe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_are_checked),
		cmocka_unit_test(unknown_kinds_and_flags_are_refused),
		cmocka_unit_test(a_head_has_these_bytes),
		cmocka_unit_test(a_hello_has_these_bytes),
		cmocka_unit_test(a_hello_has_a_mode_that_exists_and_a_cookie_has_none),
		cmocka_unit_test(a_hello_of_another_version_is_refused),
		cmocka_unit_test(a_shard_is_within_its_bytes),
		cmocka_unit_test(numbers_expand_to_the_nearest),
	};
	return cmocka_run_group_tests_name("kcp frame", tests, NULL, NULL);
}
