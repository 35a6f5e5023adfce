/* SPDX-License-Identifier: BSD-2-Clause */
/* commands: the subcommands of the vpncore program. */
#ifndef VPNCORE_CLI_COMMANDS_H
#define VPNCORE_CLI_COMMANDS_H

#include "help.h"

#define STATUS_OK      0
#define STATUS_FAILED  1 /* it was right, but it did not work */
#define STATUS_REFUSED 2 /* the command line or a manifest is wrong */

/* Each takes its own name as argv[0] and returns the exit status. [main] */
int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_graph(int argc, char **argv);
int cmd_plugin(int argc, char **argv);
int cmd_plugin_list(int argc, char **argv);
int cmd_plugin_show(int argc, char **argv);
int cmd_keygen(int argc, char **argv);
int cmd_psk(int argc, char **argv);
int cmd_pubkey(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_wg(int argc, char **argv);
int cmd_cleanup(int argc, char **argv);

#endif
