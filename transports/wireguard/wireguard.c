/* SPDX-License-Identifier: BSD-2-Clause */
/* wireguard: a secure session between peers that know each other's public keys. */
#include "wireguard.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blake2s.h"
#include "config.h"
#include "peer.h"
#include "receive.h"
#include "send.h"

#ifndef VPNCORE_VERSION
#define VPNCORE_VERSION "0"
#endif

#define TODO_PER_TURN 8u            /* peers, with the lock held */
#define TELL_INTERVAL (100 * WG_MS) /* the least between two calls of a subscriber */

void wg_wake_first(struct wg *wg)
{
	if (wg->started)
		wg->host->wake(wg->host, 0);
}

void wg_wake_all(struct wg *wg)
{
	for (uint32_t i = 0; i < wg->n_lanes && wg->started; i++)
		wg->host->wake(wg->host, i);
}

void wg_retired(struct wg *wg)
{
	if (!atomic_exchange(&wg->has_retired, true))
		wg_wake_first(wg);
}

/* ---- who listens to us ---- */

void wg_changed(struct wg *wg)
{
	atomic_fetch_add(&wg->generation, 1);
	wg_wake_first(wg);
}

/* On lane 0, without the lock: the subscriber may ask for the list. */
static void tell_subscriber(struct wg *wg, uint64_t now_ns)
{
	struct wg_subscriber *s = &wg->subscriber;
	uint64_t again = UINT64_MAX;
	pthread_mutex_lock(&s->lock);
	uint64_t now = atomic_load(&wg->generation);
	if (s->changed != NULL && s->told != now) {
		if (now_ns >= s->told_ns + TELL_INTERVAL) {
			s->told = now;
			s->told_ns = now_ns;
			s->changed(s->ctx);
		} else {
			again = s->told_ns + TELL_INTERVAL;
		}
	}
	pthread_mutex_unlock(&s->lock);
	atomic_store(&wg->tell_at, again);
}

static uint64_t ext_generation(void *inst)
{
	struct wg *wg = inst;
	return atomic_load(&wg->generation);
}

static void ext_subscribe(void *inst, void (*changed)(void *ctx), void *ctx)
{
	struct wg *wg = inst;
	pthread_mutex_lock(&wg->subscriber.lock);
	wg->subscriber.changed = changed;
	wg->subscriber.ctx = ctx;
	wg->subscriber.told = atomic_load(&wg->generation);
	pthread_mutex_unlock(&wg->subscriber.lock);
}

struct prefix_list {
	struct vpn_prefix *items;
	uint32_t n;
};

static bool add_prefix(void *ctx, const struct vpn_prefix *prefix)
{
	struct prefix_list *list = ctx;
	list->items[list->n++] = *prefix;
	return true;
}

/* Calls fn for one peer. Under the lock. */
static vpn_status show_peer(struct wg_peer *p,
			    int (*fn)(void *ctx, const struct vpn_peer_info *peer), void *ctx,
			    bool *ret_stop)
{
	struct prefix_list list = {calloc(p->allowed.count + 1u, sizeof(struct vpn_prefix)), 0};
	struct vpn_peer_info info = {.size = sizeof(info), .allowed = list.items};
	if (list.items == NULL)
		return VPN_ENOMEM;
	wg_allowedips_each(&p->allowed, add_prefix, &list);
	info.n_allowed = list.n;
	wg_endpoint_get(&p->endpoint, &info.endpoint);
	memcpy(info.id, p->public_key, sizeof(info.id));
	*ret_stop = fn(ctx, &info) != 0;
	free(list.items);
	return VPN_OK;
}

static vpn_status ext_each(void *inst, int (*fn)(void *ctx, const struct vpn_peer_info *peer),
			   void *ctx)
{
	struct wg *wg = inst;
	vpn_status status = VPN_OK;
	bool stop = false;
	wg_lock(wg);
	for (struct wg_peer *p = wg->peers.first; p != NULL && !stop && status == VPN_OK;
	     p = p->following)
		status = show_peer(p, fn, ctx, &stop);
	wg_unlock(wg);
	return status;
}

static vpn_status ext_set_types(void *inst, const struct vpn_wireguard_types *types,
				struct vpn_error *err)
{
	struct wg *wg = inst;
	if (wg->started)
		return wg_fault(err, VPN_EBUSY, 0, "", "the session runs already");
	return wg_types_set(&wg->types, types, err);
}

