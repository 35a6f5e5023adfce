/* SPDX-License-Identifier: BSD-2-Clause */
#include "veil_packet.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mode.h"
#include "veil_mask.h"

#define NONCE  ((uint32_t)crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
#define HEADER 24u

_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES + HEADER == VEIL_HEADROOM, "room");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES == VEIL_TAG, "tag");

/* First bytes of WireGuard's messages (whitepaper section 5.4), as a little-endian word. */
#define WG_INITIATION 1u
#define WG_DATA       4u
#define WG_KEEPALIVE  32u /* length of a message of data that holds none */

/* What was taken before we started is not known any more. So whoever is not known yet is heard only with
 * packets from after the start; but for this much, since clocks differ. */
#define START_GRACE_MS 2000u

struct veil {
	struct veil_keys keys;
	struct veil_lengths lengths;
	struct veil_replay *replay;
	uint64_t first_sender;
	uint32_t n_lanes;
	uint32_t largest;
	bool whole;
	bool leads;
};

struct header {
	uint64_t sender;
	uint64_t number;
	uint64_t time; /* 48 bits */
	uint32_t len;  /* 16 bits */
};

static uint64_t load(const uint8_t *p, uint32_t bytes)
{
	uint64_t v = 0;
	for (uint32_t i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static void store(uint8_t *p, uint64_t v, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void write_header(uint8_t *p, const struct header *h)
{
	store(p, h->sender, 8);
	store(p + 8, h->number, 8);
	store(p + 16, h->time, 6);
	store(p + 22, h->len, 2);
}

static struct header read_header(const uint8_t *p)
{
	return (struct header){.sender = load(p, 8),
			       .number = load(p + 8, 8),
			       .time = load(p + 16, 6),
			       .len = (uint32_t)load(p + 22, 2)};
}

/* ---- life ---- */

struct veil *veil_new(const struct veil_setup *setup)
{
	struct veil *v = calloc(1, sizeof(*v));
	if (v == NULL)
		return NULL;
	uint64_t floor = setup->now_ms > START_GRACE_MS ? setup->now_ms - START_GRACE_MS : 0;
	v->replay = veil_replay_new(VEIL_REPLAY_SENDERS, setup->window_ms, floor);
	if (v->replay == NULL)
		return veil_free(v);
	veil_key_derive(setup->root, &v->keys);
	veil_length_init(&v->lengths, v->keys.length);
	v->first_sender = setup->first_sender;
	v->n_lanes = setup->n_lanes;
	v->largest = setup->largest;
	v->whole = setup->whole;
	v->leads = setup->leads;
	return v;
}

struct veil *veil_free(struct veil *v)
{
	if (v == NULL)
		return NULL;
	veil_replay_free(v->replay);
	sodium_memzero(v, sizeof(*v));
	free(v);
	return NULL;
}

void veil_lane_init(const struct veil *v, struct veil_lane *own, uint32_t index)
{
	own->sender = v->first_sender + index;
	own->number = 0;
}

/* ---- down ---- */

/* What a batch is sealed with. */
struct batch {
	const struct veil *v;
	struct veil_lane *own;
	struct obfs_random *random;
	uint64_t now_ms;
	uint32_t masked_len, masked_tail; /* of the last masked packet; 0 = none yet */
};

/* How much may be put behind a packet that has `len` bytes on the wire. */
static uint32_t room_behind(const struct veil *v, const struct vpn_packet *p, uint32_t len,
			    uint32_t tag)
{
	uint32_t room = vpn_packet_tailroom(p) - tag;
	uint32_t limit = v->largest > len ? v->largest - len : 0;
	return room < limit ? room : limit;
}

/* The packet has its data and `pad` zeros behind; `len` of them are real. */
static void encrypt(const struct batch *b, struct vpn_packet *p, uint32_t len, uint32_t pad)
{
	struct header h = {b->own->sender, b->own->number++, b->now_ms, len};
	unsigned long long sealed;
	memset(vpn_packet_data(p) + len, 0, pad);
	p->off -= VEIL_HEADROOM;
	uint8_t *at = vpn_packet_data(p);
	obfs_random_fill(b->random, at, NONCE);
	write_header(at + NONCE, &h);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(at + NONCE, &sealed, at + NONCE,
							 HEADER + len + pad, NULL, 0, NULL, at,
							 b->v->keys.seal);
	p->len = VEIL_OVERHEAD + len + pad;
}

static void seal_one(const struct batch *b, struct vpn_packet *p, enum veil_kind kind)
{
	uint32_t len = p->len;
	uint32_t room = room_behind(b->v, p, len + VEIL_OVERHEAD, VEIL_TAG);
	uint32_t random = (uint32_t)obfs_random_u64(b->random);
	encrypt(b, p, len, veil_length_draw(&b->v->lengths, kind, random, room));
}

/* Packets of one length that follow each other get tails of one length, and a shorter one behind them does
 * not become longer than they are: so the stage below can still send them as one (UDP_SEGMENT). */
static uint32_t tail_of(struct batch *b, const struct vpn_packet *p)
{
	if (p->len == b->masked_len)
		return b->masked_tail;
	uint32_t room = room_behind(b->v, p, p->len, 0);
	uint32_t before = b->masked_len + b->masked_tail;
	if (p->len < b->masked_len && before - p->len < room)
		room = before - p->len;
	b->masked_len = p->len;
	b->masked_tail = veil_length_draw(&b->v->lengths, VEIL_TAIL,
					  (uint32_t)obfs_random_u64(b->random), room);
	return b->masked_tail;
}

static void mask_one(struct batch *b, struct vpn_packet *p)
{
	uint32_t tail = tail_of(b, p);
	uint8_t *data = vpn_packet_data(p);
	obfs_random_fill(b->random, data + p->len, tail);
	veil_mask_put(b->v->keys.mask, data, tail);
	p->len += tail;
}

void veil_seal(const struct veil *v, struct veil_lane *own, struct obfs_random *random,
	       uint64_t now_ms, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	struct batch b = {.v = v, .own = own, .random = random, .now_ms = now_ms};
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		if (v->whole) {
			seal_one(&b, p, VEIL_SMALL);
			continue;
		}
		uint32_t type = p->len >= 4 ? (uint32_t)load(vpn_packet_data(p), 4) : 0;
		if (type == WG_DATA && p->len >= VEIL_MASK_FROM) {
			mask_one(&b, p);
			continue;
		}
		if (type == WG_INITIATION && v->leads)
			fates[i] = OBFS_LEAD;
		seal_one(&b, p,
			 type == WG_DATA && p->len > WG_KEEPALIVE ? VEIL_SMALL : VEIL_HANDSHAKE);
	}
}

void veil_junk(const struct veil *v, struct veil_lane *own, struct obfs_random *random,
	       uint64_t now_ms, struct vpn_packet *p, uint32_t len)
{
	struct batch b = {.v = v, .own = own, .random = random, .now_ms = now_ms};
	encrypt(&b, p, 0, len - VEIL_OVERHEAD);
}

/* ---- up ---- */

/* True when the tag is right; the header is readable then, in its place. */
static bool decrypt(const struct veil *v, const struct vpn_packet *p)
{
	uint8_t *at = vpn_packet_data(p);
	unsigned long long len;
	return crypto_aead_xchacha20poly1305_ietf_decrypt(at + NONCE, &len, NULL, at + NONCE,
							  p->len - NONCE, NULL, 0, at,
							  v->keys.seal) == 0;
}

/* What becomes of a packet whose tag was right; the lock is held. */
static uint8_t judge(const struct veil *v, uint64_t now_ms, struct vpn_packet *p)
{
	struct header h = read_header(vpn_packet_data(p) + NONCE);
	if (h.len > p->len - VEIL_OVERHEAD)
		return OBFS_DROP(OBFS_DROP_FOREIGN);
	if (h.sender - v->first_sender < v->n_lanes)
		return OBFS_DROP(OBFS_DROP_REFLECTED);
	switch (veil_replay_check(v->replay, h.sender, h.number, h.time, now_ms)) {
	case VEIL_STALE:
		return OBFS_DROP(OBFS_DROP_STALE);
	case VEIL_REPLAYED:
		return OBFS_DROP(OBFS_DROP_REPLAY);
	case VEIL_NEW:
		break;
	}
	p->off += VEIL_HEADROOM;
	p->len = h.len;
	return h.len != 0 ? OBFS_PASS : OBFS_CONSUMED;
}

/* OBFS_CONSUMED: it was sealed, and is to be judged. */
static uint8_t open_one(const struct veil *v, struct vpn_packet *p)
{
	if (!v->whole && veil_mask_take(v->keys.mask, vpn_packet_data(p), p->len, &p->len))
		return OBFS_PASS;
	if (p->len < VEIL_OVERHEAD)
		return OBFS_DROP(OBFS_DROP_SHORT);
	return decrypt(v, p) ? OBFS_CONSUMED : OBFS_DROP(OBFS_DROP_FOREIGN);
}

void veil_open(const struct veil *v, uint64_t now_ms, struct vpn_packet **pkts, uint32_t n,
	       uint8_t *fates)
{
	bool any = false;
	for (uint32_t i = 0; i < n; i++) {
		fates[i] = open_one(v, pkts[i]);
		any = any || fates[i] == OBFS_CONSUMED;
	}
	if (!any)
		return;
	veil_replay_lock(v->replay);
	for (uint32_t i = 0; i < n; i++)
		if (fates[i] == OBFS_CONSUMED)
			fates[i] = judge(v, now_ms, pkts[i]);
	veil_replay_unlock(v->replay);
}
