/* SPDX-License-Identifier: BSD-2-Clause */
/* resolvconf: the instance of the dns component that gives servers to resolvconf(8). */
#ifndef DNS_RESOLVCONF_RESOLVCONF_H
#define DNS_RESOLVCONF_RESOLVCONF_H

#include "common/frame.h"
#include "key.h"
#include "program.h"

struct resolvconf_options {
	struct dns_options common;
	const char *command; /* NULL = where systems have it */
};

struct resolvconf {
	struct dns dns;
	struct resolvconf_program program;
	char key[RESOLVCONF_KEY_MAX];
	bool split;
	char text[RESOLVCONF_TEXT_MAX];
	struct dns_resolv given; /* what the text says */
	uint64_t record;         /* in the journal; 0 = none */
	bool has_record;
	bool has_watch;
	int watch; /* inotify */
};

#endif
