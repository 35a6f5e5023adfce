/* SPDX-License-Identifier: BSD-2-Clause */
/* NetBSD, if_tun.c and if_tap.c: a tun device stays until it is destroyed; a tap device of the cloning
 * node goes with its last close. */
#include "kernel.h"
#include "netbsd_abi.h"

const struct bsd_kernel bsd_netbsd = {
	.name = "NetBSD",
	.layers =
		{
			{
				.word = "tun",
				.fresh = BSD_CREATED,
				.numbered = BSD_CREATED,
				.mtu_min = NETBSD_TUN_MTU_MIN,
				.mtu_max = NETBSD_TUNMTU,
				.write_max = NETBSD_TUNMTU,
				.set_head = NETBSD_TUNSIFHEAD,
				.set_mode = NETBSD_TUNSIFMODE,
				.has_head = true,
			},
			{
				.word = "tap",
				.fresh = BSD_CLONED,
				.numbered = BSD_CREATED,
				.mtu_min = NETBSD_TAP_MTU_MIN,
				.mtu_max = NETBSD_TAP_MTU_MAX,
				.write_max = 65535, /* an mbuf chain of any length */
				.get_name = NETBSD_TAPGIFNAME,
			},
		},
	.af_inet6 = NETBSD_AF_INET6,
	.af_route = NETBSD_AF_ROUTE,
	.ifreq_size = NETBSD_IFREQ_SIZE,
	.alias_size = NETBSD_ALIAS_SIZE,
	.alias6_size = NETBSD_ALIAS6_SIZE,
	.get_flags = NETBSD_SIOCGIFFLAGS,
	.set_flags = NETBSD_SIOCSIFFLAGS,
	.get_mtu = NETBSD_SIOCGIFMTU,
	.set_mtu = NETBSD_SIOCSIFMTU,
	.create = NETBSD_SIOCIFCREATE,
	.destroy = NETBSD_SIOCIFDESTROY,
	.set_lladdr = NETBSD_SIOCSIFPHYADDR,
	.add_addr = NETBSD_SIOCAIFADDR,
	.del_addr = NETBSD_SIOCDIFADDR,
	.add_addr6 = NETBSD_SIOCAIFADDR_IN6,
	.del_addr6 = NETBSD_SIOCDIFADDR_IN6,
	.lladdr_in_alias = true,
	.nodes = "make the node: cd /dev && sh MAKEDEV NAME",
};
