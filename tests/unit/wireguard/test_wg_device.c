/* SPDX-License-Identifier: BSD-2-Clause */
/* The device above, which goes up and down, and who asks for the list of peers. */
#include <stdlib.h>

#include "wg_world.h"

/* What the test serves as VPN_EXT_DEVICE. */
struct device {
	struct vpn_device_info info;
	void (*changed)(void *ctx);
	void *ctx;
	vpn_status status;
};

static vpn_status device_info(void *inst, struct vpn_device_info *out)
{
	struct device *d = inst;
	uint32_t size = out->size;
	*out = d->info;
	out->size = size;
	return d->status;
}

static void device_subscribe(void *inst, void (*changed)(void *ctx), void *ctx)
{
	struct device *d = inst;
	d->changed = changed;
	d->ctx = ctx;
}

static const struct vpn_device_ext device_ext = {
	.size = sizeof(device_ext), .info = device_info, .subscribe = device_subscribe};

static struct device device;

static struct ref *world_with_device(struct world *w)
{
	world_init(w);
	device = (struct device){.info = {.mtu = 1420, .layer = VPN_L3, .name = "tun0"}};
	testhost_serve(w->host, VPN_EXT_DEVICE, &device_ext, &device);
	return world_peer(w, "192.0.2.1:51820", "10.0.1.0/24");
}

static void tell(struct world *w)
{
	assert_non_null(device.changed);
	device.changed(device.ctx);
	testhost_run(w->host);
}

static void set_device(struct world *w, bool up)
{
	device.info.flags = up ? VPN_DEVICE_UP : 0;
	tell(w);
}

static struct wg_peer *peer_of(struct world *w, const struct ref *r)
{
	return world_peer_of(w, r);
}

/* ---- up and down ---- */

static void nothing_is_sent_before_the_device_is_up(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = world_with_device(&w);
	struct bytes msg;
	w.peer_options[0].keepalive = 25;
	world_start(&w);
	world_send_to(&w, r, 10, 1);
	world_only_drop(&w, DROP_DOWN, 1);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_only_drop(&w, DROP_DOWN, 2);
	world_advance(&w, 100 * WG_SECOND);
	world_silent(&w);
	assert_int_equal(testhost_deadline(w.stage, 0), 0);
	set_device(&w, true);
	world_expect(&w, WG_TYPE_INITIATION, NULL);
	world_end(&w);
}

static void without_keepalive_the_first_packet_begins(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = world_with_device(&w);
	world_start(&w);
	set_device(&w, true);
	world_silent(&w);
	world_call(&w, r);
	world_end(&w);
}

static void going_down_ends_sessions(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = world_with_device(&w);
	world_start(&w);
	set_device(&w, true);
	world_join(&w, r);
	struct wg_peer *p = peer_of(&w, r);
	assert_non_null(atomic_load(&p->current));
	set_device(&w, false);
	assert_null(atomic_load(&p->current));
	assert_null(w.wg->epoch.first); /* freed as well */
	world_mark(&w);
	world_say(&w, r, r->inside, w.inside, 10, 1);
	world_nothing_up(&w);
	world_only_drop(&w, DROP_DOWN, 1);
	set_device(&w, true);
	world_mark(&w);
	world_say(&w, r, r->inside, w.inside, 10, 1);
	world_only_drop(&w, DROP_UNKNOWN_INDEX, 1);
	world_call(&w, r); /* at once: no spacing over a down */
	world_end(&w);
}

static void going_down_drops_what_is_staged(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = world_with_device(&w);
	struct bytes msg;
	world_start(&w);
	set_device(&w, true);
	for (uint32_t i = 0; i < 5; i++)
		world_send_to(&w, r, 10, 1);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	set_device(&w, false);
	world_only_drop(&w, DROP_DOWN, 5);
	assert_null(w.wg->lanes[0].staging.first);
	world_advance(&w, 100 * WG_SECOND); /* nothing is sent again */
	world_silent(&w);
	set_device(&w, true);
	ref_response(r, &msg, &msg);
	world_mark(&w);
	world_recv(&w, r, &msg); /* to a handshake that is over */
	world_only_drop(&w, DROP_UNKNOWN_INDEX, 1);
	world_silent(&w);
	world_end(&w);
}

