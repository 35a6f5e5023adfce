/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/tcpip.h>

#include "measure.h"
#include "noise.h"

#define HEADER_LEN (TCPIP_IPV4_LEN + TCPIP_UDP_LEN)
/* For what takes milliseconds, or seconds with 10,000 clients. */
#define DEADLINE_NS (30 * WG_SECOND)
#define LOOK_NS     (20 * WG_MS) /* how long every byte is looked at */

struct world worlds[WORLDS];
const uint8_t world_source[4] = {10, 255, 0, 1};

/* ---- packets ---- */

void world_address(uint8_t addr[4], uint32_t n)
{
	tcpip_store_be32(addr, 10u << 24 | n);
}

static uint8_t pattern(uint64_t number, uint32_t at)
{
	return (uint8_t)(number * 13 + at * 31 + (at >> 8));
}

void world_write(const struct world *w, uint8_t *data, const uint8_t src[4], const uint8_t dst[4],
		 uint64_t number, bool whole)
{
	static const uint8_t header[12] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, TCPIP_IPPROTO_UDP};
	memcpy(data, header, sizeof(header));
	tcpip_store_be16(data + 2, (uint16_t)w->shape.bytes);
	memcpy(data + 12, src, 4);
	memcpy(data + 16, dst, 4);
	if (!whole)
		return;
	memset(data + TCPIP_IPV4_LEN, 0, TCPIP_UDP_LEN);
	tcpip_store_be64(data + WORLD_PATTERN_AT, number);
	for (uint32_t i = WORLD_PATTERN_AT + 8; i < w->shape.bytes; i++)
		data[i] = pattern(number, i);
}

bool world_is_right(const struct world *w, const struct vpn_packet *p, bool whole)
{
	const uint8_t *data = vpn_packet_data(p);
	if (p->len != w->shape.bytes || data[0] != 0x45 || data[12] != 10 || data[16] != 10 ||
	    tcpip_load_be16(data + 2) != p->len)
		return false;
	if (!whole)
		return true;
	uint64_t number = tcpip_load_be64(data + WORLD_PATTERN_AT);
	for (uint32_t i = WORLD_PATTERN_AT + 8; i < p->len; i++)
		if (data[i] != pattern(number, i))
			return false;
	return true;
}

void world_sink(struct world *w, const struct vpn_host *host, struct vpn_lane *lane,
		struct vpn_packet **pkts, uint32_t n)
{
	struct world_lane *l = &w->lanes[lane->index];
	enum world_mode mode = world_mode(w);
	bool whole = mode == WORLD_CHECK || mode == WORLD_CHECK_FAR || mode == WORLD_FIRST;
	bool sealed = w->shape.sessions != 0 || w->shape.clients != 0;
	uint32_t bad = 0;
	for (uint32_t i = 0; i < n; i++)
		bad += !world_is_right(w, pkts[i], whole) ||
		       (sealed && (pkts[i]->flags & VPN_PACKET_VERIFIED) == 0);
	if (bad != 0)
		world_add(&l->wrong, bad);
	world_add(&l->delivered, n);
	host->release(lane, pkts, n);
}

uint32_t world_choose(const struct world *w, uint32_t lane, uint64_t i)
{
	if (w->shape.clients != 0) /* far apart, so that nothing helps to find the next one */
		return (uint32_t)(i / w->shape.run * 7919 % w->shape.clients);
	return w->shape.sessions != 0 ? lane % w->shape.sessions + 1 : 0;
}

/* ---- the manifest ---- */

struct text {
	char *at;
	size_t len, room;
};

static void put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *format, ...)
{
	va_list ap;
	if (t->room - t->len < 1024) {
		t->room = t->room * 2 + 4096;
		t->at = realloc(t->at, t->room);
		if (t->at == NULL)
			abort();
	}
	va_start(ap, format);
	int n = vsnprintf(t->at + t->len, t->room - t->len, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->room - t->len)
		abort();
	t->len += (size_t)n;
}

typedef char key_text[sodium_base64_ENCODED_LEN(WG_KEY_LEN, sodium_base64_VARIANT_ORIGINAL)];

static const char *text_of(key_text out, const uint8_t key[WG_KEY_LEN])
{
	return sodium_bin2base64(out, sizeof(key_text), key, WG_KEY_LEN,
				 sodium_base64_VARIANT_ORIGINAL);
}

