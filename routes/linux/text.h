/* SPDX-License-Identifier: BSD-2-Clause */
/* text: a string that grows. Zeroed it is empty. */
#ifndef ROUTES_TEXT_H
#define ROUTES_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct routes_text {
	char *at; /* ends in NUL; NULL = nothing yet */
	size_t n, max;
	bool out_of_memory; /* what came after it is missing */
};

void routes_text_add(struct routes_text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
