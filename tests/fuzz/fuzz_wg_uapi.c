/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_wg_uapi: bytes of a client of the configuration socket. The first byte chooses the pieces that
 * the rest comes in; the same bytes in one piece must mean the same.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_config.h"
#include "uapi_text.h"

struct talk {
	struct wg wg;
	struct wg_uapi_session *session;
	char *answer;
	size_t len;
	bool open;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool keep(void *ctx, const char *text, size_t len)
{
	struct talk *t = ctx;
	check(len >= 9 && memcmp(text + len - 2, "\n\n", 2) == 0);
	t->answer = realloc(t->answer, t->len + len);
	check(t->answer != NULL);
	memcpy(t->answer + t->len, text, len);
	t->len += len;
	return true;
}

static void begin(struct talk *t)
{
	memset(t, 0, sizeof(*t));
	fake_init(&t->wg);
	memset(t->wg.own_key, 0xee, WG_KEY_LEN);
	t->session = wg_uapi_session_new(&t->wg, keep, t);
	check(t->session != NULL);
	t->open = true;
}

static void feed(struct talk *t, const uint8_t *data, size_t size, uint8_t pieces)
{
	uint32_t x = pieces;
	while (size > 0 && t->open) {
		/* numbers of Numerical Recipes' generator; 0 = all at once */
		x = x * 1664525u + 1013904223u;
		size_t n = pieces == 0 ? size : 1 + (x >> 16) % (1 + pieces);
		if (n > size)
			n = size;
		t->open = wg_uapi_session_feed(t->session, (const char *)data, n);
		check(!t->wg.locked);
		data += n;
		size -= n;
	}
}

/* The whole configuration at the end, as a new client sees it. */
static void append_state(struct talk *t)
{
	static const char get[] = "get=1\n\n";
	wg_uapi_session_end(t->session);
	check(!wg_uapi_session_feed(t->session, get, sizeof(get) - 1));
	wg_uapi_session_free(t->session);
	t->session = wg_uapi_session_new(&t->wg, keep, t);
	check(t->session != NULL);
	check(wg_uapi_session_feed(t->session, get, sizeof(get) - 1));
}

static void end(struct talk *t)
{
	check(t->wg.violations == 0);
	wg_uapi_session_free(t->session);
	fake_clear(&t->wg);
	free(t->answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct talk whole, cut;
	if (size < 1)
		return 0;
	begin(&whole);
	begin(&cut);
	feed(&whole, data + 1, size - 1, 0);
	feed(&cut, data + 1, size - 1, data[0]);
	append_state(&whole);
	append_state(&cut);
	check(whole.open == cut.open && whole.len == cut.len);
	check(memcmp(whole.answer, cut.answer, whole.len) == 0);
	end(&whole);
	end(&cut);
	return 0;
}
