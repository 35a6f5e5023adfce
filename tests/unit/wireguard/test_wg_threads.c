/* SPDX-License-Identifier: BSD-2-Clause */
/* threads: lanes that run at the same time, while the configuration changes under them. To be run
 * under ThreadSanitizer and AddressSanitizer as well: much of what is tested is what they see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <string.h>

#include "peer.h"
#include "text.h"
#include "wg_threads.h"
#include "wireguard.h"

#define EXTRAS 4u

/* The thread that controls both, and what it knows. */
struct control {
	struct threads *t;
	uint64_t random;
	uint64_t last_break; /* when it last did what ends sessions */
	uint32_t a_key;      /* which of its two keys `a` has */
	uint8_t a_private[2][WG_KEY_LEN], a_public[2][WG_KEY_LEN];
	uint8_t b_private[WG_KEY_LEN], b_public[WG_KEY_LEN];
	uint8_t extra_public[EXTRAS][WG_KEY_LEN];
	uint32_t breaks;
};

static void make_key(uint8_t fill, uint8_t private_key[WG_KEY_LEN], uint8_t public_key[WG_KEY_LEN])
{
	struct wg_identity id;
	memset(private_key, fill, WG_KEY_LEN);
	wg_identity_set(&id, private_key);
	memcpy(public_key, id.public_key, WG_KEY_LEN);
}

static struct vpn_prefix prefix_of(const uint8_t addr[4])
{
	struct vpn_prefix p = {.family = VPN_AF_INET, .length = 32};
	memcpy(p.addr, addr, 4);
	return p;
}

static struct vpn_prefix extra_prefix(uint32_t i)
{
	return (struct vpn_prefix){
		.family = VPN_AF_INET, .length = 24, .addr = {10, 200, (uint8_t)i}};
}

/* With the lock held. */
static struct wg_peer *peer_of(struct node *n, const uint8_t key[WG_KEY_LEN], bool create)
{
	bool created;
	int error;
	return wg_config_peer(n->wg, key, create, &created, &error);
}

static void add_peer(struct node *n, const uint8_t key[WG_KEY_LEN], const struct vpn_prefix *prefix,
		     const struct vpn_endpoint *at)
{
	wg_config_lock(n->wg);
	struct wg_peer *p = peer_of(n, key, true);
	CHECK(p != NULL);
	if (at != NULL)
		wg_config_peer_set_endpoint(n->wg, p, at);
	CHECK(wg_config_peer_add_allowed(n->wg, p, prefix) == 0);
	wg_config_peer_done(n->wg, p);
	wg_config_unlock(n->wg);
}

static void remove_peer(struct node *n, const uint8_t key[WG_KEY_LEN])
{
	wg_config_lock(n->wg);
	struct wg_peer *p = peer_of(n, key, false);
	if (p != NULL)
		wg_config_peer_remove(n->wg, p);
	wg_config_unlock(n->wg);
}

static void connect_both(struct control *c)
{
	struct vpn_prefix a = prefix_of(c->t->a.inside), b = prefix_of(c->t->b.inside);
	add_peer(&c->t->a, c->b_public, &b, &c->t->b.at);
	add_peer(&c->t->b, c->a_public[c->a_key], &a, &c->t->a.at);
}

static struct node *any_node(struct control *c)
{
	return threads_random(&c->random) % 2 == 0 ? &c->t->a : &c->t->b;
}

static const uint8_t *key_at(struct control *c, const struct node *n)
{
	return n == &c->t->a ? c->b_public : c->a_public[c->a_key];
}

/* ---- what ends no session ---- */

static void change_extras(struct control *c)
{
	uint32_t i = (uint32_t)(threads_random(&c->random) % EXTRAS);
	struct vpn_prefix prefix = extra_prefix((uint32_t)(threads_random(&c->random) % EXTRAS));
	struct node *n = any_node(c);
	if (threads_random(&c->random) % 2 == 0)
		remove_peer(n, c->extra_public[i]);
	else
		add_peer(n, c->extra_public[i], &prefix, &n->other->at);
}

