/* SPDX-License-Identifier: BSD-2-Clause */
#include "ruleset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/tcpip.h>

#include "plan.h"
#include "prefix.h"
#include "text.h"

/* Headers without options: RFC 791, 8200, 9293. */
#define IPV4_TCP_BYTES 40u
#define IPV6_TCP_BYTES 60u

void routes_ruleset_guard_name(const char *pipeline, char buf[ROUTES_TABLE_NAME])
{
	snprintf(buf, ROUTES_TABLE_NAME, "vpncore.%s", pipeline);
}

void routes_ruleset_forward_name(const char *pipeline, char buf[ROUTES_TABLE_NAME])
{
	snprintf(buf, ROUTES_TABLE_NAME, "vpncore-forward.%s", pipeline);
}

void routes_ruleset_lock_name(const char *pipeline, char buf[ROUTES_TABLE_NAME])
{
	snprintf(buf, ROUTES_TABLE_NAME, "vpncore-lock.%s", pipeline);
}

bool routes_ruleset_takes(const char *device)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@";
	return device[0] != '\0' && device[strspn(device, letters)] == '\0';
}

/* ---- pieces ---- */

static int by_address(const void *x, const void *y)
{
	const struct vpn_prefix *a = x, *b = y;
	int c = (int)a->family - (int)b->family;
	if (c == 0)
		c = memcmp(a->addr, b->addr, sizeof(a->addr));
	return c != 0 ? c : (int)a->length - (int)b->length;
}

/* "MATCH { a, b } VERDICT" for the prefixes of one family; nothing when there are none. nft refuses a
 * set whose elements overlap. */
static void add_set(struct routes_text *t, const struct routes_list *sorted, uint8_t family,
		    const char *match, const char *verdict)
{
	const struct vpn_prefix *p = sorted->items, *last = NULL;
	char text[ROUTES_PREFIX_TEXT];
	for (uint32_t i = 0; i < sorted->n; i++) {
		if (p[i].family != family || (last != NULL && routes_prefix_covers(last, &p[i])))
			continue;
		if (last == NULL)
			routes_text_add(t, "\t\t%s { ", match);
		routes_text_add(t, "%s%s", last != NULL ? ", " : "",
				routes_prefix_text(&p[i], text));
		last = &p[i];
	}
	if (last != NULL)
		routes_text_add(t, " } %s\n", verdict);
}

static void begin_table(struct routes_text *t, const char *name, bool owner)
{
	const char *flags = owner ? "\tflags owner\n" : "";
	/* the first line is for the second, which fails where there is no table */
	routes_text_add(t, "table inet %s {\n%s}\n", name, flags);
	routes_text_add(t, "delete table inet %s\n", name);
	routes_text_add(t, "table inet %s {\n%s", name, flags);
}

static void begin_chain(struct routes_text *t, const char *name, const char *type, const char *hook,
			int priority, const char *policy)
{
	routes_text_add(t, "\tchain %s {\n\t\ttype %s hook %s priority %d; policy %s;\n", name,
			type, hook, priority, policy);
}

static void end_chain(struct routes_text *t)
{
	routes_text_add(t, "\t}\n");
}

static void end_table(struct routes_text *t)
{
	routes_text_add(t, "}\n");
}

static unsigned int mark_of(const struct routes_ruleset *r)
{
	return (unsigned int)r->options->mark;
}

static unsigned int mask_of(const struct routes_ruleset *r)
{
	return (unsigned int)r->options->mask;
}

/* ---- guard ---- */

/* A packet for the tunnel's address that comes in elsewhere is an attempt to find or disturb the
 * connections inside (CVE-2019-14899); no honest one does where the tunnel is a client's. */
