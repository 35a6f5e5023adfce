/* SPDX-License-Identifier: BSD-2-Clause */
/* options: what the manifest says. */
#ifndef OBFS_OPTIONS_H
#define OBFS_OPTIONS_H

#include <vpncore/plugin.h>

/* In the order of the option's choices. */
enum obfs_mode_id { OBFS_SALAMANDER, OBFS_VEIL, OBFS_MIMIC, OBFS_AWG, OBFS_N_MODES };

struct veil_options;
struct mimic_options;
struct awg_options;

struct obfs_options {
	uint32_t mode; /* enum obfs_mode_id */
	uint32_t reserved;
	const char *password;
	struct vpn_bytes key;
	/* here: the options of single modes, one nested object for each that has some */
	const struct veil_options *veil;   /* NULL = absent */
	const struct mimic_options *mimic; /* likewise */
	const struct awg_options *awg;     /* NULL = absent */
};

extern const struct vpn_option_table obfs_option_table;

/* For struct vpn_lifecycle. */
vpn_status obfs_options_validate(const void *config, struct vpn_error *err);
void obfs_options_needs(const void *config, struct vpn_needs *out);

#endif
