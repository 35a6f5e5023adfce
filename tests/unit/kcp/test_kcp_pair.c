/* SPDX-License-Identifier: BSD-2-Clause */
/* Two instances and a wire: every reliability, cipher and FEC, restarts, lost and damaged packets. */
#include <string.h>

#include "kcp_world.h"

static struct world w;

static void start_both(uint64_t delay_ns)
{
	world_start(&w, 0);
	world_start(&w, 1);
	world_join(&w, delay_ns);
	world_mark(&w);
}

/* Messages one after another, each after 2 ms; what arrives is in order. */
static void exchange(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		assert_true(world_send(&w, 0, i, 1000));
		assert_true(world_send(&w, 1, i, 200));
		testhost_advance(w.host, 2 * WORLD_MS);
	}
	testhost_advance(w.host, 5 * WORLD_SECOND);
	for (uint32_t i = 0; i < n; i++) {
		world_expect(&w, 1, i, 1000);
		world_expect(&w, 0, i, 200);
	}
}

/* One way, the client's, for who cannot name the other's endpoint. */
static void exchange_to_server(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		assert_true(world_send(&w, 0, i, 500));
		testhost_advance(w.host, 2 * WORLD_MS);
	}
	testhost_advance(w.host, WORLD_SECOND);
	for (uint32_t i = 0; i < n; i++)
		world_expect(&w, 1, i, 500);
}

static void set_both(void (*set)(struct kcp_options *o))
{
	world_init(&w);
	for (uint32_t i = 0; i < 2; i++)
		set(&w.options[i]);
}

static void plain(struct kcp_options *o)
{
	o->reliability = KCP_RELIABLE;
}

static void datagram(struct kcp_options *o)
{
	o->reliability = KCP_DATAGRAM;
}

static void deadline(struct kcp_options *o)
{
	o->reliability = KCP_DEADLINE;
}

static void stream(struct kcp_options *o)
{
	o->stream = 1;
}

/* Both have begun at once: what the one said that yields is dropped, and said again. */
static void no_data_dropped(uint32_t i)
{
	uint64_t begun = world_grown(&w, i, KCP_DROP_CONV) + world_grown(&w, i, KCP_DROP_HELLO) +
			 world_grown(&w, i, KCP_DROP_STRAY) + world_grown(&w, i, KCP_DROP_NOT_OPEN);
	assert_int_equal(testhost_drops(w.stage[i]), begun);
}

static void carries_messages_with_every_reliability(void **state)
{
	void (*const kinds[])(struct kcp_options *) = {plain, datagram, deadline, stream};
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		set_both(kinds[i]);
		start_both(5 * WORLD_MS);
		exchange(100);
		no_data_dropped(0);
		no_data_dropped(1);
		world_end(&w);
	}
}

/* Each direction is as its sender has it: the other side learns it from HELLO or WELCOME. */
static void sides_of_the_own_wire_may_differ(void **state)
{
	(void)state;
	for (uint32_t side = 0; side < 2; side++) {
		set_both(datagram);
		deadline(&w.options[side]);
		w.fec[1 - side] = (struct kcp_fec_options){.min = 100, .max = 100};
		w.options[1 - side].fec = &w.fec[1 - side];
		start_both(5 * WORLD_MS);
		exchange(100);
		no_data_dropped(0);
		no_data_dropped(1);
		testhost_wire_set(w.wire, &(struct testhost_wire_setup){.delay_ns = 5 * WORLD_MS,
									.loss_ppm = 50000});
		for (uint32_t i = 0; i < 1000; i++) {
			assert_true(world_send(&w, side, i, 500));
			testhost_advance(w.host, WORLD_MS);
		}
		testhost_advance(w.host, WORLD_SECOND);
		/* all comes from who sends again, and only from there */
		assert_int_equal(testhost_waiting(w.stage[1 - side], 0, VPN_UP), 1000);
		assert_true(world_grown(&w, side, KCP_DATA_RESENT) != 0);
		assert_int_equal(world_grown(&w, 1 - side, KCP_DATA_RESENT), 0);
		world_end(&w);
	}
}

