/* SPDX-License-Identifier: BSD-2-Clause */
/* kext: the kernel extensions that make /dev/tapN: which are loaded, which are on the disk. Facts:
 * tuntaposx's README and Info.plist, Tunnelblick's installer. */
#ifndef TAP_KEXT_H
#define TAP_KEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system.h"

struct tap_kext {
	const char *id; /* CFBundleIdentifier */
	const char *maker;
	bool tap;           /* else it makes TUN devices, which we need none of */
	bool apple_silicon; /* is built for it too */
};

#define TAP_KEXTS 6u

extern const struct tap_kext tap_kext_table[TAP_KEXTS];

/* The entry of an id, NULL when it is not known. */
const struct tap_kext *tap_kext_by_id(const char *id);

/* What is loaded of the table. */
struct tap_loaded {
	uint32_t n_tap, n_tun;
	const struct tap_kext *taps[TAP_KEXTS];
};

/* Asks kextstat, or kmutil where there is none. Returns 0, or an errno when neither tells. [main] */
int tap_kext_list(struct tap_loaded *ret);

/* Reads such a list. */
void tap_kext_parse_list(const char *text, struct tap_loaded *ret);

bool tap_kext_is_loaded(const struct tap_loaded *l, const char *id);

/* An extension on the disk. */
struct tap_found {
	char path[256];
	char id[64]; /* as its Info.plist says, else what is known of that place */
};

/* Looks for one that this system could load: at `asked`, else in the known places. False: there is
 * none. [main] */
bool tap_kext_find(const char *asked, const struct tap_system *system, struct tap_found *ret);

#endif
