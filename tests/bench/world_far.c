/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world_far: the bottom of a world: it takes what comes, and plays thousands of WireGuard clients, each
 * with its own key and session, on lane 0. Its own sealing is not part of the time that it counts.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "aead.h"
#include "cookie.h"
#include "measure.h"
#include "noise.h"
#include "world.h"

#define FAR_MTU     1500u
#define HANDSHAKES  8u /* in one call */
#define FIRST_INDEX 1u

struct client {
	struct wg_identity id;
	struct wg_noise noise;
	struct wg_cookie_maker maker;
	struct wg_session_keys keys;
	uint64_t counter;
	bool has_session;
};

struct far_config {
	uint64_t world;
};

struct world_far {
	const struct vpn_host *host;
	struct world *world;
	const struct wg_aead_engine *engine;
	struct wg_aead *aead;
	struct client *clients;
	uint32_t begun; /* clients that have sent an initiation */
	_Atomic uint32_t sessions;
	uint64_t next; /* number of the next packet */
	struct vpn_endpoint endpoints[VPN_BATCH_MAX];
};

static const struct vpn_option options[] = {
	{.name = "world", .type = VPN_OPT_UINT, .offset = offsetof(struct far_config, world)}};
static const struct vpn_option_table option_table = VPN_OPTION_TABLE(options, struct far_config);

/* ---- keys ---- */

static void derive(uint8_t key[WG_KEY_LEN], uint8_t what, uint32_t n)
{
	static const char label[] = "bench_scale";
	uint8_t number[5] = {what};
	wg_store_le32(number + 1, n);
	crypto_generichash(key, WG_KEY_LEN, number, sizeof(number), (const uint8_t *)label,
			   sizeof(label));
}

void world_end_key(uint8_t private_key[32], uint32_t n)
{
	derive(private_key, 'e', n);
}

static void client_identity(struct wg_identity *id, uint32_t n)
{
	uint8_t key[WG_KEY_LEN];
	derive(key, 'c', n);
	wg_identity_set(id, key);
}

void world_client_key(uint8_t public_key[32], uint32_t n)
{
	struct wg_identity id;
	client_identity(&id, n);
	memcpy(public_key, id.public_key, WG_KEY_LEN);
}

/* ---- life ---- */

static void needs(const void *config, struct vpn_needs *out)
{
	(void)config;
	out->flags = VPN_L3 | VPN_LANE_AWARE | VPN_BOTTOM;
	out->mtu = FAR_MTU;
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	const struct far_config *c = config;
	const char *why;
	struct world_far *f = calloc(1, sizeof(*f));
	*inst = f;
	if (f != NULL) {
		f->host = host;
		f->world = &worlds[c->world];
		f->clients = calloc(f->world->shape.clients + 1, sizeof(*f->clients));
		f->engine = wg_aead_choose(WG_AEAD_AUTO, &why);
		f->aead = f->engine->create();
		if (f->clients != NULL && f->aead != NULL)
			return VPN_OK;
	}
	err->status = VPN_ENOMEM;
	strcpy(err->text, "out of memory");
	return VPN_ENOMEM;
}

static void init_clients(struct world_far *f)
{
	struct wg_identity hub;
	uint8_t key[WG_KEY_LEN];
	world_end_key(key, 0);
	wg_identity_set(&hub, key);
	for (uint32_t i = 0; i < f->world->shape.clients; i++) {
		struct client *c = &f->clients[i];
		client_identity(&c->id, i);
		wg_noise_init(&c->noise, &c->id, hub.public_key, NULL);
		wg_cookie_maker_init(&c->maker, hub.public_key);
	}
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct world_far *f = inst;
	(void)lanes;
	(void)err;
	init_clients(f);
	f->world->far = f;
	return VPN_OK;
}

static void stop(void *inst)
{
	(void)inst;
}

static void destroy(void *inst)
{
	struct world_far *f = inst;
	if (f == NULL)
		return;
	if (f->engine != NULL)
		f->engine->destroy(f->aead);
	free(f->clients);
	free(f);
}

void world_wake_far(struct world_far *f)
{
	atomic_store(&f->world->lanes[0].busy, true);
	f->host->wake(f->host, 0);
}

uint32_t world_far_sessions(const struct world_far *f)
{
	return atomic_load(&f->sessions);
}

/* ---- what clients send ---- */

