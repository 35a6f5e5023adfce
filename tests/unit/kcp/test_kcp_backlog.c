/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "backlog.h"

#define DATAGRAM 1000u
#define TARGET   5000u /* us; the interval is 100 ms: RFC 8289's own figures */
#define INTERVAL 100000u

static void *item(uint32_t i)
{
	return (void *)(uintptr_t)(i + 1);
}

static void gives_back_in_order(void **state)
{
	struct kcp_backlog b;
	struct kcp_backlog_item out;
	(void)state;
	assert_true(kcp_backlog_init(&b, 5, TARGET, DATAGRAM));
	assert_null(kcp_backlog_peek(&b));
	assert_int_equal(kcp_backlog_pop(&b, 1, &out), KCP_BACKLOG_EMPTY);
	/* around the ring's end several times */
	for (uint32_t round = 0; round < 10; round++) {
		for (uint32_t i = 0; i < 5; i++)
			assert_true(kcp_backlog_push(&b, item(i), 10 + i, i, 7));
		assert_true(kcp_backlog_is_full(&b));
		assert_false(kcp_backlog_push(&b, item(9), 1, 0, 7));
		assert_int_equal(b.bytes, 60);
		for (uint32_t i = 0; i < 5; i++) {
			assert_ptr_equal(kcp_backlog_peek(&b)->what, item(i));
			assert_int_equal(kcp_backlog_pop(&b, 8, &out), KCP_BACKLOG_SEND);
			assert_ptr_equal(out.what, item(i));
			assert_int_equal(out.bytes, 10 + i);
			assert_int_equal(out.tag, i);
			assert_int_equal(out.at_us, 7);
		}
		assert_int_equal(b.bytes, 0);
		assert_int_equal(kcp_backlog_count(&b), 0);
	}
	kcp_backlog_clear(&b);
	kcp_backlog_clear(&b);
}

/* One item a millisecond leaves a queue of three, having waited for `delay`. Returns the drops. */
static uint32_t drops_in(struct kcp_backlog *b, uint64_t *now, uint64_t us, uint64_t delay)
{
	struct kcp_backlog_item out;
	uint32_t drops = 0;
	for (uint64_t end = *now + us; *now < end; *now += 1000) {
		for (uint32_t n = kcp_backlog_count(b); n < 3; n++)
			assert_true(
				kcp_backlog_push(b, item(0), DATAGRAM, 0, *now - delay + 1000 * n));
		if (kcp_backlog_pop(b, *now, &out) == KCP_BACKLOG_DROP)
			drops++;
	}
	while (kcp_backlog_take(b, &out))
		;
	return drops;
}

static void drops_nothing_below_the_target(void **state)
{
	struct kcp_backlog b;
	uint64_t now = 1000000;
	(void)state;
	assert_true(kcp_backlog_init(&b, 64, TARGET, DATAGRAM));
	assert_int_equal(drops_in(&b, &now, 10000000, TARGET - 1), 0);
	kcp_backlog_clear(&b);
}

static void drops_nothing_within_an_interval(void **state)
{
	struct kcp_backlog b;
	uint64_t now = 1000000;
	(void)state;
	assert_true(kcp_backlog_init(&b, 64, TARGET, DATAGRAM));
	assert_int_equal(drops_in(&b, &now, INTERVAL - 1000, 50000), 0);
	/* one that was quick enough ends it */
	assert_int_equal(drops_in(&b, &now, 10000, 0), 0);
	assert_int_equal(drops_in(&b, &now, INTERVAL - 1000, 50000), 0);
	kcp_backlog_clear(&b);
}

/* RFC 8289 section 3.3 and 4.1: the first drop after an interval, the next ones interval/sqrt(n) apart:
 * 100, 70.7, 57.7, 50, 44.7 ... ms. */
