/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_kcp_property_stack: two instances of the component on the seeded wire of the test host, with the
 * layers that a seed chooses. "reliable": every message arrives once, in order, unchanged, also where bits
 * are flipped and a layer has a checksum. "deadline" and "datagram": no message arrives twice or changed,
 * those of one flow keep their order, and on a clean wire none is missing.
 * KCP_TEST_SEEDS sets how many seeds are tried, KCP_TEST_SEED a single one.
 */
#include "kcp_world.h"

#include <stdlib.h>
#include <string.h>

#define SEEDS         3000u
#define MESSAGES_MOST 150u
#define LARGEST       1280u
#define PATIENCE_NS   (300 * WORLD_SECOND)

struct side {
	uint32_t n, sent; /* messages that it sends */
	uint32_t got;     /* of the other's: how many, */
	uint32_t next;    /* and the least number that may still come */
};

struct run {
	struct world w;
	struct testhost_wire_setup wire;
	struct side side[2];
	uint64_t seed;
	uint8_t key[32];
};

static uint64_t pick(struct run *r, uint64_t n)
{
	return testhost_random(r->w.host) % n;
}

#define PICK(r, ...) \
	(((const uint32_t[]){ \
		__VA_ARGS__})[pick(r, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))])

/* A packet with its number; all are data of one TCP connection, so that the order counts. */
static uint32_t make_message(const struct run *r, uint32_t from, uint32_t number, uint8_t *out)
{
	uint8_t content[LARGEST];
	struct testhost_flow flow = {
		.src = from == 0 ? "10.0.0.1" : "10.0.0.2",
		.dst = from == 0 ? "10.0.0.2" : "10.0.0.1",
		.src_port = 1000,
		.dst_port = 2000,
	};
	uint32_t mix = (uint32_t)r->seed * 2654435761u ^ number * 40503u ^ from;
	uint32_t len = 4 + mix % (mix % 3 == 0 ? LARGEST - 60 : 100);
	for (uint32_t i = 0; i < len; i++)
		content[i] = (uint8_t)(i < 4 ? number >> (8 * i) : number * 31 + i * 7 + from);
	uint32_t n = testhost_build_tcp(out, LARGEST, &flow, content, len);
	assert_int_not_equal(n, 0);
	return n;
}

#define NUMBER_AT 40u /* behind the headers of IPv4 and TCP */

static void check_arrivals(struct run *r, uint32_t to, bool reliable)
{
	struct side *s = &r->side[to];
	const struct testhost_record *rec;
	uint8_t want[LARGEST];
	while ((rec = testhost_next(r->w.stage[to], 0, VPN_UP)) != NULL) {
		assert_in_range(rec->len, NUMBER_AT + 4, LARGEST);
		const uint8_t *at = rec->data + NUMBER_AT;
		uint32_t number = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
				  (uint32_t)at[3] << 24;
		if (reliable)
			assert_int_equal(number, s->next);
		else
			assert_in_range(number, s->next, r->side[1 - to].sent - 1);
		uint32_t n = make_message(r, 1 - to, number, want);
		TESTHOST_SAME_BYTES(rec->data, rec->len, want, n);
		s->next = number + 1;
		s->got++;
	}
}

static void send_some(struct run *r, uint32_t from)
{
	struct side *s = &r->side[from];
	uint8_t bytes[LARGEST];
	for (uint32_t n = PICK(r, 1, 2, 20); n != 0 && s->sent < s->n; n--) {
		uint32_t len = make_message(r, from, s->sent, bytes);
		if (!testhost_send(r->w.stage[from], 0, bytes, len))
			return;
		s->sent++;
	}
}

static void choose_layers(struct run *r, bool *ret_checked)
{
	bool reliable = PICK(r, 1, 1, 0) != 0;
	uint32_t reliability = reliable ? KCP_RELIABLE : PICK(r, KCP_DATAGRAM, KCP_DEADLINE);
	uint32_t crypt = PICK(r, KCP_CRYPT_NULL, KCP_CRYPT_NONE, KCP_CRYPT_SALSA20, KCP_CRYPT_AES,
			      KCP_CRYPT_AES_192, KCP_CRYPT_AES_128, KCP_CRYPT_AES_128_GCM);
	bool fec = reliable && PICK(r, 0, 1) != 0;
	uint32_t data = PICK(r, 1, 3, 10), parity = PICK(r, 1, 3);
	bool stream = reliable && PICK(r, 0, 0, 1) != 0;
	uint32_t conv = reliable ? PICK(r, 0, 77) : 0;
	for (uint32_t i = 0; i < 2; i++) {
		struct kcp_options *o = &r->w.options[i];
		o->reliability = reliability;
		o->crypt = crypt;
		o->stream = stream;
		o->conv = conv;
		o->mode = PICK(r, KCP_MODE_NORMAL, KCP_MODE_FAST, KCP_MODE_FAST2, KCP_MODE_FAST3);
		o->congestion = PICK(r, KCP_CONGESTION_AUTO, KCP_CONGESTION_NONE,
				     KCP_CONGESTION_RENO, KCP_CONGESTION_RATE);
		o->ack_no_delay = PICK(r, 0, 1);
		if (kcp_crypt_info((enum kcp_crypt_kind)crypt)->key_len != 0)
			o->key = (struct vpn_bytes){.data = r->key, .len = sizeof(r->key)};
		if (fec) {
			r->w.fec[i] = (struct kcp_fec_options){.data = data, .parity = parity};
			o->fec = &r->w.fec[i];
		}
	}
	*ret_checked = crypt != KCP_CRYPT_NULL;
}

