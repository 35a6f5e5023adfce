/* SPDX-License-Identifier: BSD-2-Clause */
#include "wg_world.h"

#include <sodium.h>
#include <stdio.h>

#include "aead.h"

#define SEED         1u
#define WALL_AT_INIT (UINT64_C(1700000000) * WG_SECOND)

extern const struct vpn_plugin vpncore_plugin_v1;

const struct vpn_component *world_component(void)
{
	return vpncore_plugin_v1.components[0];
}

/* ---- life ---- */

void world_init(struct world *w)
{
	struct wg_identity id;
	memset(w, 0, sizeof(*w));
	TESTHOST_USE_CMOCKA();
	assert_true(sodium_init() >= 0);
	w->host = testhost_new(SEED);
	assert_non_null(w->host);
	memset(w->private_key, 0x11, sizeof(w->private_key));
	wg_identity_set(&id, w->private_key);
	memcpy(w->public_key, id.public_key, sizeof(w->public_key));
	snprintf(w->inside, sizeof(w->inside), "10.0.0.1");
	w->options = (struct wg_options){
		.private_key = {.data = w->private_key, .len = sizeof(w->private_key)},
		.peers = {.items = w->peer_options, .item_size = sizeof(w->peer_options[0])},
		.uapi_fd = -1,
		.aead = WG_AEAD_AUTO,
		.uapi = WG_UAPI_OFF,
	};
}

/* "192.0.2.1:7", "[2001:db8::1]:7", or a name. */
static void set_endpoint_option(struct vpn_hostport *o, const char *text)
{
	static char names[64][64];
	static uint32_t next;
	char *host = names[next++ % 64];
	const char *colon = strrchr(text, ':');
	bool bracket = text[0] == '[';
	size_t len = (size_t)(colon - text) - (bracket ? 2 : 0);
	assert_true(len < sizeof(names[0]));
	memcpy(host, text + (bracket ? 1 : 0), len);
	host[len] = '\0';
	unsigned port = 0;
	assert_int_equal(sscanf(colon + 1, "%u", &port), 1);
	*o = (struct vpn_hostport){
		.host = host, .port = (uint16_t)port, .port_last = (uint16_t)port};
}

/* The network's address with its last byte made 2. */
static void name_inside(struct ref *r, const struct vpn_prefix *p)
{
	char text[WG_PREFIX_TEXT];
	struct vpn_prefix one = *p;
	one.length = one.family == VPN_AF_INET ? 32 : 128;
	if (p->length < one.length)
		one.addr[one.length / 8 - 1] = 2;
	wg_text_prefix(&one, text);
	*strchr(text, '/') = '\0';
	snprintf(r->inside, sizeof(r->inside), "%.47s", text);
}

void world_prefix(struct ref *r, const char *prefix)
{
	struct vpn_prefix *p = &r->prefixes[r->n_prefixes];
	assert_true(r->n_prefixes < WORLD_PREFIXES);
	assert_true(wg_text_parse_prefix(prefix, p));
	if (r->n_prefixes++ == 0)
		name_inside(r, p);
	struct wg_peer_options *o = &r->w->peer_options[r - r->w->refs];
	o->allowed_ips = (struct vpn_list){
		.items = r->prefixes, .count = r->n_prefixes, .item_size = sizeof(r->prefixes[0])};
}

void world_psk(struct ref *r, uint8_t fill)
{
	memset(r->psk, fill, sizeof(r->psk));
	r->has_psk = true;
	r->w->peer_options[r - r->w->refs].preshared_key = (struct vpn_bytes){
		.data = r->psk, .len = sizeof(r->psk)};
	memcpy(r->noise.psk, r->psk, sizeof(r->psk));
}

