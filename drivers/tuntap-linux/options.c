/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"

#define MIN_MTU          68u   /* RFC 791 */
#define MIN_MTU_IPV6     1280u /* RFC 8200 section 5 */
#define MAX_MTU          65535u
#define MAX_MTU_ETHERNET (MAX_MTU - 14u)

const struct vpn_prefix *tuntap_options_address(const struct tuntap_options *o, uint32_t i)
{
	return (const void *)((const char *)o->addresses.items +
			      (size_t)i * o->addresses.item_size);
}

const struct tuntap_peer *tuntap_options_peer(const struct tuntap_options *o, uint32_t i)
{
	return (const void *)((const char *)o->peers.items + (size_t)i * o->peers.item_size);
}

/* The rules of the kernel's dev_valid_name() and dev_alloc_name(); TUNSETIFF truncates what is too
 * long, we refuse it. */
static vpn_status check_name(const char *name, struct vpn_error *err)
{
	const char *percent = strchr(name, '%');
	if (strlen(name) >= IFNAMSIZ)
		return tuntap_fault(
			err, VPN_EINVAL, 0, "/name",
			"\"%s\" is longer than %d characters, the most that the kernel takes", name,
			IFNAMSIZ - 1);
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return tuntap_fault(err, VPN_EINVAL, 0, "/name", "\"%s\" cannot be a device's name",
				    name);
	for (const char *c = name; *c != '\0'; c++)
		if (*c == '/' || *c == ':' || isspace((unsigned char)*c) ||
		    iscntrl((unsigned char)*c))
			return tuntap_fault(
				err, VPN_EINVAL, 0, "/name",
				"a device's name has no slash, colon or white space in it");
	if (percent != NULL && (percent[1] != 'd' || strchr(percent + 1, '%') != NULL))
		return tuntap_fault(err, VPN_EINVAL, 0, "/name",
				    "\"%s\": the one use of %% is a single %%d, for which the "
				    "kernel puts a number",
				    name);
	return VPN_OK;
}

static vpn_status check_mtu(const struct tuntap_options *o, struct vpn_error *err)
{
	uint64_t most = o->layer == TUNTAP_ETHERNET ? MAX_MTU_ETHERNET : MAX_MTU;
	if (o->mtu == 0 || (o->mtu >= MIN_MTU && o->mtu <= most))
		return VPN_OK;
	return tuntap_fault(err, VPN_EINVAL, 0, "/mtu",
			    "%llu is not in %u..%llu (or 0: as the stack allows)",
			    (unsigned long long)o->mtu, MIN_MTU, (unsigned long long)most);
}

static bool is_zero(const uint8_t *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (at[i] != 0)
			return false;
	return true;
}

/* An address that a device can have. */
static vpn_status check_address(const struct tuntap_options *o, uint8_t family, const uint8_t *addr,
				const char *where, struct vpn_error *err)
{
	bool ipv6 = family == VPN_AF_INET6;
	if (is_zero(addr, ipv6 ? 16 : 4))
		return tuntap_fault(err, VPN_EINVAL, 0, where,
				    "the unspecified address cannot be a device's");
	if (ipv6 ? addr[0] == 0xff : (addr[0] & 0xf0) == 0xe0)
		return tuntap_fault(err, VPN_EINVAL, 0, where,
				    "a multicast address cannot be a device's");
	if (ipv6 && o->mtu != 0 && o->mtu < MIN_MTU_IPV6)
		return tuntap_fault(err, VPN_EINVAL, 0, where,
				    "IPv6 needs an MTU of at least %u, and mtu is %llu: raise it "
				    "or leave the address out",
				    MIN_MTU_IPV6, (unsigned long long)o->mtu);
	return VPN_OK;
}

static vpn_status check_prefix(const struct tuntap_options *o, const struct vpn_prefix *p,
			       const char *where, struct vpn_error *err)
{
	if (p->length == 0)
		return tuntap_fault(err, VPN_EINVAL, 0, where,
				    "a prefix length of 0 would draw all traffic into the device: "
				    "write the network's own");
	return check_address(o, p->family, p->addr, where, err);
}

