/* SPDX-License-Identifier: BSD-2-Clause */
/* DragonFly BSD, if_tun.c and if_tap.c: a device of the cloning node goes with its last close. Those
 * with the numbers 0 to 3 have nodes from the start; opening one makes the device, which nothing
 * destroys: it stays, down and without addresses. */
#include "dragonfly_abi.h"
#include "kernel.h"

const struct bsd_kernel bsd_dragonfly = {
	.name = "DragonFly",
	.layers =
		{
			{
				.word = "tun",
				.fresh = BSD_CLONED,
				.numbered = BSD_CREATED,
				.opened_below = DRAGONFLY_PREALLOCATED,
				.mtu_min = 72, /* IF_MINMTU */
				.mtu_max = DRAGONFLY_MRU - 4,
				.write_max = DRAGONFLY_MRU - 4,
				.set_head = DRAGONFLY_TUNSIFHEAD,
				.set_mode = DRAGONFLY_TUNSIFMODE,
				.set_pid = DRAGONFLY_TUNSIFPID,
				.has_head = true,
			},
			{
				.word = "tap",
				.fresh = BSD_CLONED,
				.numbered = BSD_CREATED,
				.opened_below = DRAGONFLY_PREALLOCATED,
				.mtu_min = 72,
				.mtu_max = 1500, /* ether_ioctl(): ETHERMTU */
				.write_max = DRAGONFLY_MRU,
			},
		},
	.af_inet6 = DRAGONFLY_AF_INET6,
	.af_route = DRAGONFLY_AF_ROUTE,
	.ifreq_size = DRAGONFLY_IFREQ_SIZE,
	.alias_size = DRAGONFLY_ALIAS_SIZE,
	.alias6_size = DRAGONFLY_ALIAS6_SIZE,
	.get_flags = DRAGONFLY_SIOCGIFFLAGS,
	.set_flags = DRAGONFLY_SIOCSIFFLAGS,
	.get_mtu = DRAGONFLY_SIOCGIFMTU,
	.set_mtu = DRAGONFLY_SIOCSIFMTU,
	.create = DRAGONFLY_SIOCIFCREATE,
	.destroy = DRAGONFLY_SIOCIFDESTROY,
	.set_name = DRAGONFLY_SIOCSIFNAME,
	.set_lladdr = DRAGONFLY_SIOCSIFLLADDR,
	.add_addr = DRAGONFLY_SIOCAIFADDR,
	.del_addr = DRAGONFLY_SIOCDIFADDR,
	.add_addr6 = DRAGONFLY_SIOCAIFADDR_IN6,
	.del_addr6 = DRAGONFLY_SIOCDIFADDR_IN6,
	.peer_may_be_self = true,
	.nodes = "load the driver: kldload if_tun or if_tap",
};
