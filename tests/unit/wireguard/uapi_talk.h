/* SPDX-License-Identifier: BSD-2-Clause */
/* uapi_talk: one client of the configuration protocol, without a socket. */
#ifndef UAPI_TALK_H
#define UAPI_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_config.h"
#include "uapi_text.h"

/* Keys are one byte repeated. */
#define HEX4(x) x x x x
#define KEY(x)  HEX4(HEX4(x)) HEX4(HEX4(x))
#define A       "public_key=" KEY("aa") "\n"
#define B       "public_key=" KEY("bb") "\n"

struct talk {
	struct wg wg;
	struct wg_uapi_session *session;
	char *answer; /* all that came, as text */
	size_t len;
	bool gone;   /* the client takes nothing more */
	bool closed; /* the session wants the connection closed */
};

void talk_begin(struct talk *t);

/* Fails the test when the configuration was called with or without the lock where it must not be. */
void talk_end(struct talk *t);

void talk_feed(struct talk *t, const void *bytes, size_t len);
void talk_say(struct talk *t, const char *text);

/* What one "set" of these lines is answered, and when. */
void talk_expect_set(struct talk *t, const char *lines, int number);

/* The answer to "get=1", which lives until more is said. */
const char *talk_get(struct talk *t);

#endif
