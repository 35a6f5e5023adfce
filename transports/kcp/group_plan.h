/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group_plan: how much parity a group gets: as little as leaves lost no more than a certain share of what the
 * network loses, by the loss that the peer has reported, within the limits of the options. [lane]
 */
#ifndef KCP_GROUP_PLAN_H
#define KCP_GROUP_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "group.h"

struct kcp_group_plan {
	uint32_t min_percent, max_percent;
	double aim;          /* share of messages that may stay lost */
	uint32_t fast, slow; /* averages of loss, 2^-24 */
	uint32_t level;      /* loss in steps of a quarter; 0 = none */
	uint32_t credit;     /* hundredths of a row that the least share has saved up */
	uint32_t usual_n_q4; /* messages of a group lately, 2^-4 */
	uint8_t rows[KCP_GROUP_DATA + 1]; /* by n, for the level; 0xff = not computed yet */
};

/* percent: parity per 100 messages, least and most. max 0: no FEC. */
void kcp_group_plan_init(struct kcp_group_plan *p, uint32_t min_percent, uint32_t max_percent,
			 double aim);

/* Datagrams have been reported: so many came, so many did not. */
void kcp_group_plan_report(struct kcp_group_plan *p, uint32_t arrived, uint32_t lost);

/* One that was reported lost has come after all. */
void kcp_group_plan_undo(struct kcp_group_plan *p);

/* The share that is lost, parts per million. */
uint32_t kcp_group_plan_loss_ppm(const struct kcp_group_plan *p);

/* True when groups are worth opening. */
bool kcp_group_plan_is_on(const struct kcp_group_plan *p);

/* Rows to keep parity for in a group that opens now. */
uint32_t kcp_group_plan_ahead(const struct kcp_group_plan *p);

/* Rows to send for a group of n messages that closes. */
uint32_t kcp_group_plan_rows(struct kcp_group_plan *p, uint32_t n);

#endif
