/* SPDX-License-Identifier: BSD-2-Clause */
/* problems: everything that is wrong with a manifest, collected in one pass. */
#ifndef VPNCORE_CORE_PROBLEMS_H
#define VPNCORE_CORE_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__GNUC__)
#define PROBLEMS_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define PROBLEMS_PRINTF(f, a)
#endif

struct problem {
	char *pointer; /* JSON pointer of the offending value, "" for the whole document */
	char *text;    /* what is wrong and how to mend it */
	int line;      /* 1-based; 0 when there is no place */
	int column;
	bool warning; /* worth saying, does not refuse the manifest */
};

struct problems {
	char *file; /* as it is shown in front of each line */
	struct problem *items;
	size_t n;
	size_t n_errors;
};

void problems_init(struct problems *p, const char *file);
void problems_clear(struct problems *p);

/* Adds one. Out of memory counts the error without its text. */
void problems_add(struct problems *p, int line, int column, const char *pointer, const char *format,
		  ...) PROBLEMS_PRINTF(5, 6);
void problems_warn(struct problems *p, int line, int column, const char *pointer,
		   const char *format, ...) PROBLEMS_PRINTF(5, 6);

/* Sorts by place and prints one a line: `file:line:column: /json/pointer: text`. */
void problems_print(struct problems *p, void (*line)(void *ctx, const char *text), void *ctx);

#endif
