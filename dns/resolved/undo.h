/* SPDX-License-Identifier: BSD-2-Clause */
/* undo: takes the settings of a record back. */
#ifndef RESOLVED_UNDO_H
#define RESOLVED_UNDO_H

#include <vpncore/plugin.h>

/* vpn_component.undo of plugin.h; the record is a struct resolved_settings. [main] */
vpn_status resolved_undo(const struct vpn_host *host, uint32_t flags, const void *data,
			 uint32_t len, struct vpn_error *err);

#endif
