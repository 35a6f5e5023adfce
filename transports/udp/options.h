/* SPDX-License-Identifier: BSD-2-Clause */
/* options: what the manifest says about a udp stage, and what follows from it. */
#ifndef UDP_OPTIONS_H
#define UDP_OPTIONS_H

#include <stdbool.h>
#include <vpncore/plugin.h>

enum udp_family { UDP_FAMILY_AUTO, UDP_FAMILY_IPV4, UDP_FAMILY_IPV6 };
enum udp_offload { UDP_OFFLOAD_AUTO, UDP_OFFLOAD_ON, UDP_OFFLOAD_OFF };
enum udp_fragment { UDP_FRAGMENT_ALLOW, UDP_FRAGMENT_DISCOVER, UDP_FRAGMENT_NEVER };

/* Most ports of a range to listen on: each has its own sockets on every lane. */
#define UDP_PORTS_MAX 1024u

struct udp_hop_options {
	const char *ports; /* "first-last", NULL = those of remote */
	uint64_t interval; /* ns */
	uint64_t silence;  /* ns */
};

struct udp_options {
	struct vpn_hostport listen;
	struct vpn_hostport remote;
	const char *device;
	uint64_t path_mtu; /* bytes of IP packet */
	uint64_t buffer;   /* bytes */
	uint64_t fwmark;
	const struct udp_hop_options *hop; /* NULL = the defaults, where remote is a range */
	uint64_t dscp;
	uint32_t family;
	uint32_t offload;
	uint32_t fragment;
	uint32_t sticky;
	uint32_t learn;
	uint32_t carry_dscp;
	uint32_t carry_ecn;
};

extern const struct vpn_option_table udp_option_table;

/* Sets of address families. */
#define UDP_IPV4 1u
#define UDP_IPV6 2u

/* The families that sockets are opened for: what listen, remote and family leave. [any] */
uint32_t udp_options_families(const struct udp_options *o);

/* True when listen names no address, so that a family that the system lacks may be left out. [any] */
bool udp_options_any(const struct udp_options *o);

/* Ports that listen names. [any] */
uint32_t udp_options_ports(const struct udp_options *o);

/* Over which of the peer's ports to hop, and when. */
struct udp_hop_plan {
	uint16_t first;
	uint16_t last;
	uint64_t interval_ns;
	uint64_t silence_ns;
};

/* Fills *out from options that are valid; all zero where nothing hops. [any] */
void udp_options_hop(const struct udp_options *o, struct udp_hop_plan *out);

/* The lifecycle's functions, see plugin.h section 11. [main] */
vpn_status udp_options_validate(const void *config, struct vpn_error *err);
void udp_options_needs(const void *config, struct vpn_needs *out);

#endif
