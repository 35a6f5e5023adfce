/* SPDX-License-Identifier: BSD-2-Clause */
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

#define CHILDREN 4u

static bool before(const struct departure *a, const struct departure *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->serial < b->serial;
}

bool schedule_init(struct schedule *s, uint32_t capacity)
{
	memset(s, 0, sizeof(*s));
	s->capacity = capacity;
	s->heap = calloc(capacity, sizeof(*s->heap));
	return s->heap != NULL;
}

void schedule_done(struct schedule *s)
{
	free(s->heap);
	s->heap = NULL;
	s->n = 0;
}

void schedule_return(struct schedule *s, const struct departure *d)
{
	uint32_t at = s->n++;
	while (at > 0) {
		uint32_t parent = (at - 1) / CHILDREN;
		if (!before(d, &s->heap[parent]))
			break;
		s->heap[at] = s->heap[parent];
		at = parent;
	}
	s->heap[at] = *d;
}

bool schedule_add(struct schedule *s, const struct departure *d)
{
	struct departure numbered = *d;
	if (s->n == s->capacity)
		return false;
	numbered.serial = s->serial++;
	schedule_return(s, &numbered);
	return true;
}

const struct departure *schedule_first(const struct schedule *s)
{
	return s->n > 0 ? &s->heap[0] : NULL;
}

static uint32_t earliest_child(const struct schedule *s, uint32_t parent)
{
	uint32_t first = parent * CHILDREN + 1, best = first;
	for (uint32_t i = first + 1; i < first + CHILDREN && i < s->n; i++)
		if (before(&s->heap[i], &s->heap[best]))
			best = i;
	return best;
}

void schedule_take(struct schedule *s, struct departure *ret)
{
	*ret = s->heap[0];
	const struct departure *last = &s->heap[--s->n];
	uint32_t at = 0;
	while (at * CHILDREN + 1 < s->n) {
		uint32_t child = earliest_child(s, at);
		if (!before(&s->heap[child], last))
			break;
		s->heap[at] = s->heap[child];
		at = child;
	}
	s->heap[at] = *last;
}
