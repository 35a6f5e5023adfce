/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_BYTES 1024u

static bool reserve(struct routes_text *t, size_t more)
{
	size_t max = t->max != 0 ? t->max : FIRST_BYTES;
	while (max <= t->n + more)
		max *= 2;
	if (max == t->max)
		return true;
	char *at = realloc(t->at, max);
	if (at == NULL)
		return false;
	t->at = at;
	t->max = max;
	return true;
}

void routes_text_add(struct routes_text *t, const char *format, ...)
{
	va_list args;
	if (t->out_of_memory)
		return;
	va_start(args, format);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0 || !reserve(t, (size_t)n)) {
		t->out_of_memory = true;
		return;
	}
	va_start(args, format);
	vsnprintf(t->at + t->n, t->max - t->n, format, args);
	va_end(args);
	t->n += (size_t)n;
}
