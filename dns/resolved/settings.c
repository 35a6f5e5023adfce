/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/name.h"

bool resolved_settings_add_server(struct resolved_settings *s, const struct vpn_address *a)
{
	if (s->n_servers == DNS_SERVERS_MAX)
		return false;
	s->servers[s->n_servers++] = *a;
	return true;
}

bool resolved_settings_add_domain(struct resolved_settings *s, const char *name, bool route_only)
{
	size_t len = dns_name_len(name), room = sizeof(s->domains) - s->domain_bytes;
	if (len > DNS_NAME_MAX || len + 3 > room)
		return false;
	int n = snprintf(s->domains + s->domain_bytes, room, "%s%.*s", route_only ? "~" : "",
			 len > 0 ? (int)len : 1, len > 0 ? name : ".");
	s->domain_bytes += (uint32_t)n + 1;
	s->n_domains++;
	return true;
}

const char *resolved_settings_next(const struct resolved_settings *s, const char *before)
{
	const char *next = before != NULL ? before + strlen(before) + 1 : s->domains;
	return next < s->domains + s->domain_bytes ? next : NULL;
}

static bool is_searched(const struct dns_options *o, const char *name)
{
	for (uint32_t i = 0; i < o->search.count; i++)
		if (dns_name_equal(name, dns_options_name(&o->search, i)))
			return true;
	return false;
}

void resolved_settings_make(struct resolved_settings *s, const struct dns_options *o,
			    const struct vpn_device_info *device)
{
	memset(s, 0, sizeof(*s));
	s->version = RESOLVED_RECORD_VERSION;
	s->ifindex = device->ifindex;
	snprintf(s->ifname, sizeof(s->ifname), "%s", device->name);
	s->default_route = dns_options_is_everything(o);
	for (uint32_t i = 0; i < o->servers.count; i++)
		(void)resolved_settings_add_server(s, dns_options_server(o, i));
	for (uint32_t i = 0; i < o->search.count; i++)
		(void)resolved_settings_add_domain(s, dns_options_name(&o->search, i), false);
	for (uint32_t i = 0; i < o->domains.count; i++) {
		const char *name = dns_name_plain(dns_options_name(&o->domains, i));
		if (!is_searched(o, name))
			(void)resolved_settings_add_domain(s, name, true);
	}
	if (o->domains.count == 0)
		(void)resolved_settings_add_domain(s, ".", true);
}

bool resolved_settings_same_servers(const struct resolved_settings *a,
				    const struct resolved_settings *b)
{
	return a->n_servers == b->n_servers &&
	       memcmp(a->servers, b->servers, a->n_servers * sizeof(a->servers[0])) == 0;
}

bool resolved_settings_same_domains(const struct resolved_settings *a,
				    const struct resolved_settings *b)
{
	const char *x = NULL, *y = NULL;
	if (a->n_domains != b->n_domains)
		return false;
	for (uint32_t i = 0; i < a->n_domains; i++) {
		x = resolved_settings_next(a, x);
		y = resolved_settings_next(b, y);
		if (x == NULL || y == NULL || (x[0] == '~') != (y[0] == '~') ||
		    !dns_name_equal(x, y))
			return false;
	}
	return true;
}

/* ---- the record ---- */

size_t resolved_settings_len(const struct resolved_settings *s)
{
	return offsetof(struct resolved_settings, domains) + s->domain_bytes;
}

bool resolved_settings_read(struct resolved_settings *s, const void *record, size_t len)
{
	const size_t head = offsetof(struct resolved_settings, domains);
	uint32_t n = 0;
	memset(s, 0, sizeof(*s));
	if (len < head || len > sizeof(*s))
		return false;
	memcpy(s, record, len);
	if (s->version != RESOLVED_RECORD_VERSION || s->ifindex == 0 ||
	    s->n_servers > DNS_SERVERS_MAX || s->domain_bytes != len - head ||
	    memchr(s->ifname, '\0', sizeof(s->ifname)) == NULL ||
	    (s->domain_bytes > 0 && s->domains[s->domain_bytes - 1] != '\0'))
		return false;
	for (const char *d = resolved_settings_next(s, NULL); d != NULL;
	     d = resolved_settings_next(s, d))
		n++;
	return n == s->n_domains;
}

/* ---- messages ---- */

static int append_server(const struct vpn_address *a, sd_bus_message *m)
{
	bool six = a->family == VPN_AF_INET6;
	int r = sd_bus_message_open_container(m, 'r', "iay");
	if (r >= 0)
		r = sd_bus_message_append(m, "i", six ? AF_INET6 : AF_INET);
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', a->addr, six ? 16 : 4);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int resolved_settings_append_servers(const struct resolved_settings *s, sd_bus_message *m)
{
	int r = sd_bus_message_append(m, "i", (int)s->ifindex);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(iay)");
	for (uint32_t i = 0; i < s->n_servers && r >= 0; i++)
		r = append_server(&s->servers[i], m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int resolved_settings_append_domains(const struct resolved_settings *s, sd_bus_message *m)
{
	int r = sd_bus_message_append(m, "i", (int)s->ifindex);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sb)");
	for (const char *d = resolved_settings_next(s, NULL); d != NULL && r >= 0;
	     d = resolved_settings_next(s, d))
		r = sd_bus_message_append(m, "(sb)", dns_name_plain(d), (int)(d[0] == '~'));
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int resolved_settings_append_default_route(const struct resolved_settings *s, sd_bus_message *m)
{
	return sd_bus_message_append(m, "ib", (int)s->ifindex, (int)s->default_route);
}
