/* SPDX-License-Identifier: BSD-2-Clause */
/* timers: what one instance does by itself, to the nanosecond. Two instances: test_wg_tunnel.c. */
#include <stdio.h>
#include <stdlib.h>

#include "wg_world.h"

#define AT "192.0.2.1:51820"

/* Linked with --wrap=free: whether what is freed here was wiped. */
static const void *watched;
static size_t watched_len;
static bool was_freed, was_wiped;

void __real_free(void *at);
void __wrap_free(void *at);

void __wrap_free(void *at)
{
	if (at != NULL && at == watched) {
		const uint8_t *bytes = at;
		was_wiped = true;
		for (size_t i = 0; i < watched_len; i++)
			was_wiped &= bytes[i] == 0;
		was_freed = true;
		watched = NULL;
	}
	__real_free(at);
}

static void watch(const void *at, size_t len)
{
	watched = at;
	watched_len = len;
	was_freed = was_wiped = false;
}

static struct ref *one_peer(struct world *w)
{
	world_init(w);
	return world_peer(w, AT, "10.0.1.0/24");
}

static uint64_t now(const struct world *w)
{
	return testhost_now(w->host);
}

/* Anything authenticated, so that nothing sent is unanswered. */
static void ref_keepalive(struct world *w, struct ref *r)
{
	struct bytes msg;
	ref_data(r, "", 0, &msg);
	world_recv(w, r, &msg);
}

static void ref_says(struct world *w, struct ref *r)
{
	world_say(w, r, r->inside, w->inside, 32, 0x77);
}

/* A session that the component has begun, at rest. Returns when it was made. */
static uint64_t call(struct world *w, struct ref *r)
{
	world_call(w, r);
	uint64_t at = now(w);
	ref_keepalive(w, r);
	world_silent(w);
	return at;
}

/* The clock stands at `at` afterwards. */
static void advance_to(struct world *w, uint64_t at)
{
	assert_true(at >= now(w));
	world_advance(w, at - now(w));
}

static uint32_t count_down(struct world *w, uint32_t type)
{
	const struct testhost_record *r;
	uint32_t n = 0;
	while ((r = testhost_next(w->stage, 0, VPN_DOWN)) != NULL) {
		assert_int_equal(wg_load_le32(r->data), type);
		n++;
	}
	return n;
}

/* ---- handshakes ---- */

static void sends_an_initiation_again_after_five_seconds_and_some_jitter(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes first, second;
	world_start(&w);
	world_send_to(&w, r, 10, 1);
	uint64_t at = world_expect(&w, WG_TYPE_INITIATION, &first)->at_ns;
	world_advance(&w, WG_REKEY_TIMEOUT - 1);
	world_silent(&w);
	world_advance(&w, WG_REKEY_JITTER + 1);
	uint64_t again = world_expect(&w, WG_TYPE_INITIATION, &second)->at_ns;
	assert_in_range(again - at, WG_REKEY_TIMEOUT, WG_REKEY_TIMEOUT + WG_REKEY_JITTER);
	assert_memory_not_equal(first.data, second.data, first.len);
	world_silent(&w);
	world_end(&w);
}

