/* SPDX-License-Identifier: BSD-2-Clause */
/* The AEAD engines: each against RFC 8439's primitives put together here, and against the others. */
#include "aead.h"
#include "message.h"

#include <pthread.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#ifdef WG_HAVE_OPENSSL
#include <openssl/err.h>
#endif

#define MAX_LEN   65535u
#define MAX_BATCH 256u
#define N_KEYS    7u
#define CANARY    0xa5
#define N_ENGINES 3u

static const char sunscreen[] = "Ladies and Gentlemen of the class of '99: If I could offer you "
				"only one tip for the future, "
				"sunscreen would be it.";
#define SUNSCREEN_LEN (sizeof(sunscreen) - 1)

/* Engines that work on this machine, each with a state. */
struct live {
	const struct wg_aead_engine *engine;
	struct wg_aead *state;
};

struct world {
	struct live live[N_ENGINES];
	uint32_t n;
	uint8_t *end; /* the byte here and behind cannot be touched */
	uint8_t *expected;
	uint8_t *plain;
	size_t page;
	uint8_t keys[N_KEYS][WG_KEY_LEN];
	uint32_t seed;
};

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % below;
}

static void scribble(uint32_t *seed, uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)draw(seed, 256);
}

static void pad(crypto_onetimeauth_state *st, size_t len)
{
	static const uint8_t zeroes[16];
	crypto_onetimeauth_update(st, zeroes, (16 - len % 16) % 16);
}

/* RFC 8439 section 2.8, out of ChaCha20 and Poly1305. */
static void seal_by_hand(const uint8_t *key, const uint8_t nonce[12], const void *aad,
			 size_t aad_len, uint8_t *data, size_t len, uint8_t tag[16])
{
	uint8_t one_time[64], lengths[16];
	crypto_onetimeauth_state st;

	crypto_stream_chacha20_ietf(one_time, sizeof(one_time), nonce, key);
	crypto_stream_chacha20_ietf_xor_ic(data, data, len, nonce, 1, key);
	crypto_onetimeauth_init(&st, one_time);
	crypto_onetimeauth_update(&st, aad, aad_len);
	pad(&st, aad_len);
	crypto_onetimeauth_update(&st, data, len);
	pad(&st, len);
	wg_store_le64(lengths, aad_len);
	wg_store_le64(lengths + 8, len);
	crypto_onetimeauth_update(&st, lengths, sizeof(lengths));
	crypto_onetimeauth_final(&st, tag);
}

/* What the job has to become: ciphertext and tag, into `out`. */
static void expect(const struct wg_aead_job *j, uint8_t *out)
{
	uint8_t nonce[12] = {0};

	wg_store_le64(nonce + 4, j->counter);
	memmove(out, j->data, j->len);
	seal_by_hand(j->key, nonce, "", 0, out, j->len, out + j->len);
}

static int setup(void **state)
{
	static struct world w;
	const struct wg_aead_engine *const *e = wg_aead_engines();
	size_t room = 2 * MAX_LEN;
	uint8_t *map;

	if (sodium_init() < 0)
		return -1;
	w.page = (size_t)sysconf(_SC_PAGESIZE);
	room = (room + w.page - 1) / w.page * w.page;
	map = mmap(NULL, room + w.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED || mprotect(map + room, w.page, PROT_NONE) < 0)
		return -1;
	w.end = map + room;
	w.expected = malloc(MAX_LEN + WG_TAG_LEN);
	w.plain = malloc(MAX_LEN);
	if (!w.expected || !w.plain)
		return -1;
	w.seed = 2463534242u;
	scribble(&w.seed, w.keys[0], sizeof(w.keys));
	for (; *e; e++) {
		if (!(*e)->usable())
			continue;
		w.live[w.n].engine = *e;
		w.live[w.n].state = (*e)->create();
		if (!w.live[w.n].state)
			return -1;
		w.n++;
	}
	*state = &w;
	return w.n > 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;
	size_t room = (2 * MAX_LEN + w->page - 1) / w->page * w->page;

	for (uint32_t i = 0; i < w->n; i++)
		w->live[i].engine->destroy(w->live[i].state);
	free(w->expected);
	free(w->plain);
	return munmap(w->end - room, room + w->page);
}

