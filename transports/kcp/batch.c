/* SPDX-License-Identifier: BSD-2-Clause */
#include "batch.h"

#include <string.h>

#include "kcp.h"

/* ---- in ---- */

static void put(struct kcp *k, struct kcp_batch *b, struct vpn_packet *p, enum kcp_count reason)
{
	if (b->n < KCP_BATCH_ROOM)
		b->pkts[b->n++] = p;
	else
		kcp_drop(k, p, reason);
}

void kcp_batch_down(struct kcp *k, struct vpn_packet *p)
{
	put(k, &k->down, p, KCP_DROP_BELOW_FULL);
}

void kcp_batch_up(struct kcp *k, struct vpn_packet *p)
{
	put(k, &k->up, p, KCP_DROP_ABOVE_FULL);
}

void kcp_batch_answer(struct kcp *k, struct vpn_packet *p, const struct vpn_endpoint *to)
{
	struct kcp_batch *b = &k->down;
	if (!kcp_batch_accepts(b) || b->n_answers == KCP_ANSWERS) {
		kcp_drop(k, p, KCP_DROP_BELOW_FULL);
		return;
	}
	p->endpoint = NULL;
	if (to != NULL) {
		b->answers[b->n_answers] = *to;
		p->endpoint = &b->answers[b->n_answers++];
	}
	kcp_batch_down(k, p);
}

/* ---- out ---- */

static void remove_first(struct kcp_batch *b, uint32_t n)
{
	b->n -= n;
	memmove(b->pkts, b->pkts + n, b->n * sizeof(b->pkts[0]));
	b->n_sealed = b->n_sealed > n ? b->n_sealed - n : 0;
}

/* Pushes one chunk out of an array of its own: ours may grow meanwhile. */
static void push_chunk(struct kcp *k, struct kcp_batch *b, const struct vpn_link *link)
{
	struct vpn_packet *chunk[VPN_BATCH_MAX];
	uint32_t n = b->n < k->lane->max_batch ? b->n : k->lane->max_batch;
	uint32_t sealed = b->n_sealed < n ? b->n_sealed : n;
	memcpy(chunk, b->pkts, n * sizeof(chunk[0]));
	remove_first(b, n);
	uint32_t taken = vpn_push(link, chunk, n);
	if (taken == n)
		return;
	b->blocked = true;
	uint32_t rest = n - taken;
	while (b->n + rest > KCP_BATCH_ROOM)
		kcp_drop(k, b->pkts[--b->n],
			 b == &k->up ? KCP_DROP_ABOVE_FULL : KCP_DROP_BELOW_FULL);
	memmove(b->pkts + rest, b->pkts, b->n * sizeof(b->pkts[0]));
	memcpy(b->pkts, chunk + taken, rest * sizeof(b->pkts[0]));
	b->n += rest;
	b->n_sealed += sealed > taken ? sealed - taken : 0;
}

void kcp_batch_push_up(struct kcp *k)
{
	struct kcp_batch *b = &k->up;
	if (b->pushing)
		return;
	b->pushing = true;
	while (b->n != 0 && !b->blocked)
		push_chunk(k, b, k->lane->up);
	b->pushing = false;
}

/* Puts the crypt headers around what has none yet. */
static void seal(struct kcp *k)
{
	struct kcp_batch *b = &k->down;
	struct kcp_crypt_job jobs[VPN_BATCH_MAX];
	if (k->crypt == NULL)
		b->n_sealed = b->n;
	while (b->n_sealed < b->n) {
		uint32_t n = b->n - b->n_sealed;
		struct vpn_packet **pkts = b->pkts + b->n_sealed;
		if (n > VPN_BATCH_MAX)
			n = VPN_BATCH_MAX;
		for (uint32_t i = 0; i < n; i++)
			jobs[i] = (struct kcp_crypt_job){vpn_packet_data(pkts[i]), pkts[i]->len, 0};
		kcp_crypt_seal(k->crypt, jobs, n);
		uint32_t kept = 0;
		for (uint32_t i = 0; i < n; i++) {
			struct vpn_packet *p = pkts[i];
			if (jobs[i].verdict != KCP_CRYPT_OK) {
				kcp_drop(k, p, KCP_DROP_SEAL);
				continue;
			}
			p->off = (uint32_t)(jobs[i].data - p->buf);
			p->len = jobs[i].len;
			pkts[kept++] = p;
		}
		if (kept != n)
			memmove(pkts + kept, pkts + n, (b->n - b->n_sealed - n) * sizeof(pkts[0]));
		b->n -= n - kept;
		b->n_sealed += kept;
	}
}

void kcp_batch_push_down(struct kcp *k)
{
	struct kcp_batch *b = &k->down;
	if (b->pushing)
		return;
	b->pushing = true;
	while (b->n != 0 && !b->blocked) {
		seal(k);
		push_chunk(k, b, k->lane->down);
	}
	if (b->n == 0)
		b->n_answers = 0;
	b->pushing = false;
}

/* ---- ends ---- */

static void forget(struct kcp *k, struct kcp_batch *b, const struct vpn_endpoint *first,
		   const struct vpn_endpoint *second)
{
	uint32_t n = 0, sealed = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		struct vpn_packet *p = b->pkts[i];
		if (p->endpoint == first || p->endpoint == second) {
			kcp_drop(k, p, KCP_DROP_SESSION_ENDED);
			continue;
		}
		sealed += i < b->n_sealed;
		b->pkts[n++] = p;
	}
	b->n = n;
	b->n_sealed = sealed;
}

void kcp_batch_forget(struct kcp *k, const struct vpn_endpoint *first,
		      const struct vpn_endpoint *second)
{
	forget(k, &k->down, first, second);
	forget(k, &k->up, first, second);
}

static void clear(struct kcp *k, struct kcp_batch *b)
{
	if (b->n != 0)
		k->host->release(k->lane, b->pkts, b->n);
	memset(b, 0, sizeof(*b));
}

void kcp_batch_clear(struct kcp *k)
{
	clear(k, &k->down);
	clear(k, &k->up);
}
