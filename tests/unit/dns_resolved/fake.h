/* SPDX-License-Identifier: BSD-2-Clause */
/* fake: a systemd-resolved that misbehaves, at the other end of a socket pair, in a process of its own. */
#ifndef FAKE_H
#define FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>

#include "bus.h"
#include "settings.h"

#define FAKE_INDEX 7u

enum fake_kind {
	FAKE_GOOD,
	FAKE_OLD,     /* of a version without the later methods */
	FAKE_DENIES,  /* every call */
	FAKE_BUSY,    /* systemd-networkd has the interface */
	FAKE_NO_LINK, /* it does not know the interface */
	FAKE_SILENT,  /* takes calls and never answers */
	FAKE_DIES,    /* at the first call */
	FAKE_STRANGE, /* its properties have other types */
};

/* Starts it and connects *b to it. */
void fake_start(enum fake_kind kind, struct resolved_bus *b);

/* The methods that were called, with their arguments, one a line; good until the next start. */
const char *fake_calls(void);

/* Ends it and closes *b. */
void fake_stop(struct resolved_bus *b);

#endif