static void timers_end_with_the_device(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = world_with_device(&w);
	struct bytes plain;
	w.peer_options[0].keepalive = 7;
	world_start(&w);
	set_device(&w, true);
	world_expect(&w, WG_TYPE_INITIATION, NULL);
	world_join(&w, r);
	world_say(&w, r, r->inside, w.inside, 10, 1);
	world_send_to(&w, r, 10, 1);
	world_hear(&w, r, &plain);
	set_device(&w, false);
	assert_int_equal(testhost_deadline(w.stage, 0), 0);
	world_advance(&w, 1000 * WG_SECOND);
	world_silent(&w);
	set_device(&w, true);
	world_expect(&w, WG_TYPE_INITIATION, NULL); /* the persistent keepalive */
	world_silent(&w);
	world_end(&w);
}

static void being_told_again_changes_nothing(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = world_with_device(&w);
	world_start(&w);
	set_device(&w, true);
	world_join(&w, r);
	set_device(&w, true);
	device.status = VPN_ECLOSED; /* it cannot say */
	set_device(&w, false);
	assert_non_null(atomic_load(&peer_of(&w, r)->current));
	world_silent(&w);
	world_end(&w);
}

static void an_old_device_is_always_up(void **state)
{
	(void)state;
	struct world w;
	struct device old = {.info = {.mtu = 1420, .name = "tun0"}};
	static const struct vpn_device_ext ext = {
		.size = offsetof(struct vpn_device_ext, subscribe), .info = device_info};
	world_init(&w);
	testhost_serve(w.host, VPN_EXT_DEVICE, &ext, &old);
	struct ref *r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	world_start(&w);
	world_call(&w, r);
	world_end(&w);
}

static void stop_ends_the_subscription(void **state)
{
	(void)state;
	struct world w;
	world_with_device(&w);
	world_start(&w);
	assert_non_null(device.changed);
	testhost_stop(w.stage);
	assert_null(device.changed);
	world_end(&w);
}

static void a_peer_made_while_down_starts_with_the_device(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = world_with_device(&w);
	w.options.peers.count = 0;
	world_start(&w);
	bool created;
	int error;
	struct vpn_prefix prefix;
	struct vpn_endpoint e = testhost_endpoint("192.0.2.1:51820");
	assert_true(wg_text_parse_prefix("10.0.1.0/24", &prefix));
	wg_config_lock(w.wg);
	struct wg_peer *p = wg_config_peer(w.wg, r->public_key, true, &created, &error);
	wg_config_peer_set_endpoint(w.wg, p, &e);
	wg_config_peer_add_allowed(w.wg, p, &prefix);
	wg_config_peer_set_keepalive(w.wg, p, 30);
	wg_config_peer_done(w.wg, p);
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	world_silent(&w);
	set_device(&w, true);
	world_expect(&w, WG_TYPE_INITIATION, NULL);
	world_end(&w);
}

/* A lane that was at work when the device went down may write a deadline afterwards. */
static void a_deadline_noted_while_down_is_forgotten(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = world_with_device(&w);
	world_start(&w);
	set_device(&w, true);
	set_device(&w, false);
	struct wg_peer *p = peer_of(&w, r);
	uint64_t later = testhost_now(w.host) + 10 * WG_SECOND;
	atomic_store(&p->new_handshake_at, later);
	atomic_store(&p->keepalive_at, later);
	atomic_store(&p->persistent_at, later);
	set_device(&w, true);
	assert_int_equal(atomic_load(&p->new_handshake_at), 0);
	assert_int_equal(atomic_load(&p->keepalive_at), 0);
	assert_int_equal(atomic_load(&p->persistent_at), 0);
	world_advance(&w, 100 * WG_SECOND);
	world_silent(&w);
	world_end(&w);
}

/* ---- the MTU ---- */

static void padding_stays_within_the_mtu_of_the_device(void **state)
{
	(void)state;
	struct world w;
	struct ref *r = world_with_device(&w);
	struct bytes plain;
	world_start(&w);
	device.info.mtu = 1300;
	set_device(&w, true);
	world_join(&w, r);
	world_send_to(&w, r, 1290 - 28, 1);
	world_hear(&w, r, &plain);
	assert_int_equal(plain.len, 1296);
	world_send_to(&w, r, 1299 - 28, 1);
	world_hear(&w, r, &plain);
	assert_int_equal(plain.len, 1300);
	device.info.mtu = 1420;
	tell(&w);
	world_send_to(&w, r, 1299 - 28, 1);
	world_hear(&w, r, &plain);
	assert_int_equal(plain.len, 1312);
	device.info.mtu = 1400;
	tell(&w);
	world_send_to(&w, r, 1399 - 28, 1);
	world_hear(&w, r, &plain);
	assert_int_equal(plain.len, 1400);
	device.info.mtu = 0; /* not known: as it was */
	tell(&w);
	world_send_to(&w, r, 1399 - 28, 1);
	world_hear(&w, r, &plain);
	assert_int_equal(plain.len, 1400);
	assert_non_null(atomic_load(&peer_of(&w, r)->current));
	world_end(&w);
}

