/* SPDX-License-Identifier: BSD-2-Clause */
/* lines: the lines that a function under test prints, kept to be compared. */
#include "lines.h"

#include <stdio.h>
#include <string.h>

void lines_add(void *lines, const char *text)
{
	struct lines *l = lines;
	int n = snprintf(l->text + l->len, sizeof(l->text) - l->len, "%s\n", text);
	if (n > 0 && (size_t)n < sizeof(l->text) - l->len)
		l->len += (size_t)n;
}

bool lines_have(const struct lines *l, const char *part)
{
	return strstr(l->text, part) != NULL;
}

const char *lines_of(struct lines *l, struct problems *p)
{
	l->len = 0;
	l->text[0] = '\0';
	problems_print(p, lines_add, l);
	problems_clear(p);
	return l->text;
}