static void put_end(struct text *t, uint32_t n)
{
	uint8_t key[WG_KEY_LEN];
	key_text text;
	world_end_key(key, n);
	put(t,
	    ",\n{\"transport\": \"wireguard\", \"uapi\": \"off\", \"private_key\": \"%s\", "
	    "\"peers\": [",
	    text_of(text, key));
}

static void put_peer(struct text *t, bool first, const uint8_t public_key[WG_KEY_LEN],
		     const uint8_t addr[4], uint32_t port)
{
	key_text text;
	put(t, "%s\n{\"public_key\": \"%s\", \"allowed_ips\": [\"%u.%u.%u.%u/32\"]",
	    first ? "" : ",", text_of(text, public_key), addr[0], addr[1], addr[2], addr[3]);
	if (port != 0)
		put(t, ", \"endpoint\": \"192.0.2.1:%u\"", port);
	put(t, "}");
}

static void end_public(uint8_t public_key[WG_KEY_LEN], uint32_t n)
{
	struct wg_identity id;
	uint8_t key[WG_KEY_LEN];
	world_end_key(key, n);
	wg_identity_set(&id, key);
	memcpy(public_key, id.public_key, WG_KEY_LEN);
}

static void put_turn(struct text *t, uint32_t world, uint32_t number, bool bottom)
{
	put(t, ",\n{\"transport\": \"bench-turn\", \"world\": %u, \"number\": %u, \"bottom\": %s}",
	    world, number, bottom ? "true" : "false");
}

static void put_ends(struct text *t, uint32_t world, uint32_t sessions)
{
	uint8_t key[WG_KEY_LEN], addr[4];
	put_end(t, 0);
	for (uint32_t i = 1; i <= sessions; i++) {
		end_public(key, i);
		world_address(addr, i);
		put_peer(t, i == 1, key, addr, i);
	}
	put(t, "]}");
	put_turn(t, world, 0, false);
	end_public(key, 0);
	for (uint32_t i = 1; i <= sessions; i++) {
		put_end(t, i);
		put_peer(t, true, key, world_source, 0);
		put(t, "]}");
		put_turn(t, world, i, i == sessions);
	}
}

static void put_crowd(struct text *t, uint32_t clients)
{
	uint8_t key[WG_KEY_LEN], addr[4];
	put_end(t, 0);
	for (uint32_t i = 0; i < clients; i++) {
		world_client_key(key, i);
		world_address(addr, i);
		put_peer(t, i == 0, key, addr, 0);
	}
	put(t, "]}");
}

static struct text write_manifest(uint32_t world, const struct world_shape *s)
{
	struct text t = {.at = NULL};
	put(&t,
	    "{\"vpncore\": 1, \"name\": \"bench\", \"lanes\": %u, \"batch\": %u, "
	    "\"allow_insecure\": %s, \"log\": {\"level\": \"error\"}, \"pipeline\": [\n"
	    "{\"device\": \"bench-device\", \"world\": %u, \"mtu\": %u}",
	    s->lanes, s->batch, s->sessions == 0 && s->clients == 0 ? "true" : "false", world,
	    s->bytes);
	if (s->sessions != 0)
		put_ends(&t, world, s->sessions);
	if (s->clients != 0)
		put_crowd(&t, s->clients);
	for (uint32_t i = 0; i < s->nulls; i++)
		put(&t, ",\n{\"transport\": \"bench-null\"}");
	if (s->sessions == 0)
		put(&t, ",\n{\"transport\": \"bench-far\", \"world\": %u}", world);
	put(&t, "]}\n");
	return t;
}

/* ---- life ---- */

static void say(void *ctx, const char *line)
{
	(void)ctx;
	if (strstr(line, "warning") == NULL)
		fprintf(stderr, "bench_scale: %s\n", line);
}

static bool load(uint32_t number, const struct world_shape *shape)
{
	struct world *w = &worlds[number];
	struct vpncore_callbacks callbacks = {.size = sizeof(callbacks), .problem = say};
	struct vpn_error err = {.size = sizeof(err)};
	struct text t = write_manifest(number, shape);
	int status = vpncore_pipeline_load(&w->pipeline, "bench_scale", t.at, t.len, &callbacks,
					   &err);
	free(t.at);
	if (status == VPN_OK)
		status = vpncore_pipeline_start(w->pipeline, &err);
	if (status == VPN_OK)
		return true;
	fprintf(stderr, "bench_scale: %s\n", err.text);
	w->pipeline = vpncore_pipeline_free(w->pipeline);
	return false;
}

