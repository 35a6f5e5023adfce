/* SPDX-License-Identifier: BSD-2-Clause */
/* flow_door: who may begin a session. */
#include "flow_door.h"

#include <sodium.h>
#include <string.h>

#define SLOT_US 10000000u /* a cookie is good for this slot and the next */
/* In a second. A cookie is no longer than its question and costs two hashes: there are enough for honest peers
 * beside a flood of others. */
#define COOKIES_MOST 5000u
#define RESETS_MOST  100u
#define SECOND_US    1000000u

void kcp_flow_door_init(struct kcp_flow_door *d, const uint8_t secret[32])
{
	*d = (struct kcp_flow_door){0};
	memcpy(d->secret, secret, sizeof(d->secret));
}

void kcp_flow_door_clear(struct kcp_flow_door *d)
{
	sodium_memzero(d, sizeof(*d));
}

static bool may_answer(struct kcp_flow_door *d, uint32_t *n, uint32_t most, uint64_t now_us)
{
	if (now_us - d->answers_from_us >= SECOND_US) {
		d->answers_from_us = now_us;
		d->n_cookies = d->n_resets = 0;
	}
	if (*n >= most)
		return false;
	(*n)++;
	return true;
}

/* BLAKE2b, keyed, over where it came from, who asks, and when. */
static void make_cookie(const struct kcp_flow_door *d, const struct vpn_endpoint *from,
			uint64_t sender, uint64_t slot, uint8_t out[KCP_FRAME_COOKIE_LEN])
{
	uint8_t text[64] = {0};
	if (from != NULL) {
		text[0] = from->family;
		kcp_store_le16(text + 2, from->port);
		kcp_store_le32(text + 4, from->scope);
		memcpy(text + 8, from->addr, sizeof(from->addr));
		kcp_store_le64(text + 24, from->id);
	}
	kcp_store_le64(text + 32, sender);
	kcp_store_le64(text + 40, slot);
	(void)crypto_generichash(out, KCP_FRAME_COOKIE_LEN, text, sizeof(text), d->secret,
				 sizeof(d->secret));
}

static bool is_cookie(const struct kcp_flow_door *d, const struct vpn_endpoint *from,
		      const struct kcp_frame_hello *h, uint64_t slot)
{
	uint8_t good[KCP_FRAME_COOKIE_LEN];
	make_cookie(d, from, h->sender, slot, good);
	return sodium_memcmp(good, h->cookie, sizeof(good)) == 0;
}

enum kcp_flow_verdict kcp_flow_door_hello(struct kcp_flow_door *d, const struct vpn_endpoint *from,
					  const uint8_t *data, uint32_t len, uint64_t now_us,
					  uint8_t *answer, uint32_t *ret_len,
					  struct kcp_frame_hello *ret_hello)
{
	uint32_t number;
	uint64_t slot = now_us / SLOT_US + 1; /* so that there is one before it */
	if (kcp_frame_peek(data, len, &number) != KCP_FRAME_HELLO ||
	    !kcp_frame_parse_hello(data, ret_hello) || number != 0 || ret_hello->receiver != 0 ||
	    (uint32_t)ret_hello->sender == 0)
		return KCP_DOOR_IGNORE;
	/* who has no cookie yet is not worth two hashes */
	if (!sodium_is_zero(ret_hello->cookie, sizeof(ret_hello->cookie)) &&
	    (is_cookie(d, from, ret_hello, slot) || is_cookie(d, from, ret_hello, slot - 1)))
		return KCP_DOOR_ADMIT;
	if (!may_answer(d, &d->n_cookies, COOKIES_MOST, now_us))
		return KCP_DOOR_IGNORE;
	struct kcp_frame_hello h = {
		.kind = KCP_FRAME_COOKIE,
		.version = KCP_FRAME_VERSION,
		.number = (uint32_t)ret_hello->sender,
		.receiver = ret_hello->sender,
	};
	make_cookie(d, from, ret_hello->sender, slot, h.cookie);
	kcp_frame_write_hello(answer, &h);
	*ret_len = KCP_FRAME_HELLO_LEN;
	return KCP_DOOR_ANSWER;
}

enum kcp_flow_verdict kcp_flow_door_stray(struct kcp_flow_door *d, const uint8_t *data,
					  uint32_t len, uint64_t now_us, uint8_t *answer,
					  uint32_t *ret_len)
{
	uint32_t number;
	switch (kcp_frame_peek(data, len, &number)) {
	case KCP_FRAME_DATA:
	case KCP_FRAME_MULTI:
	case KCP_FRAME_PARITY:
	case KCP_FRAME_PING:
		break;
	default:
		return KCP_DOOR_IGNORE; /* an answer to an answer could go on for ever */
	}
	if (!may_answer(d, &d->n_resets, RESETS_MOST, now_us))
		return KCP_DOOR_IGNORE;
	struct kcp_frame f = {
		.kind = KCP_FRAME_RESET,
		.pn = number,
		.id = kcp_load_le32(data + 8),
	};
	kcp_frame_write(answer, &f);
	*ret_len = KCP_FRAME_HEAD_LEN;
	return KCP_DOOR_ANSWER;
}
