/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal's records: what was torn, flipped or forged is not taken for one. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "record.h"

static const char data[] = "how to undo it";

static uint8_t *a_change(size_t *ret_size)
{
	const struct record_change c = {.kind = 3,
					.data = data,
					.len = sizeof(data),
					.id = "linux",
					.id_len = 5,
					.path = "/lib/routes-linux.so",
					.path_len = 20};
	uint8_t *at = record_make_change(&c, 2, 77, ret_size);
	assert_non_null(at);
	return at;
}

static void reads_what_was_written(void **state)
{
	size_t size;
	uint8_t *at = a_change(&size);
	struct record r;
	struct record_change c;
	(void)state;
	assert_int_equal(record_read(at, size, &r), size);
	assert_int_equal(r.type, RECORD_CHANGE);
	assert_int_equal(r.flags, 2);
	assert_int_equal(r.number, 77);
	assert_true(record_read_change(&r, &c));
	assert_int_equal(c.kind, 3);
	assert_int_equal(c.len, sizeof(data));
	assert_memory_equal(c.data, data, sizeof(data));
	assert_int_equal((uintptr_t)c.data % 8, 0);
	assert_int_equal(c.id_len, 5);
	assert_memory_equal(c.id, "linux", 5);
	assert_int_equal(c.path_len, 20);
	assert_memory_equal(c.path, "/lib/routes-linux.so", 20);
	free(at);
}

static void reads_origin_and_done(void **state)
{
	const struct origin here = {.boot = "0123456789abcde", .netns = 9, .wall_ns = 8, .pid = 7};
	struct origin seen;
	struct record r;
	uint64_t done = 0;
	size_t size;
	(void)state;
	uint8_t *at = record_make_origin(&here, 1, &size);
	assert_int_equal(record_read(at, size, &r), size);
	assert_true(record_read_origin(&r, &seen));
	assert_memory_equal(seen.boot, here.boot, sizeof(here.boot));
	assert_int_equal(seen.netns, 9);
	assert_int_equal(seen.wall_ns, 8);
	assert_int_equal(seen.pid, 7);
	assert_false(record_read_done(&r, &done));
	free(at);
	at = record_make_done(5, 6, &size);
	assert_int_equal(record_read(at, size, &r), size);
	assert_true(record_read_done(&r, &done));
	assert_int_equal(done, 5);
	assert_false(record_read_origin(&r, &seen));
	free(at);
}

static void refuses_a_record_that_is_torn_at_any_byte(void **state)
{
	size_t size;
	uint8_t *at = a_change(&size);
	struct record r;
	(void)state;
	for (size_t n = 0; n < size; n++) {
		/* exactly n bytes, so that a reader beyond them is seen */
		uint8_t *part = malloc(n > 0 ? n : 1);
		assert_non_null(part);
		memcpy(part, at, n);
		assert_int_equal(record_read(part, n, &r), 0);
		free(part);
	}
	free(at);
}

static void refuses_a_record_with_any_bit_flipped(void **state)
{
	size_t size;
	uint8_t *at = a_change(&size);
	struct record r;
	(void)state;
	for (size_t bit = 0; bit < size * 8; bit++) {
		at[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(record_read(at, size, &r), 0);
		at[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	assert_int_equal(record_read(at, size, &r), size);
	free(at);
}

static void put(uint8_t *at, size_t offset, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[offset + i] = (uint8_t)(v >> (8 * i));
}

/* Lengths inside of a body that do not add up to it. */
static void refuses_a_change_whose_lengths_lie(void **state)
{
	static const struct {
		size_t offset;
		unsigned bytes;
		uint64_t value;
	} lies[] = {
		{4, 4, 0xffffffff}, {4, 4, 0},       {4, 4, 0xfffffff8}, {8, 2, 0xffff},
		{8, 2, 0},          {10, 2, 0xffff}, {10, 2, 21},
	};
	size_t size;
	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		uint8_t *at = a_change(&size);
		uint8_t body[512];
		struct record r;
		struct record_change c;
		assert_int_equal(record_read(at, size, &r), size);
		memcpy(body, r.body, r.len);
		put(body, lies[i].offset, lies[i].value, lies[i].bytes);
		r.body = body;
		assert_false(record_read_change(&r, &c));
		r.len = 15;
		assert_false(record_read_change(&r, &c));
		free(at);
	}
}

static void refuses_to_make_one_that_is_too_long(void **state)
{
	const struct record_change c = {.data = data, .len = RECORD_BODY_MAX, .id = "", .path = ""};
	size_t size;
	(void)state;
	assert_null(record_make_change(&c, 0, 1, &size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(reads_origin_and_done),
		cmocka_unit_test(refuses_a_record_that_is_torn_at_any_byte),
		cmocka_unit_test(refuses_a_record_with_any_bit_flipped),
		cmocka_unit_test(refuses_a_change_whose_lengths_lie),
		cmocka_unit_test(refuses_to_make_one_that_is_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
