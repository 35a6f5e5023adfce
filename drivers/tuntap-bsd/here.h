/* SPDX-License-Identifier: BSD-2-Clause */
/* here: what kernel.h says of all four, compared with the headers that here_NAME.c has included. */
#ifndef BSD_HERE_H
#define BSD_HERE_H

#include "kernel.h"

_Static_assert(sizeof(void *) == 8 && sizeof(time_t) == 8, "only for 64-bit machines");
_Static_assert(AF_INET == BSD_AF_INET && AF_LINK == BSD_AF_LINK, "address families");
_Static_assert(IFF_UP == BSD_IFF_UP && IFF_BROADCAST == BSD_IFF_BROADCAST &&
		       IFF_POINTOPOINT == BSD_IFF_POINTOPOINT && IFF_MULTICAST == BSD_IFF_MULTICAST,
	       "flags of interfaces");
_Static_assert(IFNAMSIZ == BSD_IFNAMSIZ, "IFNAMSIZ");
_Static_assert(FIONBIO == BSD_FIONBIO, "FIONBIO");
_Static_assert(sizeof(struct sockaddr_in) == BSD_SOCKADDR_IN, "sockaddr_in");
_Static_assert(offsetof(struct sockaddr_in, sin_addr) == 4, "sin_addr");
_Static_assert(sizeof(struct sockaddr_in6) == BSD_SOCKADDR_IN6, "sockaddr_in6");
_Static_assert(offsetof(struct sockaddr_in6, sin6_addr) == BSD_SOCKADDR_IN6_AT, "sin6_addr");
_Static_assert(offsetof(struct sockaddr, sa_family) == 1, "a length stands in front");
_Static_assert(offsetof(struct ifreq, ifr_flags) == BSD_IFREQ_VALUE, "ifr_flags");
_Static_assert(offsetof(struct ifreq, ifr_mtu) == BSD_IFREQ_VALUE, "ifr_mtu");
_Static_assert(offsetof(struct ifreq, ifr_addr) == BSD_IFREQ_VALUE, "ifr_addr");
_Static_assert(offsetof(struct ifreq, ifr_data) == BSD_IFREQ_VALUE, "ifr_data");
_Static_assert(sizeof(struct ifreq) <= BSD_IFREQ_MAX, "ifreq");
_Static_assert(offsetof(struct ifaliasreq, ifra_addr) == BSD_ALIAS_ADDR, "ifra_addr");
_Static_assert(offsetof(struct ifaliasreq, ifra_broadaddr) == BSD_ALIAS_DST, "ifra_broadaddr");
_Static_assert(offsetof(struct ifaliasreq, ifra_mask) == BSD_ALIAS_MASK, "ifra_mask");
_Static_assert(offsetof(struct in6_aliasreq, ifra_addr) == BSD_ALIAS6_ADDR, "in6 ifra_addr");
_Static_assert(offsetof(struct in6_aliasreq, ifra_dstaddr) == BSD_ALIAS6_DST, "in6 ifra_dstaddr");
_Static_assert(offsetof(struct in6_aliasreq, ifra_prefixmask) == BSD_ALIAS6_MASK,
	       "in6 ifra_prefixmask");
_Static_assert(offsetof(struct in6_aliasreq, ifra_lifetime.ia6t_vltime) == BSD_ALIAS6_VLTIME,
	       "ia6t_vltime");
_Static_assert(offsetof(struct in6_aliasreq, ifra_lifetime.ia6t_pltime) == BSD_ALIAS6_PLTIME,
	       "ia6t_pltime");
_Static_assert(sizeof(struct in6_aliasreq) <= BSD_ALIAS6_MAX, "in6_aliasreq");
_Static_assert(sizeof(struct in6_ifreq) == BSD_IFREQ6_SIZE, "in6_ifreq");

#endif
