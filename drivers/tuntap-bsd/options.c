/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"

#define NAME_MAX_LEN     15u   /* IFNAMSIZ of all of them, less the final zero */
#define MIN_MTU          68u   /* RFC 791 */
#define MIN_MTU_IPV6     1280u /* RFC 8200 section 5 */
#define MAX_MTU          65535u
#define MAX_MTU_ETHERNET (MAX_MTU - 14u)

const struct vpn_prefix *bsd_options_address(const struct bsd_options *o, uint32_t i)
{
	return (const void *)((const char *)o->addresses.items +
			      (size_t)i * o->addresses.item_size);
}

const struct bsd_peer *bsd_options_peer(const struct bsd_options *o, uint32_t i)
{
	return (const void *)((const char *)o->peers.items + (size_t)i * o->peers.item_size);
}

/* A name becomes a part of a path in /dev, so it has no slash and no dot in front. */
static vpn_status check_name(const char *name, struct vpn_error *err)
{
	const char *percent = strchr(name, '%');
	if (strlen(name) > NAME_MAX_LEN)
		return bsd_fault(err, VPN_EINVAL, 0, "/name",
				 "\"%s\" is longer than %u characters, the most that the kernel "
				 "takes",
				 name, NAME_MAX_LEN);
	if (name[0] == '.')
		return bsd_fault(err, VPN_EINVAL, 0, "/name", "\"%s\" cannot be a device's name",
				 name);
	for (const char *c = name; *c != '\0'; c++)
		if (*c == '/' || *c == ':' || isspace((unsigned char)*c) ||
		    iscntrl((unsigned char)*c))
			return bsd_fault(
				err, VPN_EINVAL, 0, "/name",
				"a device's name has no slash, colon or white space in it");
	if (percent != NULL && strcmp(percent, "%d") != 0)
		return bsd_fault(err, VPN_EINVAL, 0, "/name",
				 "\"%s\": the one use of %% is a single %%d at the end, in the "
				 "place of which a number is put",
				 name);
	return VPN_OK;
}

