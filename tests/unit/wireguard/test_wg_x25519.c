/* SPDX-License-Identifier: BSD-2-Clause */
/* The public key, beside RFC 7748 and libsodium's own way to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "x25519.h"

static void expect(const char *private_hex, const char *public_hex)
{
	uint8_t private_key[WG_KEY_LEN], public_key[WG_KEY_LEN], got[WG_KEY_LEN];
	assert_int_equal(sodium_hex2bin(private_key, WG_KEY_LEN, private_hex, 64, NULL, NULL, NULL),
			 0);
	assert_int_equal(sodium_hex2bin(public_key, WG_KEY_LEN, public_hex, 64, NULL, NULL, NULL),
			 0);
	wg_x25519_base(got, private_key);
	assert_memory_equal(got, public_key, WG_KEY_LEN);
}

static void gives_the_public_keys_of_rfc_7748(void **state)
{
	(void)state;
	/* section 6.1 */
	expect("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
	       "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
	expect("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
	       "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
}

static void compare_with_the_ladder(const uint8_t key[WG_KEY_LEN])
{
	uint8_t got[WG_KEY_LEN], wanted[WG_KEY_LEN];
	assert_int_equal(crypto_scalarmult_curve25519_base(wanted, key), 0);
	wg_x25519_base(got, key);
	assert_memory_equal(got, wanted, WG_KEY_LEN);
}

static void agrees_at_the_edges(void **state)
{
	uint8_t key[WG_KEY_LEN];
	(void)state;
	for (int fill = 0; fill < 2; fill++) {
		memset(key, fill ? 0xff : 0, sizeof(key));
		compare_with_the_ladder(key);
		for (int bit = 0; bit < 256; bit++) {
			key[bit / 8] ^= (uint8_t)(1 << bit % 8);
			compare_with_the_ladder(key);
			key[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void agrees_at_random(void **state)
{
	static const uint8_t seed[randombytes_SEEDBYTES] = {25, 5, 19};
	static uint8_t keys[4000][WG_KEY_LEN]; /* always the same ones */
	(void)state;
	randombytes_buf_deterministic(keys, sizeof(keys), seed);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		compare_with_the_ladder(keys[i]);
}

static void may_write_where_it_reads(void **state)
{
	uint8_t key[WG_KEY_LEN], wanted[WG_KEY_LEN];
	(void)state;
	randombytes_buf(key, sizeof(key));
	wg_x25519_base(wanted, key);
	wg_x25519_base(key, key);
	assert_memory_equal(key, wanted, WG_KEY_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_public_keys_of_rfc_7748),
		cmocka_unit_test(agrees_at_the_edges),
		cmocka_unit_test(agrees_at_random),
		cmocka_unit_test(may_write_where_it_reads),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("x25519", tests, NULL, NULL);
}
