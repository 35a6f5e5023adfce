/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 5000
#define LARGE_BYTES 65536u
#define HEADROOM    64u

extern const struct vpn_plugin vpncore_plugin_v1;

const struct vpn_component *world_component(void)
{
	return vpncore_plugin_v1.components[0];
}

/* ---- namespace ---- */

static int lo_up(int fd)
{
	struct ifreq request = {.ifr_name = "lo"};
	if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
		return -1;
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	return ioctl(fd, SIOCSIFFLAGS, &request);
}

static int add_ipv4(int fd)
{
	struct ifreq request = {.ifr_name = "lo:1"};
	struct sockaddr_in in = {.sin_family = AF_INET};
	inet_pton(AF_INET, "10.9.0.1", &in.sin_addr);
	memcpy(&request.ifr_addr, &in, sizeof(in));
	return ioctl(fd, SIOCSIFADDR, &request);
}

static int add_ipv6(void)
{
	struct in6_ifreq request = {.ifr6_prefixlen = 128, .ifr6_ifindex = 1};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	inet_pton(AF_INET6, "fd09::1", &request.ifr6_addr);
	int r = ioctl(fd, SIOCSIFADDR, &request);
	close(fd);
	return r;
}

int world_enter(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) != 0) {
		fprintf(stderr, "cannot make a network namespace (%s): these tests run as root\n",
			strerror(errno));
		return -1;
	}
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int r = lo_up(fd);
	if (r == 0)
		r = add_ipv4(fd);
	if (r == 0)
		r = add_ipv6();
	if (r != 0)
		fprintf(stderr, "cannot set up lo: %s\n", strerror(errno));
	close(fd);
	return r;
}

/* ---- packets ---- */

struct stored {
	struct vpn_packet packet; /* first */
	struct stored *parent;
	uint32_t pieces; /* of this one that live */
	uint8_t *bytes;
};

static struct stored *stored_of(struct vpn_packet *p)
{
	return (struct stored *)(void *)p;
}

static struct world *world_of(const struct vpn_lane *pub)
{
	return pub->host_private;
}

static struct vpn_packet *make_packet(struct world *w, uint32_t room)
{
	struct stored *s = calloc(1, sizeof(*s));
	s->bytes = malloc(HEADROOM + room);
	s->packet.buf = s->bytes;
	s->packet.cap = HEADROOM + room;
	s->packet.off = HEADROOM;
	w->owned++;
	return &s->packet;
}

static void drop_storage(struct stored *s)
{
	if (s->parent != NULL) {
		if (--s->parent->pieces == 0)
			drop_storage(s->parent);
	}
	free(s->bytes);
	free(s);
}

static uint32_t fake_alloc(struct vpn_lane *lane, uint32_t pool, struct vpn_packet **out,
			   uint32_t n)
{
	struct world *w = world_of(lane);
	if (w->no_packets)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		out[i] = make_packet(w, pool == VPN_POOL_RX_LARGE ? LARGE_BYTES : WORLD_MTU);
	return n;
}

static void fake_release(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct world *w = world_of(lane);
	for (uint32_t i = 0; i < n; i++) {
		assert_true(w->owned > 0);
		w->owned--;
		drop_storage(stored_of(pkts[i]));
	}
}

static uint32_t fake_split(struct vpn_lane *lane, struct vpn_packet *parent, uint32_t piece_len,
			   struct vpn_packet **out, uint32_t n)
{
	struct world *w = world_of(lane);
	uint32_t k = (parent->len + piece_len - 1) / piece_len;
	if (k > n || w->no_pieces)
		return 0;
	for (uint32_t i = 0; i < k; i++) {
		struct stored *s = calloc(1, sizeof(*s));
		uint32_t at = i * piece_len;
		s->packet = *parent;
		s->packet.buf = vpn_packet_data(parent) + at;
		s->packet.len = parent->len - at < piece_len ? parent->len - at : piece_len;
		s->packet.cap = s->packet.len;
		s->packet.off = 0;
		s->parent = stored_of(parent);
		out[i] = &s->packet;
	}
	stored_of(parent)->pieces = k;
	w->owned += k - 1;
	return k;
}

