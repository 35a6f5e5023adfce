/* SPDX-License-Identifier: BSD-2-Clause */
/* The receiver of kcp-go's FEC: what is lost comes back once, and nonsense does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fec_decode.h"
/* for the seqid to begin where a test wants it */
#include "fec_encode.c"
#include "le.h"

#define PAYLOAD_MAX 1400u
#define PACKET_MAX  (KCP_FEC_HEADER + PAYLOAD_MAX)
#define MEMORY      100000u

/* A sender, a receiver, and what has come out of it. A payload begins with its number, from 1. */
struct world {
	struct kcp_fec_encoder *e;
	struct kcp_fec_decoder *d;
	uint32_t seed, n_data, n_parity, sent;
	uint32_t n_packets; /* of the group that was sent last */
	uint32_t len[KCP_RS_SHARDS_MAX];
	uint8_t packet[KCP_RS_SHARDS_MAX][PACKET_MAX];
	uint8_t recovered[MEMORY]; /* by number: how often */
};

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % below;
}

static void restart_sender(struct world *w, uint32_t n_data, uint32_t n_parity)
{
	kcp_fec_encoder_destroy(w->e);
	w->n_data = n_data;
	w->n_parity = n_parity;
	w->e = kcp_fec_encoder_create(n_data, n_parity, PAYLOAD_MAX);
	assert_non_null(w->e);
	w->e->begun = true; /* or a first group of one packet had no parity */
}

static struct world *begin_with(uint32_t n_data, uint32_t n_parity, uint32_t known_data,
				uint32_t known_parity, uint32_t n_slots)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->seed = 77 + n_data * 256 + n_parity;
	restart_sender(w, n_data, n_parity);
	w->d = kcp_fec_decoder_create(known_data, known_parity, PAYLOAD_MAX, n_slots);
	assert_non_null(w->d);
	return w;
}

static struct world *begin(uint32_t n_data, uint32_t n_parity)
{
	return begin_with(n_data, n_parity, n_data, n_parity, 4 * KCP_RS_SHARDS_MAX);
}

static void end(struct world *w)
{
	kcp_fec_encoder_destroy(w->e);
	kcp_fec_decoder_destroy(w->d);
	free(w);
}

static const struct kcp_fec_counters *counters(const struct world *w)
{
	return kcp_fec_decoder_counters(w->d);
}

static uint32_t len_of(uint32_t number)
{
	return 4 + number * 7919 % (PAYLOAD_MAX - 3);
}

static void write_payload(uint8_t *p, uint32_t number)
{
	kcp_store_le32(p, number);
	for (uint32_t i = 4; i < len_of(number); i++)
		p[i] = (uint8_t)(number * 31 + i * 7);
}

/* Whole, with all its bytes. Returns its number. */
static uint32_t check_payload(const uint8_t *p, uint32_t len)
{
	uint8_t expected[PAYLOAD_MAX];
	assert_in_range(len, 4, PAYLOAD_MAX);
	uint32_t number = kcp_load_le32(p);
	assert_int_equal(len, len_of(number));
	write_payload(expected, number);
	assert_memory_equal(p, expected, len);
	return number;
}

static void make_group(struct world *w)
{
	w->n_packets = w->n_data;
	for (uint32_t i = 0; i < w->n_data; i++) {
		uint32_t number = ++w->sent, n_parity;
		write_payload(w->packet[i] + KCP_FEC_HEADER, number);
		w->len[i] = KCP_FEC_HEADER + len_of(number);
		n_parity = kcp_fec_encode(w->e, w->packet[i] + KCP_FEC_HEADER, len_of(number), 0);
		for (uint32_t p = 0; p < n_parity; p++) {
			kcp_fec_parity(w->e, p, w->packet[w->n_packets]);
			w->len[w->n_packets++] = kcp_fec_parity_len(w->e);
		}
	}
}

static bool decode(struct world *w, const uint8_t *packet, uint32_t len, struct kcp_fec_input *in)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	assert_non_null(exact);
	memcpy(exact, packet, len);
	bool ok = kcp_fec_decode(w->d, exact, len, in);
	free(exact);
	return ok;
}