static void ext_reroute(void *inst)
{
	wg_config_forget_local(inst);
}

static const void *get_extension(void *inst, const char *id)
{
	static const struct vpn_wireguard_types_ext types = {
		.size = sizeof(types),
		.set = ext_set_types,
	};
	static const struct vpn_peers_ext peers = {
		.size = sizeof(peers),
		.generation = ext_generation,
		.each = ext_each,
		.subscribe = ext_subscribe,
		.reroute = ext_reroute,
	};
	(void)inst;
	if (strcmp(id, VPN_EXT_WIREGUARD_TYPES) == 0)
		return &types;
	return strcmp(id, VPN_EXT_PEERS) == 0 ? &peers : NULL;
}

/* ---- the device above ---- */

/* The device has come up or gone down: sessions begin and end with it. */
static void set_up(struct wg *wg, bool up)
{
	wg_lock(wg);
	bool changed = atomic_exchange(&wg->up, up) != up;
	for (struct wg_peer *p = wg->peers.first; p != NULL && changed; p = p->following) {
		if (!up)
			wg_peer_stop(p);
		else if (p->done)
			wg_peer_start(p);
	}
	wg_unlock(wg);
	if (changed)
		wg_wake_all(wg);
}

static void on_uapi_gone(void *ctx)
{
	struct wg *wg = ctx;
	struct vpn_error err = {.size = sizeof(err)};
	if (wg->options->uapi != WG_UAPI_ON) {
		wg_log(wg->host, VPN_LOG_WARN,
		       "the control socket was deleted: the tunnel goes on, "
		       "without wg(8)");
		return;
	}
	wg_fault(&err, VPN_ECLOSED, 0, "", "the control socket was deleted");
	wg->host->fail(wg->host, &err);
}

/* As soon as the device has a name. A socket that cannot be made is an error where it was asked for. */
static void open_uapi(struct wg *wg, const char *name)
{
	const struct wg_options *o = wg->options;
	struct vpn_error err = {.size = sizeof(err)};
	if (o->uapi == WG_UAPI_OFF || wg->uapi != NULL || wg->uapi_tried)
		return;
	wg->uapi_tried = true;
	wg->uapi = wg_uapi_open(wg, name, (int)o->uapi_fd, on_uapi_gone, wg, &err);
	if (wg->uapi != NULL)
		return;
	if (o->uapi == WG_UAPI_ON)
		wg->host->fail(wg->host, &err);
	else
		wg_log(wg->host, err.status == VPN_EPERM ? VPN_LOG_INFO : VPN_LOG_WARN,
		       "no control socket for wg(8): %s", err.text);
}

static void on_device(void *ctx)
{
	struct wg *wg = ctx;
	struct vpn_device_info info = {.size = sizeof(info)};
	if (wg->device->info(wg->device_inst, &info) != VPN_OK)
		return;
	if (info.mtu != 0)
		atomic_store(&wg->mtu, info.mtu);
	open_uapi(wg, info.name);
	set_up(wg,
	       !VPN_HAS(&info, struct vpn_device_info, flags) || (info.flags & VPN_DEVICE_UP) != 0);
}

static void find_neighbours(struct wg *wg)
{
	const struct vpn_host *host = wg->host;
	struct vpn_socket_info info = {.size = sizeof(info)};
	wg->socket = host->get_service(host, VPN_EXT_SOCKET, &wg->socket_inst);
	if (wg->socket != NULL && wg->socket->info(wg->socket_inst, &info) == VPN_OK) {
		wg_config_take_ports(wg, &info);
		atomic_store(&wg->below_chooses, (info.flags & VPN_SOCKET_HAS_REMOTE) != 0);
	}
	wg->device = host->get_service(host, VPN_EXT_DEVICE, &wg->device_inst);
	if (wg->device != NULL && VPN_HAS(wg->device, struct vpn_device_ext, subscribe))
		wg->device->subscribe(wg->device_inst, on_device, wg);
	else
		set_up(wg, true); /* a device of which nothing is told */
}

/* ---- life ---- */

static vpn_status out_of_memory(struct vpn_error *err)
{
	return wg_fault(err, VPN_ENOMEM, 0, "", "out of memory");
}

