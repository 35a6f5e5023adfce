/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * abi: the numbers and layouts of Darwin that the drivers need, x86_64 and arm64 alike, written down
 * here because Apple's SDK lacks some of them (net/if_utun.h, netinet6/in6_var.h, socket_private.h)
 * and so that the model of the kernel in tests/unit sees the very bytes that the kernel would.
 * abi_check.c compares all that the system's headers have with them when the target is Darwin.
 * Sources: xnu bsd/net/if.h, if_utun.h, route.h, bsd/netinet6/in6_var.h, bsd/sys/kern_control.h,
 * sockio.h, event.h, socket_private.h.
 */
#ifndef DARWIN_ABI_H
#define DARWIN_ABI_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define DARWIN_AF_INET   2
#define DARWIN_AF_ROUTE  17
#define DARWIN_AF_LINK   18
#define DARWIN_AF_INET6  30
#define DARWIN_AF_SYSTEM 32

#define DARWIN_SOCK_DGRAM 2
#define DARWIN_SOCK_RAW   3

#define DARWIN_SYSPROTO_CONTROL 2
#define DARWIN_AF_SYS_CONTROL   2

#define DARWIN_UTUN_CONTROL                 "com.apple.net.utun_control"
#define DARWIN_UTUN_OPT_IFNAME              2
#define DARWIN_UTUN_OPT_MAX_PENDING_PACKETS 16

#define DARWIN_IFNAMSIZ 16

#define DARWIN_IFF_UP 0x1

struct darwin_sockaddr_in {
	uint8_t len, family;
	uint16_t port;
	uint8_t addr[4];
	uint8_t zero[8];
};

struct darwin_sockaddr_in6 {
	uint8_t len, family;
	uint16_t port;
	uint32_t flowinfo;
	uint8_t addr[16];
	uint32_t scope;
};

struct darwin_sockaddr_dl {
	uint8_t len, family;
	uint16_t index;
	uint8_t type, nlen, alen, slen;
	uint8_t data[12];
};

struct darwin_sockaddr_ctl {
	uint8_t len, family;
	uint16_t sysaddr;
	uint32_t id;
	uint32_t unit;
	uint32_t reserved[5];
};

struct darwin_ctl_info {
	uint32_t id;
	char name[96];
};

struct darwin_ifreq {
	char name[DARWIN_IFNAMSIZ];
	union {
		struct darwin_sockaddr_in addr;
		struct {
			uint8_t len, family;
			uint8_t data[14];
		} mac;
		int16_t flags;
		int32_t mtu;
	} u;
};

struct darwin_ifaliasreq {
	char name[DARWIN_IFNAMSIZ];
	struct darwin_sockaddr_in addr, dst, mask; /* dst: broadcast address where there are many */
};

struct darwin_in6_aliasreq {
	char name[DARWIN_IFNAMSIZ];
	struct darwin_sockaddr_in6 addr, dst, mask;
	int32_t flags;
	int64_t expire, preferred;
	uint32_t valid_seconds, preferred_seconds;
};

struct darwin_in6_ifreq {
	char name[DARWIN_IFNAMSIZ];
	union {
		struct darwin_sockaddr_in6 addr;
		uint64_t statistics[34];
	} u;
};

struct darwin_ifstat {
	char name[DARWIN_IFNAMSIZ];
	char text[801];
};

#define DARWIN_IN6_IFF_NODAD 0x0020
#define DARWIN_ND6_FOREVER   UINT32_C(0xffffffff)

/* ---- ioctl numbers: sys/ioccom.h ---- */

#define DARWIN_IOC(direction, group, number, type) \
	((unsigned long)(direction) | (unsigned long)(sizeof(type) & 0x1fff) << 16 | \
	 (unsigned long)(group) << 8 | (number))
#define DARWIN_IOW(group, number, type)  DARWIN_IOC(0x80000000u, group, number, type)
#define DARWIN_IOWR(group, number, type) DARWIN_IOC(0xc0000000u, group, number, type)

#define DARWIN_CTLIOCGINFO     DARWIN_IOWR('N', 3, struct darwin_ctl_info)
#define DARWIN_SIOCSIFFLAGS    DARWIN_IOW('i', 16, struct darwin_ifreq)
#define DARWIN_SIOCGIFFLAGS    DARWIN_IOWR('i', 17, struct darwin_ifreq)
#define DARWIN_SIOCDIFADDR     DARWIN_IOW('i', 25, struct darwin_ifreq)
#define DARWIN_SIOCAIFADDR     DARWIN_IOW('i', 26, struct darwin_ifaliasreq)
#define DARWIN_SIOCDIFADDR_IN6 DARWIN_IOW('i', 25, struct darwin_in6_ifreq)
#define DARWIN_SIOCAIFADDR_IN6 DARWIN_IOW('i', 26, struct darwin_in6_aliasreq)
#define DARWIN_SIOCGIFMTU      DARWIN_IOWR('i', 51, struct darwin_ifreq)
#define DARWIN_SIOCSIFMTU      DARWIN_IOW('i', 52, struct darwin_ifreq)
#define DARWIN_SIOCSIFLLADDR   DARWIN_IOW('i', 60, struct darwin_ifreq)
#define DARWIN_SIOCGIFSTATUS   DARWIN_IOWR('i', 61, struct darwin_ifstat)
#define DARWIN_FIONBIO         DARWIN_IOW('f', 126, int32_t)