static void carries_messages_with_every_cipher(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind < KCP_CRYPT_KINDS; kind++) {
		set_both(plain);
		for (uint32_t i = 0; i < 2; i++) {
			w.options[i].crypt = kind;
			if (kcp_crypt_info((enum kcp_crypt_kind)kind)->key_len != 0)
				w.options[i].password = "it's a secrect";
		}
		start_both(5 * WORLD_MS);
		exchange(40);
		no_data_dropped(0);
		world_end(&w);
	}
}

static void another_key_is_counted_and_opens_nothing(void **state)
{
	(void)state;
	set_both(plain);
	for (uint32_t i = 0; i < 2; i++) {
		w.options[i].crypt = KCP_CRYPT_AES_128_GCM;
		w.options[i].password = i == 0 ? "one" : "two";
	}
	start_both(5 * WORLD_MS);
	assert_true(world_send(&w, 0, 0, 100));
	testhost_advance(w.host, WORLD_SECOND);
	assert_true(world_grown(&w, 1, KCP_DROP_CRYPT) != 0);
	assert_int_equal(w.k[1]->sessions.count, 0);
	world_end(&w);
}

static void parity_brings_back_what_is_lost(void **state)
{
	struct testhost_wire_setup lossy = {.delay_ns = 5 * WORLD_MS, .loss_ppm = 50000};
	(void)state;
	set_both(plain);
	for (uint32_t i = 0; i < 2; i++) {
		w.fec[i] = (struct kcp_fec_options){.data = 4, .parity = 2};
		w.options[i].fec = &w.fec[i];
	}
	start_both(5 * WORLD_MS);
	testhost_wire_set(w.wire, &lossy);
	exchange(300);
	assert_true(world_grown(&w, 0, KCP_PARITY_SENT) != 0);
	assert_true(world_grown(&w, 1, KCP_FEC_RECOVERED) != 0);
	world_end(&w);
}

static void fec_of_the_peer_is_understood_without_being_configured(void **state)
{
	struct testhost_wire_setup lossy = {.delay_ns = 5 * WORLD_MS, .loss_ppm = 30000};
	(void)state;
	set_both(plain);
	w.fec[0] = (struct kcp_fec_options){.data = 3, .parity = 1};
	w.options[0].fec = &w.fec[0];
	start_both(5 * WORLD_MS);
	testhost_wire_set(w.wire, &lossy);
	exchange(400);
	assert_true(world_grown(&w, 1, KCP_FEC_RECOVERED) != 0);
	assert_int_equal(world_grown(&w, 1, KCP_PARITY_SENT), 0);
	world_end(&w);
}

static void damaged_packets_harm_nothing(void **state)
{
	struct testhost_wire_setup bad = {
		.delay_ns = 5 * WORLD_MS, .loss_ppm = 50000, .corrupt_ppm = 200000};
	(void)state;
	set_both(plain);
	for (uint32_t i = 0; i < 2; i++)
		w.options[i].crypt = KCP_CRYPT_NONE; /* a checksum */
	start_both(5 * WORLD_MS);
	testhost_wire_set(w.wire, &bad);
	exchange(200);
	assert_true(world_grown(&w, 1, KCP_DROP_CRYPT) != 0);
	world_end(&w);
}

static void both_may_begin_at_once(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 4; round++) {
		set_both(plain);
		start_both(50 * WORLD_MS);
		for (uint32_t i = 0; i < round; i++)
			(void)testhost_random(w.host); /* other numbers each time */
		exchange(50);                          /* without a message lost */
		assert_int_equal(w.k[0]->sessions.first->number, w.k[1]->sessions.first->number);
		world_end(&w);
	}
}

