/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/options.h"

#include <stdio.h>
#include <string.h>

#include "common/fault.h"
#include "common/name.h"

static const char *server_wrong(const struct vpn_address *a)
{
	static const uint8_t none[16];
	bool six = a->family == VPN_AF_INET6;
	if (memcmp(a->addr, none, sizeof(none)) == 0)
		return "this is the unspecified address, where nobody answers";
	if (six ? a->addr[0] == 0xff : a->addr[0] >= 224)
		return "this is no address of one machine";
	if (six && a->addr[0] == 0xfe && (a->addr[1] & 0xc0) == 0x80)
		return "a link-local address needs an interface, which cannot be said here";
	return NULL;
}

static vpn_status check_servers(const struct dns_options *o, struct vpn_error *err)
{
	char where[32];
	for (uint32_t i = 0; i < o->servers.count; i++) {
		const struct vpn_address *a = dns_options_server(o, i);
		const char *wrong = server_wrong(a);
		snprintf(where, sizeof(where), "/servers/%u", i);
		if (wrong != NULL)
			return dns_fault(err, VPN_EINVAL, 0, where, "%s", wrong);
		for (uint32_t k = 0; k < i; k++)
			if (memcmp(a, dns_options_server(o, k), sizeof(*a)) == 0)
				return dns_fault(err, VPN_EINVAL, 0, where,
						 "the same server stands at /servers/%u", k);
	}
	return VPN_OK;
}

static vpn_status check_names(const struct vpn_list *l, const char *key, bool routing,
			      struct vpn_error *err)
{
	char where[32];
	for (uint32_t i = 0; i < l->count; i++) {
		const char *name = dns_options_name(l, i);
		snprintf(where, sizeof(where), "/%s/%u", key, i);
		if (name[0] == '~' && !routing)
			return dns_fault(err, VPN_EINVAL, 0, where,
					 "a domain with \"~\" is not searched: it belongs into "
					 "\"domains\"");
		const char *wrong = dns_name_wrong(routing ? dns_name_plain(name) : name, routing);
		if (wrong != NULL)
			return dns_fault(err, VPN_EINVAL, 0, where, "\"%.64s\" %s", name, wrong);
		for (uint32_t k = 0; k < i; k++)
			if (dns_name_equal(name, dns_options_name(l, k)))
				return dns_fault(err, VPN_EINVAL, 0, where,
						 "the same domain stands at /%s/%u", key, k);
	}
	return VPN_OK;
}

vpn_status dns_options_validate(const struct dns_options *o, struct vpn_error *err)
{
	vpn_status status = check_servers(o, err);
	if (status == VPN_OK)
		status = check_names(&o->search, "search", false, err);
	if (status == VPN_OK)
		status = check_names(&o->domains, "domains", true, err);
	return status;
}

bool dns_options_is_everything(const struct dns_options *o)
{
	for (uint32_t i = 0; i < o->domains.count; i++)
		if (dns_name_is_root(dns_options_name(&o->domains, i)))
			return true;
	return o->domains.count == 0;
}

vpn_status dns_options_refuse_split(const struct dns_options *o, struct vpn_error *err)
{
	if (dns_options_is_everything(o))
		return VPN_OK;
	return dns_fault(
		err, VPN_ENOTSUP, 0, "/domains",
		"this backend has no split DNS: its servers are asked for all names. "
		"\"backend\": \"resolved\" has it, \"resolvconf\" too where a local resolver "
		"is set up for it; or leave \"domains\" out");
}
