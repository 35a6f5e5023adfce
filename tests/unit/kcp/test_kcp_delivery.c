/* SPDX-License-Identifier: BSD-2-Clause */
/* Two engines over a bad network: what is taken arrives, once and in order. */
#include "arq_link.h"

static struct arq_link link;

struct weather {
	uint32_t seeds, messages, len; /* len 0: of any length */
	struct arq_net net;
};

static uint32_t some_length(struct arq_link *l, uint32_t len)
{
	return len != 0 ? len : 4 + (uint32_t)(arq_link_random(l) % (l->message - 3));
}

/* Both ways at once. */
static void exchange(const struct kcp_settings *settings, const struct weather *w, uint32_t mtu,
		     uint32_t message)
{
	for (uint64_t seed = 1; seed <= w->seeds; seed++) {
		arq_link_init_sizes(&link, seed, settings, mtu, message);
		link.net = w->net;
		for (uint32_t i = 0; i < w->messages; i++) {
			assert_true(arq_link_send_all(&link.a, 1, some_length(&link, w->len),
						      600 * SECOND));
			if (i % 4 == 0)
				assert_true(arq_link_send_all(
					&link.b, 1, some_length(&link, w->len), 600 * SECOND));
		}
		if (!arq_link_run_until(&link.b, link.a.n_sent, 600 * SECOND) ||
		    !arq_link_run_until(&link.a, link.b.n_sent, 600 * SECOND))
			fail_msg("seed %llu: %u of %u, %u of %u", (unsigned long long)seed,
				 link.b.n_delivered, link.a.n_sent, link.a.n_delivered,
				 link.b.n_sent);
		arq_link_run(&link, 600 * SECOND);
		assert_int_equal(link.n_flying, 0);
		arq_link_end(&link);
	}
}

static const struct arq_net clean = {.delay_us = 10 * MS};
static const struct arq_net bad = {
	.delay_us = 20 * MS, .jitter_us = 5 * MS, .loss_ppm = 100000, .duplicate_ppm = 20000};
static const struct arq_net awful = {
	.delay_us = 20 * MS, .jitter_us = 40 * MS, .loss_ppm = 400000, .duplicate_ppm = 100000};

static void delivers_on_a_clean_link(void **state)
{
	struct kcp_settings s = arq_link_settings();
	struct weather w = {.seeds = 50, .messages = 200, .net = clean};
	(void)state;
	exchange(&s, &w, 0, 0);
}

static void delivers_through_loss_reordering_and_duplicates(void **state)
{
	struct kcp_settings s = arq_link_settings();
	struct weather w = {.seeds = 1000, .messages = 60, .net = bad};
	(void)state;
	exchange(&s, &w, 0, 0);
}

static void delivers_when_two_of_five_are_lost(void **state)
{
	struct kcp_settings s = arq_link_settings();
	struct weather w = {.seeds = 500, .messages = 40, .net = awful};
	(void)state;
	exchange(&s, &w, 0, 0);
}

static void delivers_small_messages_in_few_datagrams(void **state)
{
	struct kcp_settings s = arq_link_settings();
	struct weather w = {.seeds = 200, .messages = 300, .len = 40, .net = bad};
	(void)state;
	exchange(&s, &w, 0, 0);
}

static void delivers_messages_in_fragments(void **state)
{
	struct kcp_settings s = arq_link_settings();
	struct weather w = {.seeds = 300, .messages = 40, .net = bad};
	(void)state;
	exchange(&s, &w, 300, 1376);
}

static void delivers_a_stream(void **state)
{
	struct kcp_settings s = arq_link_settings();
	struct weather w = {.seeds = 500, .messages = 80, .net = bad};
	s.stream = true;
	(void)state;
	exchange(&s, &w, 0, 0);
	exchange(&s, &w, 200, 1376);
}

static void delivers_with_every_preset_and_congestion_control(void **state)
{
	static const struct {
		uint32_t nodelay, interval_ms;
	} presets[] = {{0, 40}, {0, 30}, {1, 20}, {1, 10}, {2, 10}};
	struct weather w = {.seeds = 40, .messages = 60, .net = bad};
	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		for (uint32_t c = KCP_CONGESTION_NONE; c <= KCP_CONGESTION_RATE; c++) {
			struct kcp_settings s = arq_link_settings();
			s.nodelay = presets[i].nodelay;
			s.interval_us = presets[i].interval_ms * MS;
			s.congestion = (enum kcp_congestion_name)c;
			s.resend = i % 3;
			s.ack_no_delay = i % 2 != 0;
			exchange(&s, &w, 0, 0);
		}
	}
}

static void delivers_across_the_wrap_of_sequence_numbers(void **state)
{
	struct kcp_settings s = arq_link_settings();
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		arq_link_init(&link, seed, &s);
		link.net = bad;
		struct kcp_arq *a = arq_of(&link.a), *b = arq_of(&link.b);
		a->window.una = a->window.nxt = a->peer_una = UINT32_MAX - 20;
		b->received.head = b->received.nxt = UINT32_MAX - 20;
		assert_true(arq_link_send_all(&link.a, 100, 700, 60 * SECOND));
		assert_true(arq_link_run_until(&link.b, 100, 60 * SECOND));
		arq_link_run(&link, 60 * SECOND);
		assert_int_equal(a->window.una, 79);
		arq_link_end(&link);
	}
}

static void delivers_behind_a_narrow_queue(void **state)
{
	struct kcp_settings s = arq_link_settings();
	struct arq_net narrow = {.delay_us = 20 * MS, .us_per_datagram = 1000, .queue = 20};
	struct weather w = {.seeds = 10, .messages = 1500, .len = 1300, .net = narrow};
	(void)state;
	for (uint32_t c = KCP_CONGESTION_NONE; c <= KCP_CONGESTION_RATE; c++) {
		s.congestion = (enum kcp_congestion_name)c;
		s.snd_wnd = s.rcv_wnd = 512;
		exchange(&s, &w, 0, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delivers_on_a_clean_link),
		cmocka_unit_test(delivers_through_loss_reordering_and_duplicates),
		cmocka_unit_test(delivers_when_two_of_five_are_lost),
		cmocka_unit_test(delivers_small_messages_in_few_datagrams),
		cmocka_unit_test(delivers_messages_in_fragments),
		cmocka_unit_test(delivers_a_stream),
		cmocka_unit_test(delivers_with_every_preset_and_congestion_control),
		cmocka_unit_test(delivers_across_the_wrap_of_sequence_numbers),
		cmocka_unit_test(delivers_behind_a_narrow_queue),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
