/* SPDX-License-Identifier: BSD-2-Clause */
/* congestion: accounts for what is under way; the models none and reno. */
#include "congestion.h"

#include "congestion_model.h"

#define APP_LIMITED    0x80000000u
#define FIRST_WINDOW   10u /* datagrams, RFC 6928 */
#define LEAST_WINDOW   2u  /* RFC 5681 section 3.1, RFC 9002 section 7.2 */
#define UNMEASURED_RTT 100000u

static uint64_t widest(const struct kcp_congestion *c)
{
	return (uint64_t)c->setup.window * c->setup.datagram;
}

static uint64_t datagrams(const struct kcp_congestion *c, uint32_t n)
{
	return (uint64_t)c->setup.datagram * n;
}

/* The time whose low 32 bits are kept, and which is not later than now. */
static uint64_t expand_us(uint64_t now_us, uint32_t low)
{
	return now_us - (uint32_t)((uint32_t)now_us - low);
}

void kcp_congestion_init(struct kcp_congestion *c, const struct kcp_congestion_setup *setup,
			 uint64_t now_us)
{
	*c = (struct kcp_congestion){.setup = *setup, .rng = setup->seed | 1};
	if (c->setup.window < FIRST_WINDOW)
		c->setup.window = FIRST_WINDOW;
	c->delivered_us = c->first_us = now_us;
	c->min_us = UINT64_MAX;
	if (setup->kind == KCP_CC_RENO) {
		c->u.reno.cwnd = datagrams(c, FIRST_WINDOW);
		c->u.reno.ssthresh = UINT64_MAX;
	} else if (setup->kind == KCP_CC_RATE) {
		kcp_congestion_rate_init(c, now_us);
	}
}

/* ---- accounts ---- */

void kcp_congestion_sent(struct kcp_congestion *c, struct kcp_congestion_sent *s, uint32_t bytes,
			 bool app_limited, uint64_t now_us)
{
	/* after a silence the interval of delivery begins here, not with the last ack before it */
	if (c->in_flight == 0)
		c->delivered_us = c->first_us = now_us;
	c->in_flight += bytes;
	if (app_limited && c->in_flight < kcp_congestion_window(c))
		c->app_limited_until = c->delivered + c->in_flight;
	*s = (struct kcp_congestion_sent){
		.delivered = c->delivered,
		.sent_us = (uint32_t)now_us,
		.delivered_us = (uint32_t)c->delivered_us,
		.first_us = (uint32_t)c->first_us,
		.bytes = bytes | (c->app_limited_until != 0 ? APP_LIMITED : 0),
	};
}

static void leave_flight(struct kcp_congestion *c, const struct kcp_congestion_sent *s)
{
	uint32_t bytes = s->bytes & ~APP_LIMITED;
	c->in_flight -= bytes < c->in_flight ? bytes : c->in_flight;
}

void kcp_congestion_forgotten(struct kcp_congestion *c, const struct kcp_congestion_sent *s)
{
	leave_flight(c, s);
}

void kcp_congestion_ack_begin(struct kcp_congestion *c)
{
	c->ack.bytes = c->ack.lost = 0;
	c->ack.delivered = c->ack.delivered_us = 0;
	c->ack.last_loss_us = 0;
	c->ack.in_flight = c->in_flight;
}

void kcp_congestion_acked(struct kcp_congestion *c, const struct kcp_congestion_sent *s,
			  uint64_t now_us)
{
	uint32_t bytes = s->bytes & ~APP_LIMITED;
	leave_flight(c, s);
	c->delivered += bytes;
	c->delivered_us = now_us;
	/* the newest datagram of the ack measures; of a batch sent at one time, the last one does */
	uint64_t sent_us = expand_us(now_us, s->sent_us);
	if (c->ack.bytes == 0 || s->delivered > c->ack.delivered ||
	    (s->delivered == c->ack.delivered && sent_us >= c->ack.sent_us)) {
		c->ack.delivered = s->delivered;
		c->ack.delivered_us = expand_us(now_us, s->delivered_us);
		c->ack.sent_us = sent_us;
		c->ack.first_us = expand_us(now_us, s->first_us);
		c->ack.app_limited = (s->bytes & APP_LIMITED) != 0;
		c->first_us = sent_us;
	}
	c->ack.bytes += bytes;
}

void kcp_congestion_lost(struct kcp_congestion *c, const struct kcp_congestion_sent *s,
			 uint64_t now_us)
{
	uint32_t bytes = s->bytes & ~APP_LIMITED;
	uint64_t sent_us = expand_us(now_us, s->sent_us);
	leave_flight(c, s);
	c->lost += bytes;
	c->ack.lost += bytes;
	if (sent_us > c->ack.last_loss_us)
		c->ack.last_loss_us = sent_us;
}

