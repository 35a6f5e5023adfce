/* SPDX-License-Identifier: BSD-2-Clause */
#include "wg_pair.h"

#include <sodium.h>

#define HEADERS 28u /* IPv4 and UDP */
#define PAYLOAD 64u

static void set_side(struct side *s, uint8_t fill, const char *inside, const char *host,
		     uint16_t port)
{
	struct wg_identity id;
	memset(s->private_key, fill, sizeof(s->private_key));
	wg_identity_set(&id, s->private_key);
	memcpy(s->public_key, id.public_key, sizeof(s->public_key));
	s->inside = inside;
	s->host = host;
	s->port = port;
}

static void set_options(struct side *s, const struct side *other, const char *prefix)
{
	assert_true(wg_text_parse_prefix(prefix, &s->prefix));
	s->peer = (struct wg_peer_options){
		.public_key = {.data = other->public_key, .len = WG_KEY_LEN},
		.endpoint = {.host = other->host, .port = other->port, .port_last = other->port},
		.allowed_ips = {.items = &s->prefix, .count = 1, .item_size = sizeof(s->prefix)},
	};
	s->options = (struct wg_options){
		.private_key = {.data = s->private_key, .len = WG_KEY_LEN},
		.peers = {.items = &s->peer, .count = 1, .item_size = sizeof(s->peer)},
		.uapi_fd = -1,
		.aead = WG_AEAD_AUTO,
		.uapi = WG_UAPI_OFF,
	};
}

void pair_init(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	TESTHOST_USE_CMOCKA();
	assert_true(sodium_init() >= 0);
	p->host = testhost_new(7);
	assert_non_null(p->host);
	/* where testhost_join() puts them */
	set_side(&p->a, 0xa1, "10.0.0.1", "192.0.2.1", 1001);
	set_side(&p->b, 0xb2, "10.0.0.2", "192.0.2.2", 1002);
	set_options(&p->a, &p->b, "10.0.0.2/32");
	set_options(&p->b, &p->a, "10.0.0.1/32");
}

static void start_side(struct pair *p, struct side *s)
{
	struct vpn_error err;
	p->setup.config = &s->options;
	s->stage = testhost_add(p->host, world_component(), &p->setup, &err);
	if (s->stage == NULL)
		fail_msg("%s: %s", err.where, err.text);
	s->wg = testhost_instance(s->stage);
	assert_int_equal(testhost_start(s->stage, NULL), VPN_OK);
}

void pair_start(struct pair *p, const struct testhost_wire_setup *wire)
{
	if (wire != NULL)
		p->wire_setup = *wire;
	start_side(p, &p->a);
	start_side(p, &p->b);
	p->wire = testhost_join(p->a.stage, p->b.stage, &p->wire_setup);
	testhost_run(p->host);
}

void pair_end(struct pair *p)
{
	p->host = testhost_free(p->host);
}

void pair_kill(struct pair *p, struct side *s)
{
	s->stage = testhost_remove(s->stage);
	s->wg = NULL;
	p->wire = NULL;
}

void pair_revive(struct pair *p, struct side *s)
{
	start_side(p, s);
	p->wire = testhost_join(p->a.stage, p->b.stage, &p->wire_setup);
	testhost_run(p->host);
}

static struct side *other_of(struct pair *p, const struct side *s)
{
	return s == &p->a ? &p->b : &p->a;
}

static void write_number(uint8_t payload[PAYLOAD], uint32_t number)
{
	for (uint32_t i = 0; i < PAYLOAD; i += 4)
		wg_store_le32(payload + i, number ^ i);
}

bool pair_send_on(struct pair *p, struct side *from, uint32_t lane)
{
	uint8_t payload[PAYLOAD], packet[HEADERS + PAYLOAD];
	struct testhost_flow f = {.src = from->inside,
				  .dst = other_of(p, from)->inside,
				  .src_port = 1000,
				  .dst_port = 2000};
	assert_true(from->sent < PAIR_NUMBERS);
	write_number(payload, from->sent++);
	uint32_t len = testhost_build_udp(packet, sizeof(packet), &f, payload, sizeof(payload));
	assert_int_equal(len, sizeof(packet));
	return testhost_send(from->stage, lane, packet, len);
}

void pair_send(struct pair *p, struct side *from)
{
	assert_true(pair_send_on(p, from, 0));
}

static void take_one(struct pair *p, struct side *s, const struct testhost_record *r)
{
	uint8_t want[PAYLOAD];
	assert_int_equal(r->len, HEADERS + PAYLOAD);
	uint32_t number = wg_load_le32(r->data + HEADERS);
	assert_true(number < other_of(p, s)->sent);
	write_number(want, number);
	assert_memory_equal(r->data + HEADERS, want, PAYLOAD);
	assert_int_equal(s->seen[number], 0);
	s->seen[number]++;
	s->got++;
}

static void take_side(struct pair *p, struct side *s)
{
	const struct testhost_record *r;
	for (uint32_t i = 0; s->stage != NULL && i < s->wg->n_lanes; i++)
		while ((r = testhost_next(s->stage, i, VPN_UP)) != NULL)
			take_one(p, s, r);
}

void pair_take(struct pair *p)
{
	testhost_run(p->host);
	take_side(p, &p->a);
	take_side(p, &p->b);
}

void pair_advance(struct pair *p, uint64_t ns)
{
	testhost_advance(p->host, ns);
	pair_take(p);
}

struct wg_peer *pair_peer_of(struct pair *p, struct side *s)
{
	wg_config_lock(s->wg);
	struct wg_peer *peer = wg_peers_find(&s->wg->peers, other_of(p, s)->public_key);
	wg_config_unlock(s->wg);
	return peer;
}

uint64_t pair_count(const struct side *s, enum wg_count what)
{
	return testhost_counter(s->stage, world_component()->lifecycle->counters[what].name);
}
