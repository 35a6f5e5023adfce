/* SPDX-License-Identifier: BSD-2-Clause */
/* options: what the manifest can say about a TUN or TAP device. */
#ifndef TUNTAP_OPTIONS_H
#define TUNTAP_OPTIONS_H

#include <stdbool.h>
#include <vpncore/plugin.h>

enum tuntap_layer { TUNTAP_IP, TUNTAP_ETHERNET };
enum tuntap_persist { TUNTAP_PERSIST_KEEP, TUNTAP_PERSIST_ON, TUNTAP_PERSIST_OFF };
enum tuntap_switch { TUNTAP_AUTO, TUNTAP_ON, TUNTAP_OFF };

#define TUNTAP_DEFAULT_TXQUEUELEN 1000u
#define TUNTAP_ETHERNET_ROOM      22u /* header and two VLAN tags in front of the IP packet */

/* An item of "peers": an address with the one on the other side. */
struct tuntap_peer {
	struct vpn_address address;
	struct vpn_prefix peer;
};

struct tuntap_options {
	const char *name;
	const char *owner;
	const char *group;
	uint64_t mtu;
	uint64_t txqueuelen;
	int64_t fd;
	struct vpn_list addresses; /* struct vpn_prefix */
	struct vpn_list peers;     /* struct tuntap_peer */
	struct vpn_mac mac;
	uint32_t layer;
	uint32_t up;
	uint32_t persist;
	uint32_t exclusive;
	uint32_t offload;
	uint32_t uso;
};

extern const struct vpn_option_table tuntap_option_table;

/* vpn_lifecycle.validate: what the table cannot say. Pure. [main] */
vpn_status tuntap_options_validate(const void *config, struct vpn_error *err);

/* Item i of a list. */
const struct vpn_prefix *tuntap_options_address(const struct tuntap_options *o, uint32_t i);
const struct tuntap_peer *tuntap_options_peer(const struct tuntap_options *o, uint32_t i);

#endif
