/* SPDX-License-Identifier: BSD-2-Clause */
/* test_wg_slots: which of a peer's sessions are used for what: previous, current, next. */
#include "wg_world.h"

static struct world w;
static struct ref *r;

static int set_up(void **state)
{
	(void)state;
	world_init(&w);
	r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	world_start(&w);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

/* A session that r has begun and not yet used. */
static void begin(void)
{
	struct bytes msg;
	world_advance(&w, WG_SECOND);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	assert_true(ref_consume(r, &msg));
	world_silent(&w);
}

static void confirm(void)
{
	struct bytes msg;
	ref_data(r, "", 0, &msg);
	world_recv(&w, r, &msg);
	testhost_run(w.host);
	world_silent(&w);
}

/* One that the component begins, because its own one has got old. */
static void begin_ourselves(void)
{
	struct bytes msg, plain;
	struct ref_session old = r->session;
	world_advance(&w, 6 * WG_SECOND);
	testhost_clear(w.stage, 0, VPN_DOWN);
	atomic_store(&world_peer_of(&w, r)->current->send_counter, WG_REKEY_AFTER_MESSAGES + 1);
	world_send_to(&w, r, 10, 1);
	const struct testhost_record *sent = testhost_next(w.stage, 0, VPN_DOWN);
	assert_int_equal(wg_load_le32(sent->data), WG_TYPE_INITIATION);
	memcpy(msg.data, sent->data, sent->len);
	msg.len = sent->len;
	struct bytes data;
	world_expect(&w, WG_TYPE_DATA, &data);
	assert_true(ref_open(&old, &data, &plain));
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear_keepalive(&w, r);
	testhost_run(w.host);
	world_silent(&w);
}

static void takes(struct ref_session *s)
{
	struct bytes msg;
	world_mark(&w);
	ref_seal(s, s->sent++, "", 0, &msg);
	world_recv(&w, r, &msg);
	world_only_drop(&w, WG_COUNTERS, 0);
	assert_int_equal(world_grown(&w, KEEPALIVES_RECEIVED), 1);
}

static void takes_no_more(struct ref_session *s)
{
	struct bytes msg;
	world_mark(&w);
	ref_seal(s, s->sent++, "", 0, &msg);
	world_recv(&w, r, &msg);
	world_only_drop(&w, DROP_UNKNOWN_INDEX, 1);
	world_silent(&w);
}

static void sends_under(const struct ref_session *s)
{
	struct bytes msg, plain;
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_DATA, &msg);
	assert_true(ref_open(s, &msg, &plain));
	world_silent(&w);
}

static void the_old_session_serves_until_the_new_one_is_confirmed(void **state)
{
	(void)state;
	begin();
	confirm();
	struct ref_session old = r->session;
	begin();
	struct ref_session new = r->session;
	sends_under(&old);
	takes(&old);
	sends_under(&old);
	takes(&new);
	sends_under(&new);
	takes(&old); /* what was on its way */
	sends_under(&new);
}

static void the_session_before_the_previous_one_is_gone(void **state)
{
	(void)state;
	struct ref_session s[3];
	for (int i = 0; i < 3; i++) {
		begin();
		confirm();
		s[i] = r->session;
	}
	takes_no_more(&s[0]);
	takes(&s[1]);
	takes(&s[2]);
	sends_under(&s[2]);
}

static void an_answer_ends_the_previous_session_at_once(void **state)
{
	(void)state;
	struct ref_session s[3];
	for (int i = 0; i < 2; i++) {
		begin();
		confirm();
		s[i] = r->session;
	}
	begin();
	takes_no_more(&s[0]);
	sends_under(&s[1]);
	takes(&s[1]);
	takes(&r->session);
}

static void of_two_that_are_not_confirmed_the_newer_stays(void **state)
{
	(void)state;
	begin();
	confirm();
	struct ref_session current = r->session;
	begin();
	struct ref_session lost = r->session;
	begin();
	takes_no_more(&lost);
	sends_under(&current);
	takes(&r->session);
	sends_under(&r->session);
	takes(&current);
}

static void who_begins_uses_the_new_session_at_once(void **state)
{
	(void)state;
	begin();
	confirm();
	struct ref_session old = r->session;
	begin_ourselves();
	sends_under(&r->session);
	takes(&old);
	takes(&r->session);
	sends_under(&r->session);
}

static void who_begins_keeps_one_that_was_not_confirmed(void **state)
{
	(void)state;
	begin();
	confirm();
	struct ref_session current = r->session;
	begin();
	struct ref_session next = r->session;
	r->session = current; /* what the component sends under meanwhile */
	begin_ourselves();
	sends_under(&r->session);
	takes(&next);
	takes_no_more(&current);
	sends_under(&r->session); /* it does not become the current one any more */
}

static void counters_begin_with_0_in_each_session(void **state)
{
	(void)state;
	struct bytes msg;
	for (int i = 0; i < 3; i++) {
		begin();
		confirm();
		for (uint32_t k = 0; k < 5; k++) {
			world_send_to(&w, r, 10, 1);
			world_expect(&w, WG_TYPE_DATA, &msg);
			assert_int_equal(wg_load_le32(msg.data + 4), r->session.keys.local_index);
			assert_true(wg_load_le64(msg.data + 8) == k);
		}
	}
}

/* ---- the end of a session's counters ---- */

static struct wg_keypair *current(void)
{
	return atomic_load(&world_peer_of(&w, r)->current);
}

