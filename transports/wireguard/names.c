/* SPDX-License-Identifier: BSD-2-Clause */
#include "names.h"

#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "wireguard.h"

#define FIRST_WAIT (1 * WG_SECOND)  /* after a look-up without an answer */
#define MOST_WAIT  (60 * WG_SECOND) /* doubled up to this */
#define DOUBT_AFTER \
	(15 * WG_SECOND) /* the least between two look-ups that failing handshakes cause */

#define NAMES_PER_TURN 32u

bool wg_names_init(struct wg_names *t, uint32_t n)
{
	memset(t, 0, sizeof(*t));
	atomic_store(&t->first_at, UINT64_MAX);
	t->items = n != 0 ? calloc(n, sizeof(*t->items)) : NULL;
	return n == 0 || t->items != NULL;
}

void wg_names_clear(struct wg_names *t)
{
	free(t->items);
	t->items = NULL;
	t->count = 0;
}

static void tell_first(struct wg_names *t)
{
	uint64_t first = UINT64_MAX;
	for (uint32_t i = 0; i < t->count; i++)
		if (t->items[i].due_ns != 0 && t->items[i].due_ns < first)
			first = t->items[i].due_ns;
	atomic_store(&t->first_at, first);
}

static void ask_at(struct wg *wg, struct wg_name *n, uint64_t at)
{
	n->due_ns = at;
	if (at < atomic_load(&wg->names.first_at)) {
		atomic_store(&wg->names.first_at, at);
		wg_wake_first(wg);
	}
}

void wg_names_add(struct wg *wg, struct wg_peer *peer, const char *host, uint16_t port)
{
	struct wg_name *n = &wg->names.items[wg->names.count++];
	*n = (struct wg_name){.peer = peer, .host = host, .port = port, .wait_ns = FIRST_WAIT};
	peer->name = n;
	ask_at(wg, n, 1);
}

void wg_names_forget(struct wg_peer *peer)
{
	if (peer->name == NULL)
		return;
	peer->name->peer = NULL;
	peer->name->due_ns = 0;
	peer->name = NULL;
}

void wg_names_doubt(struct wg *wg, struct wg_peer *peer, uint64_t now_ns)
{
	struct wg_name *n = peer->name;
	if (n == NULL || n->running || n->due_ns != 0 || now_ns < n->asked_ns + DOUBT_AFTER)
		return;
	ask_at(wg, n, now_ns);
}

static void try_again(struct wg *wg, struct wg_name *n, uint64_t now)
{
	n->running = false;
	if (n->peer == NULL)
		return;
	ask_at(wg, n, now + n->wait_ns);
	n->wait_ns = n->wait_ns * 2 < MOST_WAIT ? n->wait_ns * 2 : MOST_WAIT;
}

void wg_names_run(struct wg_lane *l, uint64_t now_ns)
{
	struct wg *wg = l->wg;
	uint32_t asked = 0;
	if (atomic_load(&wg->names.first_at) > now_ns)
		return;
	wg_lock(wg);
	for (uint32_t i = 0; i < wg->names.count && asked < NAMES_PER_TURN; i++) {
		struct wg_name *n = &wg->names.items[i];
		if (n->due_ns == 0 || n->due_ns > now_ns || n->running)
			continue;
		n->due_ns = 0;
		n->running = true;
		n->asked_ns = now_ns;
		asked++;
		/* the answer comes later, from the loop: not while we hold the lock */
		if (l->host->resolve(l->pub, n->host, n->port, 0, i) != VPN_OK)
			try_again(wg, n, now_ns);
	}
	tell_first(&wg->names);
	wg_unlock(wg);
}

/* The address to use: the one after the present one, which does not answer, or else the first. */
static const struct vpn_endpoint *choose(const struct wg_peer *p, const struct vpn_endpoint *found,
					 uint32_t n)
{
	struct vpn_endpoint now;
	wg_endpoint_get(&p->endpoint, &now);
	for (uint32_t i = 0; i < n; i++)
		if (now.family == found[i].family && now.port == found[i].port &&
		    memcmp(now.addr, found[i].addr, sizeof(now.addr)) == 0)
			return &found[(i + 1) % n];
	return &found[0];
}

/* Whether the peer has answered since the question was put: then it is where it is. */
static bool is_back(const struct wg_name *n)
{
	const struct wg_keypair *k = atomic_load(&n->peer->current);
	return n->known && k != NULL && k->created_ns >= n->asked_ns;
}

static void adopt(struct wg_lane *l, struct wg_name *n, const struct vpn_endpoint *found,
		  uint32_t n_found)
{
	struct wg_peer *p = n->peer;
	char text[WG_ENDPOINT_TEXT], key[WG_KEY_TEXT];
	bool moved, back = is_back(n);
	n->known = true;
	n->wait_ns = FIRST_WAIT;
	const struct vpn_endpoint *e = choose(p, found, n_found);
	if (back || !wg_endpoint_learn(&p->endpoint, e, &moved) || !moved)
		return;
	wg_log(l->host, VPN_LOG_INFO, "peer %s: \"%s\" is %s", wg_text_key(p->public_key, key),
	       n->host, wg_text_endpoint(e, text));
	wg_changed(l->wg);
	/* whoever waits for the peer has waited long enough */
	if (atomic_load(&p->keepalive_s) != 0 || p->retransmit_at != 0)
		wg_peer_ask(p, WG_TODO_HANDSHAKE);
}

void wg_names_resolved(struct wg_lane *l, uint64_t token, vpn_status status,
		       const struct vpn_endpoint *found, uint32_t n_found)
{
	struct wg *wg = l->wg;
	if (token >= wg->names.count)
		return;
	wg_lock(wg);
	struct wg_name *n = &wg->names.items[token];
	n->running = false;
	if (n->peer != NULL && n_found != 0) {
		adopt(l, n, found, n_found);
	} else if (n->peer != NULL) {
		wg_log(l->host, n->known ? VPN_LOG_INFO : VPN_LOG_WARN,
		       "cannot resolve \"%s\" (status %d); trying again in %llu s", n->host, status,
		       (unsigned long long)(n->wait_ns / WG_SECOND));
		try_again(wg, n, l->pub->now_ns);
	}
	wg_unlock(wg);
}
