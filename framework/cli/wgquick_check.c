/* SPDX-License-Identifier: BSD-2-Clause */
#include "wgquick_check.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgquick_awg.h"
#include "wgquick_dns.h"

#define SAID(place) (place).line, (place).column

static int compare_lines(const struct wgquick_place *a, const struct wgquick_place *b)
{
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->column > b->column) - (a->column < b->column);
}

/* ---- peers ---- */

static int compare_peers(const void *a, const void *b)
{
	const struct wgquick_peer *x = *(struct wgquick_peer *const *)a;
	const struct wgquick_peer *y = *(struct wgquick_peer *const *)b;
	int order = memcmp(x->public_key, y->public_key, KEYS_LEN);
	return order != 0 ? order : compare_lines(&x->place, &y->place);
}

static void check_peer(const struct wgquick_peer *peer, const uint8_t own[KEYS_LEN],
		       struct problems *problems)
{
	if (peer->public_place.line == 0)
		problems_add(problems, SAID(peer->place), "",
			     "this [Peer] has no PublicKey, and nothing else names a peer");
	else if (sodium_memcmp(peer->public_key, own, KEYS_LEN) == 0)
		problems_add(problems, SAID(peer->public_place), "",
			     "this is the public key of the interface itself: a peer is somebody "
			     "else");
}

/* By sorting, since a file may have ten thousand. */
static void find_twins(const struct wgquick *w, struct problems *problems)
{
	struct wgquick_peer **sorted = calloc(w->n_peers + 1, sizeof(*sorted));
	if (sorted == NULL) {
		problems_add(problems, 0, 0, "", "out of memory");
		return;
	}
	for (size_t i = 0; i < w->n_peers; i++)
		sorted[i] = &w->peers[i];
	qsort(sorted, w->n_peers, sizeof(struct wgquick_peer *), compare_peers);
	for (size_t i = 1; i < w->n_peers && problems->n < WGQUICK_PROBLEMS_MAX; i++)
		if (sorted[i]->public_place.line != 0 && sorted[i - 1]->public_place.line != 0 &&
		    memcmp(sorted[i]->public_key, sorted[i - 1]->public_key, KEYS_LEN) == 0)
			problems_add(problems, SAID(sorted[i]->public_place), "",
				     "the peer with this key stands at line %d already: make one "
				     "[Peer] of both",
				     sorted[i - 1]->place.line);
	free(sorted);
}

/* ---- allowed IPs ---- */

static int compare_prefixes(const struct tcpip_prefix *x, const struct tcpip_prefix *y)
{
	int order = memcmp(x->addr, y->addr, sizeof(x->addr));
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return order != 0 ? order : (int)x->len - (int)y->len;
}

static int compare_allowed(const void *a, const void *b)
{
	const struct wgquick_allowed *x = *(struct wgquick_allowed *const *)a;
	const struct wgquick_allowed *y = *(struct wgquick_allowed *const *)b;
	int order = compare_prefixes(&x->prefix, &y->prefix);
	return order != 0 ? order : compare_lines(&x->place, &y->place);
}

/* `a` stands in front of `b`, and they are the same. */
static void report_same(const struct wgquick_allowed *a, struct wgquick_allowed *b,
			struct problems *problems)
{
	char text[TCPIP_PREFIX_TEXT_MAX];
	tcpip_prefix_format(&b->prefix, text, sizeof(text));
	if (a->peer == b->peer) {
		b->twice = true;
		problems_warn(problems, SAID(b->place), "",
			      "%s stands twice in this peer (first at %d:%d)", text,
			      SAID(a->place));
	} else {
		problems_add(problems, SAID(b->place), "",
			     "%s leads to the peer of %d:%d already: a prefix leads to one peer",
			     text, SAID(a->place));
	}
}

static void find_same_prefixes(struct wgquick *w, struct problems *problems)
{
	struct wgquick_allowed **sorted = calloc(w->n_allowed + 1, sizeof(*sorted));
	if (sorted == NULL) {
		problems_add(problems, 0, 0, "", "out of memory");
		return;
	}
	for (size_t i = 0; i < w->n_allowed; i++)
		sorted[i] = &w->allowed[i];
	qsort(sorted, w->n_allowed, sizeof(struct wgquick_allowed *), compare_allowed);
	for (size_t i = 1; i < w->n_allowed && problems->n < WGQUICK_PROBLEMS_MAX; i++)
		if (compare_prefixes(&sorted[i - 1]->prefix, &sorted[i]->prefix) == 0)
			report_same(sorted[i - 1], sorted[i], problems);
	free(sorted);
}