struct ref *world_peer(struct world *w, const char *endpoint, const char *prefix)
{
	uint8_t key[WG_KEY_LEN];
	uint32_t i = w->n_refs;
	struct ref *r = &w->refs[i];
	assert_true(i < WORLD_PEERS);
	w->n_refs++;
	w->options.peers.count = w->n_refs;
	r->w = w;
	memset(key, (int)(0x40 + i), sizeof(key));
	wg_identity_set(&r->id, key);
	memcpy(r->public_key, r->id.public_key, sizeof(r->public_key));
	r->at = testhost_endpoint("192.0.2.1:51820");
	r->at.port = (uint16_t)(51820 + i);
	r->next_index = 0x1000 * (i + 1);
	r->wall_ns = WALL_AT_INIT;
	wg_noise_init(&r->noise, &r->id, w->public_key, NULL);
	wg_cookie_maker_init(&r->maker, w->public_key);
	wg_cookie_checker_init(&r->checker, r->id.public_key);
	struct wg_peer_options *o = &w->peer_options[i];
	o->public_key = (struct vpn_bytes){.data = r->public_key, .len = sizeof(r->public_key)};
	if (endpoint != NULL) {
		set_endpoint_option(&o->endpoint, endpoint);
		if (strchr("0123456789[", endpoint[0]) != NULL)
			r->at = testhost_endpoint(endpoint);
	}
	if (prefix != NULL)
		world_prefix(r, prefix);
	return r;
}

struct testhost_stage *world_add(struct world *w, struct vpn_error *err)
{
	w->setup.config = &w->options;
	w->stage = testhost_add(w->host, world_component(), &w->setup, err);
	if (w->stage != NULL)
		w->wg = testhost_instance(w->stage);
	return w->stage;
}

void world_start(struct world *w)
{
	struct vpn_error err;
	if (world_add(w, &err) == NULL)
		fail_msg("%s: %s", err.where, err.text);
	assert_int_equal(testhost_start(w->stage, NULL), VPN_OK);
	testhost_run(w->host);
	world_mark(w);
}

void world_end(struct world *w)
{
	w->host = testhost_free(w->host);
}

struct wg_peer *world_peer_of(struct world *w, const struct ref *r)
{
	struct wg_peer *p = wg_peers_find(&w->wg->peers, r->public_key);
	assert_non_null(p);
	return p;
}

/* ---- messages of a reference peer ---- */

static void draw(struct ref *r, uint8_t out[WG_KEY_LEN])
{
	for (uint32_t i = 0; i < WG_KEY_LEN; i++)
		out[i] = (uint8_t)testhost_random(r->w->host);
}

void ref_sign(struct ref *r, struct bytes *msg)
{
	wg_cookie_add_macs(&r->maker, msg->data, msg->len, testhost_now(r->w->host));
}

void ref_initiation(struct ref *r, struct bytes *out)
{
	struct wg_msg_initiation msg;
	uint8_t ephemeral[WG_KEY_LEN], timestamp[WG_TIMESTAMP_LEN];
	draw(r, ephemeral);
	wg_timestamp(timestamp, r->wall_ns);
	r->wall_ns += 20 * WG_MS;
	assert_true(wg_noise_create_initiation(&r->noise, &r->id, ephemeral, timestamp,
					       r->next_index++, &msg));
	memcpy(out->data, &msg, sizeof(msg));
	out->len = sizeof(msg);
	ref_sign(r, out);
}

static void begin_session(struct ref *r)
{
	memset(&r->session, 0, sizeof(r->session));
	assert_true(wg_noise_begin_session(&r->noise, &r->session.keys));
	r->session.known = true;
}

void ref_response(struct ref *r, const struct bytes *initiation, struct bytes *out)
{
	const struct wg_msg_initiation *in = (const void *)initiation->data;
	struct wg_msg_response msg;
	struct wg_initiation opened;
	uint8_t ephemeral[WG_KEY_LEN];
	assert_int_equal(initiation->len, sizeof(*in));
	assert_int_not_equal(wg_cookie_check(&r->checker, in, sizeof(*in), NULL, 1, false),
			     WG_COOKIE_BAD_MAC1);
	assert_true(wg_noise_open_initiation(&r->id, in, &opened));
	assert_memory_equal(opened.remote_static, r->noise.remote_static, WG_KEY_LEN);
	r->noise.last_initiation_ns = 0;
	assert_int_equal(wg_noise_accept_initiation(&r->noise, &r->id, in, &opened,
						    testhost_now(r->w->host)),
			 WG_NOISE_OK);
	draw(r, ephemeral);
	assert_true(wg_noise_create_response(&r->noise, ephemeral, r->next_index++, &msg));
	begin_session(r);
	memcpy(out->data, &msg, sizeof(msg));
	out->len = sizeof(msg);
	ref_sign(r, out);
}

