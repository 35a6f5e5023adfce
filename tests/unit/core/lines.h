/* SPDX-License-Identifier: BSD-2-Clause */
/* lines: the lines that a function under test prints, kept to be compared. */
#ifndef VPNCORE_TEST_LINES_H
#define VPNCORE_TEST_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "problems.h"

struct lines {
	char text[65536];
	size_t len;
};

void lines_add(void *lines, const char *text); /* for the callbacks of problems and graph */
bool lines_have(const struct lines *l, const char *part);

/* Prints the problems into *l, clears them, and returns the text. */
const char *lines_of(struct lines *l, struct problems *p);

#endif