/* ---- what has to be done elsewhere ---- */

/* The kernel makes a route to the network of each address by itself. */
static bool is_reached(const struct wgquick *w, const struct tcpip_prefix *prefix)
{
	for (size_t i = 0; i < w->n_addresses; i++)
		if (w->addresses[i].len <= prefix->len &&
		    tcpip_prefix_contains(&w->addresses[i], prefix->family, prefix->addr))
			return true;
	return false;
}

/* One warning for all: a file may have thousands of prefixes. */
static void warn_of_routes(const struct wgquick *w, struct problems *problems)
{
	char text[TCPIP_PREFIX_TEXT_MAX], more[48] = "";
	const struct wgquick_allowed *first = NULL;
	bool everything = false;
	size_t n = 0;
	if (w->no_routes || w->table_place.line != 0)
		return;
	for (size_t i = 0; i < w->n_allowed; i++) {
		if (w->allowed[i].twice || is_reached(w, &w->allowed[i].prefix))
			continue;
		if (n++ == 0)
			first = &w->allowed[i];
		everything = everything || w->allowed[i].prefix.len == 0;
	}
	if (n == 0)
		return;
	tcpip_prefix_format(&first->prefix, text, sizeof(text));
	if (n > 1)
		snprintf(more, sizeof(more), " and %zu more", n - 1);
	problems_warn(problems, SAID(first->place), "",
		      "the manifest makes no routes: for that to %s%s add \"routes\": %s to it, or "
		      "make it by hand",
		      text, more, everything ? "{\"default\": true}" : "{}");
}

#define USUAL_PATH_MTU 1500u

/* AmneziaWG's clients leave the MTU as it is when data gets longer. */
static void warn_of_fragments(const struct wgquick *w, struct problems *problems)
{
	uint32_t extra = wgquick_awg_overhead(&w->awg);
	uint32_t room = USUAL_PATH_MTU - WGQUICK_OVERHEAD;
	if (extra == 0 || extra > room || w->mtu == 0 || w->mtu > room || w->mtu + extra <= room)
		return;
	problems_warn(problems, SAID(w->mtu_place), "",
		      "with S4 = %u packets of this MTU are fragmented where the path carries "
		      "%u bytes; %u fits",
		      extra, USUAL_PATH_MTU, room - extra);
}

static void check_mtu(const struct wgquick *w, struct problems *problems)
{
	uint32_t extra = wgquick_awg_overhead(&w->awg);
	if (w->mtu != 0 && w->mtu + extra > WGQUICK_MTU_MAX)
		problems_add(problems, SAID(w->mtu_place), "",
			     "with S4 = %u an MTU of %u is the most", extra,
			     WGQUICK_MTU_MAX - extra);
	if (w->mtu == 0 || w->mtu >= WGQUICK_MTU_MIN_IP6)
		return;
	for (size_t i = 0; i < w->n_addresses; i++)
		if (w->addresses[i].family == 6) {
			problems_add(problems, SAID(w->mtu_place), "",
				     "IPv6 needs an MTU of at least %u, and there is an IPv6 "
				     "Address",
				     WGQUICK_MTU_MIN_IP6);
			return;
		}
}

void wgquick_check(struct wgquick *w, struct problems *problems)
{
	uint8_t own[KEYS_LEN] = {0};
	if (w->place.line == 0)
		problems_add(problems, 0, 0, "", "has no [Interface] section");
	else if (w->private_place.line == 0)
		problems_add(problems, SAID(w->place), "",
			     "[Interface] has no PrivateKey; a key that PostUp sets has to be "
			     "written into the file or into the manifest");
	else
		keys_public(w->private_key, own);
	for (size_t i = 0; i < w->n_peers && problems->n < WGQUICK_PROBLEMS_MAX; i++)
		check_peer(&w->peers[i], own, problems);
	find_twins(w, problems);
	find_same_prefixes(w, problems);
	check_mtu(w, problems);
	warn_of_fragments(w, problems);
	wgquick_dns_check(&w->dns, problems);
	warn_of_routes(w, problems);
}