static void the_yardstick_gives_the_vector_of_rfc8439_2_8_2(void **state)
{
	static const uint8_t nonce[12] = {7,    0,    0,    0,    0x40, 0x41,
					  0x42, 0x43, 0x44, 0x45, 0x46, 0x47};
	static const uint8_t aad[12] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1,
					0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
	static const char first[] = "d31a8d34648e60db7b86afbc53ef7ec2", last[] = "6116";
	static const char tag_hex[] = "1ae10b594f09e26a7e902ecbd0600691";
	uint8_t key[WG_KEY_LEN], data[SUNSCREEN_LEN], tag[16];
	char hex[33];
	(void)state;

	for (uint32_t i = 0; i < WG_KEY_LEN; i++)
		key[i] = (uint8_t)(0x80 + i);
	memcpy(data, sunscreen, SUNSCREEN_LEN);
	seal_by_hand(key, nonce, aad, sizeof(aad), data, SUNSCREEN_LEN, tag);
	assert_string_equal(sodium_bin2hex(hex, sizeof(hex), data, 16), first);
	assert_string_equal(sodium_bin2hex(hex, sizeof(hex), data + 112, 2), last);
	assert_string_equal(sodium_bin2hex(hex, sizeof(hex), tag, 16), tag_hex);
}

/* Its nonce begins with four zero bytes, its first block is number 1, as in the AEAD. */
static void gives_the_ciphertext_of_rfc8439_2_4_2(void **state)
{
	static const char hex[] = "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b"
				  "f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8"
				  "07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736"
				  "5af90bbf74a35be6b40b8eedf2785e42874d";
	struct world *w = *state;
	uint8_t key[WG_KEY_LEN], data[SUNSCREEN_LEN + WG_TAG_LEN];
	char got[2 * SUNSCREEN_LEN + 1];

	for (uint32_t i = 0; i < WG_KEY_LEN; i++)
		key[i] = (uint8_t)i;
	for (uint32_t i = 0; i < w->n; i++) {
		struct wg_aead_job j = {key, 0x4a000000, data, SUNSCREEN_LEN, 0};
		memcpy(data, sunscreen, SUNSCREEN_LEN);
		w->live[i].engine->seal(w->live[i].state, &j, 1);
		assert_string_equal(sodium_bin2hex(got, sizeof(got), data, SUNSCREEN_LEN), hex);
	}
}

/* One packet that ends where memory does, so at every alignment. */
static void seal_and_open_at_the_edge(struct world *w, struct live *l, uint32_t len)
{
	uint8_t *at = w->end - WG_TAG_LEN - len;
	struct wg_aead_job j = {w->keys[len % N_KEYS], UINT64_MAX - 3 * (uint64_t)len, at, len, 0};

	memset(at - 64, CANARY, 64);
	scribble(&w->seed, at, len);
	memcpy(w->plain, at, len);
	expect(&j, w->expected);
	l->engine->seal(l->state, &j, 1);
	assert_memory_equal(at, w->expected, len + WG_TAG_LEN);
	l->engine->open(l->state, &j, 1);
	assert_int_equal(j.ok, 1);
	assert_memory_equal(at, w->plain, len);
	for (uint32_t i = 1; i <= 64; i++)
		assert_int_equal(at[-(int32_t)i], CANARY);
}

static void every_length_is_sealed_and_opened_within_its_bytes(void **state)
{
	struct world *w = *state;

	for (uint32_t i = 0; i < w->n; i++) {
		for (uint32_t len = 0; len <= 2000; len++)
			seal_and_open_at_the_edge(w, &w->live[i], len);
		for (uint32_t k = 0; k < 40; k++)
			seal_and_open_at_the_edge(w, &w->live[i],
						  2001 + draw(&w->seed, MAX_LEN - 2000));
		seal_and_open_at_the_edge(w, &w->live[i], MAX_LEN);
	}
}

/* A batch in one block, canaries between the packets. */
struct batch {
	struct wg_aead_job jobs[MAX_BATCH];
	uint8_t *plain[MAX_BATCH];
	uint8_t *block;
	uint8_t *copy;
	size_t size;
	uint32_t n;
};

