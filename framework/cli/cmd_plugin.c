/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore plugin: finds the subcommand. */
#include <string.h>

#include "commands.h"

int cmd_plugin(int argc, char **argv)
{
	static const char *const commands[] = {"list", "show", NULL};
	static const char *const options[] = {"--help", NULL};
	if (argc < 2)
		return help_refuse("plugin", "which command, list or show?");
	const char *word = argv[1];
	if (strcmp(word, "list") == 0)
		return cmd_plugin_list(argc - 1, argv + 1);
	if (strcmp(word, "show") == 0)
		return cmd_plugin_show(argc - 1, argv + 1);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		help_print("plugin");
		return STATUS_OK;
	}
	return word[0] == '-' ? help_refuse_word("plugin", "option", word, options)
			      : help_refuse_word("plugin", "command", word, commands);
}