static void set_endpoint(struct vpn_endpoint *e, uint32_t client)
{
	*e = (struct vpn_endpoint){.family = VPN_AF_INET, .port = 51820};
	world_address(e->addr, client);
	e->addr[0] = 11;
}

static void wrong(struct world_far *f, struct vpn_lane *lane, uint64_t n)
{
	world_add(&f->world->lanes[lane->index].wrong, n);
}

/* Pushes up; what is not taken is wrong here: the ends take everything. */
static void push_up(struct world_far *f, struct vpn_lane *lane, struct vpn_packet **pkts,
		    uint32_t n)
{
	uint32_t taken = vpn_push(lane->up, pkts, n);
	if (taken == n)
		return;
	wrong(f, lane, n - taken);
	f->host->release(lane, pkts + taken, n - taken);
}

static struct wg_aead_job frame(struct client *c, struct vpn_packet *p, uint32_t len)
{
	uint8_t *data = vpn_packet_data(p);
	wg_store_le32(data, WG_TYPE_DATA);
	wg_store_le32(data + 4, c->keys.remote_index);
	wg_store_le64(data + 8, c->counter);
	p->len = len + WG_DATA_OVERHEAD;
	return (struct wg_aead_job){.key = c->keys.send,
				    .counter = c->counter++,
				    .data = data + WG_DATA_HEADER,
				    .len = len};
}

/* Shows the other side that the session works: a keepalive. */
static void confirm(struct world_far *f, struct vpn_lane *lane, uint32_t client)
{
	struct vpn_packet *p;
	if (f->host->alloc(lane, VPN_POOL_RX, &p, 1) != 1) {
		wrong(f, lane, 1);
		return;
	}
	struct wg_aead_job job = frame(&f->clients[client], p, 0);
	f->engine->seal(f->aead, &job, 1);
	set_endpoint(&f->endpoints[0], client);
	p->endpoint = &f->endpoints[0];
	push_up(f, lane, &p, 1);
	atomic_fetch_add(&f->sessions, 1);
}

/* The answer comes within the push. */
static void shake_hands(struct world_far *f, struct vpn_lane *lane, uint32_t client)
{
	struct client *c = &f->clients[client];
	struct wg_msg_initiation msg;
	uint8_t ephemeral[WG_KEY_LEN], timestamp[WG_TIMESTAMP_LEN];
	struct vpn_packet *p;
	randombytes_buf(ephemeral, sizeof(ephemeral));
	wg_timestamp(timestamp, f->host->wall_ns(f->host));
	if (f->host->alloc(lane, VPN_POOL_RX, &p, 1) != 1 ||
	    !wg_noise_create_initiation(&c->noise, &c->id, ephemeral, timestamp,
					client + FIRST_INDEX, &msg)) {
		wrong(f, lane, 1);
		return;
	}
	wg_cookie_add_macs(&c->maker, &msg, sizeof(msg), lane->now_ns);
	memcpy(vpn_packet_data(p), &msg, sizeof(msg));
	p->len = sizeof(msg);
	set_endpoint(&f->endpoints[0], client);
	p->endpoint = &f->endpoints[0];
	push_up(f, lane, &p, 1);
	if (c->has_session)
		confirm(f, lane, client);
	else
		wrong(f, lane, 1);
}

static uint32_t shake_some(struct world_far *f, struct vpn_lane *lane)
{
	for (uint32_t i = 0; i < HANDSHAKES && f->begun < f->world->shape.clients; i++)
		shake_hands(f, lane, f->begun++);
	return f->begun < f->world->shape.clients ? VPN_MORE : VPN_IDLE;
}

static uint32_t make(struct world_far *f, struct vpn_lane *lane, struct vpn_packet **pkts,
		     bool whole)
{
	struct world *w = f->world;
	struct wg_aead_job jobs[VPN_BATCH_MAX];
	uint8_t src[4];
	uint32_t n = f->host->alloc(lane, VPN_POOL_RX, pkts, lane->max_batch);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t client = world_choose(w, 0, f->next);
		uint32_t padded = (w->shape.bytes + WG_PADDING - 1) / WG_PADDING * WG_PADDING;
		world_address(src, client);
		world_write(w, vpn_packet_data(pkts[i]) + WG_DATA_HEADER, src, world_source,
			    f->next++, whole);
		jobs[i] = frame(&f->clients[client], pkts[i], padded);
		set_endpoint(&f->endpoints[i], client);
		pkts[i]->endpoint = &f->endpoints[i];
	}
	f->engine->seal(f->aead, jobs, n);
	return n;
}

