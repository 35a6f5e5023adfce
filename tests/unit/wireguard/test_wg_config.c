/* SPDX-License-Identifier: BSD-2-Clause */
/* config: what can be set and read while the instance lives. */
#include <errno.h>
#include <sodium.h>

#include "wg_world.h"

#define AT "192.0.2.1:51820"

static struct ref *one_peer(struct world *w)
{
	world_init(w);
	return world_peer(w, AT, "10.0.1.0/24");
}

static struct vpn_prefix prefix_of(const char *text)
{
	struct vpn_prefix p;
	assert_true(wg_text_parse_prefix(text, &p));
	return p;
}

static void make_key(uint8_t fill, uint8_t private_key[WG_KEY_LEN], uint8_t public_key[WG_KEY_LEN])
{
	struct wg_identity id;
	memset(private_key, fill, WG_KEY_LEN);
	wg_identity_set(&id, private_key);
	memcpy(public_key, id.public_key, WG_KEY_LEN);
}

static struct wg_peer *find(struct world *w, const uint8_t public_key[WG_KEY_LEN])
{
	bool created;
	int error;
	struct wg_peer *p = wg_config_peer(w->wg, public_key, false, &created, &error);
	assert_false(created);
	assert_int_equal(error, 0);
	return p;
}

static void set_key(struct world *w, const uint8_t key[WG_KEY_LEN])
{
	wg_config_lock(w->wg);
	wg_config_set_private_key(w->wg, key);
	wg_config_unlock(w->wg);
	testhost_run(w->host);
}

static void remove_peer(struct world *w, const struct ref *r)
{
	struct wg_peer *p = world_peer_of(w, r);
	wg_config_lock(w->wg);
	wg_config_peer_remove(w->wg, p);
	wg_config_unlock(w->wg);
}

static void is_gone(struct world *w)
{
	testhost_run(w->host);
	assert_null(w->wg->epoch.first);
	assert_null(w->wg->todo);
	assert_int_equal(w->wg->peers.count, 0);
	assert_int_equal(w->wg->timers.count, 0);
	assert_int_equal(w->wg->index.count, 0);
	assert_int_equal(w->wg->allowed.count, 0);
	assert_int_equal(testhost_deadline(w->stage, 0), 0);
}

/* The reference peer learns the component's new public key. */
static void meet_anew(struct ref *r, const uint8_t public_key[WG_KEY_LEN])
{
	wg_noise_init(&r->noise, &r->id, public_key, r->has_psk ? r->psk : NULL);
	wg_cookie_maker_init(&r->maker, public_key);
}

/* ---- our own key ---- */

static void a_new_key_ends_sessions_and_begins_handshakes(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg;
	uint8_t key[WG_KEY_LEN], public_key[WG_KEY_LEN];
	make_key(0x23, key, public_key);
	world_start(&w);
	world_join(&w, r);
	struct wg_peer *p = world_peer_of(&w, r);
	set_key(&w, key);
	assert_null(atomic_load(&p->current));
	world_expect(&w, WG_TYPE_INITIATION, &msg); /* at once, without a packet that wants it */
	world_mark(&w);
	world_say(&w, r, r->inside, w.inside, 10, 1);
	world_only_drop(&w, DROP_UNKNOWN_INDEX, 1);
	meet_anew(r, public_key);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear_keepalive(&w, r);
	world_end(&w);
}

static void a_new_key_begins_the_handshake_under_way_anew(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg;
	uint8_t key[WG_KEY_LEN], public_key[WG_KEY_LEN];
	make_key(0x23, key, public_key);
	world_start(&w);
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, NULL);
	world_advance(&w, WG_SECOND);
	set_key(&w, key);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	meet_anew(r, public_key);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear(&w, r, &msg);
	world_end(&w);
}

static void an_initiation_to_the_old_key_is_refused(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg;
	uint8_t key[WG_KEY_LEN], public_key[WG_KEY_LEN];
	make_key(0x23, key, public_key);
	world_start(&w);
	set_key(&w, key);
	world_silent(&w); /* there was no session to renew */
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_only_drop(&w, DROP_BAD_MAC1, 1);
	meet_anew(r, public_key);
	world_join(&w, r);
	assert_non_null(atomic_load(&world_peer_of(&w, r)->current));
	world_end(&w);
}

