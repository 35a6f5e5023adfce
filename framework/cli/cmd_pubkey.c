/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore pubkey: the public key of a private one. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "keys.h"
#include "output.h"

#define TEXT_MAX 256u /* a key and some white space */

/* Reads at most TEXT_MAX + 1 bytes; the length, or -1 with errno. */
static ssize_t read_text(int fd, char *buf)
{
	size_t len = 0;
	while (len <= TEXT_MAX) {
		ssize_t n = read(fd, buf + len, TEXT_MAX + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* NULL, or what is wrong with the text. */
static const char *decode(const char *text, size_t len, uint8_t key[KEYS_LEN])
{
	if (len > TEXT_MAX)
		return "it is too long: a key has 44 characters";
	while (len > 0 && is_space(text[len - 1]))
		len--;
	while (len > 0 && is_space(*text)) {
		text++;
		len--;
	}
	return len == 0 ? "it is empty" : keys_decode(text, len, key);
}

static int say(const char *from, const char *what)
{
	fputs("vpncore pubkey: ", stderr);
	output_plain(stderr, from);
	fprintf(stderr, ": %s\n", what);
	return STATUS_FAILED;
}

static void warn_if_open(int fd, const char *from)
{
	struct stat st;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		say(from, "warning: the private key is open to others; chmod 600 it");
}

static int convert(int fd, const char *from)
{
	char text[TEXT_MAX + 1] = {0};
	char line[128];
	uint8_t private_key[KEYS_LEN], public_key[KEYS_LEN];
	ssize_t len = read_text(fd, text);
	if (len < 0)
		return say(from, strerror(errno));
	const char *wrong = decode(text, (size_t)len, private_key);
	int status = STATUS_OK;
	if (wrong != NULL) {
		snprintf(line, sizeof(line), "that is no key: %s", wrong);
		status = say(from, line);
	} else {
		warn_if_open(fd, from);
		keys_public(private_key, public_key);
		puts(keys_encode(public_key, line));
		sodium_memzero(private_key, sizeof(private_key));
	}
	sodium_memzero(text, sizeof(text));
	return status;
}

static int convert_file(const char *path)
{
	uint8_t key[KEYS_LEN];
	if (keys_decode(path, strlen(path), key) == NULL) {
		sodium_memzero(key, sizeof(key));
		return help_refuse("pubkey",
				   "a key on the command line is seen by everybody; give it "
				   "on standard input or in a file");
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return say(path, strerror(errno));
	int status = convert(fd, path);
	close(fd);
	return status;
}

int cmd_pubkey(int argc, char **argv)
{
	static const struct option known[] = {
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;
	while ((c = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
		if (c != 'h')
			return help_refuse_option("pubkey", c, argv, known);
		help_print("pubkey");
		return STATUS_OK;
	}
	if (argc - optind > 1)
		return help_refuse("pubkey", "give one file, or the key on standard input");
	if (sodium_init() < 0)
		return say("libsodium", "cannot be started");
	if (optind == argc || strcmp(argv[optind], "-") == 0)
		return convert(STDIN_FILENO, "standard input");
	return convert_file(argv[optind]);
}
