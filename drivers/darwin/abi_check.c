/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares abi.h with the system's own headers, where Darwin is the target. What they do not have
 * (net/if_utun.h, sys/sys_domain.h, netinet6/in6_var.h, sys/socket_private.h) stands in abi.h alone. */
#include "abi.h"

#include <net/if.h>
#include <net/if_dl.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/kern_control.h>
#include <sys/socket.h>
#include <sys/sockio.h>

#define SAME(ours, theirs) _Static_assert((ours) == (theirs), #theirs)
#define AT(ours, field, theirs, member) \
	_Static_assert(offsetof(struct ours, field) == offsetof(struct theirs, member), #member)
#define SIZE(ours, theirs) _Static_assert(sizeof(struct ours) == sizeof(struct theirs), #theirs)

SAME(DARWIN_AF_INET, AF_INET);
SAME(DARWIN_AF_ROUTE, PF_ROUTE);
SAME(DARWIN_AF_LINK, AF_LINK);
SAME(DARWIN_AF_INET6, AF_INET6);
SAME(DARWIN_AF_SYSTEM, AF_SYSTEM);
SAME(DARWIN_SOCK_DGRAM, SOCK_DGRAM);
SAME(DARWIN_SOCK_RAW, SOCK_RAW);
SAME(DARWIN_IFNAMSIZ, IFNAMSIZ);
SAME(DARWIN_IFF_UP, IFF_UP);

SAME(DARWIN_CTLIOCGINFO, CTLIOCGINFO);
SAME(DARWIN_SIOCSIFFLAGS, SIOCSIFFLAGS);
SAME(DARWIN_SIOCGIFFLAGS, SIOCGIFFLAGS);
SAME(DARWIN_SIOCDIFADDR, SIOCDIFADDR);
SAME(DARWIN_SIOCAIFADDR, SIOCAIFADDR);
SAME(DARWIN_SIOCGIFMTU, SIOCGIFMTU);
SAME(DARWIN_SIOCSIFMTU, SIOCSIFMTU);
SAME(DARWIN_SIOCSIFLLADDR, SIOCSIFLLADDR);
SAME(DARWIN_SIOCGIFSTATUS, SIOCGIFSTATUS);
SAME(DARWIN_FIONBIO, FIONBIO);

SIZE(darwin_sockaddr_in, sockaddr_in);
AT(darwin_sockaddr_in, addr, sockaddr_in, sin_addr);
SIZE(darwin_sockaddr_in6, sockaddr_in6);
AT(darwin_sockaddr_in6, addr, sockaddr_in6, sin6_addr);
AT(darwin_sockaddr_in6, scope, sockaddr_in6, sin6_scope_id);
SIZE(darwin_sockaddr_dl, sockaddr_dl);
AT(darwin_sockaddr_dl, index, sockaddr_dl, sdl_index);
AT(darwin_sockaddr_dl, data, sockaddr_dl, sdl_data);
SIZE(darwin_sockaddr_ctl, sockaddr_ctl);
AT(darwin_sockaddr_ctl, sysaddr, sockaddr_ctl, ss_sysaddr);
AT(darwin_sockaddr_ctl, id, sockaddr_ctl, sc_id);
AT(darwin_sockaddr_ctl, unit, sockaddr_ctl, sc_unit);
SIZE(darwin_ctl_info, ctl_info);
AT(darwin_ctl_info, name, ctl_info, ctl_name);
SIZE(darwin_ifreq, ifreq);
AT(darwin_ifreq, u, ifreq, ifr_ifru);
SIZE(darwin_ifaliasreq, ifaliasreq);
AT(darwin_ifaliasreq, dst, ifaliasreq, ifra_broadaddr);
AT(darwin_ifaliasreq, mask, ifaliasreq, ifra_mask);
SIZE(darwin_ifstat, ifstat);
AT(darwin_ifstat, text, ifstat, ascii);

SAME(DARWIN_EVFILT_READ, EVFILT_READ);
SAME(DARWIN_EV_ADD, EV_ADD);
SAME(DARWIN_EV_ERROR, EV_ERROR);
SAME(DARWIN_EV_EOF, EV_EOF);
SAME(DARWIN_NOTE_LOWAT, NOTE_LOWAT);
SIZE(darwin_kevent, kevent);
AT(darwin_kevent, filter, kevent, filter);
AT(darwin_kevent, fflags, kevent, fflags);
AT(darwin_kevent, data, kevent, data);
AT(darwin_kevent, udata, kevent, udata);

SAME(DARWIN_RTM_VERSION, RTM_VERSION);
SAME(DARWIN_RTM_ADD, RTM_ADD);
SAME(DARWIN_RTM_DELADDR, RTM_DELADDR);
SAME(DARWIN_RTM_IFINFO, RTM_IFINFO);
SAME(DARWIN_RTF_UP, RTF_UP);
SAME(DARWIN_RTF_HOST, RTF_HOST);
SAME(DARWIN_RTF_STATIC, RTF_STATIC);
SAME(DARWIN_RTA_DST, RTA_DST);
SAME(DARWIN_RTA_GATEWAY, RTA_GATEWAY);
SAME(DARWIN_RTA_NETMASK, RTA_NETMASK);
SAME(DARWIN_RTAX_IFA, RTAX_IFA);
SAME(DARWIN_RTAX_MAX, RTAX_MAX);
SIZE(darwin_rt_msghdr, rt_msghdr);
AT(darwin_rt_msghdr, index, rt_msghdr, rtm_index);
AT(darwin_rt_msghdr, flags, rt_msghdr, rtm_flags);
AT(darwin_rt_msghdr, addrs, rt_msghdr, rtm_addrs);
AT(darwin_rt_msghdr, seq, rt_msghdr, rtm_seq);
AT(darwin_rt_msghdr, metrics, rt_msghdr, rtm_rmx);
AT(darwin_if_msghdr, addrs, if_msghdr, ifm_addrs);
AT(darwin_if_msghdr, flags, if_msghdr, ifm_flags);
AT(darwin_if_msghdr, index, if_msghdr, ifm_index);
_Static_assert(offsetof(struct darwin_if_msghdr, mtu) ==
		       offsetof(struct if_msghdr, ifm_data) + offsetof(struct if_data, ifi_mtu),
	       "ifi_mtu");
SIZE(darwin_ifa_msghdr, ifa_msghdr);
AT(darwin_ifa_msghdr, addrs, ifa_msghdr, ifam_addrs);
AT(darwin_ifa_msghdr, index, ifa_msghdr, ifam_index);
