/* SPDX-License-Identifier: BSD-2-Clause */
/* BLAKE2s, its MAC, and the key derivation. Where no other source is named, expected values come from
 * Python's hashlib.blake2s and hmac, which share no code with libb2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "blake2s.h"

static void assert_hex(const uint8_t *got, size_t len, const char *expected)
{
	char text[2 * 64 + 1];
	assert_string_equal(sodium_bin2hex(text, sizeof(text), got, len), expected);
}

/* 00 01 02 ... */
static void count_up(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)i;
}

/* Lengths about the block of 64 bytes and its multiples. */
static const struct {
	size_t len;
	const char *hash;
	const char *mac; /* key 00 .. 1f */
	const char *mac_short_key;
} vectors[] = {
	{0, "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9",
	 "9536f9b267655743dee97b8a670f9f53", "af4e5d3bb230e9ff9096ca6f7c501f76"},
	{3, "e8f91c6ef232a041452ab0e149070cdd7dd1769e75b3a5921be37876c45c9900",
	 "1e2a79436a7796a3e9826bfedf07659f", "a63420ca605c6a6d122381a74bde7c9c"},
	{63, "e57cb79487dd57902432b250733813bd96a84efce59f650fac26e6696aefafc3",
	 "ece382a8bd5018f1de5da44b72cea75b", "2151a1ac11ef2763a427614c612b3de0"},
	{64, "56f34e8b96557e90c1f24b52d0c89d51086acf1b00f634cf1dde9233b8eaaa3e",
	 "f1efa90d2547036841ecd3627fafbc36", "dd55c51c98f8ab96ed272882941f0b6a"},
	{65, "1b53ee94aaf34e4b159d48de352c7f0661d0a40edff95a0b1639b4090e974472",
	 "811ff8686d23a435ecbd0bdafcd27b1b", "9018c671bb7e94a6d540a91765bbecad"},
	{128, "1fa877de67259d19863a2a34bcc6962a2b25fcbf5cbecd7ede8f1fa36688a796",
	 "8c09f698d03eaf88abf69f8147865ef6", "24548ecbf479d44b545512c39a847b95"},
	{129, "5bd169e67c82c2c2e98ef7008bdf261f2ddf30b1c00f9e7f275bb3e8a28dc9a2",
	 "5c363ae42a5bec26fbc5e996428d9bd7", "53f9881384d4b6bd2add7650fbb4a128"},
	{255, "f03f5789d3336b80d002d59fdf918bdb775b00956ed5528e86aa994acb38fe2d",
	 "cd075928ab7e6883e697fe7fd3ac43ee", "b2953795123bd6b890ef3b6fa8b9bae2"},
	{1000, "b5f9d7799111edafc9326fbf667be98140b5e20ce5e151793c59125bf654ac18",
	 "f69872b03760f95ddfb897eede223884", "998990be07e69341f0bd227991a7416d"},
};
#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static void hashes_the_example_of_rfc_7693(void **state)
{
	uint8_t out[WG_HASH_LEN];
	(void)state;
	wg_hash(out, "abc", 3, NULL, 0); /* appendix B */
	assert_hex(out, sizeof(out),
		   "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
}

static void hashes_and_macs_each_length_however_it_is_split(void **state)
{
	uint8_t data[1000];
	uint8_t key[32];
	uint8_t out[WG_HASH_LEN];
	(void)state;
	count_up(data, sizeof(data));
	count_up(key, sizeof(key));
	for (size_t i = 0; i < VECTORS; i++) {
		size_t len = vectors[i].len;
		for (size_t cut = 0; cut <= len; cut++) {
			wg_hash(out, data, cut, data + cut, len - cut);
			assert_hex(out, WG_HASH_LEN, vectors[i].hash);
			wg_mac(out, key, 32, data, cut, data + cut, len - cut);
			assert_hex(out, WG_MAC_LEN, vectors[i].mac);
		}
		wg_mac(out, key, 16, data, len, NULL, 0);
		assert_hex(out, WG_MAC_LEN, vectors[i].mac_short_key);
	}
	wg_mac(out, "k", 1, "abc", 3, NULL, 0);
	assert_hex(out, WG_MAC_LEN, "f335237426ff5582d0c607ef240684b5");
}

static void a_hash_may_take_the_place_of_what_it_hashes(void **state)
{
	uint8_t a[WG_HASH_LEN];
	uint8_t b[WG_HASH_LEN];
	uint8_t expected[WG_HASH_LEN];
	(void)state;
	count_up(a, sizeof(a));
	memset(b, 7, sizeof(b));
	wg_hash(expected, a, sizeof(a), b, sizeof(b));
	uint8_t out[WG_HASH_LEN];
	memcpy(out, a, sizeof(out));
	wg_hash(out, out, sizeof(out), b, sizeof(b));
	assert_memory_equal(out, expected, sizeof(out));
	memcpy(out, b, sizeof(out));
	wg_hash(out, a, sizeof(a), out, sizeof(out));
	assert_memory_equal(out, expected, sizeof(out));
}

/* HMAC keys are filled up with zeros: a key of 32 bytes that ends in zeros is the short key. The first
 * two of these vectors are also those of wireguard-go's own test of its KDF. */
static void derives_known_keys(void **state)
{
	static const struct {
		const char *key;
		const char *input;
		const char *out[3];
	} known[] = {
		{"test-key",
		 "test-input",
		 {"6f0e5ad38daba1bea8a0d213688736f19763239305e0f58aba697f9ffc41c633",
		  "df1194df20802a4fe594cde27e92991c8cae66c366e8106aaa937a55fa371e8a",
		  "fac6e2745a325f5dc5d11a5b165aad08b0ada28e7b4e666b7c077934a4d76c24"}},
		{"wireguard",
		 "wireguard",
		 {"491d43bbfdaa8750aaf535e334ecbfe5129967cd64635101c566d4caefda96e8",
		  "1e71a379baefd8a79aa4662212fcafe19a23e2b609a3db7d6bcba8f560e3d25f",
		  "31e1ae48bddfbe5de38f295e5452b1909a1b4e38e183926af3780b0c1e1f0160"}},
		{"",
		 "",
		 {"8387b46bf43eccfcf349552a095d8315c4055beb90208fb1be23b894bc2ed5d0",
		  "58a0e5f6faefccf4807bff1f05fa8a9217945762040bcec2f4b4a62bdfe0e86e",
		  "0ce6ea98ec548f8e281e93e32db65621c45eb18dc6f0a7ad94178610a2f7338e"}},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint8_t key[WG_HASH_LEN] = {0};
		uint8_t out[3][WG_HASH_LEN];
		memcpy(key, known[i].key, strlen(known[i].key));
		wg_kdf(out[0], out[1], out[2], key, known[i].input, strlen(known[i].input));
		for (size_t j = 0; j < 3; j++)
			assert_hex(out[j], WG_HASH_LEN, known[i].out[j]);
	}
}

static void derives_from_a_full_key(void **state)
{
	uint8_t key[WG_HASH_LEN];
	uint8_t input[100];
	uint8_t out[3][WG_HASH_LEN];
	(void)state;
	count_up(key, sizeof(key));
	count_up(input, sizeof(input));
	wg_kdf(out[0], out[1], out[2], key, input, sizeof(input));
	assert_hex(out[0], 32, "90d0e91cdaea20e41b7e43ef99a35292921d3d49c1d86f48ddf62dbc1cc1bb01");
	assert_hex(out[1], 32, "8814819cb396ee544e3a8314285739d6527a8d87cf930252e61501140ddbba51");
	assert_hex(out[2], 32, "2d4748e29b90d92057489d6aaa0ee0d2a135113b4baaefb8d82fb54bffe16496");
}

static void outputs_that_are_not_wanted_change_nothing_of_the_others(void **state)
{
	uint8_t key[WG_HASH_LEN];
	uint8_t all[3][WG_HASH_LEN];
	(void)state;
	count_up(key, sizeof(key));
	wg_kdf(all[0], all[1], all[2], key, "in", 2);
	for (unsigned wanted = 0; wanted < 8; wanted++) {
		uint8_t out[3][WG_HASH_LEN] = {{0}};
		wg_kdf(wanted & 1 ? out[0] : NULL, wanted & 2 ? out[1] : NULL,
		       wanted & 4 ? out[2] : NULL, key, "in", 2);
		for (unsigned j = 0; j < 3; j++) {
			if (wanted >> j & 1)
				assert_memory_equal(out[j], all[j], WG_HASH_LEN);
			else
				assert_true(sodium_is_zero(out[j], WG_HASH_LEN));
		}
	}
	wg_kdf(key, NULL, NULL, key, "in", 2); /* the chaining key in its own place */
	assert_memory_equal(key, all[0], WG_HASH_LEN);
}

static void *hash_much(void *arg)
{
	uint8_t out[WG_HASH_LEN];
	bool *ok = arg;
	*ok = true;
	wg_blake2_warm_up();
	for (int i = 0; i < 2000; i++) {
		uint8_t expected[WG_HASH_LEN];
		sodium_hex2bin(expected, sizeof(expected), vectors[0].hash, 64, NULL, NULL, NULL);
		wg_hash(out, NULL, 0, NULL, 0);
		*ok = *ok && memcmp(out, expected, sizeof(out)) == 0;
	}
	return NULL;
}

static void hashes_in_several_threads(void **state)
{
	pthread_t threads[4];
	bool ok[4];
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hash_much, &ok[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_true(ok[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* first, while libb2 has not chosen its code yet */
		cmocka_unit_test(hashes_in_several_threads),
		cmocka_unit_test(hashes_the_example_of_rfc_7693),
		cmocka_unit_test(hashes_and_macs_each_length_however_it_is_split),
		cmocka_unit_test(a_hash_may_take_the_place_of_what_it_hashes),
		cmocka_unit_test(derives_known_keys),
		cmocka_unit_test(derives_from_a_full_key),
		cmocka_unit_test(outputs_that_are_not_wanted_change_nothing_of_the_others),
	};
	return cmocka_run_group_tests_name("wireguard blake2", tests, NULL, NULL);
}
