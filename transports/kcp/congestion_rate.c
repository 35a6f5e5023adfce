/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * congestion_rate: the model "rate". It keeps two figures of the path, the largest delivery rate of the
 * last 10 round trips and the least round trip of the last 10 s, sends at that rate, and keeps at most one and
 * a half products of both under way. (The idea is that of BBR: Cardwell et al., ACM Queue 14-5, 2016.)
 *
 *   START      2.89 times the rate, until three rounds have not brought a quarter more
 *   DRAIN      the inverse, until what START has queued is gone
 *   PROBE      eight phases of a least round trip: 5/4, 3/4, then six times 1; begins anywhere but at 3/4
 *   PROBE_RTT  when the least round trip has not been seen for 10 s: half a product for 200 ms
 *
 * What differs, because this carries the traffic of others over links that lose at random:
 *   - The usual share of loss, measured when less is sent than the path carries, is made up for by half of
 *     it in the pace. Only half: what the pace itself has caused dies away then instead of growing.
 *   - A round with clearly more loss than usual sets a ceiling below what was under way, which rises by two
 *     datagrams and a little with each round that loses no more than usual.
 *   - The product never counts less than 5 ms of round trip: what the machine's own scheduling adds on a
 *     short link is no queue in the network.
 */
#include "congestion_model.h"

enum { START, DRAIN, PROBE, PROBE_RTT };

#define BW_ROUNDS         10u
#define ONE               256u /* gains are in 2^-8 */
#define START_GAIN        739u /* 2 / ln 2: doubles the rate each round */
#define DRAIN_GAIN        89u  /* its inverse */
#define WINDOW_GAIN       384u /* more, and two flows would fill a queue of a round trip for good */
#define PHASES            8u
#define FLAT_ROUNDS       3u
#define FIRST_WINDOW      32u /* datagrams: also what a window never shrinks below in PROBE */
#define LEAST_WINDOW      4u
#define LEAST_PRODUCT_US  5000u
#define MIN_RTT_AGE_US    9000000u /* before rtt.h forgets it */
#define PROBE_RTT_US      200000u
#define UNMEASURED_RTT_US 100000u
#define MOST_USUAL_Q16    16384u /* a quarter */
#define USUAL_SAMPLE      64u    /* datagrams */
#define UNUSUAL_LEAST     8u     /* datagrams lost in a round before it can be unusual */

static const uint16_t probe_gain[PHASES] = {320, 192, 256, 256, 256, 256, 256, 256};

static uint32_t next_random(struct kcp_congestion *c)
{
	/* xorshift64: Marsaglia 2003 */
	c->rng ^= c->rng << 13;
	c->rng ^= c->rng >> 7;
	c->rng ^= c->rng << 17;
	return (uint32_t)(c->rng >> 32);
}

static uint64_t bandwidth(const struct kcp_congestion *c)
{
	return c->u.rate.bw[0];
}

/* Bytes under way that fill the path, times gain / 256. */
static uint64_t product(const struct kcp_congestion *c, uint32_t gain, uint64_t least_us)
{
	uint64_t rtt = c->min_us;
	if (rtt == UINT64_MAX)
		rtt = UNMEASURED_RTT_US;
	if (rtt < least_us)
		rtt = least_us;
	return bandwidth(c) * rtt / 1000000u * gain / ONE;
}

static uint32_t gain_now(const struct kcp_congestion *c)
{
	const struct kcp_congestion_rate *r = &c->u.rate;
	switch (r->state) {
	case START:
		return START_GAIN;
	case DRAIN:
		return DRAIN_GAIN;
	case PROBE:
		return probe_gain[r->phase];
	default:
		return ONE;
	}
}

/* ---- the two figures ---- */

static void set_best(struct kcp_congestion_rate *r, uint32_t from, uint64_t bw)
{
	for (uint32_t i = from; i < 3; i++) {
		r->bw[i] = bw;
		r->bw_round[i] = r->round;
	}
}