static uint64_t sum(const struct world *w, size_t offset)
{
	uint64_t total = 0;
	for (uint32_t i = 0; i < w->shape.lanes; i++) {
		const void *at = (const char *)&w->lanes[i] + offset;
		total += atomic_load((const _Atomic uint64_t *)at);
	}
	return total;
}

uint64_t world_delivered(const struct world *w)
{
	return sum(w, offsetof(struct world_lane, delivered));
}

uint64_t world_busy_ns(const struct world *w)
{
	return sum(w, offsetof(struct world_lane, busy_ns));
}

static bool wait_until(const struct world *w, bool (*done)(const struct world *w), const char *what)
{
	uint64_t begin = measure_now_ns();
	while (!done(w)) {
		if (measure_now_ns() - begin > DEADLINE_NS) {
			fprintf(stderr, "bench_scale: %s did not come to an end\n", what);
			return false;
		}
		measure_pause(WG_MS);
	}
	return true;
}

static bool is_idle(const struct world *w)
{
	for (uint32_t i = 0; i < w->shape.lanes; i++)
		if (atomic_load(&w->lanes[i].busy))
			return false;
	return true;
}

static bool has_each(const struct world *w)
{
	for (uint32_t i = 0; i < w->shape.lanes; i++)
		if (atomic_load(&w->lanes[i].delivered) == 0)
			return false;
	return true;
}

void world_begin(struct world *w, enum world_mode mode)
{
	atomic_store(&w->mode, (int)mode);
	if (mode == WORLD_FIRST || mode == WORLD_CHECK || mode == WORLD_SEND)
		world_wake_device(w->device);
	else if (mode != WORLD_IDLE)
		world_wake_far(w->far);
}

bool world_end(struct world *w)
{
	atomic_store(&w->mode, WORLD_IDLE);
	return wait_until(w, is_idle, "a source");
}

/* Sessions first; then every byte is looked at for a moment. */
static bool prove(struct world *w)
{
	bool good = true;
	if (w->shape.clients != 0) {
		world_begin(w, WORLD_HANDSHAKE);
		good = wait_until(w, is_idle, "the handshakes") &&
		       world_far_sessions(w->far) == w->shape.clients;
		if (!good)
			fprintf(stderr, "bench_scale: %u of %u clients have a session\n",
				world_far_sessions(w->far), w->shape.clients);
	} else {
		world_begin(w, WORLD_FIRST);
		good = wait_until(w, has_each, "the first packets");
	}
	for (int far = 0; good && far <= (w->shape.clients != 0); far++) {
		uint64_t before = world_delivered(w);
		world_begin(w, far != 0 ? WORLD_CHECK_FAR : WORLD_CHECK);
		measure_pause(LOOK_NS);
		good = world_end(w) && world_delivered(w) > before;
	}
	return good;
}

bool world_start(uint32_t number, const struct world_shape *shape)
{
	struct world *w = &worlds[number];
	memset(w, 0, sizeof(*w));
	w->shape = *shape;
	if (!load(number, shape))
		return false;
	if (prove(w))
		return true;
	fprintf(stderr, "bench_scale: nothing passes\n");
	world_stop(number);
	return false;
}

static void show(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s\n", text);
}

bool world_stop(uint32_t number)
{
	struct world *w = &worlds[number];
	bool good = world_end(w);
	uint64_t offered = sum(w, offsetof(struct world_lane, offered));
	uint64_t delivered = world_delivered(w);
	uint64_t wrong = sum(w, offsetof(struct world_lane, wrong));
	bool may_lose = w->shape.sessions != 0 && w->shape.lanes > w->shape.sessions;
	if (wrong != 0 || (offered != delivered && !may_lose)) {
		fprintf(stderr, "bench_scale: %llu packets sent, %llu delivered, %llu wrong\n",
			(unsigned long long)offered, (unsigned long long)delivered,
			(unsigned long long)wrong);
		vpncore_pipeline_counters(w->pipeline, show, NULL);
		good = false;
	}
	vpncore_pipeline_stop(w->pipeline, NULL);
	w->pipeline = vpncore_pipeline_free(w->pipeline);
	return good;
}
