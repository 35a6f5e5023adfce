/* SPDX-License-Identifier: BSD-2-Clause */
/* options: what the manifest says about a udp stage, and what follows from it. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"

#define DEFAULT_INTERVAL UINT64_C(30000000000) /* ns; as in the table */
/* WireGuard's receiver answers a stream that goes one way after 10 s (Keepalive-Timeout), and the
 * sender does not wait for more than 15 s. */
#define DEFAULT_SILENCE UINT64_C(15000000000)

#define IPV4_OVERHEAD 28u /* RFC 791 without options, RFC 768 */
#define IPV6_OVERHEAD 48u /* RFC 8200, RFC 768 */

static bool is_any(const struct vpn_hostport *at)
{
	return at->host == NULL || at->host[0] == '\0' || strcmp(at->host, "*") == 0;
}

bool udp_options_any(const struct udp_options *o)
{
	return is_any(&o->listen);
}

static uint32_t families_of(const char *host)
{
	struct vpn_endpoint e;
	if (!udp_address_parse(host, &e))
		return UDP_IPV4 | UDP_IPV6;
	return e.family == VPN_AF_INET ? UDP_IPV4 : UDP_IPV6;
}

static uint32_t families_asked(const struct udp_options *o)
{
	switch (o->family) {
	case UDP_FAMILY_IPV4:
		return UDP_IPV4;
	case UDP_FAMILY_IPV6:
		return UDP_IPV6;
	default:
		return UDP_IPV4 | UDP_IPV6;
	}
}

uint32_t udp_options_families(const struct udp_options *o)
{
	uint32_t set = families_asked(o);
	if (!is_any(&o->listen))
		set &= families_of(o->listen.host);
	if (o->remote.host != NULL)
		set &= families_of(o->remote.host);
	return set;
}

static vpn_status check_literal(const char *host, const char *where, struct vpn_error *err)
{
	struct vpn_endpoint e;
	if (!udp_address_parse(host, &e))
		return VPN_OK;
	if (udp_address_is_link_local(&e) && strchr(host, '%') == NULL)
		return udp_fault(err, VPN_EINVAL, 0, where,
				 "%s is link-local: add its interface, as in [%s%%eth0]:port", host,
				 host);
	return VPN_OK;
}

uint32_t udp_options_ports(const struct udp_options *o)
{
	return (uint32_t)o->listen.port_last - o->listen.port + 1;
}

static vpn_status check_range(const struct udp_options *o, struct vpn_error *err)
{
	uint32_t ports = udp_options_ports(o);
	if (ports == 1)
		return VPN_OK;
	if (o->listen.port == 0)
		return udp_fault(
			err, VPN_EINVAL, 0, "/listen",
			"a range begins with port 1 or later: 0 lets the system choose one");
	if (ports > UDP_PORTS_MAX)
		return udp_fault(
			err, VPN_EINVAL, 0, "/listen",
			"%u ports are more than %u, each with sockets of its own: choose a "
			"narrower range",
			ports, UDP_PORTS_MAX);
	return VPN_OK;
}

static vpn_status check_listen(const struct udp_options *o, struct vpn_error *err)
{
	struct vpn_endpoint e;
	vpn_status status = check_range(o, err);
	if (status != VPN_OK)
		return status;
	if (is_any(&o->listen))
		return VPN_OK;
	if (!udp_address_parse(o->listen.host, &e))
		return udp_fault(
			err, VPN_EINVAL, 0, "/listen",
			"\"%s\" is not an address: write an IPv4 or IPv6 address, or * for any",
			o->listen.host);
	return check_literal(o->listen.host, "/listen", err);
}

static vpn_status check_remote(const struct udp_options *o, struct vpn_error *err)
{
	if (o->remote.host == NULL)
		return VPN_OK;
	if (is_any(&o->remote))
		return udp_fault(err, VPN_EINVAL, 0, "/remote",
				 "remote needs a name or an address");
	if (o->remote.port == 0)
		return udp_fault(err, VPN_EINVAL, 0, "/remote",
				 "remote needs a port from 1 to 65535");
	if (o->learn != 0)
		return udp_fault(err, VPN_EINVAL, 0, "/learn",
				 "learn is for a stage without remote: leave one of them out");
	return check_literal(o->remote.host, "/remote", err);
}