static void the_last_counter_is_never_used(void **state)
{
	(void)state;
	struct bytes msg, plain;
	begin();
	confirm();
	world_advance(&w, WG_REKEY_TIMEOUT);
	atomic_store(&current()->send_counter, WG_REJECT_AFTER_MESSAGES - 5);
	uint32_t sent = 0, asked = 0;
	for (uint32_t i = 0; i < 10; i++) {
		world_send_to(&w, r, 10, (uint8_t)i);
		const struct testhost_record *rec;
		while ((rec = testhost_next(w.stage, 0, VPN_DOWN)) != NULL) {
			if (wg_load_le32(rec->data) == WG_TYPE_DATA) {
				assert_true(wg_load_le64(rec->data + 8) < WG_REJECT_AFTER_MESSAGES);
				sent++;
				continue;
			}
			asked++;
			memcpy(msg.data, rec->data, rec->len);
			msg.len = rec->len;
		}
	}
	assert_in_range(sent, 3, 5);
	assert_int_equal(asked, 1);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	for (uint32_t i = sent; i < 10; i++) { /* the rest has waited */
		world_hear(&w, r, &plain);
		assert_int_equal(plain.data[28], i);
	}
	world_silent(&w);
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void a_batch_that_does_not_fit_waits_as_a_whole(void **state)
{
	(void)state;
	struct vpn_packet *pkts[16];
	struct bytes packet, msg, plain;
	begin();
	confirm();
	world_advance(&w, WG_REKEY_TIMEOUT);
	atomic_store(&current()->send_counter, WG_REJECT_AFTER_MESSAGES - 8);
	for (uint32_t i = 0; i < 16; i++) {
		world_udp(&packet, w.inside, r->inside, 10, (uint8_t)i);
		pkts[i] = testhost_packet(w.stage, 0, VPN_DOWN, packet.data, packet.len);
	}
	assert_int_equal(testhost_offer(w.stage, 0, VPN_DOWN, pkts, 16), 16);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	for (uint32_t i = 0; i < 16; i++) {
		world_hear(&w, r, &plain);
		assert_int_equal(plain.data[28], i);
	}
}

static void many_messages_ask_for_a_new_session(void **state)
{
	(void)state;
	begin();
	confirm();
	world_advance(&w, WG_REKEY_TIMEOUT);
	atomic_store(&current()->send_counter, WG_REKEY_AFTER_MESSAGES);
	sends_under(&r->session);
	world_send_to(&w, r, 10, 1);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_DOWN), 2);
	assert_int_equal(world_grown(&w, INITIATIONS_SENT), 1);
}

static void a_session_that_is_over_is_not_sent_under(void **state)
{
	(void)state;
	begin();
	confirm();
	world_advance(&w, WG_REJECT_AFTER_TIME - 1);
	testhost_clear(w.stage, 0, VPN_DOWN);
	sends_under(&r->session);
	world_advance(&w, 1);
	testhost_clear(w.stage, 0, VPN_DOWN);
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, NULL);
	world_silent(&w);
}

static void only_who_began_a_session_renews_it(void **state)
{
	(void)state;
	begin();
	confirm();
	world_advance(&w, WG_REKEY_AFTER_TIME + WG_SECOND);
	testhost_clear(w.stage, 0, VPN_DOWN);
	sends_under(&r->session);
	begin_ourselves();
	world_advance(&w, WG_REKEY_AFTER_TIME - 1);
	testhost_clear(w.stage, 0, VPN_DOWN);
	sends_under(&r->session);
	world_advance(&w, 1);
	world_send_to(&w, r, 10, 1);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_DOWN), 2);
}

/* However often it is tried: no nonce comes twice. */
static void counters_never_wrap(void **state)
{
	(void)state;
	struct vpn_packet *pkts[64];
	struct bytes packet;
	begin();
	confirm();
	atomic_store(&current()->send_counter, WG_REJECT_AFTER_MESSAGES - 1);
	world_udp(&packet, w.inside, r->inside, 10, 0);
	for (uint32_t i = 0; i < 300; i++) {
		for (uint32_t k = 0; k < 64; k++)
			pkts[k] = testhost_packet(w.stage, 0, VPN_DOWN, packet.data, packet.len);
		assert_int_equal(testhost_offer(w.stage, 0, VPN_DOWN, pkts, 64), 64);
	}
	while (testhost_waiting(w.stage, 0, VPN_DOWN) != 0)
		world_expect(&w, WG_TYPE_INITIATION, NULL);
	assert_true(atomic_load(&current()->send_counter) >= WG_REJECT_AFTER_MESSAGES - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_old_session_serves_until_the_new_one_is_confirmed),
		TEST(the_session_before_the_previous_one_is_gone),
		TEST(an_answer_ends_the_previous_session_at_once),
		TEST(of_two_that_are_not_confirmed_the_newer_stays),
		TEST(who_begins_uses_the_new_session_at_once),
		TEST(who_begins_keeps_one_that_was_not_confirmed),
		TEST(counters_begin_with_0_in_each_session),
		TEST(the_last_counter_is_never_used),
		TEST(a_batch_that_does_not_fit_waits_as_a_whole),
		TEST(many_messages_ask_for_a_new_session),
		TEST(a_session_that_is_over_is_not_sent_under),
		TEST(only_who_began_a_session_renews_it),
		TEST(counters_never_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