static void gives_up_after_twenty_initiations(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	const struct testhost_record *sent;
	uint64_t last = 0, least = UINT64_MAX, most = 0;
	uint32_t n = 0;
	world_start(&w);
	for (uint32_t i = 0; i < 3; i++)
		world_send_to(&w, r, 10, 1);
	while (world_count(&w, DROP_UNANSWERED) == 0 && n <= 20) {
		world_advance(&w, WG_SECOND / 4);
		while ((sent = testhost_next(w.stage, 0, VPN_DOWN)) != NULL) {
			uint64_t gap = sent->at_ns - last;
			assert_int_equal(wg_load_le32(sent->data), WG_TYPE_INITIATION);
			if (n++ != 0) {
				assert_in_range(gap, WG_REKEY_TIMEOUT,
						WG_REKEY_TIMEOUT + WG_REKEY_JITTER);
				least = gap < least ? gap : least;
				most = gap > most ? gap : most;
			}
			last = sent->at_ns;
		}
	}
	assert_int_equal(n, 20);
	assert_int_equal(world_count(&w, INITIATIONS_SENT), 20);
	assert_true(least < most);
	/* nothing was dropped before the twentieth had its time */
	assert_true(now(&w) - last >= WG_REKEY_TIMEOUT);
	assert_true(now(&w) - last < WG_REKEY_TIMEOUT + WG_SECOND);
	world_only_drop(&w, DROP_UNANSWERED, 3);
	assert_int_equal(w.wg->lanes[0].staging.count, 0);
	assert_null(w.wg->lanes[0].staging.first);
	assert_int_equal(testhost_notified(w.stage, VPN_EVENT_PEER_DEAD, NULL), 1);
	world_advance(&w, 100 * WG_SECOND);
	world_silent(&w);
	world_end(&w);
}

static void begins_anew_after_it_has_given_up(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_send_to(&w, r, 10, 1);
	world_advance(&w, 200 * WG_SECOND);
	assert_int_equal(count_down(&w, WG_TYPE_INITIATION), 20);
	world_mark(&w);
	world_call(&w, r); /* its packet is not dropped, but arrives */
	world_only_drop(&w, WG_COUNTERS, 0);
	world_send_to(&w, r, 10, 1);
	assert_int_equal(count_down(&w, WG_TYPE_DATA), 1);
	world_end(&w);
}

static void an_answer_ends_the_retransmission(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg, plain;
	world_start(&w);
	world_send_to(&w, r, 10, 1);
	world_advance(&w, 17 * WG_SECOND);
	while (testhost_waiting(w.stage, 0, VPN_DOWN) > 1)
		world_expect(&w, WG_TYPE_INITIATION, NULL);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear(&w, r, &plain);
	ref_keepalive(&w, r);
	world_advance(&w, 100 * WG_SECOND);
	world_silent(&w);
	world_end(&w);
}

static void one_initiation_in_five_seconds_is_enough(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	for (uint32_t i = 0; i < 49; i++) {
		world_send_to(&w, r, 10, 1);
		world_advance(&w, WG_SECOND / 10);
	}
	assert_int_equal(count_down(&w, WG_TYPE_INITIATION), 1);
	world_end(&w);
}

static void an_answered_handshake_also_counts_for_the_spacing(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	world_advance(&w, WG_SECOND);
	struct wg_peer *p = world_peer_of(&w, r);
	wg_config_lock(w.wg);
	wg_peer_drop_sessions(p);
	wg_config_unlock(w.wg);
	world_send_to(&w, r, 10, 1);
	world_silent(&w);
	world_advance(&w, 4 * WG_SECOND - 1);
	world_send_to(&w, r, 10, 1);
	world_silent(&w);
	world_advance(&w, 1);
	world_send_to(&w, r, 10, 1);
	assert_int_equal(count_down(&w, WG_TYPE_INITIATION), 1);
	world_end(&w);
}

/* It is staged: we have answered, may not begin ourselves yet, and never hear from the peer again. */
static void a_packet_behind_a_lost_confirmation_is_not_forgotten(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg;
	world_start(&w);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, NULL);
	world_advance(&w, WG_SECOND);
	world_send_to(&w, r, 10, 1);
	world_advance(&w, 4 * WG_SECOND - 1);
	world_silent(&w);
	world_advance(&w, WG_REKEY_JITTER + 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear(&w, r, &msg);
	world_advance(&w, 10 * WG_SECOND);
	world_silent(&w);
	world_end(&w);
}

static void a_confirmation_in_time_needs_no_second_handshake(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg;
	world_start(&w);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	world_send_to(&w, r, 10, 1);
	assert_true(ref_consume(r, &msg));
	ref_keepalive(&w, r);
	world_hear(&w, r, &msg);
	ref_keepalive(&w, r);
	world_advance(&w, 30 * WG_SECOND);
	world_silent(&w);
	world_end(&w);
}

