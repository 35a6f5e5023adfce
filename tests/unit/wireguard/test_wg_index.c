/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of handshakes and sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "index.h"

static bool refusing;
static uint32_t allocations;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

void *__wrap_malloc(size_t n)
{
	allocations++;
	return refusing ? NULL : __real_malloc(n);
}

/* First what a test has written down, then any numbers. */
static const uint32_t *script;
static uint32_t n_script;
static uint64_t seed = 0x9e3779b97f4a7c15u;

static uint32_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32);
}

static void draw_random(const struct vpn_host *host, void *buf, size_t len)
{
	(void)host;
	uint32_t v = n_script > 0 ? *script : draw();
	assert_int_equal(len, sizeof(v));
	if (n_script > 0) {
		script++;
		n_script--;
	}
	memcpy(buf, &v, len);
}

static struct vpn_host host;
static struct wg_epoch epoch;
static struct wg_index x;

static int begin(void **state)
{
	(void)state;
	host.random = draw_random;
	n_script = 0;
	return wg_epoch_init(&epoch, 2) && wg_index_init(&x, &epoch, &host) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	wg_index_clear(&x);
	wg_epoch_clear(&epoch);
	return 0;
}

static void say(const uint32_t *numbers, uint32_t n)
{
	script = numbers;
	n_script = n;
}

static void finds_what_was_inserted_and_nothing_else(void **state)
{
	struct wg_index_entry a = {0}, b = {0};
	(void)state;
	say((const uint32_t[]){0x1234, 0xffffffff}, 2);
	assert_true(wg_index_insert(&x, &a, WG_INDEX_HANDSHAKE));
	assert_true(wg_index_insert(&x, &b, WG_INDEX_SESSION));
	assert_int_equal(a.index, 0x1234);
	assert_int_equal(a.kind, WG_INDEX_HANDSHAKE);
	assert_int_equal(b.kind, WG_INDEX_SESSION);
	assert_true(a.inserted && b.inserted);
	assert_int_equal(x.count, 2);
	assert_ptr_equal(wg_index_lookup(&x, 0x1234), &a);
	assert_ptr_equal(wg_index_lookup(&x, 0xffffffff), &b);
	assert_null(wg_index_lookup(&x, 0x1235));
	assert_null(wg_index_lookup(&x, 0x10001234)); /* the same low bits */
	assert_null(wg_index_lookup(&x, 0));
}

static void a_removed_number_is_not_found(void **state)
{
	struct wg_index_entry a = {0};
	(void)state;
	wg_index_remove(&x, &a); /* never inserted */
	assert_true(wg_index_insert(&x, &a, WG_INDEX_SESSION));
	uint32_t index = a.index;
	wg_index_remove(&x, &a);
	assert_null(wg_index_lookup(&x, index));
	assert_false(a.inserted);
	assert_int_equal(x.count, 0);
	wg_index_remove(&x, &a);
	assert_int_equal(x.count, 0);
}

static void never_gives_zero_nor_a_number_twice(void **state)
{
	struct wg_index_entry a = {0}, b = {0};
	(void)state;
	say((const uint32_t[]){0, 0, 5, 5, 0, 5, 6}, 7);
	assert_true(wg_index_insert(&x, &a, WG_INDEX_SESSION));
	assert_true(wg_index_insert(&x, &b, WG_INDEX_SESSION));
	assert_int_equal(a.index, 5);
	assert_int_equal(b.index, 6);
	assert_int_equal(n_script, 0);
}

/* 5 is the low half of each: one after the other in the table. */
static void a_tomb_does_not_hide_those_behind_it(void **state)
{
	struct wg_index_entry e[4] = {0};
	(void)state;
	say((const uint32_t[]){0x15, 0x25, 0x35}, 3);
	for (int i = 0; i < 3; i++)
		assert_true(wg_index_insert(&x, &e[i], WG_INDEX_SESSION));
	wg_index_remove(&x, &e[0]);
	wg_index_remove(&x, &e[1]);
	assert_int_equal(x.tombs, 2);
	assert_ptr_equal(wg_index_lookup(&x, 0x35), &e[2]);
	assert_null(wg_index_lookup(&x, 0x15));
	assert_null(wg_index_lookup(&x, 0));
	/* a number that stands behind a tomb is not given again */
	say((const uint32_t[]){0x35, 0x45}, 2);
	assert_true(wg_index_insert(&x, &e[3], WG_INDEX_SESSION));
	assert_int_equal(e[3].index, 0x45);
	assert_int_equal(x.tombs, 1);
	assert_ptr_equal(wg_index_lookup(&x, 0x45), &e[3]);
	assert_ptr_equal(wg_index_lookup(&x, 0x35), &e[2]);
	wg_index_remove(&x, &e[2]); /* the last of the chain */
	assert_int_equal(x.tombs, 1);
	assert_null(wg_index_lookup(&x, 0x35));
}

