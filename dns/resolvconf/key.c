/* SPDX-License-Identifier: BSD-2-Clause */
#include "key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "common/fault.h"
#include "common/name.h"
#include "place.h"

/* Of no meaning to a shell. */
#define KEY_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

#define ORDER_FILE "/etc/resolvconf/interface-order"
#define LIST_MS    3000u /* listing waits for nobody */

bool resolvconf_key_is_sound(const char *key)
{
	return key[0] != '\0' && key[0] != '.' && key[0] != '-' &&
	       key[strspn(key, KEY_BYTES)] == '\0';
}

/* The word of a line of interface-order(5) that is "WORD*", of `n` bytes; NULL for other lines. */
static const char *word_of(const char *line, size_t *ret_n)
{
	line += strspn(line, " \t");
	size_t n = strspn(line, KEY_BYTES);
	*ret_n = n;
	bool ends = n > 0 && line[n] == '*' && strchr(" \t\r\n#", line[n + 1]) != NULL;
	return ends && line[0] != '.' && line[0] != '-' ? line : NULL;
}

static const char *first_word(const char *order, size_t *ret_n)
{
	const char *word = NULL;
	for (const char *line = order; word == NULL && line != NULL;) {
		word = word_of(line, ret_n);
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return word;
}

vpn_status resolvconf_key_make(enum resolvconf_kind kind, const char *device, const char *order,
			       char key[RESOLVCONF_KEY_MAX], bool *ret_sorted,
			       struct vpn_error *err)
{
	/* the list that it has built in, as of 1.91, has the same word first */
	static const char plain[] = "tun";
	const char *word = NULL;
	size_t n = 0;
	int len;
	if (kind == RESOLVCONF_OPENRESOLV) {
		*ret_sorted = true;
		len = snprintf(key, RESOLVCONF_KEY_MAX, "%s.vpncore", device);
	} else {
		word = order != NULL ? first_word(order, &n) : plain;
		*ret_sorted = word != NULL;
		if (word == NULL)
			word = plain;
		if (word == plain)
			n = strlen(plain);
		len = snprintf(key, RESOLVCONF_KEY_MAX, "%.*s.%s", (int)n, word, device);
	}
	if (len < (int)RESOLVCONF_KEY_MAX && resolvconf_key_is_sound(key))
		return VPN_OK;
	return dns_fault(
		err, VPN_EINVAL, 0, NULL,
		"the device's name \"%.32s\" cannot be a key of resolvconf: give it one of "
		"letters, digits, \".\", \"_\" and \"-\"",
		device);
}

char *resolvconf_key_order(void)
{
	char *text = calloc(1, DNS_RESOLV_BYTES_MAX);
	FILE *f = text != NULL ? fopen(ORDER_FILE, "re") : NULL;
	if (f == NULL) {
		free(text);
		return NULL;
	}
	size_t n = fread(text, 1, DNS_RESOLV_BYTES_MAX - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

/* ---- what is kept ---- */

static size_t add_names(const struct vpn_list *names, char *buf, size_t at)
{
	for (uint32_t i = 0; i < names->count && i < DNS_DOMAINS_MAX; i++) {
		const char *name = dns_name_plain(dns_options_name(names, i));
		at += (size_t)snprintf(buf + at, RESOLVCONF_TEXT_MAX - at, " %.*s",
				       (int)dns_name_len(name), name);
	}
	return at;
}

size_t resolvconf_key_text(const struct dns_options *o, bool split, char buf[RESOLVCONF_TEXT_MAX])
{
	struct dns_options servers = *o;
	if (!split)
		return dns_resolv_format(o, DNS_SERVERS_MAX, buf);
	size_t at = (size_t)snprintf(buf, RESOLVCONF_TEXT_MAX, "search");
	at = add_names(&o->search, buf, at);
	at = add_names(&o->domains, buf, at);
	at += (size_t)snprintf(buf + at, RESOLVCONF_TEXT_MAX - at, "\n");
	servers.search.count = 0;
	return at + dns_resolv_format(&servers, DNS_SERVERS_MAX, buf + at);
}

/* ENOENT where no file has it. */
static int read_file(const struct resolvconf_program *p, const char *key, struct dns_resolv *out)
{
	char path[RESOLVCONF_PLACE_MAX];
	int e = ENOENT;
	for (size_t i = 0; e == ENOENT && i < RESOLVCONF_PLACES; i++) {
		dns_resolv_clear(out);
		if (resolvconf_place(i, p->kind, key, path))
			e = dns_resolv_read(path, out);
	}
	return e;
}

static vpn_status ask(const struct resolvconf_program *p, const char *key, struct dns_resolv *out,
		      bool *ret_there, struct vpn_error *err)
{
	struct resolvconf_child c;
	const char *const argv[] = {p->path, "-l", key, NULL};
	vpn_status status = resolvconf_child_once(&c, argv, LIST_MS, err);
	if (status == VPN_OK) {
		/* each one that it lists has this comment in front */
		*ret_there = strstr(c.output, "# resolv.conf from ") != NULL;
		dns_resolv_clear(out);
		if (*ret_there && dns_resolv_parse(c.output, c.output_len, out) != 0)
			status = dns_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	}
	resolvconf_child_close(&c);
	return status;
}

vpn_status resolvconf_key_read(const struct resolvconf_program *p, const char *key,
			       struct dns_resolv *out, bool *ret_there, struct vpn_error *err)
{
	memset(out, 0, sizeof(*out));
	int e = read_file(p, key, out);
	*ret_there = e == 0;
	/* openresolv's state may be elsewhere (state_dir of resolvconf.conf(5)) */
	if (e == ENOENT && p->kind == RESOLVCONF_OPENRESOLV)
		return ask(p, key, out, ret_there, err);
	if (e == 0 || e == ENOENT)
		return VPN_OK;
	return dns_fault(err, dns_status(e), e, NULL, "cannot read what resolvconf has as %s: %s",
			 key, strerror(e));
}

bool resolvconf_key_same(const struct dns_resolv *a, const struct dns_resolv *b)
{
	if (a->n_servers != b->n_servers || a->n_search != b->n_search)
		return false;
	for (uint32_t i = 0; i < a->n_servers; i++)
		if (a->servers[i].family != b->servers[i].family ||
		    memcmp(a->servers[i].addr, b->servers[i].addr, 16) != 0)
			return false;
	for (uint32_t i = 0; i < a->n_search; i++)
		if (!dns_name_equal(a->search[i], b->search[i]))
			return false;
	return true;
}
