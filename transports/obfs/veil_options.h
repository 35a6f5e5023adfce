/* SPDX-License-Identifier: BSD-2-Clause */
/* veil_options: what the manifest's object "veil" says. */
#ifndef OBFS_VEIL_OPTIONS_H
#define OBFS_VEIL_OPTIONS_H

#include <vpncore/plugin.h>

/* In the order of the option's choices. */
enum veil_cover { VEIL_COVER_HEADERS, VEIL_COVER_WHOLE };

#define VEIL_JUNK_MOST  128u /* datagrams */
#define VEIL_FIRST_MOST 5u   /* likewise; as many as AmneziaWG has */

struct veil_options {
	uint32_t cover; /* enum veil_cover */
	uint32_t reserved;
	uint64_t window;             /* ns */
	uint64_t junk;               /* datagrams before an initiation */
	uint64_t junk_min, junk_max; /* bytes */
	struct vpn_list first; /* const char *: datagrams before those, as awg_tags.h has them */
};

struct obfs_options;

extern const struct vpn_option_table veil_option_table;

/* What the manifest says, or the defaults where it has no object "veil". [any] */
const struct veil_options *veil_options_of(const struct obfs_options *o);

/* Text i of `first`. [any] */
const char *veil_options_first(const struct veil_options *v, uint32_t i);

/* What the tables cannot say, of the object and of password and key. Pure. [main] */
vpn_status veil_options_check(const struct obfs_options *o, struct vpn_error *err);

#endif
