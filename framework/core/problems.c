/* SPDX-License-Identifier: BSD-2-Clause */
/* problems: everything that is wrong with a manifest, collected in one pass. */
#include "problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void problems_init(struct problems *p, const char *file)
{
	memset(p, 0, sizeof(*p));
	p->file = strdup(file != NULL ? file : "");
}

void problems_clear(struct problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->items[i].pointer);
		free(p->items[i].text);
	}
	free(p->items);
	free(p->file);
	memset(p, 0, sizeof(*p));
}

/* A place for one more, or NULL. The array grows by doubling: `n` is a power of two when it is full. */
static struct problem *append(struct problems *p)
{
	if ((p->n & (p->n - 1)) == 0) {
		size_t room = p->n == 0 ? 1 : p->n * 2;
		struct problem *items = realloc(p->items, room * sizeof(*items));
		if (items == NULL)
			return NULL;
		p->items = items;
	}
	return &p->items[p->n++];
}

/* Formats into new memory, or returns NULL. */
static char *format_text(const char *format, va_list args) PROBLEMS_PRINTF(1, 0);

static char *format_text(const char *format, va_list args)
{
	char *text = NULL;
	return vasprintf(&text, format, args) >= 0 ? text : NULL;
}

static void add(struct problems *p, bool warning, int line, int column, const char *pointer,
		char *text)
{
	if (!warning)
		p->n_errors++;
	struct problem *item = append(p);
	if (item == NULL) {
		free(text);
		return;
	}
	*item = (struct problem){
		.pointer = strdup(pointer != NULL ? pointer : ""),
		.text = text,
		.line = line,
		.column = column,
		.warning = warning,
	};
}

void problems_add(struct problems *p, int line, int column, const char *pointer, const char *format,
		  ...)
{
	va_list args;
	va_start(args, format);
	add(p, false, line, column, pointer, format_text(format, args));
	va_end(args);
}

void problems_warn(struct problems *p, int line, int column, const char *pointer,
		   const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(p, true, line, column, pointer, format_text(format, args));
	va_end(args);
}

static const char *or_else(const char *text, const char *other)
{
	return text != NULL ? text : other;
}

/* By place; what has no place comes first, and errors before warnings at the same place. */
static int compare(const void *a, const void *b)
{
	const struct problem *x = a;
	const struct problem *y = b;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	if (x->warning != y->warning)
		return x->warning ? 1 : -1;
	int order = strcmp(or_else(x->pointer, ""), or_else(y->pointer, ""));
	return order != 0 ? order : strcmp(or_else(x->text, ""), or_else(y->text, ""));
}

/* What stands in a manifest must not steer the terminal on which its problems are shown. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

static char *compose(const struct problems *p, const struct problem *item)
{
	char place[32] = "";
	if (item->line > 0)
		snprintf(place, sizeof(place), "%d:%d:", item->line, item->column);
	const char *pointer = or_else(item->pointer, "");
	char *line = NULL;
	int n = asprintf(&line, "%s:%s %s%s%s%s", or_else(p->file, "manifest"), place, pointer,
			 *pointer != '\0' ? ": " : "", item->warning ? "warning: " : "",
			 or_else(item->text, "out of memory"));
	if (n < 0)
		return NULL;
	make_printable(line);
	return line;
}

void problems_print(struct problems *p, void (*line)(void *ctx, const char *text), void *ctx)
{
	if (p->n > 1)
		qsort(p->items, p->n, sizeof(*p->items), compare);
	size_t shown = 0;
	for (size_t i = 0; i < p->n; i++) {
		char *text = compose(p, &p->items[i]);
		line(ctx, or_else(text, "out of memory"));
		free(text);
		if (!p->items[i].warning)
			shown++;
	}
	if (shown < p->n_errors)
		line(ctx, "out of memory: some problems are not shown");
}
