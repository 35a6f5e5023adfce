/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys from passwords, and the checksum of the crypt header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crc32.h"
#include "kdf.h"

static void check(const char *password, const char *hex)
{
	const char *why = NULL;
	uint8_t key[KCP_KEY_LEN];
	char text[2 * KCP_KEY_LEN + 1];
	assert_true(kcp_kdf(password, key, &why));
	for (uint32_t i = 0; i < KCP_KEY_LEN; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", key[i]);
	assert_string_equal(text, hex);
}

/* Computed with Python's hashlib.pbkdf2_hmac("sha1", password, b"kcp-go", 4096, 32). */
static void makes_the_keys_of_kcptun(void **state)
{
	(void)state;
	check("it's a secrect", "25d7d7bd51050742d8d791f2b653c6c8b2366b7e25a124cf7a2e12eaf4ffa444");
	check("testkey", "9edba19032fc09503ebdfefeb1cb266424b539e9bdc67c1aa922bff833ac5274");
}

static void takes_passwords_of_any_length(void **state)
{
	char password[301];
	(void)state;
	check("", "b23383c32eefa3753ab6db6e639a0ddc3b50ec6b6c623c9171a15ba0879945cd");
	memset(password, 'x', 300);
	password[300] = 0;
	check(password, "bb5f00d7ee2d1757a3ec37f81f9041b5f00366aa3d5405e445a0177ab26bb3bd");
}

static void sums_as_ieee_802_3(void **state)
{
	const uint8_t *check = (const uint8_t *)"123456789";
	(void)state;
	assert_int_equal(kcp_crc32(check, 0), 0);
	assert_int_equal(kcp_crc32(check, 9), 0xcbf43926);
}

/* The library has loops for long, short and odd ends. */
static void sums_bit_by_bit_the_same(void **state)
{
	uint8_t data[600];
	(void)state;
	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 167 + 13);
	for (uint32_t len = 0; len < 580; len++) {
		const uint8_t *at = data + len % 17;
		uint32_t crc = 0xffffffff;
		for (uint32_t i = 0; i < len; i++) {
			crc ^= at[i];
			for (uint32_t bit = 0; bit < 8; bit++)
				crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
		}
		assert_int_equal(kcp_crc32(at, len), ~crc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_the_keys_of_kcptun),
		cmocka_unit_test(takes_passwords_of_any_length),
		cmocka_unit_test(sums_as_ieee_802_3),
		cmocka_unit_test(sums_bit_by_bit_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
