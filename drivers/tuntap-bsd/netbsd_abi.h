/* SPDX-License-Identifier: BSD-2-Clause */
/* NetBSD 9 to 10: sys/sockio.h, net/if_tun.h, net/if_tap.h, netinet6/in6_var.h. Few numbers are those
 * of the other systems, and struct ifreq is larger. */
#ifndef BSD_NETBSD_ABI_H
#define BSD_NETBSD_ABI_H

#define NETBSD_AF_INET6 24
#define NETBSD_AF_ROUTE 34

#define NETBSD_IFREQ_SIZE  144u
#define NETBSD_ALIAS_SIZE  64u
#define NETBSD_ALIAS6_SIZE 128u

#define NETBSD_TUNSIFHEAD  0x80047442ul
#define NETBSD_TUNSIFMODE  0x80047458ul
#define NETBSD_TAPGIFNAME  0x40906500ul
#define NETBSD_TUNMTU      1500u
#define NETBSD_TUN_MTU_MIN 576u  /* tun_ioctl() of if_tun.c */
#define NETBSD_TAP_MTU_MIN 46u   /* ETHERMIN */
#define NETBSD_TAP_MTU_MAX 9000u /* ETHERMTU_JUMBO */

#define NETBSD_SIOCGIFFLAGS    0xc0906911ul
#define NETBSD_SIOCSIFFLAGS    0x80906910ul
#define NETBSD_SIOCGIFMTU      0xc090697eul
#define NETBSD_SIOCSIFMTU      0x8090697ful
#define NETBSD_SIOCIFCREATE    0x8090697aul
#define NETBSD_SIOCIFDESTROY   0x80906979ul
#define NETBSD_SIOCSIFPHYADDR  0x80406946ul
#define NETBSD_SIOCAIFADDR     0x8040691aul
#define NETBSD_SIOCDIFADDR     0x80906919ul
#define NETBSD_SIOCAIFADDR_IN6 0x8080696bul
#define NETBSD_SIOCDIFADDR_IN6 0x81206919ul

#endif