static void add_spoofed(struct routes_text *t, const struct routes_ruleset *r)
{
	const struct vpn_prefix *own = r->scene->own.items;
	const struct vpn_prefix local = routes_prefix_of("fe80::/10");
	char text[TCPIP_ADDR_TEXT_MAX];
	begin_chain(t, "spoofed", "filter", "prerouting", -300, "accept");
	for (uint32_t i = 0; i < r->scene->own.n; i++) {
		if (routes_prefix_covers(&local, &own[i]))
			continue;
		tcpip_addr_format(own[i].family, own[i].addr, text, sizeof(text));
		routes_text_add(t,
				"\t\tiifname != \"%s\" %s daddr %s fib saddr type != local drop\n",
				r->device, own[i].family == VPN_AF_INET6 ? "ip6" : "ip", text);
	}
	end_chain(t);
}

/* Answers to the tunnel's packets get its mark, so that a strict rp_filter judges them by the routes of
 * marked packets. */
static void add_marks(struct routes_text *t, const struct routes_ruleset *r)
{
	unsigned int mark = mark_of(r), mask = mask_of(r);
	begin_chain(t, "mark_in", "filter", "prerouting", -150, "accept");
	routes_text_add(
		t, "\t\tct mark & 0x%08x == 0x%08x meta mark set meta mark & 0x%08x | 0x%08x\n",
		mask, mark, ~mask, mark);
	end_chain(t);
	begin_chain(t, "mark_out", "filter", "postrouting", -150, "accept");
	routes_text_add(t,
			"\t\tmeta mark & 0x%08x == 0x%08x ct mark set ct mark & 0x%08x | 0x%08x\n",
			mask, mark, ~mask, mark);
	end_chain(t);
}

static void add_nat(struct routes_text *t, const struct routes_ruleset *r,
		    const struct routes_list *inside)
{
	char match[96];
	begin_chain(t, "translate", "nat", "postrouting", 100, "accept");
	snprintf(match, sizeof(match), "oifname != \"%s\" ip saddr", r->device);
	add_set(t, inside, VPN_AF_INET, match, "masquerade");
	snprintf(match, sizeof(match), "oifname != \"%s\" ip6 saddr", r->device);
	add_set(t, inside, VPN_AF_INET6, match, "masquerade");
	end_chain(t);
}

/* What goes into the tunnel gets what its route carries; what comes out of it tells the other side what
 * the way back carries, which the route that it takes from here does not know. The kernel only ever
 * lowers the value. */
static void add_mss(struct routes_text *t, const struct routes_ruleset *r)
{
	static const char syn[] = "tcp flags & (syn | rst) == syn tcp option maxseg size set";
	uint32_t mtu = r->options->mtu != 0 ? (uint32_t)r->options->mtu : r->scene->device.mtu;
	begin_chain(t, "clamp_mss", "filter", "forward", -150, "accept");
	routes_text_add(t, "\t\toifname \"%s\" %s rt mtu\n", r->device, syn);
	if (mtu > IPV4_TCP_BYTES)
		routes_text_add(t, "\t\tiifname \"%s\" meta nfproto ipv4 %s %u\n", r->device, syn,
				mtu - IPV4_TCP_BYTES);
	if (mtu > IPV6_TCP_BYTES)
		routes_text_add(t, "\t\tiifname \"%s\" meta nfproto ipv6 %s %u\n", r->device, syn,
				mtu - IPV6_TCP_BYTES);
	end_chain(t);
}

/* Queries to name servers, plain and by TLS or QUIC (RFC 7858, RFC 9250), that would leave elsewhere. The
 * answer comes at once, so that a resolver asks the next server instead of waiting. */
static void add_dns_rules(struct routes_text *t)
{
	routes_text_add(t, "\t\tudp dport { 53, 853 } reject with icmpx type port-unreachable\n"
			   "\t\ttcp dport { 53, 853 } reject with tcp reset\n");
}