/* ---- host ---- */

static void fake_log(const struct vpn_host *host, uint32_t level, const char *text)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct world *w = host->ctx;
	pthread_mutex_lock(&lock);
	if (level <= VPN_LOG_WARN)
		w->warnings++;
	snprintf(w->said, sizeof(w->said), "%s", text);
	pthread_mutex_unlock(&lock);
}

static uint64_t fake_now_ns(const struct vpn_host *host)
{
	const struct world *w = host->ctx;
	return w->now_ns;
}

/* Knuth's MMIX generator: the same in each run. */
static void fake_random(const struct vpn_host *host, void *buf, size_t len)
{
	struct world *w = host->ctx;
	uint8_t *out = buf;
	for (size_t i = 0; i < len; i++) {
		w->random = w->random * UINT64_C(6364136223846793005) +
			    UINT64_C(1442695040888963407);
		out[i] = (uint8_t)(w->random >> 56);
	}
}

static struct world_lane *lane_of(struct vpn_lane *pub)
{
	return &world_of(pub)->lanes[pub->index];
}

static vpn_status fake_watch(struct vpn_lane *pub, int fd, uint32_t events, uint64_t token)
{
	struct world_lane *l = lane_of(pub);
	size_t at = WORLD_WATCHES;
	for (size_t i = WORLD_WATCHES; i-- > 0;)
		if (l->watches[i].fd == -1)
			at = i;
	for (size_t i = 0; i < WORLD_WATCHES; i++)
		if (l->watches[i].fd == fd)
			at = i;
	if (at == WORLD_WATCHES)
		return VPN_ENOMEM;
	l->watches[at].fd = events != 0 ? fd : -1;
	l->watches[at].events = events;
	l->watches[at].token = token;
	return VPN_OK;
}

static void fake_arm(struct vpn_lane *pub, uint64_t deadline_ns)
{
	lane_of(pub)->deadline_ns = deadline_ns;
}

static void fake_wake(const struct vpn_host *host, uint32_t index)
{
	struct world *w = host->ctx;
	w->woken[index]++;
}

static vpn_status fake_resolve(struct vpn_lane *pub, const char *name, uint16_t port,
			       uint32_t family, uint64_t token)
{
	struct world *w = world_of(pub);
	(void)port;
	(void)token;
	w->asked++;
	w->asked_family = family;
	snprintf(w->asked_name, sizeof(w->asked_name), "%s", name);
	return w->resolve_status;
}

static void fake_writable(struct vpn_lane *pub, uint32_t direction)
{
	assert_int_equal(direction, VPN_DOWN);
	lane_of(pub)->writable_down++;
}

static void fake_notify(const struct vpn_host *host, uint32_t event, uint64_t value)
{
	(void)host;
	(void)event;
	(void)value;
}

static const void *fake_get_service(const struct vpn_host *host, const char *id, void **ret_inst)
{
	struct world *w = host->ctx;
	*ret_inst = w;
	return strcmp(id, VPN_EXT_PROTECT) == 0 ? w->protect : NULL;
}

static void fake_fail(const struct vpn_host *host, const struct vpn_error *err)
{
	struct world *w = host->ctx;
	w->failures++;
	w->err = *err;
}

static uint32_t take_up(void *ctx, struct vpn_packet **pkts, uint32_t n)
{
	struct vpn_lane *pub = ctx;
	struct world *w = world_of(pub);
	struct world_lane *l = lane_of(pub);
	uint32_t k = n < l->room ? n : l->room;
	l->pushes++;
	if (n > l->largest_push)
		l->largest_push = n;
	assert_true(n >= 1 && n <= pub->max_batch);
	for (uint32_t i = 0; i < k; i++) {
		assert_true(w->n_arrived < WORLD_ARRIVED);
		struct arrival *a = &w->arrived[w->n_arrived++];
		a->len = pkts[i]->len;
		a->flags = pkts[i]->flags;
		a->from = *pkts[i]->endpoint;
		a->data = malloc(a->len);
		memcpy(a->data, vpn_packet_data(pkts[i]), a->len);
	}
	l->room -= k;
	fake_release(pub, pkts, k);
	return k;
}

