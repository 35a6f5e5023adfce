/* SPDX-License-Identifier: BSD-2-Clause */
/* resolv: reads and writes the text of resolv.conf(5). */
#ifndef DNS_COMMON_RESOLV_H
#define DNS_COMMON_RESOLV_H

#include <stdbool.h>
#include <stddef.h>
#include <vpncore/plugin.h>

#include "common/options.h"

#define DNS_RESOLV_BYTES_MAX   (256u << 10) /* of a file that is read; real ones have some hundred */
#define DNS_RESOLV_SERVERS_MAX 3u           /* that a libc asks: MAXNS of <resolv.h> */
#define DNS_RESOLV_SEARCH_MAX  32u          /* that are read */

/* Who says in its first lines that the file is of its making. */
enum dns_owner {
	DNS_OWNER_NONE,
	DNS_OWNER_RESOLVED,
	DNS_OWNER_NETWORK_MANAGER,
	DNS_OWNER_RESOLVCONF,
	DNS_OWNER_VPNCORE,
};

struct dns_resolv {
	struct vpn_endpoint servers[DNS_RESOLV_SERVERS_MAX];
	uint32_t n_servers;
	const char *search[DNS_RESOLV_SEARCH_MAX];
	uint32_t n_search;
	enum dns_owner owner;
	char *text; /* behind `search` */
};

/* Reads a text, which need not end with a NUL. What it does not know it passes over, as libc does.
 * 0 or ENOMEM; to be cleared in both cases. [any] */
int dns_resolv_parse(const char *text, size_t len, struct dns_resolv *out);

/* The same for a file, through links. Returns an errno: ENOENT when there is none, EFBIG. [any] */
int dns_resolv_read(const char *path, struct dns_resolv *out);

void dns_resolv_clear(struct dns_resolv *r);

/* Whether every server, and there is one, is systemd-resolved's own, 127.0.0.53 or .54.
 * [any] */
bool dns_resolv_is_stub(const struct dns_resolv *r);

/* Calls fn once with what is there, as vpn_dns_query_ext.read says. [any] */
void dns_resolv_tell(const struct dns_resolv *r,
		     int (*fn)(void *ctx, const struct vpn_dns_info *info), void *ctx);

const char *dns_owner_name(enum dns_owner owner);

/* Room for dns_resolv_format(): a name, and an address, each with its word and an end of line. */
#define DNS_RESOLV_TEXT_MAX (DNS_DOMAINS_MAX * 256u + DNS_SERVERS_MAX * 64u + 64u)

/* Writes "search ..." and "nameserver ..." lines of the manifest's options, of at most max_servers
 * servers. Returns the length; `buf` has room for DNS_RESOLV_TEXT_MAX bytes. [any] */
size_t dns_resolv_format(const struct dns_options *o, uint32_t max_servers,
			 char buf[DNS_RESOLV_TEXT_MAX]);

#endif