static vpn_status check_addresses(const struct tuntap_options *o, struct vpn_error *err)
{
	char where[48];
	for (uint32_t i = 0; i < o->addresses.count; i++) {
		const struct vpn_prefix *p = tuntap_options_address(o, i);
		snprintf(where, sizeof(where), "/addresses/%u", i);
		vpn_status status = check_prefix(o, p, where, err);
		if (status != VPN_OK)
			return status;
		for (uint32_t k = 0; k < i; k++) {
			const struct vpn_prefix *q = tuntap_options_address(o, k);
			if (q->family == p->family &&
			    memcmp(q->addr, p->addr, sizeof(p->addr)) == 0)
				return tuntap_fault(err, VPN_EINVAL, 0, where,
						    "the same address stands at /addresses/%u", k);
		}
	}
	return VPN_OK;
}

static vpn_status check_peers(const struct tuntap_options *o, struct vpn_error *err)
{
	char where[48];
	for (uint32_t i = 0; i < o->peers.count; i++) {
		const struct tuntap_peer *p = tuntap_options_peer(o, i);
		snprintf(where, sizeof(where), "/peers/%u/address", i);
		vpn_status status = check_address(o, p->address.family, p->address.addr, where,
						  err);
		if (status != VPN_OK)
			return status;
		snprintf(where, sizeof(where), "/peers/%u/peer", i);
		if (p->peer.family != p->address.family)
			return tuntap_fault(err, VPN_EINVAL, 0, where,
					    "address and peer are not of the same family");
		status = check_prefix(o, &p->peer, where, err);
		if (status != VPN_OK)
			return status;
	}
	return VPN_OK;
}

static vpn_status check_mac(const struct tuntap_options *o, struct vpn_error *err)
{
	if (!o->mac.is_set)
		return VPN_OK;
	if (o->layer != TUNTAP_ETHERNET)
		return tuntap_fault(err, VPN_EINVAL, 0, "/mac",
				    "a device of layer \"ip\" has no MAC address");
	if ((o->mac.addr[0] & 1) != 0)
		return tuntap_fault(err, VPN_EINVAL, 0, "/mac",
				    "this is a multicast address: the first byte of a device's own "
				    "is even, 02 for example");
	if (is_zero(o->mac.addr, sizeof(o->mac.addr)))
		return tuntap_fault(err, VPN_EINVAL, 0, "/mac", "all zero is no device's address");
	return VPN_OK;
}

static vpn_status check_fd(const struct tuntap_options *o, struct vpn_error *err)
{
	if (o->fd < 0 || !o->exclusive)
		return VPN_OK;
	return tuntap_fault(
		err, VPN_EINVAL, 0, "/exclusive",
		"a device that is handed in by \"fd\" exists already: leave exclusive out");
}

vpn_status tuntap_options_validate(const void *config, struct vpn_error *err)
{
	const struct tuntap_options *o = config;
	vpn_status status = o->name != NULL ? check_name(o->name, err) : VPN_OK;
	if (status == VPN_OK)
		status = check_mtu(o, err);
	if (status == VPN_OK)
		status = check_addresses(o, err);
	if (status == VPN_OK)
		status = check_peers(o, err);
	if (status == VPN_OK)
		status = check_mac(o, err);
	if (status == VPN_OK)
		status = check_fd(o, err);
	return status;
}

static const char *const layers[] = {"ip", "ethernet", NULL};
static const char *const persist_choices[] = {"keep", "on", "off", NULL};
static const char *const switch_choices[] = {"auto", "on", "off", NULL};

#define AT(field) ((uint32_t)offsetof(struct tuntap_options, field))

static const struct vpn_option peer_options[] = {
	{.name = "address",
	 .type = VPN_OPT_ADDRESS,
	 .flags = VPN_OPT_REQUIRED,
	 .offset = (uint32_t)offsetof(struct tuntap_peer, address),
	 .doc = "The device's own address."},
	{.name = "peer",
	 .type = VPN_OPT_PREFIX,
	 .flags = VPN_OPT_REQUIRED,
	 .offset = (uint32_t)offsetof(struct tuntap_peer, peer),
	 .doc = "The address on the other side, with the length of the prefix that is reached "
		"there (32 or 128 for it alone)."},
};