static void choose_wire(struct run *r, bool checked)
{
	r->wire = (struct testhost_wire_setup){
		.delay_ns = PICK(r, 0, 1, 30) * WORLD_MS,
		.jitter_ns = PICK(r, 0, 0, 5) * WORLD_MS,
		.loss_ppm = PICK(r, 0, 0, 20000, 100000, 250000),
		.duplicate_ppm = PICK(r, 0, 0, 100000),
		.reorder_ppm = PICK(r, 0, 0, 100000),
		.reorder_ns = 8 * WORLD_MS,
		.corrupt_ppm = checked ? PICK(r, 0, 0, 50000) : 0,
	};
}

static bool is_clean(const struct run *r)
{
	return r->wire.loss_ppm == 0 && r->wire.corrupt_ppm == 0 && r->wire.reorder_ppm == 0 &&
	       r->wire.jitter_ns == 0;
}

static bool is_done(const struct run *r)
{
	return r->side[0].got == r->side[1].n && r->side[1].got == r->side[0].n;
}

static void fail_run(const struct run *r)
{
	for (uint32_t i = 0; i < 2; i++)
		print_error("side %u: sent %u of %u, got %u\n", i, r->side[i].sent, r->side[i].n,
			    r->side[i].got);
	fail_msg("seed %llu does not come to its end", (unsigned long long)r->seed);
}

static void run_to_the_end(struct run *r, bool reliable)
{
	uint64_t until = testhost_now(r->w.host) + PATIENCE_NS;
	uint64_t quiet = testhost_now(r->w.host) + 60 * WORLD_SECOND;
	while (!is_done(r)) {
		send_some(r, 0);
		if (r->side[1].got != 0 || r->side[0].n == 0) /* the listener answers */
			send_some(r, 1);
		testhost_advance(r->w.host, 1 + pick(r, 20 * WORLD_MS));
		check_arrivals(r, 0, reliable);
		check_arrivals(r, 1, reliable);
		/* nobody promises the rest */
		bool all_sent = r->side[0].sent == r->side[0].n && r->side[1].sent == r->side[1].n;
		if (!reliable && !is_clean(r) && (all_sent || r->side[1].got == 0) &&
		    testhost_now(r->w.host) > quiet)
			return;
		if (testhost_now(r->w.host) > until)
			fail_run(r);
	}
}

static void check_clean_counts(const struct run *r, bool reliable)
{
	static const enum kcp_count faults[] = {KCP_DROP_SHORT, KCP_DROP_LENGTH, KCP_DROP_MESSAGE,
						KCP_DROP_TOO_BIG};
	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t k = 0; k < sizeof(faults) / sizeof(faults[0]); k++)
			assert_int_equal(world_count(&r->w, i, faults[k]), 0);
		/* parity that overtakes the first data has no session yet */
		if (r->w.options[i].fec == NULL)
			assert_int_equal(world_count(&r->w, i, KCP_DROP_COMMAND), 0);
		if (r->wire.corrupt_ppm == 0)
			assert_int_equal(world_count(&r->w, i, KCP_DROP_CRYPT), 0);
		if (reliable)
			assert_int_equal(world_count(&r->w, i, KCP_PEER_RESTARTS), 0);
	}
}

static void try_seed(uint64_t seed)
{
	static struct run r;
	bool checked;
	memset(&r, 0, sizeof(r));
	world_init(&r.w);
	r.w.host = testhost_free(r.w.host);
	r.w.host = testhost_new(seed);
	r.seed = seed;
	memset(r.key, (int)seed, sizeof(r.key));
	choose_layers(&r, &checked);
	choose_wire(&r, checked);
	bool reliable = r.w.options[0].reliability == KCP_RELIABLE;
	r.side[0].n = 1 + (uint32_t)pick(&r, MESSAGES_MOST);
	r.side[1].n = (uint32_t)pick(&r, MESSAGES_MOST);
	for (uint32_t i = 0; i < 2; i++)
		r.w.setup[i].mtu_above = LARGEST;
	world_start(&r.w, 0);
	world_listen(&r.w, 1, 1);
	world_start(&r.w, 1);
	assert_non_null(testhost_join(r.w.stage[0], r.w.stage[1], &r.wire));
	run_to_the_end(&r, reliable);
	check_clean_counts(&r, reliable);
	world_end(&r.w);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void keeps_its_promise_whatever_the_seed(void **state)
{
	(void)state;
	uint64_t one = from_environment("KCP_TEST_SEED", 0);
	uint64_t n = from_environment("KCP_TEST_SEEDS", SEEDS);
	if (one != 0) {
		try_seed(one);
		return;
	}
	for (uint64_t seed = 1; seed <= n; seed++)
		try_seed(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_its_promise_whatever_the_seed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