/*
 * Bytes delivered since the newest datagram was sent, over the time that took: by the acks or by
 * the sending, whichever is longer, so that acks which come in a bunch do not make it look fast.
 */
static struct kcp_congestion_sample measure(const struct kcp_congestion *c, uint64_t now_us)
{
	struct kcp_congestion_sample s = {.delivered = c->ack.delivered,
					  .app_limited = c->ack.app_limited};
	if (c->ack.bytes == 0)
		return s;
	uint64_t sending = c->ack.sent_us - c->ack.first_us;
	uint64_t acking = now_us - c->ack.delivered_us;
	uint64_t interval = sending > acking ? sending : acking;
	/* less than a round trip: measured nothing but a coincidence */
	if (interval == 0 || interval < c->min_us)
		return s;
	s.bytes_per_s = (c->delivered - c->ack.delivered) * 1000000u / interval;
	return s;
}

/* ---- reno ---- */

static void reduce(struct kcp_congestion *c, uint64_t now_us)
{
	struct kcp_congestion_reno *r = &c->u.reno;
	/* once for all that was sent before the reduction: RFC 9002 section 7.3.2 */
	if (c->ack.last_loss_us < r->recovery_us)
		return;
	r->recovery_us = now_us;
	r->ssthresh = r->cwnd / 2;
	if (r->ssthresh < datagrams(c, LEAST_WINDOW))
		r->ssthresh = datagrams(c, LEAST_WINDOW);
	r->cwnd = r->ssthresh;
	r->acked = 0;
}

static void grow(struct kcp_congestion *c)
{
	struct kcp_congestion_reno *r = &c->u.reno;
	/* a window that was not used says nothing about the network: RFC 7661 */
	if (c->ack.sent_us < r->recovery_us || c->ack.in_flight < r->cwnd / 2)
		return;
	if (r->cwnd < r->ssthresh) {
		r->cwnd += c->ack.bytes;
	} else {
		r->acked += c->ack.bytes;
		if (r->acked >= r->cwnd) {
			r->acked -= r->cwnd;
			r->cwnd += c->setup.datagram;
		}
	}
	if (r->cwnd > widest(c))
		r->cwnd = widest(c);
}

/* ---- all models ---- */

void kcp_congestion_ack_end(struct kcp_congestion *c, const struct kcp_rtt *rtt, uint64_t now_us)
{
	c->srtt_us = rtt->srtt_us;
	c->latest_us = rtt->latest_us;
	c->min_us = rtt->min_us;
	c->min_at_us = rtt->min_at_us;
	struct kcp_congestion_sample s = measure(c, now_us);
	if (c->app_limited_until != 0 && c->delivered > c->app_limited_until)
		c->app_limited_until = 0;
	if (c->setup.kind == KCP_CC_RATE) {
		kcp_congestion_rate_ack(c, &s, now_us);
	} else if (c->setup.kind == KCP_CC_RENO) {
		if (c->ack.lost != 0)
			reduce(c, now_us);
		if (c->ack.bytes != 0)
			grow(c);
	}
}

void kcp_congestion_timeout(struct kcp_congestion *c, uint64_t now_us)
{
	if (c->setup.kind == KCP_CC_RATE) {
		kcp_congestion_rate_timeout(c, now_us);
	} else if (c->setup.kind == KCP_CC_RENO) {
		struct kcp_congestion_reno *r = &c->u.reno;
		uint64_t half = c->ack.in_flight / 2;
		uint64_t least = datagrams(c, LEAST_WINDOW);
		r->ssthresh = half > least ? half : least;
		r->cwnd = least;
		r->acked = 0;
		r->recovery_us = now_us;
	}
}

uint64_t kcp_congestion_window(const struct kcp_congestion *c)
{
	uint64_t most = widest(c);
	uint64_t w = most;
	if (c->setup.kind == KCP_CC_RENO)
		w = c->u.reno.cwnd;
	else if (c->setup.kind == KCP_CC_RATE)
		w = c->u.rate.cwnd;
	return w < most ? w : most;
}

/* A window in the time of a round trip, and more than that by `percent`. */
static uint64_t pace_of_window(const struct kcp_congestion *c, uint32_t percent)
{
	uint64_t rtt = c->srtt_us != 0 ? c->srtt_us : UNMEASURED_RTT;
	return kcp_congestion_window(c) * 10000u / rtt * percent;
}

uint64_t kcp_congestion_pace(const struct kcp_congestion *c)
{
	uint64_t cap = c->setup.bytes_per_s;
	uint64_t pace;
	if (c->setup.kind == KCP_CC_RATE)
		pace = c->u.rate.pacing;
	else if (c->setup.kind == KCP_CC_RENO && c->u.reno.cwnd < c->u.reno.ssthresh)
		pace = pace_of_window(c, 200);
	else
		pace = pace_of_window(c, 125);
	return cap != 0 && (cap < pace || pace == 0) ? cap : pace;
}
