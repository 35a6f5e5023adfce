/* SPDX-License-Identifier: BSD-2-Clause */
/* rtt: the round-trip time of one session. */
#include "rtt.h"

void kcp_rtt_init(struct kcp_rtt *r)
{
	*r = (struct kcp_rtt){.min_us = UINT64_MAX, .next_min_us = UINT64_MAX};
}

static void keep_least(struct kcp_rtt *r, uint64_t rtt_us, uint64_t now_us)
{
	if (now_us - r->min_at_us > KCP_RTT_MIN_WINDOW_US && r->next_min_us != UINT64_MAX) {
		r->min_us = r->next_min_us;
		r->min_at_us = r->next_at_us;
		r->next_min_us = UINT64_MAX;
	}
	if (rtt_us <= r->min_us || now_us - r->min_at_us > KCP_RTT_MIN_WINDOW_US) {
		r->min_us = rtt_us;
		r->min_at_us = now_us;
		r->next_min_us = UINT64_MAX;
		return;
	}
	/* the second half of the window has a least value of its own, for when the first has aged */
	if (now_us - r->min_at_us > KCP_RTT_MIN_WINDOW_US / 2 && rtt_us <= r->next_min_us) {
		r->next_min_us = rtt_us;
		r->next_at_us = now_us;
	}
}

void kcp_rtt_sample(struct kcp_rtt *r, uint64_t rtt_us, uint64_t now_us)
{
	if (rtt_us == 0)
		rtt_us = 1; /* 0 means "not known" */
	if (rtt_us > KCP_RTT_MOST_US)
		rtt_us = KCP_RTT_MOST_US;
	r->latest_us = rtt_us;
	keep_least(r, rtt_us, now_us);
	if (r->srtt_us == 0) {
		r->srtt_us = rtt_us;
		r->var_us = rtt_us / 2;
		return;
	}
	uint64_t off = rtt_us > r->srtt_us ? rtt_us - r->srtt_us : r->srtt_us - rtt_us;
	r->var_us = (3 * r->var_us + off) / 4;
	r->srtt_us = (7 * r->srtt_us + rtt_us) / 8;
	if (r->srtt_us == 0)
		r->srtt_us = 1;
}

uint64_t kcp_rtt_timeout(const struct kcp_rtt *r, uint64_t granularity_us, uint64_t floor_us,
			 uint64_t ceiling_us, uint64_t initial_us)
{
	uint64_t margin = 4 * r->var_us > granularity_us ? 4 * r->var_us : granularity_us;
	uint64_t t = r->srtt_us != 0 ? r->srtt_us + margin : initial_us;
	if (t < floor_us)
		t = floor_us;
	return t < ceiling_us ? t : ceiling_us;
}