static void add_dns(struct routes_text *t, const struct routes_ruleset *r)
{
	begin_chain(t, "dns_out", "filter", "output", 0, "accept");
	routes_text_add(t, "\t\toifname { \"lo\", \"%s\" } accept\n", r->device);
	/* the tunnel's own packets, of a peer whose port is 53 */
	routes_text_add(t, "\t\tmeta mark & 0x%08x == 0x%08x accept\n", mask_of(r), mark_of(r));
	add_dns_rules(t);
	end_chain(t);
	begin_chain(t, "dns_forward", "filter", "forward", 0, "accept");
	routes_text_add(t, "\t\toifname \"%s\" accept\n", r->device);
	add_dns_rules(t);
	end_chain(t);
}

static bool copy_sorted(const struct routes_list *from, struct routes_list *ret)
{
	const struct vpn_prefix *p = from->items;
	for (uint32_t i = 0; i < from->n; i++)
		if (!routes_list_add(ret, &p[i], sizeof(p[i])))
			return false;
	if (ret->n != 0)
		qsort(ret->items, ret->n, sizeof(*p), by_address);
	return true;
}

static bool finish(struct routes_text *t, char **ret)
{
	if (t->out_of_memory) {
		free(t->at);
		t->at = NULL;
	}
	*ret = t->at;
	return !t->out_of_memory;
}

bool routes_ruleset_guard(const struct routes_ruleset *r, char **ret)
{
	struct routes_text t = {.at = NULL};
	struct routes_list inside = {.items = NULL};
	char name[ROUTES_TABLE_NAME];
	*ret = NULL;
	if (!r->plan->policy && !r->options->nat && !r->scene->block_dns)
		return true;
	if (!copy_sorted(&r->plan->inside, &inside))
		t.out_of_memory = true;
	routes_ruleset_guard_name(r->pipeline, name);
	begin_table(&t, name, true);
	if (r->options->is_default)
		add_spoofed(&t, r);
	if (r->plan->policy)
		add_marks(&t, r);
	if (r->options->nat)
		add_nat(&t, r, &inside);
	if (r->options->nat && r->options->mss_clamp)
		add_mss(&t, r);
	if (r->scene->block_dns)
		add_dns(&t, r);
	end_table(&t);
	routes_list_free(&inside);
	return finish(&t, ret);
}

/* ---- forwarding ---- */

/* Where forwarding was off before, it is on for the tunnel alone. */
bool routes_ruleset_forward(const struct routes_ruleset *r, char **ret)
{
	struct routes_text t = {.at = NULL};
	char name[ROUTES_TABLE_NAME];
	*ret = NULL;
	if (!r->opened4 && !r->opened6)
		return true;
	routes_ruleset_forward_name(r->pipeline, name);
	begin_table(&t, name, false);
	begin_chain(&t, "forward", "filter", "forward", 0, "accept");
	routes_text_add(&t, "\t\tiifname \"%s\" accept\n", r->device);
	routes_text_add(&t, "\t\toifname \"%s\" ct state established,related accept\n", r->device);
	if (r->opened4)
		routes_text_add(&t, "\t\tmeta nfproto ipv4 drop\n");
	if (r->opened6)
		routes_text_add(&t, "\t\tmeta nfproto ipv6 drop\n");
	end_chain(&t);
	end_table(&t);
	return finish(&t, ret);
}

/* ---- kill switch ---- */

/* What a link needs to be one: addresses, neighbours, routers. The hop limit of 255 shows that the
 * sender is on the link (RFC 4861 section 11.2). */
static void add_link_local(struct routes_text *t, bool out)
{
	routes_text_add(t, "\t\tudp sport %d udp dport %d accept\n", out ? 68 : 67, out ? 67 : 68);
	routes_text_add(t, "\t\tudp sport 547 udp dport 546 accept\n");
	routes_text_add(t, "\t\tudp sport 546 udp dport 547 accept\n");
	routes_text_add(t, "\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, "
			   "nd-router-solicit, nd-router-advert } ip6 hoplimit 255 accept\n");
	routes_text_add(t, "\t\tip6 daddr ff02::16 icmpv6 type mld2-listener-report accept\n");
}

