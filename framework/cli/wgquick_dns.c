/* SPDX-License-Identifier: BSD-2-Clause */
#include "wgquick_dns.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN  253u /* of a domain name, RFC 1035 2.3.4 */
#define LABEL_MAX_LEN 63u

/* wg-quick(8): what has digits and dots only, or a colon, is an address. */
static bool looks_like_address(struct wgquick_piece p)
{
	bool digits = true;
	for (size_t i = 0; i < p.len; i++) {
		if (p.text[i] == ':')
			return true;
		digits &= isdigit((unsigned char)p.text[i]) || p.text[i] == '.';
	}
	return digits;
}

/* As the components of kind dns see it. NULL: it is good. */
static const char *why_no_server(const struct tcpip_prefix *a)
{
	static const uint8_t zero[16];
	if (memcmp(a->addr, zero, sizeof(zero)) == 0)
		return "is the unspecified address, where nobody answers";
	if (a->family == 6 ? a->addr[0] == 0xff : a->addr[0] >= 224)
		return "is no address of one machine";
	if (a->family == 6 && a->addr[0] == 0xfe && (a->addr[1] & 0xc0) == 0x80)
		return "is a link-local address, which needs an interface that cannot be said";
	return NULL;
}

static void add_server(struct wgquick_reader *r, struct wgquick_piece item)
{
	struct wgquick_dns *dns = &r->w->dns;
	char text[TCPIP_ADDR_TEXT_MAX];
	struct tcpip_prefix a = {.family = 0};
	int family = -1;
	if (wgquick_copy(item, text, sizeof(text)))
		family = tcpip_addr_parse(text, a.addr);
	if (family < 0) {
		wgquick_refuse_value(r, item, "is no address of a name server");
		return;
	}
	a.family = (uint8_t)family;
	a.len = family == 6 ? 128 : 32;
	const char *wrong = why_no_server(&a);
	if (wrong == NULL && dns->n_servers == WGQUICK_SERVERS_MAX)
		wrong = "is one too many: 16 name servers are the most";
	for (size_t i = 0; i < dns->n_servers; i++)
		if (memcmp(&dns->servers[i], &a, sizeof(a)) == 0)
			return; /* asked once */
	if (wrong != NULL)
		wgquick_refuse_value(r, item, wrong);
	else
		dns->servers[dns->n_servers++] = a;
}

static bool is_domain(struct wgquick_piece p)
{
	size_t label = 0;
	if (p.len > 0 && p.text[p.len - 1] == '.')
		p.len--;
	for (size_t i = 0; i < p.len; i++) {
		char c = p.text[i];
		bool ends = i + 1 == p.len || p.text[i + 1] == '.';
		if (c == '.' && label == 0)
			return false;
		if (c != '.' && !isalnum((unsigned char)c) && c != '_' && c != '-')
			return false;
		if (c == '-' && (label == 0 || ends))
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > LABEL_MAX_LEN)
			return false;
	}
	return label > 0 && p.len <= NAME_MAX_LEN;
}

static void add_domain(struct wgquick_reader *r, struct wgquick_piece item)
{
	struct wgquick_dns *dns = &r->w->dns;
	if (!is_domain(item)) {
		wgquick_refuse_value(r, item,
				     "is neither an address of a name server nor a domain");
		return;
	}
	if (item.text[item.len - 1] == '.')
		item.len--;
	for (size_t i = 0; i < dns->n_search; i++)
		if (wgquick_is(item, dns->search[i]))
			return;
	if (dns->n_search == WGQUICK_SEARCH_MAX) {
		wgquick_refuse_value(r, item, "is one too many: 64 domains are the most");
		return;
	}
	dns->search[dns->n_search] = strndup(item.text, item.len);
	if (dns->search[dns->n_search] == NULL)
		r->no_memory = true;
	else
		dns->n_search++;
}

void wgquick_dns_read(struct wgquick_reader *r, struct wgquick_piece v)
{
	struct wgquick_piece item;
	r->w->dns.place = wgquick_place(r, v.text);
	while (r->problems->n < WGQUICK_PROBLEMS_MAX && !r->no_memory &&
	       wgquick_next_item(&v, true, &item)) {
		if (looks_like_address(item))
			add_server(r, item);
		else
			add_domain(r, item);
	}
}

void wgquick_dns_check(const struct wgquick_dns *dns, struct problems *problems)
{
	if (dns->n_servers == 0 && dns->n_search > 0)
		problems_warn(problems, dns->place.line, dns->place.column, "",
			      "domains without a name server are not searched, as with wg-quick");
}

void wgquick_dns_clear(struct wgquick_dns *dns)
{
	for (size_t i = 0; i < dns->n_search; i++)
		free(dns->search[i]);
	dns->n_search = 0;
}
