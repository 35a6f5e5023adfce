/* SPDX-License-Identifier: BSD-2-Clause */
/* test_obfs_awg_frame: messages in AmneziaWG's disguise and out of it, and what is none. */
#include "obfs_world.h"

#include <stdlib.h>

#include "awg_frame.h"

#define ROOM 2048u

static struct world w;
static struct obfs_random r;
static uint8_t storage[ROOM];
static struct vpn_packet packet;

static int set_up(void **state)
{
	(void)state;
	world_init(&w, OBFS_SALAMANDER);
	assert_non_null(world_start(&w, 0));
	obfs_random_init(&r, testhost_services(w.stage[0]));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static struct awg_frame plain(void)
{
	return (struct awg_frame){.h = {{1, 1}, {2, 2}, {3, 3}, {4, 4}}};
}

static void store(uint8_t *p, uint32_t v)
{
	for (uint32_t i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t load(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* A packet with this word and length in the middle of the storage; the other bytes are random. */
static struct vpn_packet *message(uint32_t word, uint32_t len)
{
	obfs_random_fill(&r, storage, sizeof(storage));
	packet = (struct vpn_packet){.buf = storage, .cap = ROOM, .off = 300, .len = len};
	store(storage + 300, word);
	memset(storage + 300 + 14, 0, 2); /* of the counter of data */
	return &packet;
}

static void knows_messages_by_word_and_length(void **state)
{
	struct awg_frame f = plain();
	static const uint32_t sizes[] = {148, 92, 64, 32};
	(void)state;
	for (uint32_t word = 0; word < 7; word++)
		for (uint32_t len = 1; len < 300; len++) {
			uint32_t kind = word - 1;
			bool fits = word >= 1 && word <= 4 &&
				    (word == 4 ? len >= 32 : len == sizes[kind]);
			assert_int_equal(awg_frame_kind(&f, message(word, len)),
					 fits ? kind : AWG_NONE);
		}
}

static void opens_what_plain_wireguard_sends(void **state)
{
	struct awg_frame f = plain();
	static const uint32_t sizes[] = {148, 92, 64, 32};
	(void)state;
	for (uint32_t word = 0; word < 7; word++)
		for (uint32_t len = 1; len < 300; len++) {
			struct vpn_packet *p = message(word, len);
			uint32_t kind = word - 1;
			bool fits = word >= 1 && word <= 4 &&
				    (word == 4 ? len >= 32 : len == sizes[kind]);
			assert_int_equal(awg_frame_open(&f, p), fits ? kind : AWG_NONE);
			assert_int_equal(p->off, 300);
			assert_int_equal(p->len, len);
		}
}

/* Parameters by chance, each allowed. */
static struct awg_frame draw_frame(void)
{
	struct awg_frame f = {.protect = obfs_random_below(&r, 2) != 0,
			      .trailers = obfs_random_below(&r, 2) != 0};
	uint32_t first = obfs_random_below(&r, 1000);
	uint32_t at = obfs_random_below(&r, AWG_KINDS);
	for (uint32_t i = 0; i < AWG_KINDS; i++) {
		struct awg_range *h = &f.h[(at + i) % AWG_KINDS];
		h->first = first;
		h->last = first + obfs_random_below(&r, 3000);
		first = h->last + 1 + obfs_random_below(&r, 100000000);
	}
	uint32_t s = f.protect ? 12 : 0;
	for (uint32_t i = 0; i < AWG_KINDS; i++)
		f.s[i] = s + obfs_random_below(&r, 140);
	obfs_random_fill(&r, f.key, sizeof(f.key));
	return f;
}

static void round_trip(const struct awg_frame *f, enum awg_kind kind)
{
	uint8_t before[ROOM];
	uint32_t len = awg_frame_size[kind] + (kind == AWG_DATA ? obfs_random_below(&r, 1300) : 0);
	uint32_t trailer = f->trailers && kind != AWG_DATA ? obfs_random_below(&r, 100) : 0;
	uint32_t word = kind == AWG_DATA
				? f->h[kind].first
				: obfs_random_between(&r, f->h[kind].first, f->h[kind].last);
	struct vpn_packet *p = message(word, len);
	memcpy(before, vpn_packet_data(p), len);
	assert_int_equal(awg_frame_kind(f, p), kind);
	awg_frame_seal(f, &r, p, kind, trailer);
	assert_int_equal(p->off, 300 - f->s[kind]);
	assert_int_equal(p->len, f->s[kind] + len + trailer);
	if (f->protect) /* the header is not what it was; one time in 2^96 it could be */
		assert_memory_not_equal(vpn_packet_data(p) + f->s[kind] + 4, before + 4, 12);
	assert_int_equal(awg_frame_open(f, p), kind);
	assert_int_equal(p->off, 300);
	assert_int_equal(p->len, len);
	assert_memory_equal(vpn_packet_data(p) + 4, before + 4, len - 4);
	assert_in_range(load(vpn_packet_data(p)), f->h[kind].first, f->h[kind].last);
	if (kind != AWG_DATA)
		assert_int_equal(load(vpn_packet_data(p)), word);
}

static void everything_comes_back(void **state)
{
	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct awg_frame f = draw_frame();
		for (enum awg_kind kind = AWG_INITIATION; kind < AWG_KINDS; kind++)
			round_trip(&f, kind);
	}
}

static void random_datagrams_are_no_messages(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct awg_frame f = draw_frame();
		uint32_t len = obfs_random_below(&r, 400);
		uint8_t *exact = malloc(len + 1u); /* a sanitizer sees a read behind it */
		assert_non_null(exact);
		obfs_random_fill(&r, exact, len);
		uint8_t copy[400];
		memcpy(copy, exact, len);
		struct vpn_packet p = {.buf = exact, .cap = len, .len = len};
		assert_int_equal(awg_frame_open(&f, &p), AWG_NONE);
		assert_memory_equal(copy, exact, len);
		assert_int_equal(p.len, len);
		free(exact);
	}
}

/* RFC 8439 appendix A.1, test vector 1: the keystream of a key and nonce of zeros from block 0 on. */
static void header_protection_is_chacha20_from_block_0(void **state)
{
	static const char stream[] =
		"76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
		"da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586";
	struct awg_frame f = plain();
	uint8_t expected[64];
	(void)state;
	assert_int_equal(world_hex(stream, expected), 64);
	f.protect = true;
	for (uint32_t i = 0; i < AWG_KINDS; i++)
		f.s[i] = 12 + i;
	for (enum awg_kind kind = AWG_COOKIE; kind <= AWG_DATA; kind++) {
		uint32_t front = f.s[kind], covered = kind == AWG_DATA ? 16 : 64;
		struct vpn_packet *p = message(0, front + 64);
		uint8_t *data = vpn_packet_data(p);
		memset(data, 0, p->len);
		memcpy(data + front, expected, covered);
		data[front] ^= (uint8_t)(kind + 1);
		assert_int_equal(awg_frame_open(&f, p), kind);
		assert_int_equal(load(vpn_packet_data(p)), kind + 1);
		for (uint32_t i = 4; i < 64; i++)
			assert_int_equal(vpn_packet_data(p)[i], 0);
	}
}

static void another_key_opens_nothing(void **state)
{
	struct awg_frame f = plain();
	(void)state;
	f.protect = true;
	for (uint32_t i = 0; i < AWG_KINDS; i++)
		f.s[i] = 20;
	for (int i = 0; i < 1000; i++) {
		struct awg_frame g = f;
		enum awg_kind kind = (enum awg_kind)(i % AWG_KINDS);
		struct vpn_packet *p = message(f.h[kind].first, awg_frame_size[kind]);
		obfs_random_fill(&r, g.key, sizeof(g.key));
		awg_frame_seal(&f, &r, p, kind, 0);
		assert_int_equal(awg_frame_open(&g, p), AWG_NONE);
	}
}

static void trailers_are_taken_where_they_are_agreed_on(void **state)
{
	struct awg_frame f = plain();
	(void)state;
	struct vpn_packet *p = message(1, 148 + 77);
	assert_int_equal(awg_frame_open(&f, p), AWG_NONE);
	f.trailers = true;
	assert_int_equal(awg_frame_open(&f, p), AWG_INITIATION);
	assert_int_equal(p->len, 148);
	assert_int_equal(awg_frame_open(&f, message(1, 147)), AWG_NONE);
}

/* Data of the length of an initiation whose ciphertext has, by chance, a word of h1 where s1 ends. */
static void data_are_no_initiation_by_chance(void **state)
{
	struct awg_frame f = plain();
	(void)state;
	f.h[AWG_INITIATION] = (struct awg_range){5, UINT32_MAX};
	f.s[AWG_INITIATION] = 40;
	assert_int_equal(awg_frame_open(&f, message(4, 188)), AWG_DATA);
	struct vpn_packet *p = message(4, 188);
	vpn_packet_data(p)[15] = 1; /* no session sends so much */
	store(vpn_packet_data(p) + 40, 777777);
	assert_int_equal(awg_frame_open(&f, p), AWG_INITIATION);
}

static void the_narrower_range_wins(void **state)
{
	struct awg_frame f = plain();
	(void)state;
	f.trailers = true;
	f.s[AWG_INITIATION] = 40;
	f.h[AWG_INITIATION] = (struct awg_range){100, 2000000000};
	struct vpn_packet *p = message(2, 188);
	store(vpn_packet_data(p) + 40, 777777);
	assert_int_equal(awg_frame_open(&f, p), AWG_RESPONSE);
	p = message(2, 188);
	store(vpn_packet_data(p) + 40, 777777);
	f.h[AWG_INITIATION] = (struct awg_range){777777, 777777};
	f.h[AWG_RESPONSE] = (struct awg_range){0, 5000};
	assert_int_equal(awg_frame_open(&f, p), AWG_INITIATION);
}

static void a_counter_that_no_session_reaches_is_none(void **state)
{
	struct awg_frame f = plain();
	(void)state;
	for (uint32_t i = 0; i < 16; i++) {
		struct vpn_packet *p = message(4, 100);
		vpn_packet_data(p)[14 + i / 8] = (uint8_t)(1u << i % 8);
		assert_int_equal(awg_frame_open(&f, p), AWG_NONE);
	}
}

/* 1,000 packets for each of 20 words: the square sums of chance stay below 60 but once in a million
 * times; the seed is fixed. */
static void words_of_data_are_drawn_evenly(void **state)
{
	struct awg_frame f = plain();
	uint32_t seen[20] = {0};
	double chi = 0;
	(void)state;
	f.h[AWG_DATA] = (struct awg_range){1000000, 1000019};
	for (int i = 0; i < 20000; i++) {
		struct vpn_packet *p = message(1000000, 32);
		awg_frame_seal(&f, &r, p, AWG_DATA, 0);
		uint32_t word = load(vpn_packet_data(p));
		assert_in_range(word, 1000000, 1000019);
		seen[word - 1000000]++;
	}
	for (int i = 0; i < 20; i++)
		chi += (seen[i] - 1000.0) * (seen[i] - 1000.0) / 1000.0;
	assert_true(chi < 60);
}

static void padding_is_random_in_every_byte(void **state)
{
	struct awg_frame f = plain();
	uint32_t ones[40] = {0};
	(void)state;
	f.s[AWG_DATA] = 40;
	for (int i = 0; i < 4000; i++) {
		struct vpn_packet *p = message(4, 32);
		awg_frame_seal(&f, &r, p, AWG_DATA, 0);
		for (int k = 0; k < 40; k++)
			ones[k] += vpn_packet_data(p)[k] >> 7;
	}
	for (int k = 0; k < 40; k++)
		assert_in_range(ones[k], 1800, 2200); /* six standard deviations */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(knows_messages_by_word_and_length),
		TEST(opens_what_plain_wireguard_sends),
		TEST(everything_comes_back),
		TEST(random_datagrams_are_no_messages),
		TEST(header_protection_is_chacha20_from_block_0),
		TEST(another_key_opens_nothing),
		TEST(trailers_are_taken_where_they_are_agreed_on),
		TEST(data_are_no_initiation_by_chance),
		TEST(the_narrower_range_wins),
		TEST(a_counter_that_no_session_reaches_is_none),
		TEST(words_of_data_are_drawn_evenly),
		TEST(padding_is_random_in_every_byte),
	};
	TESTHOST_USE_CMOCKA();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
