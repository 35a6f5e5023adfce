/* SPDX-License-Identifier: BSD-2-Clause */
/* services: the table of host services that a component gets (plugin.h section 10). */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static struct testhost_stage *stage_of(const struct vpn_host *host)
{
	return host->ctx;
}

static struct part *part_of(const struct vpn_lane *lane)
{
	return lane->host_private;
}

/* Reports a [lane] service that is called in the wrong place. With `start`, start() and stop() may
 * too. */
static void check_lane(const struct part *part, const char *name, bool start)
{
	const struct testhost_stage *s = part->stage;
	bool legal = s->phase == PHASE_LANE && s->phase_lane == part->pub.index;
	if (start && (s->phase == PHASE_START || s->phase == PHASE_STOP))
		legal = true;
	if (!legal)
		REPORT("%s: %s() is called in a state or lane where it is not legal",
		       s->services.name, name);
	if (!pthread_equal(pthread_self(), s->host->thread))
		REPORT("%s: %s() is called on another thread than the lane's", s->services.name,
		       name);
}

static void service_log(const struct vpn_host *host, uint32_t level, const char *text)
{
	int before = host_begin();
	struct testhost *h = stage_of(host)->host;
	if (level > VPN_LOG_DEBUG)
		REPORT("%s: log() with level %u", host->name, (unsigned)level);
	if (text == NULL) {
		REPORT("%s: log() without a text", host->name);
		text = "";
	}
	if (level <= host->log_level) {
		pthread_mutex_lock(&h->lock);
		if (h->n_lines == h->room_lines) {
			h->room_lines = h->room_lines * 2 + 16;
			h->lines = realloc(h->lines, h->room_lines * sizeof(*h->lines));
			if (h->lines == NULL)
				abort();
		}
		h->lines[h->n_lines++] = (struct line){.level = level, .text = get_text(text)};
		pthread_mutex_unlock(&h->lock);
	}
	host_end(before);
}

static uint64_t service_now(const struct vpn_host *host)
{
	return stage_of(host)->host->now;
}

static uint64_t service_wall(const struct vpn_host *host)
{
	return stage_of(host)->host->wall;
}

static void service_random(const struct vpn_host *host, void *buf, size_t len)
{
	struct testhost *h = stage_of(host)->host;
	uint8_t *out = buf;
	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(rng_next(&h->rng) >> 56);
	pthread_mutex_unlock(&h->lock);
}

static uint32_t data_size(const struct testhost_stage *s, uint32_t pool)
{
	uint32_t most = s->setup.mtu_above + s->needs.overhead;
	if (pool == VPN_POOL_RX_LARGE)
		return 65536;
	return most > s->setup.mtu_below ? most : s->setup.mtu_below;
}

static uint32_t service_alloc(struct vpn_lane *lane, uint32_t pool, struct vpn_packet **out,
			      uint32_t n)
{
	int before = host_begin();
	struct part *part = part_of(lane);
	struct testhost_stage *s = part->stage;
	uint32_t got = 0;
	check_lane(part, "alloc", false);
	if (pool >= POOLS) {
		REPORT("%s: alloc() of pool %u", s->services.name, (unsigned)pool);
		n = 0;
	}
	if (fault_hits(&s->host->alloc))
		n = 0;
	for (; got < n && part->out[pool] < s->setup.pool_size; got++) {
		struct box *b = box_new(&s->host->store, part, OWNER_STAGE, pool, s->setup.headroom,
					data_size(s, pool) + s->setup.tailroom);
		b->pub.stamp_ns = part->pub.now_ns;
		out[got] = &b->pub;
	}
	host_end(before);
	return got;
}

static void service_release(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	int before = host_begin();
	struct part *part = part_of(lane);
	struct store *store = &part->stage->host->store;
	check_lane(part, "release", true);
	for (uint32_t i = 0; i < n; i++) {
		struct box *b = box_check(store, pkts[i], part, OWNER_STAGE, "release");
		if (b != NULL)
			box_free(store, b);
	}
	host_end(before);
}

/* Each piece gets storage of its own, so that running over its end is seen. */
static struct vpn_packet *make_piece(struct box *parent, uint32_t from, uint32_t len)
{
	struct part *part = parent->part;
	struct box *b = box_new(&part->stage->host->store, part, OWNER_STAGE, POOL_NONE, 0, len);
	memcpy(b->buf, vpn_packet_data(&parent->pub) + from, len);
	b->pub.len = len;
	b->pub.flags = parent->pub.flags;
	b->pub.endpoint_word = parent->pub.endpoint_word;
	b->pub.stamp_ns = parent->pub.stamp_ns;
	return &b->pub;
}