static void the_same_key_again_changes_nothing(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	struct wg_keypair *k = atomic_load(&world_peer_of(&w, r)->current);
	set_key(&w, w.private_key);
	uint8_t unclamped[WG_KEY_LEN];
	memcpy(unclamped, w.private_key, sizeof(unclamped));
	unclamped[0] |= 7;
	set_key(&w, unclamped); /* means the same */
	assert_ptr_equal(atomic_load(&world_peer_of(&w, r)->current), k);
	world_silent(&w);
	world_end(&w);
}

static void without_a_key_nothing_is_sent_or_taken(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg;
	struct wg_device_view view;
	static const uint8_t zero[WG_KEY_LEN];
	world_start(&w);
	world_join(&w, r);
	set_key(&w, zero);
	wg_config_view(w.wg, &view);
	assert_false(view.has_private_key);
	world_silent(&w);
	world_send_to(&w, r, 10, 1); /* waits for a key */
	world_silent(&w);
	ref_initiation(r, &msg);
	world_mark(&w);
	world_recv(&w, r, &msg);
	assert_int_equal(testhost_drops(w.stage), 1);
	world_silent(&w);
	world_advance(&w, 30 * WG_SECOND);
	world_silent(&w);
	set_key(&w, w.private_key);
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear(&w, r, &msg);
	world_hear(&w, r, &msg); /* both */
	world_end(&w);
}

static void a_key_that_comes_begins_the_handshake_of_what_waits(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg;
	static const uint8_t zero[WG_KEY_LEN];
	world_start(&w);
	set_key(&w, zero);
	world_send_to(&w, r, 10, 1);
	world_silent(&w);
	struct wg_peer *p = world_peer_of(&w, r);
	wg_config_lock(w.wg);
	wg_config_set_private_key(w.wg, w.private_key);
	wg_config_peer_done(w.wg, p);
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	world_silent(&w);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear(&w, r, &msg);
	world_end(&w);
}

static void a_peer_with_our_own_key_is_ignored(void **state)
{
	(void)state;
	struct world w;
	one_peer(&w);
	bool created = true;
	int error = 1;
	world_start(&w);
	wg_config_lock(w.wg);
	assert_null(wg_config_peer(w.wg, w.public_key, true, &created, &error));
	wg_config_unlock(w.wg);
	assert_false(created);
	assert_int_equal(error, 0);
	assert_int_equal(w.wg->peers.count, 1);
	world_end(&w);
}

static void a_peer_whose_key_becomes_ours_is_removed(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	world_send_to(&w, r, 10, 1);
	set_key(&w, r->id.private_key);
	is_gone(&w);
	world_mark(&w);
	world_send_to(&w, r, 10, 1);
	world_only_drop(&w, DROP_NO_PEER, 1);
	world_end(&w);
}

/* ---- the preshared key ---- */

static void a_preshared_key_leaves_the_session_and_holds_for_the_next(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg, plain;
	uint8_t psk[WG_KEY_LEN];
	memset(psk, 0x66, sizeof(psk));
	world_start(&w);
	world_join(&w, r);
	struct wg_peer *p = world_peer_of(&w, r);
	wg_config_lock(w.wg);
	wg_config_peer_set_psk(w.wg, p, psk);
	wg_config_unlock(w.wg);
	world_send_to(&w, r, 10, 1);
	world_hear(&w, r, &plain);
	world_say(&w, r, r->inside, w.inside, 10, 1);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_UP), 1);
	/* the next handshake of a peer without it is answered, and of no use */
	world_advance(&w, WG_SECOND);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	assert_false(ref_consume(r, &msg));
	world_advance(&w, WG_SECOND);
	memcpy(r->noise.psk, psk, sizeof(psk));
	world_join(&w, r);
	world_send_to(&w, r, 10, 1);
	world_hear(&w, r, &plain);
	world_end(&w);
}

/* ---- endpoints ---- */

static void packets_go_to_the_endpoint_that_was_set(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct vpn_endpoint e = testhost_endpoint("[2001:db8::9]:9");
	world_start(&w);
	world_join(&w, r);
	struct wg_peer *p = world_peer_of(&w, r);
	wg_config_lock(w.wg);
	wg_config_peer_set_endpoint(w.wg, p, &e);
	wg_config_unlock(w.wg);
	world_send_to(&w, r, 10, 1);
	const struct testhost_record *sent = world_expect(&w, WG_TYPE_DATA, NULL);
	assert_memory_equal(&sent->endpoint, &e, sizeof(e));
	world_end(&w);
}

/* ---- allowed addresses ---- */

