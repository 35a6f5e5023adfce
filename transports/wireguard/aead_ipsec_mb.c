/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aead_ipsec_mb: the job interface of Intel's multi-buffer library (intel-ipsec-mb.h). Its
 * ChaCha20-Poly1305 jobs end within the submission, in order. The direct interface (init, update,
 * finalize) computes the Poly1305 key apart from the key stream and is slower at every size: 590
 * instead of 440 ns for 1420 bytes, 200 instead of 115 for 64.
 */
#include "aead.h"
#include "message.h"

#include <intel-ipsec-mb.h>
#include <sodium.h>
#include <stdlib.h>

#define NONCE_LEN 12u
#define CHUNK     128u /* jobs of a burst: IMB_MAX_BURST_SIZE */

struct wg_aead {
	IMB_MGR *manager; /* holds pointers to keys, no keys */
	bool bursts;
	IMB_JOB *slots[CHUNK];
	uint8_t nonces[CHUNK][16];
	uint8_t tags[CHUNK][WG_TAG_LEN]; /* open: what they should be */
};

static IMB_MGR *start(void)
{
	IMB_MGR *m = alloc_mb_mgr(0);

	if (!m)
		return NULL;
	init_mb_mgr_auto(m, NULL);
	if (imb_get_errno(m) != 0 || m->used_arch < IMB_ARCH_AVX2) {
		free_mb_mgr(m);
		return NULL;
	}
	return m;
}

static bool usable(void)
{
	IMB_MGR *m;

	/* asked first: init_mb_mgr_auto() leaves a manager without functions when it finds nothing */
	if ((imb_get_feature_flags() & IMB_CPUFLAGS_AVX2) != IMB_CPUFLAGS_AVX2)
		return false;
	m = start();
	if (!m)
		return false;
	free_mb_mgr(m);
	return true;
}

static void destroy(struct wg_aead *a)
{
	if (!a)
		return;
	if (a->manager) {
		sodium_memzero(a->manager, imb_get_mb_mgr_size());
		free_mb_mgr(a->manager);
	}
	sodium_memzero(a, sizeof(*a));
	free(a);
}

/*
 * Up to 1.3 each call stores to one variable of the whole process (imb_errno), which lanes would pull
 * to and fro per packet: two lanes of 64-byte packets cost each other 70 %. A burst stores twice. From
 * 1.4 on it is stored only when it changes, and bursts want imb_set_session(), which 1.3 lacks. What
 * counts is the library that runs, not the one that this was built with.
 */
static bool want_bursts(void)
{
#ifdef IMB_SUBMIT_BURST_NOCHECK
	return imb_get_version() < IMB_VERSION(1, 4, 0);
#else
	return false;
#endif
}

static struct wg_aead *create(void)
{
	struct wg_aead *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->manager = start();
	if (!a->manager) {
		free(a);
		return NULL;
	}
	a->bursts = want_bursts();
	return a;
}

static void fill(IMB_JOB *slot, const struct wg_aead_job *j, uint8_t *nonce, uint8_t *tag,
		 IMB_CIPHER_DIRECTION direction)
{
	wg_store_le64(nonce + 4, j->counter);
	slot->enc_keys = j->key;
	slot->dec_keys = j->key;
	slot->key_len_in_bytes = WG_KEY_LEN;
	slot->src = j->data;
	slot->dst = j->data;
	slot->cipher_start_src_offset_in_bytes = 0;
	slot->msg_len_to_cipher_in_bytes = j->len;
	slot->hash_start_src_offset_in_bytes = 0;
	slot->msg_len_to_hash_in_bytes = j->len;
	slot->iv = nonce;
	slot->iv_len_in_bytes = NONCE_LEN;
	slot->auth_tag_output = tag;
	slot->auth_tag_output_len_in_bytes = WG_TAG_LEN;
	slot->u.CHACHA20_POLY1305.aad = NULL;
	slot->u.CHACHA20_POLY1305.aad_len_in_bytes = 0;
	slot->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	slot->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	slot->cipher_direction = direction;
	slot->chain_order = direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH
							 : IMB_ORDER_HASH_CIPHER;
}

/* A sealer's tag goes behind the packet, an opener's beside it. */
static uint8_t *tag_of(struct wg_aead *a, const struct wg_aead_job *jobs, uint32_t i,
		       IMB_CIPHER_DIRECTION direction)
{
	return direction == IMB_DIR_ENCRYPT ? jobs[i].data + jobs[i].len : a->tags[i];
}

/* Returns how many of the n <= CHUNK jobs were done: all but for a fault of the library. */
static uint32_t run_singly(struct wg_aead *a, struct wg_aead_job *jobs, uint32_t n,
			   IMB_CIPHER_DIRECTION direction)
{
	for (uint32_t i = 0; i < n; i++) {
		IMB_JOB *slot = IMB_GET_NEXT_JOB(a->manager);
		fill(slot, &jobs[i], a->nonces[i], tag_of(a, jobs, i, direction), direction);
		slot = IMB_SUBMIT_JOB_NOCHECK(a->manager);
		if (!slot || slot->status != IMB_STATUS_COMPLETED)
			return i;
	}
	return n;
}

#ifdef IMB_SUBMIT_BURST_NOCHECK
static uint32_t run_burst(struct wg_aead *a, struct wg_aead_job *jobs, uint32_t n,
			  IMB_CIPHER_DIRECTION direction)
{
	uint32_t got = IMB_GET_NEXT_BURST(a->manager, n, a->slots);

	for (uint32_t i = 0; i < got; i++)
		fill(a->slots[i], &jobs[i], a->nonces[i], tag_of(a, jobs, i, direction), direction);
	return IMB_SUBMIT_BURST_NOCHECK(a->manager, got, a->slots);
}
#else
#define run_burst run_singly
#endif

static uint32_t run(struct wg_aead *a, struct wg_aead_job *jobs, uint32_t n,
		    IMB_CIPHER_DIRECTION direction)
{
	return a->bursts && n > 1 ? run_burst(a, jobs, n, direction)
				  : run_singly(a, jobs, n, direction);
}

static void seal(struct wg_aead *a, struct wg_aead_job *jobs, uint32_t n)
{
	while (n > 0) {
		uint32_t chunk = n < CHUNK ? n : CHUNK;
		uint32_t done = run(a, jobs, chunk, IMB_DIR_ENCRYPT);
		/* no plaintext leaves, whatever happens to the library */
		for (uint32_t i = done; i < chunk; i++)
			sodium_memzero(jobs[i].data, (size_t)jobs[i].len + WG_TAG_LEN);
		jobs += chunk;
		n -= chunk;
	}
}

static void unseal(struct wg_aead *a, struct wg_aead_job *jobs, uint32_t n)
{
	while (n > 0) {
		uint32_t chunk = n < CHUNK ? n : CHUNK;
		uint32_t done = run(a, jobs, chunk, IMB_DIR_DECRYPT);
		/* in constant time */
		for (uint32_t i = 0; i < chunk; i++)
			jobs[i].ok = i < done &&
				     crypto_verify_16(a->tags[i], jobs[i].data + jobs[i].len) == 0;
		jobs += chunk;
		n -= chunk;
	}
}

const struct wg_aead_engine wg_aead_ipsec_mb = {
	.name = "ipsec-mb",
	.usable = usable,
	.create = create,
	.destroy = destroy,
	.seal = seal,
	.open = unseal,
};
