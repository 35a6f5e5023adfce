/* SPDX-License-Identifier: BSD-2-Clause */
/* options: what the manifest says about a udp stage, and what follows from it. */
#ifndef UDP_OPTIONS_H
#define UDP_OPTIONS_H

#include <stdbool.h>
#include <vpncore/plugin.h>

enum udp_family { UDP_FAMILY_AUTO, UDP_FAMILY_IPV4, UDP_FAMILY_IPV6 };
enum udp_offload { UDP_OFFLOAD_AUTO, UDP_OFFLOAD_ON, UDP_OFFLOAD_OFF };
enum udp_fragment { UDP_FRAGMENT_ALLOW, UDP_FRAGMENT_DISCOVER, UDP_FRAGMENT_NEVER };

struct udp_options {
	struct vpn_hostport listen;
	struct vpn_hostport remote;
	const char *device;
	uint64_t path_mtu; /* bytes of IP packet */
	uint64_t buffer;   /* bytes */
	uint64_t fwmark;
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

/* The lifecycle's functions, see plugin.h section 11. [main] */
vpn_status udp_options_validate(const void *config, struct vpn_error *err);
void udp_options_needs(const void *config, struct vpn_needs *out);

#endif
