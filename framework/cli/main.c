/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore: the program. Finds the subcommand and runs it. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <vpncore/plugin.h>

#include "commands.h"
#include "platform.h"
#include "reaper.h"

#ifndef VPNCORE_VERSION
#error "VPNCORE_VERSION is a compile definition of the build"
#endif

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "an unknown compiler"
#endif

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{"run", cmd_run},         {"check", cmd_check},   {"graph", cmd_graph},
	{"plugin", cmd_plugin},   {"keygen", cmd_keygen}, {"psk", cmd_psk},
	{"pubkey", cmd_pubkey},   {"import", cmd_import}, {"wg", cmd_wg},
	{"cleanup", cmd_cleanup},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int show_version(void)
{
	puts("vpncore " VPNCORE_VERSION);
	printf("plugin ABI %u.%u\n", VPN_ABI_MAJOR, VPN_ABI_MINOR);
	puts("plugin directory " VPNCORE_PLUGIN_DIR);
	puts("built with " COMPILER);
	return STATUS_OK;
}

/* `vpncore help [COMMAND [SUBCOMMAND]]` */
static int show_help(int argc, char **argv)
{
	char name[64] = "";
	if (argc > 3 || (argc == 3 && strcmp(argv[1], "plugin") != 0))
		return help_refuse("", "help takes the name of one command");
	if (argc > 1)
		snprintf(name, sizeof(name), "%s%s%s", argv[1], argc > 2 ? " " : "",
			 argc > 2 ? argv[2] : "");
	if (!help_print(name))
		return help_refuse("", "there is no command \"%s\"", name);
	return STATUS_OK;
}

static int refuse(const char *word)
{
	static const char *const options[] = {"--help", "--version", NULL};
	const char *names[N_COMMANDS + 2] = {0};
	for (size_t i = 0; i < N_COMMANDS; i++)
		names[i] = commands[i].name;
	names[N_COMMANDS] = "help";
	if (word[0] == '-')
		return help_refuse_word("", "option", word, options);
	return help_refuse_word("", "command", word, names);
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2)
		return help_refuse("", "which command?");
	const char *word = argv[1];
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return show_help(1, argv + 1);
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return show_version();
	if (strcmp(word, "help") == 0)
		return show_help(argc - 1, argv + 1);
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(word, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	return refuse(word);
}

/* Under this name the program is a drop-in for wireguard-go. */
static bool is_drop_in(const char *program)
{
	const char *slash = strrchr(program, '/');
	return strcmp(slash != NULL ? slash + 1 : program, "vpncore-wg") == 0;
}

/* The process that undoes what this program has changed, when this one dies. */
static bool is_reaper(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], REAPER_COMMAND) == 0;
}

static int run_drop_in(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return show_version();
	return cmd_wg(argc, argv);
}

int main(int argc, char **argv)
{
	/* a line that is put together of pieces is one write all the same */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	if (is_reaper(argc, argv))
		return reaper_run(argc - 1, argv + 1);
	reaper_set_program(platform_program());
	int status = argc > 0 && is_drop_in(argv[0]) ? run_drop_in(argc, argv)
						     : dispatch(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("vpncore: cannot write to stdout");
		if (status == STATUS_OK)
			status = STATUS_FAILED;
	}
	return status;
}
