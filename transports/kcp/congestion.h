/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * congestion: how much may be under way, and how fast. One interface for three models:
 *
 *   none   a fixed window, paced at a quarter more than a window per round trip
 *   reno   slow start and additive increase of RFC 5681 with appropriate byte counting (RFC 3465), one
 *          reduction per round trip as RFC 9002 section 7; paced at 5/4 (slow start: 2) of a window
 *   rate   a model of the path from measured delivery rate and least round trip; random loss does
 *          not slow it down. Its states and figures are described in congestion_rate.c
 *
 * The engine gives each datagram that counts a kcp_congestion_sent, and tells for each exactly once that
 * it was acknowledged, lost or forgotten. Bytes are those of the engine's datagrams. All of one ack's
 * calls stand between kcp_congestion_ack_begin() and _end(). Times in microseconds.
 * [any], one caller at a time.
 */
#ifndef KCP_CONGESTION_H
#define KCP_CONGESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "rtt.h"

enum kcp_congestion_kind { KCP_CC_NONE, KCP_CC_RENO, KCP_CC_RATE };

/* What has to be remembered of a datagram under way: how far delivery was when it was sent. */
struct kcp_congestion_sent {
	uint64_t delivered;    /* bytes delivered until then */
	uint32_t sent_us;      /* low 32 bits of the clock, as are the next two */
	uint32_t delivered_us; /* when the last of these was acknowledged */
	uint32_t first_us;     /* when the datagram that it acknowledged was sent */
	uint32_t bytes;        /* bit 31: there was nothing else to send */
};

struct kcp_congestion_setup {
	enum kcp_congestion_kind kind;
	uint32_t datagram;    /* bytes of a large one */
	uint32_t window;      /* datagrams: never more under way */
	uint64_t bytes_per_s; /* never faster; 0 = no cap */
	uint64_t seed;        /* spreads the probes of flows that began together */
};

struct kcp_congestion_reno {
	uint64_t cwnd, ssthresh, acked; /* bytes */
	uint64_t recovery_us;           /* sent before this: already paid for */
};

struct kcp_congestion_rate {
	uint8_t state;        /* enum in congestion_rate.c */
	uint8_t phase;        /* of the probing cycle */
	uint8_t flat_rounds;  /* in which start-up found no more */
	bool is_full;         /* start-up has found the limit */
	uint64_t bw[3];       /* best, second, third delivery rate, bytes/s, of the last rounds, */
	uint64_t bw_round[3]; /* and their rounds */
	uint64_t flat_bw;     /* rate that start-up has to surpass */
	uint64_t probed_bw;   /* rate when the last probe began */
	uint64_t round, round_end; /* count; delivered bytes that end this one */
	uint64_t phase_us;         /* when it began */
	uint64_t probe_end_us;
	uint64_t round_delivered, round_lost; /* bytes, in this round */
	uint64_t usual_q16;                   /* usual share of loss, 2^-16, */
	uint64_t usual_delivered, usual_lost; /* and bytes towards the next measurement */
	uint64_t ceiling;                     /* bytes, that unusual loss has taught; 0 = none */
	uint64_t epoch_us, epoch_acked;       /* for how far acks come in bursts */
	uint64_t extra[2]; /* bytes beyond the rate, of this and the last window */
	uint64_t extra_round;
	uint64_t cwnd, pacing;
};

struct kcp_congestion {
	struct kcp_congestion_setup setup;
	uint64_t in_flight; /* bytes */
	uint64_t delivered; /* bytes, ever */
	uint64_t lost;      /* bytes, ever */
	uint64_t delivered_us, first_us;
	uint64_t app_limited_until; /* delivered bytes; 0 = the network is the limit */
	uint64_t srtt_us, latest_us, min_us, min_at_us; /* of the round trip, by the last ack */
	/* of the ack at hand */
	struct {
		uint64_t bytes, lost;
		uint64_t delivered;    /* when its newest datagram was sent, */
		uint64_t delivered_us; /* and when that was so */
		uint64_t sent_us, first_us;
		uint64_t in_flight;    /* before it */
		uint64_t last_loss_us; /* when the newest lost one had been sent */
		bool app_limited;
	} ack;
	uint64_t rng;
	union {
		struct kcp_congestion_reno reno;
		struct kcp_congestion_rate rate;
	} u;
};

void kcp_congestion_init(struct kcp_congestion *c, const struct kcp_congestion_setup *setup,
			 uint64_t now_us);

/* A datagram was sent; fills *s. app_limited: nothing more waits to be sent. */
void kcp_congestion_sent(struct kcp_congestion *c, struct kcp_congestion_sent *s, uint32_t bytes,
			 bool app_limited, uint64_t now_us);

void kcp_congestion_ack_begin(struct kcp_congestion *c);
void kcp_congestion_acked(struct kcp_congestion *c, const struct kcp_congestion_sent *s,
			  uint64_t now_us);
void kcp_congestion_lost(struct kcp_congestion *c, const struct kcp_congestion_sent *s,
			 uint64_t now_us);
void kcp_congestion_ack_end(struct kcp_congestion *c, const struct kcp_rtt *rtt, uint64_t now_us);

/* A datagram's fate no longer matters, or what was taken for lost has arrived after all. */
void kcp_congestion_forgotten(struct kcp_congestion *c, const struct kcp_congestion_sent *s);

/* Nothing was acknowledged for several timeouts: begin again carefully. */
void kcp_congestion_timeout(struct kcp_congestion *c, uint64_t now_us);

/* Bytes that may be under way. */
uint64_t kcp_congestion_window(const struct kcp_congestion *c);

/* Bytes/s, 0 = not limited. For kcp_pacer_set_rate(). */
uint64_t kcp_congestion_pace(const struct kcp_congestion *c);

static inline bool kcp_congestion_may_send(const struct kcp_congestion *c)
{
	return c->in_flight < kcp_congestion_window(c);
}

#endif
