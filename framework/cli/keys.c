/* SPDX-License-Identifier: BSD-2-Clause */
#include "keys.h"

#include <sodium.h>
#include <string.h>

#define TEXT_LEN (KEYS_TEXT - 1)

const char *keys_encode(const uint8_t key[KEYS_LEN], char text[KEYS_TEXT])
{
	return sodium_bin2base64(text, KEYS_TEXT, key, KEYS_LEN, sodium_base64_VARIANT_ORIGINAL);
}

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/';
}

/* What is wrong with a text that was refused. It is no key, so that looking closely tells nothing. */
static const char *explain(const char *text, size_t len)
{
	size_t good = 0;
	while (good < len && is_base64(text[good]))
		good++;
	if (len == 64 && strspn(text, "0123456789abcdefABCDEF") >= 64)
		return "it is hexadecimal; a key is written in base64, 44 characters";
	if (len == TEXT_LEN - 1 && good == len)
		return "the \"=\" at its end is missing";
	if (good < len && text[good] != '=')
		return "it has a character that base64 does not";
	if (len != TEXT_LEN)
		return len < TEXT_LEN ? "it is too short: a key has 44 characters"
				      : "it is too long: a key has 44 characters";
	if (good != TEXT_LEN - 1)
		return "it must have one \"=\", at its end";
	return "its last letter cannot stand there: a character was mistyped or lost";
}

/* libsodium 1.0.18 takes some bytes above 127 for letters. Constant time. */
static bool is_ascii(const char *text, size_t len)
{
	unsigned char all = 0;
	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	return all < 0x80;
}

const char *keys_decode(const char *text, size_t len, uint8_t key[KEYS_LEN])
{
	size_t n = 0;
	if (len == TEXT_LEN && is_ascii(text, len) &&
	    sodium_base642bin(key, KEYS_LEN, text, len, NULL, &n, NULL,
			      sodium_base64_VARIANT_ORIGINAL) == 0 &&
	    n == KEYS_LEN)
		return NULL;
	sodium_memzero(key, KEYS_LEN);
	return explain(text, len);
}

void keys_make(uint8_t key[KEYS_LEN], bool curve)
{
	randombytes_buf(key, KEYS_LEN);
	if (curve) {
		key[0] &= 0xf8;
		key[31] = (key[31] & 0x7f) | 0x40;
	}
}

void keys_public(const uint8_t private_key[KEYS_LEN], uint8_t public_key[KEYS_LEN])
{
	/* never fails: the base point is no point of low order */
	(void)crypto_scalarmult_curve25519_base(public_key, private_key);
}

bool keys_is_zero(const uint8_t key[KEYS_LEN])
{
	return sodium_is_zero(key, KEYS_LEN) == 1;
}