_Static_assert(DARWIN_CTLIOCGINFO == 0xc0644e03, "CTLIOCGINFO");
_Static_assert(DARWIN_SIOCSIFFLAGS == 0x80206910, "SIOCSIFFLAGS");
_Static_assert(DARWIN_SIOCGIFFLAGS == 0xc0206911, "SIOCGIFFLAGS");
_Static_assert(DARWIN_SIOCDIFADDR == 0x80206919, "SIOCDIFADDR");
_Static_assert(DARWIN_SIOCAIFADDR == 0x8040691a, "SIOCAIFADDR");
_Static_assert(DARWIN_SIOCDIFADDR_IN6 == 0x81206919, "SIOCDIFADDR_IN6");
_Static_assert(DARWIN_SIOCAIFADDR_IN6 == 0x8080691a, "SIOCAIFADDR_IN6");
_Static_assert(DARWIN_SIOCSIFMTU == 0x80206934, "SIOCSIFMTU");
_Static_assert(DARWIN_SIOCSIFLLADDR == 0x8020693c, "SIOCSIFLLADDR");
_Static_assert(DARWIN_SIOCGIFSTATUS == 0xc331693d, "SIOCGIFSTATUS");
_Static_assert(DARWIN_FIONBIO == 0x8004667e, "FIONBIO");
_Static_assert(sizeof(struct darwin_sockaddr_ctl) == 32, "sockaddr_ctl");
_Static_assert(sizeof(struct darwin_sockaddr_dl) == 20, "sockaddr_dl");
_Static_assert(sizeof(struct darwin_sockaddr_in6) == 28, "sockaddr_in6");
_Static_assert(offsetof(struct darwin_in6_aliasreq, flags) == 100, "ifra_flags");
_Static_assert(offsetof(struct darwin_in6_aliasreq, expire) == 104, "ifra_lifetime");

/* ---- batch calls: bsd/sys/socket_private.h, since macOS 10.10 ---- */

struct darwin_msghdr_x {
	void *name; /* all but iov, iovlen are zero when it goes in */
	uint32_t namelen;
	struct iovec *iov;
	int32_t iovlen;
	void *control;
	uint32_t controllen;
	int32_t flags;
	size_t datalen; /* out, recvmsg_x: bytes of the datagram */
};

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct darwin_msghdr_x) == 56, "msghdr_x");
_Static_assert(offsetof(struct darwin_msghdr_x, datalen) == 48, "msg_datalen");
#endif

/* ---- kqueue ---- */

#define DARWIN_EVFILT_READ (-1)
#define DARWIN_EV_ADD      0x0001
#define DARWIN_EV_ERROR    0x4000
#define DARWIN_EV_EOF      0x8000
#define DARWIN_NOTE_LOWAT  0x0001

struct darwin_kevent {
	uintptr_t ident;
	int16_t filter;
	uint16_t flags;
	uint32_t fflags;
	intptr_t data;
	void *udata;
};

/* ---- routing socket: bsd/net/route.h, if.h ---- */

#define DARWIN_RTM_VERSION 5
#define DARWIN_RTM_ADD     0x1
#define DARWIN_RTM_DELADDR 0xd
#define DARWIN_RTM_IFINFO  0xe

#define DARWIN_RTF_UP     0x1
#define DARWIN_RTF_HOST   0x4
#define DARWIN_RTF_STATIC 0x800

#define DARWIN_RTA_DST     0x1
#define DARWIN_RTA_GATEWAY 0x2
#define DARWIN_RTA_NETMASK 0x4
#define DARWIN_RTAX_IFA    5
#define DARWIN_RTAX_MAX    8

struct darwin_rt_msghdr {
	uint16_t msglen;
	uint8_t version, type;
	uint16_t index;
	int32_t flags, addrs, pid, seq, error, use;
	uint32_t inits;
	uint32_t metrics[14];
};

/* The beginning of struct if_msghdr, as far as the MTU. */
struct darwin_if_msghdr {
	uint16_t msglen;
	uint8_t version, type;
	int32_t addrs, flags;
	uint16_t index;
	uint8_t kind[8]; /* ifi_type .. ifi_unused1, from offset 16 */
	uint8_t pad[2];
	uint32_t mtu;
};

struct darwin_ifa_msghdr {
	uint16_t msglen;
	uint8_t version, type;
	int32_t addrs, flags;
	uint16_t index;
	int32_t metric;
};

_Static_assert(sizeof(struct darwin_rt_msghdr) == 92, "rt_msghdr");
_Static_assert(offsetof(struct darwin_rt_msghdr, metrics) == 36, "rtm_rmx");
_Static_assert(offsetof(struct darwin_if_msghdr, index) == 12, "ifm_index");
_Static_assert(offsetof(struct darwin_if_msghdr, mtu) == 24, "ifm_data.ifi_mtu");
_Static_assert(sizeof(struct darwin_ifa_msghdr) == 20, "ifa_msghdr");

#endif
