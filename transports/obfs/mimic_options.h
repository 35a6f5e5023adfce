/* SPDX-License-Identifier: BSD-2-Clause */
/* mimic_options: what the manifest's object "mimic" says. */
#ifndef OBFS_MIMIC_OPTIONS_H
#define OBFS_MIMIC_OPTIONS_H

#include <vpncore/plugin.h>

/* In the order of the option's choices. */
enum mimic_claim { MIMIC_DTLS, MIMIC_SRTP };

struct mimic_options {
	uint32_t as; /* enum mimic_claim */
	uint32_t reserved;
};

struct obfs_options;

extern const struct vpn_option_table mimic_option_table;

/* What the manifest says, or the default where it has no object "mimic". [any] */
enum mimic_claim mimic_claim_of(const struct obfs_options *o);

/* What the tables cannot say, of the objects "mimic" and "veil", of password and key. Pure. [main] */
vpn_status mimic_options_check(const struct obfs_options *o, struct vpn_error *err);

#endif