static uint32_t ready(void *inst, struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	struct world_far *f = inst;
	struct world_lane *l = &f->world->lanes[lane->index];
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	enum world_mode mode = world_mode(f->world);
	uint32_t more = VPN_IDLE;
	(void)token;
	(void)events;
	if (mode == WORLD_HANDSHAKE) {
		more = shake_some(f, lane);
	} else if (mode == WORLD_CHECK_FAR || mode == WORLD_SEND_FAR) {
		uint32_t n = make(f, lane, pkts, mode == WORLD_CHECK_FAR);
		uint64_t begin = measure_now_ns();
		push_up(f, lane, pkts, n);
		world_add(&l->busy_ns, measure_now_ns() - begin);
		world_add(&l->offered, n);
		more = VPN_MORE;
	}
	if (more == VPN_IDLE)
		atomic_store(&l->busy, false);
	return more;
}

/* ---- what clients receive ---- */

static void take_response(struct world_far *f, struct vpn_lane *lane, const struct vpn_packet *p)
{
	struct wg_msg_response msg;
	memcpy(&msg, vpn_packet_data(p), sizeof(msg));
	uint32_t client = wg_load_le32(msg.receiver) - FIRST_INDEX;
	struct client *c = client < f->world->shape.clients ? &f->clients[client] : NULL;
	if (c == NULL || wg_noise_consume_response(&c->noise, &c->id, &msg) != WG_NOISE_OK ||
	    !wg_noise_begin_session(&c->noise, &c->keys)) {
		wrong(f, lane, 1);
		return;
	}
	c->has_session = true;
}

/* Opens a message as the client that it is for. */
static bool open_message(struct world_far *f, struct vpn_packet *p)
{
	uint8_t *data = vpn_packet_data(p);
	uint32_t client = wg_load_le32(data + 4) - FIRST_INDEX;
	if (client >= f->world->shape.clients || p->len < WG_DATA_OVERHEAD)
		return false;
	struct wg_aead_job job = {.key = f->clients[client].keys.receive,
				  .counter = wg_load_le64(data + 8),
				  .data = data + WG_DATA_HEADER,
				  .len = p->len - WG_DATA_OVERHEAD};
	f->engine->open(f->aead, &job, 1);
	p->off += WG_DATA_HEADER;
	p->len = f->world->shape.bytes;
	p->flags |= VPN_PACKET_VERIFIED;
	return job.ok != 0 && job.len >= p->len;
}

/* Messages of clients: handshakes are answered, and a check opens the data. What is left is what the
 * device has sent. */
static uint32_t sort_out(struct world_far *f, struct vpn_lane *lane, struct vpn_packet **pkts,
			 uint32_t n)
{
	bool check = world_mode(f->world) == WORLD_CHECK;
	uint32_t left = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		uint32_t type = wg_load_le32(vpn_packet_data(p));
		if (type == WG_TYPE_DATA && p->len > WG_DATA_OVERHEAD) {
			if (check && !open_message(f, p))
				wrong(f, lane, 1);
			pkts[left++] = p;
			continue;
		}
		if (type == WG_TYPE_RESPONSE && p->len == sizeof(struct wg_msg_response))
			take_response(f, lane, p);
		f->host->release(lane, &p, 1);
	}
	return left;
}

static uint32_t far_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct world_far *f = inst;
	struct world *w = f->world;
	bool sealed = w->shape.clients != 0;
	uint32_t left = sealed ? sort_out(f, lane, pkts, n) : n;
	if (!sealed || world_mode(w) == WORLD_CHECK) {
		world_sink(w, f->host, lane, pkts, left);
		return n;
	}
	world_add(&w->lanes[lane->index].delivered, left);
	f->host->release(lane, pkts, left);
	return n;
}

static const struct vpn_lifecycle life = {
	.size = sizeof(life),
	.options = &option_table,
	.needs = needs,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = destroy,
};
static const struct vpn_flow flow = {.size = sizeof(flow), .send = far_send, .ready = ready};
const struct vpn_component world_component_far = {
	.size = sizeof(world_component_far),
	.kind = VPN_KIND_TRANSPORT,
	.id = "bench-far",
	.summary = "takes packets, and plays WireGuard clients",
	.lifecycle = &life,
	.flow = &flow,
};
