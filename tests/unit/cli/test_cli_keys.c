/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys and their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "keys.h"

static const uint8_t counting[KEYS_LEN] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
					   11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
					   22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
static const char counting_text[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

static void refuse(const char *text, const char *part)
{
	uint8_t key[KEYS_LEN];
	memset(key, 0x55, sizeof(key));
	const char *wrong = keys_decode(text, strlen(text), key);
	if (wrong == NULL)
		fail_msg("\"%s\" was taken for a key", text);
	if (strstr(wrong, part) == NULL)
		fail_msg("\"%s\": \"%s\" does not say \"%s\"", text, wrong, part);
	assert_true(keys_is_zero(key));
}

static void writes_and_reads_base64(void **state)
{
	char text[KEYS_TEXT];
	uint8_t key[KEYS_LEN];
	(void)state;
	assert_string_equal(keys_encode(counting, text), counting_text);
	assert_null(keys_decode(counting_text, KEYS_TEXT - 1, key));
	assert_memory_equal(key, counting, KEYS_LEN);
	memset(key, 0xff, sizeof(key));
	assert_string_equal(keys_encode(key, text), "//////////////////////////////////////////8=");
	assert_null(keys_decode(text, KEYS_TEXT - 1, key));
	assert_int_equal(key[31], 0xff);
}

static void reads_back_what_it_wrote(void **state)
{
	char text[KEYS_TEXT];
	uint8_t key[KEYS_LEN], again[KEYS_LEN];
	(void)state;
	for (int i = 0; i < 2000; i++) {
		keys_make(key, false);
		keys_encode(key, text);
		assert_int_equal(strlen(text), KEYS_TEXT - 1);
		assert_null(keys_decode(text, KEYS_TEXT - 1, again));
		assert_memory_equal(key, again, KEYS_LEN);
	}
}

static void refuses_what_is_no_key(void **state)
{
	(void)state;
	refuse("", "too short");
	refuse("=", "too short");
	refuse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "\"=\" at its end is missing");
	refuse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", "one \"=\"");
	refuse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A", "one \"=\"");
	refuse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==", "too long");
	refuse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh=8", "one \"=\"");
	refuse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", "too long");
	refuse("=AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "one \"=\"");
	refuse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-_", "base64 does not");
	refuse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH 8=", "base64 does not");
	refuse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH\xc3"
	       "8=",
	       "base64 does not");
	refuse("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hexadecimal");
}

/* 43 letters carry 258 bits: of the last one, four values of each sixteen can stand there. */
static void refuses_bits_behind_the_key(void **state)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[KEYS_TEXT];
	uint8_t key[KEYS_LEN];
	int good = 0;
	(void)state;
	for (size_t i = 0; i < 64; i++) {
		memcpy(text, counting_text, KEYS_TEXT);
		text[42] = letters[i];
		if (keys_decode(text, KEYS_TEXT - 1, key) == NULL) {
			assert_int_equal(i % 4, 0);
			good++;
		} else {
			refuse(text, "last letter");
		}
	}
	assert_int_equal(good, 16);
}

static void from_hex(const char *hex, uint8_t key[KEYS_LEN])
{
	assert_int_equal(sodium_hex2bin(key, KEYS_LEN, hex, 2 * KEYS_LEN, NULL, NULL, NULL), 0);
}

/* RFC 7748 section 6.1: the pairs of Alice and of Bob. */
static void makes_the_public_keys_of_rfc_7748(void **state)
{
	static const char *const pairs[][2] = {
		{"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
		 "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"},
		{"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
		 "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"},
	};
	uint8_t private_key[KEYS_LEN], expected[KEYS_LEN], found[KEYS_LEN];
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		from_hex(pairs[i][0], private_key);
		from_hex(pairs[i][1], expected);
		keys_public(private_key, found);
		assert_memory_equal(found, expected, KEYS_LEN);
	}
}

static void private_keys_are_clamped_and_preshared_ones_are_not(void **state)
{
	uint8_t key[KEYS_LEN], seen_low = 0, seen_high = 0;
	(void)state;
	for (int i = 0; i < 200; i++) {
		keys_make(key, true);
		assert_int_equal(key[0] & 7, 0);
		assert_int_equal(key[31] & 0xc0, 0x40);
		keys_make(key, false);
		seen_low |= key[0];
		seen_high |= key[31];
	}
	assert_int_equal(seen_low & 7, 7);
	assert_int_equal(seen_high & 0x80, 0x80);
}

static void a_key_need_not_be_clamped(void **state)
{
	uint8_t key[KEYS_LEN], clamped[KEYS_LEN], a[KEYS_LEN], b[KEYS_LEN];
	(void)state;
	memset(key, 0xff, sizeof(key));
	memcpy(clamped, key, sizeof(key));
	clamped[0] &= 0xf8;
	clamped[31] = 0x7f;
	keys_public(key, a);
	keys_public(clamped, b);
	assert_memory_equal(a, b, KEYS_LEN);
}

static int start(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_and_reads_base64),
		cmocka_unit_test(reads_back_what_it_wrote),
		cmocka_unit_test(refuses_what_is_no_key),
		cmocka_unit_test(refuses_bits_behind_the_key),
		cmocka_unit_test(makes_the_public_keys_of_rfc_7748),
		cmocka_unit_test(private_keys_are_clamped_and_preshared_ones_are_not),
		cmocka_unit_test(a_key_need_not_be_clamped),
	};
	return cmocka_run_group_tests_name("cli keys", tests, start, NULL);
}
