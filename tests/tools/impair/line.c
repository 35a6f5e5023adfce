/* SPDX-License-Identifier: BSD-2-Clause */
#include "line.h"

#define SECOND 1000000000u

void line_init(struct line *l, const struct line_model *m)
{
	l->model = *m;
	l->idle_ns = 0;
	l->fraction = 0;
}

bool line_enter(struct line *l, uint64_t arrival_ns, uint32_t bytes, uint64_t *ret_ns)
{
	uint64_t begin = arrival_ns, fraction = 0;
	if (l->model.rate == 0) {
		*ret_ns = arrival_ns;
		return true;
	}
	if (l->idle_ns >= arrival_ns) {
		begin = l->idle_ns;
		fraction = l->fraction;
	}
	if (begin - arrival_ns > l->model.queue_ns)
		return false;
	uint64_t work = (uint64_t)bytes * 8 * SECOND + fraction;
	l->idle_ns = begin + work / l->model.rate;
	l->fraction = work % l->model.rate;
	/* never earlier than exactly: a fraction counts as a whole one */
	*ret_ns = l->idle_ns + (l->fraction > 0);
	return true;
}

uint64_t line_depart(const struct line *l, uint64_t left_ns, uint64_t jitter_ns, uint64_t hold_ns,
		     uint64_t *latest_ns)
{
	uint64_t at = left_ns + l->model.delay_ns + jitter_ns + hold_ns;
	if (l->model.free || hold_ns > 0)
		return at;
	if (at < *latest_ns)
		at = *latest_ns;
	*latest_ns = at;
	return at;
}
