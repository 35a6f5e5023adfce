/* SPDX-License-Identifier: BSD-2-Clause */
#include "awg_frame.h"

#include <sodium.h>

#define DATA_HEADER 16u /* in front of the ciphertext of data */

/* WireGuard's whitepaper, sections 5.4.2, 5.4.3, 5.4.7 and 5.4.6 */
const uint32_t awg_frame_size[AWG_KINDS] = {148, 92, 64, 32};

static uint32_t load_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static bool has(const struct awg_range *range, uint32_t word)
{
	return word - range->first <= range->last - range->first;
}

enum awg_kind awg_frame_kind(const struct awg_frame *f, const struct vpn_packet *p)
{
	if (p->len < awg_frame_size[AWG_DATA])
		return AWG_NONE;
	uint32_t word = load_le32(vpn_packet_data(p));
	if (has(&f->h[AWG_DATA], word))
		return AWG_DATA;
	for (enum awg_kind kind = AWG_INITIATION; kind < AWG_DATA; kind++)
		if (has(&f->h[kind], word))
			return p->len == awg_frame_size[kind] ? kind : AWG_NONE;
	return AWG_NONE;
}

/* The bytes of a message that header protection covers. */
static uint32_t covered(enum awg_kind kind)
{
	return kind == AWG_DATA ? DATA_HEADER : awg_frame_size[kind];
}

static void protect(const struct awg_frame *f, const uint8_t *nonce, uint8_t *at, uint32_t len)
{
	crypto_stream_chacha20_ietf_xor(at, at, len, nonce, f->key);
}

void awg_frame_seal(const struct awg_frame *f, struct obfs_random *r, struct vpn_packet *p,
		    enum awg_kind kind, uint32_t trailer)
{
	const struct awg_range *h = &f->h[kind];
	uint32_t front = f->s[kind];
	uint8_t *message = vpn_packet_data(p);
	if (trailer != 0)
		obfs_random_fill(r, message + p->len, trailer);
	if (kind == AWG_DATA && h->first != h->last)
		store_le32(message, obfs_random_between(r, h->first, h->last));
	if (front != 0)
		obfs_random_fill(r, message - front, front);
	if (f->protect)
		protect(f, message - front, message, covered(kind));
	p->off -= front;
	p->len += front + trailer;
}

/*
 * The counter of data counts from 0 in a session of three minutes, so that its upper bits are zero. Random bytes
 * whose word is right by chance, where h4 is wide, are found out by that but for one in 65536.
 */
static bool is_data(const struct awg_frame *f, const uint8_t *data, uint32_t len,
		    const uint8_t stream[DATA_HEADER])
{
	uint32_t front = f->s[AWG_DATA];
	if (len < front + awg_frame_size[AWG_DATA])
		return false;
	const uint8_t *header = data + front;
	return has(&f->h[AWG_DATA], load_le32(header) ^ load_le32(stream)) &&
	       header[14] == stream[14] && header[15] == stream[15];
}

/* Data first: where S differs between messages, or lengths say nothing, bytes of data may pass for the word
 * of a handshake. Among those the narrower range wins, which is the less likely to be met by chance. */
static enum awg_kind classify(const struct awg_frame *f, const uint8_t *data, uint32_t len,
			      const uint8_t stream[DATA_HEADER])
{
	enum awg_kind best = AWG_NONE;
	uint32_t span = 0;
	if (is_data(f, data, len, stream))
		return AWG_DATA;
	for (enum awg_kind kind = AWG_INITIATION; kind < AWG_DATA; kind++) {
		const struct awg_range *h = &f->h[kind];
		uint32_t least = f->s[kind] + awg_frame_size[kind];
		if (f->trailers ? len < least : len != least)
			continue;
		if (!has(h, load_le32(data + f->s[kind]) ^ load_le32(stream)))
			continue;
		if (best == AWG_NONE || h->last - h->first < span) {
			best = kind;
			span = h->last - h->first;
		}
	}
	return best;
}

enum awg_kind awg_frame_open(const struct awg_frame *f, struct vpn_packet *p)
{
	uint8_t *data = vpn_packet_data(p);
	uint8_t stream[DATA_HEADER] = {0};
	if (f->protect) {
		if (p->len < AWG_NONCE_LEN)
			return AWG_NONE;
		crypto_stream_chacha20_ietf(stream, sizeof(stream), data, f->key);
	}
	enum awg_kind kind = classify(f, data, p->len, stream);
	if (kind == AWG_NONE)
		return kind;
	uint32_t front = f->s[kind];
	if (f->protect && kind != AWG_DATA)
		protect(f, data, data + front, covered(kind));
	else if (f->protect)
		for (uint32_t i = 0; i < DATA_HEADER; i++)
			data[front + i] ^= stream[i];
	p->off += front;
	p->len -= front;
	if (kind != AWG_DATA)
		p->len = awg_frame_size[kind]; /* what follows is the trailer */
	return kind;
}
