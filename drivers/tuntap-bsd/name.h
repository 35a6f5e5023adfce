/* SPDX-License-Identifier: BSD-2-Clause */
/* name: what a name in the manifest asks for, on a kernel that calls its devices tun0, tun1, ... */
#ifndef BSD_NAME_H
#define BSD_NAME_H

#include "kernel.h"

enum bsd_name_kind {
	BSD_NAME_ANY,      /* "", "tun%d": the first free number */
	BSD_NAME_NUMBERED, /* "tun3": this one */
	BSD_NAME_GIVEN,    /* "wg0": by renaming */
	BSD_NAME_PATTERN,  /* "vpn%d": by renaming, with the first number whose name is free */
};

struct bsd_name {
	enum bsd_name_kind kind;
	uint32_t unit;           /* of BSD_NAME_NUMBERED */
	char text[BSD_IFNAMSIZ]; /* of the last two, without "%d" */
};

#define BSD_UNIT_MAX 32767u /* IF_MAXUNIT of FreeBSD and DragonFly, 15 bits */

/* Reads a name that bsd_options_validate() has accepted; NULL is "". Pure. [main] */
struct bsd_name bsd_name_parse(const char *name, const char *word);

/* "tun3"; "tun" for a `unit` of BSD_UNIT_NONE. */
#define BSD_UNIT_NONE UINT32_MAX
void bsd_name_make(char out[BSD_IFNAMSIZ], const char *word, uint32_t unit);

#endif
