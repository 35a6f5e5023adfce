/* SPDX-License-Identifier: BSD-2-Clause */
#include "wg_threads.h"

#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/testhost.h>

#include "message.h"

#define STEP     (100 * WG_MS) /* of the clock, in one turn of the first lane */
#define BATCH    8u
#define HEADERS  28u
#define PAYLOAD  16u
#define ROOM     512u
#define HEADROOM 64u

static const struct vpn_component *component(void)
{
	return vpncore_plugin_v1.components[0];
}

void threads_die(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
	abort();
}

uint64_t threads_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 11;
}

/* ---- packets ---- */

static struct vpn_packet *new_packet(struct threads *t)
{
	struct vpn_packet *p = calloc(1, sizeof(*p) + ROOM);
	CHECK(p != NULL);
	p->buf = (uint8_t *)(p + 1);
	p->cap = ROOM;
	p->off = HEADROOM;
	p->host_private = 77;
	atomic_fetch_add_explicit(&t->packets, 1, memory_order_relaxed);
	return p;
}

static void free_packet(struct threads *t, struct vpn_packet *p)
{
	CHECK(p->host_private == 77);
	p->host_private = 0;
	atomic_fetch_sub_explicit(&t->packets, 1, memory_order_relaxed);
	free(p);
}

static struct thread_lane *lane_of(const struct vpn_lane *pub)
{
	return pub->host_private;
}

static uint32_t service_alloc(struct vpn_lane *lane, uint32_t pool, struct vpn_packet **out,
			      uint32_t n)
{
	(void)pool;
	for (uint32_t i = 0; i < n; i++)
		out[i] = new_packet(lane_of(lane)->node->all);
	return n;
}

static void service_release(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free_packet(lane_of(lane)->node->all, pkts[i]);
}

/* ---- the other services ---- */

static struct node *node_of(const struct vpn_host *host)
{
	return host->ctx;
}

static void service_log(const struct vpn_host *host, uint32_t level, const char *text)
{
	(void)host;
	(void)level;
	CHECK(text[0] != '\0');
}

static uint64_t service_now(const struct vpn_host *host)
{
	return atomic_load(&node_of(host)->all->now);
}

static uint64_t service_wall(const struct vpn_host *host)
{
	return UINT64_C(1700000000) * WG_SECOND + service_now(host);
}

static void service_random(const struct vpn_host *host, void *buf, size_t len)
{
	(void)host;
	randombytes_buf(buf, len);
}

static void service_arm(struct vpn_lane *lane, uint64_t deadline_ns)
{
	lane_of(lane)->deadline = deadline_ns;
}

static void service_wake(const struct vpn_host *host, uint32_t index)
{
	atomic_store(&node_of(host)->lanes[index].woken, true);
}

static void service_writable(struct vpn_lane *lane, uint32_t direction)
{
	(void)lane;
	(void)direction;
}

static void service_notify(const struct vpn_host *host, uint32_t event, uint64_t value)
{
	(void)host;
	(void)event;
	(void)value;
}

static void service_fail(const struct vpn_host *host, const struct vpn_error *err)
{
	(void)host;
	threads_die(err->where, 0, err->text);
}

static vpn_status device_info(void *inst, struct vpn_device_info *out)
{
	*out = ((struct node *)inst)->device;
	return VPN_OK;
}

static void device_subscribe(void *inst, void (*changed)(void *ctx), void *ctx)
{
	struct node *n = inst;
	n->changed = changed;
	n->changed_ctx = ctx;
}

static const void *service_get(const struct vpn_host *host, const char *id, void **ret_inst)
{
	static const struct vpn_device_ext ext = {
		.size = sizeof(ext), .info = device_info, .subscribe = device_subscribe};
	if (strcmp(id, VPN_EXT_DEVICE) != 0)
		return NULL;
	*ret_inst = node_of(host);
	return &ext;
}

void threads_set_device(struct node *n, bool up)
{
	n->device.flags = up ? VPN_DEVICE_UP : 0;
	n->changed(n->changed_ctx);
}

/* ---- links ---- */