static void change_allowed(struct world *w, struct wg_peer *p, const char *add, const char *remove)
{
	wg_config_lock(w->wg);
	if (add != NULL) {
		struct vpn_prefix prefix = prefix_of(add);
		assert_int_equal(wg_config_peer_add_allowed(w->wg, p, &prefix), 0);
	}
	if (remove != NULL) {
		struct vpn_prefix prefix = prefix_of(remove);
		wg_config_peer_remove_allowed(w->wg, p, &prefix);
	}
	wg_config_unlock(w->wg);
	testhost_run(w->host);
}

/* Whether a packet for this address goes to that peer, and one from it is taken from it. */
static bool belongs(struct world *w, struct ref *r, const char *address)
{
	struct bytes packet, plain;
	world_udp(&packet, w->inside, address, 20, 1);
	world_send(w, &packet);
	bool out = testhost_waiting(w->stage, 0, VPN_DOWN) == 1;
	if (out)
		world_hear(w, r, &plain);
	world_say(w, r, address, w->inside, 20, 1);
	bool in = testhost_waiting(w->stage, 0, VPN_UP) == 1 && out;
	testhost_clear(w->stage, 0, VPN_UP);
	assert_true(in == out);
	return out;
}

static void prefixes_come_and_go_while_traffic_flows(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	struct wg_peer *p = world_peer_of(&w, r);
	world_advance(&w, WG_SECOND);
	assert_true(belongs(&w, r, "10.0.1.5"));
	assert_false(belongs(&w, r, "10.7.0.1"));
	change_allowed(&w, p, "10.7.0.0/16", NULL);
	world_advance(&w, WG_SECOND); /* an ICMP error each millisecond at most */
	assert_true(belongs(&w, r, "10.7.0.1"));
	change_allowed(&w, p, NULL, "10.7.0.0/17"); /* another prefix */
	assert_true(belongs(&w, r, "10.7.0.1"));
	change_allowed(&w, p, NULL, "10.7.0.0/16");
	assert_false(belongs(&w, r, "10.7.0.1"));
	wg_config_lock(w.wg);
	wg_config_peer_replace_allowed(w.wg, p);
	wg_config_peer_settle(w.wg, p);
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	world_advance(&w, WG_SECOND);
	assert_false(belongs(&w, r, "10.0.1.5"));
	assert_int_equal(w.wg->allowed.count, 0);
	assert_null(w.wg->epoch.first);
	world_end(&w);
}

static void a_prefix_moves_to_who_asks_for_it(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct ref *a = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	struct ref *b = world_peer(&w, "192.0.2.2:51820", "10.0.2.0/24");
	world_start(&w);
	world_join(&w, a);
	world_join(&w, b);
	change_allowed(&w, world_peer_of(&w, b), "10.0.1.0/24", NULL);
	assert_true(belongs(&w, b, "10.0.1.9"));
	world_mark(&w);
	world_say(&w, a, "10.0.1.9", w.inside, 10, 1);
	world_only_drop(&w, DROP_DISALLOWED_SOURCE, 1);
	assert_int_equal(world_peer_of(&w, a)->allowed.count, 0);
	assert_int_equal(world_peer_of(&w, b)->allowed.count, 2);
	/* it is not a's any more, so a cannot give it away */
	change_allowed(&w, world_peer_of(&w, a), NULL, "10.0.1.0/24");
	assert_true(belongs(&w, b, "10.0.1.9"));
	world_end(&w);
}

/* ---- removal ---- */

static void a_peer_is_removed_with_its_session(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg;
	world_start(&w);
	world_join(&w, r);
	remove_peer(&w, r);
	is_gone(&w);
	world_mark(&w);
	world_say(&w, r, r->inside, w.inside, 10, 1);
	world_only_drop(&w, DROP_UNKNOWN_INDEX, 1);
	ref_initiation(r, &msg);
	world_mark(&w);
	world_recv(&w, r, &msg);
	world_only_drop(&w, DROP_UNKNOWN_PEER, 1);
	world_silent(&w);
	world_end(&w);
}

static void a_peer_is_removed_while_a_handshake_is_pending(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes msg;
	world_start(&w);
	world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	remove_peer(&w, r);
	is_gone(&w);
	world_only_drop(&w, DROP_DOWN, 1); /* what was staged */
	ref_response(r, &msg, &msg);
	world_mark(&w);
	world_recv(&w, r, &msg);
	world_only_drop(&w, DROP_UNKNOWN_INDEX, 1);
	world_advance(&w, 100 * WG_SECOND);
	world_silent(&w);
	world_end(&w);
}