static bool parse_port(const char **text, uint16_t *ret)
{
	char *end;
	unsigned long port = strtoul(*text, &end, 10);
	if (**text < '0' || **text > '9' || port == 0 || port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	*text = end;
	return true;
}

static bool parse_ports(const char *text, uint16_t *first, uint16_t *last)
{
	return parse_port(&text, first) && *text++ == '-' && parse_port(&text, last) &&
	       *text == '\0' && *first < *last;
}

static bool has_remote_range(const struct udp_options *o)
{
	return o->remote.host != NULL && o->remote.port_last > o->remote.port;
}

void udp_options_hop(const struct udp_options *o, struct udp_hop_plan *out)
{
	*out = (struct udp_hop_plan){.last = 0};
	if (has_remote_range(o)) {
		out->first = o->remote.port;
		out->last = o->remote.port_last;
	} else if (o->hop == NULL || o->hop->ports == NULL ||
		   !parse_ports(o->hop->ports, &out->first, &out->last)) {
		return;
	}
	out->interval_ns = o->hop != NULL ? o->hop->interval : DEFAULT_INTERVAL;
	out->silence_ns = o->hop != NULL ? o->hop->silence : DEFAULT_SILENCE;
}

static vpn_status check_hop(const struct udp_options *o, struct vpn_error *err)
{
	uint16_t first, last;
	if (o->hop == NULL)
		return VPN_OK;
	if (o->learn != 0)
		return udp_fault(err, VPN_EINVAL, 0, "/hop",
				 "the side that learns its peer is hopped to, it cannot hop: give "
				 "\"listen\" the range, and \"hop\" to the peer");
	if (o->remote.host != NULL && o->hop->ports != NULL)
		return udp_fault(
			err, VPN_EINVAL, 0, "/hop/ports",
			"ports is for a stage without remote: write the range there, as in "
			"\"host:20000-20100\"");
	if (o->remote.host != NULL && !has_remote_range(o))
		return udp_fault(
			err, VPN_EINVAL, 0, "/hop",
			"remote has one port, so there is nowhere to hop to: write a range, "
			"as in \"host:20000-20100\"");
	if (o->remote.host == NULL && o->hop->ports == NULL)
		return udp_fault(err, VPN_EINVAL, 0, "/hop",
				 "without remote, hop needs the peers' \"ports\", as in "
				 "\"20000-20100\"");
	if (o->hop->ports != NULL && !parse_ports(o->hop->ports, &first, &last))
		return udp_fault(err, VPN_EINVAL, 0, "/hop/ports",
				 "\"%s\" is not a range of ports from 1 to 65535, the lower first, "
				 "as in \"20000-20100\"",
				 o->hop->ports);
	return VPN_OK;
}

static vpn_status check_families(const struct udp_options *o, struct vpn_error *err)
{
	uint32_t listen = is_any(&o->listen) ? UDP_IPV4 | UDP_IPV6 : families_of(o->listen.host);
	if ((families_asked(o) & listen) == 0)
		return udp_fault(err, VPN_EINVAL, 0, "/family",
				 "family contradicts the address in listen");
	if (udp_options_families(o) == 0)
		return udp_fault(err, VPN_EINVAL, 0, "/remote",
				 "remote is of another address family than listen or family");
	return VPN_OK;
}

vpn_status udp_options_validate(const void *config, struct vpn_error *err)
{
	const struct udp_options *o = config;
	vpn_status status = check_listen(o, err);
	if (status == VPN_OK)
		status = check_remote(o, err);
	if (status == VPN_OK)
		status = check_hop(o, err);
	if (status == VPN_OK)
		status = check_families(o, err);
	if (status == VPN_OK && o->carry_dscp != 0 && o->dscp != 0)
		status = udp_fault(
			err, VPN_EINVAL, 0, "/dscp",
			"dscp is one value for all, carry_dscp copies each packet's: choose one");
	return status;
}

void udp_options_needs(const void *config, struct vpn_needs *out)
{
	const struct udp_options *o = config;
	out->flags = VPN_BOTTOM | VPN_L2 | VPN_L3 | VPN_LANE_AWARE;
	if (o->remote.host == NULL && o->learn == 0)
		out->flags |= VPN_NEEDS_REMOTE;
	out->overhead = udp_options_families(o) == UDP_IPV4 ? IPV4_OVERHEAD : IPV6_OVERHEAD;
	out->mtu = (uint32_t)o->path_mtu;
}

static const char *const family_choices[] = {"auto", "ipv4", "ipv6", NULL};
static const char *const offload_choices[] = {"auto", "on", "off", NULL};
static const char *const fragment_choices[] = {"allow", "discover", "never", NULL};

#define AT(field)     (uint32_t) offsetof(struct udp_options, field)
#define AT_HOP(field) (uint32_t) offsetof(struct udp_hop_options, field)

static const struct vpn_option hop_options[] = {
	{.name = "ports",
	 .type = VPN_OPT_STRING,
	 .offset = AT_HOP(ports),
	 .min = 1,
	 .max = 11,
	 .doc = "The range, as in 20000-20100, where a stage above chooses the endpoint: one with "
		"a "
		"port of the range may be reached on every other one. With remote the range stands "
		"there."},
	{.name = "interval",
	 .type = VPN_OPT_DURATION,
	 .offset = AT_HOP(interval),
	 .dflt = "30s",
	 .min = 1000,
	 .max = 86400000,
	 .doc = "Moves so often while it sends, each time a quarter sooner or later at random."},
	{.name = "silence",
	 .type = VPN_OPT_DURATION,
	 .offset = AT_HOP(silence),
	 .dflt = "15s",
	 .min = 1000,
	 .max = 3600000,
	 .doc = "Moves at once when it has sent for so long and nothing has come back from the "
		"port."},
};

static const struct vpn_option_table hop_table = VPN_OPTION_TABLE(hop_options,
								  struct udp_hop_options);

static const struct vpn_option options[] = {
	{.name = "listen",
	 .type = VPN_OPT_HOSTPORT,
	 .flags = VPN_OPT_PORT_RANGE,
	 .offset = AT(listen),
	 .dflt = "*:0",
	 .doc = "Local address and port. * takes IPv4 and IPv6 on one port, 0.0.0.0 IPv4 alone, "
		"[::] IPv6 "
		"alone; port 0 lets the system choose. A range of up to 1024 ports is for peers "
		"that "
		"hop: each is answered from the port that it wrote to."},
	{.name = "remote",
	 .type = VPN_OPT_HOSTPORT,
	 .flags = VPN_OPT_PORT_RANGE,
	 .offset = AT(remote),
	 .doc = "The peer, by name or address. Datagrams from others are dropped. Leave it out "
		"where a stage "
		"above chooses the endpoint. Over a range of ports it hops: see hop."},
	{.name = "hop",
	 .type = VPN_OPT_OBJECT,
	 .offset = AT(hop),
	 .table = &hop_table,
	 .doc = "When to move to another of the peer's ports. Where listen leaves the port to the "
		"system, our own changes as well."},
	{.name = "family",
	 .type = VPN_OPT_ENUM,
	 .offset = AT(family),
	 .dflt = "auto",
	 .choices = family_choices,
	 .doc = "Restricts sockets and the resolving of remote to one family."},
	{.name = "path_mtu",
	 .type = VPN_OPT_UINT,
	 .offset = AT(path_mtu),
	 .dflt = "1500",
	 .min = 576,
	 .max = 65535,
	 .unit = "bytes",
	 .doc = "Largest IP packet that the path to the peer carries; the device's MTU follows "
		"from it."},
	{.name = "buffer",
	 .type = VPN_OPT_SIZE,
	 .offset = AT(buffer),
	 .dflt = "7MiB",
	 .min = 4096,
	 .max = 1 << 30,
	 .unit = "bytes",
	 .doc = "Send and receive buffer of each socket."},
	{.name = "fragment",
	 .type = VPN_OPT_ENUM,
	 .offset = AT(fragment),
	 .dflt = "allow",
	 .choices = fragment_choices,
	 .doc = "Datagrams larger than the path's MTU: allow fragments them on the way, discover "
		"learns the "
		"path's MTU by ICMP and fragments here, never drops them."},
	{.name = "fwmark",
	 .type = VPN_OPT_UINT,
	 .offset = AT(fwmark),
	 .dflt = "0",
	 .min = 0,
	 .max = UINT32_MAX,
	 .doc = "Mark of outgoing packets for policy routing and firewall; 0 sets none."},
	{.name = "interface",
	 .type = VPN_OPT_STRING,
	 .offset = AT(device),
	 .min = 1,
	 .max = 15,
	 .doc = "Sends and receives through this network interface only."},
	{.name = "sticky",
	 .type = VPN_OPT_BOOL,
	 .offset = AT(sticky),
	 .dflt = "true",
	 .doc = "Answers from the local address and interface where the peer's datagrams arrive."},
	{.name = "learn",
	 .type = VPN_OPT_BOOL,
	 .offset = AT(learn),
	 .dflt = "false",
	 .doc = "Without remote: sends to whoever sent the last datagram. Anybody who can reach "
		"the port can "
		"take the tunnel over; not for untrusted networks."},
	{.name = "offload",
	 .type = VPN_OPT_ENUM,
	 .offset = AT(offload),
	 .dflt = "auto",
	 .choices = offload_choices,
	 .doc = "Many datagrams in one system call and one walk through the network stack "
		"(UDP_SEGMENT, "
		"UDP_GRO); on fails where they are missing."},
	{.name = "dscp",
	 .type = VPN_OPT_UINT,
	 .offset = AT(dscp),
	 .dflt = "0",
	 .min = 0,
	 .max = 63,
	 .doc = "DSCP of all outgoing datagrams."},
	{.name = "carry_dscp",
	 .type = VPN_OPT_BOOL,
	 .offset = AT(carry_dscp),
	 .dflt = "false",
	 .doc = "Copies each inner packet's DSCP to its datagram. Shows it to the network."},
	{.name = "carry_ecn",
	 .type = VPN_OPT_BOOL,
	 .offset = AT(carry_ecn),
	 .dflt = "false",
	 .doc = "Copies each inner packet's ECN bits to its datagram, and marks that arrive to the "
		"device."},
};

const struct vpn_option_table udp_option_table = VPN_OPTION_TABLE(options, struct udp_options);
