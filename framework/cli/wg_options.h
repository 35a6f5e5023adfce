/* SPDX-License-Identifier: BSD-2-Clause */
/* wg_options: the command line of `vpncore wg` and the environment that wireguard-go looks at. */
#ifndef VPNCORE_CLI_WG_OPTIONS_H
#define VPNCORE_CLI_WG_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct wg_options {
	const char *name;      /* of the interface; may hold %d */
	const char *name_file; /* WG_TUN_NAME_FILE, or NULL */
	bool foreground;       /* -f or WG_PROCESS_FOREGROUND=1 */
	bool silent;           /* LOG_LEVEL=silent: nothing is said once all is up */
	bool keep_output;      /* in the background too: LOG_LEVEL is set, and not silent */
	uint32_t level;        /* VPN_LOG_* */
	uint32_t path_mtu;     /* bytes */
	uint32_t mtu;          /* that the interface begins with; 0 = what the path leaves */
	int tun_fd;            /* WG_TUN_FD, or -1 */
	int uapi_fd;           /* WG_UAPI_FD, or -1 */
};

/* Returns 0 to go on, else the exit status + 1; what is wrong has been said. [main] */
int wg_options_read(struct wg_options *o, int argc, char **argv);

/* NULL, or why the kernel takes no device of this name (dev_valid_name(), dev_alloc_name()). [any] */
const char *wg_options_why_no_name(const char *name);

#endif