static void a_peer_is_removed_while_lane_0_has_something_to_do_for_it(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	world_join(&w, r);
	struct wg_peer *p = world_peer_of(&w, r);
	wg_config_lock(w.wg);
	wg_config_peer_set_keepalive(w.wg, p, 10);
	assert_ptr_equal(w.wg->todo, p);
	wg_config_peer_remove(w.wg, p);
	wg_config_unlock(w.wg);
	is_gone(&w);
	world_silent(&w);
	world_end(&w);
}

static void an_instance_ends_while_lane_0_has_something_to_do(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	world_start(&w);
	struct wg_peer *p = world_peer_of(&w, r);
	world_send_to(&w, r, 10, 1);
	wg_config_lock(w.wg);
	wg_config_peer_set_keepalive(w.wg, p, 10);
	wg_config_unlock(w.wg);
	world_end(&w);
}

static void a_peer_that_comes_back_begins_with_nothing(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct wg_peer_view view;
	bool created;
	int error;
	struct vpn_prefix prefix = prefix_of("10.0.1.0/24");
	world_psk(r, 0x31);
	world_start(&w);
	world_join(&w, r);
	wg_config_lock(w.wg);
	wg_config_peer_remove(w.wg, find(&w, r->public_key));
	assert_null(find(&w, r->public_key));
	struct wg_peer *p = wg_config_peer(w.wg, r->public_key, true, &created, &error);
	assert_true(created);
	wg_config_peer_view(w.wg, p, &view);
	assert_true(sodium_is_zero(view.psk, WG_KEY_LEN));
	assert_int_equal(view.endpoint.family, VPN_AF_NONE);
	assert_int_equal(view.handshake_wall_ns, 0);
	assert_int_equal(view.rx_bytes + view.tx_bytes + view.keepalive, 0);
	assert_int_equal(wg_config_peer_add_allowed(w.wg, p, &prefix), 0);
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	world_mark(&w);
	world_send_to(&w, r, 10, 1); /* its description is not complete */
	world_only_drop(&w, DROP_DOWN, 1);
	wg_config_lock(w.wg);
	wg_config_peer_set_psk(w.wg, p, r->psk);
	wg_config_peer_done(w.wg, p);
	wg_config_unlock(w.wg);
	world_advance(&w, WG_SECOND);
	world_join(&w, r);
	assert_true(belongs(&w, r, "10.0.1.3"));
	world_end(&w);
}

static void all_peers_are_removed_at_once(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct ref *a = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	struct ref *b = world_peer(&w, "192.0.2.2:51820", "fd00:2::/64");
	world_start(&w);
	world_join(&w, a);
	world_send_to(&w, b, 10, 1);
	wg_config_lock(w.wg);
	wg_config_remove_all_peers(w.wg);
	assert_null(wg_config_first_peer(w.wg));
	wg_config_unlock(w.wg);
	is_gone(&w);
	world_end(&w);
}

static void ten_thousand_peers_come_and_go(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	world_start(&w);
	for (uint32_t round = 0; round < 2; round++) {
		wg_config_lock(w.wg);
		for (uint32_t i = 0; i < 10000; i++) {
			uint8_t key[WG_KEY_LEN] = {9, (uint8_t)i, (uint8_t)(i >> 8)};
			struct vpn_prefix prefix = {.family = VPN_AF_INET,
						    .length = 32,
						    .addr = {10, 1, (uint8_t)(i >> 8), (uint8_t)i}};
			bool created;
			int error;
			struct wg_peer *p = wg_config_peer(w.wg, key, true, &created, &error);
			assert_true(p != NULL && created);
			assert_int_equal(wg_config_peer_add_allowed(w.wg, p, &prefix), 0);
			wg_config_peer_done(w.wg, p);
		}
		for (uint32_t i = 0; i < 10000; i += 3) {
			uint8_t key[WG_KEY_LEN] = {9, (uint8_t)i, (uint8_t)(i >> 8)};
			wg_config_peer_remove(w.wg, find(&w, key));
		}
		assert_int_equal(w.wg->peers.count, 6666);
		assert_int_equal(w.wg->allowed.count, 6666);
		wg_config_remove_all_peers(w.wg);
		wg_config_unlock(w.wg);
		is_gone(&w);
	}
	world_end(&w);
}

/* ---- reading ---- */