/* ---- life ---- */

void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->err.size = sizeof(w->err);
	w->now_ns = 1000 * UDP_SECOND;
	w->options = (struct udp_options){
		.listen = world_at("*", 0),
		.path_mtu = 1500,
		.buffer = 1 << 20,
		.sticky = 1,
	};
}

struct vpn_hostport world_at(const char *host, uint16_t port)
{
	return (struct vpn_hostport){.host = host, .port = port, .port_last = port};
}

static void make_host(struct world *w, uint32_t n_lanes)
{
	w->host = (struct vpn_host){
		.size = sizeof(w->host),
		.abi_major = VPN_ABI_MAJOR,
		.n_lanes = n_lanes,
		.log_level = VPN_LOG_DEBUG,
		.mtu_above = WORLD_MTU - 28,
		.flags = VPN_L3,
		.name = "udp",
		.pipeline = "test",
		.ctx = w,
		.log = fake_log,
		.now_ns = fake_now_ns,
		.random = fake_random,
		.alloc = fake_alloc,
		.release = fake_release,
		.split = fake_split,
		.watch = fake_watch,
		.arm = fake_arm,
		.wake = fake_wake,
		.resolve = fake_resolve,
		.writable = fake_writable,
		.notify = fake_notify,
		.fail = fake_fail,
		.get_service = fake_get_service,
	};
	for (uint32_t i = 0; i < n_lanes; i++) {
		struct world_lane *l = &w->lanes[i];
		l->up = (struct vpn_link){.size = sizeof(l->up), .ctx = &l->pub, .push = take_up};
		l->room = UINT32_MAX;
		for (size_t k = 0; k < WORLD_WATCHES; k++)
			l->watches[k].fd = -1;
		l->pub = (struct vpn_lane){
			.size = sizeof(l->pub),
			.index = i,
			.up = &l->up,
			.counters = l->counters,
			.now_ns = w->now_ns,
			.max_batch = VPN_BATCH_MAX,
			.host_private = w,
		};
	}
}

vpn_status world_start(struct world *w, uint32_t n_lanes)
{
	const struct vpn_lifecycle *life = world_component()->lifecycle;
	struct vpn_lane *lanes[WORLD_LANES];
	void *inst = NULL;
	make_host(w, n_lanes);
	for (uint32_t i = 0; i < n_lanes; i++)
		lanes[i] = &w->lanes[i].pub;
	vpn_status status = life->validate(&w->options, &w->err);
	if (status != VPN_OK)
		return status;
	status = life->create(&w->host, &w->options, &inst, &w->err);
	w->udp = inst;
	if (status != VPN_OK)
		return status;
	w->started = true;
	return life->start(inst, lanes, &w->err);
}

void world_must_start(struct world *w)
{
	if (world_start(w, 1) != VPN_OK)
		fail_msg("start: %s: %s", w->err.where, w->err.text);
}

void world_end(struct world *w)
{
	const struct vpn_lifecycle *life = world_component()->lifecycle;
	if (w->started)
		life->stop(w->udp);
	for (uint32_t i = 0; i < WORLD_LANES; i++)
		for (size_t k = 0; k < WORLD_WATCHES; k++)
			assert_int_equal(w->lanes[i].watches[k].events, 0);
	life->destroy(w->udp);
	for (uint32_t i = 0; i < w->n_arrived; i++)
		free(w->arrived[i].data);
	assert_int_equal(w->owned, 0);
}

uint16_t world_port(const struct world *w)
{
	return w->udp->port;
}

const struct vpn_socket_ext *world_socket(const struct world *w)
{
	return world_component()->lifecycle->get_extension(w->udp, VPN_EXT_SOCKET);
}

uint64_t world_counted(const struct world *w, enum udp_count what)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < WORLD_LANES; i++)
		sum += w->lanes[i].counters[what];
	return sum;
}