/* Gives a packet, checks what comes out; how many came back. */
static uint32_t give(struct world *w, const uint8_t *packet, uint32_t len)
{
	struct kcp_fec_input in;
	/* in memory of just that length, for the sanitizer */
	uint8_t *exact = malloc(len);
	assert_non_null(exact);
	memcpy(exact, packet, len);
	assert_true(kcp_fec_decode(w->d, exact, len, &in));
	if (in.type == KCP_FEC_DATA) {
		assert_ptr_equal(in.payload, exact + KCP_FEC_HEADER);
		assert_int_equal(in.len, len - KCP_FEC_HEADER);
	} else {
		assert_null(in.payload);
	}
	free(exact);
	for (uint32_t i = 0; i < in.n_recovered; i++) {
		uint32_t n;
		const uint8_t *p = kcp_fec_recovered(w->d, i, &n);
		uint32_t number = check_payload(p, n);
		assert_in_range(number, 1, MEMORY - 1);
		w->recovered[number]++;
	}
	return in.n_recovered;
}

static uint32_t give_nth(struct world *w, uint32_t i)
{
	return give(w, w->packet[i], w->len[i]);
}

/* All but those of the mask. */
static uint32_t give_group(struct world *w, const bool *lost)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < w->n_packets; i++) {
		if (lost == NULL || !lost[i])
			n += give_nth(w, i);
	}
	return n;
}

static void check_shape(const struct world *w, uint32_t n_data, uint32_t n_parity)
{
	uint32_t d, p;
	kcp_fec_decoder_shape(w->d, &d, &p);
	assert_int_equal(d, n_data);
	assert_int_equal(p, n_parity);
}

static void brings_back_every_loss_in_small_groups(void **state)
{
	static const uint32_t shapes[][2] = {{1, 1}, {2, 1}, {3, 1}, {4, 2}, {5, 3}, {2, 6}};
	(void)state;
	for (uint32_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		struct world *w = begin(shapes[s][0], shapes[s][1]);
		uint32_t n = w->n_data + w->n_parity;
		for (uint32_t mask = 0; mask < 1u << n; mask++) {
			uint32_t n_lost = 0, data_lost = 0, first = w->sent + 1;
			bool lost[8];
			for (uint32_t i = 0; i < n; i++) {
				lost[i] = (mask >> i & 1u) != 0;
				n_lost += lost[i];
				data_lost += lost[i] && i < w->n_data;
			}
			make_group(w);
			bool possible = n_lost <= w->n_parity;
			assert_int_equal(give_group(w, lost), possible ? data_lost : 0);
			for (uint32_t i = 0; possible && i < w->n_data; i++)
				assert_int_equal(w->recovered[first + i], lost[i]);
		}
		assert_int_equal(counters(w)->bad_groups, 0);
		assert_int_equal(counters(w)->misplaced, 0);
		end(w);
	}
}

/* Out of order within the window, doubled, and lost: everything that can come back comes back once. */
static void brings_back_once_in_a_bad_network(void **state)
{
	static const uint32_t shapes[][2] = {{10, 3}, {20, 10}, {3, 1}, {70, 30}, {128, 128}};
	(void)state;
	for (uint32_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		struct world *w = begin(shapes[s][0], shapes[s][1]);
		uint32_t possible = 0, back = 0;
		for (uint32_t round = 0; round < 200; round++) {
			uint32_t order[KCP_RS_SHARDS_MAX], n_lost = 0, data_lost = 0, n = 0;
			make_group(w);
			for (uint32_t i = 0; i < w->n_packets; i++) {
				if (draw(&w->seed, 100) < 15) {
					n_lost++;
					data_lost += i < w->n_data;
				} else {
					order[n++] = i;
				}
			}
			for (uint32_t i = n; i > 1; i--) {
				uint32_t j = draw(&w->seed, i), o = order[j];
				order[j] = order[i - 1];
				order[i - 1] = o;
			}
			/* parity in front of data brings back what is only late: at least what is lost */
			for (uint32_t i = 0; i < n; i++) {
				back += give_nth(w, order[i]);
				if (draw(&w->seed, 10) == 0)
					assert_int_equal(give_nth(w, order[i]), 0);
			}
			possible += n_lost <= w->n_parity ? data_lost : 0;
		}
		assert_true(possible > 0 && back >= possible);
		assert_int_equal(counters(w)->recovered, back);
		assert_true(counters(w)->duplicate > 0);
		assert_int_equal(counters(w)->bad_groups, 0);
		for (uint32_t i = 0; i < MEMORY; i++)
			assert_in_range(w->recovered[i], 0, 1);
		end(w);
	}
}