static vpn_status make_lanes(struct wg *wg, struct vpn_error *err)
{
	void *lanes = NULL;
	size_t size = wg->host->n_lanes * sizeof(struct wg_lane);
	if (posix_memalign(&lanes, _Alignof(struct wg_lane), size) != 0)
		return out_of_memory(err);
	memset(lanes, 0, size);
	wg->lanes = lanes;
	wg->n_lanes = wg->host->n_lanes;
	for (uint32_t i = 0; i < wg->n_lanes; i++) {
		struct wg_lane *l = &wg->lanes[i];
		l->wg = wg;
		l->host = wg->host;
		l->aead = wg->engine->create();
		l->queue.entries = calloc(WG_HANDSHAKE_QUEUE, sizeof(*l->queue.entries));
		if (l->aead == NULL || l->queue.entries == NULL)
			return out_of_memory(err);
	}
	return VPN_OK;
}

static bool make_tables(struct wg *wg)
{
	uint8_t seeds[2][16];
	wg->host->random(wg->host, seeds, sizeof(seeds));
	bool good = wg_epoch_init(&wg->epoch, wg->n_lanes) &&
		    wg_index_init(&wg->index, &wg->epoch, wg->host) &&
		    wg_peers_init(&wg->peers, seeds[0]) &&
		    wg_timers_reserve(&wg->timers, wg->options->peers.count) &&
		    wg_names_init(&wg->names, wg->options->peers.count);
	if (!good)
		return false;
	wg_allowedips_init(&wg->allowed, &wg->epoch);
	wg->ratelimit = wg_ratelimit_new(seeds[1]);
	return wg->ratelimit != NULL;
}

static void set_endpoint(struct wg *wg, struct wg_peer *p, const struct wg_peer_options *o)
{
	struct vpn_endpoint e = {0};
	struct vpn_address address;
	char text[WG_ENDPOINT_TEXT];
	if (o->endpoint.host == NULL)
		return;
	if (wg_text_parse_address(o->endpoint.host, &address)) {
		e.family = address.family;
		e.port = o->endpoint.port;
		memcpy(e.addr, address.addr, sizeof(e.addr));
		wg_config_peer_set_endpoint(wg, p, &e);
		return;
	}
	/* with a zone, "fe80::1%eth0" */
	int n = snprintf(text, sizeof(text), "[%s]:%u", o->endpoint.host, o->endpoint.port);
	if (n > 0 && (size_t)n < sizeof(text) && wg_text_parse_endpoint(text, &e))
		wg_config_peer_set_endpoint(wg, p, &e);
	else
		wg_names_add(wg, p, o->endpoint.host, o->endpoint.port);
}

static vpn_status add_peer(struct wg *wg, uint32_t i, struct vpn_error *err)
{
	const struct wg_peer_options *o = wg_options_peer(wg->options, i);
	bool created;
	int e;
	struct wg_peer *p = wg_config_peer(wg, o->public_key.data, true, &created, &e);
	if (p == NULL)
		return out_of_memory(err);
	if (o->preshared_key.data != NULL)
		wg_config_peer_set_psk(wg, p, o->preshared_key.data);
	set_endpoint(wg, p, o);
	wg_config_peer_set_keepalive(wg, p, (uint16_t)o->keepalive);
	for (uint32_t k = 0; k < o->allowed_ips.count; k++) {
		const void *prefix = (const char *)o->allowed_ips.items +
				     (size_t)k * o->allowed_ips.item_size;
		if (wg_config_peer_add_allowed(wg, p, prefix) != 0)
			return out_of_memory(err);
	}
	wg_config_peer_done(wg, p);
	return VPN_OK;
}