static void build(struct batch *b, uint8_t (*keys)[WG_KEY_LEN], uint32_t *seed, uint32_t n,
		  uint32_t shortest, uint32_t longest)
{
	size_t at = 1;

	b->n = n;
	b->size = (size_t)n * (longest + WG_TAG_LEN + 32) + 64;
	b->block = malloc(b->size);
	b->copy = malloc(b->size);
	assert_non_null(b->block);
	assert_non_null(b->copy);
	memset(b->block, CANARY, b->size);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = shortest + draw(seed, longest + 1 - shortest);
		/* runs of one key and changes */
		uint32_t k = draw(seed, 3) ? i / 4 % N_KEYS : draw(seed, N_KEYS);
		b->jobs[i] = (struct wg_aead_job){keys[k], (uint64_t)draw(seed, UINT32_MAX) << 29,
						  b->block + at, len, 0};
		scribble(seed, b->block + at, len);
		b->plain[i] = b->copy + at;
		at += len + WG_TAG_LEN + 1 + draw(seed, 30);
	}
	memcpy(b->copy, b->block, b->size);
}

static void drop(struct batch *b)
{
	free(b->block);
	free(b->copy);
}

/* Seals, checks the whole block, canaries too, opens. 0: all as it should be. */
static int go_round(struct batch *b, const struct live *l)
{
	uint8_t *want = malloc(b->size);
	int wrong = 0;

	if (!want)
		return 1;
	memcpy(want, b->copy, b->size);
	for (uint32_t i = 0; i < b->n; i++)
		expect(&b->jobs[i], want + (b->jobs[i].data - b->block));
	l->engine->seal(l->state, b->jobs, b->n);
	wrong |= memcmp(b->block, want, b->size) != 0;
	l->engine->open(l->state, b->jobs, b->n);
	for (uint32_t i = 0; i < b->n; i++) {
		wrong |= b->jobs[i].ok != 1;
		wrong |= memcmp(b->jobs[i].data, b->plain[i], b->jobs[i].len) != 0;
		memcpy(want + (b->jobs[i].data - b->block), b->jobs[i].data, b->jobs[i].len);
	}
	wrong |= memcmp(b->block, want, b->size) != 0;
	free(want);
	return wrong;
}

static void batches_of_mixed_keys_and_lengths_touch_their_packets_alone(void **state)
{
	struct world *w = *state;
	struct batch b;

	for (uint32_t i = 0; i < w->n; i++)
		for (uint32_t n = 0; n <= MAX_BATCH; n++) {
			build(&b, w->keys, &w->seed, n, 0, n % 8 == 0 ? 2000 : 200);
			assert_int_equal(go_round(&b, &w->live[i]), 0);
			drop(&b);
		}
}

static void what_one_engine_seals_every_other_opens(void **state)
{
	struct world *w = *state;
	struct batch b;

	for (uint32_t i = 0; i < w->n; i++)
		for (uint32_t k = 0; k < w->n; k++) {
			build(&b, w->keys, &w->seed, 130, 0, 1500);
			w->live[i].engine->seal(w->live[i].state, b.jobs, b.n);
			w->live[k].engine->open(w->live[k].state, b.jobs, b.n);
			for (uint32_t p = 0; p < b.n; p++) {
				assert_int_equal(b.jobs[p].ok, 1);
				assert_memory_equal(b.jobs[p].data, b.plain[p], b.jobs[p].len);
			}
			drop(&b);
		}
}

static void a_batch_of_none_touches_nothing(void **state)
{
	struct world *w = *state;
	struct wg_aead_job j = {NULL, 0, NULL, 0, 7};

	for (uint32_t i = 0; i < w->n; i++) {
		w->live[i].engine->seal(w->live[i].state, &j, 0);
		w->live[i].engine->open(w->live[i].state, &j, 0);
		assert_int_equal(j.ok, 7);
	}
}