/* Networks that may be reached outside: `side` is "saddr" or "daddr". */
static void add_outside(struct routes_text *t, const struct routes_ruleset *r,
			const struct routes_list *open, const char *side)
{
	char match[16];
	snprintf(match, sizeof(match), "ip %s", side);
	add_set(t, open, VPN_AF_INET, match, "accept");
	snprintf(match, sizeof(match), "ip6 %s", side);
	add_set(t, open, VPN_AF_INET6, match, "accept");
	if (r->options->lan_access != ROUTES_LAN_OFF && strcmp(side, "daddr") == 0)
		routes_text_add(t, "\t\tip daddr { 224.0.0.0/4, 255.255.255.255 } accept\n"
				   "\t\tip6 daddr ff02::/16 accept\n");
}

static void add_output(struct routes_text *t, const struct routes_ruleset *r,
		       const struct routes_list *open)
{
	unsigned int mark = mark_of(r), mask = mask_of(r);
	begin_chain(t, "output", "filter", "output", 0, "drop");
	routes_text_add(t, "\t\toifname \"lo\" accept\n\t\toifname \"%s\" accept\n", r->device);
	routes_text_add(
		t,
		"\t\tmeta mark & 0x%08x == 0x%08x ct mark set ct mark & 0x%08x | 0x%08x accept\n",
		mask, mark, ~mask, mark);
	add_link_local(t, true);
	add_outside(t, r, open, "daddr");
	/* programs are told at once, instead of waiting for an answer that cannot come */
	routes_text_add(t, "\t\treject with icmpx type admin-prohibited\n");
	end_chain(t);
}

static void add_input(struct routes_text *t, const struct routes_ruleset *r,
		      const struct routes_list *open)
{
	begin_chain(t, "input", "filter", "input", 0, "drop");
	routes_text_add(t, "\t\tiifname \"lo\" accept\n\t\tiifname \"%s\" accept\n", r->device);
	routes_text_add(t, "\t\tct mark & 0x%08x == 0x%08x accept\n", mask_of(r), mark_of(r));
	/* a peer that has moved comes from an address that no packet went to yet */
	uint32_t first = r->scene->port, last = r->scene->port_last;
	if (first != 0 && last > first)
		routes_text_add(t, "\t\tudp dport %u-%u accept\n", first, last);
	else if (first != 0)
		routes_text_add(t, "\t\tudp dport %u accept\n", first);
	add_link_local(t, false);
	/* errors about the tunnel's own packets, of which the path's MTU is one */
	routes_text_add(t, "\t\ticmp type { destination-unreachable, time-exceeded } accept\n");
	routes_text_add(t, "\t\ticmpv6 type { destination-unreachable, packet-too-big, "
			   "time-exceeded } accept\n");
	add_outside(t, r, open, "saddr");
	end_chain(t);
}

static void add_forwarded(struct routes_text *t, const struct routes_ruleset *r)
{
	begin_chain(t, "forward", "filter", "forward", 0, "drop");
	routes_text_add(t, "\t\tiifname \"%s\" accept\n\t\toifname \"%s\" accept\n", r->device,
			r->device);
	end_chain(t);
}

bool routes_ruleset_lock(const struct routes_ruleset *r, char **ret)
{
	struct routes_text t = {.at = NULL};
	struct routes_list open = {.items = NULL};
	char name[ROUTES_TABLE_NAME];
	*ret = NULL;
	if (r->options->kill_switch == ROUTES_KILL_OFF)
		return true;
	for (uint32_t i = 0; i < r->options->exclude.count; i++)
		if (!routes_list_add(&open, routes_options_prefix(&r->options->exclude, i),
				     sizeof(struct vpn_prefix)))
			t.out_of_memory = true;
	if (!copy_sorted(&r->plan->lan, &open))
		t.out_of_memory = true;
	routes_ruleset_lock_name(r->pipeline, name);
	begin_table(&t, name, false);
	add_output(&t, r, &open);
	add_input(&t, r, &open);
	add_forwarded(&t, r);
	end_table(&t);
	routes_list_free(&open);
	return finish(&t, ret);
}
