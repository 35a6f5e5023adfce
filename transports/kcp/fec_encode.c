/* SPDX-License-Identifier: BSD-2-Clause */
#include "fec_encode.h"

#include <stdlib.h>
#include <string.h>

#include "rs.h"

#define ALIGNMENT 64u /* of each parity shard: a cache line */

struct kcp_fec_encoder {
	uint32_t n_data;
	uint32_t n_parity;
	uint32_t shard_max;
	uint32_t next;       /* seqid */
	uint32_t end;        /* of seqids */
	uint32_t count;      /* data packets in the group so far */
	uint32_t shard_len;  /* the group's longest */
	uint32_t parity_at;  /* seqid of the parity that is to be fetched */
	uint32_t parity_len; /* its length, without the header's first six bytes */
	uint64_t last_us;    /* time of the last data packet */
	bool begun;          /* there has been one */
	uint8_t *tables;
	uint8_t **parity;
};

static bool sane(uint32_t n_data, uint32_t n_parity, uint32_t payload_max)
{
	return n_data >= 1 && n_parity >= 1 && n_data < KCP_RS_SHARDS_MAX &&
	       n_parity < KCP_RS_SHARDS_MAX && n_data + n_parity <= KCP_RS_SHARDS_MAX &&
	       payload_max >= 1 && payload_max <= KCP_FEC_PAYLOAD_MAX;
}

/* One block of memory: the object, pointers to parity, then tables and parity, aligned. */
struct kcp_fec_encoder *kcp_fec_encoder_create(uint32_t n_data, uint32_t n_parity,
					       uint32_t payload_max)
{
	if (!sane(n_data, n_parity, payload_max))
		return NULL;
	uint32_t shard = (payload_max + 2 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	size_t head = sizeof(struct kcp_fec_encoder) + n_parity * sizeof(uint8_t *);
	head = (head + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	size_t tables = KCP_RS_TABLES_LEN((size_t)n_data, n_parity);
	tables = (tables + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	size_t all = head + tables + (size_t)n_parity * shard;
	uint8_t *block = aligned_alloc(ALIGNMENT, all);
	if (!block)
		return NULL;
	memset(block, 0, all);

	struct kcp_fec_encoder *e = (struct kcp_fec_encoder *)(void *)block;
	e->n_data = n_data;
	e->n_parity = n_parity;
	e->shard_max = payload_max + 2;
	e->end = kcp_fec_end(n_data + n_parity);
	e->tables = block + head;
	e->parity = (uint8_t **)(void *)(block + sizeof(*e));
	for (uint32_t i = 0; i < n_parity; i++)
		e->parity[i] = block + head + tables + (size_t)i * shard;
	struct kcp_rs rs;
	kcp_rs_init(&rs, n_data);
	kcp_rs_tables(&rs, n_parity, e->tables);
	return e;
}

void kcp_fec_encoder_destroy(struct kcp_fec_encoder *e)
{
	free(e);
}

/* Parity of the group before was there to be fetched until now. */
static void begin_group(struct kcp_fec_encoder *e)
{
	for (uint32_t i = 0; i < e->n_parity; i++)
		memset(e->parity[i], 0, e->shard_len);
	e->shard_len = 0;
	e->parity_len = 0;
}

static uint32_t end_group(struct kcp_fec_encoder *e, bool timely)
{
	e->count = 0;
	e->parity_at = e->next;
	e->next = (e->next + e->n_parity) % e->end;
	if (!timely)
		return 0;
	e->parity_len = e->shard_len;
	return e->n_parity;
}

uint32_t kcp_fec_encode(struct kcp_fec_encoder *e, uint8_t *payload, uint32_t len, uint64_t now_us)
{
	uint8_t *packet = payload - KCP_FEC_HEADER;
	uint32_t shard = len + 2;
	bool timely = e->begun && now_us - e->last_us < KCP_FEC_GAP_US;

	e->begun = true;
	e->last_us = now_us;
	if (e->count == 0)
		begin_group(e);
	kcp_fec_store(packet, e->next, KCP_FEC_DATA, len);
	e->next = (e->next + 1) % e->end;
	kcp_rs_add(e->tables, e->n_parity, e->n_parity, e->count, packet + KCP_FEC_SIZE_AT, shard,
		   e->parity);
	if (shard > e->shard_len)
		e->shard_len = shard;
	return ++e->count == e->n_data ? end_group(e, timely) : 0;
}

uint32_t kcp_fec_parity_len(const struct kcp_fec_encoder *e)
{
	return KCP_FEC_SIZE_AT + e->parity_len;
}

void kcp_fec_parity(const struct kcp_fec_encoder *e, uint32_t i, uint8_t *packet)
{
	kcp_fec_store(packet, e->parity_at + i, KCP_FEC_PARITY, 0);
	memcpy(packet + KCP_FEC_SIZE_AT, e->parity[i], e->parity_len);
}