static void the_chain_goes_on_at_the_beginning_of_the_table(void **state)
{
	struct wg_index_entry e[3] = {0};
	(void)state;
	say((const uint32_t[]){0x1f, 0x2f, 0x3f}, 3);
	for (int i = 0; i < 3; i++)
		assert_true(wg_index_insert(&x, &e[i], WG_INDEX_SESSION));
	assert_ptr_equal(wg_index_lookup(&x, 0x3f), &e[2]);
	wg_index_remove(&x, &e[1]);
	assert_ptr_equal(wg_index_lookup(&x, 0x3f), &e[2]);
	assert_null(wg_index_lookup(&x, 0x2f));
}

static void a_session_goes_on_under_the_number_of_its_handshake(void **state)
{
	struct wg_index_entry before = {0}, handshake = {0}, session = {0};
	(void)state;
	say((const uint32_t[]){0x11, 0x21}, 2);
	assert_true(wg_index_insert(&x, &before, WG_INDEX_SESSION));
	assert_true(wg_index_insert(&x, &handshake, WG_INDEX_HANDSHAKE));
	wg_index_replace(&x, &handshake, &session, WG_INDEX_SESSION);
	assert_ptr_equal(wg_index_lookup(&x, 0x21), &session);
	assert_int_equal(session.index, 0x21);
	assert_int_equal(session.kind, WG_INDEX_SESSION);
	assert_true(session.inserted);
	assert_false(handshake.inserted);
	assert_int_equal(x.count, 2);
	wg_index_remove(&x, &handshake); /* has no part in it any more */
	assert_ptr_equal(wg_index_lookup(&x, 0x21), &session);
	wg_index_remove(&x, &session);
	assert_null(wg_index_lookup(&x, 0x21));
}

#define MANY 20000u

static void grows_and_keeps_all(void **state)
{
	struct wg_index_entry *e = calloc(MANY, sizeof(*e));
	(void)state;
	assert_non_null(e);
	for (uint32_t i = 0; i < MANY; i++)
		assert_true(wg_index_insert(&x, &e[i], WG_INDEX_SESSION));
	for (uint32_t i = 0; i < MANY; i++)
		assert_ptr_equal(wg_index_lookup(&x, e[i].index), &e[i]);
	for (uint32_t i = 0; i < MANY; i += 2)
		wg_index_remove(&x, &e[i]);
	assert_int_equal(x.count, MANY / 2);
	for (uint32_t i = 0; i < MANY; i++)
		assert_ptr_equal(wg_index_lookup(&x, e[i].index), i % 2 == 0 ? NULL : &e[i]);
	free(e);
}

static void a_lane_inside_keeps_the_old_table(void **state)
{
	struct wg_index_entry e[16] = {0};
	(void)state;
	wg_epoch_enter(&epoch, 1);
	for (uint32_t i = 0; i < 16; i++)
		assert_true(wg_index_insert(&x, &e[i], WG_INDEX_SESSION));
	assert_true(wg_epoch_reclaim(&epoch));
	wg_epoch_leave(&epoch, 1);
	assert_false(wg_epoch_reclaim(&epoch));
	assert_ptr_equal(wg_index_lookup(&x, e[0].index), &e[0]);
}

/* A table with tombs alone would fill up, and a search in it would never end. */
static void comes_and_goes_without_growing(void **state)
{
	struct wg_index_entry e[5] = {0};
	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		struct wg_index_entry *it = &e[draw() % 5];
		uint32_t old = it->index;
		wg_index_remove(&x, it);
		assert_null(wg_index_lookup(&x, old));
		allocations = 0;
		assert_true(wg_index_insert(&x, it, WG_INDEX_SESSION));
		assert_true(allocations <= 1);
		assert_true(x.count + x.tombs <= 16);
		assert_false(wg_epoch_reclaim(&epoch));
	}
	for (uint32_t i = 0; i < 5; i++)
		assert_ptr_equal(wg_index_lookup(&x, e[i].index), &e[i]);
}

static void without_memory_nothing_changes(void **state)
{
	struct wg_index_entry e[64] = {0};
	struct wg_index none;
	uint32_t n = 0;
	(void)state;
	refusing = true;
	while (n < 64 && wg_index_insert(&x, &e[n], WG_INDEX_SESSION))
		n++;
	assert_in_range(n, 4, 15);
	assert_false(e[n].inserted);
	assert_int_equal(x.count, n);
	for (uint32_t i = 0; i < n; i++)
		assert_ptr_equal(wg_index_lookup(&x, e[i].index), &e[i]);
	assert_false(wg_index_init(&none, &epoch, &host));
	wg_index_clear(&none);
	refusing = false;
	assert_true(wg_index_insert(&x, &e[n], WG_INDEX_SESSION));
	for (uint32_t i = 0; i <= n; i++)
		assert_ptr_equal(wg_index_lookup(&x, e[i].index), &e[i]);
}

