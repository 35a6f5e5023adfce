/* SPDX-License-Identifier: BSD-2-Clause */
/* wgquick_manifest: writes the manifest that does what a wg-quick file asks for. */
#ifndef VPNCORE_CLI_WGQUICK_MANIFEST_H
#define VPNCORE_CLI_WGQUICK_MANIFEST_H

#include "wgquick.h"

#define WGQUICK_DEVICE_MAX 15u /* characters of a device's name */
#define WGQUICK_AWG_ENDING ".awg.key"

struct wgquick_form {
	const char *device; /* name of the device */
	/* Keys are in files "STEM.key", "STEM.awg.key" (of AmneziaWG's header protection) and
	 * "STEM.peerN.psk", the peers numbered from 1; NULL: in the manifest itself. UTF-8. */
	const char *stem;
};

/* Writes JSON with a newline at its end, without a final zero. Returns its length, or 0 when `cap`
 * bytes are not enough. The text may hold keys: wipe it, whatever is returned. [any] */
size_t wgquick_manifest(const struct wgquick *w, const struct wgquick_form *form, char *buf,
			size_t cap);

/* A device's name out of a file's: its base without ".conf", what a name cannot have replaced by '-'.
 * False when something had to be changed. [any] */
bool wgquick_device(const char *file, char name[WGQUICK_DEVICE_MAX + 1]);

#endif