/* ---- events ---- */

static uint32_t events_of(short revents)
{
	return ((revents & POLLIN) != 0 ? VPN_POLLIN : 0) |
	       ((revents & POLLOUT) != 0 ? VPN_POLLOUT : 0) |
	       ((revents & POLLERR) != 0 ? VPN_POLLERR : 0);
}

static void serve_watch(struct world *w, struct world_lane *l, size_t k, int ms)
{
	const struct vpn_flow *flow = world_component()->flow;
	struct pollfd p = {.fd = l->watches[k].fd};
	if (l->watches[k].events == 0)
		return;
	p.events = (short)(((l->watches[k].events & VPN_POLLIN) != 0 ? POLLIN : 0) |
			   ((l->watches[k].events & VPN_POLLOUT) != 0 ? POLLOUT : 0));
	if (poll(&p, 1, ms) <= 0)
		return;
	int rounds = 0;
	while (flow->ready(w->udp, &l->pub, l->watches[k].token, events_of(p.revents)) == VPN_MORE)
		assert_true(++rounds < 10000);
}

void world_serve(struct world *w, int ms)
{
	for (uint32_t i = 0; i < w->host.n_lanes; i++) {
		w->lanes[i].pub.now_ns = w->now_ns;
		for (size_t k = 0; k < WORLD_WATCHES; k++)
			serve_watch(w, &w->lanes[i], k, ms);
	}
	world_wake(w);
}

void world_wake(struct world *w)
{
	const struct vpn_flow *flow = world_component()->flow;
	for (uint32_t i = 0; i < w->host.n_lanes; i++) {
		if (atomic_exchange(&w->woken[i], 0) == 0)
			continue;
		while (flow->ready(w->udp, &w->lanes[i].pub, VPN_TOKEN_WAKE, 0) == VPN_MORE)
			;
	}
}

static uint64_t real_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void world_await(struct world *w, uint32_t n)
{
	uint64_t end = real_ms() + PATIENCE_MS;
	while (w->n_arrived < n && real_ms() < end)
		world_serve(w, 2);
	if (w->n_arrived < n)
		fail_msg("%u packets arrived instead of %u", w->n_arrived, n);
}

void world_await_count(struct world *w, enum udp_count what, uint64_t n)
{
	uint64_t end = real_ms() + PATIENCE_MS;
	while (world_counted(w, what) < n && real_ms() < end)
		world_serve(w, 2);
	assert_true(world_counted(w, what) >= n);
}

void world_tick(struct world *w, uint64_t now_ns)
{
	w->now_ns = now_ns;
	for (uint32_t i = 0; i < w->host.n_lanes; i++) {
		struct world_lane *l = &w->lanes[i];
		l->pub.now_ns = now_ns;
		if (l->deadline_ns == 0 || l->deadline_ns > now_ns)
			continue;
		l->deadline_ns = 0;
		world_component()->flow->timer(w->udp, &l->pub, now_ns);
	}
}

/* ---- content ---- */

struct vpn_packet *world_packet(struct world *w, uint32_t len, uint8_t seed,
				const struct vpn_endpoint *to)
{
	struct vpn_packet *p = make_packet(w, len);
	p->len = len;
	p->endpoint = to;
	for (uint32_t i = 0; i < len; i++)
		vpn_packet_data(p)[i] = content_byte(i, seed);
	return p;
}

void world_send(struct world *w, struct vpn_packet **pkts, uint32_t n)
{
	w->lanes[0].pub.now_ns = w->now_ns;
	assert_int_equal(world_component()->flow->send(w->udp, &w->lanes[0].pub, pkts, n), n);
}

void world_release(struct world *w, struct vpn_packet **pkts, uint32_t n)
{
	fake_release(&w->lanes[0].pub, pkts, n);
}

void world_check(const struct world *w, uint32_t i, uint32_t len, uint8_t seed)
{
	assert_true(i < w->n_arrived);
	content_check(w->arrived[i].data, w->arrived[i].len, len, seed);
}
