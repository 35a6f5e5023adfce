/* SPDX-License-Identifier: BSD-2-Clause */
/* OpenBSD, if_tun.c: opening a node makes the device and brings it up, the last close takes it away;
 * one that ifconfig has made stays. Four bytes of family are always there. */
#include "kernel.h"
#include "openbsd_abi.h"

const struct bsd_kernel bsd_openbsd = {
	.name = "OpenBSD",
	.layers =
		{
			{
				.word = "tun",
				.fresh = BSD_OPENED,
				.numbered = BSD_OPENED,
				.mtu_min = OPENBSD_MTU_MIN,
				.mtu_max = OPENBSD_MRU,
				.write_max = OPENBSD_MRU,
				.set_mode = OPENBSD_TUNSIFMODE,
				.has_head = true,
				.mode_takes_down = true,
			},
			{
				.word = "tap",
				.fresh = BSD_OPENED,
				.numbered = BSD_OPENED,
				.mtu_min = OPENBSD_MTU_MIN,
				.mtu_max = OPENBSD_MRU - 22,
				.write_max = OPENBSD_MRU,
			},
		},
	.af_inet6 = OPENBSD_AF_INET6,
	.af_route = OPENBSD_AF_ROUTE,
	.ifreq_size = OPENBSD_IFREQ_SIZE,
	.alias_size = OPENBSD_ALIAS_SIZE,
	.alias6_size = OPENBSD_ALIAS6_SIZE,
	.get_flags = OPENBSD_SIOCGIFFLAGS,
	.set_flags = OPENBSD_SIOCSIFFLAGS,
	.get_mtu = OPENBSD_SIOCGIFMTU,
	.set_mtu = OPENBSD_SIOCSIFMTU,
	.create = OPENBSD_SIOCIFCREATE,
	.destroy = OPENBSD_SIOCIFDESTROY,
	.set_lladdr = OPENBSD_SIOCSIFLLADDR,
	.add_addr = OPENBSD_SIOCAIFADDR,
	.del_addr = OPENBSD_SIOCDIFADDR,
	.add_addr6 = OPENBSD_SIOCAIFADDR_IN6,
	.del_addr6 = OPENBSD_SIOCDIFADDR_IN6,
	.nodes = "make the node: cd /dev && sh MAKEDEV",
};
