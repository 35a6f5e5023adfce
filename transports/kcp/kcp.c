/* SPDX-License-Identifier: BSD-2-Clause */
/* kcp: reliable, or in time, over a network that loses packets. The component. */
#include "kcp.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "kdf.h"
#include "route.h"

#ifndef VPNCORE_VERSION
#define VPNCORE_VERSION "0"
#endif

#define LEAST_DATAGRAM  128u  /* of an engine */
#define COMMON_DATAGRAM 1500u /* what peers send at most: kcp-go's buffers have this size */
#define CELL_MARGIN     64u   /* what engines keep beside the data */

void kcp_drop(struct kcp *k, struct vpn_packet *p, enum kcp_count reason)
{
	kcp_count(k, reason, 1);
	k->host->release(k->lane, &p, 1);
}

static void log_death(const struct kcp *k, const struct kcp_session *s)
{
	uint32_t level = s->accepted ? VPN_LOG_DEBUG : VPN_LOG_INFO;
	if (s->heard_us != 0)
		kcp_log(k->host, level, "the peer does not answer: session %08x ends", s->number);
	else
		kcp_log(k->host, level,
			"the peer has never answered: session %08x ends. Are reliability and crypt "
			"the same on both sides?",
			s->number);
}

void kcp_end_session(struct kcp *k, struct kcp_session *s, enum kcp_session_end why)
{
	if (why == KCP_SESSION_DEAD) {
		kcp_count(k, KCP_SESSIONS_DEAD, 1);
		log_death(k, s);
		k->host->notify(k->host, VPN_EVENT_PEER_DEAD, 0);
	} else {
		kcp_count(k, KCP_SESSIONS_IDLE, why == KCP_SESSION_IDLE);
		kcp_log(k->host, VPN_LOG_DEBUG, "session %08x ends", s->number);
	}
	if (why == KCP_SESSION_IDLE)
		kcp_session_say_close(s);
	kcp_sessions_remove(&k->sessions, s);
	kcp_batch_forget(k, &s->endpoint, &s->from);
	if (k->above_waits) {
		k->above_waits = false;
		k->host->writable(k->lane, VPN_DOWN);
	}
}

/* ---- one turn ---- */

static void enter(struct kcp *k)
{
	k->depth++;
}

/* Both batches have room, or pushing would make none. */
static bool may_serve(const struct kcp *k)
{
	return kcp_batch_accepts(&k->down) && !kcp_batch_is_full(&k->up);
}

/* Lets all touched sessions send, in turn where the batch is too small for all. Within a push of ours
 * the batches stay full, and who pushes goes on. */
static void serve(struct kcp *k)
{
	for (;;) {
		struct kcp_session *s;
		while (may_serve(k) && (s = kcp_sessions_next_touched(&k->sessions)) != NULL)
			kcp_session_flush(s);
		kcp_batch_push_down(k);
		kcp_batch_push_up(k);
		if (k->sessions.touched == NULL || !may_serve(k))
			return;
	}
}

static void arm(struct kcp *k)
{
	const struct kcp_session *s = kcp_sessions_first_due(&k->sessions);
	uint64_t at = s != NULL ? s->due_us : 0;
	if (at == k->armed_us)
		return;
	k->armed_us = at;
	k->host->arm(k->lane, at * 1000);
}

static void leave(struct kcp *k)
{
	serve(k);
	if (--k->depth != 0)
		return;
	kcp_sessions_bury(&k->sessions);
	arm(k);
}

/* ---- life ---- */