/* Packets of four groups mixed. */
static void keeps_the_newest_four_groups(void **state)
{
	struct world *w = begin(4, 2);
	static uint8_t kept[5][PACKET_MAX];
	uint32_t len[5];
	(void)state;
	for (uint32_t g = 0; g < 5; g++) {
		make_group(w);
		for (uint32_t i = 1; i < 4; i++) /* the first one is lost, parity is late */
			give_nth(w, i);
		memcpy(kept[g], w->packet[4], w->len[4]);
		len[g] = w->len[4];
	}
	assert_int_equal(counters(w)->lost_groups, 1);
	for (uint32_t g = 5; g > 1; g--)
		assert_int_equal(give(w, kept[g - 1], len[g - 1]), 1);
	assert_int_equal(give(w, kept[0], len[0]), 0);
	assert_int_equal(counters(w)->outside, 1);
	assert_int_equal(counters(w)->recovered, 4);
	end(w);
}

static void goes_on_when_seqids_begin_anew(void **state)
{
	static const uint32_t shapes[][2] = {{10, 3}, {3, 1}, {1, 1}, {255, 1}};
	(void)state;
	for (uint32_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		struct world *w = begin(shapes[s][0], shapes[s][1]);
		uint32_t n = w->n_data + w->n_parity;
		const bool lost[KCP_RS_SHARDS_MAX] = {true};
		w->e->next = kcp_fec_end(n) - 5 * n;
		for (uint32_t g = 0; g < 12; g++) {
			make_group(w);
			assert_int_equal(give_group(w, lost), 1);
		}
		assert_int_equal(kcp_load_le32(w->packet[0]), 6 * n);
		assert_int_equal(counters(w)->outside, 0);
		assert_int_equal(counters(w)->lost_groups, 0);
		end(w);
	}
}

/* Without knowing it, from the first packets; and from any place in the middle. */
static void finds_the_shape(void **state)
{
	static const uint32_t shapes[][2] = {{10, 3},  {3, 1},     {20, 10}, {1, 1},
					     {70, 30}, {128, 128}, {255, 1}, {1, 5}};
	(void)state;
	for (uint32_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		for (uint32_t where = 0; where < 3; where++) {
			uint32_t n_data = shapes[s][0], n_parity = shapes[s][1];
			struct world *w = begin_with(n_data, n_parity, where == 2 ? 7 : 0,
						     where == 2 ? 2 : 0, 4 * KCP_RS_SHARDS_MAX);
			const bool lost[KCP_RS_SHARDS_MAX] = {true};
			uint32_t skip = where == 0 ? 0 : n_data / 2;
			if (where != 0)
				w->e->next = 1000 * (n_data + n_parity);
			for (uint32_t g = 0; g < 10; g++) {
				make_group(w);
				for (uint32_t i = skip; i < w->n_packets; i++)
					give_nth(w, i);
				skip = 0;
			}
			check_shape(w, n_data, n_parity);
			assert_int_equal(counters(w)->tuned, 1);
			make_group(w);
			assert_int_equal(give_group(w, lost), 1);
			end(w);
		}
	}
}

