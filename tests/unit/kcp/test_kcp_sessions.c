/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of sessions: found by endpoint and number, planned by time, served in turn. */
#include <stdlib.h>
#include <string.h>

#include "kcp_world.h"

#define ACCEPT 200u

static struct kcp_sessions t;

/* A session without anything around it: kcp_session_free() takes it apart, so it has an instance. */
static struct kcp k = {.ops = &kcp_arq_ops};

static struct vpn_endpoint at(uint16_t port)
{
	struct vpn_endpoint e = testhost_endpoint("192.0.2.7:1");
	e.port = port;
	return e;
}

static void begin(void)
{
	assert_true(kcp_sessions_init(&t, ACCEPT, 42));
}

static struct kcp_session *add(uint16_t port, uint32_t number, bool accepted)
{
	struct kcp_session *s = calloc(1, sizeof(*s));
	assert_non_null(s);
	s->k = &k;
	s->number = number;
	s->accepted = accepted;
	s->by_default = port == 0;
	s->due_us = UINT64_MAX;
	if (port != 0)
		s->endpoint = s->from = at(port);
	kcp_sessions_add(&t, s);
	return s;
}

static struct kcp_session *find(uint16_t port)
{
	struct vpn_endpoint e = at(port);
	return kcp_sessions_find(&t, &e);
}

static void finds_by_endpoint_and_by_number(void **state)
{
	struct kcp_session *s[ACCEPT];
	(void)state;
	begin();
	for (uint16_t i = 0; i < ACCEPT; i++)
		s[i] = add((uint16_t)(1000 + i), 5000u + i, true);
	for (uint16_t i = 0; i < ACCEPT; i++) {
		assert_ptr_equal(find((uint16_t)(1000 + i)), s[i]);
		assert_ptr_equal(kcp_sessions_number(&t, 5000u + i), s[i]);
	}
	assert_null(find(999));
	assert_null(kcp_sessions_number(&t, 4999));
	for (uint16_t i = 0; i < ACCEPT; i += 2)
		kcp_sessions_remove(&t, s[i]);
	kcp_sessions_bury(&t);
	for (uint16_t i = 0; i < ACCEPT; i++) {
		assert_ptr_equal(find((uint16_t)(1000 + i)), i % 2 != 0 ? s[i] : NULL);
		assert_ptr_equal(kcp_sessions_number(&t, 5000u + i), i % 2 != 0 ? s[i] : NULL);
	}
	assert_int_equal(t.count, ACCEPT / 2);
	kcp_sessions_clear(&t);
}

static void of_two_with_one_number_the_newest_is_found(void **state)
{
	(void)state;
	begin();
	struct kcp_session *old = add(1, 77, true), *newer = add(2, 77, true);
	assert_ptr_equal(kcp_sessions_number(&t, 77), newer);
	kcp_sessions_remove(&t, newer);
	assert_ptr_equal(kcp_sessions_number(&t, 77), old);
	kcp_sessions_clear(&t);
}

static void who_moves_is_found_in_the_new_place_only(void **state)
{
	struct vpn_endpoint to = at(9);
	(void)state;
	begin();
	struct kcp_session *s = add(1, 77, true);
	kcp_sessions_set_candidate(&t, s, &to);
	assert_null(find(9));
	assert_ptr_equal(kcp_sessions_candidate(&t, &to), s);
	kcp_sessions_set_candidate(&t, s, NULL);
	assert_null(kcp_sessions_candidate(&t, &to));
	kcp_sessions_set_endpoint(&t, s, &to);
	assert_ptr_equal(find(9), s);
	assert_null(find(1));
	kcp_sessions_set_number(&t, s, 78);
	assert_null(kcp_sessions_number(&t, 77));
	assert_ptr_equal(kcp_sessions_number(&t, 78), s);
	kcp_sessions_clear(&t);
}

static void the_default_session_is_found_where_it_was_heard(void **state)
{
	struct vpn_endpoint from = at(5);
	(void)state;
	begin();
	struct kcp_session *s = add(0, 77, false);
	assert_ptr_equal(t.by_default, s);
	assert_ptr_equal(kcp_sessions_primary(&t), s);
	assert_null(find(5));
	kcp_sessions_set_from(&t, s, &from);
	assert_ptr_equal(find(5), s);
	kcp_sessions_remove(&t, s);
	assert_null(t.by_default);
	assert_null(kcp_sessions_primary(&t));
	kcp_sessions_clear(&t);
}

static void the_primary_is_the_accepted_one_that_was_heard_last(void **state)
{
	(void)state;
	begin();
	add(1, 1, true)->heard_us = 10;
	struct kcp_session *s = add(2, 2, true);
	s->heard_us = 30;
	add(3, 3, true)->heard_us = 20;
	add(4, 4, false)->heard_us = 99;
	assert_ptr_equal(kcp_sessions_primary(&t), s);
	kcp_sessions_clear(&t);
}

