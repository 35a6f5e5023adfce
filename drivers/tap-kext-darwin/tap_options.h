/* SPDX-License-Identifier: BSD-2-Clause */
/* tap_options: what the manifest can say about a TAP device of a kernel extension. */
#ifndef TAP_OPTIONS_H
#define TAP_OPTIONS_H

#include "options.h"

#define TAP_NODES   16 /* /dev/tap0 to /dev/tap15: fixed when the extension is compiled */
#define TAP_MTU_MAX (DARWIN_MTU_MAX - 14u)

enum tap_readiness { TAP_READY_AUTO, TAP_READY_KEVENT, TAP_READY_SELECT };

struct tap_options {
	struct darwin_options common;
	struct vpn_mac mac;
	const char *kext;
	uint32_t load;
	uint32_t unload;
	uint32_t readiness;
};

extern const struct vpn_option_table tap_option_table;

/* vpn_lifecycle.validate: what the table cannot say. Pure. [main] */
vpn_status tap_options_validate(const void *config, struct vpn_error *err);

/* The number of the node that is asked for, -1 = any. */
int tap_options_unit(const struct tap_options *o);

#endif
