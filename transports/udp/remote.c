/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remote: the peer that "remote" names or that "learn" has found, shared by all lanes.
 *
 * All lanes read a datagram's destination from their own copy. A change is rare: it is written under
 * the lock, and a new generation tells the lanes to copy it. Lane 0 looks names up; the others ask it
 * to by `wanted` and wake().
 *
 * When a name is looked up: at start; then when sending failed or ICMP said that the peer is not
 * there, or nothing was heard from it for SILENCE while we send, but not sooner than `interval` after
 * the last time. The interval is 10 s, doubles up to 5 min while look-ups change nothing, and falls
 * back when the peer has been heard in between. Until there has been a first answer it starts from 1 s.
 */
#include "remote.h"

#include <string.h>

#define FIRST_INTERVAL UDP_SECOND
#define LEAST_INTERVAL (10 * UDP_SECOND)
#define MOST_INTERVAL  (300 * UDP_SECOND)
#define SILENCE        (30 * UDP_SECOND) /* look the name up again */
#define LOCAL_LIFETIME (15 * UDP_SECOND) /* let the system choose our address again */
#define LOOKUP_TOKEN   1u

static bool is_known(const struct vpn_endpoint *e)
{
	return e->family != VPN_AF_NONE;
}

static void publish(struct udp *u, const struct vpn_endpoint *e)
{
	pthread_mutex_lock(&u->lock);
	u->remote = *e;
	atomic_fetch_add_explicit(&u->generation, 1, memory_order_release);
	pthread_mutex_unlock(&u->lock);
}

static void publish_local(struct udp *u, const struct vpn_endpoint *e)
{
	pthread_mutex_lock(&u->lock);
	/* a new address may have come meanwhile, which this local part does not belong to */
	if (udp_address_is_peer(&u->remote, e)) {
		memcpy(u->remote.local, e->local, sizeof(e->local));
		u->remote.ifindex = e->ifindex;
		u->remote.local_port = e->local_port;
		atomic_fetch_add_explicit(&u->generation, 1, memory_order_release);
	}
	pthread_mutex_unlock(&u->lock);
}

/* Since the peer was last heard. Clocks of lanes are read at different times: never negative. */
static uint64_t silent_for(const struct udp *u, uint64_t now)
{
	uint64_t heard = atomic_load_explicit(&u->heard_ns, memory_order_relaxed);
	return now > heard ? now - heard : 0;
}

static void set_heard(struct udp *u, uint64_t now)
{
	atomic_store_explicit(&u->heard_ns, now, memory_order_relaxed);
}

/* ---- looking the name up ---- */

static bool is_name(const struct udp_options *o)
{
	struct vpn_endpoint e;
	return o->remote.host != NULL && !udp_address_parse(o->remote.host, &e);
}

static uint32_t family_to_ask(const struct udp *u)
{
	const struct udp_socket *s = u->lanes[0].sockets;
	if (s[0].fd >= 0 && s[1].fd >= 0)
		return 0;
	return s[0].fd >= 0 ? VPN_AF_INET : VPN_AF_INET6;
}

static void grow_interval(struct udp_lookup *k)
{
	k->interval_ns *= 2;
	if (k->interval_ns > MOST_INTERVAL)
		k->interval_ns = MOST_INTERVAL;
}

static void retry_later(struct udp_lane *l, uint64_t now)
{
	struct udp_lookup *k = &l->udp->lookup;
	k->allowed_ns = now + k->interval_ns;
	k->due_ns = k->allowed_ns;
	grow_interval(k);
	udp_arm(l);
}

static void look_up(struct udp_lane *l, uint64_t now)
{
	struct udp_lookup *k = &l->udp->lookup;
	const struct vpn_hostport *r = &l->options->remote;
	k->due_ns = 0;
	k->running = true;
	vpn_count(l->pub, LOOKUPS, 1);
	if (l->host->resolve(l->pub, r->host, r->port, family_to_ask(l->udp), LOOKUP_TOKEN) ==
	    VPN_OK)
		return;
	k->running = false;
	retry_later(l, now);
}

/* Lane 0 has been asked: at once, or as soon as the interval allows. */
static void consider(struct udp_lane *l, uint64_t now)
{
	struct udp_lookup *k = &l->udp->lookup;
	if (k->running || k->due_ns != 0)
		return;
	if (now >= k->allowed_ns) {
		look_up(l, now);
		return;
	}
	k->due_ns = k->allowed_ns;
	udp_arm(l);
}

void udp_remote_trouble(struct udp_lane *l)
{
	struct udp *u = l->udp;
	/* an early look keeps lanes off the shared line while one is on its way */
	if (atomic_load_explicit(&u->wanted, memory_order_relaxed) || !is_name(u->options))
		return;
	if (!atomic_exchange(&u->wanted, true))
		u->host->wake(u->host, 0);
}

void udp_remote_wake(struct udp_lane *l)
{
	if (l->pub->index == 0 && atomic_load(&l->udp->wanted))
		consider(l, l->pub->now_ns);
}

void udp_remote_timer(struct udp_lane *l, uint64_t now_ns)
{
	struct udp_lookup *k = &l->udp->lookup;
	if (l->pub->index == 0 && k->due_ns != 0 && now_ns >= k->due_ns)
		look_up(l, now_ns);
}

/* ---- answers ---- */

static bool has_socket(const struct udp_lane *l, const struct vpn_endpoint *e)
{
	if (e->family != VPN_AF_INET && e->family != VPN_AF_INET6)
		return false;
	return l->sockets[udp_socket_index(e->family)].fd >= 0;
}