static vpn_status make_crypt(struct kcp *k, struct vpn_error *err)
{
	const struct kcp_options *o = k->options;
	enum kcp_crypt_kind kind = (enum kcp_crypt_kind)o->crypt;
	static const char no_memory[] = "no memory"; /* as kcp_crypt_create() says it */
	uint8_t key[KCP_KEY_LEN] = {0};
	const char *why = no_memory;
	bool good = true;
	if (kind == KCP_CRYPT_NULL)
		return VPN_OK;
	if (o->password != NULL)
		good = kcp_kdf(o->password, key, &why);
	else if (o->key.data != NULL)
		memcpy(key, o->key.data, o->key.len);
	if (good)
		k->crypt = kcp_crypt_create(kind, key, &why);
	sodium_memzero(key, sizeof(key));
	if (k->crypt == NULL)
		return kcp_fault(err, strcmp(why, no_memory) == 0 ? VPN_ENOMEM : VPN_ENOTSUP, 0,
				 "/crypt", "crypt \"%s\" cannot be used: %s",
				 kcp_crypt_info(kind)->name, why);
	return VPN_OK;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static vpn_status choose_sizes(struct kcp *k, struct vpn_error *err)
{
	const struct kcp_options *o = k->options;
	uint32_t whole = k->host->mtu_below;
	k->front = kcp_options_front(o);
	k->back = kcp_options_back(o);
	if (o->mtu != 0 && o->mtu < whole)
		whole = (uint32_t)o->mtu;
	if (whole < LEAST_DATAGRAM + k->front + k->back)
		return kcp_fault(err, VPN_EINVAL, 0, o->mtu != 0 ? "/mtu" : "",
				 "datagrams of %u bytes are too small for the headers", whole);
	k->mtu = whole - k->front - k->back;
	uint32_t cell = larger(larger(k->mtu, COMMON_DATAGRAM), k->host->mtu_above) + CELL_MARGIN;
	uint64_t cells = o->memory / cell;
	kcp_cells_init(&k->cells, cell, cells < UINT32_MAX ? (uint32_t)cells : UINT32_MAX);
	return VPN_OK;
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	struct kcp *k = calloc(1, sizeof(*k));
	uint8_t secret[32];
	uint64_t seed;
	*inst = k;
	if (k == NULL)
		return kcp_fault(err, VPN_ENOMEM, 0, "", "out of memory");
	k->host = host;
	k->options = config;
	kcp_options_resolve(k->options, &k->settings);
	k->ops = kcp_options_engine(k->options);
	host->random(host, secret, sizeof(secret));
	kcp_flow_door_init(&k->door, secret);
	sodium_memzero(secret, sizeof(secret));
	host->random(host, &seed, sizeof(seed));
	vpn_status status = choose_sizes(k, err);
	if (status == VPN_OK)
		status = make_crypt(k, err);
	if (status == VPN_OK && !kcp_sessions_init(&k->sessions, k->settings.accept, seed))
		status = kcp_fault(err, VPN_ENOMEM, 0, "/accept", "out of memory for %u sessions",
				   k->settings.accept);
	return status;
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct kcp *k = inst;
	struct vpn_socket_info info = {.size = sizeof(info)};
	void *socket_inst = NULL;
	(void)err;
	k->lane = lanes[0];
	k->lane->user = k;
	k->below_chooses = true;
	const struct vpn_socket_ext *socket = k->host->get_service(k->host, VPN_EXT_SOCKET,
								   &socket_inst);
	if (socket != NULL && socket->info(socket_inst, &info) == VPN_OK)
		k->below_chooses = (info.flags & VPN_SOCKET_HAS_REMOTE) != 0;
	return VPN_OK;
}

static void stop(void *inst)
{
	struct kcp *k = inst;
	if (k->lane == NULL)
		return;
	while (k->sessions.first != NULL)
		kcp_sessions_remove(&k->sessions, k->sessions.first);
	kcp_sessions_bury(&k->sessions);
	kcp_batch_clear(k);
	k->host->arm(k->lane, 0);
	k->lane->user = NULL;
	k->lane = NULL;
}

static void destroy(void *inst)
{
	struct kcp *k = inst;
	if (k == NULL)
		return;
	stop(k);
	kcp_sessions_clear(&k->sessions);
	kcp_cells_clear(&k->cells);
	kcp_crypt_destroy(k->crypt);
	kcp_flow_door_clear(&k->door);
	free(k);
}

/* ---- flow ---- */

/* One slow peer does not make the others wait: with several, what its session refuses is dropped. */
static bool refuse(struct kcp *k, struct vpn_packet *p)
{
	if (k->sessions.count > 1) {
		kcp_drop(k, p, KCP_DROP_QUEUE_FULL);
		return false;
	}
	k->above_waits = true;
	return true;
}

static bool send_one(struct kcp *k, struct kcp_session *s, struct vpn_packet *p)
{
	const struct vpn_endpoint *to = p->endpoint;
	uint64_t now = kcp_now_us(k);
	s->data_us = now;
	p->endpoint = NULL;
	if (!k->ops->send(s->engine, p, now)) {
		serve(k); /* the first part of this batch makes room for the rest */
		if (s->is_gone || !k->ops->send(s->engine, p, now)) {
			p->endpoint = to; /* refused, and so unchanged */
			return false;
		}
	}
	kcp_sessions_touch(&k->sessions, s);
	return true;
}

static uint32_t flow_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct kcp *k = inst;
	struct kcp_session *s = NULL;
	const struct vpn_endpoint *last = NULL;
	enum kcp_count reason = KCP_DROP_NO_SESSION;
	uint32_t done = 0;
	(void)lane;
	enter(k);
	for (; done < n; done++) {
		struct vpn_packet *p = pkts[done];
		const struct vpn_endpoint *to = p->endpoint;
		if (s == NULL || s->is_gone || to != last)
			s = kcp_route_down(k, to, &reason);
		last = to;
		if (s == NULL)
			kcp_drop(k, p, reason);
		else if (!send_one(k, s, p) && refuse(k, p))
			break;
	}
	leave(k);
	return done;
}