/* Largest value of a sliding window in constant space: the best, and the best after each. */
static void keep_largest(struct kcp_congestion_rate *r, uint64_t bw)
{
	if (bw >= r->bw[0] || r->round - r->bw_round[2] > BW_ROUNDS) {
		set_best(r, 0, bw);
		return;
	}
	if (bw >= r->bw[1])
		set_best(r, 1, bw);
	else if (bw >= r->bw[2])
		set_best(r, 2, bw);
	if (r->round - r->bw_round[0] > BW_ROUNDS) {
		r->bw[0] = r->bw[1];
		r->bw_round[0] = r->bw_round[1];
		r->bw[1] = r->bw[2];
		r->bw_round[1] = r->bw_round[2];
		r->bw[2] = bw;
		r->bw_round[2] = r->round;
	} else if (r->bw_round[1] == r->bw_round[0] && r->round - r->bw_round[0] > BW_ROUNDS / 4) {
		set_best(r, 1, bw);
	} else if (r->bw_round[2] == r->bw_round[1] && r->round - r->bw_round[1] > BW_ROUNDS / 2) {
		set_best(r, 2, bw);
	}
}

/* Whoever has little to send measures himself: such a sample only counts when it is larger. */
static void keep_bandwidth(struct kcp_congestion *c, const struct kcp_congestion_sample *s)
{
	if (s->bytes_per_s != 0 && (!s->app_limited || s->bytes_per_s >= bandwidth(c)))
		keep_largest(&c->u.rate, s->bytes_per_s);
}

/* How many bytes more than the rate explains have been acknowledged at once: a window that does not
 * cover them would stall between two bunches of acks. */
static void keep_extra(struct kcp_congestion *c, uint64_t now_us)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	uint64_t expected = bandwidth(c) * (now_us - r->epoch_us) / 1000000u;
	if (r->epoch_acked <= expected || now_us - r->epoch_us > 1000000u) {
		r->epoch_us = now_us;
		r->epoch_acked = 0;
		expected = 0;
	}
	r->epoch_acked += c->ack.bytes;
	uint64_t extra = r->epoch_acked - (expected < r->epoch_acked ? expected : r->epoch_acked);
	uint64_t most = bandwidth(c) / 10; /* of 100 ms */
	if (extra > most)
		extra = most;
	if (extra > r->extra[0])
		r->extra[0] = extra;
	if (r->round - r->extra_round >= BW_ROUNDS) {
		r->extra_round = r->round;
		r->extra[1] = r->extra[0];
		r->extra[0] = 0;
	}
}

/* ---- loss ---- */

/* More than usual by far more than chance explains? */
static bool is_unusual(const struct kcp_congestion *c)
{
	const struct kcp_congestion_rate *r = &c->u.rate;
	uint64_t total = r->round_delivered + r->round_lost;
	uint64_t lost = r->round_lost / c->setup.datagram;
	uint64_t usual = (total * r->usual_q16 >> 16) / c->setup.datagram;
	/* a variance of Poisson's law, three deviations: lost - usual > 3 sqrt(usual) */
	uint64_t beyond = lost > usual ? lost - usual : 0;
	return lost >= UNUSUAL_LEAST && beyond * beyond > 9 * usual &&
	       beyond * c->setup.datagram * 32 > total;
}

/* The path takes clearly longer than it needs: something waits in it. */
static bool has_queue(const struct kcp_congestion *c)
{
	uint64_t margin = c->min_us / 4 > LEAST_PRODUCT_US ? c->min_us / 4 : LEAST_PRODUCT_US;
	return c->min_us != UINT64_MAX && c->latest_us > c->min_us + margin;
}

/*
 * What is lost of what was sent slower than the path is: while start-up still finds more, and in the phase
 * of 3/4, whose acknowledgements come in the phase after it; and only while nothing waits in the path.
 */
