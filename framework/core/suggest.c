/* SPDX-License-Identifier: BSD-2-Clause */
/* suggest: the name that was probably meant. */
#include "suggest.h"

#include <stdint.h>
#include <string.h>

void suggest_init(struct suggest *s, const char *word)
{
	*s = (struct suggest){.word = word, .distance = SIZE_MAX};
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment distance: letters changed, added, left out, or swapped with the next. */
static size_t edit_distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[3][SUGGEST_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];
	for (size_t j = 0; j <= m; j++)
		above[j] = j;
	for (size_t i = 1; i <= n; i++) {
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t d = above[j - 1] + (a[i - 1] != b[j - 1]);
			d = least(d, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = least(d, before[j - 2] + 1);
			row[j] = d;
		}
		size_t *free_row = before;
		before = above;
		above = row;
		row = free_row;
	}
	return above[m];
}

void suggest_offer(struct suggest *s, const char *name)
{
	size_t n = strlen(s->word), m = strlen(name);
	if (n == 0 || n > SUGGEST_MAX || m > SUGGEST_MAX)
		return;
	size_t most = n <= 3 ? 1 : 2;
	size_t distance = edit_distance(s->word, n, name, m);
	if (distance > most) {
		if (n < 3 || strncmp(s->word, name, n) != 0)
			return;
		distance = most + 1; /* the beginning of a name is worth less than a slip */
	}
	if (distance < s->distance) {
		s->best = name;
		s->distance = distance;
	}
}