bool ref_consume(struct ref *r, const struct bytes *response)
{
	const struct wg_msg_response *msg = (const void *)response->data;
	assert_int_equal(response->len, sizeof(*msg));
	if (wg_load_le32(msg->receiver) != r->noise.local_index ||
	    wg_cookie_check(&r->checker, msg, sizeof(*msg), NULL, 1, false) == WG_COOKIE_BAD_MAC1 ||
	    wg_noise_consume_response(&r->noise, &r->id, msg) != WG_NOISE_OK)
		return false;
	begin_session(r);
	return true;
}

void ref_cookie(struct ref *r, const struct bytes *msg, struct bytes *out)
{
	struct wg_msg_cookie reply;
	struct vpn_endpoint from = testhost_endpoint("203.0.113.9:4500");
	wg_cookie_reply(&r->checker, testhost_services(r->w->stage), msg->data, msg->len, &from,
			testhost_now(r->w->host), &reply);
	memcpy(out->data, &reply, sizeof(reply));
	out->len = sizeof(reply);
}

void ref_seal(const struct ref_session *s, uint64_t counter, const void *plain, uint32_t len,
	      struct bytes *out)
{
	uint8_t nonce[12] = {0};
	assert_true(s->known && len + WG_DATA_OVERHEAD <= sizeof(out->data));
	wg_store_le32(out->data, WG_TYPE_DATA);
	wg_store_le32(out->data + 4, s->keys.remote_index);
	wg_store_le64(out->data + 8, counter);
	wg_store_le64(nonce + 4, counter);
	(void)crypto_aead_chacha20poly1305_ietf_encrypt(out->data + WG_DATA_HEADER, NULL, plain,
							len, NULL, 0, NULL, nonce, s->keys.send);
	out->len = len + WG_DATA_OVERHEAD;
}

void ref_data(struct ref *r, const void *plain, uint32_t len, struct bytes *out)
{
	ref_seal(&r->session, r->session.sent++, plain, len, out);
}

bool ref_open(const struct ref_session *s, const struct bytes *msg, struct bytes *plain)
{
	uint8_t nonce[12] = {0};
	if (!s->known || msg->len < WG_DATA_OVERHEAD || wg_load_le32(msg->data) != WG_TYPE_DATA ||
	    wg_load_le32(msg->data + 4) != s->keys.local_index)
		return false;
	memcpy(nonce + 4, msg->data + 8, 8);
	plain->len = msg->len - WG_DATA_OVERHEAD;
	return crypto_aead_chacha20poly1305_ietf_decrypt(
		       plain->data, NULL, NULL, msg->data + WG_DATA_HEADER,
		       msg->len - WG_DATA_HEADER, NULL, 0, nonce, s->keys.receive) == 0;
}

/* ---- between both ---- */

void world_recv(struct world *w, const struct ref *r, const struct bytes *msg)
{
	assert_true(testhost_recv(w->stage, 0, msg->data, msg->len, &r->at));
}

void world_recv_from(struct world *w, const char *endpoint, const struct bytes *msg)
{
	struct vpn_endpoint from = testhost_endpoint(endpoint);
	assert_true(testhost_recv(w->stage, 0, msg->data, msg->len, &from));
}

const struct testhost_record *world_expect(struct world *w, uint32_t type, struct bytes *out)
{
	const struct testhost_record *r = testhost_next(w->stage, 0, VPN_DOWN);
	assert_non_null(r);
	assert_in_range(r->len, WG_DATA_OVERHEAD, WORLD_BYTES);
	assert_int_equal(wg_load_le32(r->data), type);
	if (out != NULL) {
		memcpy(out->data, r->data, r->len);
		out->len = r->len;
	}
	return r;
}

void world_silent(struct world *w)
{
	assert_int_equal(testhost_waiting(w->stage, 0, VPN_DOWN), 0);
}