static const struct vpn_option_table peer_table = VPN_OPTION_TABLE(peer_options,
								   struct tuntap_peer);

static const struct vpn_option options[] = {
	{.name = "name",
	 .type = VPN_OPT_STRING,
	 .dflt = "vpn%d",
	 .offset = AT(name),
	 .doc = "Name of the device, at most 15 characters. The kernel puts the first free number "
		"for %d; empty leaves the name to the kernel."},
	{.name = "layer",
	 .type = VPN_OPT_ENUM,
	 .dflt = "ip",
	 .choices = layers,
	 .offset = AT(layer),
	 .doc = "ip: a TUN device, which carries IP packets. ethernet: a TAP device, which carries "
		"frames."},
	{.name = "mtu",
	 .type = VPN_OPT_UINT,
	 .dflt = "0",
	 .unit = "bytes",
	 .max = MAX_MTU,
	 .offset = AT(mtu),
	 .doc = "Largest IP packet, 68..65535 (ethernet: 65521). 0: the largest that the stack "
		"carries. IPv6 needs 1280."},
	{.name = "addresses",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_PREFIX,
	 .offset = AT(addresses),
	 .doc = "Addresses of the device, each with the length of its network's prefix."},
	{.name = "peers",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_OBJECT,
	 .table = &peer_table,
	 .offset = AT(peers),
	 .doc = "Point-to-point addresses: an address of the device and the one on the other "
		"side."},
	{.name = "mac",
	 .type = VPN_OPT_MAC,
	 .offset = AT(mac),
	 .doc = "MAC address of an ethernet device. Without it the kernel makes one."},
	{.name = "txqueuelen",
	 .type = VPN_OPT_UINT,
	 .dflt = "0",
	 .unit = "packets",
	 .max = 1000000,
	 .offset = AT(txqueuelen),
	 .doc = "Packets (super-packets with offload) that the kernel queues for us. 0: 1000, "
		"where that can be set."},
	{.name = "up",
	 .type = VPN_OPT_BOOL,
	 .dflt = "true",
	 .offset = AT(up),
	 .doc = "Bring the device up. false leaves it as it is."},
	{.name = "persist",
	 .type = VPN_OPT_ENUM,
	 .dflt = "keep",
	 .choices = persist_choices,
	 .offset = AT(persist),
	 .doc = "Whether the device outlives the program. keep: a persistent device that exists "
		"stays so, a new one goes."},
	{.name = "owner",
	 .type = VPN_OPT_STRING,
	 .offset = AT(owner),
	 .doc = "User, by name or number, who may attach to the device without privilege."},
	{.name = "group",
	 .type = VPN_OPT_STRING,
	 .offset = AT(group),
	 .doc = "Group, by name or number, whose members may attach to the device without "
		"privilege."},
	{.name = "exclusive",
	 .type = VPN_OPT_BOOL,
	 .dflt = "false",
	 .offset = AT(exclusive),
	 .doc = "Refuse to attach to a device that exists already."},
	{.name = "offload",
	 .type = VPN_OPT_ENUM,
	 .dflt = "auto",
	 .choices = switch_choices,
	 .offset = AT(offload),
	 .doc = "Super-packets of up to 64 KiB between the kernel and us. auto: where the kernel "
		"can; on: or else fail."},
	{.name = "uso",
	 .type = VPN_OPT_ENUM,
	 .dflt = "auto",
	 .choices = switch_choices,
	 .offset = AT(uso),
	 .doc = "Super-packets of UDP too (Linux 6.2 and newer), within what offload allows."},
	{.name = "fd",
	 .type = VPN_OPT_INT,
	 .dflt = "-1",
	 .min = -1,
	 .max = INT32_MAX,
	 .offset = AT(fd),
	 .doc = "A device that was opened elsewhere, as an inherited descriptor; name and "
		"exclusive do not apply. -1: none."},
};

const struct vpn_option_table tuntap_option_table = VPN_OPTION_TABLE(options,
								     struct tuntap_options);