/* ---- the list of peers ---- */

static const struct vpn_peers_ext *peers_ext(struct world *w)
{
	const struct vpn_peers_ext *x = world_component()->lifecycle->get_extension(w->wg,
										    VPN_EXT_PEERS);
	assert_non_null(x);
	return x;
}

/* What each() tells. */
struct list {
	uint32_t n, n_allowed, stop_at;
	struct vpn_peer_info last;
	struct vpn_prefix first_prefix;
};

static int note_peer(void *ctx, const struct vpn_peer_info *peer)
{
	struct list *l = ctx;
	assert_true(peer->size >= sizeof(*peer));
	l->n++;
	l->n_allowed += peer->n_allowed;
	l->last = *peer;
	if (peer->n_allowed != 0)
		l->first_prefix = peer->allowed[0];
	return l->n == l->stop_at;
}

static struct list list_peers(struct world *w, uint32_t stop_at)
{
	struct list l = {.stop_at = stop_at};
	assert_int_equal(peers_ext(w)->each(w->wg, note_peer, &l), VPN_OK);
	return l;
}

static void the_list_has_every_peer(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct ref *a = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	struct ref *b = world_peer(&w, NULL, "10.0.2.0/24");
	world_prefix(b, "fd00:2::/64");
	assert_non_null(world_add(&w, NULL)); /* also before the start */
	struct list l = list_peers(&w, 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.n_allowed, 3);
	assert_memory_equal(l.last.id, b->public_key, WG_KEY_LEN);
	assert_int_equal(l.last.endpoint.family, VPN_AF_NONE);
	l = list_peers(&w, 1);
	assert_int_equal(l.n, 1);
	assert_memory_equal(l.last.id, a->public_key, WG_KEY_LEN);
	assert_int_equal(l.last.endpoint.port, 51820);
	assert_memory_equal(&l.first_prefix, &a->prefixes[0], sizeof(l.first_prefix));
	assert_null(world_component()->lifecycle->get_extension(w.wg, "vpncore.peers/2"));
	world_end(&w);
}

/* Asks back, as a routes component does. */
struct asker {
	struct world *w;
	uint32_t calls;
	struct list list;
};

static void on_change(void *ctx)
{
	struct asker *a = ctx;
	a->calls++;
	a->list = list_peers(a->w, 0);
}

static void a_subscriber_is_told_of_changes_and_may_ask(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct ref *r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	world_start(&w);
	struct wg_peer *p = peer_of(&w, r);
	struct asker asker = {.w = &w};
	struct vpn_prefix prefix;
	struct vpn_endpoint e = testhost_endpoint("192.0.2.3:3");
	uint8_t key[WG_KEY_LEN] = {0};
	bool created;
	int error;
	const struct vpn_peers_ext *x = peers_ext(&w);
	x->subscribe(w.wg, on_change, &asker);
	testhost_run(w.host);
	assert_int_equal(asker.calls, 0);
	uint64_t generation = x->generation(w.wg);
	for (uint32_t i = 1; i <= 7; i++) {
		assert_true(wg_text_parse_prefix("10.7.0.0/16", &prefix));
		wg_config_lock(w.wg);
		switch (i) {
		case 1:
			assert_int_equal(wg_config_peer_add_allowed(w.wg, p, &prefix), 0);
			break;
		case 2:
			wg_config_peer_remove_allowed(w.wg, p, &prefix);
			break;
		case 3:
			wg_config_peer_set_endpoint(w.wg, p, &e);
			break;
		case 4:
			key[0] = 9;
			wg_config_peer(w.wg, key, true, &created, &error);
			break;
		case 5:
			wg_config_peer_replace_allowed(w.wg, p);
			wg_config_peer_settle(w.wg, p);
			break;
		case 6:
			wg_config_peer_remove(w.wg, p);
			break;
		default:
			wg_config_remove_all_peers(w.wg);
			break;
		}
		wg_config_unlock(w.wg);
		world_advance(&w, WG_SECOND);
		assert_int_equal(asker.calls, i);
		assert_true(x->generation(w.wg) != generation);
		generation = x->generation(w.wg);
	}
	assert_int_equal(asker.list.n, 0);
	x->subscribe(w.wg, NULL, NULL);
	world_end(&w);
}

