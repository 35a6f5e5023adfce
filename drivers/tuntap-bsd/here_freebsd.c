/* SPDX-License-Identifier: BSD-2-Clause */
/* This is FreeBSD: its headers say what freebsd_abi.h says. */
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

#include <netinet/in_var.h>
#include <netinet6/in6_var.h>
#include <netinet6/nd6.h>

#include "freebsd_abi.h"
#include "here.h"

_Static_assert(AF_INET6 == FREEBSD_AF_INET6, "AF_INET6");
_Static_assert(AF_ROUTE == FREEBSD_AF_ROUTE, "AF_ROUTE");
_Static_assert(sizeof(struct ifreq) == FREEBSD_IFREQ_SIZE, "ifreq");
_Static_assert(sizeof(struct ifaliasreq) == FREEBSD_ALIAS_SIZE, "ifaliasreq");
_Static_assert(sizeof(struct in6_aliasreq) == FREEBSD_ALIAS6_SIZE, "in6_aliasreq");
_Static_assert(sizeof(struct in6_ndireq) == FREEBSD_ND6_SIZE, "in6_ndireq");
_Static_assert(offsetof(struct in6_ndireq, ndi.flags) == FREEBSD_ND6_FLAGS_AT, "nd_ifinfo.flags");
_Static_assert(ND6_IFF_IFDISABLED == FREEBSD_ND6_IFDISABLED, "ND6_IFF_IFDISABLED");
_Static_assert(ND6_IFF_AUTO_LINKLOCAL == FREEBSD_ND6_AUTO_LINKLOCAL, "ND6_IFF_AUTO_LINKLOCAL");
_Static_assert(ND6_IFF_NO_DAD == FREEBSD_ND6_NO_DAD, "ND6_IFF_NO_DAD");
_Static_assert(TUNMRU == FREEBSD_MRU && TAPMRU == FREEBSD_MRU, "TUNMRU, TAPMRU");
_Static_assert(TUNSIFHEAD == FREEBSD_TUNSIFHEAD, "TUNSIFHEAD");
_Static_assert(TUNSIFMODE == FREEBSD_TUNSIFMODE, "TUNSIFMODE");
_Static_assert(TUNSIFPID == FREEBSD_TUNSIFPID, "TUNSIFPID");
_Static_assert(TUNGIFNAME == FREEBSD_TUNGIFNAME, "TUNGIFNAME");
_Static_assert(TAPGIFNAME == FREEBSD_TUNGIFNAME, "TAPGIFNAME");
#ifdef TUNSTRANSIENT
_Static_assert(TUNSTRANSIENT == FREEBSD_TUNSTRANSIENT, "TUNSTRANSIENT");
#endif
_Static_assert(SIOCGIFFLAGS == FREEBSD_SIOCGIFFLAGS, "SIOCGIFFLAGS");
_Static_assert(SIOCSIFFLAGS == FREEBSD_SIOCSIFFLAGS, "SIOCSIFFLAGS");
_Static_assert(SIOCGIFMTU == FREEBSD_SIOCGIFMTU, "SIOCGIFMTU");
_Static_assert(SIOCSIFMTU == FREEBSD_SIOCSIFMTU, "SIOCSIFMTU");
_Static_assert(SIOCIFCREATE == FREEBSD_SIOCIFCREATE, "SIOCIFCREATE");
_Static_assert(SIOCIFDESTROY == FREEBSD_SIOCIFDESTROY, "SIOCIFDESTROY");
_Static_assert(SIOCSIFNAME == FREEBSD_SIOCSIFNAME, "SIOCSIFNAME");
_Static_assert(SIOCSIFLLADDR == FREEBSD_SIOCSIFLLADDR, "SIOCSIFLLADDR");
_Static_assert(SIOCAIFADDR == FREEBSD_SIOCAIFADDR, "SIOCAIFADDR");
_Static_assert(SIOCDIFADDR == FREEBSD_SIOCDIFADDR, "SIOCDIFADDR");
_Static_assert(SIOCAIFADDR_IN6 == FREEBSD_SIOCAIFADDR_IN6, "SIOCAIFADDR_IN6");
_Static_assert(SIOCDIFADDR_IN6 == FREEBSD_SIOCDIFADDR_IN6, "SIOCDIFADDR_IN6");
_Static_assert(SIOCGIFINFO_IN6 == FREEBSD_SIOCGIFINFO_IN6, "SIOCGIFINFO_IN6");
_Static_assert(SIOCSIFINFO_IN6 == FREEBSD_SIOCSIFINFO_IN6, "SIOCSIFINFO_IN6");

const struct bsd_kernel *bsd_kernel_here(void)
{
	return &bsd_freebsd;
}
