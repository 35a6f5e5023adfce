/* SPDX-License-Identifier: BSD-2-Clause */
/* This is OpenBSD: its headers say what openbsd_abi.h says. */
#include <sys/socket.h>
#include <sys/types.h>

#include <net/if.h>
#include <net/if_dl.h>
#include <net/if_tun.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/filio.h>
#include <sys/ioctl.h>
#include <sys/sockio.h>

#include <netinet6/in6_var.h>

#include "here.h"
#include "openbsd_abi.h"

_Static_assert(AF_INET6 == OPENBSD_AF_INET6, "AF_INET6");
_Static_assert(AF_ROUTE == OPENBSD_AF_ROUTE, "AF_ROUTE");
_Static_assert(sizeof(struct ifreq) == OPENBSD_IFREQ_SIZE, "ifreq");
_Static_assert(sizeof(struct ifaliasreq) == OPENBSD_ALIAS_SIZE, "ifaliasreq");
_Static_assert(sizeof(struct in6_aliasreq) == OPENBSD_ALIAS6_SIZE, "in6_aliasreq");
_Static_assert(TUNMRU == OPENBSD_MRU, "TUNMRU");
_Static_assert(TUNSIFMODE == OPENBSD_TUNSIFMODE, "TUNSIFMODE");
_Static_assert(SIOCGIFFLAGS == OPENBSD_SIOCGIFFLAGS, "SIOCGIFFLAGS");
_Static_assert(SIOCSIFFLAGS == OPENBSD_SIOCSIFFLAGS, "SIOCSIFFLAGS");
_Static_assert(SIOCGIFMTU == OPENBSD_SIOCGIFMTU, "SIOCGIFMTU");
_Static_assert(SIOCSIFMTU == OPENBSD_SIOCSIFMTU, "SIOCSIFMTU");
_Static_assert(SIOCIFCREATE == OPENBSD_SIOCIFCREATE, "SIOCIFCREATE");
_Static_assert(SIOCIFDESTROY == OPENBSD_SIOCIFDESTROY, "SIOCIFDESTROY");
_Static_assert(SIOCSIFLLADDR == OPENBSD_SIOCSIFLLADDR, "SIOCSIFLLADDR");
_Static_assert(SIOCAIFADDR == OPENBSD_SIOCAIFADDR, "SIOCAIFADDR");
_Static_assert(SIOCDIFADDR == OPENBSD_SIOCDIFADDR, "SIOCDIFADDR");
_Static_assert(SIOCAIFADDR_IN6 == OPENBSD_SIOCAIFADDR_IN6, "SIOCAIFADDR_IN6");
_Static_assert(SIOCDIFADDR_IN6 == OPENBSD_SIOCDIFADDR_IN6, "SIOCDIFADDR_IN6");

const struct bsd_kernel *bsd_kernel_here(void)
{
	return &bsd_openbsd;
}
