/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hop: the far ports that we take turns on, and when we move.
 *
 * A peer that listens on a range is sent to on one port of it for a while, then on another. The next
 * one is drawn at random from all others, at a time that is drawn as well, so that seeing many moves
 * tells nothing about the next. Both are decided when a batch is sent: who has nothing to say stays,
 * and needs no timer.
 *
 * Moving means a new far port for all lanes, and where our own port was left to the system new
 * sockets too (port.c hands them over), so that what watches flows sees a new one. The old sockets
 * stay a while: the peer answers there until it has heard from the new ones.
 *
 * Silence: the range is being sent to, and for as long as the option says nothing came from the port
 * in use. What follows a long pause begins it anew: a keepalive is sent alone and is not answered.
 * What still comes from an earlier port does not count: a peer with much to say goes on there while
 * the new port is blocked.
 */
#include "hop.h"

#include "port.h"

#define SPREAD 4u /* a move comes up to 1/SPREAD of the interval sooner or later */

/* Who waits for an answer asks again within this: WireGuard after 5 s (Rekey-Timeout). */
#define LONG_PAUSE (10 * UDP_SECOND)

static uint64_t draw(const struct udp *u, uint64_t n)
{
	uint64_t r;
	u->host->random(u->host, &r, sizeof(r));
	return r % n; /* n is far below 2^64: the bias does not matter */
}

static void set_port(struct udp *u, uint16_t port)
{
	atomic_store_explicit(&u->hop.port, port, memory_order_release);
}

static void plan_next(struct udp *u, uint64_t now)
{
	uint64_t interval = u->hop.plan.interval_ns;
	uint64_t spread = interval / SPREAD;
	atomic_store_explicit(&u->hop.due_ns, now + interval - spread + draw(u, 2 * spread + 1),
			      memory_order_relaxed);
}

/* Any port of the range but the one in use. */
static uint16_t another_port(const struct udp *u)
{
	const struct udp_hop_plan *p = &u->hop.plan;
	uint32_t now = atomic_load_explicit(&u->hop.port, memory_order_relaxed);
	uint32_t port = p->first + (uint32_t)draw(u, (uint64_t)p->last - p->first);
	return (uint16_t)(port >= now ? port + 1 : port);
}

void udp_hop_start(struct udp *u)
{
	struct udp_hop *h = &u->hop;
	udp_options_hop(u->options, &h->plan);
	if (!udp_hop_is_on(u))
		return;
	h->renews = u->options->listen.port == 0;
	set_port(u,
		 (uint16_t)(h->plan.first + draw(u, (uint64_t)h->plan.last - h->plan.first + 1)));
	/* a lane may send for the first time when its sockets for another port wait already */
	for (uint32_t i = 0; i < u->n_lanes; i++)
		u->lanes[i].far_port = (uint16_t)atomic_load(&h->port);
	plan_next(u, u->host->now_ns(u->host));
}

static bool is_silent(const struct udp *u, uint64_t now)
{
	uint64_t asked = atomic_load_explicit(&u->hop.asked_ns, memory_order_relaxed);
	uint64_t heard = atomic_load_explicit(&u->hop.heard_ns, memory_order_relaxed);
	return asked > heard && now > asked && now - asked >= u->hop.plan.silence_ns;
}

void udp_hop_refresh(struct udp_lane *l)
{
	/* the port first: where it is a new one, the lane's new sockets are there to be seen */
	uint32_t port = atomic_load_explicit(&l->udp->hop.port, memory_order_acquire);
	if (!atomic_load_explicit(&l->has_next, memory_order_relaxed))
		l->far_port = (uint16_t)port;
}

/* After a long pause nothing is owed. To an eighth of it, so that lanes seldom write. */
static void note_sending(struct udp_hop *h, uint64_t now)
{
	uint64_t sent = atomic_load_explicit(&h->sent_ns, memory_order_relaxed);
	if (now < sent + LONG_PAUSE / 8)
		return;
	atomic_store_explicit(&h->sent_ns, now, memory_order_relaxed);
	if (now - sent > LONG_PAUSE)
		atomic_store_explicit(&h->heard_ns,
				      atomic_load_explicit(&h->asked_ns, memory_order_relaxed),
				      memory_order_relaxed);
}

static bool is_due(const struct udp *u, uint64_t now)
{
	return now >= atomic_load_explicit(&u->hop.due_ns, memory_order_relaxed) ||
	       is_silent(u, now);
}

void udp_hop_sending(struct udp_lane *l)
{
	struct udp *u = l->udp;
	struct udp_hop *h = &u->hop;
	uint64_t now = l->pub->now_ns;
	udp_hop_refresh(l);
	note_sending(h, now);
	if (!is_due(u, now)) {
		uint64_t heard = atomic_load_explicit(&h->heard_ns, memory_order_relaxed);
		if (atomic_load_explicit(&h->asked_ns, memory_order_relaxed) <= heard)
			atomic_store_explicit(&h->asked_ns, now, memory_order_relaxed);
		return;
	}
	/* an early look keeps lanes off the shared line while one move is on its way */
	if (!atomic_load_explicit(&h->wanted, memory_order_relaxed) &&
	    !atomic_exchange(&h->wanted, true))
		u->host->wake(u->host, l->pub->index);
}

void udp_hop_heard(struct udp_lane *l)
{
	struct udp_hop *h = &l->udp->hop;
	uint64_t now = l->pub->now_ns;
	uint64_t asked = atomic_load_explicit(&h->asked_ns, memory_order_relaxed);
	if (asked <= atomic_load_explicit(&h->heard_ns, memory_order_relaxed))
		return;
	/* another lane's clock may be ahead of ours */
	atomic_store_explicit(&h->heard_ns, now > asked ? now : asked, memory_order_relaxed);
}

/* Under port_lock. */
static void move(struct udp_lane *l)
{
	struct udp *u = l->udp;
	struct udp_hop *h = &u->hop;
	uint64_t now = l->pub->now_ns;
	bool silent = is_silent(u, now);
	uint16_t port = another_port(u);
	if (h->renews)
		udp_port_renew(u);
	set_port(u, port);
	plan_next(u, now);
	/* nothing has been asked of the new port yet */
	atomic_store_explicit(&h->heard_ns,
			      atomic_load_explicit(&h->asked_ns, memory_order_relaxed),
			      memory_order_relaxed);
	vpn_count(l->pub, HOPS, 1);
	if (silent)
		vpn_count(l->pub, HOPS_AFTER_SILENCE, 1);
	udp_log(u->host, silent && !h->was_silent ? VPN_LOG_INFO : VPN_LOG_DEBUG,
		silent ? "nothing comes back: moving to the peer's port %u"
		       : "moving to the peer's port %u",
		port);
	h->was_silent = silent;
}

void udp_hop_wake(struct udp_lane *l)
{
	struct udp *u = l->udp;
	if (!atomic_load_explicit(&u->hop.wanted, memory_order_relaxed))
		return;
	if (pthread_mutex_trylock(&u->port_lock) != 0) {
		u->host->wake(u->host, l->pub->index);
		return;
	}
	uint16_t before = u->port;
	if (u->open && atomic_load(&u->hop.wanted)) {
		/* who asked may have looked just before the last move */
		if (is_due(u, l->pub->now_ns))
			move(l);
		atomic_store(&u->hop.wanted, false);
	}
	bool changed = u->port != before;
	pthread_mutex_unlock(&u->port_lock);
	if (changed)
		udp_port_tell(u);
}
