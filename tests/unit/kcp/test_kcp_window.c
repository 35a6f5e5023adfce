/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows that close and open, devices and networks that take no more, and want of memory. */
#include <string.h>

#include "arq_link.h"

static struct arq_link link;

static void begin(uint32_t snd_wnd, uint32_t rcv_wnd)
{
	struct kcp_settings s = arq_link_settings();
	s.snd_wnd = snd_wnd;
	s.rcv_wnd = rcv_wnd;
	arq_link_init(&link, 7, &s);
}

static void a_deaf_device_closes_the_window_and_loses_nothing(void **state)
{
	(void)state;
	begin(128, 64);
	link.b.deaf = true;
	assert_false(arq_link_send_all(&link.a, 1000, 1000, 5 * SECOND));
	assert_int_equal(kcp_recvwin_free(&arq_of(&link.b)->received), 0);
	assert_int_equal(link.cells[1].n_out, 64);
	assert_true(link.a.counts[KCP_WINDOW_STALLS] != 0);
	link.b.deaf = false;
	kcp_arq_ops.resume(link.b.engine, link.now_us);
	arq_link_flush(&link.b);
	assert_true(arq_link_run_until(&link.b, link.a.n_sent, 5 * SECOND));
	arq_link_end(&link);
}

/* Counts what both say while nothing else happens. */
static void asks_rarely_and_ever_more_rarely_while_the_window_is_closed(void **state)
{
	(void)state;
	begin(128, 64);
	link.b.deaf = true;
	assert_false(arq_link_send_all(&link.a, 400, 1000, SECOND));
	uint64_t before = link.a.counts[KCP_PROBES_SENT];
	uint32_t datagrams = link.a.n_datagrams;
	arq_link_run(&link, 60 * SECOND);
	/* 500 ms, then half more each time */
	assert_in_range(link.a.counts[KCP_PROBES_SENT] - before, 8, 14);
	assert_in_range(link.a.n_datagrams - datagrams, 8, 14);
	arq_link_end(&link);
}

static bool loses_windows(struct arq_link *l, struct arq_end *from, uint8_t *data, uint32_t len)
{
	(void)len;
	return from != &l->b || data[4] != KCP_CMD_WINS;
}

static void a_lost_window_is_asked_for(void **state)
{
	(void)state;
	begin(128, 64);
	link.b.deaf = true;
	assert_false(arq_link_send_all(&link.a, 400, 1000, SECOND));
	link.net.filter = loses_windows;
	link.b.deaf = false;
	kcp_arq_ops.resume(link.b.engine, link.now_us);
	arq_link_flush(&link.b);
	arq_link_run(&link, 100 * MS);
	link.net.filter = NULL;
	assert_true(arq_link_run_until(&link.b, link.a.n_sent, 10 * SECOND));
	arq_link_end(&link);
}

static void an_old_window_does_not_close_a_new_one(void **state)
{
	struct kcp_segment s = {.conv = 0x11223344, .cmd = KCP_CMD_WINS};
	uint8_t bytes[KCP_SEGMENT_BYTES];
	(void)state;
	begin(128, 64);
	assert_true(arq_link_send_all(&link.a, 10, 1000, SECOND));
	assert_true(arq_link_run_until(&link.b, 10, SECOND));
	arq_link_run(&link, SECOND);
	assert_int_equal(arq_of(&link.a)->peer_wnd, 64);
	for (s.una = 0; s.una <= 10; s.una++) {
		kcp_segment_write(bytes, &s);
		(void)arq_link_input(&link.a, bytes, sizeof(bytes));
		assert_int_equal(arq_of(&link.a)->peer_wnd, 64);
	}
	arq_link_end(&link);
}

static void never_sends_more_than_the_peers_window(void **state)
{
	(void)state;
	for (uint32_t wnd = 1; wnd <= 33; wnd += 8) {
		begin(128, 16);
		link.net.loss_ppm = 1000000;
		arq_of(&link.a)->peer_wnd = wnd;
		for (uint32_t i = 0; i < 100; i++)
			assert_true(arq_link_send(&link.a, 1376));
		arq_link_flush(&link.a);
		arq_link_run(&link, 100 * MS);
		assert_int_equal(kcp_sendwin_count(&arq_of(&link.a)->window), wnd);
		arq_link_end(&link);
	}
}

static void refuses_when_the_queue_is_full_and_tells_when_it_is_not(void **state)
{
	(void)state;
	begin(64, 64);
	link.a.mute = true;
	uint32_t n = 0;
	while (arq_link_send(&link.a, 1000))
		n++;
	assert_int_equal(n, KCP_ARQ_WAITING_MOST);
	arq_link_flush(&link.a);
	assert_int_equal(link.a.n_writable, 0);
	link.a.mute = false;
	arq_link_flush(&link.a);
	assert_true(arq_link_run_until(&link.b, n, 5 * SECOND));
	assert_int_equal(link.a.n_writable, 1);
	assert_int_equal(link.a.counts[KCP_SEND_BLOCKED], 1);
	arq_link_end(&link);
}

static void drops_what_has_waited_too_long(void **state)
{
	struct kcp_settings s = arq_link_settings();
	(void)state;
	s.queue_us = 5 * MS;
	s.rate_bps = 8000000;
	arq_link_init(&link, 7, &s);
	link.b.gaps = true;
	for (uint32_t i = 0; i < 3000; i++) {
		(void)arq_link_send(&link.a, 1376); /* 11 Mbit/s into 8 */
		arq_link_flush(&link.a);
		arq_link_run(&link, MS);
	}
	assert_true(link.a.counts[KCP_DROP_QUEUE_OLD] != 0);
	arq_link_end(&link);
}