static uint32_t cut(struct box *parent, uint32_t piece_len, struct vpn_packet **out, uint32_t n)
{
	uint32_t len = parent->pub.len;
	if (piece_len == 0 || len == 0 || (len - 1) / piece_len + 1 > n)
		return 0;
	uint32_t pieces = (len - 1) / piece_len + 1;
	for (uint32_t i = 0; i < pieces; i++) {
		uint32_t left = len - i * piece_len;
		out[i] = make_piece(parent, i * piece_len, left < piece_len ? left : piece_len);
	}
	box_free(&parent->part->stage->host->store, parent);
	return pieces;
}

static uint32_t service_split(struct vpn_lane *lane, struct vpn_packet *parent, uint32_t piece_len,
			      struct vpn_packet **out, uint32_t n)
{
	int before = host_begin();
	struct part *part = part_of(lane);
	struct testhost *h = part->stage->host;
	check_lane(part, "split", false);
	struct box *b = box_check(&h->store, parent, part, OWNER_STAGE, "split");
	uint32_t pieces = b == NULL || fault_hits(&h->alloc) ? 0 : cut(b, piece_len, out, n);
	host_end(before);
	return pieces;
}

static struct testhost_watch *find_watch(struct part *part, int fd)
{
	for (uint32_t i = 0; i < part->n_watches; i++)
		if (part->watches[i].fd == fd)
			return &part->watches[i];
	return NULL;
}

static void set_watch(struct part *part, int fd, uint32_t events, uint64_t token)
{
	struct testhost_watch *w = find_watch(part, fd);
	if (events == 0) {
		if (w == NULL)
			REPORT("watch: descriptor %d is not watched", fd);
		else
			*w = part->watches[--part->n_watches];
		return;
	}
	if (w == NULL) {
		part->watches = realloc(part->watches, (part->n_watches + 1) * sizeof(*w));
		if (part->watches == NULL)
			abort();
		w = &part->watches[part->n_watches++];
	}
	*w = (struct testhost_watch){.fd = fd, .events = events, .token = token};
}

static vpn_status service_watch(struct vpn_lane *lane, int fd, uint32_t events, uint64_t token)
{
	int before = host_begin();
	struct part *part = part_of(lane);
	struct testhost *h = part->stage->host;
	vpn_status status = VPN_OK;
	check_lane(part, "watch", true);
	if (fd < 0 || (events & ~(VPN_POLLIN | VPN_POLLOUT | VPN_POLLERR)) != 0) {
		REPORT("watch: descriptor %d, events %u", fd, (unsigned)events);
		status = VPN_EINVAL;
	} else if (events != 0 && fault_hits(&h->service)) {
		status = h->service.status;
	} else {
		set_watch(part, fd, events, token);
	}
	host_end(before);
	return status;
}

static void service_arm(struct vpn_lane *lane, uint64_t deadline_ns)
{
	int before = host_begin();
	struct part *part = part_of(lane);
	const struct vpn_flow *flow = part->stage->component->flow;
	check_lane(part, "arm", true);
	if (deadline_ns != 0 &&
	    (flow == NULL || !VPN_HAS(flow, struct vpn_flow, timer) || flow->timer == NULL))
		REPORT("arm: the component has no timer()");
	part->deadline = deadline_ns;
	host_end(before);
}

static void service_wake(const struct vpn_host *host, uint32_t index)
{
	struct testhost_stage *s = stage_of(host);
	if (index >= s->setup.n_lanes)
		REPORT("wake: lane %u of %u", (unsigned)index, (unsigned)s->setup.n_lanes);
	else
		atomic_store(&s->parts[index].woken, true);
}

static void note_asked(struct testhost *h, const char *name)
{
	h->asked = realloc(h->asked, (h->n_asked + 1) * sizeof(*h->asked));
	if (h->asked == NULL)
		abort();
	h->asked[h->n_asked++] = get_text(name);
}

static vpn_status service_resolve(struct vpn_lane *lane, const char *name, uint16_t port,
				  uint32_t family, uint64_t token)
{
	int before = host_begin();
	struct part *part = part_of(lane);
	struct testhost *h = part->stage->host;
	const struct vpn_flow *flow = part->stage->component->flow;
	vpn_status status = VPN_OK;
	check_lane(part, "resolve", true);
	if (flow == NULL || !VPN_HAS(flow, struct vpn_flow, resolved) || flow->resolved == NULL)
		REPORT("resolve: the component has no resolved()");
	if (name == NULL || strlen(name) > 255 ||
	    (family != VPN_AF_NONE && family != VPN_AF_INET && family != VPN_AF_INET6)) {
		REPORT("resolve: no name, or family %u", (unsigned)family);
		status = VPN_EINVAL;
	} else if (fault_hits(&h->service)) {
		status = h->service.status;
	} else {
		struct question **last = &part->questions;
		struct question *q = get(sizeof(*q));
		while (*last != NULL)
			last = &(*last)->next;
		*q = (struct question){.token = token, .family = family, .port = port};
		memcpy(q->name, name, strlen(name) + 1);
		*last = q;
		note_asked(h, name);
	}
	host_end(before);
	return status;
}