static bool enqueue(struct thread_lane *to, const struct vpn_packet *p)
{
	pthread_mutex_lock(&to->lock);
	bool room = to->count < THREAD_QUEUE;
	if (room) {
		struct message *m = &to->queue[(to->head + to->count++) % THREAD_QUEUE];
		CHECK(p->len <= sizeof(m->data));
		m->len = p->len;
		memcpy(m->data, vpn_packet_data(p), p->len);
	}
	pthread_mutex_unlock(&to->lock);
	return room;
}

static uint32_t push_down(void *ctx, struct vpn_packet **pkts, uint32_t n)
{
	struct thread_lane *l = ctx;
	struct threads *t = l->node->all;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t chance = threads_random(&l->random);
		if (t->cut) {
			free_packet(t, pkts[i]);
			continue;
		}
		struct thread_lane *to = &l->node->other->lanes[chance % t->n_lanes];
		CHECK(pkts[i]->len >= WG_DATA_OVERHEAD);
		if (!enqueue(to, pkts[i])) {
			if (chance / 8 % 2 == 0) { /* full, or lost */
				l->blocked = true;
				return i;
			}
		} else if (chance / 16 % 16 == 0) {
			(void)enqueue(&l->node->other->lanes[chance / 256 % t->n_lanes], pkts[i]);
		}
		free_packet(t, pkts[i]);
	}
	return n;
}

static void check_arrival(struct node *n, const uint8_t *data, uint32_t len)
{
	if (len >= 1 && data[0] >> 4 == 4 && len > 9 && data[9] == 1)
		return; /* ICMP: unreachable, by the instance itself */
	CHECK(len == HEADERS + PAYLOAD);
	uint32_t lane = wg_load_le32(data + HEADERS);
	uint32_t number = wg_load_le32(data + HEADERS + 4);
	CHECK(memcmp(data + 12, n->other->inside, 4) == 0);
	CHECK(lane < n->all->n_lanes);
	CHECK(number < atomic_load(&n->other->lanes[lane].sent));
	CHECK(wg_load_le32(data + HEADERS + 8) == (number ^ 0x5a5a5a5au));
	CHECK(atomic_exchange(&n->seen[lane][number], 1) == 0);
	atomic_fetch_add(&n->got, 1);
}

static uint32_t push_up(void *ctx, struct vpn_packet **pkts, uint32_t n)
{
	struct thread_lane *l = ctx;
	for (uint32_t i = 0; i < n; i++) {
		check_arrival(l->node, vpn_packet_data(pkts[i]), pkts[i]->len);
		free_packet(l->node->all, pkts[i]);
	}
	return n;
}

/* ---- a lane's thread ---- */

static bool receive(struct thread_lane *l)
{
	struct vpn_packet *pkts[BATCH];
	uint32_t n = 0;
	pthread_mutex_lock(&l->lock);
	for (; n < BATCH && l->count != 0; n++, l->count--) {
		const struct message *m = &l->queue[l->head];
		l->head = (l->head + 1) % THREAD_QUEUE;
		pkts[n] = new_packet(l->node->all);
		memcpy(vpn_packet_data(pkts[n]), m->data, m->len);
		pkts[n]->len = m->len;
		pkts[n]->endpoint = &l->node->other->at;
	}
	pthread_mutex_unlock(&l->lock);
	if (n != 0)
		CHECK(component()->flow->recv(l->node->wg, &l->pub, pkts, n) == n);
	return n != 0;
}

static struct vpn_packet *make_packet(struct thread_lane *l)
{
	struct node *n = l->node;
	struct vpn_packet *p = new_packet(n->all);
	uint8_t *data = vpn_packet_data(p);
	p->len = HEADERS + PAYLOAD;
	data[0] = 0x45;
	data[3] = (uint8_t)p->len;
	data[8] = 64;
	data[9] = 17;
	memcpy(data + 12, n->inside, 4);
	memcpy(data + 16, n->other->inside, 4);
	if (threads_random(&l->random) % 8 == 0) { /* to a peer that comes and goes */
		data[17] = 200;
		data[18] = (uint8_t)(threads_random(&l->random) % 4);
	}
	uint32_t number = atomic_load(&l->sent);
	wg_store_le32(data + HEADERS, l->pub.index);
	wg_store_le32(data + HEADERS + 4, number);
	wg_store_le32(data + HEADERS + 8, number ^ 0x5a5a5a5au);
	if (!n->all->cut)
		atomic_store(&l->sent, number + 1);
	return p;
}