static void a_subscriber_is_told_when_a_peer_roams_and_not_of_traffic(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct ref *r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	struct asker asker = {.w = &w};
	world_start(&w);
	peers_ext(&w)->subscribe(w.wg, on_change, &asker);
	world_join(&w, r);
	world_say(&w, r, r->inside, w.inside, 10, 1);
	testhost_run(w.host);
	assert_int_equal(asker.calls, 0);
	r->at = testhost_endpoint("198.51.100.1:99");
	world_say(&w, r, r->inside, w.inside, 10, 1);
	testhost_run(w.host);
	assert_int_equal(asker.calls, 1);
	assert_int_equal(asker.list.last.endpoint.port, 99);
	world_say(&w, r, r->inside, w.inside, 10, 1);
	world_advance(&w, WG_SECOND);
	assert_int_equal(asker.calls, 1);
	world_end(&w);
}

static void a_subscriber_is_told_every_100_ms_at_most(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct ref *r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	struct asker asker = {.w = &w};
	world_start(&w);
	world_join(&w, r);
	peers_ext(&w)->subscribe(w.wg, on_change, &asker);
	for (uint32_t i = 0; i < 1000; i++) { /* one that roams with every packet, for a second */
		r->at.port = (uint16_t)(2000 + i);
		world_say(&w, r, r->inside, w.inside, 10, 1);
		world_advance(&w, WG_MS);
	}
	assert_in_range(asker.calls, 10, 11);
	world_advance(&w, 100 * WG_MS);
	assert_in_range(asker.calls, 11, 11);
	assert_int_equal(asker.list.last.endpoint.port, 2999); /* the last one is not forgotten */
	world_end(&w);
}

static void many_changes_may_be_told_once(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct ref *r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	struct asker asker = {.w = &w};
	world_start(&w);
	struct wg_peer *p = peer_of(&w, r);
	peers_ext(&w)->subscribe(w.wg, on_change, &asker);
	wg_config_lock(w.wg);
	for (uint8_t i = 0; i < 100; i++) {
		struct vpn_prefix prefix = {
			.family = VPN_AF_INET, .length = 32, .addr = {10, 9, i}};
		wg_config_peer_add_allowed(w.wg, p, &prefix);
	}
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	assert_in_range(asker.calls, 1, 1);
	assert_int_equal(asker.list.n_allowed, 101);
	peers_ext(&w)->subscribe(w.wg, NULL, NULL);
	wg_config_lock(w.wg);
	wg_config_peer_replace_allowed(w.wg, p);
	wg_config_peer_settle(w.wg, p);
	wg_config_unlock(w.wg);
	testhost_run(w.host);
	assert_int_equal(asker.calls, 1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_sent_before_the_device_is_up),
		cmocka_unit_test(without_keepalive_the_first_packet_begins),
		cmocka_unit_test(going_down_ends_sessions),
		cmocka_unit_test(going_down_drops_what_is_staged),
		cmocka_unit_test(timers_end_with_the_device),
		cmocka_unit_test(being_told_again_changes_nothing),
		cmocka_unit_test(an_old_device_is_always_up),
		cmocka_unit_test(stop_ends_the_subscription),
		cmocka_unit_test(a_peer_made_while_down_starts_with_the_device),
		cmocka_unit_test(a_deadline_noted_while_down_is_forgotten),
		cmocka_unit_test(padding_stays_within_the_mtu_of_the_device),
		cmocka_unit_test(the_list_has_every_peer),
		cmocka_unit_test(a_subscriber_is_told_of_changes_and_may_ask),
		cmocka_unit_test(a_subscriber_is_told_when_a_peer_roams_and_not_of_traffic),
		cmocka_unit_test(a_subscriber_is_told_every_100_ms_at_most),
		cmocka_unit_test(many_changes_may_be_told_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