static const struct script *find_script(const struct testhost *h, const char *name)
{
	const struct script *found = h->scripts;
	while (found != NULL && strcmp(found->name, name) != 0)
		found = found->next;
	return found;
}

/* One answer: the script's addresses of the family that was asked for. */
static void answer(struct part *part, const struct question *q)
{
	struct testhost_stage *s = part->stage;
	const struct script *script = find_script(s->host, q->name);
	vpn_status status = script == NULL ? VPN_EADDR : script->status;
	uint32_t n = 0, all = script == NULL || status != VPN_OK ? 0 : script->n;
	struct vpn_endpoint *list = get((all + 1) *
					sizeof(*list)); /* exact: freed after the call */
	for (uint32_t i = 0; i < all; i++) {
		if (q->family != VPN_AF_NONE && q->family != script->endpoints[i].family)
			continue;
		list[n] = script->endpoints[i];
		if (list[n].port == 0)
			list[n].port = q->port;
		n++;
	}
	if (status == VPN_OK && n == 0)
		status = VPN_EADDR;
	stage_enter(s, PHASE_LANE, part->pub.index);
	s->component->flow->resolved(s->inst, &part->pub, q->token, status, n != 0 ? list : NULL,
				     n);
	stage_leave(s);
	free(list);
}

void part_answer(struct part *part)
{
	struct question *q = part->questions;
	part->questions = NULL;
	while (q != NULL) {
		struct question *next = q->next;
		answer(part, q);
		free(q);
		q = next;
	}
}

static void service_writable(struct vpn_lane *lane, uint32_t direction)
{
	int before = host_begin();
	struct part *part = part_of(lane);
	check_lane(part, "writable", false);
	if (direction > VPN_DOWN)
		REPORT("writable: direction %u", (unsigned)direction);
	else
		part->ends[direction].writable_calls++;
	host_end(before);
}

static void service_notify(const struct vpn_host *host, uint32_t event, uint64_t value)
{
	struct testhost_stage *s = stage_of(host);
	if (event == 0 || event >= EVENTS_MAX) {
		REPORT("notify: event %u", (unsigned)event);
		return;
	}
	pthread_mutex_lock(&s->host->lock);
	s->notified[event]++;
	s->notified_value[event] = value;
	pthread_mutex_unlock(&s->host->lock);
}

static void service_fail(const struct vpn_host *host, const struct vpn_error *err)
{
	struct testhost_stage *s = stage_of(host);
	if (err == NULL || err->size < sizeof(*err) || err->status >= 0 || err->text[0] == '\0') {
		REPORT("fail: the error has no size, status or text");
		return;
	}
	pthread_mutex_lock(&s->host->lock);
	if (!s->has_failed)
		s->failed = *err;
	s->has_failed = true;
	pthread_mutex_unlock(&s->host->lock);
}

static const void *service_get(const struct vpn_host *host, const char *id, void **ret_inst)
{
	int before = host_begin();
	struct testhost_stage *s = stage_of(host);
	const struct service *found = s->host->services;
	if (s->phase == PHASE_LANE || s->phase == PHASE_CREATE)
		REPORT("get_service: is [main], from start() on");
	while (found != NULL && strcmp(found->id, id) != 0)
		found = found->next;
	if (found != NULL)
		*ret_inst = found->inst;
	host_end(before);
	return found != NULL ? found->functions : NULL;
}

void services_fill(struct testhost_stage *s)
{
	s->services = (struct vpn_host){
		.size = sizeof(s->services),
		.abi_major = VPN_ABI_MAJOR,
		.abi_minor = VPN_ABI_MINOR,
		.n_lanes = s->setup.n_lanes,
		.log_level = s->setup.log_level,
		.mtu_above = s->setup.mtu_above,
		.mtu_below = s->setup.mtu_below,
		.flags = s->setup.layer,
		.name = s->setup.name,
		.pipeline = "test",
		.ctx = s,
		.log = service_log,
		.now_ns = service_now,
		.wall_ns = service_wall,
		.random = service_random,
		.alloc = service_alloc,
		.release = service_release,
		.split = service_split,
		.watch = service_watch,
		.arm = service_arm,
		.wake = service_wake,
		.resolve = service_resolve,
		.writable = service_writable,
		.notify = service_notify,
		.fail = service_fail,
		.get_service = service_get,
		.above = s->setup.above,
	};
}
