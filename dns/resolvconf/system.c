/* SPDX-License-Identifier: BSD-2-Clause */
#include "system.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fault.h"
#include "place.h"

/* Without it Debian's resolvconf keeps what it is given for later; resolvconf(8), --enable-updates. */
#define UPDATES_ENABLED RESOLVCONF_STATE "/enable-updates"

bool resolvconf_system_has(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool same_address(const struct vpn_endpoint *at, uint8_t family, const uint8_t *addr)
{
	return at->family == family && memcmp(at->addr, addr, family == VPN_AF_INET6 ? 16 : 4) == 0;
}

bool resolvconf_system_asks(const struct dns_resolv *servers)
{
	struct dns_resolv now;
	bool found = false;
	if (dns_resolv_read(RESOLVCONF_FILE, &now) == 0)
		for (uint32_t i = 0; i < now.n_servers; i++)
			for (uint32_t k = 0; k < servers->n_servers; k++)
				found |= same_address(&now.servers[i], servers->servers[k].family,
						      servers->servers[k].addr);
	dns_resolv_clear(&now);
	return found;
}

bool resolvconf_system_is_product(void)
{
	char real[PATH_MAX];
	struct dns_resolv now;
	if (realpath(RESOLVCONF_FILE, real) != NULL &&
	    strcmp(real, RESOLVCONF_STATE "/resolv.conf") == 0)
		return true;
	bool product = dns_resolv_read(RESOLVCONF_FILE, &now) == 0 &&
		       now.owner == DNS_OWNER_RESOLVCONF;
	dns_resolv_clear(&now);
	return product;
}

vpn_status resolvconf_system_fits(struct vpn_error *err)
{
	char real[PATH_MAX];
	if (realpath(RESOLVCONF_FILE, real) == NULL ||
	    strncmp(real, "/run/systemd/resolve/", 21) != 0)
		return VPN_OK;
	return dns_fault(err, VPN_ENOTSUP, 0, NULL,
			 RESOLVCONF_FILE " is systemd-resolved's, which does not hear of what "
					 "resolvconf is given: use \"backend\": \"resolved\"");
}

/* ---- behind a call ---- */

static bool is_loopback(const struct vpn_endpoint *at)
{
	static const uint8_t one[16] = {[15] = 1};
	return at->family == VPN_AF_INET6 ? memcmp(at->addr, one, sizeof(one)) == 0
					  : at->addr[0] == 127;
}

static bool is_ours(const struct vpn_endpoint *at, const struct dns_options *o)
{
	bool found = false;
	for (uint32_t i = 0; i < o->servers.count; i++)
		found |= same_address(at, dns_options_server(o, i)->family,
				      dns_options_server(o, i)->addr);
	return found;
}

static const char *address_text(const struct vpn_endpoint *at, char buf[INET6_ADDRSTRLEN])
{
	return inet_ntop(at->family == VPN_AF_INET6 ? AF_INET6 : AF_INET, at->addr, buf,
			 INET6_ADDRSTRLEN);
}

/* Our servers are not in resolv.conf: why not. */
static vpn_status refuse(const struct resolvconf_program *p, const struct resolvconf_child *call,
			 struct vpn_error *err)
{
	char words[128];
	if (strstr(call->output, "signature mismatch") != NULL)
		return dns_fault(err, VPN_EBUSY, 0, NULL,
				 "%s does not write " RESOLVCONF_FILE ", because another program "
				 "did: `resolvconf -u` lets it have the file; or use \"backend\": "
				 "\"file\"",
				 p->version);
	if (call->status != 0)
		return resolvconf_child_judge(call, err);
	if (p->kind == RESOLVCONF_DEBIAN && !resolvconf_system_has(UPDATES_ENABLED))
		return dns_fault(err, VPN_EBUSY, 0, NULL,
				 "resolvconf has its updates switched off: `resolvconf "
				 "--enable-updates`");
	if (!resolvconf_system_is_product())
		return dns_fault(err, VPN_EBUSY, 0, NULL,
				 RESOLVCONF_FILE " is not what resolvconf writes: another program "
						 "has it in its hands; use \"backend\": \"auto\" "
						 "or \"file\"");
	return dns_fault(err, VPN_EBUSY, 0, NULL,
			 "resolvconf has taken our servers, but " RESOLVCONF_FILE
			 " has none of them: it said: %s",
			 resolvconf_child_words(call, words));
}

static vpn_status judge(const struct vpn_host *host, const struct resolvconf_program *p,
			const struct resolvconf_child *call, const struct dns_options *o,
			const struct dns_resolv *now, struct vpn_error *err)
{
	char text[INET6_ADDRSTRLEN];
	uint32_t ours = 0;
	while (ours < now->n_servers && !is_ours(&now->servers[ours], o))
		ours++;
	if (now->n_servers > 0 && dns_resolv_is_stub(now))
		return dns_fault(err, VPN_EBUSY, 0, NULL,
				 "names are asked at systemd-resolved, which does not hear of what "
				 "resolvconf is given: use \"backend\": \"resolved\"");
	if (ours == now->n_servers && (ours == 0 || !is_loopback(&now->servers[0])))
		return refuse(p, call, err);
	if (ours == 0)
		return VPN_OK;
	if (is_loopback(&now->servers[0]))
		dns_log(host, VPN_LOG_INFO,
			"names are asked at %s on this machine, which resolvconf tells of our "
			"servers",
			address_text(&now->servers[0], text));
	else
		dns_log(host, VPN_LOG_WARN,
			"the system asks %s before our servers: see name_servers in "
			"/etc/resolvconf.conf, or /etc/resolvconf/interface-order",
			address_text(&now->servers[0], text));
	return VPN_OK;
}

vpn_status resolvconf_system_verify(const struct vpn_host *host, const struct resolvconf_program *p,
				    const struct resolvconf_child *call,
				    const struct dns_options *o, struct vpn_error *err)
{
	struct dns_resolv now;
	int e = dns_resolv_read(RESOLVCONF_FILE, &now);
	vpn_status status = e == 0 ? judge(host, p, call, o, &now, err) : refuse(p, call, err);
	dns_resolv_clear(&now);
	return status;
}
