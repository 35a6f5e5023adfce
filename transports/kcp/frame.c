/* SPDX-License-Identifier: BSD-2-Clause */
/* frame: the byte formats of our own wire. */
#include "frame.h"

#include <string.h>

#define KIND_MASK 0xf0u

static bool has_length(uint8_t kind, uint32_t len)
{
	switch (kind) {
	case KCP_FRAME_DATA:
		return len > KCP_FRAME_HEAD_LEN;
	case KCP_FRAME_MULTI:
	case KCP_FRAME_PARITY:
		return len > KCP_FRAME_HEAD_LEN + KCP_FRAME_SHARD_LEN;
	case KCP_FRAME_ACK:
		return len > KCP_FRAME_HEAD_LEN;
	case KCP_FRAME_PING:
	case KCP_FRAME_RESET:
		return len == KCP_FRAME_HEAD_LEN;
	case KCP_FRAME_CLOSE:
		return len == KCP_FRAME_CLOSE_LEN;
	case KCP_FRAME_HELLO:
	case KCP_FRAME_COOKIE:
	case KCP_FRAME_WELCOME:
		return len == KCP_FRAME_HELLO_LEN;
	default:
		return false;
	}
}

uint8_t kcp_frame_peek(const uint8_t *data, uint32_t len, uint32_t *ret_number)
{
	if (len < KCP_FRAME_HEAD_LEN)
		return 0;
	uint8_t kind = data[0] & KIND_MASK;
	uint8_t flags = data[0] & (uint8_t)~KIND_MASK;
	uint8_t known = kind == KCP_FRAME_DATA || kind == KCP_FRAME_MULTI ? KCP_FRAME_COVERED : 0;
	if ((flags & ~known) != 0 || !has_length(kind, len))
		return 0;
	*ret_number = kcp_load_le32(data + 4);
	return kind;
}

void kcp_frame_parse(const uint8_t *data, struct kcp_frame *out)
{
	out->kind = data[0] & KIND_MASK;
	out->flags = data[0] & (uint8_t)~KIND_MASK;
	out->small = data[1];
	out->word = kcp_load_le16(data + 2);
	out->number = kcp_load_le32(data + 4);
	out->pn = kcp_load_le32(data + 8);
	out->id = kcp_load_le32(data + 12);
}

void kcp_frame_write(uint8_t *data, const struct kcp_frame *f)
{
	data[0] = f->kind | f->flags;
	data[1] = f->small;
	kcp_store_le16(data + 2, f->word);
	kcp_store_le32(data + 4, f->number);
	kcp_store_le32(data + 8, f->pn);
	kcp_store_le32(data + 12, f->id);
}

/* COOKIE comes from who keeps nothing, and says none. */
static bool is_mode(uint8_t kind, uint8_t mode)
{
	if (kind == KCP_FRAME_COOKIE)
		return mode == 0;
	return mode == KCP_FRAME_MODE_DATAGRAM || mode == KCP_FRAME_MODE_DEADLINE;
}

bool kcp_frame_parse_hello(const uint8_t *data, struct kcp_frame_hello *out)
{
	out->kind = data[0] & KIND_MASK;
	out->version = data[1];
	out->mode = data[2];
	out->number = kcp_load_le32(data + 4);
	out->sender = kcp_load_le64(data + 8);
	out->receiver = kcp_load_le64(data + 16);
	out->first_pn = kcp_load_le32(data + 24);
	out->window = kcp_load_le32(data + 28);
	out->budget_us = kcp_load_le32(data + 32);
	out->message = kcp_load_le32(data + 36);
	memcpy(out->cookie, data + 48, KCP_FRAME_COOKIE_LEN);
	return out->version == KCP_FRAME_VERSION && is_mode(out->kind, out->mode) && data[3] == 0 &&
	       kcp_load_le64(data + 40) == 0;
}

void kcp_frame_write_hello(uint8_t *data, const struct kcp_frame_hello *h)
{
	memset(data, 0, KCP_FRAME_HELLO_LEN);
	data[0] = h->kind;
	data[1] = h->version;
	data[2] = h->mode;
	kcp_store_le32(data + 4, h->number);
	kcp_store_le64(data + 8, h->sender);
	kcp_store_le64(data + 16, h->receiver);
	kcp_store_le32(data + 24, h->first_pn);
	kcp_store_le32(data + 28, h->window);
	kcp_store_le32(data + 32, h->budget_us);
	kcp_store_le32(data + 36, h->message);
	memcpy(data + 48, h->cookie, KCP_FRAME_COOKIE_LEN);
}

bool kcp_frame_parse_shard(const uint8_t *data, uint32_t len, struct kcp_frame_shard *out)
{
	if (len < KCP_FRAME_SHARD_LEN)
		return false;
	out->len = kcp_load_le16(data);
	out->back = kcp_load_le16(data + 2);
	out->lane = data[4];
	return out->len != 0 && out->len <= len - KCP_FRAME_SHARD_LEN && data[5] == 0;
}

void kcp_frame_write_shard(uint8_t *data, const struct kcp_frame_shard *s)
{
	kcp_store_le16(data, s->len);
	kcp_store_le16(data + 2, s->back);
	data[4] = s->lane;
	data[5] = 0;
}