/* A peer begins anew with another shape; all the time one packet in ten is lost. */
static void follows_a_peer_from_shape_to_shape(void **state)
{
	static const uint32_t shapes[][2] = {{10, 3}, {3, 1}, {20, 10}, {10, 3}, {10, 2}, {2, 10}};
	struct world *w = begin(10, 3);
	(void)state;
	for (uint32_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		restart_sender(w, shapes[s][0], shapes[s][1]);
		for (uint32_t g = 0; g < 150; g++) {
			bool lost[KCP_RS_SHARDS_MAX];
			for (uint32_t i = 0; i < KCP_RS_SHARDS_MAX; i++)
				lost[i] = draw(&w->seed, 10) == 0;
			make_group(w);
			give_group(w, lost);
		}
		check_shape(w, shapes[s][0], shapes[s][1]);
		bool first[KCP_RS_SHARDS_MAX] = {true};
		make_group(w);
		assert_int_equal(give_group(w, first), 1);
	}
	assert_int_equal(counters(w)->tuned, 5);
	end(w);
}

/* With a loss everywhere but in a few places, where kcp-go's way to look for runs finds none. */
static void finds_the_shape_under_heavy_loss(void **state)
{
	struct world *w = begin_with(20, 10, 0, 0, 512);
	(void)state;
	for (uint32_t g = 0; g < 100; g++) {
		bool lost[KCP_RS_SHARDS_MAX];
		for (uint32_t i = 0; i < KCP_RS_SHARDS_MAX; i++)
			lost[i] = draw(&w->seed, 10) < 3;
		make_group(w);
		give_group(w, lost);
	}
	check_shape(w, 20, 10);
	assert_true(counters(w)->recovered > 200);
	end(w);
}

/* The first few groups will do, when nothing of them is lost. */
static void finds_the_shape_at_once(void **state)
{
	struct world *w = begin_with(3, 1, 0, 0, 16);
	(void)state;
	for (uint32_t g = 0; g < 2; g++) {
		make_group(w);
		give_group(w, NULL);
	}
	check_shape(w, 3, 1);
	end(w);
}

/* A sender that goes on with another shape where it was, while groups wait for their parity. */
static void changes_shape_with_groups_open(void **state)
{
	struct world *w = begin(3, 1);
	bool lost[KCP_RS_SHARDS_MAX] = {true, true};
	(void)state;
	for (uint32_t g = 0; g < 4; g++) {
		make_group(w);
		assert_int_equal(give_group(w, lost), 0);
	}
	restart_sender(w, 10, 3);
	w->e->next = 13; /* among those groups */
	for (uint32_t g = 0; g < 20; g++) {
		make_group(w);
		give_group(w, NULL);
	}
	check_shape(w, 10, 3);
	make_group(w);
	assert_int_equal(give_group(w, lost), 2);
	end(w);
}

/* Parity that was left out (a slow sender): nothing to bring back, and nothing is found out wrongly. */
static void needs_no_parity(void **state)
{
	struct world *w = begin(3, 1);
	(void)state;
	for (uint32_t g = 0; g < 50; g++) {
		make_group(w);
		for (uint32_t i = 0; i < 3; i++)
			assert_int_equal(give_nth(w, i), 0);
	}
	check_shape(w, 3, 1);
	assert_int_equal(counters(w)->misplaced, 0);
	assert_int_equal(counters(w)->lost_groups, 0);
	assert_int_equal(counters(w)->data, 150);
	end(w);
}

/* A forgery here and there changes neither shape nor window. */
static void goes_on_among_lone_forgeries(void **state)
{
	struct world *w = begin(10, 3);
	(void)state;
	for (uint32_t g = 0; g < 200; g++) {
		bool lost[KCP_RS_SHARDS_MAX] = {true, false, true};
		uint8_t forged[KCP_FEC_HEADER + 10] = {0};
		make_group(w);
		for (uint32_t i = 0; i < w->n_packets; i++) {
			if (!lost[i])
				give_nth(w, i);
			if (i != 5 || g < 2)
				continue;
			/* of the wrong type for its place, or anywhere */
			uint32_t seqid = g % 2 != 0 ? draw(&w->seed, UINT32_MAX)
						    : kcp_load_le32(w->packet[i]) + 1;
			enum kcp_fec_type type = g % 4 < 2 ? KCP_FEC_PARITY : KCP_FEC_DATA;
			kcp_fec_store(forged, seqid, type, 10);
			if (g % 2 != 0 || type == KCP_FEC_PARITY)
				give(w, forged, sizeof(forged));
		}
	}
	assert_int_equal(counters(w)->recovered, 400);
	assert_int_equal(counters(w)->tuned, 0);
	assert_int_equal(counters(w)->misplaced + counters(w)->outside, 148);
	end(w);
}