static vpn_status configure(struct wg *wg, struct vpn_error *err)
{
	const struct wg_options *o = wg->options;
	vpn_status status = VPN_OK;
	wg_lock(wg);
	if (o->private_key.data != NULL)
		wg_config_set_private_key(wg, o->private_key.data);
	for (uint32_t i = 0; i < o->peers.count && status == VPN_OK; i++)
		status = add_peer(wg, i, err);
	wg_unlock(wg);
	return status;
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	const char *why = NULL;
	*inst = NULL;
	if (sodium_init() < 0)
		return wg_fault(err, VPN_ENOTSUP, 0, "", "libsodium does not work here");
	wg_blake2_warm_up();
	void *memory = NULL;
	if (posix_memalign(&memory, _Alignof(struct wg), sizeof(struct wg)) != 0)
		return out_of_memory(err);
	struct wg *wg = memset(memory, 0, sizeof(struct wg));
	pthread_mutex_init(&wg->lock, NULL);
	pthread_mutex_init(&wg->subscriber.lock, NULL);
	wg->host = host;
	wg->options = config;
	wg->mtu = host->mtu_above;
	wg->below_chooses = true;
	wg->tell_at = UINT64_MAX;
	wg_types_init(&wg->types);
	*inst = wg; /* destroy() takes what there is */
	wg->engine = wg_aead_choose(wg->options->aead, &why);
	if (wg->engine == NULL)
		return wg_fault(err, VPN_ENOTSUP, 0, "/aead", "%s: use \"auto\"", why);
	vpn_status status = make_lanes(wg, err);
	if (status == VPN_OK && !make_tables(wg))
		status = out_of_memory(err);
	if (status == VPN_OK)
		status = configure(wg, err);
	return status;
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct wg *wg = inst;
	(void)err;
	for (uint32_t i = 0; i < wg->n_lanes; i++) {
		wg->lanes[i].pub = lanes[i];
		lanes[i]->user = &wg->lanes[i];
	}
	wg->started = true;
	wg_log(wg->host, VPN_LOG_INFO, "%u peer%s, packets sealed by %s", wg->peers.count,
	       wg->peers.count == 1 ? "" : "s", wg->engine->name);
	find_neighbours(wg);
	/* names to look up, keepalives to send */
	wg->lanes[0].armed_ns = lanes[0]->now_ns;
	wg->host->arm(lanes[0], lanes[0]->now_ns);
	return VPN_OK;
}

static void stop(void *inst)
{
	struct wg *wg = inst;
	if (!wg->started)
		return;
	wg->uapi = wg_uapi_close(wg->uapi);
	if (wg->device != NULL && VPN_HAS(wg->device, struct vpn_device_ext, subscribe))
		wg->device->subscribe(wg->device_inst, NULL, NULL);
	wg_lock(wg);
	for (struct wg_peer *p = wg->peers.first; p != NULL; p = p->following)
		wg_peer_stop(p);
	wg_unlock(wg);
	for (uint32_t i = 0; i < wg->n_lanes; i++) {
		struct wg_lane *l = &wg->lanes[i];
		wg_lane_clear(l);
		wg->host->arm(l->pub, 0);
		l->pub->user = NULL;
	}
	wg->started = false;
}

/* Peers that lane 0 has not come to keep a reference for it. */
static void clear_todo(struct wg *wg)
{
	while (wg->todo != NULL) {
		struct wg_peer *p = wg->todo;
		wg->todo = p->todo_next;
		wg_peer_put_locked(p);
	}
}

static void destroy(void *inst)
{
	struct wg *wg = inst;
	if (wg == NULL)
		return;
	stop(wg);
	wg_config_remove_all_peers(wg);
	clear_todo(wg);
	wg_names_clear(&wg->names);
	wg_timers_clear(&wg->timers);
	if (wg->allowed.epoch != NULL)
		wg_allowedips_clear(&wg->allowed);
	wg_epoch_clear(&wg->epoch);
	wg_index_clear(&wg->index);
	wg_peers_clear(&wg->peers);
	wg_ratelimit_free(wg->ratelimit);
	for (uint32_t i = 0; i < wg->n_lanes; i++) {
		if (wg->lanes[i].queue.entries != NULL)
			sodium_memzero(wg->lanes[i].queue.entries,
				       WG_HANDSHAKE_QUEUE * sizeof(struct wg_handshake_entry));
		free(wg->lanes[i].queue.entries);
		wg->engine->destroy(wg->lanes[i].aead);
	}
	free(wg->lanes);
	pthread_mutex_destroy(&wg->subscriber.lock);
	pthread_mutex_destroy(&wg->lock);
	sodium_memzero(wg, sizeof(*wg));
	free(wg);
}

/* ---- flow ---- */

static uint32_t flow_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct wg_lane *l = lane->user;
	(void)inst;
	wg_lane_enter(l);
	uint32_t taken = wg_send(l, pkts, n);
	wg_lane_leave(l);
	return taken;
}

