/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * micro_aead: what the AEAD engines of the wireguard transport cost. Packets are sealed and opened in
 * place, in calls of a batch, with one key or another one for each packet.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "aead.h"
#include "stages.h"

#define PACKETS 256u
#define STRIDE  2048u
#define ROOM    16u /* in front of a packet: the header of a data message */

struct fixture {
	const struct wg_aead_engine *engine;
	struct wg_aead *a;
	uint32_t len, batch;
	uint8_t slots[PACKETS * STRIDE];
	uint8_t keys[PACKETS][WG_KEY_LEN];
	struct wg_aead_job jobs[PACKETS];
};

static uint8_t *packet(struct fixture *f, uint32_t i)
{
	return f->slots + (size_t)i * STRIDE + ROOM;
}

static uint8_t pattern(uint32_t packet, uint32_t at)
{
	return (uint8_t)(packet * 7 + at * 31 + (at >> 8));
}

static void fill(struct fixture *f)
{
	for (uint32_t i = 0; i < f->batch; i++)
		for (uint32_t k = 0; k < f->len; k++)
			packet(f, i)[k] = pattern(i, k);
}

static void set_jobs(struct fixture *f, bool many_keys)
{
	for (uint32_t i = 0; i < f->batch; i++)
		f->jobs[i] = (struct wg_aead_job){
			.key = f->keys[many_keys ? i : 0],
			.counter = i,
			.data = packet(f, i),
			.len = f->len,
		};
}

static uint32_t seal(void *ctx)
{
	struct fixture *f = ctx;
	f->engine->seal(f->a, f->jobs, f->batch);
	return f->batch;
}

static uint32_t open_sealed(void *ctx)
{
	struct fixture *f = ctx;
	f->engine->open(f->a, f->jobs, f->batch);
	return f->batch;
}

/* Opening wants what sealing has made: an engine may leave a forged packet early. */
static void seal_again(void *ctx)
{
	fill(ctx);
	seal(ctx);
}

static void chill(void *ctx)
{
	(void)ctx;
	measure_evict();
}

/* All bytes are back and all tags were right. */
static bool is_open(struct fixture *f)
{
	for (uint32_t i = 0; i < f->batch; i++) {
		if (!f->jobs[i].ok)
			return false;
		for (uint32_t k = 0; k < f->len; k++)
			if (packet(f, i)[k] != pattern(i, k))
				return false;
	}
	return true;
}

/* What libsodium makes of the same packet. */
static bool equals_reference(struct fixture *f, uint32_t i)
{
	uint8_t plain[STRIDE], sealed[STRIDE], nonce[12] = {0};
	for (uint32_t k = 0; k < f->len; k++)
		plain[k] = pattern(i, k);
	for (uint32_t k = 0; k < 8; k++)
		nonce[4 + k] = (uint8_t)(f->jobs[i].counter >> 8 * k);
	crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, plain, f->len, NULL, 0, NULL, nonce,
						  f->jobs[i].key);
	return memcmp(sealed, packet(f, i), f->len + WG_TAG_LEN) == 0;
}

/* The packets are sealed as libsodium seals them, and a changed one is refused. */
static bool check_sealing(void *ctx)
{
	struct fixture *f = ctx;
	seal_again(f);
	for (uint32_t i = 0; i < f->batch; i++)
		if (!equals_reference(f, i))
			return false;
	packet(f, f->batch / 2)[f->len] ^= 1;
	open_sealed(f);
	for (uint32_t i = 0; i < f->batch; i++)
		if ((f->jobs[i].ok != 0) == (i == f->batch / 2))
			return false;
	return true;
}

static bool check_opening(void *ctx)
{
	return is_open(ctx);
}

static void measure(struct measure *m, struct fixture *f, const char *suffix, bool cold)
{
	char variant[56];
	snprintf(variant, sizeof(variant), "%s, batch %u%s", f->engine->name, f->batch, suffix);
	fill(f);
	measure_run(m, &(struct measure_case){.stage = "seal",
					      .variant = variant,
					      .bytes = f->len,
					      .work = seal,
					      .prepare = cold ? chill : NULL,
					      .check = check_sealing,
					      .ctx = f});
	if (cold)
		return;
	measure_run(m, &(struct measure_case){.stage = "open",
					      .variant = variant,
					      .bytes = f->len,
					      .work = open_sealed,
					      .prepare = seal_again,
					      .check = check_opening,
					      .ctx = f});
}

static void measure_engine(struct measure *m, struct fixture *f)
{
	static const uint32_t lens[] = {64, 512, 1420}, batches[] = {32, 64, 128, PACKETS};
	for (uint32_t l = 0; l < 3; l++) {
		f->len = lens[l];
		for (uint32_t b = 0; b < 4; b++) {
			f->batch = batches[b];
			set_jobs(f, false);
			measure(m, f, "", false);
		}
		f->batch = 64;
		set_jobs(f, true);
		measure(m, f, ", each its own key", false);
	}
	set_jobs(f, false);
	measure(m, f, ", cold", true);
}

void stages_aead(struct measure *m)
{
	struct fixture *f;
	if (!measure_wants(m, "seal") && !measure_wants(m, "open"))
		return;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		abort();
	randombytes_buf(f->keys, sizeof(f->keys));
	for (const struct wg_aead_engine *const *e = wg_aead_engines(); *e != NULL; e++) {
		if (!(*e)->usable()) {
			fprintf(stderr, "seal, open: %s does not work here\n", (*e)->name);
			continue;
		}
		f->engine = *e;
		f->a = f->engine->create();
		if (f->a == NULL)
			abort();
		measure_engine(m, f);
		f->engine->destroy(f->a);
	}
	free(f);
}
