/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "fault.h"

#define MIN_MTU 68u /* RFC 791 */

const struct vpn_prefix *darwin_options_address(const struct darwin_options *o, uint32_t i)
{
	return (const void *)((const char *)o->addresses.items +
			      (size_t)i * o->addresses.item_size);
}

const struct darwin_peer *darwin_options_peer(const struct darwin_options *o, uint32_t i)
{
	return (const void *)((const char *)o->peers.items + (size_t)i * o->peers.item_size);
}

int darwin_options_unit(const char *name, const char *prefix, int most)
{
	size_t n = strlen(prefix);
	if (name == NULL || name[0] == '\0')
		return -1;
	if (strncmp(name, prefix, n) != 0)
		return -2;
	const char *digits = name + n;
	if (digits[0] == '\0' || strcmp(digits, "%d") == 0)
		return -1;
	if (digits[0] == '0' && digits[1] != '\0')
		return -2; /* the kernel knows no utun01 */
	int number = 0;
	for (const char *c = digits; *c != '\0'; c++) {
		if (*c < '0' || *c > '9')
			return -2;
		number = number * 10 + (*c - '0');
		if (number > most)
			return -2;
	}
	return number;
}

static bool is_zero(const uint8_t *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (at[i] != 0)
			return false;
	return true;
}

/* An address that a device can have. */
static vpn_status check_address(const struct darwin_options *o, uint8_t family, const uint8_t *addr,
				const char *where, struct vpn_error *err)
{
	bool ipv6 = family == VPN_AF_INET6;
	if (is_zero(addr, ipv6 ? 16 : 4))
		return darwin_fault(err, VPN_EINVAL, 0, where,
				    "the unspecified address cannot be a device's");
	if (ipv6 ? addr[0] == 0xff : (addr[0] & 0xf0) == 0xe0)
		return darwin_fault(err, VPN_EINVAL, 0, where,
				    "a multicast address cannot be a device's");
	if (ipv6 && o->mtu != 0 && o->mtu < DARWIN_MTU_MIN_IPV6)
		return darwin_fault(err, VPN_EINVAL, 0, where,
				    "IPv6 needs an MTU of at least %u, and mtu is %llu: raise it "
				    "or leave the address out",
				    DARWIN_MTU_MIN_IPV6, (unsigned long long)o->mtu);
	return VPN_OK;
}

static vpn_status check_prefix(const struct darwin_options *o, const struct vpn_prefix *p,
			       const char *where, struct vpn_error *err)
{
	if (p->length == 0)
		return darwin_fault(err, VPN_EINVAL, 0, where,
				    "a prefix length of 0 would draw all traffic into the device: "
				    "write the network's own");
	return check_address(o, p->family, p->addr, where, err);
}

static vpn_status check_addresses(const struct darwin_options *o, struct vpn_error *err)
{
	char where[48];
	for (uint32_t i = 0; i < o->addresses.count; i++) {
		const struct vpn_prefix *p = darwin_options_address(o, i);
		snprintf(where, sizeof(where), "/addresses/%u", i);
		vpn_status status = check_prefix(o, p, where, err);
		if (status != VPN_OK)
			return status;
		for (uint32_t k = 0; k < i; k++) {
			const struct vpn_prefix *q = darwin_options_address(o, k);
			if (q->family == p->family &&
			    memcmp(q->addr, p->addr, sizeof(p->addr)) == 0)
				return darwin_fault(err, VPN_EINVAL, 0, where,
						    "the same address stands at /addresses/%u", k);
		}
	}
	return VPN_OK;
}

static vpn_status check_peers(const struct darwin_options *o, struct vpn_error *err)
{
	char where[48];
	for (uint32_t i = 0; i < o->peers.count; i++) {
		const struct darwin_peer *p = darwin_options_peer(o, i);
		snprintf(where, sizeof(where), "/peers/%u/address", i);
		vpn_status status = check_address(o, p->address.family, p->address.addr, where,
						  err);
		if (status != VPN_OK)
			return status;
		snprintf(where, sizeof(where), "/peers/%u/peer", i);
		if (p->peer.family != p->address.family)
			return darwin_fault(err, VPN_EINVAL, 0, where,
					    "address and peer are not of the same family");
		if (p->peer.family == VPN_AF_INET6 && p->peer.length != 128)
			return darwin_fault(err, VPN_EINVAL, 0, where,
					    "macOS takes a peer of IPv6 with the length 128 only: "
					    "write the network in \"addresses\" instead");
		status = check_prefix(o, &p->peer, where, err);
		if (status != VPN_OK)
			return status;
	}
	return VPN_OK;
}

vpn_status darwin_options_check(const struct darwin_options *o, uint32_t most,
				struct vpn_error *err)
{
	if (o->mtu != 0 && (o->mtu < MIN_MTU || o->mtu > most))
		return darwin_fault(err, VPN_EINVAL, 0, "/mtu",
				    "%llu is not in %u..%u (or 0: as the stack allows)",
				    (unsigned long long)o->mtu, MIN_MTU, most);
	vpn_status status = check_addresses(o, err);
	return status == VPN_OK ? check_peers(o, err) : status;
}

static const struct vpn_option peer_options[] = {
	{.name = "address",
	 .type = VPN_OPT_ADDRESS,
	 .flags = VPN_OPT_REQUIRED,
	 .offset = (uint32_t)offsetof(struct darwin_peer, address),
	 .doc = "The device's own address."},
	{.name = "peer",
	 .type = VPN_OPT_PREFIX,
	 .flags = VPN_OPT_REQUIRED,
	 .offset = (uint32_t)offsetof(struct darwin_peer, peer),
	 .doc = "The address on the other side, with the length of the prefix that is reached "
		"there (32 or 128 for it alone; IPv6: 128)."},
};

const struct vpn_option_table darwin_peer_table = VPN_OPTION_TABLE(peer_options,
								   struct darwin_peer);