static void change_prefixes(struct control *c)
{
	struct node *n = any_node(c);
	struct vpn_prefix whole = {.family = VPN_AF_INET, .length = 8, .addr = {10}};
	struct vpn_prefix v6 = {.family = VPN_AF_INET6, .length = 64, .addr = {0xfd}};
	wg_config_lock(n->wg);
	struct wg_peer *p = peer_of(n, key_at(c, n), false);
	if (p != NULL) {
		CHECK(wg_config_peer_add_allowed(n->wg, p, &whole) == 0);
		CHECK(wg_config_peer_add_allowed(n->wg, p, &v6) == 0);
		wg_config_peer_remove_allowed(n->wg, p, &whole);
		wg_config_peer_remove_allowed(n->wg, p, &v6);
	}
	wg_config_unlock(n->wg);
}

static void change_peer(struct control *c)
{
	struct node *n = any_node(c);
	uint64_t chance = threads_random(&c->random);
	wg_config_lock(n->wg);
	struct wg_peer *p = peer_of(n, key_at(c, n), false);
	if (p != NULL) {
		wg_config_peer_set_keepalive(n->wg, p, (uint16_t)(chance % 3));
		wg_config_peer_set_endpoint(n->wg, p, &n->other->at);
		wg_config_peer_done(n->wg, p);
	}
	wg_config_unlock(n->wg);
}

static bool count_prefix(void *ctx, const struct vpn_prefix *prefix)
{
	uint32_t *n = ctx;
	CHECK(prefix->family == VPN_AF_INET || prefix->family == VPN_AF_INET6);
	return ++*n < 1000;
}

static int see_peer(void *ctx, const struct vpn_peer_info *peer)
{
	uint32_t *n = ctx;
	*n += peer->n_allowed;
	return 0;
}

static void read_views(struct control *c)
{
	struct node *n = any_node(c);
	struct wg_device_view device;
	struct wg_peer_view view;
	uint32_t prefixes = 0, listed = 0;
	wg_config_view(n->wg, &device);
	CHECK(device.has_private_key);
	wg_config_lock(n->wg);
	for (struct wg_peer *p = wg_config_first_peer(n->wg); p != NULL;
	     p = wg_config_next_peer(p)) {
		wg_config_peer_view(n->wg, p, &view);
		CHECK(wg_config_peer_each_allowed(p, count_prefix, &prefixes));
	}
	wg_config_unlock(n->wg);
	const struct vpn_peers_ext *x = vpncore_plugin_v1.components[0]->lifecycle->get_extension(
		n->wg, VPN_EXT_PEERS);
	CHECK(x->each(n->wg, see_peer, &listed) == VPN_OK);
	CHECK(listed == prefixes); /* nobody else changes them */
}

/* ---- what ends sessions ---- */

static void change_key(struct control *c)
{
	struct vpn_prefix a = prefix_of(c->t->a.inside);
	uint32_t next = 1 - c->a_key;
	remove_peer(&c->t->b, c->a_public[c->a_key]);
	wg_config_lock(c->t->a.wg);
	wg_config_set_private_key(c->t->a.wg, c->a_private[next]);
	wg_config_unlock(c->t->a.wg);
	c->a_key = next;
	add_peer(&c->t->b, c->a_public[next], &a, &c->t->a.at);
}

/* Lanes stage packets for a peer that has no session, and lose it. */
static void flap_peer(struct control *c)
{
	for (uint32_t i = 0; i < 60; i++) {
		remove_peer(&c->t->a, c->b_public);
		sched_yield();
		connect_both(c);
		for (uint64_t k = threads_random(&c->random) % 8; k != 0; k--)
			sched_yield();
	}
}

static void flap_device(struct control *c)
{
	struct node *n = any_node(c);
	for (uint32_t i = 0; i < 4; i++) {
		threads_set_device(n, false);
		sched_yield();
		threads_set_device(n, true);
		sched_yield();
	}
}