/* ---- sessions ---- */

static void the_initiator_renews_a_session_after_120_seconds_when_it_sends(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg;
	world_start(&w);
	uint64_t made = call(&w, r);
	advance_to(&w, made + WG_REKEY_AFTER_TIME - 1);
	world_silent(&w);
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_DATA, NULL);
	world_silent(&w);
	advance_to(&w, made + WG_REKEY_AFTER_TIME);
	world_silent(&w); /* not by itself */
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	world_expect(&w, WG_TYPE_DATA, NULL);
	world_silent(&w);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear_keepalive(&w, r); /* nothing was staged */
	world_end(&w);
}

static void the_responder_does_not_renew_it(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	world_advance(&w, WG_REKEY_AFTER_TIME + 50 * WG_SECOND);
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_DATA, NULL);
	ref_keepalive(&w, r);
	world_silent(&w);
	world_end(&w);
}

static void a_keepalive_renews_an_old_session_too(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	uint64_t made = call(&w, r);
	advance_to(&w, made + 115 * WG_SECOND);
	ref_says(&w, r);
	world_advance(&w, WG_KEEPALIVE_TIMEOUT);
	world_expect(&w, WG_TYPE_DATA, NULL);
	world_expect(&w, WG_TYPE_INITIATION, NULL);
	world_silent(&w);
	world_end(&w);
}

static void the_initiator_renews_after_165_seconds_when_it_only_receives(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	uint64_t made = call(&w, r);
	advance_to(&w, made + 165 * WG_SECOND - 1);
	ref_keepalive(&w, r);
	world_silent(&w);
	advance_to(&w, made + 165 * WG_SECOND);
	ref_keepalive(&w, r);
	world_expect(&w, WG_TYPE_INITIATION, NULL);
	/* once for this session, also when the spacing does not hold it back */
	atomic_store(&world_peer_of(&w, r)->last_handshake_ns, 0);
	ref_keepalive(&w, r);
	world_silent(&w);
	world_end(&w);
}

static void the_responder_does_not_renew_when_it_receives(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	world_advance(&w, 179 * WG_SECOND);
	ref_keepalive(&w, r);
	world_silent(&w);
	world_end(&w);
}

static void a_session_works_until_180_seconds(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes plain;
	world_start(&w);
	world_join(&w, r);
	world_advance(&w, WG_REJECT_AFTER_TIME - 1);
	world_mark(&w);
	ref_says(&w, r);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_UP), 1);
	world_send_to(&w, r, 10, 1);
	world_hear(&w, r, &plain);
	world_only_drop(&w, WG_COUNTERS, 0);
	world_end(&w);
}

static void nothing_is_sent_or_taken_under_a_session_of_180_seconds(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg;
	world_start(&w);
	world_join(&w, r);
	world_advance(&w, WG_REJECT_AFTER_TIME);
	world_mark(&w);
	ref_says(&w, r);
	world_nothing_up(&w);
	world_only_drop(&w, DROP_EXPIRED, 1);
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	world_silent(&w);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear(&w, r, &msg); /* it was staged */
	world_end(&w);
}

static void keys_are_wiped_540_seconds_after_the_last_session(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	world_advance(&w, 100 * WG_SECOND);
	world_join(&w, r); /* now it counts from here */
	struct wg_peer *p = world_peer_of(&w, r);
	assert_non_null(atomic_load(&p->current));
	assert_non_null(atomic_load(&p->previous));
	world_advance(&w, WG_ZERO_KEYS_TIME - 1);
	assert_non_null(atomic_load(&p->current));
	assert_int_equal(world_count(&w, KEYS_ZEROED), 0);
	watch(atomic_load(&p->current), sizeof(struct wg_keypair));
	world_advance(&w, 1);
	assert_null(atomic_load(&p->current));
	assert_null(atomic_load(&p->previous));
	assert_null(atomic_load(&p->next));
	assert_null(p->pending);
	assert_true(was_freed);
	assert_true(was_wiped);
	assert_int_equal(world_count(&w, KEYS_ZEROED), 1);
	world_mark(&w);
	ref_says(&w, r);
	world_only_drop(&w, DROP_UNKNOWN_INDEX, 1);
	world_nothing_up(&w);
	world_advance(&w, 1000 * WG_SECOND);
	world_silent(&w);
	assert_int_equal(world_count(&w, KEYS_ZEROED), 1);
	world_end(&w);
}

