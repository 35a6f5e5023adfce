/* SPDX-License-Identifier: BSD-2-Clause */
/* This is NetBSD: its headers say what netbsd_abi.h says. */
#include <net/if.h>
#include <net/if_dl.h>
#include <net/if_tap.h>
#include <net/if_tun.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/filio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/types.h>

#include <netinet6/in6_var.h>

#include "here.h"
#include "netbsd_abi.h"

_Static_assert(AF_INET6 == NETBSD_AF_INET6, "AF_INET6");
_Static_assert(AF_ROUTE == NETBSD_AF_ROUTE, "AF_ROUTE");
_Static_assert(sizeof(struct ifreq) == NETBSD_IFREQ_SIZE, "ifreq");
_Static_assert(sizeof(struct ifaliasreq) == NETBSD_ALIAS_SIZE, "ifaliasreq");
_Static_assert(sizeof(struct in6_aliasreq) == NETBSD_ALIAS6_SIZE, "in6_aliasreq");
_Static_assert(TUNMTU == NETBSD_TUNMTU, "TUNMTU");
_Static_assert(TUNSIFHEAD == NETBSD_TUNSIFHEAD, "TUNSIFHEAD");
_Static_assert(TUNSIFMODE == NETBSD_TUNSIFMODE, "TUNSIFMODE");
_Static_assert(TAPGIFNAME == NETBSD_TAPGIFNAME, "TAPGIFNAME");
_Static_assert(SIOCGIFFLAGS == NETBSD_SIOCGIFFLAGS, "SIOCGIFFLAGS");
_Static_assert(SIOCSIFFLAGS == NETBSD_SIOCSIFFLAGS, "SIOCSIFFLAGS");
_Static_assert(SIOCGIFMTU == NETBSD_SIOCGIFMTU, "SIOCGIFMTU");
_Static_assert(SIOCSIFMTU == NETBSD_SIOCSIFMTU, "SIOCSIFMTU");
_Static_assert(SIOCIFCREATE == NETBSD_SIOCIFCREATE, "SIOCIFCREATE");
_Static_assert(SIOCIFDESTROY == NETBSD_SIOCIFDESTROY, "SIOCIFDESTROY");
_Static_assert(SIOCSIFPHYADDR == NETBSD_SIOCSIFPHYADDR, "SIOCSIFPHYADDR");
_Static_assert(SIOCAIFADDR == NETBSD_SIOCAIFADDR, "SIOCAIFADDR");
_Static_assert(SIOCDIFADDR == NETBSD_SIOCDIFADDR, "SIOCDIFADDR");
_Static_assert(SIOCAIFADDR_IN6 == NETBSD_SIOCAIFADDR_IN6, "SIOCAIFADDR_IN6");
_Static_assert(SIOCDIFADDR_IN6 == NETBSD_SIOCDIFADDR_IN6, "SIOCDIFADDR_IN6");

const struct bsd_kernel *bsd_kernel_here(void)
{
	return &bsd_netbsd;
}
