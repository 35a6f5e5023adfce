/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#include "fault.h"

#define SECOND  UINT64_C(1000000000)
#define FIRST   (60 * SECOND)
#define LONGEST (3600 * SECOND)

const char *obfs_report_origin(const struct vpn_endpoint *e, char *buf, size_t cap)
{
	char address[INET6_ADDRSTRLEN];
	if (e != NULL && e->family == VPN_AF_INET &&
	    inet_ntop(AF_INET, e->addr, address, sizeof(address)) != NULL)
		snprintf(buf, cap, "%s:%u", address, e->port);
	else if (e != NULL && e->family == VPN_AF_INET6 &&
		 inet_ntop(AF_INET6, e->addr, address, sizeof(address)) != NULL)
		snprintf(buf, cap, "[%s]:%u", address, e->port);
	else
		snprintf(buf, cap, "the stage below");
	return buf;
}

void obfs_report_refused(struct obfs_report *r, const struct vpn_host *host, uint64_t now_ns,
			 const char *mode, const struct vpn_packet *p)
{
	char from[OBFS_ORIGIN_TEXT];
	r->refused++;
	if (now_ns < r->due_ns)
		return;
	obfs_log(host, r->heard ? VPN_LOG_DEBUG : VPN_LOG_WARN,
		 "%" PRIu64
		 " datagrams did not fit mode \"%s\", the last one of %u bytes from %s%s",
		 r->refused, mode, p->len, obfs_report_origin(p->endpoint, from, sizeof(from)),
		 r->heard ? "" : "; are mode, password and key the same on the other side?");
	r->refused = 0;
	r->between_ns = r->between_ns == 0 ? FIRST : 2 * r->between_ns;
	if (r->between_ns > LONGEST)
		r->between_ns = LONGEST;
	r->due_ns = now_ns + r->between_ns;
}
