/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of stream mode, where it is not fed by an honest peer; the rest is in test_kcp_delivery.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "reader.h"

#define ROOM 2048u

struct above {
	uint32_t takes; /* messages that are still taken */
};

static bool can_deliver(void *ctx)
{
	const struct above *a = ctx;
	return a->takes != 0;
}

static struct vpn_packet *fresh(void *ctx, enum kcp_fresh what)
{
	struct vpn_packet *p = calloc(1, sizeof(*p));
	(void)ctx;
	(void)what;
	assert_non_null(p);
	p->buf = malloc(ROOM);
	assert_non_null(p->buf);
	p->cap = ROOM;
	return p;
}

static void release(void *ctx, struct vpn_packet *p)
{
	(void)ctx;
	free(p->buf);
	free(p);
}

static bool deliver(void *ctx, struct vpn_packet *p)
{
	struct above *a = ctx;
	a->takes--;
	release(ctx, p);
	return true;
}

static void count(void *ctx, enum kcp_count what, uint64_t n)
{
	(void)ctx;
	(void)what;
	(void)n;
}

/* A segment is read in part, since above is full, then cannot be kept, and comes again. */
static void a_segment_that_comes_again_shorter_is_not_read_beyond_its_end(void **state)
{
	struct above above = {.takes = 256};
	struct kcp_outlet outlet = {.ctx = &above,
				    .fresh = fresh,
				    .deliver = deliver,
				    .can_deliver = can_deliver,
				    .release = release,
				    .count = count};
	struct kcp_reader r;
	uint8_t *long_one = malloc(1476), *short_one = calloc(1, 10);
	bool done;
	(void)state;
	assert_non_null(long_one);
	assert_non_null(short_one);
	for (uint32_t i = 0; i < 1476; i += 3) {
		long_one[i] = 1; /* a message of one byte */
		long_one[i + 1] = 0;
		long_one[i + 2] = 7;
	}
	assert_true(kcp_reader_init(&r, &outlet, true, 1400));
	uint32_t read = kcp_reader_take(&r, 0, long_one, 1476, 0, &done);
	assert_false(done);
	assert_int_equal(read, 256 * 3 + 2); /* and the length of the next one */
	above.takes = 256;
	assert_int_equal(kcp_reader_take(&r, 0, short_one, 10, read, &done), 0);
	assert_true(done);
	kcp_reader_clear(&r);
	free(long_one);
	free(short_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_that_comes_again_shorter_is_not_read_beyond_its_end),
	};
	return cmocka_run_group_tests_name("kcp reader", tests, NULL, NULL);
}
