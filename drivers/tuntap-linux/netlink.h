/* SPDX-License-Identifier: BSD-2-Clause */
/* netlink: asks rtnetlink(7) about one link and its addresses, and changes them. */
#ifndef TUNTAP_NETLINK_H
#define TUNTAP_NETLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <vpncore/plugin.h>

struct mnl_socket;
struct nlmsghdr;

struct tuntap_netlink {
	struct mnl_socket *sock; /* NULL = closed */
	uint32_t seq;
};

/* What the kernel says of a link. */
struct tuntap_link {
	uint32_t index;
	uint32_t flags; /* IFF_* */
	uint32_t mtu;
	uint32_t txqueuelen;
	uint32_t owner, group; /* of a TUN or TAP device, UINT32_MAX = anybody */
	char name[IFNAMSIZ];
	char kind[16]; /* "tun" for TUN and TAP, "" for hardware */
	uint8_t mac[6];
	uint8_t addr_gen_mode; /* IN6_ADDR_GEN_MODE_*, 0xff = no IPv6 here */
	bool ethernet;         /* TAP */
	bool packet_info;      /* four bytes in front of each packet: made without IFF_NO_PI */
	bool multi_queue;
	uint32_t n_queues; /* that somebody has open; known for multi_queue only */
};

/* What to change; a member that is zero is left alone. */
struct tuntap_change {
	uint32_t mtu;
	uint32_t txqueuelen;
	const uint8_t *mac;
	bool up;
	bool no_addr_gen; /* no link-local IPv6 address of the kernel's own */
};

/* An address of a device. Without peer.family it stands alone. */
struct tuntap_address {
	struct vpn_prefix local; /* length: that of the peer's prefix where there is one */
	struct vpn_prefix peer;
};

/* All functions below return 0 or a positive errno. [main], or [lane] where a kernel answer at once
 * is all that they wait for. */
int tuntap_netlink_open(struct tuntap_netlink *nl);
void tuntap_netlink_close(struct tuntap_netlink *nl); /* also when not open */

/* By index, or by name when index is 0. ENODEV: there is none. */
int tuntap_netlink_get_link(struct tuntap_netlink *nl, uint32_t index, const char *name,
			    struct tuntap_link *ret);
/* In another network namespace, by its number here; -1 = ours. */
int tuntap_netlink_get_link_in(struct tuntap_netlink *nl, int32_t nsid, uint32_t index,
			       const char *name, struct tuntap_link *ret);
/* The number that our network namespace has for the one behind descriptor `ns`; gives it one when it
 * has none, for as long as both live. */
int tuntap_netlink_get_nsid(struct tuntap_netlink *nl, int ns, int32_t *ret);
int tuntap_netlink_set_link(struct tuntap_netlink *nl, uint32_t index,
			    const struct tuntap_change *c);

/* Addresses of a link: up to `max` into `ret`, their number into *ret_n. */
int tuntap_netlink_get_addresses(struct tuntap_netlink *nl, uint32_t index,
				 struct tuntap_address *ret, uint32_t max, uint32_t *ret_n);
/* `no_dad`: usable at once, without asking whether somebody else has it. EEXIST: is there. */
int tuntap_netlink_add_address(struct tuntap_netlink *nl, uint32_t index,
			       const struct tuntap_address *a, bool broadcast, bool no_dad);
int tuntap_netlink_del_address(struct tuntap_netlink *nl, uint32_t index,
			       const struct tuntap_address *a);

/* Whether the kernel takes packets to this address as its own. It installs the route for that a moment
 * after an IPv6 address is added (addrconf's work queue). */
int tuntap_netlink_is_local(struct tuntap_netlink *nl, const struct vpn_prefix *address, bool *ret);

/* Readers of messages, also for the monitor. False when the message is not what it should be. */
bool tuntap_netlink_parse_link(const struct nlmsghdr *nlh, struct tuntap_link *ret);
bool tuntap_netlink_parse_address(const struct nlmsghdr *nlh, uint32_t *ret_index,
				  struct tuntap_address *ret);

bool tuntap_address_equal(const struct tuntap_address *a, const struct tuntap_address *b);

/* "10.0.0.1/24", or "10.0.0.1 peer 10.0.0.2/32". */
void tuntap_address_format(const struct tuntap_address *a, char *buf, size_t cap);

#endif
