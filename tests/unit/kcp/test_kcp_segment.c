/* SPDX-License-Identifier: BSD-2-Clause */
/* The 24 bytes in front of data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "segment.h"

/* "hello" as PUSH of conversation 11223344: window 128, time 1000, sn 0, una 0. Made with other
 * implementations. */
static const uint8_t hello[] = {0x44, 0x33, 0x22, 0x11, 0x51, 0x00, 0x80, 0x00, 0xe8, 0x03,
				0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
				0x05, 0x00, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f};

static const struct kcp_segment hello_header = {
	.conv = 0x11223344, .cmd = KCP_CMD_PUSH, .wnd = 128, .ts = 1000, .len = 5};

static void assert_same(const struct kcp_segment *a, const struct kcp_segment *b)
{
	assert_int_equal(a->conv, b->conv);
	assert_int_equal(a->cmd, b->cmd);
	assert_int_equal(a->frg, b->frg);
	assert_int_equal(a->wnd, b->wnd);
	assert_int_equal(a->ts, b->ts);
	assert_int_equal(a->sn, b->sn);
	assert_int_equal(a->una, b->una);
	assert_int_equal(a->len, b->len);
}

static void refuses_less_than_a_header(void **state)
{
	struct kcp_segment s;
	(void)state;
	for (uint32_t n = 0; n < KCP_SEGMENT_BYTES; n++)
		assert_int_equal(kcp_segment_read(hello, n, &s), KCP_SEGMENT_SHORT);
}

static void refuses_data_that_is_not_there(void **state)
{
	static const uint32_t lengths[] = {6, 0x7fffffff, 0x80000000, 0xffffffff, 0xffffffe8};
	uint8_t bytes[sizeof(hello)];
	struct kcp_segment s;
	(void)state;
	for (uint32_t n = KCP_SEGMENT_BYTES; n < sizeof(hello); n++)
		assert_int_equal(kcp_segment_read(hello, n, &s), KCP_SEGMENT_LENGTH);
	for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		memcpy(bytes, hello, sizeof(bytes));
		for (uint32_t k = 0; k < 4; k++)
			bytes[20 + k] = (uint8_t)(lengths[i] >> (8 * k));
		assert_int_equal(kcp_segment_read(bytes, sizeof(bytes), &s), KCP_SEGMENT_LENGTH);
	}
}

static void refuses_commands_that_do_not_exist(void **state)
{
	uint8_t bytes[sizeof(hello)];
	struct kcp_segment s;
	(void)state;
	memcpy(bytes, hello, sizeof(bytes));
	for (uint32_t cmd = 0; cmd < 256; cmd++) {
		bool exists = cmd >= 81 && cmd <= 84;
		bytes[4] = (uint8_t)cmd;
		assert_int_equal(kcp_segment_read(bytes, sizeof(bytes), &s),
				 exists ? KCP_SEGMENT_OK : KCP_SEGMENT_COMMAND);
	}
}

static void reads_what_others_write(void **state)
{
	struct kcp_segment s;
	(void)state;
	assert_int_equal(kcp_segment_read(hello, sizeof(hello), &s), KCP_SEGMENT_OK);
	assert_same(&s, &hello_header);
}

static void writes_what_others_write(void **state)
{
	uint8_t bytes[KCP_SEGMENT_BYTES];
	(void)state;
	kcp_segment_write(bytes, &hello_header);
	assert_memory_equal(bytes, hello, sizeof(bytes));
}

static void keeps_every_field(void **state)
{
	const struct kcp_segment in = {.conv = 0x01020304,
				       .cmd = KCP_CMD_WINS,
				       .frg = 0x05,
				       .wnd = 0x0607,
				       .ts = 0x08090a0b,
				       .sn = 0x0c0d0e0f,
				       .una = 0x10111213,
				       .len = 0};
	uint8_t bytes[KCP_SEGMENT_BYTES];
	struct kcp_segment out;
	(void)state;
	kcp_segment_write(bytes, &in);
	assert_int_equal(kcp_segment_read(bytes, sizeof(bytes), &out), KCP_SEGMENT_OK);
	assert_same(&in, &out);
}

static void tells_later_from_earlier_across_the_wrap(void **state)
{
	(void)state;
	assert_true(kcp_segment_distance(5, 3) > 0);
	assert_true(kcp_segment_distance(3, 5) < 0);
	assert_true(kcp_segment_distance(2, UINT32_MAX - 2) > 0);
	assert_int_equal(kcp_segment_distance(7, 7), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_less_than_a_header),
		cmocka_unit_test(refuses_data_that_is_not_there),
		cmocka_unit_test(refuses_commands_that_do_not_exist),
		cmocka_unit_test(reads_what_others_write),
		cmocka_unit_test(writes_what_others_write),
		cmocka_unit_test(keeps_every_field),
		cmocka_unit_test(tells_later_from_earlier_across_the_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
