/* SPDX-License-Identifier: BSD-2-Clause */
/* The crypt header: packets of kcp-go open, ours are the same, anything else does not open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crc32.h"
#include "crypt.h"
#include "crypt_nonce.h"

#define BATCH  100u
#define ROOM   2048u
#define HEAD   64u
#define CANARY 0xa5
#define MTU    1500u

struct world {
	struct kcp_crypt *c[KCP_CRYPT_KINDS];
	uint8_t (*rooms)[ROOM];
	uint32_t seed;
};

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % below;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	uint8_t key[KCP_KEY_LEN];
	const char *why = NULL;
	assert_non_null(w);
	for (uint32_t i = 0; i < KCP_KEY_LEN; i++)
		key[i] = (uint8_t)(i * 5 + 1);
	for (uint32_t k = 0; k < KCP_CRYPT_KINDS; k++) {
		w->c[k] = kcp_crypt_create((enum kcp_crypt_kind)k, key, &why);
		assert_non_null(w->c[k]);
	}
	w->rooms = malloc(BATCH * ROOM);
	assert_non_null(w->rooms);
	w->seed = 1;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	for (uint32_t k = 0; k < KCP_CRYPT_KINDS; k++)
		kcp_crypt_destroy(w->c[k]);
	free(w->rooms);
	free(w);
	return 0;
}

static void write_payload(uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 + 3 + len * 31);
}

static bool is_payload(const uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		if (p[i] != (uint8_t)(i * 7 + 3 + len * 31))
			return false;
	}
	return true;
}

/* Packets of kcp-go's own code: nonce c0 c1 ..., payload as above of 44 bytes, key 1, 6, 11, ... (its first
 * bytes). By a test put into the package of kcp-go 5.6.72; Debian's 5.6.1 gives the same but has no GCM. */
static const struct {
	enum kcp_crypt_kind kind;
	const char *hex;
} packets[] = {
	{KCP_CRYPT_NONE, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf050a062b575e656c737a81888f969da4"
			 "abb2b9c0c7ced5dce3eaf1f8ff060d141b222930373e454c535a61686f767d84"},
	{KCP_CRYPT_SALSA20, "c0c1c2c3c4c5c6c7087331725ee79ef5a473ef81779a2310e1a99d7e9d10c5c7"
			    "72e684d3b509c8aa3a01ffee34bd7084e50f841a00d00b13c9ff39038a69d5a5"},
	{KCP_CRYPT_AES, "030a9fe4a7cd22e237251d92aa03509b3937fd81815744d7f661d9d24b5b7dde"
			"ecdf052a28638120cc99cb3a0beccb96117493c51db58a3d6065d5e59f14f03a"},
	{KCP_CRYPT_AES_192, "339bba11a94d0d42eab423a415aff38b680a07327c93d01da97dfe9d49592b6e"
			    "95b5ef65fa5f632e2fe307507c10c6e474647cbb625103a2e7439cf0429e5253"},
	{KCP_CRYPT_AES_128, "8c63ff4c2410707d5f2be99647a13bad73176b473c8591ac56992367beb82181"
			    "864a7c7d4c6c7c9cdea61c610df5549461118d1ba6a78da7c4f0d814343f2049"},
	{KCP_CRYPT_SM4, "751ba7e6e780971a965ee4a075cd4573dcb4d69064dd0ceac6911b3d00f7d515"
			"7d60608c536af13b2c2d066e1f758126a194872b46db20330ba51f2bbc29953d"},
	{KCP_CRYPT_AES_128_GCM, "c0c1c2c3c4c5c6c7c8c9cacbff878919e25c4e0db52654bbd025c3d03c3e49a7"
				"b57312ff72ca7a5060e469ab52a71357c915a2d8913cc8b92998061910e0caa5"
				"efc8e622e412cc5e"},
};