/* Takes the crypt headers off; packets that do not open are dropped. Returns how many are left. */
static uint32_t open_batch(struct kcp *k, struct vpn_packet **pkts, uint32_t n)
{
	struct kcp_crypt_job jobs[VPN_BATCH_MAX];
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n; i++)
		jobs[i] = (struct kcp_crypt_job){vpn_packet_data(pkts[i]), pkts[i]->len, 0};
	kcp_crypt_open(k->crypt, jobs, n);
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		if (jobs[i].verdict != KCP_CRYPT_OK) {
			kcp_drop(k, p,
				 jobs[i].verdict == KCP_CRYPT_SHORT ? KCP_DROP_SHORT
								    : KCP_DROP_CRYPT);
			continue;
		}
		p->off = (uint32_t)(jobs[i].data - p->buf);
		p->len = jobs[i].len;
		pkts[kept++] = p;
	}
	return kept;
}

/* The peer has begun anew under the same number. It has taken our old segments for new ones, so another
 * number is better where it is ours to choose. */
static void renew(struct kcp *k, struct kcp_session *s)
{
	uint32_t number = s->initiator ? kcp_route_number(k) : s->number;
	kcp_count(k, KCP_PEER_RESTARTS, 1);
	if (!kcp_session_renew(s, number))
		kcp_end_session(k, s, KCP_SESSION_CLOSED);
}

static void receive(struct kcp *k, struct vpn_packet *p)
{
	const struct vpn_endpoint *from = p->endpoint;
	struct kcp_route_before before;
	struct kcp_session *s = kcp_route_up(k, p, &before);
	if (s == NULL)
		return;
	if (kcp_session_input(s, p))
		kcp_route_heard(k, s, from);
	else
		kcp_route_refused(k, s, &before);
	if (kcp_session_is_closed(s)) {
		kcp_batch_push_up(k); /* what it has delivered is not dropped with it */
		if (!s->is_gone)
			kcp_end_session(k, s, KCP_SESSION_CLOSED);
		return;
	}
	if (s->restarting)
		renew(k, s);
	kcp_sessions_touch(&k->sessions, s);
	if (k->up.n >= k->lane->max_batch)
		kcp_batch_push_up(k);
}

static uint32_t flow_recv(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct kcp *k = inst;
	struct vpn_packet *batch[VPN_BATCH_MAX];
	(void)lane;
	if (n > VPN_BATCH_MAX)
		n = VPN_BATCH_MAX;
	memcpy(batch, pkts, n * sizeof(batch[0]));
	enter(k);
	uint32_t kept = k->crypt != NULL ? open_batch(k, batch, n) : n;
	for (uint32_t i = 0; i < kept; i++)
		receive(k, batch[i]);
	leave(k);
	return n;
}

static void flow_timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	struct kcp *k = inst;
	struct kcp_session *s;
	(void)lane;
	(void)now_ns;
	enter(k);
	k->armed_us = 0;
	uint64_t now = kcp_now_us(k);
	while ((s = kcp_sessions_first_due(&k->sessions)) != NULL && s->due_us <= now) {
		enum kcp_session_end end = kcp_session_review(s);
		if (end != KCP_SESSION_GOES_ON) {
			kcp_end_session(k, s, end);
			if (k->down.n_answers == KCP_ANSWERS)
				kcp_batch_push_down(k);
			continue;
		}
		/* flushed in leave(), which plans the next time */
		kcp_sessions_plan(&k->sessions, s, KCP_NEVER);
		kcp_sessions_touch(&k->sessions, s);
	}
	leave(k);
}

static uint32_t flow_writable(void *inst, struct vpn_lane *lane, uint32_t direction)
{
	struct kcp *k = inst;
	(void)lane;
	enter(k);
	if (direction == VPN_DOWN) {
		k->down.blocked = false;
	} else {
		k->up.blocked = false;
		kcp_batch_push_up(k);
		for (struct kcp_session *s = k->sessions.first; s != NULL; s = s->after) {
			k->ops->resume(s->engine, kcp_now_us(k));
			kcp_sessions_touch(&k->sessions, s);
			if (k->up.n >= k->lane->max_batch)
				kcp_batch_push_up(k);
		}
	}
	leave(k);
	return VPN_IDLE;
}

/* ---- the component ---- */

#define KCP_COUNTER_ROW(id, name_, drop, doc_) \
	[KCP_##id] = {.name = (name_), .doc = (doc_), .flags = (drop) ? VPN_COUNTER_DROP : 0},

static const struct vpn_counter counters[KCP_N_COUNTS] = {KCP_COUNTS(KCP_COUNTER_ROW)};

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.options = &kcp_option_table,
	.counters = counters,
	.n_counters = KCP_N_COUNTS,
	.validate = kcp_options_validate,
	.needs = kcp_options_needs,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = destroy,
};

static const struct vpn_flow flow = {
	.size = sizeof(flow),
	.send = flow_send,
	.recv = flow_recv,
	.timer = flow_timer,
	.writable = flow_writable,
};

static const struct vpn_component component = {
	.size = sizeof(component),
	.kind = VPN_KIND_TRANSPORT,
	.id = "kcp",
	.summary =
		"retransmission and error correction over lossy links: KCP, and a wire of our own",
	.lifecycle = &lifecycle,
	.flow = &flow,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(transport_kcp, "kcp", VPNCORE_VERSION, "BSD-2-Clause", "", "", components);