/* The address in use if it is still among the answers, else the first that a socket can reach. */
static const struct vpn_endpoint *choose(const struct udp_lane *l, const struct vpn_endpoint *found,
					 uint32_t n)
{
	const struct vpn_endpoint *first = NULL;
	for (uint32_t i = 0; i < n; i++) {
		if (!has_socket(l, &found[i]))
			continue;
		if (udp_address_is_peer(&found[i], &l->peer.endpoint))
			return &found[i];
		if (first == NULL)
			first = &found[i];
	}
	return first;
}

static void adopt(struct udp_lane *l, const struct vpn_endpoint *e, uint32_t level)
{
	char text[UDP_ADDRESS_TEXT];
	bool first = !is_known(&l->peer.endpoint);
	publish(l->udp, e);
	set_heard(l->udp, l->pub->now_ns);
	udp_remote_refresh(l);
	if (!first)
		vpn_count(l->pub, REMOTE_CHANGED, 1);
	udp_log(l->host, first ? VPN_LOG_INFO : level, "remote is %s", udp_address_text(e, text));
}

static void no_answer(struct udp_lane *l, vpn_status status)
{
	const struct udp_lookup *k = &l->udp->lookup;
	uint32_t level = k->answered_ns != 0 ? VPN_LOG_INFO : VPN_LOG_WARN;
	uint64_t seconds = k->interval_ns / UDP_SECOND;
	udp_log(l->host, level, "cannot resolve \"%s\" (%s); trying again in %llu s",
		l->options->remote.host,
		status < 0 ? "no address" : "no address of a usable family",
		(unsigned long long)seconds);
	retry_later(l, l->pub->now_ns);
}

void udp_remote_resolved(struct udp_lane *l, vpn_status status, const struct vpn_endpoint *found,
			 uint32_t n)
{
	struct udp_lookup *k = &l->udp->lookup;
	k->running = false;
	atomic_store(&l->udp->wanted, false);
	udp_remote_refresh(l);
	const struct vpn_endpoint *e = choose(l, found, n);
	if (e == NULL) {
		no_answer(l, status);
		return;
	}
	bool changed = !udp_address_is_peer(e, &l->peer.endpoint);
	bool heard = atomic_load_explicit(&l->udp->heard_ns, memory_order_relaxed) > k->answered_ns;
	if (changed || heard || k->answered_ns == 0)
		k->interval_ns = LEAST_INTERVAL;
	else
		grow_interval(k);
	k->answered_ns = l->pub->now_ns;
	k->allowed_ns = l->pub->now_ns + k->interval_ns;
	if (changed)
		adopt(l, e, VPN_LOG_INFO);
}

vpn_status udp_remote_start(struct udp *u, struct vpn_error *err)
{
	const struct udp_options *o = u->options;
	struct vpn_endpoint e;
	uint64_t now = u->host->now_ns(u->host);
	set_heard(u, now);
	u->lookup = (struct udp_lookup){.interval_ns = FIRST_INTERVAL};
	if (o->remote.host == NULL)
		return VPN_OK;
	if (!udp_address_parse(o->remote.host, &e)) {
		look_up(&u->lanes[0], now);
		return VPN_OK;
	}
	if (udp_address_is_link_local(&e) && e.scope == 0)
		return udp_fault(err, VPN_ENOENT, 0, "/remote",
				 "%s: there is no such network interface", o->remote.host);
	e.port = o->remote.port;
	publish(u, &e);
	return VPN_OK;
}

/* ---- the data path ---- */

void udp_remote_refresh(struct udp_lane *l)
{
	struct udp *u = l->udp;
	if (atomic_load_explicit(&u->generation, memory_order_acquire) == l->peer.generation)
		return;
	pthread_mutex_lock(&u->lock);
	l->peer.endpoint = u->remote;
	l->peer.generation = atomic_load_explicit(&u->generation, memory_order_relaxed);
	pthread_mutex_unlock(&u->lock);
}

bool udp_remote_accepts(const struct udp_lane *l, const struct vpn_endpoint *from)
{
	return l->options->remote.host == NULL || udp_address_is_peer(&l->peer.endpoint, from);
}

void udp_remote_heard(struct udp_lane *l, const struct vpn_endpoint *from)
{
	struct udp *u = l->udp;
	uint64_t now = l->pub->now_ns;
	if (l->options->remote.host == NULL && l->options->learn == 0)
		return;
	if (silent_for(u, now) > UDP_SECOND)
		set_heard(u, now);
	if (!udp_address_is_peer(&l->peer.endpoint, from))
		adopt(l, from, VPN_LOG_DEBUG); /* anybody can cause this: no line for each */
	else if (!udp_address_same_local(&l->peer.endpoint, from))
		publish_local(u, from);
}

const struct vpn_endpoint *udp_remote_sending(struct udp_lane *l)
{
	udp_remote_refresh(l);
	if (!is_known(&l->peer.endpoint))
		return NULL;
	uint64_t silent = silent_for(l->udp, l->pub->now_ns);
	if (silent > LOCAL_LIFETIME && udp_address_has_local(&l->peer.endpoint))
		udp_remote_clear_local(l);
	if (silent > SILENCE)
		udp_remote_trouble(l);
	return &l->peer.endpoint;
}

void udp_remote_clear_local(struct udp_lane *l)
{
	struct vpn_endpoint e = l->peer.endpoint;
	memset(e.local, 0, sizeof(e.local));
	e.ifindex = 0;
	publish_local(l->udp, &e);
	udp_remote_refresh(l);
}
