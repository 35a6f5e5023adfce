/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * salamander: what Hysteria 2 does to its datagrams (its PROTOCOL.md, "Salamander").
 *
 *	salt: 8 random bytes | data xor k, k repeated     k = BLAKE2b-256(password || salt)
 *
 * The same 32 bytes are used again and again within a packet, so what repeats in the data at a distance of
 * 32 bytes can still be seen: only what looks random already is hidden. Nothing is authenticated.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "mode.h"

#define SALT_LEN     8u
#define PAD_LEN      32u
#define PASSWORD_MIN 4u /* as Hysteria asks for */

struct salamander {
	crypto_generichash_state keyed; /* has taken the password in */
	bool wireguard;                 /* its messages are what comes from above */
};

static vpn_status check(const struct obfs_options *o, struct vpn_error *err)
{
	if (o->password == NULL && o->key.data == NULL)
		return obfs_fault(err, VPN_EINVAL, "/password",
				  "mode \"salamander\" needs a \"password\" (or a \"key\")");
	if (o->password != NULL && strlen(o->password) < PASSWORD_MIN)
		return obfs_fault(err, VPN_EINVAL, "/password",
				  "mode \"salamander\" takes a password of at least %u bytes",
				  PASSWORD_MIN);
	return VPN_OK;
}

static void needs(const struct obfs_options *o, struct vpn_needs *out)
{
	(void)o;
	out->flags |= VPN_WANTS_CIPHERTEXT;
	out->headroom = SALT_LEN;
	out->overhead = SALT_LEN;
}

static vpn_status create(const struct vpn_host *host, const struct obfs_options *o, void **state,
			 struct vpn_error *err)
{
	const uint8_t *psk = o->key.data;
	size_t len = o->key.len;
	if (o->password != NULL) {
		psk = (const uint8_t *)o->password;
		len = strlen(o->password);
	}
	/* libsodium's state wants to begin at a line of the cache */
	struct salamander *s = aligned_alloc(_Alignof(struct salamander), sizeof(*s));
	*state = s;
	if (s == NULL)
		return obfs_fault(err, VPN_ENOMEM, "", "out of memory");
	s->wireguard = obfs_is_above(host, "wireguard");
	crypto_generichash_init(&s->keyed, NULL, 0, PAD_LEN);
	crypto_generichash_update(&s->keyed, psk, len);
	return VPN_OK;
}

static void destroy(void *state)
{
	if (state != NULL)
		sodium_memzero(state, sizeof(struct salamander));
	free(state);
}

/* Data xor pad, again and again. */
static void mix(uint8_t *data, uint32_t len, const uint8_t pad[PAD_LEN])
{
	uint64_t words[PAD_LEN / 8], piece[PAD_LEN / 8];
	uint32_t i = 0;
	memcpy(words, pad, PAD_LEN);
	for (; len - i >= PAD_LEN; i += PAD_LEN) {
		memcpy(piece, data + i, PAD_LEN);
		for (uint32_t k = 0; k < PAD_LEN / 8; k++)
			piece[k] ^= words[k];
		memcpy(data + i, piece, PAD_LEN);
	}
	for (uint32_t k = 0; i < len; i++, k++)
		data[i] ^= pad[k];
}

/* The password is in the hash already: one call of the compression function for each packet. */
static void apply(const struct salamander *s, const uint8_t salt[SALT_LEN], uint8_t *data,
		  uint32_t len)
{
	crypto_generichash_state hash = s->keyed;
	uint8_t pad[PAD_LEN];
	crypto_generichash_update(&hash, salt, SALT_LEN);
	crypto_generichash_final(&hash, pad, sizeof(pad));
	mix(data, len, pad);
}

/*
 * Nothing proves that a packet is ours. Where WireGuard stands above, its messages tell: a type from 1 to
 * 4 in four bytes, little-endian, and the sizes of its messages (whitepaper, section 5.4). What another
 * password makes of a packet passes this once in 2^30 times, and WireGuard refuses it then.
 */
static bool is_wireguard(const uint8_t *data, uint32_t len)
{
	if (len < 32 || data[1] != 0 || data[2] != 0 || data[3] != 0)
		return false;
	switch (data[0]) {
	case 1:
		return len == 148;
	case 2:
		return len == 92;
	case 3:
		return len == 64;
	default:
		return data[0] == 4;
	}
}

static void seal(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		if (p->len == 0) { /* the other side takes none without data */
			fates[i] = OBFS_DROP(OBFS_DROP_SHORT);
			continue;
		}
		uint64_t salt = obfs_random_u64(&l->random);
		p->off -= SALT_LEN;
		p->len += SALT_LEN;
		uint8_t *at = vpn_packet_data(p);
		memcpy(at, &salt, SALT_LEN);
		apply(l->mode, at, at + SALT_LEN, p->len - SALT_LEN);
	}
}

static void open(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	const struct salamander *s = l->mode;
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		uint8_t *at = vpn_packet_data(p);
		if (p->len <= SALT_LEN) {
			fates[i] = OBFS_DROP(OBFS_DROP_SHORT);
			continue;
		}
		uint32_t len = p->len - SALT_LEN;
		apply(s, at, at + SALT_LEN, len);
		if (s->wireguard && !is_wireguard(at + SALT_LEN, len)) {
			fates[i] = OBFS_DROP(OBFS_DROP_FOREIGN);
			continue;
		}
		p->off += SALT_LEN;
		p->len = len;
	}
}

const struct obfs_mode obfs_salamander = {
	.name = "salamander",
	.check = check,
	.needs = needs,
	.create = create,
	.destroy = destroy,
	.seal = seal,
	.open = open,
};
