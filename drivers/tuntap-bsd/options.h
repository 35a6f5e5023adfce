/* SPDX-License-Identifier: BSD-2-Clause */
/* options: what the manifest can say about a TUN or TAP device. The keys are those of tuntap-linux, so
 * that a manifest with "device": "auto" goes from one system to another; the meaning of what only Linux
 * has is in the table. Nothing here asks which kernel there is. */
#ifndef BSD_OPTIONS_H
#define BSD_OPTIONS_H

#include <vpncore/plugin.h>

enum bsd_layer_kind { BSD_IP, BSD_ETHERNET };
enum bsd_persist { BSD_PERSIST_KEEP, BSD_PERSIST_ON, BSD_PERSIST_OFF };
enum bsd_switch { BSD_AUTO, BSD_ON, BSD_OFF };

#define BSD_ETHERNET_ROOM 22u /* header and two VLAN tags in front of the IP packet */

/* An item of "peers": an address with the one on the other side. */
struct bsd_peer {
	struct vpn_address address;
	struct vpn_prefix peer;
};

struct bsd_options {
	const char *name;
	uint64_t mtu;
	uint64_t txqueuelen;
	int64_t fd;
	struct vpn_list addresses; /* struct vpn_prefix */
	struct vpn_list peers;     /* struct bsd_peer */
	struct vpn_mac mac;
	uint32_t layer; /* enum bsd_layer_kind */
	uint32_t up;
	uint32_t persist; /* enum bsd_persist */
	uint32_t exclusive;
	uint32_t offload; /* enum bsd_switch */
	uint32_t uso;     /* enum bsd_switch */
};

extern const struct vpn_option_table bsd_option_table;

/* What the table cannot say and holds for every kernel. Pure. [main] */
vpn_status bsd_options_validate(const void *config, struct vpn_error *err);

/* Item i of a list. */
const struct vpn_prefix *bsd_options_address(const struct bsd_options *o, uint32_t i);
const struct bsd_peer *bsd_options_peer(const struct bsd_options *o, uint32_t i);

#endif
