/* SPDX-License-Identifier: BSD-2-Clause */
#include "split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "common/fault.h"
#include "common/name.h"
#include "common/resolv.h"

/* What subscribers that know domains are told where to write; resolvconf.conf(5), SUBSCRIBER OPTIONS. */
static const char *const variables[RESOLVCONF_SPLIT_FILES] = {
	"unbound_conf", "dnsmasq_conf", "named_zones", "pdns_zones", "pdnsd_conf"};

static char *read_text(const char *path)
{
	char *text = calloc(1, DNS_RESOLV_BYTES_MAX);
	FILE *f = text != NULL ? fopen(path, "re") : NULL;
	if (f == NULL) {
		free(text);
		return NULL;
	}
	size_t n = fread(text, 1, DNS_RESOLV_BYTES_MAX - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

/* The value of "name=/path" or the same in quotes; false for any other line. */
static bool read_line(const char *line, const char *name, char file[RESOLVCONF_PATH_MAX])
{
	line += strspn(line, " \t");
	size_t n = strlen(name);
	if (strncmp(line, name, n) != 0 || line[n] != '=')
		return false;
	line += n + 1;
	line += strspn(line, "\"'");
	n = strcspn(line, "\"' \t\r\n;#");
	if (line[0] != '/' || n >= RESOLVCONF_PATH_MAX)
		return false;
	memcpy(file, line, n);
	file[n] = '\0';
	return true;
}

bool resolvconf_split_file(const char *config, size_t i, char file[RESOLVCONF_PATH_MAX])
{
	bool found = false;
	/* the last one holds, as in the shell that reads it */
	for (const char *line = config; line != NULL;) {
		found |= read_line(line, variables[i], file);
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return found;
}

/* Whether every server of "NAMESERVERS='127.0.0.1'", and there is one, is on this machine. */
static bool is_local(const char *said)
{
	static const char name[] = "\nNAMESERVERS='";
	const char *at = strstr(said, name);
	if (at == NULL)
		return false;
	at += strlen(name);
	bool local = *at != '\'';
	while (local && *at != '\'' && *at != '\0') {
		local = strncmp(at, "127.", 4) == 0 || strncmp(at, "::1", 3) == 0;
		at += strcspn(at, " '");
		at += strspn(at, " ");
	}
	return local;
}

/* resolvconf.conf is a shell script: resolvconf itself says what comes of it. */
static vpn_status asks_local(const struct resolvconf_program *p, uint32_t limit_ms, bool *ret,
			     struct vpn_error *err)
{
	struct resolvconf_child c;
	const char *const argv[] = {p->path, "-V", NULL};
	vpn_status status = resolvconf_child_once(&c, argv, limit_ms, err);
	*ret = status == VPN_OK && is_local(c.output);
	resolvconf_child_close(&c);
	return status;
}

vpn_status resolvconf_split_check(const struct resolvconf_program *p, uint32_t limit_ms,
				  struct vpn_error *err)
{
	char file[RESOLVCONF_PATH_MAX];
	bool local, found = false;
	if (p->kind != RESOLVCONF_OPENRESOLV)
		return dns_fault(err, VPN_ENOTSUP, 0, "/domains",
				 "Debian's resolvconf has no split DNS: use \"backend\": "
				 "\"resolved\", or openresolv with a local resolver; or leave "
				 "\"domains\" out");
	vpn_status status = asks_local(p, limit_ms, &local, err);
	if (status != VPN_OK)
		return status;
	char *config = read_text(RESOLVCONF_CONFIG);
	for (size_t i = 0; config != NULL && i < RESOLVCONF_SPLIT_FILES; i++)
		found |= resolvconf_split_file(config, i, file);
	free(config);
	if (local && found)
		return VPN_OK;
	return dns_fault(err, VPN_ENOTSUP, 0, "/domains",
			 "split DNS needs a local resolver that openresolv tells of our servers: "
			 "set name_servers=127.0.0.1 and unbound_conf= or dnsmasq_conf= "
			 "in " RESOLVCONF_CONFIG
			 ", see docs/dns.md; or use \"backend\": \"resolved\", or "
			 "leave \"domains\" out");
}

static bool is_of_a_name(char c)
{
	return c != '\0' &&
	       strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", c) !=
		       NULL;
}

/* Whether a name stands there, and not only as the end or the beginning of another. */
static bool has_name(const char *text, const char *name, size_t len)
{
	for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name))
		if ((at == text || !is_of_a_name(at[-1])) && !is_of_a_name(at[len]))
			return true;
	return false;
}

static bool has_domains(const char *text, const struct dns_options *o)
{
	for (uint32_t i = 0; i < o->domains.count; i++) {
		char name[DNS_NAME_MAX + 1];
		const char *domain = dns_name_plain(dns_options_name(&o->domains, i));
		size_t len = dns_name_len(domain);
		snprintf(name, sizeof(name), "%.*s", (int)len, domain);
		if (!has_name(text, name, len))
			return false;
	}
	return true;
}

vpn_status resolvconf_split_verify(const struct dns_options *o, struct vpn_error *err)
{
	char file[RESOLVCONF_PATH_MAX];
	bool told = false;
	char *config = read_text(RESOLVCONF_CONFIG);
	for (size_t i = 0; config != NULL && !told && i < RESOLVCONF_SPLIT_FILES; i++) {
		char *text = resolvconf_split_file(config, i, file) ? read_text(file) : NULL;
		/* dnsmasq may have been told by D-Bus, of which there is a note then */
		told = text != NULL && (has_domains(text, o) || strstr(text, "over dbus") != NULL);
		free(text);
	}
	free(config);
	if (told)
		return VPN_OK;
	return dns_fault(
		err, VPN_EBUSY, 0, "/domains",
		"resolvconf has taken our servers, but did not tell the local resolver: no "
		"file that " RESOLVCONF_CONFIG " names for one has our \"domains\"");
}