static bool note_prefix(void *ctx, const struct vpn_prefix *prefix)
{
	char text[WG_PREFIX_TEXT];
	strcat(ctx, wg_text_prefix(prefix, text));
	strcat(ctx, " ");
	return true;
}

static void the_views_tell_what_was_set(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct ref *a = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	world_prefix(a, "fd00:1::/64");
	world_psk(a, 0x19);
	w.peer_options[0].keepalive = 65535;
	struct ref *b = world_peer(&w, NULL, NULL);
	struct wg_device_view device;
	struct wg_peer_view view;
	char text[200] = "";
	world_start(&w);
	wg_config_view(w.wg, &device);
	assert_true(device.has_private_key);
	assert_memory_equal(device.private_key, w.wg->identity.private_key, WG_KEY_LEN);
	assert_int_equal(device.port, 0); /* the test has no socket */
	wg_config_lock(w.wg);
	struct wg_peer *p = wg_config_first_peer(w.wg);
	wg_config_peer_view(w.wg, p, &view);
	assert_memory_equal(view.public_key, a->public_key, WG_KEY_LEN);
	assert_memory_equal(view.psk, a->psk, WG_KEY_LEN);
	assert_int_equal(view.endpoint.port, 51820);
	assert_int_equal(view.keepalive, 65535);
	assert_true(wg_config_peer_each_allowed(p, note_prefix, text));
	assert_string_equal(text, "10.0.1.0/24 fd00:1::/64 ");
	p = wg_config_next_peer(p);
	wg_config_peer_view(w.wg, p, &view);
	assert_memory_equal(view.public_key, b->public_key, WG_KEY_LEN);
	assert_int_equal(view.endpoint.family, VPN_AF_NONE);
	assert_null(wg_config_next_peer(p));
	wg_config_unlock(w.wg);
	world_end(&w);
}

static void the_views_count_what_went_and_came(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct bytes plain;
	struct wg_peer_view view;
	world_start(&w);
	struct wg_peer *p = world_peer_of(&w, r);
	world_join(&w, r);
	uint64_t wall = testhost_services(w.stage)->wall_ns(testhost_services(w.stage));
	world_send_to(&w, r, 100 - 28, 1); /* padded to 112 */
	world_hear(&w, r, &plain);
	world_say(&w, r, r->inside, w.inside, 100 - 28, 1);
	wg_config_lock(w.wg);
	wg_config_peer_view(w.wg, p, &view);
	wg_config_unlock(w.wg);
	assert_int_equal(view.tx_bytes, 92 + 32 + 112);
	assert_int_equal(view.rx_bytes, 148 + 32 + 32 + 100);
	assert_int_equal(view.handshake_wall_ns, wall);
	world_end(&w);
}

static void without_a_socket_there_is_no_port_to_set(void **state)
{
	(void)state;
	struct world w;
	one_peer(&w);
	world_start(&w);
	assert_int_equal(wg_config_set_port(w.wg, 51820), EOPNOTSUPP);
	assert_int_equal(wg_config_set_port(w.wg, 0), 0);
	assert_int_equal(wg_config_set_fwmark(w.wg, 1), EOPNOTSUPP);
	assert_int_equal(wg_config_set_fwmark(w.wg, 0), 0);
	world_end(&w);
}

/* ---- the socket below ---- */

struct fake_socket {
	uint32_t port, fwmark;
	vpn_status status;
	int32_t os_errno;
};

static vpn_status socket_info(void *inst, struct vpn_socket_info *out)
{
	const struct fake_socket *s = inst;
	out->flags = 0;
	out->port = s->port;
	out->fwmark = s->fwmark;
	return VPN_OK;
}

static vpn_status socket_set(struct fake_socket *s, uint32_t *field, uint32_t value,
			     struct vpn_error *err)
{
	if (s->status != VPN_OK)
		return wg_fault(err, s->status, s->os_errno, "", "as the test wants");
	*field = value;
	return VPN_OK;
}

static vpn_status socket_set_port(void *inst, uint32_t port, struct vpn_error *err)
{
	struct fake_socket *s = inst;
	return socket_set(s, &s->port, port != 0 ? port : 40000, err);
}

static vpn_status socket_set_fwmark(void *inst, uint32_t fwmark, struct vpn_error *err)
{
	struct fake_socket *s = inst;
	return socket_set(s, &s->fwmark, fwmark, err);
}

static const struct vpn_socket_ext socket_ext = {.size = sizeof(socket_ext),
						 .info = socket_info,
						 .set_port = socket_set_port,
						 .set_fwmark = socket_set_fwmark};

