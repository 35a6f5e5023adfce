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

/* A name that is due, or NULL. */
static struct wg_name *take_due(struct wg *wg, uint64_t now)
{
	for (uint32_t i = 0; i < wg->names.count; i++) {
		struct wg_name *n = &wg->names.items[i];
		if (n->due_ns == 0 || n->due_ns > now || n->running)
			continue;
		n->due_ns = 0;
		n->running = true;
		n->asked_ns = now;
		return n;
	}
	return NULL;
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
	struct wg_name *n;
	if (atomic_load(&wg->names.first_at) > now_ns)
		return;
	wg_lock(wg);
	while ((n = take_due(wg, now_ns)) != NULL) {
		uint64_t token = (uint64_t)(n - wg->names.items);
		/* the answer comes later, from the loop: not while we hold the lock */
		if (l->host->resolve(l->pub, n->host, n->port, 0, token) != VPN_OK)
			try_again(wg, n, now_ns);
	}
	tell_first(&wg->names);
	wg_unlock(wg);
}

static bool is_among(const struct vpn_endpoint *e, const struct vpn_endpoint *found, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (e->family == found[i].family && e->port == found[i].port &&
		    memcmp(e->addr, found[i].addr, sizeof(e->addr)) == 0)
			return true;
	return false;
}

static void adopt(struct wg_lane *l, struct wg_name *n, const struct vpn_endpoint *found,
		  uint32_t n_found)
{
	struct wg_peer *p = n->peer;
	struct vpn_endpoint now;
	char text[WG_ENDPOINT_TEXT], key[WG_KEY_TEXT];
	n->known = true;
	n->wait_ns = FIRST_WAIT;
	if (wg_endpoint_get(&p->endpoint, &now) && is_among(&now, found, n_found))
		return;
	wg_endpoint_set(&p->endpoint, &found[0]);
	wg_log(l->host, VPN_LOG_INFO, "peer %s: \"%s\" is %s", wg_text_key(p->public_key, key),
	       n->host, wg_text_endpoint(&found[0], text));
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
	tell_first(&wg->names);
	wg_unlock(wg);
}
