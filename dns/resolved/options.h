/* SPDX-License-Identifier: BSD-2-Clause */
/* options: what the manifest says under "dns" for this backend. */
#ifndef RESOLVED_OPTIONS_H
#define RESOLVED_OPTIONS_H

#include <vpncore/plugin.h>

extern const struct vpn_option_table resolved_option_table;

/* The lifecycle's function, see plugin.h section 11. [main] */
vpn_status resolved_options_validate(const void *config, struct vpn_error *err);

#endif