static void port_and_mark_reach_the_socket(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = one_peer(&w);
	struct fake_socket s = {.port = 51820};
	struct wg_device_view view;
	struct vpn_endpoint e;
	testhost_serve(w.host, VPN_EXT_SOCKET, &socket_ext, &s);
	r->at.ifindex = 3;
	r->at.local[0] = 192;
	world_start(&w);
	world_join(&w, r);
	struct wg_peer *p = world_peer_of(&w, r);
	assert_true(wg_endpoint_get(&p->endpoint, &e));
	assert_int_equal(e.ifindex, 3);
	assert_int_equal(wg_config_set_port(w.wg, 1234), 0);
	assert_int_equal(wg_config_set_fwmark(w.wg, 77), 0);
	wg_config_view(w.wg, &view);
	assert_int_equal(view.port, 1234);
	assert_int_equal(view.fwmark, 77);
	assert_true(wg_endpoint_get(&p->endpoint, &e)); /* our own address may be another one now */
	assert_int_equal(e.ifindex, 0);
	assert_int_equal(e.local[0], 0);
	assert_int_equal(e.port, r->at.port);
	assert_int_equal(wg_config_set_port(w.wg, 0), 0);
	wg_config_view(w.wg, &view);
	assert_int_equal(view.port, 40000);
	world_end(&w);
}

static void a_socket_that_refuses_says_why(void **state)
{
	(void)state;
	static const struct {
		vpn_status status;
		int32_t os_errno;
		int want;
	} cases[] = {
		{VPN_EBUSY, 0, EADDRINUSE},   {VPN_EPERM, 0, EACCES}, {VPN_ENOMEM, 0, ENOMEM},
		{VPN_ENOTSUP, 0, EOPNOTSUPP}, {VPN_ECLOSED, 0, EIO},  {VPN_EIO, ENOBUFS, ENOBUFS},
		{VPN_EBUSY, EACCES, EACCES},
	};
	struct world w;
	one_peer(&w);
	struct fake_socket s = {.port = 51820};
	struct wg_device_view view;
	testhost_serve(w.host, VPN_EXT_SOCKET, &socket_ext, &s);
	world_start(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s.status = cases[i].status;
		s.os_errno = cases[i].os_errno;
		assert_int_equal(wg_config_set_port(w.wg, 99), cases[i].want);
		assert_int_equal(wg_config_set_fwmark(w.wg, 99), cases[i].want);
	}
	wg_config_view(w.wg, &view);
	assert_int_equal(view.port, 51820);
	assert_int_equal(view.fwmark, 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_key_ends_sessions_and_begins_handshakes),
		cmocka_unit_test(a_new_key_begins_the_handshake_under_way_anew),
		cmocka_unit_test(an_initiation_to_the_old_key_is_refused),
		cmocka_unit_test(the_same_key_again_changes_nothing),
		cmocka_unit_test(without_a_key_nothing_is_sent_or_taken),
		cmocka_unit_test(a_key_that_comes_begins_the_handshake_of_what_waits),
		cmocka_unit_test(a_peer_with_our_own_key_is_ignored),
		cmocka_unit_test(a_peer_whose_key_becomes_ours_is_removed),
		cmocka_unit_test(a_preshared_key_leaves_the_session_and_holds_for_the_next),
		cmocka_unit_test(packets_go_to_the_endpoint_that_was_set),
		cmocka_unit_test(prefixes_come_and_go_while_traffic_flows),
		cmocka_unit_test(a_prefix_moves_to_who_asks_for_it),
		cmocka_unit_test(a_peer_is_removed_with_its_session),
		cmocka_unit_test(a_peer_is_removed_while_a_handshake_is_pending),
		cmocka_unit_test(a_peer_is_removed_while_lane_0_has_something_to_do_for_it),
		cmocka_unit_test(an_instance_ends_while_lane_0_has_something_to_do),
		cmocka_unit_test(a_peer_that_comes_back_begins_with_nothing),
		cmocka_unit_test(all_peers_are_removed_at_once),
		cmocka_unit_test(ten_thousand_peers_come_and_go),
		cmocka_unit_test(the_views_tell_what_was_set),
		cmocka_unit_test(the_views_count_what_went_and_came),
		cmocka_unit_test(without_a_socket_there_is_no_port_to_set),
		cmocka_unit_test(port_and_mark_reach_the_socket),
		cmocka_unit_test(a_socket_that_refuses_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