static void a_removed_peer_is_wiped(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_psk(r, 0x55);
	world_start(&w);
	struct wg_peer *p = world_peer_of(&w, r);
	watch(p, sizeof(*p) + sizeof(p->lanes[0]));
	wg_config_lock(w.wg);
	wg_config_peer_remove(w.wg, p);
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	assert_true(was_freed);
	assert_true(was_wiped);
	world_end(&w);
}

static void keys_go_540_seconds_after_a_handshake_was_given_up(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_send_to(&w, r, 10, 1);
	struct wg_peer *p = world_peer_of(&w, r);
	while (world_count(&w, DROP_UNANSWERED) == 0)
		world_advance(&w, WG_SECOND);
	assert_non_null(p->pending); /* an answer might still come */
	world_advance(&w, WG_ZERO_KEYS_TIME);
	assert_null(p->pending);
	assert_int_equal(p->noise.state, WG_NOISE_NONE);
	world_end(&w);
}

/* ---- keepalives ---- */

static void data_without_an_answer_gets_a_keepalive_after_ten_seconds(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	ref_says(&w, r);
	world_advance(&w, WG_KEEPALIVE_TIMEOUT - 1);
	world_silent(&w);
	world_advance(&w, 1);
	world_hear_keepalive(&w, r);
	world_advance(&w, 100 * WG_SECOND);
	world_silent(&w);
	assert_int_equal(world_count(&w, KEEPALIVES_SENT), 1);
	world_end(&w);
}

static void more_data_gets_one_more_keepalive(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	for (uint32_t i = 0; i < 9; i++) {
		ref_says(&w, r);
		world_advance(&w, WG_SECOND);
	}
	world_silent(&w);
	world_advance(&w, WG_SECOND); /* ten seconds after the first, not the last */
	world_hear_keepalive(&w, r);
	world_advance(&w, 10 * WG_SECOND - 1);
	world_silent(&w);
	world_advance(&w, 1);
	world_hear_keepalive(&w, r);
	world_advance(&w, 100 * WG_SECOND);
	world_silent(&w);
	world_end(&w);
}

static void an_answer_with_data_saves_the_keepalive(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes plain;
	world_start(&w);
	world_join(&w, r);
	ref_says(&w, r);
	world_advance(&w, 9 * WG_SECOND);
	world_send_to(&w, r, 10, 1);
	world_hear(&w, r, &plain);
	ref_keepalive(&w, r);
	world_advance(&w, 100 * WG_SECOND);
	world_silent(&w);
	assert_int_equal(world_count(&w, KEEPALIVES_SENT), 0);
	world_end(&w);
}

static void a_keepalive_is_not_answered(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	for (uint32_t i = 0; i < 5; i++) {
		ref_keepalive(&w, r);
		world_advance(&w, 15 * WG_SECOND);
		world_silent(&w);
	}
	assert_int_equal(world_count(&w, KEEPALIVES_RECEIVED), 6);
	world_end(&w);
}

/* Data whose inner packet is no good was sent by the peer all the same. */
static void data_from_a_wrong_address_gets_a_keepalive_too(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	world_say(&w, r, "10.9.9.9", w.inside, 10, 1);
	world_nothing_up(&w);
	world_advance(&w, WG_KEEPALIVE_TIMEOUT);
	world_hear_keepalive(&w, r);
	world_end(&w);
}