static void restart(uint32_t side)
{
	struct vpn_error err;
	w.stage[side] = testhost_remove(w.stage[side]);
	if (world_add(&w, side, &err) == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(testhost_start(w.stage[side], NULL), VPN_OK);
	world_join(&w, 5 * WORLD_MS);
}

static void a_restart_of_either_side_is_noticed(void **state)
{
	(void)state;
	for (uint32_t side = 0; side < 2; side++) {
		set_both(plain);
		start_both(5 * WORLD_MS);
		exchange(20);
		restart(side);
		testhost_advance(w.host, 2 * WORLD_SECOND);
		/* who has restarted speaks first */
		assert_true(world_send(&w, side, 0, 100));
		testhost_advance(w.host, 3 * WORLD_SECOND);
		testhost_clear(w.stage[0], 0, VPN_UP);
		testhost_clear(w.stage[1], 0, VPN_UP);
		exchange(20);
		assert_int_equal(world_count(&w, 1 - side, KCP_PEER_RESTARTS), 1);
		world_end(&w);
	}
}

/* Instance 1 serves peers by their endpoints, instance 0 is one of them. */
static void start_client_and_server(void (*set)(struct kcp_options *o), uint64_t client_idle,
				    uint64_t idle)
{
	set_both(set);
	w.options[0].idle = client_idle;
	world_start(&w, 0);
	w.options[1].idle = idle;
	world_listen(&w, 1, 2);
	world_start(&w, 1);
	world_join(&w, 5 * WORLD_MS);
	world_mark(&w);
}

static void who_ends_an_idle_session_tells_the_other_side(void **state)
{
	void (*const kinds[])(struct kcp_options *) = {datagram, deadline};
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		start_client_and_server(kinds[i], 300 * WORLD_SECOND, 30 * WORLD_SECOND);
		exchange_to_server(20);
		assert_int_equal(w.k[0]->sessions.count, 1);
		assert_int_equal(w.k[1]->sessions.count, 1);
		testhost_advance(w.host, 45 * WORLD_SECOND);
		assert_int_equal(w.k[1]->sessions.count, 0);
		assert_int_equal(world_grown(&w, 1, KCP_SESSIONS_IDLE), 1);
		/* the client has not found out by silence, nor by a reset */
		assert_int_equal(w.k[0]->sessions.count, 0);
		assert_int_equal(world_grown(&w, 0, KCP_SESSIONS_DEAD), 0);
		assert_int_equal(world_grown(&w, 0, KCP_RESETS), 0);
		assert_int_equal(world_grown(&w, 1, KCP_DROP_SESSION_ENDED), 0);
		/* and begins anew when there is something to say */
		exchange_to_server(20);
		assert_int_equal(world_grown(&w, 0, KCP_SESSIONS_BEGUN), 2);
		world_end(&w);
	}
}

/* Who has begun a conversation of plain KCP leaves it first, so that the other side is not found gone. */
static void both_sides_of_an_idle_conversation_end_it_by_themselves(void **state)
{
	(void)state;
	start_client_and_server(plain, 30 * WORLD_SECOND, 30 * WORLD_SECOND);
	exchange_to_server(5);
	testhost_advance(w.host, 31 * WORLD_SECOND);
	assert_int_equal(w.k[1]->sessions.count, 1);
	testhost_advance(w.host, 40 * WORLD_SECOND);
	assert_int_equal(w.k[1]->sessions.count, 0);
	exchange_to_server(5);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(world_count(&w, i, KCP_SESSIONS_BEGUN), 2);
		assert_int_equal(world_count(&w, i, KCP_SESSIONS_IDLE), 1);
		assert_int_equal(world_count(&w, i, KCP_SESSIONS_DEAD), 0);
	}
	world_end(&w);
}

/* Who answers has not left it, and may be the first to have something to say. */
static void the_other_side_may_go_on_with_an_idle_conversation(void **state)
{
	(void)state;
	set_both(plain);
	w.options[0].idle = w.options[1].idle = 30 * WORLD_SECOND;
	start_both(5 * WORLD_MS);
	exchange_to_server(1); /* 0 has begun it */
	testhost_advance(w.host, 50 * WORLD_SECOND);
	for (uint32_t i = 0; i < 20; i++)
		assert_true(world_send(&w, 1, i, 500));
	testhost_advance(w.host, WORLD_SECOND);
	for (uint32_t i = 0; i < 20; i++)
		world_expect(&w, 0, i, 500);
	exchange_to_server(5);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(world_grown(&w, i, KCP_SESSIONS_BEGUN), 1);
		assert_int_equal(world_grown(&w, i, KCP_DROP_CONV), 0);
	}
	world_end(&w);
}