void world_nothing_up(struct world *w)
{
	assert_int_equal(testhost_waiting(w->stage, 0, VPN_UP), 0);
}

void world_join(struct world *w, struct ref *r)
{
	struct bytes msg;
	ref_initiation(r, &msg);
	world_recv(w, r, &msg);
	world_expect(w, WG_TYPE_RESPONSE, &msg);
	assert_true(ref_consume(r, &msg));
	ref_data(r, "", 0, &msg);
	world_recv(w, r, &msg);
	testhost_run(w->host);
}

void world_call(struct world *w, struct ref *r)
{
	struct bytes msg, plain;
	world_send_to(w, r, 100, 0xca);
	world_expect(w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	world_recv(w, r, &msg);
	world_hear(w, r, &plain);
	testhost_run(w->host);
}

void world_udp(struct bytes *out, const char *src, const char *dst, uint32_t len, uint8_t fill)
{
	uint8_t payload[WORLD_BYTES];
	struct testhost_flow f = {.src = src, .dst = dst, .src_port = 1000, .dst_port = 2000};
	memset(payload, fill, sizeof(payload));
	out->len = testhost_build_udp(out->data, sizeof(out->data), &f, payload, len);
	assert_int_not_equal(out->len, 0);
}

void world_send(struct world *w, const struct bytes *packet)
{
	assert_true(testhost_send(w->stage, 0, packet->data, packet->len));
}

static const char *device_address(const struct ref *r)
{
	return strchr(r->inside, ':') != NULL ? "fd00::1" : r->w->inside;
}

void world_send_to(struct world *w, const struct ref *r, uint32_t len, uint8_t fill)
{
	struct bytes packet;
	world_udp(&packet, device_address(r), r->inside, len, fill);
	world_send(w, &packet);
}

void world_say(struct world *w, struct ref *r, const char *src, const char *dst, uint32_t len,
	       uint8_t fill)
{
	struct bytes packet, msg;
	world_udp(&packet, src, dst, len, fill);
	ref_data(r, packet.data, packet.len, &msg);
	world_recv(w, r, &msg);
}

void world_hear(struct world *w, struct ref *r, struct bytes *plain)
{
	struct bytes msg;
	world_expect(w, WG_TYPE_DATA, &msg);
	assert_true(ref_open(&r->session, &msg, plain));
}

void world_hear_keepalive(struct world *w, struct ref *r)
{
	struct bytes plain;
	world_hear(w, r, &plain);
	assert_int_equal(plain.len, 0);
}

void world_expect_up(struct world *w, const struct bytes *packet)
{
	const struct testhost_record *r = testhost_next(w->stage, 0, VPN_UP);
	assert_non_null(r);
	TESTHOST_SAME_BYTES(r->data, r->len, packet->data, packet->len);
}

/* ---- counters ---- */

static const struct vpn_lifecycle *life(void)
{
	return world_component()->lifecycle;
}

uint64_t world_count(const struct world *w, enum wg_count what)
{
	return testhost_counter(w->stage, life()->counters[what].name);
}

void world_mark(struct world *w)
{
	for (uint32_t i = 0; i < WG_COUNTERS; i++)
		w->before[i] = world_count(w, (enum wg_count)i);
}

uint64_t world_grown(const struct world *w, enum wg_count what)
{
	return world_count(w, what) - w->before[what];
}

void world_only_drop(struct world *w, enum wg_count what, uint64_t n)
{
	for (uint32_t i = 0; i < WG_COUNTERS; i++) {
		if ((life()->counters[i].flags & VPN_COUNTER_DROP) == 0)
			continue;
		uint64_t grown = world_grown(w, (enum wg_count)i);
		if (grown != (i == what ? n : 0))
			fail_msg("%s has grown by %llu", life()->counters[i].name,
				 (unsigned long long)grown);
	}
}

/* ---- time ---- */

void world_advance(struct world *w, uint64_t ns)
{
	for (uint32_t i = 0; i < w->n_refs; i++)
		w->refs[i].wall_ns += ns;
	testhost_advance(w->host, ns);
}