/* ---- nothing comes back ---- */

static void data_without_any_answer_begins_a_handshake_after_15_seconds(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes plain;
	world_start(&w);
	world_join(&w, r);
	uint64_t sent = now(&w);
	world_send_to(&w, r, 10, 1);
	world_hear(&w, r, &plain);
	world_advance(&w, 14 * WG_SECOND);
	world_send_to(&w, r, 10, 1); /* it counts from the first */
	world_hear(&w, r, &plain);
	world_advance(&w, WG_SECOND - 1);
	world_silent(&w);
	world_advance(&w, WG_REKEY_JITTER + 1);
	uint64_t at = world_expect(&w, WG_TYPE_INITIATION, NULL)->at_ns;
	assert_in_range(at - sent, WG_NEW_HANDSHAKE_TIME, WG_NEW_HANDSHAKE_TIME + WG_REKEY_JITTER);
	world_end(&w);
}

static void anything_authentic_that_comes_back_is_an_answer(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes plain;
	world_start(&w);
	world_join(&w, r);
	for (uint32_t i = 0; i < 2; i++) {
		world_send_to(&w, r, 10, 1);
		world_hear(&w, r, &plain);
		world_advance(&w, 14 * WG_SECOND);
		if (i == 0)
			ref_keepalive(&w, r);
		else
			world_say(&w, r, "10.9.9.9", w.inside, 10, 1);
		world_advance(&w, 5 * WG_SECOND);
		world_silent(&w);
	}
	world_end(&w);
}

static void what_is_not_authentic_is_no_answer(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg, plain;
	world_start(&w);
	world_join(&w, r);
	ref_data(r, "", 0, &msg);
	world_recv(&w, r, &msg);
	world_send_to(&w, r, 10, 1);
	world_hear(&w, r, &plain);
	world_advance(&w, 14 * WG_SECOND);
	world_recv(&w, r, &msg); /* a replay */
	ref_data(r, "", 0, &msg);
	msg.data[msg.len - 1] ^= 1;
	world_recv(&w, r, &msg); /* a forgery */
	world_advance(&w, WG_SECOND + WG_REKEY_JITTER);
	world_expect(&w, WG_TYPE_INITIATION, NULL);
	world_end(&w);
}

/* ---- persistent keepalive ---- */

static void set_interval(struct world *w, struct ref *r, uint16_t seconds)
{
	struct wg_peer *p = world_peer_of(w, r);
	wg_config_lock(w->wg);
	wg_config_peer_set_keepalive(w->wg, p, seconds);
	wg_config_peer_done(w->wg, p);
	wg_config_unlock(w->wg);
	testhost_run(w->host);
}

static void a_persistent_keepalive_begins_with_a_handshake(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg;
	w.peer_options[0].keepalive = 25;
	world_start(&w);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear_keepalive(&w, r);
	for (uint32_t i = 0; i < 4; i++) {
		world_advance(&w, 25 * WG_SECOND - 1);
		world_silent(&w);
		world_advance(&w, 1);
		world_hear_keepalive(&w, r);
	}
	world_end(&w);
}

static void a_persistent_keepalive_is_sent_only_when_idle(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes plain;
	world_start(&w);
	world_join(&w, r);
	set_interval(&w, r, 25);
	world_hear_keepalive(&w, r);
	world_advance(&w, 20 * WG_SECOND);
	ref_keepalive(&w, r); /* what comes counts */
	world_advance(&w, 20 * WG_SECOND);
	world_send_to(&w, r, 10, 1); /* and what goes */
	world_hear(&w, r, &plain);
	ref_keepalive(&w, r);
	world_advance(&w, 25 * WG_SECOND - 1);
	world_silent(&w);
	world_advance(&w, 1);
	world_hear_keepalive(&w, r);
	world_end(&w);
}