static void a_key_at_the_address_of_an_older_one_is_the_one_that_counts(void **state)
{
	struct world *w = *state;
	uint8_t key[WG_KEY_LEN], data[100 + WG_TAG_LEN];

	for (uint32_t i = 0; i < w->n; i++)
		for (uint32_t k = 0; k < N_KEYS; k++) {
			struct wg_aead_job j = {key, k, data, 100, 0};
			memcpy(key, w->keys[k], WG_KEY_LEN);
			scribble(&w->seed, data, 100);
			expect(&j, w->expected);
			w->live[i].engine->seal(w->live[i].state, &j, 1);
			assert_memory_equal(data, w->expected, sizeof(data));
			w->live[i].engine->open(w->live[i].state, &j, 1);
			assert_int_equal(j.ok, 1);
		}
}

/* Opens five sealed packets of which the third has bit `bit` of `len` bytes at `p` flipped. */
static void refuse_only_the_third(struct world *w, const struct live *l, uint32_t len,
				  uint32_t what)
{
	struct batch b;
	uint32_t bits[] = {8 * (len + WG_TAG_LEN), 64, 8 * WG_KEY_LEN};

	for (uint32_t bit = 0; bit < bits[what]; bit++) {
		uint8_t key[WG_KEY_LEN];
		uint8_t mask = (uint8_t)(1u << bit % 8);
		build(&b, w->keys, &w->seed, 5, len, len);
		l->engine->seal(l->state, b.jobs, b.n);
		memcpy(key, b.jobs[2].key, WG_KEY_LEN);
		if (what == 0)
			b.jobs[2].data[bit / 8] ^= mask;
		if (what == 1)
			b.jobs[2].counter ^= UINT64_C(1) << bit;
		if (what == 2)
			key[bit / 8] ^= mask;
		b.jobs[2].key = key;
		l->engine->open(l->state, b.jobs, b.n);
		for (uint32_t i = 0; i < b.n; i++) {
			assert_int_equal(b.jobs[i].ok, i != 2);
			if (i != 2)
				assert_memory_equal(b.jobs[i].data, b.plain[i], b.jobs[i].len);
		}
		/* and alone, after which the engine still works */
		b.jobs[2].ok = 1;
		l->engine->open(l->state, &b.jobs[2], 1);
		assert_int_equal(b.jobs[2].ok, 0);
		drop(&b);
	}
}

static void refuses_the_packet_with_a_flipped_bit_and_no_other(void **state)
{
	struct world *w = *state;

	for (uint32_t i = 0; i < w->n; i++)
		for (uint32_t what = 0; what < 3; what++) {
			refuse_only_the_third(w, &w->live[i], 0, what);
			refuse_only_the_third(w, &w->live[i], 45, what);
			refuse_only_the_third(w, &w->live[i], 272, what);
		}
#ifdef WG_HAVE_OPENSSL
	/* a flood of forged packets must not fill the thread's error queue */
	assert_int_equal(ERR_peek_error(), 0);
#endif
}

static void refuses_a_tag_of_another_packet(void **state)
{
	struct world *w = *state;
	uint8_t a[64 + WG_TAG_LEN], b[64 + WG_TAG_LEN];

	for (uint32_t i = 0; i < w->n; i++) {
		struct wg_aead_job j[2] = {{w->keys[0], 1, a, 64, 0}, {w->keys[0], 2, b, 64, 0}};
		memset(a, 1, sizeof(a));
		memset(b, 1, sizeof(b));
		w->live[i].engine->seal(w->live[i].state, j, 2);
		assert_memory_not_equal(a, b, 64);
		memcpy(a + 64, b + 64, WG_TAG_LEN);
		w->live[i].engine->open(w->live[i].state, j, 2);
		assert_int_equal(j[0].ok, 0);
		assert_int_equal(j[1].ok, 1);
	}
}