static uint32_t flow_recv(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct wg_lane *l = lane->user;
	(void)inst;
	wg_lane_enter(l);
	uint32_t taken = wg_receive(l, pkts, n);
	wg_lane_leave(l);
	return taken;
}

/* Some of the peers that others have asked us to look at. */
static void do_some(struct wg_lane *l)
{
	struct wg *wg = l->wg;
	wg_lock(wg);
	for (uint32_t i = 0; i < TODO_PER_TURN && wg->todo != NULL; i++) {
		struct wg_peer *p = wg->todo;
		uint32_t what = p->todo;
		wg->todo = p->todo_next;
		p->has_todo = false;
		p->todo = 0;
		if ((what & WG_TODO_HANDSHAKE) != 0)
			wg_handshake_initiate_locked(l, p, false);
		if ((what & WG_TODO_KEEPALIVE) != 0 && atomic_load(&p->running)) {
			wg_send_keepalive_locked(l, p, VPN_POOL_TX);
			/* also when nothing could be sent: there may be an endpoint next time */
			wg_timers_any_passed(l, p, true);
		}
		wg_peer_put_locked(p);
	}
	wg_unlock(wg);
	wg_lane_flush(l);
}

static bool has_todo(struct wg *wg)
{
	wg_lock(wg);
	bool has = wg->todo != NULL;
	wg_unlock(wg);
	return has;
}

static void serve_first(struct wg_lane *l, uint64_t now_ns)
{
	wg_names_run(l, now_ns);
	wg_timers_run(l, now_ns);
	if (has_todo(l->wg))
		do_some(l);
	if (has_todo(l->wg))
		wg_wake_first(l->wg); /* in turn with the others that this lane serves */
	tell_subscriber(l->wg, now_ns);
}

static uint32_t flow_ready(void *inst, struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	struct wg_lane *l = lane->user;
	(void)inst;
	(void)token; /* there are no descriptors: we were woken */
	(void)events;
	wg_lane_enter(l);
	if (lane->index == 0)
		serve_first(l, lane->now_ns);
	wg_staging_review(l);
	wg_lane_leave(l);
	return VPN_IDLE;
}

static void flow_timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	struct wg_lane *l = lane->user;
	(void)inst;
	l->armed_ns = 0;
	wg_lane_enter(l);
	if (lane->index == 0)
		serve_first(l, now_ns);
	(void)wg_handshake_serve(l);
	wg_lane_leave(l);
}

static uint32_t flow_writable(void *inst, struct vpn_lane *lane, uint32_t direction)
{
	struct wg_lane *l = lane->user;
	(void)inst;
	if (direction != VPN_DOWN)
		return VPN_IDLE;
	wg_lane_enter(l);
	wg_lane_resume(l);
	wg_lane_leave(l);
	return VPN_IDLE;
}

static void flow_resolved(void *inst, struct vpn_lane *lane, uint64_t token, vpn_status status,
			  const struct vpn_endpoint *endpoints, uint32_t n)
{
	struct wg_lane *l = lane->user;
	(void)inst;
	wg_lane_enter(l);
	wg_names_resolved(l, token, status, endpoints, n);
	wg_lane_leave(l);
}

/* ---- the component ---- */

#define DROP(name_, doc_) \
	{ \
		.name = (name_), .doc = (doc_), .flags = VPN_COUNTER_DROP \
	}
#define EVENT(name_, doc_) \
	{ \
		.name = (name_), .doc = (doc_) \
	}