/* ---- readers at the same time ---------------------------------------------------------------- */

#define READERS 2
#define STABLE  8u

struct session {
	struct wg_index_entry entry;
	uint32_t copy; /* of the index; 0 when it is dead */
	struct wg_retired retired;
};

static struct session stable[STABLE];
static _Atomic uint32_t published[64]; /* indices that were good once */
static _Atomic bool done;
static _Atomic uint64_t rounds[READERS], lost, wrong;

static void bury(struct wg_retired *r)
{
	struct session *s = (struct session *)((char *)r - offsetof(struct session, retired));
	s->copy = 0;
	free(s);
}

static void check(uint32_t index)
{
	struct wg_index_entry *e = wg_index_lookup(&x, index);
	if (e == NULL)
		return;
	struct session *s = (struct session *)((char *)e - offsetof(struct session, entry));
	if (e->index != index || (s->copy != index))
		atomic_fetch_add(&wrong, 1);
}

static void *read_on(void *arg)
{
	uint32_t slot = (uint32_t)(uintptr_t)arg;
	while (!atomic_load(&done)) {
		wg_epoch_enter(&epoch, slot);
		for (uint32_t i = 0; i < STABLE; i++)
			if (wg_index_lookup(&x, stable[i].entry.index) != &stable[i].entry)
				atomic_fetch_add(&lost, 1);
		for (uint32_t i = 0; i < 64; i++)
			check(atomic_load(&published[i]));
		wg_epoch_leave(&epoch, slot);
		atomic_fetch_add(&rounds[slot], 1);
	}
	return NULL;
}

/* Sessions come to 64 places and go; `copy` is written before a lane can find it. */
static void exchange(struct session **place, _Atomic uint32_t *index)
{
	struct session *s = *place;
	if (s != NULL) {
		wg_index_remove(&x, &s->entry);
		wg_epoch_retire(&epoch, &s->retired, bury);
		*place = NULL;
		return;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	*place = s;
	do
		s->copy = draw();
	while (s->copy == 0 || wg_index_lookup(&x, s->copy) != NULL);
	say(&s->copy, 1);
	if (!wg_index_insert(&x, &s->entry, WG_INDEX_SESSION))
		abort();
	atomic_store(index, s->entry.index);
}

static void lanes_find_what_stays_and_nothing_dead(void **state)
{
	struct session *places[64] = {NULL};
	pthread_t threads[READERS];
	(void)state;
	for (uint32_t i = 0; i < STABLE; i++) {
		assert_true(wg_index_insert(&x, &stable[i].entry, WG_INDEX_SESSION));
		stable[i].copy = stable[i].entry.index;
	}
	for (uintptr_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, (void *)i), 0);
	for (uint32_t i = 0;
	     i < 60000 || atomic_load(&rounds[0]) < 200 || atomic_load(&rounds[1]) < 200; i++) {
		uint32_t at = draw() % (i % 4096 < 2048 ? 64 : 8); /* many, and few */
		exchange(&places[at], &published[at]);
		(void)wg_epoch_reclaim(&epoch);
	}
	atomic_store(&done, true);
	for (uint32_t i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&lost), 0);
	assert_int_equal(atomic_load(&wrong), 0);
	for (uint32_t i = 0; i < 64; i++)
		free(places[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_what_was_inserted_and_nothing_else, begin,
						end),
		cmocka_unit_test_setup_teardown(a_removed_number_is_not_found, begin, end),
		cmocka_unit_test_setup_teardown(never_gives_zero_nor_a_number_twice, begin, end),
		cmocka_unit_test_setup_teardown(a_tomb_does_not_hide_those_behind_it, begin, end),
		cmocka_unit_test_setup_teardown(the_chain_goes_on_at_the_beginning_of_the_table,
						begin, end),
		cmocka_unit_test_setup_teardown(a_session_goes_on_under_the_number_of_its_handshake,
						begin, end),
		cmocka_unit_test_setup_teardown(grows_and_keeps_all, begin, end),
		cmocka_unit_test_setup_teardown(a_lane_inside_keeps_the_old_table, begin, end),
		cmocka_unit_test_setup_teardown(comes_and_goes_without_growing, begin, end),
		cmocka_unit_test_setup_teardown(without_memory_nothing_changes, begin, end),
		cmocka_unit_test_setup_teardown(lanes_find_what_stays_and_nothing_dead, begin, end),
	};
	return cmocka_run_group_tests_name("wireguard index", tests, NULL, NULL);
}
