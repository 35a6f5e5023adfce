/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group_plan: how much parity a group gets.
 *
 * Of two averages of loss, over about 64 and 512 datagrams, the larger counts: protection comes at once
 * and goes slowly. The level is that in steps of a quarter, so that the table of rows is made
 * anew only when loss has really changed.
 */
#include "group_plan.h"

#include <string.h>

#define ONE_Q24       (UINT32_C(1) << 24)
#define FAST_SHIFT    6u
#define SLOW_SHIFT    9u
#define LEVELS        32u
#define FIRST_LEVEL   0.0005 /* less is no loss */
#define LEVEL_STEP    1.25
#define MOST_LOSS     0.45
#define NOT_COMPUTED  0xffu
#define STEPS_AT_ONCE 4096u

void kcp_group_plan_init(struct kcp_group_plan *p, uint32_t min_percent, uint32_t max_percent,
			 double aim)
{
	*p = (struct kcp_group_plan){
		.min_percent = min_percent < max_percent ? min_percent : max_percent,
		.max_percent = max_percent,
		.aim = aim,
		.usual_n_q4 = 16,
	};
	memset(p->rows, NOT_COMPUTED, sizeof(p->rows));
}

static double loss_of(uint32_t level)
{
	double p = FIRST_LEVEL;
	for (uint32_t i = 1; i < level; i++)
		p *= LEVEL_STEP;
	return p < MOST_LOSS ? p : MOST_LOSS;
}

static uint32_t larger(const struct kcp_group_plan *p)
{
	return p->fast > p->slow ? p->fast : p->slow;
}

static uint32_t level_of(uint32_t loss_q24)
{
	double x = (double)loss_q24 / ONE_Q24;
	double bound = FIRST_LEVEL;
	uint32_t level = 0;
	while (level < LEVELS && x >= bound) {
		bound *= LEVEL_STEP;
		level++;
	}
	return level;
}

static void count(struct kcp_group_plan *p, uint32_t n, uint32_t value_q24)
{
	if (n > STEPS_AT_ONCE)
		n = STEPS_AT_ONCE;
	for (uint32_t i = 0; i < n; i++) {
		p->fast += (value_q24 >> FAST_SHIFT) - (p->fast >> FAST_SHIFT);
		p->slow += (value_q24 >> SLOW_SHIFT) - (p->slow >> SLOW_SHIFT);
	}
}

static void set_level(struct kcp_group_plan *p)
{
	uint32_t level = level_of(larger(p));
	if (level == p->level)
		return;
	p->level = level;
	memset(p->rows, NOT_COMPUTED, sizeof(p->rows));
}

void kcp_group_plan_report(struct kcp_group_plan *p, uint32_t arrived, uint32_t lost)
{
	if (lost == 0 && larger(p) < 1u << SLOW_SHIFT)
		return; /* nothing left to fade */
	count(p, lost, ONE_Q24);
	count(p, arrived, 0);
	set_level(p);
}

void kcp_group_plan_undo(struct kcp_group_plan *p)
{
	/* somewhat more than what is left of it: rather too little parity than parity for delays */
	uint32_t fast = ONE_Q24 >> FAST_SHIFT;
	uint32_t slow = ONE_Q24 >> SLOW_SHIFT;
	p->fast -= fast < p->fast ? fast : p->fast;
	p->slow -= slow < p->slow ? slow : p->slow;
	set_level(p);
}

uint32_t kcp_group_plan_loss_ppm(const struct kcp_group_plan *p)
{
	return (uint32_t)((uint64_t)p->slow * 1000000u >> 24);
}

bool kcp_group_plan_is_on(const struct kcp_group_plan *p)
{
	return p->max_percent != 0 && (p->level != 0 || p->min_percent != 0);
}

/*
 * The share of a group's messages that stays lost with m rows of parity, when each of the n + m
 * datagrams is lost with probability q by itself: when more than m are lost, n/(n+m) of those are
 * messages. Sum over k > m of k * P(k) / (n + m), by what is left of the expectation q.
 */
static double left_over(uint32_t n, uint32_t m, double q)
{
	uint32_t total = n + m;
	double pmf = 1;
	for (uint32_t i = 0; i < total; i++)
		pmf *= 1 - q;
	double below = 0;
	for (uint32_t k = 1; k <= m; k++) {
		pmf *= (double)(total - k + 1) / k * (q / (1 - q));
		below += k * pmf;
	}
	double rest = q - below / total;
	return rest > 0 ? rest : 0;
}

static uint8_t compute(const struct kcp_group_plan *p, uint32_t n)
{
	uint32_t most = (n * p->max_percent + 99) / 100;
	if (most > KCP_GROUP_ROWS)
		most = KCP_GROUP_ROWS;
	uint32_t m = 0;
	double loss = loss_of(p->level);
	while (m < most && left_over(n, m, loss) > p->aim * loss)
		m++;
	return (uint8_t)m;
}

static uint32_t rows_for(const struct kcp_group_plan *p, uint32_t n)
{
	if (p->level == 0 || p->max_percent == 0)
		return 0;
	return p->rows[n] != NOT_COMPUTED ? p->rows[n] : compute(p, n);
}

uint32_t kcp_group_plan_ahead(const struct kcp_group_plan *p)
{
	/* somewhat more messages than usual may come */
	uint32_t n = (p->usual_n_q4 + p->usual_n_q4 / 4 + 15) / 16;
	if (n > KCP_GROUP_DATA)
		n = KCP_GROUP_DATA;
	uint32_t rows = rows_for(p, n);
	uint32_t saved = (p->credit + n * p->min_percent) / 100;
	if (saved > KCP_GROUP_ROWS)
		saved = KCP_GROUP_ROWS;
	return rows > saved ? rows : saved;
}

uint32_t kcp_group_plan_rows(struct kcp_group_plan *p, uint32_t n)
{
	p->usual_n_q4 += n * 2 - p->usual_n_q4 / 8;
	if (p->level != 0 && p->rows[n] == NOT_COMPUTED)
		p->rows[n] = compute(p, n);
	uint32_t rows = rows_for(p, n);
	p->credit += n * p->min_percent;
	if (p->credit > 100 * KCP_GROUP_ROWS)
		p->credit = 100 * KCP_GROUP_ROWS;
	if (rows < p->credit / 100)
		rows = p->credit / 100;
	p->credit -= rows * 100 < p->credit ? rows * 100 : p->credit;
	return rows;
}
