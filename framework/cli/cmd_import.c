/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore import: turns a wg-quick file into a manifest. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "manifest.h"
#include "output.h"
#include "private_file.h"
#include "wgquick.h"
#include "wgquick_manifest.h"

struct import {
	const char *file;   /* "-" = standard input */
	const char *output; /* NULL = standard output */
	bool force;
	struct wgquick *parsed;
	char device[WGQUICK_DEVICE_MAX + 1];
	char *stem; /* of the output's file name, without its ending */
	char *text; /* the manifest, in a buffer of MANIFEST_BYTES_MAX */
	size_t len;
};

static int complain(const char *path, const char *what)
{
	fputs("vpncore import: ", stderr);
	output_plain(stderr, path);
	fprintf(stderr, ": %s\n", what);
	return STATUS_FAILED;
}

/* ---- reading ---- */

/* Reads at most WGQUICK_BYTES_MAX + 1 bytes; the length, or -1 with errno. */
static ssize_t read_all(int fd, char *buf)
{
	size_t len = 0;
	while (len <= WGQUICK_BYTES_MAX) {
		ssize_t n = read(fd, buf + len, WGQUICK_BYTES_MAX + 1 - len);
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

/* The file's text in a buffer that is allocated at once: growing would leave copies of keys. */
static ssize_t read_file(const char *file, char *buf)
{
	if (strcmp(file, "-") == 0)
		return read_all(STDIN_FILENO, buf);
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -1;
	ssize_t len = read_all(fd, buf);
	int why = errno;
	close(fd);
	errno = why;
	return len;
}

static void name_device(struct import *im, struct problems *problems)
{
	if (strcmp(im->file, "-") == 0)
		snprintf(im->device, sizeof(im->device), "wg0");
	else if (!wgquick_device(im->file, im->device))
		problems_warn(problems, 0, 0, "",
			      "the file's name is no device's (15 of a-z A-Z 0-9 _ = + . -): the "
			      "device will be called %s",
			      im->device);
}

/* Parses the file and says what is wrong with it. The exit status. */
static int parse_file(struct import *im)
{
	struct problems problems;
	char *buf = calloc(1, WGQUICK_BYTES_MAX + 1);
	if (buf == NULL)
		return complain(im->file, "out of memory");
	ssize_t len = read_file(im->file, buf);
	if (len < 0) {
		int why = errno;
		sodium_memzero(buf, WGQUICK_BYTES_MAX + 1); /* a part may have been read */
		free(buf);
		return complain(im->file, strerror(why));
	}
	problems_init(&problems, strcmp(im->file, "-") == 0 ? "standard input" : im->file);
	im->parsed = wgquick_parse(buf, (size_t)len, &problems);
	if (im->parsed != NULL)
		name_device(im, &problems);
	problems_print(&problems, output_line, stderr);
	problems_clear(&problems);
	sodium_memzero(buf, (size_t)len);
	free(buf);
	return im->parsed != NULL ? STATUS_OK : STATUS_REFUSED;
}

/* ---- writing ---- */

/* "dir/wg0.json" to "wg0". False when it cannot stand in JSON, or there is no memory. */
static bool make_stem(struct import *im)
{
	static const char ending[] = ".json";
	const char *slash = strrchr(im->output, '/');
	const char *base = slash != NULL ? slash + 1 : im->output;
	size_t len = strlen(base), cut = sizeof(ending) - 1;
	if (len > cut && strcmp(base + len - cut, ending) == 0)
		len -= cut;
	im->stem = strndup(base, len);
	json_t *as_json = im->stem != NULL ? json_string(im->stem) : NULL;
	bool good = as_json != NULL && len > 0;
	json_decref(as_json);
	return good;
}

static int make_text(struct import *im)
{
	const struct wgquick_form form = {.device = im->device, .stem = im->stem};
	im->text = malloc(MANIFEST_BYTES_MAX);
	if (im->text == NULL)
		return complain(im->file, "out of memory");
	im->len = wgquick_manifest(im->parsed, &form, im->text, MANIFEST_BYTES_MAX);
	return im->len != 0 ? STATUS_OK
			    : complain(im->file, "its manifest would be larger than a manifest may "
						 "be; leave peers out");
}

/* Writes one key beside the manifest. 0 or a negative errno; *ret_path is the file's. */
static int write_key(const struct import *im, struct private_files *files, const char *ending,
		     const uint8_t key[KEYS_LEN], char **ret_path)
{
	char line[KEYS_TEXT + 1];
	const char *slash = strrchr(im->output, '/');
	int folder = slash != NULL ? (int)(slash + 1 - im->output) : 0;
	if (asprintf(ret_path, "%.*s%s%s", folder, im->output, im->stem, ending) < 0) {
		*ret_path = NULL;
		return -ENOMEM;
	}
	keys_encode(key, line);
	line[KEYS_TEXT - 1] = '\n';
	int e = private_files_write(files, *ret_path, line, KEYS_TEXT);
	sodium_memzero(line, sizeof(line));
	return e;
}

static int write_keys(const struct import *im, struct private_files *files, char **ret_path)
{
	const struct wgquick *w = im->parsed;
	char ending[40];
	int e = write_key(im, files, ".key", w->private_key, ret_path);
	if (e == 0 && !keys_is_zero(w->awg.header_key)) {
		free(*ret_path);
		e = write_key(im, files, WGQUICK_AWG_ENDING, w->awg.header_key, ret_path);
	}
	for (size_t i = 0; i < w->n_peers && e == 0; i++) {
		if (keys_is_zero(w->peers[i].preshared_key))
			continue;
		free(*ret_path);
		snprintf(ending, sizeof(ending), ".peer%zu.psk", i + 1);
		e = write_key(im, files, ending, w->peers[i].preshared_key, ret_path);
	}
	return e;
}

/* The keys first: a manifest that is there can be used. */
static int write_files(const struct import *im)
{
	struct private_files files = {.replace = im->force};
	char *path = NULL;
	int e = write_keys(im, &files, &path);
	if (e == 0) {
		free(path);
		path = strdup(im->output);
		e = private_files_write(&files, im->output, im->text, im->len);
	}
	if (e == 0) {
		free(path);
		path = NULL;
		e = private_files_keep(&files, &path);
	} else {
		private_files_drop(&files);
	}
	if (e != 0)
		complain(path != NULL ? path : im->output,
			 e == -EEXIST ? (im->force ? "exists and is no regular file"
						   : "exists already; nothing was written (--force "
						     "replaces it)")
				      : strerror(-e));
	free(path);
	return e == 0 ? STATUS_OK : STATUS_FAILED;
}

static int write_stdout(const struct import *im)
{
	/* a stream's buffer would keep the keys */
	setvbuf(stdout, NULL, _IONBF, 0);
	private_warn_stdout("import");
	fwrite(im->text, 1, im->len, stdout); /* main() looks whether it went out */
	return STATUS_OK;
}

/* ---- the command ---- */

static int import(struct import *im)
{
	if (im->output != NULL && !make_stem(im))
		return help_refuse("import", "the name of the file to write has to be UTF-8 text");
	int status = parse_file(im);
	if (status == STATUS_OK)
		status = make_text(im);
	if (status != STATUS_OK)
		return status;
	if (im->output == NULL)
		return write_stdout(im);
	/* half of the files would be worse than none */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	return write_files(im);
}

static void clear(struct import *im)
{
	wgquick_free(im->parsed);
	if (im->text != NULL)
		sodium_memzero(im->text, MANIFEST_BYTES_MAX);
	free(im->text);
	free(im->stem);
}

int cmd_import(int argc, char **argv)
{
	static const struct option known[] = {
		{"output", required_argument, NULL, 'o'},
		{"force", no_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct import im = {0};
	int c;
	while ((c = getopt_long(argc, argv, ":o:fh", known, NULL)) != -1) {
		switch (c) {
		case 'o':
			im.output = optarg;
			break;
		case 'f':
			im.force = true;
			break;
		case 'h':
			help_print("import");
			return STATUS_OK;
		default:
			return help_refuse_option("import", c, argv, known);
		}
	}
	if (optind + 1 != argc)
		return help_refuse("import", "give one wg-quick file");
	if (im.force && im.output == NULL)
		return help_refuse("import", "--force goes with --output");
	im.file = argv[optind];
	if (sodium_init() < 0)
		return complain("libsodium", "cannot be started");
	int status = import(&im);
	clear(&im);
	return status;
}