static void an_interval_that_is_set_sends_at_once(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	world_advance(&w, 60 * WG_SECOND);
	world_silent(&w);
	set_interval(&w, r, 10);
	world_hear_keepalive(&w, r);
	set_interval(&w, r, 10); /* the same again changes nothing */
	world_silent(&w);
	world_advance(&w, 10 * WG_SECOND - 1);
	world_silent(&w);
	world_advance(&w, 1);
	world_hear_keepalive(&w, r);
	world_end(&w);
}

static void an_interval_changes_live(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	set_interval(&w, r, 60);
	testhost_clear(w.stage, 0, VPN_DOWN);
	world_advance(&w, 30 * WG_SECOND);
	set_interval(&w, r, 5);
	testhost_clear(w.stage, 0, VPN_DOWN);
	world_advance(&w, 20 * WG_SECOND);
	assert_int_equal(count_down(&w, WG_TYPE_DATA), 4);
	set_interval(&w, r, 40);
	testhost_clear(w.stage, 0, VPN_DOWN);
	world_advance(&w, 40 * WG_SECOND - 1);
	world_silent(&w);
	world_advance(&w, 1);
	world_hear_keepalive(&w, r);
	set_interval(&w, r, 0);
	world_advance(&w, 40 * WG_SECOND);
	world_silent(&w);
	world_end(&w);
}

/* The socket below has no peer of its own: without an endpoint nothing can be sent. */
static vpn_status socket_info(void *inst, struct vpn_socket_info *out)
{
	(void)inst;
	out->flags = 0;
	out->port = 51820;
	out->fwmark = 0;
	return VPN_OK;
}

static const struct vpn_socket_ext socket_ext = {.size = sizeof(socket_ext), .info = socket_info};

static void a_persistent_keepalive_goes_out_when_there_is_an_endpoint_at_last(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct ref *r = world_peer(&w, NULL, "10.0.1.0/24");
	w.peer_options[0].keepalive = 25;
	testhost_serve(w.host, VPN_EXT_SOCKET, &socket_ext, NULL);
	world_start(&w);
	world_advance(&w, 60 * WG_SECOND);
	world_silent(&w);
	struct wg_peer *p = world_peer_of(&w, r);
	struct vpn_endpoint e = testhost_endpoint(AT);
	wg_config_lock(w.wg);
	wg_config_peer_set_endpoint(w.wg, p, &e);
	wg_config_peer_done(w.wg, p);
	wg_config_unlock(w.wg);
	world_advance(&w, 25 * WG_SECOND);
	world_expect(&w, WG_TYPE_INITIATION, NULL);
	world_end(&w);
}

/* ---- many peers: the heap ---- */

#define MANY 300u

static void key_of(uint32_t i, uint8_t key[WG_KEY_LEN])
{
	uint8_t secret[WG_KEY_LEN] = {1};
	struct wg_identity id;
	memcpy(secret + 4, &i, sizeof(i));
	wg_identity_set(&id, secret);
	memcpy(key, id.public_key, WG_KEY_LEN);
}

static struct wg_peer *add_many(struct world *w, uint32_t i)
{
	uint8_t key[WG_KEY_LEN];
	struct vpn_endpoint e = testhost_endpoint(AT);
	bool created;
	int error;
	key_of(i, key);
	struct wg_peer *p = wg_config_peer(w->wg, key, true, &created, &error);
	assert_non_null(p);
	assert_true(created);
	e.port = (uint16_t)(1000 + i);
	wg_config_peer_set_endpoint(w->wg, p, &e);
	wg_config_peer_set_keepalive(w->wg, p, (uint16_t)(1 + i * 7919 % 50));
	wg_config_peer_done(w->wg, p);
	return p;
}

