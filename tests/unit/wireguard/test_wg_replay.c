/* SPDX-License-Identifier: BSD-2-Clause */
/* The replay window: alone against a plain model, and with several threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

#define W WG_REPLAY_WINDOW
#define R WG_REJECT_AFTER_MESSAGES

struct step {
	uint64_t counter;
	bool accepted;
};

static void walk(const struct step *steps, size_t n)
{
	struct wg_replay r;
	wg_replay_init(&r);
	for (size_t i = 0; i < n; i++)
		if (wg_replay_accept(&r, steps[i].counter) != steps[i].accepted)
			fail_msg("step %zu: counter %llu", i, (unsigned long long)steps[i].counter);
}
#define WALK(steps) walk(steps, sizeof(steps) / sizeof((steps)[0]))

static void refuses_what_it_has_seen(void **state)
{
	static const struct step steps[] = {
		{0, true},  {0, false}, {1, true},  {1, false},  {9, true},   {8, true},
		{7, true},  {7, false}, {9, false}, {31, true},  {32, true},  {31, false},
		{63, true}, {64, true}, {0, false}, {63, false}, {32, false},
	};
	(void)state;
	WALK(steps);
}

static void the_window_reaches_back_8128_counters_and_no_further(void **state)
{
	static const struct step steps[] = {
		{0, true},         {W + 1, true},  {0, false},
		{W, true},         {W, false},     {1, true},   /* W behind */
		{1, false},        {W + 20, true}, {19, false}, /* W + 1 behind, never seen */
		{20, true},        {4 * W, true},  {3 * W - 1, false},
		{3 * W, true},     {3 * W, false}, {3 * W + 1, true},
		{4 * W + 1, true}, {3 * W, false}, {0, false},
	};
	(void)state;
	WALK(steps);
}

static void refuses_at_the_limit_of_messages_and_above(void **state)
{
	static const struct step steps[] = {
		{R, false},         {R + 1, false}, {UINT64_MAX, false},
		{0, true}, /* what was refused has not moved the window */
		{R - 1, true},      {R, false},     {R - 1, false},
		{R - 2, true},      {R - 2, false}, {R + 2, false},
		{R - 3, true},      {0, false},     {R - 1 - W, true},
		{R - 2 - W, false},
	};
	(void)state;
	WALK(steps);
}

static void the_first_counter_may_be_any(void **state)
{
	static const uint64_t first[] = {
		0, 1, 31, 32, 255, W, W + 1, 8191, 8192, R - 1, (uint64_t)1 << 40};
	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		const struct step steps[] = {
			{first[i], true}, {first[i], false}, {first[i] + 1, first[i] + 1 < R}};
		WALK(steps);
	}
}

static void takes_every_counter_in_order_and_backwards(void **state)
{
	struct wg_replay r;
	(void)state;
	wg_replay_init(&r);
	for (uint64_t c = 0; c < 5 * W; c++)
		assert_true(wg_replay_accept(&r, c));
	for (uint64_t c = 5 * W; c-- > 0;)
		assert_false(wg_replay_accept(&r, c));
	wg_replay_init(&r);
	for (uint64_t c = W + 1; c-- > 0;)
		assert_true(wg_replay_accept(&r, c));
	for (uint64_t c = 0; c <= W; c++)
		assert_false(wg_replay_accept(&r, c));
}

/* Jumps about the length of the ring leave bits of older blocks behind in the words. */
static void a_jump_leaves_no_old_bits(void **state)
{
	static const uint64_t jumps[] = {8064,
					 8127,
					 8128,
					 8129,
					 8191,
					 8192,
					 8193,
					 16384,
					 81920,
					 (uint64_t)1 << 32,
					 ((uint64_t)1 << 37) + 8192,
					 (uint64_t)1 << 44};
	(void)state;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		struct wg_replay r;
		wg_replay_init(&r);
		for (uint64_t c = 0; c < 8192; c++)
			assert_true(wg_replay_accept(&r, c));
		uint64_t to = 8191 + jumps[i];
		assert_true(wg_replay_accept(&r, to));
		for (uint64_t c = to - W; c < to; c++)
			assert_int_equal(wg_replay_accept(&r, c), c > 8191);
	}
}

/* xorshift64: the same numbers on each run. */
static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

#define RANGE (1u << 20)

/* All counters that were accepted, and the greatest. */
struct model {
	bool seen[RANGE];
	uint64_t greatest; /* without the base */
	bool any;
};

static bool model_accept(struct model *m, uint64_t c, uint64_t base)
{
	if (base + c >= R || m->seen[c] || (m->any && m->greatest > c && m->greatest - c > W))
		return false;
	m->seen[c] = true;
	if (!m->any || c > m->greatest)
		m->greatest = c;
	m->any = true;
	return true;
}

static uint64_t choose(const struct model *m, uint64_t *x)
{
	uint64_t how = next_random(x) % 100;
	uint64_t g = m->greatest;
	if (how < 60) /* about the window, and a little outside */
		return g >= 9000 ? g - next_random(x) % 9000 : next_random(x) % (g + 1);
	if (how < 95)
		return g + next_random(x) % 100;
	return how < 99 ? g + next_random(x) % 9000 : next_random(x) % (g + 1);
}

