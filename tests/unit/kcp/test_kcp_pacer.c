/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pacer.h"

#define DATAGRAM 1400u
#define RATE     1400000u /* bytes/s: 1000 datagrams a second, one in each millisecond */

/* Sends whatever it may until `until_us`; returns how many. */
static uint32_t send_all(struct kcp_pacer *p, uint64_t *now_us, uint64_t until_us, uint32_t bytes)
{
	uint32_t n = 0;
	while (*now_us < until_us) {
		while (kcp_pacer_may_send(p, *now_us)) {
			kcp_pacer_sent(p, bytes, *now_us);
			n++;
		}
		uint64_t next = kcp_pacer_next(p, *now_us);
		assert_true(next > *now_us);
		*now_us = next;
	}
	return n;
}

static void holds_nothing_back_without_a_rate(void **state)
{
	struct kcp_pacer p;
	(void)state;
	kcp_pacer_init(&p, DATAGRAM);
	for (uint32_t i = 0; i < 10000; i++) {
		assert_true(kcp_pacer_may_send(&p, 5));
		kcp_pacer_sent(&p, DATAGRAM, 5);
	}
	assert_int_equal(kcp_pacer_next(&p, 5), 5);
}

static void keeps_the_rate(void **state)
{
	struct kcp_pacer p;
	uint64_t now = 1000;
	(void)state;
	kcp_pacer_init(&p, DATAGRAM);
	kcp_pacer_set_rate(&p, RATE);
	uint32_t n = send_all(&p, &now, 10001000, DATAGRAM);
	assert_in_range(n, 10000, 10000 + KCP_PACER_BURST + 1);
}

static void small_datagrams_cost_what_they_weigh(void **state)
{
	struct kcp_pacer p;
	uint64_t now = 1000;
	(void)state;
	kcp_pacer_init(&p, DATAGRAM);
	kcp_pacer_set_rate(&p, RATE);
	uint32_t n = send_all(&p, &now, 1001000, DATAGRAM / 10);
	assert_in_range(n, 10000, 10000 + 10 * KCP_PACER_BURST + 10);
}

static void a_burst_is_bounded(void **state)
{
	struct kcp_pacer p;
	uint32_t n = 0;
	(void)state;
	kcp_pacer_init(&p, DATAGRAM);
	kcp_pacer_set_rate(&p, RATE);
	/* after a long silence nothing more than after a short one */
	for (; kcp_pacer_may_send(&p, 3600000000u); n++)
		kcp_pacer_sent(&p, DATAGRAM, 3600000000u);
	assert_in_range(n, KCP_PACER_BURST, KCP_PACER_BURST + 1);
}

static void a_fast_rate_bursts_for_its_time(void **state)
{
	struct kcp_pacer p;
	uint32_t n = 0;
	(void)state;
	kcp_pacer_init(&p, DATAGRAM);
	kcp_pacer_set_rate(&p, 100u * RATE); /* 100 datagrams a millisecond */
	for (; kcp_pacer_may_send(&p, 1000); n++)
		kcp_pacer_sent(&p, DATAGRAM, 1000);
	assert_in_range(n, 100, 101);
}

static void spaces_datagrams_apart(void **state)
{
	struct kcp_pacer p;
	uint64_t now = 1000;
	uint64_t last = 0;
	(void)state;
	kcp_pacer_init(&p, DATAGRAM);
	kcp_pacer_set_rate(&p, RATE);
	(void)send_all(&p, &now, 20000, DATAGRAM); /* the burst is used up */
	for (uint32_t i = 0; i < 100; i++) {
		uint32_t n = 0;
		now = kcp_pacer_next(&p, now);
		for (; kcp_pacer_may_send(&p, now); n++)
			kcp_pacer_sent(&p, DATAGRAM, now);
		/* half a burst at a time, in the time that it takes */
		assert_in_range(n, KCP_PACER_BURST / 2, KCP_PACER_BURST / 2 + 2);
		if (last != 0)
			assert_in_range(now - last, 1000, 4000);
		last = now;
		now++;
	}
}

static void a_new_rate_applies_at_once(void **state)
{
	struct kcp_pacer p;
	uint64_t now = 1000;
	(void)state;
	kcp_pacer_init(&p, DATAGRAM);
	kcp_pacer_set_rate(&p, RATE);
	(void)send_all(&p, &now, 1001000, DATAGRAM);
	kcp_pacer_set_rate(&p, 4 * RATE);
	uint64_t from = now;
	uint32_t n = send_all(&p, &now, from + 1000000, DATAGRAM);
	assert_in_range(n, 3990, 4020);
}

static void what_is_owed_is_paid_at_the_new_rate(void **state)
{
	struct kcp_pacer p;
	uint64_t now = 1000;
	(void)state;
	kcp_pacer_init(&p, DATAGRAM);
	kcp_pacer_set_rate(&p, 80);
	for (uint32_t i = 0; i < 5; i++)
		kcp_pacer_sent(&p, DATAGRAM, now);
	assert_true(kcp_pacer_next(&p, now) > now + 10000000);
	kcp_pacer_set_rate(&p, RATE);
	/* five datagrams, of which a burst may be owed */
	assert_in_range(kcp_pacer_next(&p, now), now,
			now + UINT64_C(6) * 1000000 * DATAGRAM / RATE);
	assert_true(p.paid_ns > now * 1000);
}

static void survives_the_slowest_and_the_fastest_rate(void **state)
{
	struct kcp_pacer p;
	(void)state;
	kcp_pacer_init(&p, 65535);
	kcp_pacer_set_rate(&p, 1);
	kcp_pacer_sent(&p, 65535, 1000);
	assert_true(p.paid_ns > 1000000);
	kcp_pacer_set_rate(&p, UINT64_MAX);
	kcp_pacer_sent(&p, 65535, 1000);
	assert_true(kcp_pacer_next(&p, 1000) >= 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_nothing_back_without_a_rate),
		cmocka_unit_test(keeps_the_rate),
		cmocka_unit_test(small_datagrams_cost_what_they_weigh),
		cmocka_unit_test(a_burst_is_bounded),
		cmocka_unit_test(a_fast_rate_bursts_for_its_time),
		cmocka_unit_test(spaces_datagrams_apart),
		cmocka_unit_test(a_new_rate_applies_at_once),
		cmocka_unit_test(what_is_owed_is_paid_at_the_new_rate),
		cmocka_unit_test(survives_the_slowest_and_the_fastest_rate),
	};
	return cmocka_run_group_tests_name("kcp pacer", tests, NULL, NULL);
}