/* The client waits longer than the server, and asks: the server does not leave it. */
static void a_conversation_lasts_while_who_has_begun_it_asks(void **state)
{
	(void)state;
	start_client_and_server(plain, 300 * WORLD_SECOND, 30 * WORLD_SECOND);
	exchange_to_server(5);
	testhost_advance(w.host, 200 * WORLD_SECOND);
	assert_true(world_grown(&w, 0, KCP_PROBES_SENT) != 0);
	assert_int_equal(world_grown(&w, 1, KCP_SESSIONS_IDLE), 0);
	exchange_to_server(5);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(world_grown(&w, i, KCP_SESSIONS_BEGUN), 1);
		assert_int_equal(world_grown(&w, i, KCP_SESSIONS_DEAD), 0);
		assert_int_equal(world_grown(&w, i, KCP_DROP_CONV), 0);
	}
	world_end(&w);
}

/* A server that was started anew knows nothing of the conversation, and KCP has no word for that. */
static void a_server_that_does_not_answer_is_dead_and_a_new_conversation_begins(void **state)
{
	uint64_t value;
	(void)state;
	start_client_and_server(plain, 300 * WORLD_SECOND, 30 * WORLD_SECOND);
	exchange_to_server(100);
	assert_true(world_send(&w, 1, 0, 100));
	testhost_advance(w.host, WORLD_SECOND);
	restart(1);
	for (uint32_t i = 0; i < 30; i++) {
		assert_true(world_send(&w, 0, i, 500));
		testhost_advance(w.host, WORLD_SECOND);
	}
	assert_int_equal(testhost_notified(w.stage[0], VPN_EVENT_PEER_DEAD, &value), 1);
	assert_int_equal(world_count(&w, 0, KCP_SESSIONS_DEAD), 1);
	assert_int_equal(world_count(&w, 0, KCP_SESSIONS_BEGUN), 2);
	testhost_clear(w.stage[1], 0, VPN_UP);
	exchange_to_server(20);
	world_end(&w);
}

/* plugin.h lets stop() release packets, and neither take nor push one. */
static void a_stop_sends_nothing(void **state)
{
	(void)state;
	start_client_and_server(deadline, 0, 0);
	exchange_to_server(5);
	uint64_t sent = testhost_wire_stats(w.wire, w.stage[1]).sent;
	testhost_stop(w.stage[1]);
	assert_int_equal(testhost_wire_stats(w.wire, w.stage[1]).sent, sent);
	world_end(&w);
}

static void loss_costs_time_and_no_messages(void **state)
{
	struct testhost_wire_setup bad = {.delay_ns = 30 * WORLD_MS,
					  .jitter_ns = 5 * WORLD_MS,
					  .loss_ppm = 100000,
					  .duplicate_ppm = 10000};
	(void)state;
	set_both(plain);
	start_both(30 * WORLD_MS);
	testhost_wire_set(w.wire, &bad);
	exchange(400);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_messages_with_every_reliability),
		cmocka_unit_test(sides_of_the_own_wire_may_differ),
		cmocka_unit_test(carries_messages_with_every_cipher),
		cmocka_unit_test(another_key_is_counted_and_opens_nothing),
		cmocka_unit_test(parity_brings_back_what_is_lost),
		cmocka_unit_test(fec_of_the_peer_is_understood_without_being_configured),
		cmocka_unit_test(damaged_packets_harm_nothing),
		cmocka_unit_test(both_may_begin_at_once),
		cmocka_unit_test(a_restart_of_either_side_is_noticed),
		cmocka_unit_test(who_ends_an_idle_session_tells_the_other_side),
		cmocka_unit_test(both_sides_of_an_idle_conversation_end_it_by_themselves),
		cmocka_unit_test(the_other_side_may_go_on_with_an_idle_conversation),
		cmocka_unit_test(a_conversation_lasts_while_who_has_begun_it_asks),
		cmocka_unit_test(
			a_server_that_does_not_answer_is_dead_and_a_new_conversation_begins),
		cmocka_unit_test(a_stop_sends_nothing),
		cmocka_unit_test(loss_costs_time_and_no_messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
