/* SPDX-License-Identifier: BSD-2-Clause */
/* options: those that both drivers have, the same as tuntap-linux's of these names. */
#ifndef DARWIN_OPTIONS_H
#define DARWIN_OPTIONS_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#define DARWIN_ETHERNET_ROOM 22u /* header and two VLAN tags in front of the IP packet */
#define DARWIN_MTU_MAX       65535u
#define DARWIN_MTU_MIN_IPV6  1280u /* RFC 8200 section 5 */

/* An item of "peers": an address with the one on the other side. */
struct darwin_peer {
	struct vpn_address address;
	struct vpn_prefix peer;
};

struct darwin_options {
	const char *name;
	uint64_t mtu;
	struct vpn_list addresses; /* struct vpn_prefix */
	struct vpn_list peers;     /* struct darwin_peer */
	uint32_t up;
};

extern const struct vpn_option_table darwin_peer_table;

/* Rows of an option table for member `o` of `config`. */
#define DARWIN_OPTION_MTU(config, o) \
	{ \
		.name = "mtu", .type = VPN_OPT_UINT, .dflt = "0", .unit = "bytes", \
		.max = DARWIN_MTU_MAX, .offset = (uint32_t)offsetof(config, o.mtu), \
		.doc = "Largest IP packet, 68 and more. 0: the largest that the stack carries. " \
		       "IPv6 needs 1280.", \
	}
#define DARWIN_OPTION_ADDRESSES(config, o) \
	{ \
		.name = "addresses", .type = VPN_OPT_LIST, .item_type = VPN_OPT_PREFIX, \
		.offset = (uint32_t)offsetof(config, o.addresses), \
		.doc = "Addresses of the device, each with the length of its network's prefix.", \
	}

/* Checks what the table cannot say. `most` is the largest MTU. */
vpn_status darwin_options_check(const struct darwin_options *o, uint32_t most,
				struct vpn_error *err);

/* Item i of a list. */
const struct vpn_prefix *darwin_options_address(const struct darwin_options *o, uint32_t i);
const struct darwin_peer *darwin_options_peer(const struct darwin_options *o, uint32_t i);

/* The number in a name of this form: "utun7" with prefix "utun". -1: any number will do (no name,
 * "utun", "utun%d"). -2: not a name of this form. Numbers up to `most`. */
int darwin_options_unit(const char *name, const char *prefix, int most);

#endif