static bool produce(struct thread_lane *l)
{
	struct vpn_packet *pkts[BATCH];
	struct threads *t = l->node->all;
	uint32_t n = 0, limit = atomic_load(&t->limit);
	if (l->produced == l->pub.now_ns && !t->cut)
		return false; /* in step with the clock, or all would be sent before an answer */
	l->produced = l->pub.now_ns;
	while (n < BATCH && !l->blocked && atomic_load(&l->sent) < limit)
		pkts[n++] = make_packet(l);
	if (n == 0)
		return false;
	uint32_t taken = component()->flow->send(l->node->wg, &l->pub, pkts, n);
	CHECK(taken <= n);
	for (uint32_t i = taken; i < n; i++)
		free_packet(t, pkts[i]);
	return true;
}

/* Time does not pass for lanes that get no processor: each has a turn at every moment. */
static bool all_have_come(const struct threads *t)
{
	uint64_t now = atomic_load(&t->now);
	for (uint32_t i = 0; i < t->n_lanes; i++)
		if (atomic_load(&t->a.lanes[i].reached) < now ||
		    atomic_load(&t->b.lanes[i].reached) < now)
			return false;
	return true;
}

static void turn(struct thread_lane *l)
{
	struct threads *t = l->node->all;
	const struct vpn_flow *flow = component()->flow;
	bool first = l->node == &t->a && l->pub.index == 0;
	bool busy = false;
	if (first && all_have_come(t))
		atomic_fetch_add(&t->now, STEP);
	l->pub.now_ns = atomic_load(&t->now);
	if (atomic_exchange(&l->woken, false)) {
		flow->ready(l->node->wg, &l->pub, VPN_TOKEN_WAKE, 0);
		busy = true;
	}
	if (l->deadline != 0 && l->deadline <= l->pub.now_ns) {
		l->deadline = 0;
		flow->timer(l->node->wg, &l->pub, l->pub.now_ns);
		busy = true;
	}
	busy |= receive(l);
	if (l->blocked) {
		l->blocked = false;
		flow->writable(l->node->wg, &l->pub, VPN_DOWN);
	}
	busy |= produce(l);
	atomic_store(&l->reached, l->pub.now_ns);
	if (!busy || first)
		sched_yield();
}

static void *run(void *arg)
{
	struct thread_lane *l = arg;
	while (!atomic_load(&l->node->all->ended))
		turn(l);
	return NULL;
}

/* ---- life ---- */

static void init_lane(struct node *n, uint32_t i)
{
	struct thread_lane *l = &n->lanes[i];
	l->node = n;
	l->up = (struct vpn_link){.size = sizeof(l->up), .ctx = l, .push = push_up};
	l->down = (struct vpn_link){.size = sizeof(l->down), .ctx = l, .push = push_down};
	l->random = 0x9e3779b97f4a7c15u + i * 77 + (n == &n->all->a ? 0 : 1000);
	pthread_mutex_init(&l->lock, NULL);
	l->pub = (struct vpn_lane){
		.size = sizeof(l->pub),
		.index = i,
		.up = &l->up,
		.down = &l->down,
		.counters = n->counters[i],
		.now_ns = atomic_load(&n->all->now),
		.max_batch = 64,
		.host_private = l,
	};
}