/* Forged before anything else has come; and the place where groups begin is never seen. */
static void trusts_its_shape_again(void **state)
{
	struct world *w = begin(10, 3);
	const bool lost[KCP_RS_SHARDS_MAX] = {true};
	uint8_t forged[KCP_FEC_HEADER + 10] = {0};
	(void)state;
	kcp_fec_store(forged, 3, KCP_FEC_PARITY, 10);
	give(w, forged, sizeof(forged));
	for (uint32_t g = 0; g < 20; g++) {
		make_group(w);
		give_group(w, lost);
	}
	assert_true(counters(w)->recovered >= 17);
	assert_int_equal(counters(w)->tuned, 0);
	end(w);
}

/* After a long silence, or begun anew by the same peer with the same shape. */
static void follows_a_far_jump_that_lasts(void **state)
{
	static const uint32_t to[] = {0x40000000, 0, 0xc0000000, 0x80000000, 13 * 70, 0};
	struct world *w = begin(10, 3);
	const bool lost[KCP_RS_SHARDS_MAX] = {true};
	(void)state;
	for (uint32_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		w->e->next = to[i] / 13 * 13;
		make_group(w);
		give_group(w, NULL);
		uint64_t outside = counters(w)->outside;
		make_group(w);
		assert_int_equal(give_group(w, lost), 1);
		assert_int_equal(counters(w)->outside, outside);
	}
	end(w);
}

/* It is data like any other to KCP, but adds nothing here. */
static void hands_a_late_original_up(void **state)
{
	struct world *w = begin(3, 1);
	const bool lost[KCP_RS_SHARDS_MAX] = {false, true};
	(void)state;
	make_group(w);
	assert_int_equal(give_group(w, lost), 1);
	assert_int_equal(counters(w)->duplicate, 0);
	assert_int_equal(give_nth(w, 1), 0);
	assert_int_equal(counters(w)->duplicate, 1);
	assert_int_equal(counters(w)->recovered, 1);
	end(w);
}

/* With 1/1, parity is the data packet over again; so anything can be made to come out. */
static void brings_back_no_size_that_lies(void **state)
{
	struct world *w = begin(1, 1);
	uint8_t packet[KCP_FEC_SIZE_AT + 10];
	(void)state;
	for (uint32_t size = 0; size < 40; size++) {
		struct kcp_fec_input in;
		memset(packet, 0, sizeof(packet));
		kcp_fec_store(packet, 2 * size + 1, KCP_FEC_PARITY, 0);
		kcp_store_le16(packet + KCP_FEC_SIZE_AT, size);
		assert_true(decode(w, packet, sizeof(packet), &in));
		assert_int_equal(in.n_recovered, size > 2 && size <= 10);
		if (in.n_recovered != 0) {
			uint32_t len;
			assert_non_null(kcp_fec_recovered(w->d, 0, &len));
			assert_int_equal(len, size - 2);
		}
	}
	assert_int_equal(counters(w)->bad_groups, 32);
	end(w);
}