static void agrees_with_a_plain_model(void **state)
{
	static const uint64_t bases[] = {0, ((uint64_t)1 << 32) - 70000,
					 ((uint64_t)1 << 37) - 70000, ((uint64_t)1 << 45) - 70000,
					 R - 70000};
	struct model *m = malloc(sizeof(*m));
	uint64_t x = UINT64_C(0x9e3779b97f4a7c15);
	(void)state;
	assert_non_null(m);
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		struct wg_replay r;
		wg_replay_init(&r);
		memset(m, 0, sizeof(*m));
		uint32_t accepted = 0;
		for (uint32_t step = 0; step < 300000; step++) {
			uint64_t c = choose(m, &x);
			if (c >= RANGE)
				break;
			if (bases[i] + c < bases[i])
				continue; /* there is no such counter */
			bool expected = model_accept(m, c, bases[i]);
			if (wg_replay_accept(&r, bases[i] + c) != expected)
				fail_msg("base %zu, step %u", i, step);
			accepted += expected;
		}
		assert_true(accepted > 1000);
	}
	free(m);
}

#define THREADS 4u
#define COUNT   (1u << 16)
#define SHUFFLE 512u /* counters of so many are offered out of order */

struct race {
	struct wg_replay replay;
	pthread_barrier_t barrier;
	_Atomic uint32_t accepted[COUNT];
};

struct racer {
	pthread_t thread;
	struct race *race;
	uint32_t number;
};

static void offer(struct race *race, uint32_t i, uint64_t counter)
{
	if (wg_replay_accept(&race->replay, counter))
		atomic_fetch_add_explicit(&race->accepted[i], 1, memory_order_relaxed);
}

/* Every counter, in an order of the thread's own, but never far ahead of one that is left out yet. */
static void *bring_all(void *arg)
{
	struct racer *me = arg;
	uint32_t step = 2 * me->number + 1; /* odd: it comes by all of a power of two */
	pthread_barrier_wait(&me->race->barrier);
	for (uint32_t from = 0; from < COUNT; from += SHUFFLE)
		for (uint32_t i = 0; i < SHUFFLE; i++) {
			uint32_t c = from + (i * step + me->number * 77) % SHUFFLE;
			offer(me->race, c, c);
		}
	return NULL;
}

/* Counters of which each third falls into the words of others, so that words move on all the time
 * under lanes that are late. */
#define SPARSE 2731u
static void *bring_far_apart(void *arg)
{
	struct racer *me = arg;
	uint64_t x = me->number + 1;
	pthread_barrier_wait(&me->race->barrier);
	for (uint32_t i = 0; i < COUNT; i++) {
		uint32_t back = (uint32_t)(next_random(&x) % 8);
		uint32_t k = i > back ? i - back : 0;
		offer(me->race, k, (uint64_t)k * SPARSE);
	}
	offer(me->race, COUNT - 1, (uint64_t)(COUNT - 1) * SPARSE);
	return NULL;
}

static struct race *run(void *(*body)(void *))
{
	struct racer racers[THREADS];
	struct race *race = calloc(1, sizeof(*race));
	assert_non_null(race);
	wg_replay_init(&race->replay);
	pthread_barrier_init(&race->barrier, NULL, THREADS);
	for (uint32_t i = 0; i < THREADS; i++) {
		racers[i].race = race;
		racers[i].number = i;
		assert_int_equal(pthread_create(&racers[i].thread, NULL, body, &racers[i]), 0);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(racers[i].thread, NULL);
	pthread_barrier_destroy(&race->barrier);
	return race;
}

/* The first lane that brings a counter is at most SHUFFLE behind the others: so none is lost. */
static void of_racing_lanes_exactly_one_wins_each_counter(void **state)
{
	struct race *race = run(bring_all);
	(void)state;
	for (uint32_t c = 0; c < COUNT; c++)
		if (race->accepted[c] != 1)
			fail_msg("counter %u: %u times", c, race->accepted[c]);
	free(race);
}

static void of_racing_lanes_at_most_one_wins_where_words_move_on(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		struct race *race = run(bring_far_apart);
		for (uint32_t k = 0; k < COUNT; k++)
			if (race->accepted[k] > 1)
				fail_msg("counter %u: %u times", k * SPARSE, race->accepted[k]);
		assert_int_equal(race->accepted[COUNT - 1], 1);
		assert_true(race->replay.greatest == (uint64_t)(COUNT - 1) * SPARSE);
		free(race);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_it_has_seen),
		cmocka_unit_test(the_window_reaches_back_8128_counters_and_no_further),
		cmocka_unit_test(refuses_at_the_limit_of_messages_and_above),
		cmocka_unit_test(the_first_counter_may_be_any),
		cmocka_unit_test(takes_every_counter_in_order_and_backwards),
		cmocka_unit_test(a_jump_leaves_no_old_bits),
		cmocka_unit_test(agrees_with_a_plain_model),
		cmocka_unit_test(of_racing_lanes_exactly_one_wins_each_counter),
		cmocka_unit_test(of_racing_lanes_at_most_one_wins_where_words_move_on),
	};
	return cmocka_run_group_tests_name("wireguard replay", tests, NULL, NULL);
}
