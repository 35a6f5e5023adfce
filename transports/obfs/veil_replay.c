/* SPDX-License-Identifier: BSD-2-Clause */
#include "veil_replay.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

struct sender {
	uint64_t id;
	uint64_t newest;   /* time, ms */
	uint64_t greatest; /* number */
	uint64_t floor;    /* time: what is older may have been taken before it was known */
	uint64_t bits[VEIL_REPLAY_WORDS];
	uint32_t next; /* of the same bucket, NONE = last */
	uint32_t reserved;
};

struct veil_replay {
	pthread_mutex_t lock;
	uint64_t window;
	uint64_t floor;
	uint32_t room;  /* senders */
	uint32_t used;  /* slots that have a sender: the first ones */
	uint32_t last;  /* who sent the packet before this one */
	uint32_t *head; /* one for each slot */
	struct sender senders[];
};

struct veil_replay *veil_replay_new(uint32_t senders, uint64_t window_ms, uint64_t floor_ms)
{
	struct veil_replay *r = calloc(1, sizeof(*r) + senders * sizeof(r->senders[0]));
	if (r == NULL)
		return NULL;
	r->head = malloc(senders * sizeof(r->head[0]));
	if (r->head == NULL || pthread_mutex_init(&r->lock, NULL) != 0) {
		free(r->head);
		free(r);
		return NULL;
	}
	for (uint32_t i = 0; i < senders; i++)
		r->head[i] = NONE;
	r->window = window_ms;
	r->floor = floor_ms;
	r->room = senders;
	return r;
}

struct veil_replay *veil_replay_free(struct veil_replay *r)
{
	if (r == NULL)
		return NULL;
	pthread_mutex_destroy(&r->lock);
	free(r->head);
	free(r);
	return NULL;
}

void veil_replay_lock(struct veil_replay *r)
{
	(void)pthread_mutex_lock(&r->lock);
}

void veil_replay_unlock(struct veil_replay *r)
{
	(void)pthread_mutex_unlock(&r->lock);
}

/* ---- senders ---- */

/* Numbers of senders are random: no hash is needed. */
static uint32_t *bucket(struct veil_replay *r, uint64_t id)
{
	return &r->head[id % r->room];
}

static struct sender *find(struct veil_replay *r, uint64_t id)
{
	if (r->last < r->used && r->senders[r->last].id == id)
		return &r->senders[r->last];
	for (uint32_t i = *bucket(r, id); i != NONE; i = r->senders[i].next) {
		if (r->senders[i].id == id) {
			r->last = i;
			return &r->senders[i];
		}
	}
	return NULL;
}

/* Forgets the sender that has been silent longest; returns its slot. */
static uint32_t evict(struct veil_replay *r)
{
	uint32_t oldest = 0;
	for (uint32_t i = 1; i < r->used; i++)
		if (r->senders[i].newest < r->senders[oldest].newest)
			oldest = i;
	struct sender *s = &r->senders[oldest];
	if (r->floor <= s->newest)
		r->floor = s->newest + 1;
	uint32_t *at = bucket(r, s->id);
	while (*at != oldest)
		at = &r->senders[*at].next;
	*at = s->next;
	return oldest;
}

static struct sender *add(struct veil_replay *r, uint64_t id)
{
	uint32_t slot = r->used < r->room ? r->used++ : evict(r);
	uint32_t *head = bucket(r, id);
	struct sender *s = &r->senders[slot];
	memset(s, 0, sizeof(*s));
	s->id = id;
	s->floor = r->floor;
	s->next = *head;
	*head = slot;
	r->last = slot;
	return s;
}

/* ---- numbers ---- */

/* RFC 6479: a ring of words; those between the old greatest number and the new one are cleared. */
static bool is_new(struct sender *s, uint64_t number)
{
	uint64_t word = number / 64, newest = s->greatest / 64;
	if (number > s->greatest) {
		uint64_t passed = word - newest;
		if (passed > VEIL_REPLAY_WORDS)
			passed = VEIL_REPLAY_WORDS;
		for (uint64_t i = 0; i < passed; i++)
			s->bits[(word - i) % VEIL_REPLAY_WORDS] = 0;
		s->greatest = number;
	} else if (s->greatest - number >= VEIL_REPLAY_WINDOW) {
		return false;
	}
	uint64_t bit = UINT64_C(1) << number % 64;
	bool seen = (s->bits[word % VEIL_REPLAY_WORDS] & bit) != 0;
	s->bits[word % VEIL_REPLAY_WORDS] |= bit;
	return !seen;
}

static bool is_in_time(const struct veil_replay *r, uint64_t time, uint64_t now)
{
	return time >= now ? time - now <= r->window : now - time <= r->window;
}

enum veil_verdict veil_replay_check(struct veil_replay *r, uint64_t sender, uint64_t number,
				    uint64_t time_ms, uint64_t now_ms)
{
	if (!is_in_time(r, time_ms, now_ms))
		return VEIL_STALE;
	struct sender *s = find(r, sender);
	if (time_ms < (s != NULL ? s->floor : r->floor))
		return VEIL_STALE;
	if (s == NULL)
		s = add(r, sender);
	if (!is_new(s, number))
		return VEIL_REPLAYED;
	if (s->newest < time_ms)
		s->newest = time_ms;
	return VEIL_NEW;
}