static void sends_no_faster_than_the_cap(void **state)
{
	struct kcp_settings s = arq_link_settings();
	(void)state;
	s.rate_bps = 16000000;
	arq_link_init(&link, 7, &s);
	(void)arq_link_send_all(&link.a, 100000, 1376, 2 * SECOND);
	assert_in_range(link.a.bytes_emitted, 3600000, 4100000); /* of two seconds */
	arq_link_end(&link);
}

/* Between datagrams of a window that is large beside the round trip there is time. */
static void sends_in_no_bursts(void **state)
{
	struct kcp_settings s = arq_link_settings();
	uint32_t most = 0;
	(void)state;
	s.snd_wnd = s.rcv_wnd = 512;
	arq_link_init(&link, 7, &s);
	link.net.delay_us = 50 * MS;
	(void)arq_link_send_all(&link.a, 2000, 1376, 2 * SECOND); /* round trips are known */
	for (uint32_t i = 0; i < 500; i++) {
		uint32_t before = link.a.n_datagrams;
		while (arq_link_send(&link.a, 1376))
			;
		arq_link_flush(&link.a);
		arq_link_run(&link, MS);
		most = link.a.n_datagrams - before > most ? link.a.n_datagrams - before : most;
	}
	/* 512 in 100 ms are 5 a millisecond, and a quarter more */
	assert_in_range(most, 1, 24);
	arq_link_end(&link);
}

static void goes_on_when_packets_come_back(void **state)
{
	(void)state;
	begin(128, 128);
	for (uint32_t round = 0; round < 50; round++) {
		link.a.fresh_left = link.b.fresh_left = round % 3;
		(void)arq_link_send(&link.a, 40);
		(void)arq_link_send(&link.a, 1376);
		(void)arq_link_send(&link.b, 40);
		arq_link_flush(&link.a);
		arq_link_flush(&link.b);
		arq_link_run(&link, 20 * MS);
	}
	link.a.fresh_left = link.b.fresh_left = UINT32_MAX;
	assert_true(arq_link_run_until(&link.b, 100, 60 * SECOND));
	assert_true(arq_link_run_until(&link.a, 50, 60 * SECOND));
	arq_link_end(&link);
}

static void goes_on_with_few_cells(void **state)
{
	(void)state;
	begin(128, 128);
	link.cells[0].most = 6;
	link.cells[1].most = 6;
	link.net.loss_ppm = 100000;
	assert_true(arq_link_send_all(&link.a, 400, 1000, 120 * SECOND));
	assert_true(arq_link_run_until(&link.b, 400, 120 * SECOND));
	assert_true(link.cells[0].n_made <= 6 && link.cells[1].n_made <= 6);
	arq_link_end(&link);
}

static void knows_since_when_it_is_not_answered(void **state)
{
	struct kcp_engine_state st;
	(void)state;
	begin(64, 64);
	kcp_arq_ops.state(link.a.engine, &st);
	assert_int_equal(st.unheard_us, 0);
	link.net.loss_ppm = 1000000;
	assert_true(arq_link_send(&link.a, 100));
	arq_link_flush(&link.a);
	uint64_t since = link.now_us;
	arq_link_run(&link, 7 * SECOND);
	kcp_arq_ops.state(link.a.engine, &st);
	assert_int_equal(st.unheard_us, since);
	assert_false(st.has_proof);
	link.net.loss_ppm = 0;
	assert_true(arq_link_run_until(&link.b, 1, 5 * SECOND));
	arq_link_run(&link, SECOND);
	kcp_arq_ops.state(link.a.engine, &st);
	assert_int_equal(st.unheard_us, 0);
	assert_true(st.has_proof);
	arq_link_end(&link);
}

static void a_probe_is_answered_by_any_peer(void **state)
{
	struct kcp_engine_state st;
	(void)state;
	begin(64, 64);
	kcp_arq_ops.probe(link.a.engine, link.now_us);
	arq_link_flush(&link.a);
	kcp_arq_ops.state(link.a.engine, &st);
	assert_int_equal(st.unheard_us, link.now_us);
	arq_link_run(&link, SECOND);
	kcp_arq_ops.state(link.a.engine, &st);
	assert_int_equal(st.unheard_us, 0);
	arq_link_end(&link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deaf_device_closes_the_window_and_loses_nothing),
		cmocka_unit_test(asks_rarely_and_ever_more_rarely_while_the_window_is_closed),
		cmocka_unit_test(a_lost_window_is_asked_for),
		cmocka_unit_test(an_old_window_does_not_close_a_new_one),
		cmocka_unit_test(never_sends_more_than_the_peers_window),
		cmocka_unit_test(refuses_when_the_queue_is_full_and_tells_when_it_is_not),
		cmocka_unit_test(drops_what_has_waited_too_long),
		cmocka_unit_test(sends_no_faster_than_the_cap),
		cmocka_unit_test(sends_in_no_bursts),
		cmocka_unit_test(goes_on_when_packets_come_back),
		cmocka_unit_test(goes_on_with_few_cells),
		cmocka_unit_test(knows_since_when_it_is_not_answered),
		cmocka_unit_test(a_probe_is_answered_by_any_peer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