static vpn_status check_mtu(const struct bsd_options *o, struct vpn_error *err)
{
	uint64_t most = o->layer == BSD_ETHERNET ? MAX_MTU_ETHERNET : MAX_MTU;
	if (o->mtu == 0 || (o->mtu >= MIN_MTU && o->mtu <= most))
		return VPN_OK;
	return bsd_fault(err, VPN_EINVAL, 0, "/mtu",
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
static vpn_status check_address(const struct bsd_options *o, uint8_t family, const uint8_t *addr,
				const char *where, struct vpn_error *err)
{
	bool ipv6 = family == VPN_AF_INET6;
	if (is_zero(addr, ipv6 ? 16 : 4))
		return bsd_fault(err, VPN_EINVAL, 0, where,
				 "the unspecified address cannot be a device's");
	if (ipv6 ? addr[0] == 0xff : (addr[0] & 0xf0) == 0xe0)
		return bsd_fault(err, VPN_EINVAL, 0, where,
				 "a multicast address cannot be a device's");
	if (ipv6 && o->mtu != 0 && o->mtu < MIN_MTU_IPV6)
		return bsd_fault(err, VPN_EINVAL, 0, where,
				 "IPv6 needs an MTU of at least %u, and mtu is %llu: raise it "
				 "or leave the address out",
				 MIN_MTU_IPV6, (unsigned long long)o->mtu);
	return VPN_OK;
}

static vpn_status check_addresses(const struct bsd_options *o, struct vpn_error *err)
{
	char where[48];
	for (uint32_t i = 0; i < o->addresses.count; i++) {
		const struct vpn_prefix *p = bsd_options_address(o, i);
		snprintf(where, sizeof(where), "/addresses/%u", i);
		if (p->length == 0)
			return bsd_fault(err, VPN_EINVAL, 0, where,
					 "a prefix length of 0 would draw all traffic into the "
					 "device: write the network's own");
		vpn_status status = check_address(o, p->family, p->addr, where, err);
		if (status != VPN_OK)
			return status;
		for (uint32_t k = 0; k < i; k++) {
			const struct vpn_prefix *q = bsd_options_address(o, k);
			if (q->family == p->family &&
			    memcmp(q->addr, p->addr, sizeof(p->addr)) == 0)
				return bsd_fault(err, VPN_EINVAL, 0, where,
						 "the same address stands at /addresses/%u", k);
		}
	}
	return VPN_OK;
}

static vpn_status check_peer(const struct bsd_options *o, uint32_t i, struct vpn_error *err)
{
	const struct bsd_peer *p = bsd_options_peer(o, i);
	uint32_t whole = p->peer.family == VPN_AF_INET6 ? 128 : 32;
	char where[48];
	snprintf(where, sizeof(where), "/peers/%u/address", i);
	vpn_status status = check_address(o, p->address.family, p->address.addr, where, err);
	if (status != VPN_OK)
		return status;
	snprintf(where, sizeof(where), "/peers/%u/peer", i);
	if (p->peer.family != p->address.family)
		return bsd_fault(err, VPN_EINVAL, 0, where,
				 "address and peer are not of the same family");
	if (p->peer.length != whole)
		return bsd_fault(err, VPN_EINVAL, 0, where,
				 "a point-to-point address reaches one address on this system: "
				 "write /%u, and leave the network to routes",
				 whole);
	return check_address(o, p->peer.family, p->peer.addr, where, err);
}

static vpn_status check_peers(const struct bsd_options *o, struct vpn_error *err)
{
	if (o->peers.count != 0 && o->layer == BSD_ETHERNET)
		return bsd_fault(err, VPN_EINVAL, 0, "/peers",
				 "an ethernet device has no point-to-point addresses on this "
				 "system: use addresses");
	for (uint32_t i = 0; i < o->peers.count; i++) {
		vpn_status status = check_peer(o, i, err);
		if (status != VPN_OK)
			return status;
	}
	return VPN_OK;
}

static vpn_status check_mac(const struct bsd_options *o, struct vpn_error *err)
{
	if (!o->mac.is_set)
		return VPN_OK;
	if (o->layer != BSD_ETHERNET)
		return bsd_fault(err, VPN_EINVAL, 0, "/mac",
				 "a device of layer \"ip\" has no MAC address");
	if ((o->mac.addr[0] & 1) != 0)
		return bsd_fault(err, VPN_EINVAL, 0, "/mac",
				 "this is a multicast address: the first byte of a device's own "
				 "is even, 02 for example");
	if (is_zero(o->mac.addr, sizeof(o->mac.addr)))
		return bsd_fault(err, VPN_EINVAL, 0, "/mac", "all zero is no device's address");
	return VPN_OK;
}

static vpn_status check_rest(const struct bsd_options *o, struct vpn_error *err)
{
	if (o->offload == BSD_ON || o->uso == BSD_ON)
		return bsd_fault(err, VPN_ENOTSUP, 0, o->offload == BSD_ON ? "/offload" : "/uso",
				 "there are no super-packets on this system: write \"auto\"");
	if (o->fd >= 0 && o->exclusive)
		return bsd_fault(err, VPN_EINVAL, 0, "/exclusive",
				 "a device that is handed in by \"fd\" exists already: leave "
				 "exclusive out");
	if (o->fd >= 0 && o->persist != BSD_PERSIST_KEEP)
		return bsd_fault(err, VPN_EINVAL, 0, "/persist",
				 "whoever hands a device in by \"fd\" decides what becomes of it: "
				 "leave persist out");
	return VPN_OK;
}

vpn_status bsd_options_validate(const void *config, struct vpn_error *err)
{
	const struct bsd_options *o = config;
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
		status = check_rest(o, err);
	return status;
}

static const char *const layers[] = {"ip", "ethernet", NULL};
static const char *const persist_choices[] = {"keep", "on", "off", NULL};
static const char *const switch_choices[] = {"auto", "on", "off", NULL};

#define AT(field) ((uint32_t)offsetof(struct bsd_options, field))

static const struct vpn_option peer_options[] = {
	{.name = "address",
	 .type = VPN_OPT_ADDRESS,
	 .flags = VPN_OPT_REQUIRED,
	 .offset = (uint32_t)offsetof(struct bsd_peer, address),
	 .doc = "The device's own address."},
	{.name = "peer",
	 .type = VPN_OPT_PREFIX,
	 .flags = VPN_OPT_REQUIRED,
	 .offset = (uint32_t)offsetof(struct bsd_peer, peer),
	 .doc = "The address on the other side, with /32 or /128."},
};

static const struct vpn_option_table peer_table = VPN_OPTION_TABLE(peer_options, struct bsd_peer);

static const struct vpn_option options[] = {
	{.name = "name",
	 .type = VPN_OPT_STRING,
	 .dflt = "vpn%d",
	 .offset = AT(name),
	 .doc = "Name of the device, at most 15 characters. tun3 (tap3 for ethernet) is exactly "
		"that "
		"one; tun%d, tap%d or empty the first free one. FreeBSD and DragonFly rename the "
		"device for any other name and put the first free number for %d; OpenBSD and "
		"NetBSD cannot, and leave it at tun or tap with the first free number."},
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
	 .doc = "Largest IP packet. The kernel's limits: FreeBSD 72..65535 (ethernet: 65521), "
		"OpenBSD 68..16384 (16362), NetBSD 576..1500 (9000), DragonFly 72..16380 (1500). "
		"0: the largest that the stack carries and the kernel takes. IPv6 needs 1280."},
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
	 .doc = "Point-to-point addresses of a TUN device: an address of the device and the one on "
		"the other side. Beside them, an IPv4 address of addresses gets the first host of "
		"its network for its other side, and reaches that one only."},
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
	 .doc = "Has no effect here, other than a line in the log: a sysctl of the system sets the "
		"length of queues."},
	{.name = "up",
	 .type = VPN_OPT_BOOL,
	 .dflt = "true",
	 .offset = AT(up),
	 .doc = "Bring the device up. false leaves it as it was when it was opened, which on "
		"OpenBSD is "
		"up."},
	{.name = "persist",
	 .type = VPN_OPT_ENUM,
	 .dflt = "keep",
	 .choices = persist_choices,
	 .offset = AT(persist),
	 .doc = "Whether the device outlives the program. keep: one that exists stays, a new one "
		"goes."},
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
	 .doc = "There is none here: auto and off are the same, on is refused."},
	{.name = "uso",
	 .type = VPN_OPT_ENUM,
	 .dflt = "auto",
	 .choices = switch_choices,
	 .offset = AT(uso),
	 .doc = "There is none here: auto and off are the same, on is refused."},
	{.name = "fd",
	 .type = VPN_OPT_INT,
	 .dflt = "-1",
	 .min = -1,
	 .max = INT32_MAX,
	 .offset = AT(fd),
	 .doc = "A device that was opened elsewhere, as an inherited descriptor; name, persist and "
		"exclusive do not apply. -1: none."},
};

const struct vpn_option_table bsd_option_table = VPN_OPTION_TABLE(options, struct bsd_options);
