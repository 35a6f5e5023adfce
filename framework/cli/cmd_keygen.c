/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore keygen, vpncore psk: make a random key, private or preshared. */
#include <errno.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "keys.h"
#include "output.h"
#include "private_file.h"

static int write_file(const char *command, const char *path, const char *line)
{
	struct private_files files = {.replace = false};
	char *refused = NULL;
	int e = private_files_write(&files, path, line, strlen(line));
	if (e == 0)
		e = private_files_keep(&files, &refused);
	else
		private_files_drop(&files);
	free(refused);
	if (e == 0)
		return STATUS_OK;
	fprintf(stderr, "vpncore %s: ", command);
	output_plain(stderr, path);
	fprintf(stderr, ": %s\n",
		e == -EEXIST ? "exists already, and may be a key that is in use: move it away first"
			     : strerror(-e));
	return STATUS_FAILED;
}

static int make(const char *command, const char *path, bool curve)
{
	uint8_t key[KEYS_LEN];
	char line[KEYS_TEXT + 1];
	int status = STATUS_OK;
	if (sodium_init() < 0) {
		fprintf(stderr, "vpncore %s: no random numbers are to be had\n", command);
		return STATUS_FAILED;
	}
	keys_make(key, curve);
	keys_encode(key, line);
	line[KEYS_TEXT - 1] = '\n';
	line[KEYS_TEXT] = '\0';
	if (path != NULL) {
		status = write_file(command, path, line);
	} else {
		/* a stream's buffer would keep the key until the end */
		setvbuf(stdout, NULL, _IONBF, 0);
		private_warn_stdout(command);
		fwrite(line, 1, KEYS_TEXT, stdout); /* main() looks whether it went out */
	}
	sodium_memzero(key, sizeof(key));
	sodium_memzero(line, sizeof(line));
	return status;
}

static int run(const char *command, int argc, char **argv, bool curve)
{
	static const struct option known[] = {
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *path = NULL;
	int c;
	while ((c = getopt_long(argc, argv, ":o:h", known, NULL)) != -1) {
		switch (c) {
		case 'o':
			path = optarg;
			break;
		case 'h':
			help_print(command);
			return STATUS_OK;
		default:
			return help_refuse_option(command, c, argv, known);
		}
	}
	if (optind != argc)
		return help_refuse(command, "takes no argument; a file to write is named with -o");
	return make(command, path, curve);
}

int cmd_keygen(int argc, char **argv)
{
	return run("keygen", argc, argv, true);
}

int cmd_psk(int argc, char **argv)
{
	return run("psk", argc, argv, false);
}
