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
	(void)host;
	if (o->password != NULL) {
		psk = (const uint8_t *)o->password;
		len = strlen(o->password);
	}
	/* libsodium's state asks for more than malloc() promises */
	struct salamander *s = sodium_malloc(sizeof(*s));
	*state = s;
	if (s == NULL)
		return obfs_fault(err, VPN_ENOMEM, "", "out of memory");
	crypto_generichash_init(&s->keyed, NULL, 0, PAD_LEN);
	crypto_generichash_update(&s->keyed, psk, len);
	return VPN_OK;
}

static void destroy(void *state)
{
	sodium_free(state);
}

static void mix(const struct salamander *s, const uint8_t *salt, uint8_t *data, uint32_t len)
{
	crypto_generichash_state hash = s->keyed;
	uint8_t pad[PAD_LEN];
	crypto_generichash_update(&hash, salt, SALT_LEN);
	crypto_generichash_final(&hash, pad, sizeof(pad));
	for (uint32_t i = 0; i < len; i++)
		data[i] ^= pad[i % PAD_LEN];
}

static void seal(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	(void)fates;
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		uint64_t salt = obfs_random_u64(&l->random);
		p->off -= SALT_LEN;
		p->len += SALT_LEN;
		uint8_t *at = vpn_packet_data(p);
		memcpy(at, &salt, SALT_LEN);
		mix(l->mode, at, at + SALT_LEN, p->len - SALT_LEN);
	}
}

static void open(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		uint8_t *at = vpn_packet_data(p);
		if (p->len <= SALT_LEN) {
			fates[i] = OBFS_DROP(OBFS_DROP_SHORT);
			continue;
		}
		p->off += SALT_LEN;
		p->len -= SALT_LEN;
		mix(l->mode, at, at + SALT_LEN, p->len);
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
