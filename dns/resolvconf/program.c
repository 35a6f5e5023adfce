/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "common/fault.h"

/* Where systems have it; the first one that is there is taken. */
static const char *const places[] = {"/sbin/resolvconf", "/usr/sbin/resolvconf",
				     "/usr/bin/resolvconf"};

vpn_status resolvconf_program_check(const char *path, const char *where, struct vpn_error *err)
{
	struct stat st;
	if (path[0] != '/')
		return dns_fault(err, VPN_EINVAL, 0, where,
				 "must be the absolute path of a program, such as "
				 "\"/usr/sbin/resolvconf\"");
	if (strlen(path) >= RESOLVCONF_PATH_MAX)
		return dns_fault(err, VPN_EINVAL, 0, where, "is longer than %u bytes",
				 RESOLVCONF_PATH_MAX - 1);
	if (stat(path, &st) != 0)
		return dns_fault(err, dns_status(errno), errno, where, "%s: %s", path,
				 strerror(errno));
	if (!S_ISREG(st.st_mode) || access(path, X_OK) != 0)
		return dns_fault(err, VPN_EINVAL, 0, where, "%s is not a program that can be run",
				 path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return dns_fault(err, VPN_EPERM, 0, where,
				 "%s can be changed by others: chown root and chmod go-w it", path);
	return VPN_OK;
}

/* systemd has a program that answers to this name too, and keeps things by interface, not by key. */
static vpn_status refuse_resolvectl(const char *path, struct vpn_error *err)
{
	char real[PATH_MAX];
	const char *name = realpath(path, real) != NULL ? strrchr(real, '/') : NULL;
	if (name == NULL ||
	    (strcmp(name, "/resolvectl") != 0 && strcmp(name, "/systemd-resolve") != 0))
		return VPN_OK;
	return dns_fault(err, VPN_ENOTSUP, 0, NULL,
			 "%s is systemd's resolvectl under another name: use \"backend\": "
			 "\"resolved\"",
			 path);
}

static vpn_status identify(const char *said, struct resolvconf_program *out, struct vpn_error *err)
{
	if (strncmp(said, "openresolv ", 11) == 0)
		out->kind = RESOLVCONF_OPENRESOLV;
	else if (strncmp(said, "Debian resolvconf ", 18) == 0)
		out->kind = RESOLVCONF_DEBIAN;
	else
		return dns_fault(err, VPN_ENOTSUP, 0, NULL,
				 "%s is neither openresolv nor Debian's resolvconf, the two that "
				 "this backend knows: `%s --version` says \"%.60s\"",
				 out->path, out->path, said);
	snprintf(out->version, sizeof(out->version), "%s", said);
	return VPN_OK;
}

static vpn_status ask(struct resolvconf_program *out, uint32_t limit_ms, struct vpn_error *err)
{
	struct resolvconf_child c;
	const char *const argv[] = {out->path, "--version", NULL};
	vpn_status status = resolvconf_child_once(&c, argv, limit_ms, err);
	if (status == VPN_OK) {
		c.output[strcspn(c.output, "\r\n")] = '\0';
		status = identify(c.output, out, err);
	}
	resolvconf_child_close(&c);
	return status;
}

vpn_status resolvconf_program_find(const char *command, uint32_t limit_ms,
				   struct resolvconf_program *out, struct vpn_error *err)
{
	const char *path = command;
	for (size_t i = 0; path == NULL && i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], F_OK) == 0)
			path = places[i];
	if (path == NULL)
		return dns_fault(err, VPN_ENOENT, 0, NULL,
				 "there is no resolvconf at /sbin, /usr/sbin or /usr/bin: install "
				 "openresolv, or use another \"backend\"");
	vpn_status status = resolvconf_program_check(path, command != NULL ? "/command" : NULL,
						     err);
	if (status == VPN_OK)
		status = refuse_resolvectl(path, err);
	if (status != VPN_OK)
		return status;
	snprintf(out->path, sizeof(out->path), "%s", path);
	return ask(out, limit_ms, err);
}
