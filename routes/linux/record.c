/* SPDX-License-Identifier: BSD-2-Clause */
#include "record.h"

#include <errno.h>
#include <string.h>

#include "fault.h"
#include "netlink.h"
#include "nft.h"
#include "route.h"
#include "rule.h"
#include "switch.h"

static bool is_text(const char *s, size_t cap)
{
	return memchr(s, '\0', cap) != NULL;
}

static bool is_family(uint8_t family)
{
	return family == VPN_AF_INET || family == VPN_AF_INET6;
}

static bool is_table_of_ours(const char *name)
{
	return strncmp(name, "vpncore.", 8) == 0 || strncmp(name, "vpncore-lock.", 13) == 0 ||
	       strncmp(name, "vpncore-forward.", 16) == 0;
}

static bool is_sound(const struct routes_record *r)
{
	switch (r->kind) {
	case ROUTES_KIND_ROUTE:
		return is_family(r->u.route.dst.family) && r->u.route.dst.length <= 128;
	case ROUTES_KIND_RULE:
		return is_family(r->u.rule.family);
	case ROUTES_KIND_SWITCH:
		return is_text(r->u.change.set.path, ROUTES_SWITCH_PATH) &&
		       is_text(r->u.change.set.value, ROUTES_SWITCH_VALUE) &&
		       is_text(r->u.change.before, ROUTES_SWITCH_VALUE) &&
		       routes_switch_is_ours(r->u.change.set.path);
	case ROUTES_KIND_TABLE:
		return is_text(r->u.table, ROUTES_TABLE_NAME) && is_table_of_ours(r->u.table) &&
		       r->u.table[strspn(r->u.table, "abcdefghijklmnopqrstuvwxyz"
						     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
						     "._-")] == '\0';
	default:
		return false;
	}
}

static vpn_status undo_netlink(const struct routes_record *r, struct vpn_error *err)
{
	char text[ROUTES_OBJECT_TEXT];
	struct routes_netlink nl;
	int e = routes_netlink_open(&nl);
	if (e != 0)
		return routes_fault(err, routes_status(e), e, NULL, "cannot open rtnetlink: %s",
				    strerror(e));
	/* the kernel compares every attribute: what another made in its place stays */
	bool is_route = r->kind == ROUTES_KIND_ROUTE;
	e = is_route ? routes_route_delete(&nl, &r->u.route) : routes_rule_delete(&nl, &r->u.rule);
	routes_netlink_close(&nl);
	if (e == 0)
		return VPN_OK;
	return routes_fault(err, routes_status(e), e, NULL, "cannot remove %s: %s",
			    is_route ? routes_route_text(&r->u.route, text)
				     : routes_rule_text(&r->u.rule, text),
			    strerror(e));
}

static vpn_status undo_switch(const struct vpn_host *host, const struct routes_record *r,
			      struct vpn_error *err)
{
	const struct routes_switch *set = &r->u.change.set;
	char now[ROUTES_SWITCH_VALUE];
	int e = routes_switch_read(set->path, now);
	if (e == ENOENT)
		return VPN_OK;
	if (e == 0 && strcmp(now, set->value) != 0) {
		if (strcmp(now, r->u.change.before) != 0)
			routes_log(host, VPN_LOG_INFO,
				   "%s is %s, which is not of our making: it stays", set->path,
				   now);
		return VPN_OK;
	}
	if (e == 0)
		e = routes_switch_write(set->path, r->u.change.before);
	if (e == 0)
		return VPN_OK;
	return routes_fault(err, routes_status(e), e, NULL, "cannot set %s back to %s: %s",
			    set->path, r->u.change.before, strerror(e));
}

static vpn_status undo_table(const struct routes_record *r, struct vpn_error *err)
{
	struct nft_ctx *nft = routes_nft_open();
	if (nft == NULL)
		return routes_fault(err, VPN_ENOMEM, 0, NULL, "cannot open nftables");
	vpn_status status = routes_nft_delete(nft, r->u.table, err);
	routes_nft_close(nft);
	return status;
}

vpn_status routes_record_undo(const struct vpn_host *host, uint32_t flags, const void *data,
			      uint32_t len, struct vpn_error *err)
{
	struct routes_record r;
	(void)flags;
	if (len != sizeof(r))
		return routes_fault(err, VPN_EINVAL, 0, NULL,
				    "this record has %u bytes, not %zu: another version of the "
				    "routes plugin wrote it",
				    len, sizeof(r));
	memcpy(&r, data, sizeof(r));
	if (r.version != ROUTES_RECORD_VERSION || !is_sound(&r))
		return routes_fault(err, VPN_EINVAL, 0, NULL,
				    "this record makes no sense here (version %u, kind %u)",
				    r.version, r.kind);
	if (r.kind == ROUTES_KIND_SWITCH)
		return undo_switch(host, &r, err);
	if (r.kind == ROUTES_KIND_TABLE)
		return undo_table(&r, err);
	return undo_netlink(&r, err);
}