static void break_something(struct control *c)
{
	uint64_t now = atomic_load(&c->t->now);
	if (now < c->last_break + 10 * WG_SECOND)
		return;
	switch (c->breaks++ % 4) {
	case 0:
		change_key(c);
		break;
	case 1:
		flap_peer(c);
		break;
	case 2:
		flap_device(c);
		break;
	default:
		wg_config_lock(c->t->b.wg);
		wg_config_remove_all_peers(c->t->b.wg);
		wg_config_unlock(c->t->b.wg);
		connect_both(c);
		break;
	}
	c->last_break = atomic_load(&c->t->now);
}

static void change_something(struct control *c)
{
	switch (threads_random(&c->random) % 5) {
	case 0:
		change_extras(c);
		break;
	case 1:
		change_prefixes(c);
		break;
	case 2:
		change_peer(c);
		break;
	case 3:
		read_views(c);
		break;
	default:
		break_something(c);
		break;
	}
	sched_yield();
}

/* ---- the tests ---- */

static void init(struct control *c, uint32_t n_lanes)
{
	memset(c, 0, sizeof(*c));
	c->random = 0x123456789u;
	make_key(0xa1, c->a_private[0], c->a_public[0]);
	make_key(0xa2, c->a_private[1], c->a_public[1]);
	make_key(0xb1, c->b_private, c->b_public);
	for (uint32_t i = 0; i < EXTRAS; i++) {
		uint8_t secret[WG_KEY_LEN];
		make_key((uint8_t)(0xe0 + i), secret, c->extra_public[i]);
	}
	c->t = threads_new(n_lanes, c->a_private[0], c->b_private);
	connect_both(c);
}

/* Both get packets, more of them than anything but a tunnel that works could bring. */
static void wait_for(struct threads *t, uint64_t more)
{
	uint64_t a = atomic_load(&t->a.got), b = atomic_load(&t->b.got);
	atomic_store(&t->limit, THREAD_NUMBERS);
	while (atomic_load(&t->a.got) < a + more || atomic_load(&t->b.got) < b + more) {
		CHECK(!threads_done(t));
		sched_yield();
	}
}

static void lanes_share_a_session(void **state)
{
	(void)state;
	struct control c;
	init(&c, 2);
	threads_run(c.t);
	wait_for(c.t, 20000);
	threads_end(c.t);
}

static void run_with_changes(uint32_t n_lanes)
{
	struct control c;
	init(&c, n_lanes);
	atomic_store(&c.t->limit, 40000);
	threads_run(c.t);
	while (!threads_done(c.t) || c.breaks < 12)
		change_something(&c);
	wait_for(c.t, 100);
	threads_end(c.t);
}

static void the_configuration_changes_under_two_lanes(void **state)
{
	(void)state;
	run_with_changes(2);
}

static void the_configuration_changes_under_three_lanes(void **state)
{
	(void)state;
	run_with_changes(3);
}

/* Nobody answers: all packets are staged, for peers that are removed at the same moment. */
static void peers_vanish_under_what_is_staged_for_them(void **state)
{
	(void)state;
	struct control c;
	init(&c, 2);
	c.t->cut = true;
	atomic_store(&c.t->limit, 1);
	threads_run(c.t);
	for (uint32_t i = 0; i < 3000; i++) {
		remove_peer(&c.t->a, c.b_public);
		remove_peer(&c.t->b, c.a_public[0]);
		connect_both(&c);
		for (uint64_t k = threads_random(&c.random) % 3; k != 0; k--)
			sched_yield();
	}
	threads_end(c.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lanes_share_a_session),
		cmocka_unit_test(the_configuration_changes_under_two_lanes),
		cmocka_unit_test(the_configuration_changes_under_three_lanes),
		cmocka_unit_test(peers_vanish_under_what_is_staged_for_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