static void learn_usual(struct kcp_congestion *c)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	bool slow = r->state == PROBE ? r->phase == 2 : r->state == START && r->flat_rounds == 0;
	if (!slow || has_queue(c))
		return;
	r->usual_delivered += c->ack.bytes;
	r->usual_lost += c->ack.lost;
	uint64_t total = r->usual_delivered + r->usual_lost;
	if (total < (uint64_t)USUAL_SAMPLE * c->setup.datagram)
		return;
	uint64_t share = (r->usual_lost << 16) / total;
	if (share > r->usual_q16)
		r->usual_q16 += (share - r->usual_q16) / 4;
	else
		r->usual_q16 -= (r->usual_q16 - share) / 4;
	if (r->usual_q16 > MOST_USUAL_Q16)
		r->usual_q16 = MOST_USUAL_Q16;
	r->usual_delivered = r->usual_lost = 0;
}

static void end_round_of_loss(struct kcp_congestion *c)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	bool unusual = r->is_full && is_unusual(c);
	uint64_t floor = product(c, ONE, LEAST_PRODUCT_US);
	if (unusual) {
		uint64_t to = c->ack.in_flight - c->ack.in_flight / 8;
		r->ceiling = to > floor / 2 ? to : floor / 2;
	} else if (r->ceiling != 0) {
		r->ceiling += r->ceiling / 64 + 2 * c->setup.datagram;
		if (r->ceiling > 4 * floor)
			r->ceiling = 0;
	}
	r->round_delivered = r->round_lost = 0;
}

/* ---- states ---- */

static void enter_probe(struct kcp_congestion *c, uint64_t now_us)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	r->state = PROBE;
	r->phase_us = now_us;
	/* any phase but the second, so that flows do not probe in step */
	r->phase = (uint8_t)((2 + next_random(c) % (PHASES - 1)) % PHASES);
	r->probed_bw = bandwidth(c);
}

static void check_full(struct kcp_congestion *c, bool app_limited)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	if (r->is_full || app_limited)
		return;
	if (bandwidth(c) >= r->flat_bw + r->flat_bw / 4) {
		r->flat_bw = bandwidth(c);
		r->flat_rounds = 0;
		return;
	}
	r->is_full = ++r->flat_rounds >= FLAT_ROUNDS;
}

static bool phase_is_over(const struct kcp_congestion *c, uint64_t now_us)
{
	const struct kcp_congestion_rate *r = &c->u.rate;
	uint32_t gain = probe_gain[r->phase];
	uint64_t rtt = c->min_us > LEAST_PRODUCT_US ? c->min_us : LEAST_PRODUCT_US;
	bool long_enough = now_us - r->phase_us > rtt;
	if (gain > ONE)
		return long_enough && (c->ack.lost != 0 || c->ack.app_limited ||
				       c->ack.in_flight >= product(c, gain, LEAST_PRODUCT_US) ||
				       now_us - r->phase_us > 3 * rtt);
	if (gain < ONE)
		return long_enough || c->in_flight <= product(c, ONE, LEAST_PRODUCT_US);
	return long_enough;
}

/* A probe that has found clearly more is followed by another one at once. */
static void next_phase(struct kcp_congestion *c, uint64_t now_us)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	bool found_more = r->phase == 1 && bandwidth(c) > r->probed_bw + r->probed_bw / 10;
	r->phase = found_more ? 0 : (uint8_t)((r->phase + 1) % PHASES);
	r->phase_us = now_us;
	if (r->phase == 0)
		r->probed_bw = bandwidth(c);
}

static void check_min_rtt(struct kcp_congestion *c, uint64_t now_us)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	if (r->state == PROBE_RTT) {
		if (now_us < r->probe_end_us)
			return;
		if (r->is_full)
			enter_probe(c, now_us);
		else
			r->state = START;
		return;
	}
	if (c->min_us == UINT64_MAX || now_us - c->min_at_us < MIN_RTT_AGE_US)
		return;
	/* at most that often, also when the least cannot be reached any more */
	if (r->probe_end_us != 0 && now_us - r->probe_end_us < MIN_RTT_AGE_US)
		return;
	r->state = PROBE_RTT;
	r->probe_end_us = now_us + PROBE_RTT_US;
}

