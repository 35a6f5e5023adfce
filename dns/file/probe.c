/* SPDX-License-Identifier: BSD-2-Clause */
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/fit.h"
#include "common/resolv.h"
#include "disk.h"

static uint32_t answer(uint32_t fit, struct vpn_error *why, const char *path, const char *text)
{
	dns_fault(why, VPN_OK, 0, NULL, "%s %s", path, text);
	return fit;
}

/* An errno that root gets as well when it writes: a check by another user says nothing of that. */
static int why_not_writable(const char *path, enum dns_file_kind kind, bool mounted)
{
	char folder[256];
	const char *slash = strrchr(path, '/');
	snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	int e = 0;
	if (kind == DNS_FILE_REGULAR && access(path, W_OK) != 0)
		e = errno; /* an immutable one cannot be replaced either */
	if (e == 0 && !mounted && access(folder, W_OK) != 0)
		e = errno;
	return (e == EACCES || e == EPERM) && geteuid() != 0 ? 0 : e;
}

/* Behind the path. */
static uint32_t judge(const struct dns_resolv *r, enum dns_file_kind kind, const char **ret_text)
{
	switch (r->owner) {
	case DNS_OWNER_RESOLVED:
		*ret_text = "belongs to systemd-resolved, which writes it anew";
		return DNS_FIT_CONTESTED;
	case DNS_OWNER_NETWORK_MANAGER:
		*ret_text = "belongs to NetworkManager, which writes it anew now and then";
		return DNS_FIT_CONTESTED;
	case DNS_OWNER_RESOLVCONF:
		*ret_text = "belongs to resolvconf, which writes it anew now and then";
		return DNS_FIT_CONTESTED;
	case DNS_OWNER_VPNCORE:
		*ret_text = "has the name servers of another pipeline in it";
		return DNS_FIT_CONTESTED;
	case DNS_OWNER_NONE:
		break;
	}
	if (dns_resolv_is_stub(r)) {
		*ret_text = "asks systemd-resolved only";
		return DNS_FIT_CONTESTED;
	}
	if (kind == DNS_FILE_LINK) {
		*ret_text = "is a link to a file that another program may write anew";
		return DNS_FIT_CONTESTED;
	}
	*ret_text = kind == DNS_FILE_NONE ? "does not exist, and nobody else makes it"
					  : "is a file that no program claims as its own";
	return DNS_FIT_FREE;
}

uint32_t dns_file_probe(const char *path, struct vpn_error *why)
{
	struct dns_resolv r;
	enum dns_file_kind kind;
	const char *text;
	char cannot[128];
	bool mounted;
	int e = dns_file_disk_kind(path, &kind, &mounted);
	if (e == 0 && kind != DNS_FILE_OTHER)
		e = why_not_writable(path, kind, mounted);
	if (e != 0) {
		snprintf(cannot, sizeof(cannot), "cannot be written: %s", strerror(e));
		return answer(DNS_FIT_NONE, why, path, cannot);
	}
	if (kind == DNS_FILE_OTHER)
		return answer(DNS_FIT_NONE, why, path, "is no file");
	e = dns_resolv_read(path, &r);
	if (e == ENOMEM)
		return answer(DNS_FIT_NONE, why, path, "cannot be read: out of memory");
	uint32_t fit = judge(&r, kind, &text);
	dns_resolv_clear(&r);
	return answer(fit, why, path, text);
}

static uint32_t probe(const struct vpn_host *host, struct vpn_error *why)
{
	(void)host;
	return dns_file_probe(DNS_FILE_PATH, why);
}

static vpn_status read_servers(const struct vpn_host *host,
			       int (*fn)(void *ctx, const struct vpn_dns_info *info), void *ctx,
			       struct vpn_error *err)
{
	struct dns_resolv r;
	(void)host;
	int e = dns_resolv_read(DNS_FILE_PATH, &r);
	if (e == 0)
		dns_resolv_tell(&r, fn, ctx);
	dns_resolv_clear(&r);
	if (e == 0)
		return VPN_OK;
	return dns_fault(err, dns_status(e), e, NULL, "cannot read " DNS_FILE_PATH ": %s",
			 strerror(e));
}

static const struct vpn_probe_ext probe_ext = {.size = sizeof(probe_ext), .probe = probe};
static const struct vpn_dns_query_ext query_ext = {.size = sizeof(query_ext), .read = read_servers};

const void *dns_file_get_static(const char *id)
{
	if (strcmp(id, VPN_EXT_PROBE) == 0)
		return &probe_ext;
	return strcmp(id, VPN_EXT_DNS_QUERY) == 0 ? &query_ext : NULL;
}
