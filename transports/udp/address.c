/* SPDX-License-Identifier: BSD-2-Clause */
/* address: endpoints of the ABI, socket addresses of the system, and failures as text. */
#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t zone_index(const char *zone)
{
	char *end;
	unsigned long number = strtoul(zone, &end, 10);
	if (*zone >= '0' && *zone <= '9' && *end == '\0' && number <= UINT32_MAX)
		return (uint32_t)number;
	return if_nametoindex(zone);
}

bool udp_address_parse(const char *text, struct vpn_endpoint *out)
{
	char plain[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "%");
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->addr) == 1) {
		out->family = VPN_AF_INET;
		return true;
	}
	if (len >= sizeof(plain) || (text[len] == '%' && text[len + 1] == '\0'))
		return false;
	memcpy(plain, text, len);
	plain[len] = '\0';
	if (inet_pton(AF_INET6, plain, out->addr) != 1)
		return false;
	out->family = VPN_AF_INET6;
	if (text[len] == '%')
		out->scope = zone_index(text + len + 1);
	return true;
}

bool udp_address_is_link_local(const struct vpn_endpoint *e)
{
	return e->family == VPN_AF_INET6 && e->addr[0] == 0xfe && (e->addr[1] & 0xc0) == 0x80;
}

socklen_t udp_address_to_name(const struct vpn_endpoint *e, union udp_name *out)
{
	if (e->family == VPN_AF_INET) {
		memset(&out->in, 0, sizeof(out->in));
		out->in.sin_family = AF_INET;
		out->in.sin_port = htons(e->port);
		memcpy(&out->in.sin_addr, e->addr, 4);
		return sizeof(out->in);
	}
	if (e->family == VPN_AF_INET6) {
		memset(&out->in6, 0, sizeof(out->in6));
		out->in6.sin6_family = AF_INET6;
		out->in6.sin6_port = htons(e->port);
		out->in6.sin6_scope_id = e->scope;
		memcpy(&out->in6.sin6_addr, e->addr, 16);
		return sizeof(out->in6);
	}
	return 0;
}

void udp_address_from_name(const union udp_name *name, struct vpn_endpoint *out)
{
	memset(out, 0, sizeof(*out));
	if (name->any.sa_family == AF_INET) {
		out->family = VPN_AF_INET;
		out->port = ntohs(name->in.sin_port);
		memcpy(out->addr, &name->in.sin_addr, 4);
	} else if (name->any.sa_family == AF_INET6) {
		out->family = VPN_AF_INET6;
		out->port = ntohs(name->in6.sin6_port);
		out->scope = name->in6.sin6_scope_id;
		memcpy(out->addr, &name->in6.sin6_addr, 16);
	}
}

bool udp_address_is_peer(const struct vpn_endpoint *known, const struct vpn_endpoint *from)
{
	return known->family == from->family && known->port == from->port &&
	       (known->scope == 0 || known->scope == from->scope) &&
	       memcmp(known->addr, from->addr, sizeof(known->addr)) == 0;
}

bool udp_address_same_local(const struct vpn_endpoint *a, const struct vpn_endpoint *b)
{
	return a->ifindex == b->ifindex && a->local_port == b->local_port &&
	       memcmp(a->local, b->local, sizeof(a->local)) == 0;
}

bool udp_address_has_local(const struct vpn_endpoint *e)
{
	static const uint8_t none[16];
	return e->ifindex != 0 || memcmp(e->local, none, sizeof(none)) != 0;
}

const char *udp_address_text(const struct vpn_endpoint *e, char text[UDP_ADDRESS_TEXT])
{
	char plain[INET6_ADDRSTRLEN] = "?";
	char zone[16] = "";
	if (e->family == VPN_AF_INET) {
		inet_ntop(AF_INET, e->addr, plain, sizeof(plain));
		snprintf(text, UDP_ADDRESS_TEXT, "%s:%u", plain, e->port);
		return text;
	}
	if (e->family == VPN_AF_INET6)
		inet_ntop(AF_INET6, e->addr, plain, sizeof(plain));
	if (e->scope != 0)
		snprintf(zone, sizeof(zone), "%%%u", e->scope);
	snprintf(text, UDP_ADDRESS_TEXT, "[%s%s]:%u", plain, zone, e->port);
	return text;
}

vpn_status udp_fault(struct vpn_error *err, vpn_status status, int os_errno, const char *where,
		     const char *format, ...)
{
	va_list args;
	err->status = status;
	err->os_errno = os_errno;
	snprintf(err->where, sizeof(err->where), "%s", where);
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return status;
}
