/* SPDX-License-Identifier: BSD-2-Clause */
/* address: endpoints of the ABI, socket addresses of the system, and failures as text. */
#ifndef UDP_ADDRESS_H
#define UDP_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <vpncore/plugin.h>

union udp_name {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Longest text that udp_address_text() writes, with its final zero: "[address%4294967295]:65535". */
#define UDP_ADDRESS_TEXT 80u

/*
 * Reads an IPv4 or IPv6 literal, the latter with an optional "%zone" (number or interface name), into
 * family, addr and scope of *out; the rest becomes zero. False: not a literal. An unknown zone gives
 * scope 0. RFC 4291 section 2.2, RFC 4007 section 11. [any]
 */
bool udp_address_parse(const char *text, struct vpn_endpoint *out);

/* True for fe80::/10, which means nothing without a zone. RFC 4291 section 2.5.6. [any] */
bool udp_address_is_link_local(const struct vpn_endpoint *e);

/* Fills *out and returns its length in bytes; 0 for an endpoint that is neither IPv4 nor IPv6. [any] */
socklen_t udp_address_to_name(const struct vpn_endpoint *e, union udp_name *out);

/* Fills family, addr, port and scope of *out; the rest becomes zero. [any] */
void udp_address_from_name(const union udp_name *name, struct vpn_endpoint *out);

/* True when both reach the same peer; a scope of 0 in `known` matches every scope. [any] */
bool udp_address_is_peer(const struct vpn_endpoint *known, const struct vpn_endpoint *from);

/* True when the parts that say how to reach the peer are equal. [any] */
bool udp_address_same_local(const struct vpn_endpoint *a, const struct vpn_endpoint *b);

/* True when a local address or interface is chosen. [any] */
bool udp_address_has_local(const struct vpn_endpoint *e);

/* Writes "address:port" and returns text. [any] */
const char *udp_address_text(const struct vpn_endpoint *e, char text[UDP_ADDRESS_TEXT]);

/* Fills *err and returns status. `where` is a JSON pointer or "". [any] */
vpn_status udp_fault(struct vpn_error *err, vpn_status status, int os_errno, const char *where,
		     const char *format, ...)
#if defined(__GNUC__)
	__attribute__((format(printf, 5, 6)))
#endif
	;

#endif
