/* SPDX-License-Identifier: BSD-2-Clause */
#include "wg_options.h"

#include <ctype.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/plugin.h>

#include "commands.h"
#include "link_mtu.h"

#define NAME_LEN_MAX 15u /* IFNAMSIZ less the final zero */
#define PATH_MTU     1500u
#define PATH_MTU_MIN 1360u /* leaves IPv6 its 1280 */
#define PATH_MTU_MAX 65535u
#define PATH_MTU_AUTO \
	9216u           /* no larger unasked: a link of 64 KiB, as another tunnel has, is no path */
#define USUAL_MTU 1420u /* of WireGuard interfaces: 1500 less IPv6, UDP and the message's own 32 */

const char *wg_options_why_no_name(const char *name)
{
	const char *percent = strchr(name, '%');
	size_t len = strlen(name);
	if (len == 0 || len > NAME_LEN_MAX)
		return "it has 1 to 15 characters";
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return "it is not a folder";
	for (const char *c = name; *c != '\0'; c++)
		if (*c == '/' || *c == ':' || isspace((unsigned char)*c) ||
		    iscntrl((unsigned char)*c))
			return "it has no slash, colon or white space";
	if (percent != NULL && (percent[1] != 'd' || strchr(percent + 1, '%') != NULL))
		return "the one use of % is a single %d, for which the kernel puts a number";
	json_t *as_json = json_string(name);
	json_decref(as_json);
	return as_json != NULL ? NULL : "it is UTF-8 text";
}

/* Decimal digits, up to max. */
static bool parse_number(const char *text, uint32_t max, uint32_t *ret)
{
	uint64_t n = 0;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (unsigned)(*text - '0');
		if (n > max)
			return false;
	}
	*ret = (uint32_t)n;
	return true;
}

/* An inherited descriptor that a variable names. False, with a message, when it is none. */
static bool read_fd(const char *variable, int *ret)
{
	const char *text = getenv(variable);
	uint32_t fd = 0;
	*ret = -1;
	if (text == NULL || *text == '\0')
		return true;
	if (!parse_number(text, INT32_MAX, &fd) || fcntl((int)fd, F_GETFD) < 0) {
		help_refuse("wg", "%s=%.32s is no open descriptor", variable, text);
		return false;
	}
	*ret = (int)fd;
	return true;
}

/* As wireguard-go: errors only, unless more or nothing is asked for. */
static void read_level(struct wg_options *o)
{
	const char *text = getenv("LOG_LEVEL");
	if (text == NULL)
		text = "";
	o->silent = strcmp(text, "silent") == 0;
	o->keep_output = *text != '\0' && !o->silent;
	o->level = strcmp(text, "verbose") == 0 || strcmp(text, "debug") == 0 ? VPN_LOG_DEBUG
									      : VPN_LOG_ERROR;
}

static int read_environment(struct wg_options *o)
{
	const char *foreground = getenv("WG_PROCESS_FOREGROUND");
	if (foreground != NULL && strcmp(foreground, "1") == 0)
		o->foreground = true;
	o->name_file = getenv("WG_TUN_NAME_FILE");
	if (o->name_file != NULL && *o->name_file == '\0')
		o->name_file = NULL;
	read_level(o);
	if (!read_fd("WG_TUN_FD", &o->tun_fd) || !read_fd("WG_UAPI_FD", &o->uapi_fd))
		return STATUS_REFUSED + 1;
	return 0;
}

/* Room for whatever MTU the machine's own links would carry: it cannot be made later. */
static void choose_path_mtu(struct wg_options *o)
{
	if (o->path_mtu != 0)
		return;
	uint32_t largest = link_mtu_largest();
	o->path_mtu = largest < PATH_MTU ? PATH_MTU : largest;
	if (o->path_mtu > PATH_MTU_AUTO)
		o->path_mtu = PATH_MTU_AUTO;
	o->mtu = USUAL_MTU;
}

static int read_name(struct wg_options *o, int n, char **words)
{
	if (n != 1)
		return help_refuse("wg", "give the name of one interface") + 1;
	const char *why = wg_options_why_no_name(words[0]);
	if (why != NULL)
		return help_refuse("wg", "\"%.32s\" is no interface's name: %s", words[0], why) + 1;
	o->name = words[0];
	choose_path_mtu(o);
	return read_environment(o);
}

int wg_options_read(struct wg_options *o, int argc, char **argv)
{
	static const struct option known[] = {
		{"foreground", no_argument, NULL, 'f'},
		{"path-mtu", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;
	*o = (struct wg_options){.path_mtu = 0};
	while ((c = getopt_long(argc, argv, ":fm:h", known, NULL)) != -1) {
		switch (c) {
		case 'f':
			o->foreground = true;
			break;
		case 'm':
			if (!parse_number(optarg, PATH_MTU_MAX, &o->path_mtu) ||
			    o->path_mtu < PATH_MTU_MIN)
				return help_refuse("wg", "a path's MTU is a number from %u to %u",
						   PATH_MTU_MIN, PATH_MTU_MAX) +
				       1;
			break;
		case 'h':
			help_print("wg");
			return STATUS_OK + 1;
		default:
			return help_refuse_option("wg", c, argv, known) + 1;
		}
	}
	return read_name(o, argc - optind, argv + optind);
}