static void init_host(struct node *n)
{
	n->host = (struct vpn_host){
		.size = sizeof(n->host),
		.abi_major = VPN_ABI_MAJOR,
		.abi_minor = VPN_ABI_MINOR,
		.n_lanes = n->all->n_lanes,
		.log_level = VPN_LOG_DEBUG,
		.mtu_above = 1420,
		.mtu_below = 1452,
		.flags = VPN_L3,
		.name = "wireguard",
		.pipeline = "test",
		.ctx = n,
		.log = service_log,
		.now_ns = service_now,
		.wall_ns = service_wall,
		.random = service_random,
		.alloc = service_alloc,
		.release = service_release,
		.arm = service_arm,
		.wake = service_wake,
		.writable = service_writable,
		.notify = service_notify,
		.fail = service_fail,
		.get_service = service_get,
	};
}

static void start(struct node *n, const uint8_t key[WG_KEY_LEN])
{
	const struct vpn_lifecycle *life = component()->lifecycle;
	struct vpn_lane *lanes[THREAD_LANES];
	struct vpn_error err = {.size = sizeof(err)};
	void *inst;
	CHECK(life->n_counters <= 64);
	n->device = (struct vpn_device_info){
		.size = sizeof(n->device), .mtu = 1420, .name = "tun0", .flags = VPN_DEVICE_UP};
	n->options = (struct wg_options){.private_key = {.data = key, .len = WG_KEY_LEN},
					 .uapi_fd = -1,
					 .uapi = WG_UAPI_OFF};
	init_host(n);
	for (uint32_t i = 0; i < n->all->n_lanes; i++) {
		init_lane(n, i);
		lanes[i] = &n->lanes[i].pub;
	}
	CHECK(life->create(&n->host, &n->options, &inst, &err) == VPN_OK);
	n->wg = inst;
	CHECK(life->start(n->wg, lanes, &err) == VPN_OK);
	n->changed(n->changed_ctx);
}

struct threads *threads_new(uint32_t n_lanes, const uint8_t a[WG_KEY_LEN],
			    const uint8_t b[WG_KEY_LEN])
{
	struct threads *t = calloc(1, sizeof(*t));
	CHECK(t != NULL && n_lanes <= THREAD_LANES && sodium_init() >= 0);
	t->n_lanes = n_lanes;
	t->now = 1000 * WG_SECOND;
	t->a.all = t->b.all = t;
	t->a.other = &t->b;
	t->b.other = &t->a;
	memcpy(t->a.inside, (uint8_t[]){10, 0, 0, 1}, 4);
	memcpy(t->b.inside, (uint8_t[]){10, 0, 0, 2}, 4);
	t->a.at = testhost_endpoint("192.0.2.1:1001");
	t->b.at = testhost_endpoint("192.0.2.2:1002");
	start(&t->a, a);
	start(&t->b, b);
	return t;
}

void threads_run(struct threads *t)
{
	for (uint32_t i = 0; i < t->n_lanes; i++) {
		CHECK(pthread_create(&t->a.lanes[i].thread, NULL, run, &t->a.lanes[i]) == 0);
		CHECK(pthread_create(&t->b.lanes[i].thread, NULL, run, &t->b.lanes[i]) == 0);
	}
}

bool threads_done(struct threads *t)
{
	uint32_t limit = atomic_load(&t->limit);
	for (uint32_t i = 0; i < t->n_lanes; i++)
		if (atomic_load(&t->a.lanes[i].sent) < limit ||
		    atomic_load(&t->b.lanes[i].sent) < limit)
			return false;
	return true;
}

void threads_end(struct threads *t)
{
	const struct vpn_lifecycle *life = component()->lifecycle;
	atomic_store(&t->ended, true);
	for (uint32_t i = 0; i < t->n_lanes; i++) {
		CHECK(pthread_join(t->a.lanes[i].thread, NULL) == 0);
		CHECK(pthread_join(t->b.lanes[i].thread, NULL) == 0);
	}
	life->stop(t->b.wg);
	life->stop(t->a.wg);
	CHECK(atomic_load(&t->packets) == 0);
	life->destroy(t->b.wg);
	life->destroy(t->a.wg);
	for (uint32_t i = 0; i < t->n_lanes; i++) {
		pthread_mutex_destroy(&t->a.lanes[i].lock);
		pthread_mutex_destroy(&t->b.lanes[i].lock);
	}
	free(t);
}
