/* SPDX-License-Identifier: BSD-2-Clause */
/* compare: shows how two strings of bytes differ. */
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define ROW      16u
#define ROWS_MAX 12u /* in one report */

struct text {
	char buf[3600];
	size_t len;
};

static void put(struct text *t, const char *piece)
{
	size_t n = strlen(piece);
	if (n >= sizeof(t->buf) - t->len)
		return;
	memcpy(t->buf + t->len, piece, n + 1);
	t->len += n;
}

static void put_row(struct text *t, const char *mark, const uint8_t *data, size_t len, size_t from)
{
	char piece[32];
	snprintf(piece, sizeof(piece), "\n  %s %04zx ", mark, from);
	put(t, piece);
	for (size_t i = from; i < from + ROW && i < len; i++) {
		snprintf(piece, sizeof(piece), " %02x", data[i]);
		put(t, piece);
	}
}

static bool row_differs(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, size_t from)
{
	for (size_t i = from; i < from + ROW; i++)
		if ((i < a_len) != (i < b_len) || (i < a_len && a[i] != b[i]))
			return true;
	return false;
}

bool testhost_same_bytes(const void *got, size_t got_len, const void *want, size_t want_len,
			 const char *file, int line)
{
	struct text t = {.len = 0};
	const uint8_t *a = got, *b = want;
	size_t longer = got_len > want_len ? got_len : want_len;
	unsigned rows = 0;
	if (got_len == want_len && (got_len == 0 || memcmp(got, want, got_len) == 0))
		return true;
	for (size_t from = 0; from < longer && rows < ROWS_MAX; from += ROW) {
		if (!row_differs(a, got_len, b, want_len, from))
			continue;
		put_row(&t, "got ", a, got_len, from);
		put_row(&t, "want", b, want_len, from);
		rows++;
	}
	if (rows == ROWS_MAX)
		put(&t, "\n  and so on");
	report(file, line, "bytes differ: got %zu, want %zu%s", got_len, want_len, t.buf);
	return false;
}