static void drops_sizes_that_lie(void **state)
{
	struct world *w = begin(10, 3);
	uint8_t packet[PACKET_MAX + 1] = {0};
	struct kcp_fec_input in;
	uint64_t bad = 0;
	(void)state;
	for (uint32_t len = 0; len < 40; len++) {
		for (uint32_t size = 0; size < 60; size++) {
			kcp_fec_store(packet, 1, KCP_FEC_DATA, 0);
			kcp_store_le16(packet + KCP_FEC_SIZE_AT, size);
			bool right = len > KCP_FEC_HEADER && size == len - KCP_FEC_SIZE_AT;
			assert_int_equal(decode(w, packet, len, &in), right);
			bad += !right;
			if (right)
				continue;
			assert_null(in.payload);
			assert_int_equal(in.n_recovered, 0);
		}
	}
	kcp_fec_store(packet, 1, KCP_FEC_DATA, PAYLOAD_MAX + 1);
	assert_false(decode(w, packet, PACKET_MAX + 1, &in));
	kcp_fec_store(packet, 1, KCP_FEC_PARITY, 0);
	assert_false(decode(w, packet, PACKET_MAX + 1, &in));
	assert_int_equal(counters(w)->malformed, bad + 2);
	end(w);
}

static void hands_out_of_band_packets_up(void **state)
{
	struct world *w = begin(10, 3);
	uint8_t packet[KCP_FEC_HEADER + 9] = {0};
	struct kcp_fec_input in;
	(void)state;
	kcp_fec_store(packet, UINT32_MAX, KCP_FEC_OOB, 9);
	assert_true(kcp_fec_decode(w->d, packet, sizeof(packet), &in));
	assert_int_equal(in.type, KCP_FEC_OOB);
	assert_ptr_equal(in.payload, packet + KCP_FEC_HEADER);
	assert_int_equal(in.len, 9);
	assert_int_equal(counters(w)->oob, 1);
	/* nothing of it went into groups, shape or window */
	assert_int_equal(counters(w)->misplaced + counters(w)->outside, 0);
	end(w);
}

/* What comes out of parity that is nonsense is nonsense, and is seen to be. */
static void hands_no_nonsense_up(void **state)
{
	struct world *w = begin(4, 2);
	uint32_t handed = 0;
	(void)state;
	for (uint32_t round = 0; round < 2000; round++) {
		struct kcp_fec_input in;
		make_group(w);
		uint32_t longest = w->len[4];
		for (uint32_t i = KCP_FEC_SIZE_AT; i < longest; i++)
			w->packet[4][i] = (uint8_t)draw(&w->seed, 256);
		for (uint32_t i = 1; i < 4; i++)
			give_nth(w, i);
		/* longer or shorter than parity can be, or as long */
		if (round % 3 == 0 && longest > 40)
			w->len[4] = longest - 20;
		assert_true(decode(w, w->packet[4], w->len[4], &in));
		handed += in.n_recovered;
	}
	/* the size is right by chance in one of 65536, and behind it there are zeroes */
	assert_int_equal(handed, 0);
	assert_int_equal(counters(w)->bad_groups, 2000);
	/* and the memory is all there still */
	const bool lost[KCP_RS_SHARDS_MAX] = {true, true};
	make_group(w);
	assert_int_equal(give_group(w, lost), 2);
	end(w);
}

/* Anything at all, from a peer that knows the format; the sanitizers look on. */
static void stays_whole_under_garbage(void **state)
{
	struct world *w = begin_with(10, 3, 0, 0, 16);
	static uint8_t packet[PACKET_MAX];
	(void)state;
	for (uint32_t round = 0; round < 200000; round++) {
		struct kcp_fec_input in;
		uint32_t len = KCP_FEC_HEADER + draw(&w->seed, round % 16 == 0 ? PAYLOAD_MAX : 30);
		enum kcp_fec_type type = (enum kcp_fec_type)(KCP_FEC_DATA + draw(&w->seed, 3));
		uint32_t near = draw(&w->seed, 4000);
		for (uint32_t i = 0; i < len; i++)
			packet[i] = (uint8_t)draw(&w->seed, 256);
		kcp_fec_store(packet, round % 7 == 0 ? draw(&w->seed, UINT32_MAX) : round + near,
			      type, len - KCP_FEC_HEADER);
		if (!decode(w, packet, len, &in))
			continue;
		for (uint32_t i = 0; i < in.n_recovered; i++) {
			uint32_t n;
			const uint8_t *p = kcp_fec_recovered(w->d, i, &n);
			uint8_t copy[PAYLOAD_MAX];
			assert_in_range(n, 1, PAYLOAD_MAX);
			memcpy(copy, p, n);
		}
	}
	/* then a real peer */
	const bool lost[KCP_RS_SHARDS_MAX] = {true};
	for (uint32_t g = 0; g < 300; g++) {
		make_group(w);
		give_group(w, NULL);
	}
	check_shape(w, 10, 3);
	make_group(w);
	assert_int_equal(give_group(w, lost), 1);
	end(w);
}