static void every_one_of_many_peers_keeps_its_own_time(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct wg_peer *peers[MANY];
	uint64_t last[MANY] = {0};
	uint32_t count[MANY] = {0};
	const struct testhost_record *r;
	world_start(&w);
	wg_config_lock(w.wg);
	for (uint32_t i = 0; i < MANY; i++)
		peers[i] = add_many(&w, i);
	wg_config_unlock(w.wg);
	world_advance(&w, 7 * WG_SECOND);
	wg_config_lock(w.wg);
	for (uint32_t i = 0; i < MANY; i += 3)
		wg_config_peer_remove(w.wg, peers[i]);
	wg_config_unlock(w.wg);
	uint64_t removed = now(&w);
	world_advance(&w, 33 * WG_SECOND);
	while ((r = testhost_next(w.stage, 0, VPN_DOWN)) != NULL) {
		uint32_t i = r->endpoint.port - 1000u;
		assert_true(i < MANY);
		assert_int_equal(wg_load_le32(r->data), WG_TYPE_INITIATION);
		if (last[i] != 0)
			assert_in_range(r->at_ns - last[i], WG_REKEY_TIMEOUT,
					WG_REKEY_TIMEOUT + WG_REKEY_JITTER);
		assert_true(i % 3 != 0 || r->at_ns <= removed);
		last[i] = r->at_ns;
		count[i]++;
	}
	for (uint32_t i = 0; i < MANY; i++)
		if (i % 3 == 0)
			assert_in_range(count[i], 2, 2);
		else
			assert_in_range(count[i], 8, 9);
	assert_int_equal(testhost_drops(w.stage), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_an_initiation_again_after_five_seconds_and_some_jitter),
		cmocka_unit_test(gives_up_after_twenty_initiations),
		cmocka_unit_test(begins_anew_after_it_has_given_up),
		cmocka_unit_test(an_answer_ends_the_retransmission),
		cmocka_unit_test(one_initiation_in_five_seconds_is_enough),
		cmocka_unit_test(an_answered_handshake_also_counts_for_the_spacing),
		cmocka_unit_test(a_packet_behind_a_lost_confirmation_is_not_forgotten),
		cmocka_unit_test(a_confirmation_in_time_needs_no_second_handshake),
		cmocka_unit_test(the_initiator_renews_a_session_after_120_seconds_when_it_sends),
		cmocka_unit_test(the_responder_does_not_renew_it),
		cmocka_unit_test(a_keepalive_renews_an_old_session_too),
		cmocka_unit_test(the_initiator_renews_after_165_seconds_when_it_only_receives),
		cmocka_unit_test(the_responder_does_not_renew_when_it_receives),
		cmocka_unit_test(a_session_works_until_180_seconds),
		cmocka_unit_test(nothing_is_sent_or_taken_under_a_session_of_180_seconds),
		cmocka_unit_test(keys_are_wiped_540_seconds_after_the_last_session),
		cmocka_unit_test(a_removed_peer_is_wiped),
		cmocka_unit_test(keys_go_540_seconds_after_a_handshake_was_given_up),
		cmocka_unit_test(data_without_an_answer_gets_a_keepalive_after_ten_seconds),
		cmocka_unit_test(more_data_gets_one_more_keepalive),
		cmocka_unit_test(an_answer_with_data_saves_the_keepalive),
		cmocka_unit_test(a_keepalive_is_not_answered),
		cmocka_unit_test(data_from_a_wrong_address_gets_a_keepalive_too),
		cmocka_unit_test(data_without_any_answer_begins_a_handshake_after_15_seconds),
		cmocka_unit_test(anything_authentic_that_comes_back_is_an_answer),
		cmocka_unit_test(what_is_not_authentic_is_no_answer),
		cmocka_unit_test(a_persistent_keepalive_begins_with_a_handshake),
		cmocka_unit_test(a_persistent_keepalive_is_sent_only_when_idle),
		cmocka_unit_test(an_interval_that_is_set_sends_at_once),
		cmocka_unit_test(an_interval_changes_live),
		cmocka_unit_test(a_persistent_keepalive_goes_out_when_there_is_an_endpoint_at_last),
		cmocka_unit_test(every_one_of_many_peers_keeps_its_own_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