static uint32_t parse(const char *hex, uint8_t *out)
{
	uint32_t len = (uint32_t)strlen(hex) / 2;
	for (uint32_t i = 0; i < len; i++) {
		const char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
		out[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return len;
}

static void opens_packets_of_kcp_go(void **state)
{
	struct world *w = *state;
	for (uint32_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		struct kcp_crypt_job j = {.data = w->rooms[0] + i};
		j.len = parse(packets[i].hex, j.data);
		uint8_t *packet = j.data;
		kcp_crypt_open(w->c[packets[i].kind], &j, 1);
		assert_int_equal(j.verdict, KCP_CRYPT_OK);
		assert_int_equal(j.len, 44);
		assert_ptr_equal(j.data, packet + kcp_crypt_info(packets[i].kind)->headroom);
		assert_true(is_payload(j.data, 44));
	}
}

/* Opening is one to one: what opens to the same with the opening that is kcp-go's, kcp-go would open. */
static void seals_what_opens_to_the_same_whatever_length(void **state)
{
	struct world *w = *state;
	for (uint32_t k = 0; k < KCP_CRYPT_KINDS; k++) {
		const struct kcp_crypt_info *info = kcp_crypt_info((enum kcp_crypt_kind)k);
		for (uint32_t len = 0; len < MTU;) {
			struct kcp_crypt_job jobs[BATCH], opened[BATCH];
			uint32_t n = 1 + draw(&w->seed, BATCH), first = len;
			for (uint32_t i = 0; i < n; i++, len++) {
				memset(w->rooms[i], CANARY, ROOM);
				uint8_t *at = w->rooms[i] + HEAD + draw(&w->seed, 16);
				jobs[i] = (struct kcp_crypt_job){at, len, 9};
				write_payload(at, len);
			}
			kcp_crypt_seal(w->c[k], jobs, n);
			memcpy(opened, jobs, sizeof(jobs));
			kcp_crypt_open(w->c[k], opened, n);
			for (uint32_t i = 0; i < n; i++) {
				assert_int_equal(jobs[i].verdict, KCP_CRYPT_OK);
				assert_int_equal(jobs[i].len,
						 first + i + info->headroom + info->tailroom);
				assert_int_equal(jobs[i].data[-1], CANARY);
				assert_int_equal(jobs[i].data[jobs[i].len], CANARY);
				assert_int_equal(opened[i].verdict, KCP_CRYPT_OK);
				assert_int_equal(opened[i].len, first + i);
				assert_ptr_equal(opened[i].data, jobs[i].data + info->headroom);
				assert_true(is_payload(opened[i].data, first + i));
			}
		}
	}
}

/* Packets that are sealed side by side end at different times. */
static void seals_packets_of_very_different_lengths_in_a_batch(void **state)
{
	static const uint32_t lens[] = {1400, 0, 12, 13,  27, 28, 29, 1,  65000, 44,
					1400, 3, 12, 700, 16, 15, 4,  60, 61,    1399};
	struct world *w = *state;
	uint32_t n = sizeof(lens) / sizeof(lens[0]);
	for (uint32_t k = 0; k < KCP_CRYPT_KINDS; k++) {
		struct kcp_crypt_job jobs[sizeof(lens) / sizeof(lens[0])];
		uint8_t *block = malloc(70000u * n);
		assert_non_null(block);
		for (uint32_t i = 0; i < n; i++) {
			jobs[i] = (struct kcp_crypt_job){block + 70000 * i + 32, lens[i], 0};
			write_payload(jobs[i].data, lens[i]);
		}
		kcp_crypt_seal(w->c[k], jobs, n);
		for (uint32_t i = 0; i < n; i++) {
			kcp_crypt_open(w->c[k], &jobs[i], 1);
			assert_int_equal(jobs[i].verdict, KCP_CRYPT_OK);
			assert_int_equal(jobs[i].len, lens[i]);
			assert_true(is_payload(jobs[i].data, lens[i]));
		}
		free(block);
	}
}

/* The same payload looks different in every packet and every block. */
static void hides_the_payload(void **state)
{
	struct world *w = *state;
	for (uint32_t k = KCP_CRYPT_SALSA20; k < KCP_CRYPT_KINDS; k++) {
		struct kcp_crypt_job a = {w->rooms[0] + HEAD, 1000, 0},
				     b = {w->rooms[1] + HEAD, 1000, 0};
		memset(a.data, 0, 1000);
		memset(b.data, 0, 1000);
		kcp_crypt_seal(w->c[k], &a, 1);
		kcp_crypt_seal(w->c[k], &b, 1);
		uint32_t same = 0, repeated = 0;
		for (uint32_t i = 0; i < a.len; i++) {
			same += a.data[i] == b.data[i];
			repeated += i >= 16 && a.data[i] == a.data[i - 16];
		}
		/* of a thousand random bytes 4 are the same by chance */
		assert_in_range(same, 0, 40);
		assert_in_range(repeated, 0, 40);
	}
}

static void refuses_every_turned_bit(void **state)
{
	struct world *w = *state;
	for (uint32_t k = KCP_CRYPT_NONE; k < KCP_CRYPT_KINDS; k++) {
		const struct kcp_crypt_info *info = kcp_crypt_info((enum kcp_crypt_kind)k);
		struct kcp_crypt_job j = {w->rooms[0] + HEAD, 61, 0};
		write_payload(j.data, j.len);
		kcp_crypt_seal(w->c[k], &j, 1);
		for (uint32_t bit = 0; bit < j.len * 8; bit++) {
			struct kcp_crypt_job t = {w->rooms[1], j.len, 0};
			memcpy(t.data, j.data, j.len);
			t.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			kcp_crypt_open(w->c[k], &t, 1);
			/* a checksum does not cover the nonce, and a keystream does not depend on it */
			bool covered = info->authentic || bit / 8 >= 16;
			if (covered || t.verdict != KCP_CRYPT_OK) {
				assert_int_equal(t.verdict, KCP_CRYPT_FORGED);
				assert_ptr_equal(t.data, w->rooms[1]);
				assert_int_equal(t.len, j.len);
			}
		}
	}
}

static void refuses_what_is_cut_or_grown(void **state)
{
	struct world *w = *state;
	for (uint32_t k = KCP_CRYPT_NONE; k < KCP_CRYPT_KINDS; k++) {
		const struct kcp_crypt_info *info = kcp_crypt_info((enum kcp_crypt_kind)k);
		uint32_t least = info->headroom + info->tailroom;
		struct kcp_crypt_job j = {w->rooms[0] + HEAD, 50, 0};
		write_payload(j.data, j.len);
		kcp_crypt_seal(w->c[k], &j, 1);
		j.data[j.len] = 1;
		for (uint32_t len = 0; len <= j.len + 1; len++) {
			/* in memory of just that length, for the sanitizer to see more being read */
			uint8_t *exact = malloc(len > 0 ? len : 1);
			assert_non_null(exact);
			memcpy(exact, j.data, len);
			struct kcp_crypt_job t = {exact, len, 0};
			kcp_crypt_open(w->c[k], &t, 1);
			if (len < least)
				assert_int_equal(t.verdict, KCP_CRYPT_SHORT);
			else if (len == j.len)
				assert_int_equal(t.verdict, KCP_CRYPT_OK);
			else
				assert_int_equal(t.verdict, KCP_CRYPT_FORGED);
			free(exact);
		}
	}
}

/* One bad packet says nothing of its neighbours. */
static void judges_each_packet_of_a_batch_alone(void **state)
{
	struct world *w = *state;
	for (uint32_t k = KCP_CRYPT_NONE; k < KCP_CRYPT_KINDS; k++) {
		struct kcp_crypt_job jobs[BATCH];
		for (uint32_t i = 0; i < BATCH; i++) {
			jobs[i] = (struct kcp_crypt_job){w->rooms[i] + HEAD, 30 + i, 0};
			write_payload(jobs[i].data, 30 + i);
		}
		kcp_crypt_seal(w->c[k], jobs, BATCH);
		for (uint32_t i = 0; i < BATCH; i += 3)
			jobs[i].data[jobs[i].len - 1] ^= 1;
		jobs[1].len = 11;
		kcp_crypt_open(w->c[k], jobs, BATCH);
		assert_int_equal(jobs[1].verdict, KCP_CRYPT_SHORT);
		for (uint32_t i = 2; i < BATCH; i++) {
			assert_int_equal(jobs[i].verdict,
					 i % 3 == 0 ? KCP_CRYPT_FORGED : KCP_CRYPT_OK);
			if (i % 3 != 0)
				assert_true(is_payload(jobs[i].data, 30 + i));
		}
	}
}

static void refuses_garbage(void **state)
{
	struct world *w = *state;
	for (uint32_t k = KCP_CRYPT_NONE; k < KCP_CRYPT_KINDS; k++) {
		for (uint32_t round = 0; round < 2000; round++) {
			struct kcp_crypt_job j = {w->rooms[0], 20 + draw(&w->seed, 100), 0};
			for (uint32_t i = 0; i < j.len; i++)
				j.data[i] = (uint8_t)draw(&w->seed, 256);
			uint32_t len = j.len;
			kcp_crypt_open(w->c[k], &j, 1);
			assert_int_not_equal(j.verdict, KCP_CRYPT_OK);
			assert_int_equal(j.len, len);
		}
	}
}

static void opens_nothing_with_another_key(void **state)
{
	struct world *w = *state;
	uint8_t key[KCP_KEY_LEN];
	for (uint32_t i = 0; i < KCP_KEY_LEN; i++)
		key[i] = (uint8_t)(i * 5 + 1);
	for (uint32_t k = KCP_CRYPT_SALSA20; k < KCP_CRYPT_KINDS; k++) {
		const struct kcp_crypt_info *info = kcp_crypt_info((enum kcp_crypt_kind)k);
		for (uint32_t at = 0; at <= KCP_KEY_LEN; at += 5) {
			const char *why = NULL;
			uint8_t other[KCP_KEY_LEN];
			memcpy(other, key, sizeof(key));
			/* beyond the key's length nothing matters */
			if (at < KCP_KEY_LEN)
				other[at] ^= 1;
			struct kcp_crypt *c = kcp_crypt_create((enum kcp_crypt_kind)k, other, &why);
			assert_non_null(c);
			struct kcp_crypt_job j = {w->rooms[0] + HEAD, 40, 0};
			write_payload(j.data, j.len);
			kcp_crypt_seal(c, &j, 1);
			kcp_crypt_open(w->c[k], &j, 1);
			assert_int_equal(j.verdict,
					 at < info->key_len ? KCP_CRYPT_FORGED : KCP_CRYPT_OK);
			kcp_crypt_destroy(c);
		}
	}
}

static void leaves_packets_alone_with_null(void **state)
{
	struct world *w = *state;
	struct kcp_crypt_job jobs[2] = {{w->rooms[0] + HEAD, 10, 9}, {w->rooms[1] + HEAD, 0, 9}};
	write_payload(jobs[0].data, 10);
	kcp_crypt_seal(w->c[KCP_CRYPT_NULL], jobs, 2);
	assert_true(jobs[0].data == w->rooms[0] + HEAD && jobs[0].len == 10);
	assert_true(is_payload(jobs[0].data, 10));
	kcp_crypt_open(w->c[KCP_CRYPT_NULL], jobs, 2);
	assert_int_equal(jobs[0].verdict, KCP_CRYPT_OK);
	assert_int_equal(jobs[1].verdict, KCP_CRYPT_OK);
	assert_int_equal(jobs[1].len, 0);
}

static void never_draws_the_same_nonce(void **state)
{
	struct kcp_nonces n, other;
	enum { MANY = 4000 };
	uint64_t *seen = calloc(MANY, sizeof(*seen));
	uint8_t zeroes[16] = {0};
	(void)state;
	assert_non_null(seen);
	kcp_nonces_init(&n);
	kcp_nonces_init(&other);
	assert_memory_not_equal(n.key, other.key, sizeof(n.key));
	for (uint32_t i = 0; i < MANY; i++) {
		uint8_t nonce[16];
		uint32_t len = i % 2 != 0 ? 16 : 12;
		kcp_nonces_take(&n, nonce, len);
		/* what has gone out is not kept */
		assert_memory_equal(n.stream + n.used - len, zeroes, len);
		memcpy(&seen[i], nonce, 8);
		for (uint32_t j = 0; j < i; j++)
			assert_true(seen[j] != seen[i]);
	}
	free(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opens_packets_of_kcp_go, setup, teardown),
		cmocka_unit_test_setup_teardown(seals_what_opens_to_the_same_whatever_length, setup,
						teardown),
		cmocka_unit_test_setup_teardown(seals_packets_of_very_different_lengths_in_a_batch,
						setup, teardown),
		cmocka_unit_test_setup_teardown(hides_the_payload, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_every_turned_bit, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_is_cut_or_grown, setup, teardown),
		cmocka_unit_test_setup_teardown(judges_each_packet_of_a_batch_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(refuses_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(opens_nothing_with_another_key, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_packets_alone_with_null, setup, teardown),
		cmocka_unit_test(never_draws_the_same_nonce),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