/* Groups in which one packet is missing fill the memory; the oldest one goes. */
static void gives_old_groups_up_for_want_of_memory(void **state)
{
	struct world *w = begin_with(10, 3, 10, 3, 20);
	bool lost[KCP_RS_SHARDS_MAX] = {false};
	(void)state;
	for (uint32_t i = 9; i < 13; i++)
		lost[i] = true;
	for (uint32_t g = 0; g < 20; g++) {
		make_group(w);
		assert_int_equal(give_group(w, lost), 0);
	}
	assert_true(counters(w)->evicted_groups > 0);
	/* a new one has its room */
	for (uint32_t i = 0; i < 13; i++)
		lost[i] = i >= 10;
	lost[0] = lost[5] = lost[9] = true;
	for (uint32_t i = 10; i < 13; i++)
		lost[i] = false;
	make_group(w);
	assert_int_equal(give_group(w, lost), 3);
	end(w);
}

static void does_without_memory(void **state)
{
	(void)state;
	for (uint32_t n_slots = 0; n_slots < 14; n_slots++) {
		struct world *w = begin_with(10, 3, 10, 3, n_slots);
		const bool lost[KCP_RS_SHARDS_MAX] = {true, true, true};
		uint32_t n = 0;
		for (uint32_t g = 0; g < 10; g++) {
			make_group(w);
			n += give_group(w, lost);
		}
		assert_int_equal(n, n_slots >= 13 ? 30 : 0);
		/* what cannot be of use is not begun with */
		assert_int_equal(counters(w)->evicted_groups > 0, n_slots > 10 && n_slots < 13);
		end(w);
	}
}

static void refuses_numbers_that_cannot_be(void **state)
{
	static const uint32_t bad[][4] = {
		{0, 1, 1400, 9},       {1, 0, 1400, 9},  {255, 2, 1400, 9}, {256, 1, 1400, 9},
		{1, 256, 1400, 9},     {10, 3, 0, 9},    {10, 3, 65534, 9}, {UINT32_MAX, 2, 9, 9},
		{2, UINT32_MAX, 9, 9}, {10, 3, 9, 4097},
	};
	(void)state;
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(kcp_fec_decoder_create(bad[i][0], bad[i][1], bad[i][2], bad[i][3]));
	kcp_fec_decoder_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brings_back_every_loss_in_small_groups),
		cmocka_unit_test(brings_back_once_in_a_bad_network),
		cmocka_unit_test(keeps_the_newest_four_groups),
		cmocka_unit_test(goes_on_when_seqids_begin_anew),
		cmocka_unit_test(finds_the_shape),
		cmocka_unit_test(follows_a_peer_from_shape_to_shape),
		cmocka_unit_test(finds_the_shape_under_heavy_loss),
		cmocka_unit_test(finds_the_shape_at_once),
		cmocka_unit_test(changes_shape_with_groups_open),
		cmocka_unit_test(needs_no_parity),
		cmocka_unit_test(goes_on_among_lone_forgeries),
		cmocka_unit_test(trusts_its_shape_again),
		cmocka_unit_test(follows_a_far_jump_that_lasts),
		cmocka_unit_test(hands_a_late_original_up),
		cmocka_unit_test(brings_back_no_size_that_lies),
		cmocka_unit_test(drops_sizes_that_lie),
		cmocka_unit_test(hands_out_of_band_packets_up),
		cmocka_unit_test(hands_no_nonsense_up),
		cmocka_unit_test(stays_whole_under_garbage),
		cmocka_unit_test(gives_old_groups_up_for_want_of_memory),
		cmocka_unit_test(does_without_memory),
		cmocka_unit_test(refuses_numbers_that_cannot_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