static void counts_who_was_accepted_and_who_was_not(void **state)
{
	(void)state;
	begin();
	for (uint16_t i = 1; i <= ACCEPT; i++) {
		assert_true(kcp_sessions_has_room(&t, ACCEPT, true));
		(void)add(i, i, true);
	}
	assert_false(kcp_sessions_has_room(&t, ACCEPT, true));
	assert_true(kcp_sessions_has_room(&t, ACCEPT, false));
	kcp_sessions_remove(&t, t.first);
	assert_true(kcp_sessions_has_room(&t, ACCEPT, true));
	kcp_sessions_clear(&t);
}

/* ---- time ---- */

static uint64_t seed = 7;

static uint32_t draw(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static uint64_t least_due(struct kcp_session *const *s, uint32_t n)
{
	uint64_t least = UINT64_MAX;
	for (uint32_t i = 0; i < n; i++)
		if (s[i] != NULL && s[i]->heap_at != 0 && s[i]->due_us < least)
			least = s[i]->due_us;
	return least;
}

static void the_first_due_is_first_whatever_changes(void **state)
{
	struct kcp_session *s[ACCEPT];
	(void)state;
	begin();
	assert_null(kcp_sessions_first_due(&t));
	for (uint16_t i = 0; i < ACCEPT; i++)
		s[i] = add((uint16_t)(i + 1), i + 1u, true);
	for (uint32_t step = 0; step < 20000; step++) {
		uint32_t i = draw(ACCEPT);
		if (s[i] == NULL)
			s[i] = add((uint16_t)(i + 1), i + 1u, true);
		else if (draw(20) == 0) {
			kcp_sessions_remove(&t, s[i]);
			kcp_sessions_bury(&t);
			s[i] = NULL;
		} else {
			kcp_sessions_plan(&t, s[i], draw(8) == 0 ? UINT64_MAX : draw(1000));
		}
		const struct kcp_session *first = kcp_sessions_first_due(&t);
		assert_int_equal(first != NULL ? first->due_us : UINT64_MAX, least_due(s, ACCEPT));
	}
	kcp_sessions_clear(&t);
}

/* ---- turns ---- */

static void each_is_served_once_and_in_the_order_of_touching(void **state)
{
	(void)state;
	begin();
	struct kcp_session *a = add(1, 1, true), *b = add(2, 2, true), *c = add(3, 3, true);
	kcp_sessions_touch(&t, b);
	kcp_sessions_touch(&t, a);
	kcp_sessions_touch(&t, b);
	kcp_sessions_touch(&t, c);
	kcp_sessions_remove(&t, a);
	assert_ptr_equal(kcp_sessions_next_touched(&t), b);
	kcp_sessions_touch(&t, b);
	assert_ptr_equal(kcp_sessions_next_touched(&t), c);
	assert_ptr_equal(kcp_sessions_next_touched(&t), b);
	assert_null(kcp_sessions_next_touched(&t));
	kcp_sessions_touch(&t, a); /* is gone */
	assert_null(kcp_sessions_next_touched(&t));
	kcp_sessions_clear(&t);
}

static void a_turn_is_so_many_bytes_and_debts_are_paid(void **state)
{
	(void)state;
	begin();
	struct kcp_session *a = add(1, 1, true), *b = add(2, 2, true);
	kcp_sessions_touch(&t, a);
	kcp_sessions_touch(&t, b);
	assert_ptr_equal(kcp_sessions_next_touched(&t), a);
	assert_int_equal(a->credit, KCP_TURN_BYTES);
	a->credit = -1000;
	kcp_sessions_touch(&t, a);
	assert_ptr_equal(kcp_sessions_next_touched(&t), b);
	b->credit = 500; /* is not saved up */
	kcp_sessions_touch(&t, b);
	assert_ptr_equal(kcp_sessions_next_touched(&t), a);
	assert_int_equal(a->credit, KCP_TURN_BYTES - 1000);
	kcp_sessions_touch(&t, a);
	assert_ptr_equal(kcp_sessions_next_touched(&t), b);
	assert_int_equal(b->credit, KCP_TURN_BYTES);
	kcp_sessions_clear(&t);
}

static void who_is_alone_has_no_limit(void **state)
{
	(void)state;
	begin();
	struct kcp_session *a = add(1, 1, true);
	a->credit = -5;
	kcp_sessions_touch(&t, a);
	assert_ptr_equal(kcp_sessions_next_touched(&t), a);
	assert_true(a->credit > INT64_C(1) << 60);
	kcp_sessions_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_endpoint_and_by_number),
		cmocka_unit_test(of_two_with_one_number_the_newest_is_found),
		cmocka_unit_test(who_moves_is_found_in_the_new_place_only),
		cmocka_unit_test(the_default_session_is_found_where_it_was_heard),
		cmocka_unit_test(the_primary_is_the_accepted_one_that_was_heard_last),
		cmocka_unit_test(counts_who_was_accepted_and_who_was_not),
		cmocka_unit_test(the_first_due_is_first_whatever_changes),
		cmocka_unit_test(each_is_served_once_and_in_the_order_of_touching),
		cmocka_unit_test(a_turn_is_so_many_bytes_and_debts_are_paid),
		cmocka_unit_test(who_is_alone_has_no_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
