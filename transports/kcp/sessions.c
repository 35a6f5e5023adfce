/* SPDX-License-Identifier: BSD-2-Clause */
#include "sessions.h"

#include <stdlib.h>
#include <string.h>

bool kcp_endpoint_is_peer(const struct vpn_endpoint *a, const struct vpn_endpoint *b)
{
	return a->family == b->family && a->port == b->port && a->scope == b->scope &&
	       a->id == b->id && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

/* ---- life ---- */

bool kcp_sessions_init(struct kcp_sessions *t, uint32_t accept, uint64_t seed)
{
	uint32_t buckets = 16;
	*t = (struct kcp_sessions){.most = accept + KCP_BEGUN_MOST + 1, .seed = seed | 1};
	while (buckets < t->most)
		buckets *= 2;
	t->mask = buckets - 1;
	t->touched_last = &t->touched;
	t->by_endpoint = calloc(buckets, sizeof(*t->by_endpoint));
	t->by_number = calloc(buckets, sizeof(*t->by_number));
	t->heap = calloc(t->most + 2, sizeof(*t->heap));
	return t->by_endpoint != NULL && t->by_number != NULL && t->heap != NULL;
}

void kcp_sessions_clear(struct kcp_sessions *t)
{
	while (t->first != NULL)
		kcp_sessions_remove(t, t->first);
	kcp_sessions_bury(t);
	free(t->by_endpoint);
	free(t->by_number);
	free(t->heap);
	memset(t, 0, sizeof(*t));
}

bool kcp_sessions_has_room(const struct kcp_sessions *t, uint32_t accept, bool accepted)
{
	return accepted ? t->n_accepted < accept : t->n_begun < KCP_BEGUN_MOST + 1;
}

/* ---- tables ---- */

/* Multiply and fold with a secret seed, so that nobody can choose endpoints that meet. */
static uint64_t mix(uint64_t h, uint64_t word)
{
	__extension__ unsigned __int128 wide = (unsigned __int128)(h ^ word) *
					       UINT64_C(0x9e3779b97f4a7c15);
	return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

static uint64_t word_at(const uint8_t *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof(w));
	return w;
}

static uint32_t endpoint_bucket(const struct kcp_sessions *t, const struct vpn_endpoint *e)
{
	uint64_t h = mix(t->seed, word_at(e->addr));
	h = mix(h, word_at(e->addr + 8));
	h = mix(h, (uint64_t)e->port << 32 | e->scope);
	h = mix(h ^ t->seed, e->id + e->family);
	return (uint32_t)(h ^ h >> 32) & t->mask;
}

static uint32_t number_bucket(const struct kcp_sessions *t, uint32_t number)
{
	uint64_t h = mix(t->seed, number);
	return (uint32_t)(h ^ h >> 32) & t->mask;
}

static void put_in(struct kcp_session **heads, struct kcp_session *s, struct kcp_session_link *link,
		   uint32_t bucket)
{
	link->bucket = bucket;
	link->is_in = true;
	link->next = heads[bucket];
	heads[bucket] = s;
}

/* Where a table keeps the link of a session. */
typedef struct kcp_session_link *(*link_of)(struct kcp_session *s);

static struct kcp_session_link *endpoint_link(struct kcp_session *s)
{
	return &s->by_endpoint;
}

static struct kcp_session_link *number_link(struct kcp_session *s)
{
	return &s->by_number;
}

static void take_out(struct kcp_session **heads, struct kcp_session *s, link_of link)
{
	if (!link(s)->is_in)
		return;
	struct kcp_session **at = &heads[link(s)->bucket];
	while (*at != s)
		at = &link(*at)->next;
	*at = link(s)->next;
	link(s)->is_in = false;
}

/* By which endpoint a session is found. */
static const struct vpn_endpoint *key_of(const struct kcp_session *s)
{
	return s->by_default ? &s->from : &s->endpoint;
}

static void index_endpoint(struct kcp_sessions *t, struct kcp_session *s)
{
	take_out(t->by_endpoint, s, endpoint_link);
	if (key_of(s)->family != VPN_AF_NONE)
		put_in(t->by_endpoint, s, &s->by_endpoint, endpoint_bucket(t, key_of(s)));
}

struct kcp_session *kcp_sessions_find(const struct kcp_sessions *t, const struct vpn_endpoint *e)
{
	struct kcp_session *s = t->by_endpoint[endpoint_bucket(t, e)];
	while (s != NULL && !kcp_endpoint_is_peer(key_of(s), e))
		s = s->by_endpoint.next;
	return s;
}

struct kcp_session *kcp_sessions_number(const struct kcp_sessions *t, uint32_t number)
{
	struct kcp_session *s = t->by_number[number_bucket(t, number)];
	while (s != NULL && s->number != number)
		s = s->by_number.next;
	return s;
}

struct kcp_session *kcp_sessions_candidate(const struct kcp_sessions *t,
					   const struct vpn_endpoint *e)
{
	if (t->n_candidates == 0)
		return NULL;
	struct kcp_session *s = t->first;
	while (s != NULL &&
	       (s->candidate.family == VPN_AF_NONE || !kcp_endpoint_is_peer(&s->candidate, e)))
		s = s->after;
	return s;
}

void kcp_sessions_set_endpoint(struct kcp_sessions *t, struct kcp_session *s,
			       const struct vpn_endpoint *e)
{
	s->endpoint = *e;
	index_endpoint(t, s);
}

void kcp_sessions_set_from(struct kcp_sessions *t, struct kcp_session *s,
			   const struct vpn_endpoint *e)
{
	bool moved = s->by_default && !kcp_endpoint_is_peer(&s->from, e);
	s->from = *e;
	if (moved)
		index_endpoint(t, s);
}

void kcp_sessions_set_number(struct kcp_sessions *t, struct kcp_session *s, uint32_t number)
{
	take_out(t->by_number, s, number_link);
	s->number = number;
	put_in(t->by_number, s, &s->by_number, number_bucket(t, number));
}

void kcp_sessions_set_candidate(struct kcp_sessions *t, struct kcp_session *s,
				const struct vpn_endpoint *e)
{
	bool had = s->candidate.family != VPN_AF_NONE;
	bool has = e != NULL && e->family != VPN_AF_NONE;
	s->candidate = has ? *e : (struct vpn_endpoint){.family = VPN_AF_NONE};
	t->n_candidates += (uint32_t)has - (uint32_t)had;
}

/* ---- the heap ---- */

static void place(struct kcp_sessions *t, uint32_t at, struct kcp_session *s)
{
	t->heap[at] = s;
	s->heap_at = at;
}

static void sift_up(struct kcp_sessions *t, uint32_t at, struct kcp_session *s)
{
	while (at > 1 && t->heap[at / 2]->due_us > s->due_us) {
		place(t, at, t->heap[at / 2]);
		at /= 2;
	}
	place(t, at, s);
}

static void sift_down(struct kcp_sessions *t, uint32_t at, struct kcp_session *s)
{
	for (uint32_t child = at * 2; child <= t->n_planned; child = at * 2) {
		if (child < t->n_planned && t->heap[child + 1]->due_us < t->heap[child]->due_us)
			child++;
		if (t->heap[child]->due_us >= s->due_us)
			break;
		place(t, at, t->heap[child]);
		at = child;
	}
	place(t, at, s);
}

static void unplan(struct kcp_sessions *t, struct kcp_session *s)
{
	uint32_t at = s->heap_at;
	if (at == 0)
		return;
	struct kcp_session *last = t->heap[t->n_planned];
	t->heap[t->n_planned--] = NULL;
	s->heap_at = 0;
	if (last == s)
		return;
	sift_up(t, at, last);
	sift_down(t, last->heap_at, last);
}

void kcp_sessions_plan(struct kcp_sessions *t, struct kcp_session *s, uint64_t due_us)
{
	if (s->is_gone || (s->heap_at != 0 && s->due_us == due_us))
		return;
	if (due_us == UINT64_MAX) {
		unplan(t, s);
		s->due_us = due_us;
		return;
	}
	s->due_us = due_us;
	sift_up(t, s->heap_at != 0 ? s->heap_at : ++t->n_planned, s);
	sift_down(t, s->heap_at, s);
}

/* ---- in and out ---- */

void kcp_sessions_add(struct kcp_sessions *t, struct kcp_session *s)
{
	s->before = NULL;
	s->after = t->first;
	if (t->first != NULL)
		t->first->before = s;
	t->first = s;
	t->count++;
	t->n_accepted += s->accepted;
	t->n_begun += !s->accepted;
	if (s->by_default)
		t->by_default = s;
	index_endpoint(t, s);
	kcp_sessions_set_number(t, s, s->number);
}

static void untouch(struct kcp_sessions *t, struct kcp_session *s)
{
	struct kcp_session **at = &t->touched;
	if (!s->touched)
		return;
	while (*at != s)
		at = &(*at)->next_touched;
	*at = s->next_touched;
	if (*at == NULL)
		t->touched_last = at;
	s->touched = false;
}

void kcp_sessions_remove(struct kcp_sessions *t, struct kcp_session *s)
{
	take_out(t->by_endpoint, s, endpoint_link);
	take_out(t->by_number, s, number_link);
	kcp_sessions_set_candidate(t, s, NULL);
	unplan(t, s);
	untouch(t, s);
	if (s->before != NULL)
		s->before->after = s->after;
	else
		t->first = s->after;
	if (s->after != NULL)
		s->after->before = s->before;
	t->count--;
	t->n_accepted -= s->accepted;
	t->n_begun -= !s->accepted;
	if (t->by_default == s)
		t->by_default = NULL;
	s->is_gone = true;
	s->after = t->gone;
	t->gone = s;
}

void kcp_sessions_bury(struct kcp_sessions *t)
{
	while (t->gone != NULL) {
		struct kcp_session *s = t->gone;
		t->gone = s->after;
		kcp_session_free(s);
	}
}

void kcp_sessions_touch(struct kcp_sessions *t, struct kcp_session *s)
{
	if (s->touched || s->is_gone)
		return;
	s->touched = true;
	s->next_touched = NULL;
	*t->touched_last = s;
	t->touched_last = &s->next_touched;
}

struct kcp_session *kcp_sessions_next_touched(struct kcp_sessions *t)
{
	struct kcp_session *s = t->touched;
	if (s == NULL)
		return NULL;
	untouch(t, s);
	int64_t debt = s->credit < 0 ? s->credit : 0;
	s->credit = t->touched != NULL ? KCP_TURN_BYTES + debt : INT64_MAX;
	return s;
}

struct kcp_session *kcp_sessions_primary(const struct kcp_sessions *t)
{
	struct kcp_session *best = t->by_default;
	for (struct kcp_session *s = best != NULL ? NULL : t->first; s != NULL; s = s->after)
		if (s->accepted && (best == NULL || s->heard_us > best->heard_us))
			best = s;
	return best;
}