static void move_on(struct kcp_congestion *c, uint64_t now_us)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	if (r->state == START && r->is_full)
		r->state = DRAIN;
	if (r->state == DRAIN && c->in_flight <= product(c, ONE, LEAST_PRODUCT_US))
		enter_probe(c, now_us);
	if (r->state == PROBE && phase_is_over(c, now_us))
		next_phase(c, now_us);
	check_min_rtt(c, now_us);
}

/* ---- what follows ---- */

static void set_pacing(struct kcp_congestion *c)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	/* one sample of a path that stood still is no reason to fall silent */
	uint64_t least = (uint64_t)LEAST_WINDOW * c->setup.datagram * 1000000u / UNMEASURED_RTT_US;
	uint64_t pace;
	if (bandwidth(c) == 0) {
		uint64_t rtt = c->srtt_us != 0 ? c->srtt_us : UNMEASURED_RTT_US;
		pace = (uint64_t)FIRST_WINDOW * c->setup.datagram * 1000000u / rtt * START_GAIN /
		       ONE;
	} else {
		pace = bandwidth(c) * gain_now(c) / ONE;
		pace += pace * r->usual_q16 / (2 * 65536u);
	}
	if (pace < least)
		pace = least;
	/* start-up never slows down: a small first sample is no limit */
	if (r->state != START || pace > r->pacing)
		r->pacing = pace;
}

static void set_window(struct kcp_congestion *c)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	uint64_t least = (uint64_t)FIRST_WINDOW * c->setup.datagram;
	if (r->state == PROBE_RTT) {
		uint64_t half = product(c, ONE / 2, LEAST_PRODUCT_US);
		uint64_t few = (uint64_t)LEAST_WINDOW * c->setup.datagram;
		r->cwnd = half > few ? half : few;
		return;
	}
	uint32_t gain = r->state == START || r->state == DRAIN ? START_GAIN : WINDOW_GAIN;
	uint64_t extra = r->extra[0] > r->extra[1] ? r->extra[0] : r->extra[1];
	uint64_t target = product(c, gain, LEAST_PRODUCT_US) + extra;
	/* start-up has no use for the whole window before it has been reached by what was delivered */
	if (!r->is_full) {
		uint64_t grown = r->cwnd + c->ack.bytes;
		target = r->cwnd < target || bandwidth(c) == 0 ? grown : r->cwnd;
	}
	if (r->ceiling != 0 && target > r->ceiling)
		target = r->ceiling;
	r->cwnd = target > least ? target : least;
}

void kcp_congestion_rate_init(struct kcp_congestion *c, uint64_t now_us)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	r->state = START;
	r->cwnd = (uint64_t)FIRST_WINDOW * c->setup.datagram;
	r->epoch_us = now_us;
	set_pacing(c);
}

void kcp_congestion_rate_ack(struct kcp_congestion *c, const struct kcp_congestion_sample *s,
			     uint64_t now_us)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	r->round_delivered += c->ack.bytes;
	r->round_lost += c->ack.lost;
	learn_usual(c);
	bool ends_round = c->ack.bytes != 0 && s->delivered >= r->round_end;
	if (ends_round) {
		r->round++;
		r->round_end = c->delivered;
	}
	keep_bandwidth(c, s);
	if (c->ack.bytes != 0)
		keep_extra(c, now_us);
	if (ends_round) {
		end_round_of_loss(c);
		check_full(c, s->app_limited);
	}
	move_on(c, now_us);
	set_pacing(c);
	set_window(c);
}

void kcp_congestion_rate_timeout(struct kcp_congestion *c, uint64_t now_us)
{
	struct kcp_congestion_rate *r = &c->u.rate;
	/* the path may be another one: what it was said to carry is not sent at once again */
	r->bw[0] /= 2;
	r->bw[1] = r->bw[2] = r->bw[0];
	r->is_full = false;
	r->flat_rounds = 0;
	r->flat_bw = 0;
	r->state = START;
	r->pacing = 0;
	r->ceiling = 0;
	r->cwnd = (uint64_t)LEAST_WINDOW * c->setup.datagram;
	r->epoch_us = now_us;
	r->epoch_acked = 0;
	set_pacing(c);
}
