/* SPDX-License-Identifier: BSD-2-Clause */
/* option_words: says what an option expects, and why a value is not it. */
#ifndef VPNCORE_CORE_OPTION_WORDS_H
#define VPNCORE_CORE_OPTION_WORDS_H

#include "options.h"

struct option_words {
	char text[512];
	size_t len;
};

/* Appends "a whole number of bytes from 576 to 65535". */
void option_say_expected(struct option_words *w, const struct vpn_option *o);

/* Adds the problem "must be EXPECTED, not FOUND; HINT"; the hint may be NULL. */
void option_refuse(struct options_source *src, const struct vpn_option *o, const char *pointer,
		   const json_t *found, const char *hint);

#endif