static void chooses_the_first_that_works_or_the_one_that_is_named(void **state)
{
	static const char *const names[] = {[WG_AEAD_LIBSODIUM] = "libsodium",
					    [WG_AEAD_OPENSSL] = "openssl",
					    [WG_AEAD_IPSEC_MB] = "ipsec-mb"};
	struct world *w = *state;
	const char *why = "?";

	assert_ptr_equal(wg_aead_choose(WG_AEAD_AUTO, &why), w->live[0].engine);
	assert_null(why);
	for (uint32_t choice = WG_AEAD_LIBSODIUM; choice <= WG_AEAD_IPSEC_MB; choice++) {
		const struct wg_aead_engine *e = wg_aead_choose(choice, &why);
		bool here = false;
		for (uint32_t i = 0; i < w->n; i++)
			here |= strcmp(w->live[i].engine->name, names[choice]) == 0;
		assert_int_equal(e != NULL, here);
		assert_int_equal(why != NULL, !here);
		if (e)
			assert_string_equal(e->name, names[choice]);
		else if (why)
			assert_true(strlen(why) > 0);
	}
	assert_null(wg_aead_choose(77, &why));
	assert_string_equal(why, "there is no such engine");
	assert_non_null(wg_aead_choose(WG_AEAD_LIBSODIUM, &why));
}

static void says_what_the_build_lacks(void **state)
{
	const char *why = NULL;
	(void)state;
#ifndef WG_HAVE_IPSEC_MB
	assert_null(wg_aead_choose(WG_AEAD_IPSEC_MB, &why));
	assert_string_equal(why, "this build has no libipsec-mb");
#endif
#ifndef WG_HAVE_OPENSSL
	assert_null(wg_aead_choose(WG_AEAD_OPENSSL, &why));
	assert_string_equal(why, "this build has no libcrypto");
#endif
	assert_non_null(wg_aead_choose(WG_AEAD_LIBSODIUM, &why));
	assert_null(why);
}

static void destroys_what_was_never_created(void **state)
{
	(void)state;
	for (const struct wg_aead_engine *const *e = wg_aead_engines(); *e; e++)
		(*e)->destroy(NULL);
}

struct lane {
	pthread_t thread;
	pthread_barrier_t *start;
	struct live live;
	uint8_t keys[N_KEYS][WG_KEY_LEN];
	uint32_t seed;
	int wrong;
};

static void *work(void *arg)
{
	struct lane *lane = arg;
	struct batch b;

	pthread_barrier_wait(lane->start);
	for (uint32_t i = 0; i < 60; i++) {
		build(&b, lane->keys, &lane->seed, 1 + i, 0, 400);
		lane->wrong |= go_round(&b, &lane->live);
		drop(&b);
	}
	return NULL;
}

static void two_lanes_do_not_disturb_each_other(void **state)
{
	struct world *w = *state;
	pthread_barrier_t start;

	for (uint32_t i = 0; i < w->n; i++) {
		struct lane lanes[2] = {0};
		assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
		for (uint32_t k = 0; k < 2; k++) {
			struct lane *lane = &lanes[k];
			lane->start = &start;
			lane->seed = 1 + k;
			scribble(&lane->seed, lane->keys[0], sizeof(lane->keys));
			lane->live = w->live[i];
			lane->live.state = lane->live.engine->create();
			assert_non_null(lane->live.state);
			assert_int_equal(pthread_create(&lane->thread, NULL, work, lane), 0);
		}
		for (uint32_t k = 0; k < 2; k++) {
			assert_int_equal(pthread_join(lanes[k].thread, NULL), 0);
			assert_int_equal(lanes[k].wrong, 0);
			lanes[k].live.engine->destroy(lanes[k].live.state);
		}
		pthread_barrier_destroy(&start);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_yardstick_gives_the_vector_of_rfc8439_2_8_2),
		cmocka_unit_test(gives_the_ciphertext_of_rfc8439_2_4_2),
		cmocka_unit_test(every_length_is_sealed_and_opened_within_its_bytes),
		cmocka_unit_test(batches_of_mixed_keys_and_lengths_touch_their_packets_alone),
		cmocka_unit_test(what_one_engine_seals_every_other_opens),
		cmocka_unit_test(a_batch_of_none_touches_nothing),
		cmocka_unit_test(a_key_at_the_address_of_an_older_one_is_the_one_that_counts),
		cmocka_unit_test(refuses_the_packet_with_a_flipped_bit_and_no_other),
		cmocka_unit_test(refuses_a_tag_of_another_packet),
		cmocka_unit_test(chooses_the_first_that_works_or_the_one_that_is_named),
		cmocka_unit_test(says_what_the_build_lacks),
		cmocka_unit_test(destroys_what_was_never_created),
		cmocka_unit_test(two_lanes_do_not_disturb_each_other),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
