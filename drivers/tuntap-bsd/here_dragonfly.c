/* SPDX-License-Identifier: BSD-2-Clause */
/* This is DragonFly: its headers say what dragonfly_abi.h says. Written from the sources of its kernel; nobody
 * has compiled it there yet. */
#include <sys/socket.h>
#include <sys/types.h>

#include <net/if.h>
#include <net/if_dl.h>
#include <net/tap/if_tap.h>
#include <net/tun/if_tun.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/filio.h>
#include <sys/ioctl.h>
#include <sys/sockio.h>
#include <time.h>

#include <netinet6/in6_var.h>

#include "dragonfly_abi.h"
#include "here.h"

_Static_assert(AF_INET6 == DRAGONFLY_AF_INET6, "AF_INET6");
_Static_assert(AF_ROUTE == DRAGONFLY_AF_ROUTE, "AF_ROUTE");
_Static_assert(sizeof(struct ifreq) == DRAGONFLY_IFREQ_SIZE, "ifreq");
_Static_assert(sizeof(struct ifaliasreq) == DRAGONFLY_ALIAS_SIZE, "ifaliasreq");
_Static_assert(sizeof(struct in6_aliasreq) == DRAGONFLY_ALIAS6_SIZE, "in6_aliasreq");
_Static_assert(TUNMRU == DRAGONFLY_MRU && TAPMRU == DRAGONFLY_MRU, "TUNMRU, TAPMRU");
_Static_assert(TUNSIFHEAD == DRAGONFLY_TUNSIFHEAD, "TUNSIFHEAD");
_Static_assert(TUNSIFMODE == DRAGONFLY_TUNSIFMODE, "TUNSIFMODE");
_Static_assert(TUNSIFPID == DRAGONFLY_TUNSIFPID, "TUNSIFPID");
_Static_assert(SIOCGIFFLAGS == DRAGONFLY_SIOCGIFFLAGS, "SIOCGIFFLAGS");
_Static_assert(SIOCSIFFLAGS == DRAGONFLY_SIOCSIFFLAGS, "SIOCSIFFLAGS");
_Static_assert(SIOCGIFMTU == DRAGONFLY_SIOCGIFMTU, "SIOCGIFMTU");
_Static_assert(SIOCSIFMTU == DRAGONFLY_SIOCSIFMTU, "SIOCSIFMTU");
_Static_assert(SIOCIFCREATE == DRAGONFLY_SIOCIFCREATE, "SIOCIFCREATE");
_Static_assert(SIOCIFDESTROY == DRAGONFLY_SIOCIFDESTROY, "SIOCIFDESTROY");
_Static_assert(SIOCSIFNAME == DRAGONFLY_SIOCSIFNAME, "SIOCSIFNAME");
_Static_assert(SIOCSIFLLADDR == DRAGONFLY_SIOCSIFLLADDR, "SIOCSIFLLADDR");
_Static_assert(SIOCAIFADDR == DRAGONFLY_SIOCAIFADDR, "SIOCAIFADDR");
_Static_assert(SIOCDIFADDR == DRAGONFLY_SIOCDIFADDR, "SIOCDIFADDR");
_Static_assert(SIOCAIFADDR_IN6 == DRAGONFLY_SIOCAIFADDR_IN6, "SIOCAIFADDR_IN6");
_Static_assert(SIOCDIFADDR_IN6 == DRAGONFLY_SIOCDIFADDR_IN6, "SIOCDIFADDR_IN6");

const struct bsd_kernel *bsd_kernel_here(void)
{
	return &bsd_dragonfly;
}