static const struct vpn_counter counters[WG_COUNTERS] = {
	[DROP_SHORT] = DROP("drop_short", "messages whose length is not that of their type"),
	[DROP_BAD_TYPE] = DROP("drop_bad_type", "messages of no known type"),
	[DROP_BAD_MAC1] = DROP("drop_bad_mac1", "handshakes from who does not know our public key"),
	[DROP_NO_COOKIE] = DROP("drop_no_cookie", "handshakes under load, answered with a cookie"),
	[DROP_RATE_LIMITED] = DROP("drop_rate_limited",
				   "handshakes under load, too many from one address"),
	[DROP_HANDSHAKE_FULL] = DROP("drop_handshake_full",
				     "handshakes that the queue was full for"),
	[DROP_UNKNOWN_PEER] = DROP("drop_unknown_peer", "handshakes of nobody whom we know"),
	[DROP_BAD_HANDSHAKE] = DROP("drop_bad_handshake", "handshakes that do not verify"),
	[DROP_OLD_TIMESTAMP] = DROP("drop_old_timestamp", "initiations that were sent again"),
	[DROP_TOO_SOON] = DROP("drop_too_soon", "initiations of one peer within 20 ms"),
	[DROP_UNEXPECTED] = DROP("drop_unexpected", "responses that nothing waits for"),
	[DROP_UNKNOWN_INDEX] = DROP("drop_unknown_index",
				    "messages of no handshake or session that we have"),
	[DROP_EXPIRED] = DROP("drop_expired", "data under a session that is over"),
	[DROP_EXHAUSTED] = DROP("drop_exhausted", "data whose counter is at its end"),
	[DROP_BAD_TAG] = DROP("drop_bad_tag", "data that does not verify"),
	[DROP_REPLAY] = DROP("drop_replay", "data that came before, or is too old to tell"),
	[DROP_MALFORMED] = DROP("drop_malformed", "data that is no IP packet"),
	[DROP_DISALLOWED_SOURCE] = DROP("drop_disallowed_source",
					"packets from an address that is not the peer's"),
	[DROP_NO_PEER] = DROP("drop_no_peer", "packets to an address that is no peer's"),
	[DROP_NO_ENDPOINT] = DROP("drop_no_endpoint",
				  "packets to a peer whose endpoint is not known"),
	[DROP_LOOP] = DROP("drop_loop", "packets of our own that came back to us"),
	[DROP_NOT_IP] = DROP("drop_not_ip", "packets from the device that are not IP"),
	[DROP_STAGED] = DROP("drop_staged", "packets that waited for a session behind too many"),
	[DROP_UNANSWERED] = DROP("drop_unanswered", "packets to a peer that has not answered"),
	[DROP_DOWN] = DROP("drop_down", "packets while the device or the peer is down"),
	[DROP_BELOW_FULL] = DROP("drop_below_full", "messages that the stage below did not take"),
	[DROP_ABOVE_FULL] = DROP("drop_above_full", "packets that the stage above did not take"),
	[DROP_NO_PACKETS] = DROP("drop_no_packets", "messages that there was no packet for"),
	[INITIATIONS_SENT] = EVENT("initiations_sent", "handshakes that were begun"),
	[RESPONSES_SENT] = EVENT("responses_sent", "handshakes that were answered"),
	[SESSIONS] = EVENT("sessions", "handshakes that became a session in use"),
	[COOKIES_SENT] = EVENT("cookies_sent", "cookie replies sent"),
	[COOKIES_RECEIVED] = EVENT("cookies_received", "cookie replies taken"),
	[KEEPALIVES_SENT] = EVENT("keepalives_sent", "empty messages sent"),
	[KEEPALIVES_RECEIVED] = EVENT("keepalives_received", "empty messages that came"),
	[ROAMED] = EVENT("roamed", "times that a peer had another address"),
	[UNDER_LOAD] = EVENT("under_load", "times that the queue of handshakes was long"),
	[UNREACHABLE_SENT] = EVENT("unreachable_sent", "ICMP errors to the device"),
	[KEYS_ZEROED] = EVENT("keys_zeroed", "times that a peer's unused keys were wiped"),
};

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.options = &wg_option_table,
	.counters = counters,
	.n_counters = WG_COUNTERS,
	.validate = wg_options_validate,
	.needs = wg_options_needs,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = destroy,
	.get_extension = get_extension,
};

static const struct vpn_flow flow = {
	.size = sizeof(flow),
	.send = flow_send,
	.recv = flow_recv,
	.ready = flow_ready,
	.timer = flow_timer,
	.writable = flow_writable,
	.resolved = flow_resolved,
};

static const struct vpn_component component = {
	.size = sizeof(component),
	.kind = VPN_KIND_TRANSPORT,
	.id = "wireguard",
	.summary = "secure session: the WireGuard protocol",
	.lifecycle = &lifecycle,
	.flow = &flow,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(transport_wireguard, "wireguard", VPNCORE_VERSION, "BSD-2-Clause", "", "", components);
