/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel: what one of the four kernels is like, as data. The rest of the driver has no #ifdef: it is
 * compiled the same for each of them, and tested with all four tables on one machine.
 *
 * Numbers and layouts are those of 64-bit machines with a 64-bit time_t. NAME_abi.h has them, with
 * their sources; here_NAME.c compares them with the system's own headers when it is compiled there.
 */
#ifndef BSD_KERNEL_H
#define BSD_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

/* The same on all four: sys/socket.h, net/if.h, net/if_dl.h, sys/filio.h, netinet6/nd6.h. */
#define BSD_AF_INET           2u
#define BSD_AF_LINK           18u
#define BSD_IFF_UP            0x0001u
#define BSD_IFF_BROADCAST     0x0002u
#define BSD_IFF_POINTOPOINT   0x0010u
#define BSD_IFF_MULTICAST     0x8000u
#define BSD_IFNAMSIZ          16u
#define BSD_FIONBIO           0x8004667eul
#define BSD_LIFETIME_INFINITE 0xffffffffu

/* struct ifreq: a name, then a union, in which flags, MTU, a sockaddr and a pointer lie at its start.
 * struct ifaliasreq and struct in6_aliasreq: a name, then three addresses. */
#define BSD_IFREQ_VALUE     16u
#define BSD_IFREQ_MAX       144u
#define BSD_ALIAS_ADDR      16u
#define BSD_ALIAS_DST       32u
#define BSD_ALIAS_MASK      48u
#define BSD_ALIAS6_ADDR     16u
#define BSD_ALIAS6_DST      44u
#define BSD_ALIAS6_MASK     72u
#define BSD_ALIAS6_VLTIME   120u
#define BSD_ALIAS6_PLTIME   124u
#define BSD_ALIAS6_MAX      136u
#define BSD_IFREQ6_SIZE     288u
#define BSD_SOCKADDR_IN     16u
#define BSD_SOCKADDR_IN6    28u
#define BSD_SOCKADDR_IN6_AT 8u /* of the address in it */

/* How a device comes to be, and how it ends. */
enum bsd_birth {
	BSD_CREATED, /* SIOCIFCREATE, then its node is opened; stays until SIOCIFDESTROY */
	BSD_CLONED,  /* opening the node without a number makes one; goes with the last close */
	BSD_OPENED,  /* opening the node with the number makes it; goes with the last close */
};

struct bsd_layer {
	const char *word;        /* "tun" or "tap": of the nodes and the interfaces */
	enum bsd_birth fresh;    /* of one whose number does not matter */
	enum bsd_birth numbered; /* of one whose number was asked for */
	uint32_t opened_below;   /* numbers below this are BSD_OPENED in any case */
	uint32_t mtu_min, mtu_max;
	uint32_t write_max;     /* largest packet that one write may hold, bytes */
	unsigned long get_name; /* on the descriptor, struct ifreq; 0 = by the node's name */
	unsigned long set_head; /* int: 4 bytes of address family in front; 0 = always there */
	unsigned long set_mode; /* int: IFF_BROADCAST or IFF_POINTOPOINT; 0 = has no modes */
	unsigned long set_pid;  /* no argument: this process reads it now; 0 = not needed */
	bool has_head;
	bool mode_takes_down; /* set_mode sets IFF_UP to what it is given */
};

struct bsd_kernel {
	const char *name;
	struct bsd_layer layers[2]; /* by enum bsd_layer_kind of options.h */

	int af_inet6, af_route;
	uint32_t ifreq_size, alias_size, alias6_size;

	/* on a datagram socket; 0 = does not exist */
	unsigned long get_flags, set_flags, get_mtu, set_mtu;
	unsigned long create, destroy;
	unsigned long set_name;   /* struct ifreq with a pointer to the new name */
	unsigned long set_lladdr; /* struct ifreq, or struct ifaliasreq where lladdr_in_alias */
	unsigned long add_addr, del_addr, add_addr6, del_addr6;
	unsigned long get_nd6, set_nd6; /* struct in6_ndireq */

	unsigned long set_transient; /* on the descriptor, int: destroyed with the last close */

	uint32_t nd6_size, nd6_flags_at; /* of struct in6_ndireq */
	uint32_t nd6_set, nd6_clear;     /* flags of a TUN device */

	bool lladdr_in_alias;
	bool renamed_has_node; /* a node of the new name appears */
	bool peer_may_be_self; /* a point-to-point address may be its own other side */
	const char *nodes;     /* what to do when /dev has no node */
};

extern const struct bsd_kernel bsd_freebsd, bsd_openbsd, bsd_netbsd, bsd_dragonfly;

/* The kernel that this plugin was built for: here_NAME.c, or a test's; NULL with foreign.c. [any] */
const struct bsd_kernel *bsd_kernel_here(void);

#endif
