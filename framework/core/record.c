/* SPDX-License-Identifier: BSD-2-Clause */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC       0x4a4e5056u /* "VPNJ" */
#define CRC_AT      4u
#define CRC_FROM    8u
#define ORIGIN_BODY 40u
#define CHANGE_BODY 16u
#define DONE_BODY   8u

static void put(uint8_t *at, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get(const uint8_t *at, unsigned bytes)
{
	uint64_t v = 0;
	for (unsigned i = bytes; i-- > 0;)
		v = v << 8 | at[i];
	return v;
}

/* A record is written once in a while: no table is worth its memory. */
static uint32_t crc32c(const uint8_t *at, size_t n)
{
	uint32_t crc = 0xffffffffu;
	for (size_t i = 0; i < n; i++) {
		crc ^= at[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1u)));
	}
	return ~crc;
}

static size_t round_up(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

size_t record_size(uint32_t len)
{
	return RECORD_HEAD + round_up(len);
}

size_t record_read(const uint8_t *at, size_t n, struct record *out)
{
	if (n < RECORD_HEAD || get(at, 4) != MAGIC)
		return 0;
	uint32_t len = (uint32_t)get(at + 8, 4);
	if (len > RECORD_BODY_MAX || record_size(len) > n)
		return 0;
	size_t size = record_size(len);
	if (get(at + CRC_AT, 4) != crc32c(at + CRC_FROM, size - CRC_FROM))
		return 0;
	*out = (struct record){
		.type = (uint16_t)get(at + 12, 2),
		.flags = (uint16_t)get(at + 14, 2),
		.number = get(at + 16, 8),
		.body = at + RECORD_HEAD,
		.len = len,
	};
	return size;
}

bool record_read_origin(const struct record *r, struct origin *out)
{
	if (r->type != RECORD_ORIGIN || r->len < ORIGIN_BODY)
		return false;
	memcpy(out->boot, r->body, sizeof(out->boot));
	out->netns = get(r->body + 16, 8);
	out->wall_ns = get(r->body + 24, 8);
	out->pid = (uint32_t)get(r->body + 32, 4);
	return true;
}

bool record_read_change(const struct record *r, struct record_change *out)
{
	if (r->type != RECORD_CHANGE || r->len < CHANGE_BODY)
		return false;
	uint32_t len = (uint32_t)get(r->body + 4, 4);
	uint16_t id_len = (uint16_t)get(r->body + 8, 2);
	uint16_t path_len = (uint16_t)get(r->body + 10, 2);
	uint64_t names = CHANGE_BODY + round_up(len);
	if (names + id_len + path_len != r->len)
		return false;
	*out = (struct record_change){
		.kind = (uint32_t)get(r->body, 4),
		.data = r->body + CHANGE_BODY,
		.len = len,
		.id = (const char *)r->body + names,
		.id_len = id_len,
		.path = (const char *)r->body + names + id_len,
		.path_len = path_len,
	};
	return true;
}

bool record_read_done(const struct record *r, uint64_t *ret_number)
{
	if (r->type != RECORD_DONE || r->len != DONE_BODY)
		return false;
	*ret_number = get(r->body, 8);
	return true;
}

/* An empty record with room for its body. */
static uint8_t *begin(enum record_type type, uint16_t flags, uint64_t number, size_t len,
		      size_t *ret_size)
{
	if (len > RECORD_BODY_MAX)
		return NULL;
	*ret_size = record_size((uint32_t)len);
	uint8_t *at = calloc(1, *ret_size);
	if (at == NULL)
		return NULL;
	put(at, MAGIC, 4);
	put(at + 8, len, 4);
	put(at + 12, type, 2);
	put(at + 14, flags, 2);
	put(at + 16, number, 8);
	return at;
}

static uint8_t *finish(uint8_t *at, size_t size)
{
	put(at + CRC_AT, crc32c(at + CRC_FROM, size - CRC_FROM), 4);
	return at;
}

uint8_t *record_make_origin(const struct origin *o, uint64_t number, size_t *ret_size)
{
	uint8_t *at = begin(RECORD_ORIGIN, 0, number, ORIGIN_BODY, ret_size);
	if (at == NULL)
		return NULL;
	memcpy(at + RECORD_HEAD, o->boot, sizeof(o->boot));
	put(at + RECORD_HEAD + 16, o->netns, 8);
	put(at + RECORD_HEAD + 24, o->wall_ns, 8);
	put(at + RECORD_HEAD + 32, o->pid, 4);
	return finish(at, *ret_size);
}

uint8_t *record_make_change(const struct record_change *c, uint16_t flags, uint64_t number,
			    size_t *ret_size)
{
	size_t names = CHANGE_BODY + round_up(c->len);
	uint8_t *at = begin(RECORD_CHANGE, flags, number, names + c->id_len + (size_t)c->path_len,
			    ret_size);
	if (at == NULL)
		return NULL;
	uint8_t *body = at + RECORD_HEAD;
	put(body, c->kind, 4);
	put(body + 4, c->len, 4);
	put(body + 8, c->id_len, 2);
	put(body + 10, c->path_len, 2);
	if (c->len > 0)
		memcpy(body + CHANGE_BODY, c->data, c->len);
	memcpy(body + names, c->id, c->id_len);
	memcpy(body + names + c->id_len, c->path, c->path_len);
	return finish(at, *ret_size);
}

uint8_t *record_make_done(uint64_t done, uint64_t number, size_t *ret_size)
{
	uint8_t *at = begin(RECORD_DONE, 0, number, DONE_BODY, ret_size);
	if (at == NULL)
		return NULL;
	put(at + RECORD_HEAD, done, 8);
	return finish(at, *ret_size);
}