static void drops_faster_the_longer_it_lasts(void **state)
{
	static const uint64_t after_ms[] = {100, 71, 58, 50, 45, 41, 38, 36, 34, 32};
	struct kcp_backlog b;
	struct kcp_backlog_item out;
	uint64_t now = 1000000;
	uint64_t last = 0;
	uint32_t n = 0;
	(void)state;
	assert_true(kcp_backlog_init(&b, 64, TARGET, DATAGRAM));
	while (n < sizeof(after_ms) / sizeof(after_ms[0])) {
		while (kcp_backlog_count(&b) < 8)
			assert_true(kcp_backlog_push(&b, item(0), DATAGRAM, 0, now - 20000));
		if (kcp_backlog_pop(&b, now, &out) == KCP_BACKLOG_DROP) {
			if (n == 0)
				assert_in_range(now - 1000000, INTERVAL, INTERVAL + 2000);
			else
				assert_in_range(now - last, after_ms[n - 1] * 1000 - 2000,
						after_ms[n - 1] * 1000 + 2000);
			last = now;
			n++;
		}
		now += 500;
	}
	kcp_backlog_clear(&b);
}

static void ends_when_the_delay_is_good_again(void **state)
{
	struct kcp_backlog b;
	uint64_t now = 1000000;
	(void)state;
	assert_true(kcp_backlog_init(&b, 64, TARGET, DATAGRAM));
	assert_true(drops_in(&b, &now, 1000000, 50000) > 5);
	assert_int_equal(drops_in(&b, &now, 20000, 0) + drops_in(&b, &now, 5000000, 0), 0);
	kcp_backlog_clear(&b);
}

/* RFC 8289 section 4.1: soon after the last time it goes on where it was. */
static void goes_on_where_it_ended_when_that_was_recent(void **state)
{
	struct kcp_backlog b;
	uint64_t now = 1000000;
	(void)state;
	assert_true(kcp_backlog_init(&b, 64, TARGET, DATAGRAM));
	uint32_t first = drops_in(&b, &now, 2000000, 50000);
	uint32_t count = b.codel.count;
	assert_true(count > 10);
	(void)drops_in(&b, &now, 200000, 0);
	assert_true(drops_in(&b, &now, 2000000, 50000) > first);
	/* and from the beginning when it was long ago */
	(void)drops_in(&b, &now, 60 * INTERVAL, 0);
	assert_in_range(drops_in(&b, &now, 2000000, 50000), first - 2, first + 2);
	kcp_backlog_clear(&b);
}

static void never_drops_the_last_datagram(void **state)
{
	struct kcp_backlog b;
	struct kcp_backlog_item out;
	(void)state;
	assert_true(kcp_backlog_init(&b, 64, TARGET, DATAGRAM));
	for (uint64_t now = 1000000; now < 6000000; now += 20000) {
		assert_true(kcp_backlog_push(&b, item(0), DATAGRAM, 0, now - 500000));
		assert_int_equal(kcp_backlog_pop(&b, now, &out), KCP_BACKLOG_SEND);
	}
	kcp_backlog_clear(&b);
}

static void without_a_target_nothing_is_dropped(void **state)
{
	struct kcp_backlog b;
	uint64_t now = 10000000;
	(void)state;
	assert_true(kcp_backlog_init(&b, 64, 0, DATAGRAM));
	assert_int_equal(drops_in(&b, &now, 5000000, 5000000), 0);
	kcp_backlog_clear(&b);
}

static void take_does_not_judge(void **state)
{
	struct kcp_backlog b;
	struct kcp_backlog_item out;
	uint64_t now = 1000000;
	(void)state;
	assert_true(kcp_backlog_init(&b, 64, TARGET, DATAGRAM));
	(void)drops_in(&b, &now, 3000000, 50000);
	assert_true(b.codel.dropping);
	uint32_t count = b.codel.count;
	for (uint32_t i = 0; i < 50; i++)
		assert_true(kcp_backlog_push(&b, item(i), DATAGRAM, 0, now - 50000));
	for (uint32_t i = 0; i < 50; i++)
		assert_true(kcp_backlog_take(&b, &out));
	assert_false(kcp_backlog_take(&b, &out));
	assert_int_equal(b.codel.count, count);
	kcp_backlog_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_in_order),
		cmocka_unit_test(drops_nothing_below_the_target),
		cmocka_unit_test(drops_nothing_within_an_interval),
		cmocka_unit_test(drops_faster_the_longer_it_lasts),
		cmocka_unit_test(ends_when_the_delay_is_good_again),
		cmocka_unit_test(goes_on_where_it_ended_when_that_was_recent),
		cmocka_unit_test(never_drops_the_last_datagram),
		cmocka_unit_test(without_a_target_nothing_is_dropped),
		cmocka_unit_test(take_does_not_judge),
	};
	return cmocka_run_group_tests_name("kcp backlog", tests, NULL, NULL);
}
