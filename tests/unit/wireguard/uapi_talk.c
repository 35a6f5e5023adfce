/* SPDX-License-Identifier: BSD-2-Clause */
/* uapi_talk: one client of the configuration protocol, without a socket. */
#include "uapi_talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool keep(void *ctx, const char *text, size_t len)
{
	struct talk *t = ctx;
	if (t->gone)
		return false;
	t->answer = realloc(t->answer, t->len + len + 1);
	assert_non_null(t->answer);
	memcpy(t->answer + t->len, text, len);
	t->len += len;
	t->answer[t->len] = '\0';
	return true;
}

void talk_begin(struct talk *t)
{
	memset(t, 0, sizeof(*t));
	fake_init(&t->wg);
	t->session = wg_uapi_session_new(&t->wg, keep, t);
	assert_non_null(t->session);
	t->answer = calloc(1, 1);
}

void talk_end(struct talk *t)
{
	assert_int_equal(t->wg.violations, 0);
	assert_false(t->wg.locked);
	assert_null(wg_uapi_session_free(t->session));
	free(t->answer);
	fake_clear(&t->wg);
}

void talk_feed(struct talk *t, const void *bytes, size_t len)
{
	if (!wg_uapi_session_feed(t->session, bytes, len))
		t->closed = true;
}

void talk_say(struct talk *t, const char *text)
{
	talk_feed(t, text, strlen(text));
}

void talk_expect_set(struct talk *t, const char *lines, int number)
{
	char want[32];
	t->len = 0;
	t->answer[0] = '\0';
	talk_say(t, "set=1\n");
	talk_say(t, lines);
	assert_int_equal(t->len, 0);
	talk_say(t, "\n");
	snprintf(want, sizeof(want), "errno=%d\n\n", number);
	if (strcmp(t->answer, want) != 0)
		fail_msg("\"%s\": %s", lines, t->answer);
}

const char *talk_get(struct talk *t)
{
	t->len = 0;
	t->answer[0] = '\0';
	talk_say(t, "get=1\n\n");
	return t->answer;
}
