/* SPDX-License-Identifier: BSD-2-Clause */
/* FreeBSD, if_tuntap.c: a device stays after its last close, down and without addresses, until it is
 * destroyed; from FreeBSD 15 on it can be told to go by itself. */
#include "freebsd_abi.h"
#include "kernel.h"

const struct bsd_kernel bsd_freebsd = {
	.name = "FreeBSD",
	.layers =
		{
			{
				.word = "tun",
				.fresh = BSD_CREATED,
				.numbered = BSD_CREATED,
				.mtu_min = 72,    /* IF_MINMTU */
				.mtu_max = 65535, /* IF_MAXMTU */
				.write_max = FREEBSD_MRU,
				.get_name = FREEBSD_TUNGIFNAME,
				.set_head = FREEBSD_TUNSIFHEAD,
				.set_mode = FREEBSD_TUNSIFMODE,
				.set_pid = FREEBSD_TUNSIFPID,
				.has_head = true,
			},
			{
				.word = "tap",
				.fresh = BSD_CREATED,
				.numbered = BSD_CREATED,
				.mtu_min = 72,
				.mtu_max = 65535 - 14,
				.write_max = FREEBSD_MRU,
				.get_name = FREEBSD_TUNGIFNAME,
			},
		},
	.af_inet6 = FREEBSD_AF_INET6,
	.af_route = FREEBSD_AF_ROUTE,
	.ifreq_size = FREEBSD_IFREQ_SIZE,
	.alias_size = FREEBSD_ALIAS_SIZE,
	.alias6_size = FREEBSD_ALIAS6_SIZE,
	.get_flags = FREEBSD_SIOCGIFFLAGS,
	.set_flags = FREEBSD_SIOCSIFFLAGS,
	.get_mtu = FREEBSD_SIOCGIFMTU,
	.set_mtu = FREEBSD_SIOCSIFMTU,
	.create = FREEBSD_SIOCIFCREATE,
	.destroy = FREEBSD_SIOCIFDESTROY,
	.set_name = FREEBSD_SIOCSIFNAME,
	.set_lladdr = FREEBSD_SIOCSIFLLADDR,
	.add_addr = FREEBSD_SIOCAIFADDR,
	.del_addr = FREEBSD_SIOCDIFADDR,
	.add_addr6 = FREEBSD_SIOCAIFADDR_IN6,
	.del_addr6 = FREEBSD_SIOCDIFADDR_IN6,
	.get_nd6 = FREEBSD_SIOCGIFINFO_IN6,
	.set_nd6 = FREEBSD_SIOCSIFINFO_IN6,
	.set_transient = FREEBSD_TUNSTRANSIENT,
	.nd6_size = FREEBSD_ND6_SIZE,
	.nd6_flags_at = FREEBSD_ND6_FLAGS_AT,
	.nd6_set = FREEBSD_ND6_NO_DAD,
	.nd6_clear = FREEBSD_ND6_AUTO_LINKLOCAL | FREEBSD_ND6_IFDISABLED,
	.renamed_has_node = true,
	.peer_may_be_self = true,
	.nodes = "load the driver: kldload if_tuntap; in a jail show the node by a devfs rule",
};
