/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fec_decode: numbers of groups run in a circle, as seqids do: below `n_groups`, behind which 0 follows.
 * The window is the newest group and those just behind it.
 */
#include "fec_decode.h"

#include <stdlib.h>
#include <string.h>

#include "fec_tune.h"
#include "le.h"
#include "rs.h"

#define ALIGNMENT     64u /* of slots: a cache line */
#define NEAR_GROUPS   64u /* a step forward as loss makes it; a longer one has to be confirmed */
#define CONFIRMATIONS 4u  /* by so many packets in a row */
#define LOOK_AFTER    8u  /* packets between two looks at the shape: they cost microseconds */

struct stored {
	uint32_t slot;
	uint32_t len;
	uint32_t index; /* place in the group */
};

struct group {
	bool used;
	bool closed; /* nothing more is wanted: whole, brought back, spoilt or given up */
	uint32_t id;
	uint32_t n_stored;
	uint32_t n_data;                              /* of those, data */
	uint32_t have[KCP_RS_SHARDS_MAX / 32u];       /* came or were brought back */
	struct stored stored[KCP_RS_SHARDS_MAX - 1u]; /* never more than data packets in a group */
};

struct kcp_fec_decoder {
	struct kcp_fec_shape shape; /* zeroes: unknown */
	uint32_t n_groups;
	uint32_t shard_max;
	bool unsure; /* packets do not fit the shape: nothing is brought back until they do */
	uint32_t since_look; /* packets */

	bool begun;
	uint32_t newest; /* group */
	uint32_t probe;  /* where the last packets outside of the window were */
	uint32_t n_probes;
	struct group groups[KCP_FEC_GROUPS];

	uint32_t n_recovered;
	struct stored recovered[KCP_RS_LOST_MAX];

	uint32_t n_slots;
	uint32_t n_free;
	uint32_t slot_len;
	uint32_t *free; /* a stack: what was used last is warm */
	uint8_t *slots;

	struct kcp_rs rs;
	struct kcp_fec_tune tune;
	struct kcp_fec_counters counters;
};

static size_t align(size_t len)
{
	return (len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void set_shape(struct kcp_fec_decoder *d, const struct kcp_fec_shape *shape)
{
	uint32_t n = shape->n_data + shape->n_parity;
	d->shape = *shape;
	d->n_groups = kcp_fec_end(n) / n;
	d->begun = false;
	kcp_rs_init(&d->rs, shape->n_data);
}

static bool sane(uint32_t n_data, uint32_t n_parity, uint32_t payload_max, uint32_t n_slots)
{
	bool unknown = n_data == 0 && n_parity == 0;
	bool known = n_data >= 1 && n_parity >= 1 && n_data < KCP_RS_SHARDS_MAX &&
		     n_parity < KCP_RS_SHARDS_MAX && n_data + n_parity <= KCP_RS_SHARDS_MAX;
	return (unknown || known) && payload_max >= 1 && payload_max <= KCP_FEC_PAYLOAD_MAX &&
	       n_slots <= KCP_FEC_SLOTS_MAX;
}

/* One block of memory: the object, the stack of slots, the slots. The slots are left untouched. */
struct kcp_fec_decoder *kcp_fec_decoder_create(uint32_t n_data, uint32_t n_parity,
					       uint32_t payload_max, uint32_t n_slots)
{
	if (!sane(n_data, n_parity, payload_max, n_slots))
		return NULL;
	size_t slot_len = align((size_t)payload_max + 2);
	size_t head = align(sizeof(struct kcp_fec_decoder));
	size_t stack = align(n_slots * sizeof(uint32_t));
	uint8_t *block = aligned_alloc(ALIGNMENT, head + stack + n_slots * slot_len);
	if (!block)
		return NULL;

	struct kcp_fec_decoder *d = (struct kcp_fec_decoder *)(void *)block;
	memset(d, 0, sizeof(*d));
	d->shard_max = payload_max + 2;
	d->n_slots = n_slots;
	d->slot_len = (uint32_t)slot_len;
	d->unsure = n_data == 0;
	d->free = (uint32_t *)(void *)(block + head);
	d->slots = block + head + stack;
	while (d->n_free < n_slots) {
		d->free[d->n_free] = n_slots - 1 - d->n_free;
		d->n_free++;
	}
	if (n_data > 0)
		set_shape(d, &(struct kcp_fec_shape){n_data, n_parity});
	return d;
}

void kcp_fec_decoder_destroy(struct kcp_fec_decoder *d)
{
	free(d);
}

static uint8_t *slot(const struct kcp_fec_decoder *d, uint32_t i)
{
	return d->slots + (size_t)i * d->slot_len;
}

static bool has(const struct group *g, uint32_t index)
{
	return (g->have[index / 32u] >> (index % 32u) & 1u) != 0;
}

static void mark(struct group *g, uint32_t index)
{
	g->have[index / 32u] |= 1u << (index % 32u);
}

static void close_group(struct kcp_fec_decoder *d, struct group *g)
{
	for (uint32_t i = 0; i < g->n_stored; i++)
		d->free[d->n_free++] = g->stored[i].slot;
	g->n_stored = 0;
	g->closed = true;
}

/* The group leaves the window. */
static void leave(struct kcp_fec_decoder *d, struct group *g)
{
	if (g->used && !g->closed)
		d->counters.lost_groups++;
	close_group(d, g);
	g->used = false;
}

static void leave_all(struct kcp_fec_decoder *d)
{
	for (uint32_t i = 0; i < KCP_FEC_GROUPS; i++)
		leave(d, &d->groups[i]);
}

static void advance(struct kcp_fec_decoder *d, uint32_t newest)
{
	d->newest = newest;
	for (uint32_t i = 0; i < KCP_FEC_GROUPS; i++) {
		struct group *g = &d->groups[i];
		uint32_t behind = (newest + d->n_groups - g->id) % d->n_groups;
		if (g->used && behind >= KCP_FEC_GROUPS)
			leave(d, g);
	}
}

/* Steps from group `from` to group `to`, forward around the circle. */
static uint32_t steps(const struct kcp_fec_decoder *d, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + (d->n_groups - from);
}

/* Packets outside of the window, in a row and near each other: the sender has begun anew, or there was a
 * long silence. One alone: damaged, forged or very late. */
static bool confirmed(struct kcp_fec_decoder *d, uint32_t id)
{
	bool near = steps(d, d->probe, id) <= NEAR_GROUPS || steps(d, id, d->probe) <= NEAR_GROUPS;
	d->n_probes = d->n_probes > 0 && near ? d->n_probes + 1 : 1;
	d->probe = id;
	return d->n_probes >= CONFIRMATIONS;
}

/* Moves the window for a packet of group `id`; whether the group is in it. */
static bool enter(struct kcp_fec_decoder *d, uint32_t id)
{
	if (!d->begun) {
		d->begun = true;
		d->newest = id;
	}
	if (steps(d, id, d->newest) < KCP_FEC_GROUPS) {
		d->n_probes = 0;
		return true;
	}
	if (steps(d, d->newest, id) > NEAR_GROUPS) {
		if (!confirmed(d, id))
			return false;
		leave_all(d);
	}
	d->n_probes = 0;
	advance(d, id);
	return true;
}

static struct group *find(struct kcp_fec_decoder *d, uint32_t id)
{
	struct group *unused = NULL;
	for (uint32_t i = 0; i < KCP_FEC_GROUPS; i++) {
		struct group *g = &d->groups[i];
		if (g->used && g->id == id)
			return g;
		if (!g->used)
			unused = g;
	}
	/* there is one: the window has as many groups as there are places */
	unused->used = true;
	unused->closed = false;
	unused->id = id;
	unused->n_stored = 0;
	unused->n_data = 0;
	memset(unused->have, 0, sizeof(unused->have));
	return unused;
}

/* Gives up the oldest open group but `g`. */
static bool evict(struct kcp_fec_decoder *d, const struct group *g)
{
	struct group *oldest = NULL;
	for (uint32_t i = 0; i < KCP_FEC_GROUPS; i++) {
		struct group *o = &d->groups[i];
		if (o == g || !o->used || o->closed || o->n_stored == 0)
			continue;
		if (!oldest || steps(d, o->id, d->newest) > steps(d, oldest->id, d->newest))
			oldest = o;
	}
	if (!oldest)
		return false;
	close_group(d, oldest);
	d->counters.evicted_groups++;
	return true;
}

/* Makes room for n packets of group g, or gives it up as well. */
static bool make_room(struct kcp_fec_decoder *d, struct group *g, uint32_t n)
{
	while (d->n_free < n) {
		if (evict(d, g))
			continue;
		close_group(d, g);
		d->counters.evicted_groups++;
		return false;
	}
	return true;
}

/* All parity of a group has the same length. Returns it, 0 when that is not so. */
static uint32_t parity_len(const struct kcp_fec_decoder *d, const struct group *g)
{
	uint32_t parity = 0;
	for (uint32_t i = 0; i < g->n_stored; i++) {
		const struct stored *s = &g->stored[i];
		if (s->index < d->shape.n_data)
			continue;
		if (parity != 0 && s->len != parity)
			return 0;
		parity = s->len;
	}
	return parity;
}

/* The length of the shard in a slot that was brought back, size and payload, 0 when it is nonsense. */
static uint32_t shard_len(const uint8_t *shard, uint32_t len)
{
	uint32_t size = kcp_load_le16(shard);
	if (size <= 2 || size > len)
		return 0;
	for (uint32_t i = size; i < len; i++) {
		if (shard[i] != 0)
			return 0;
	}
	return size;
}

/* Takes slots for what is missing; how many. */
static uint32_t list_lost(struct kcp_fec_decoder *d, const struct group *g, uint32_t *lost,
			  uint8_t **out)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < d->shape.n_data; i++) {
		if (has(g, i))
			continue;
		d->recovered[n] = (struct stored){.slot = d->free[--d->n_free], .index = i};
		out[n] = slot(d, d->recovered[n].slot);
		lost[n++] = i;
	}
	return n;
}

/* False when the lengths cannot be (data longer than parity), or what comes out. */
static bool solve(struct kcp_fec_decoder *d, const struct group *g, uint32_t len)
{
	struct kcp_rs_shard known[KCP_RS_SHARDS_MAX];
	uint32_t lost[KCP_RS_LOST_MAX];
	uint8_t *out[KCP_RS_LOST_MAX];

	d->n_recovered = list_lost(d, g, lost, out);
	for (uint32_t i = 0; i < g->n_stored; i++)
		known[i] = (struct kcp_rs_shard){slot(d, g->stored[i].slot), g->stored[i].len,
						 g->stored[i].index};
	if (!kcp_rs_recover(&d->rs, known, g->n_stored, lost, d->n_recovered, out, len))
		return false;
	for (uint32_t i = 0; i < d->n_recovered; i++) {
		d->recovered[i].len = shard_len(out[i], len);
		if (d->recovered[i].len == 0)
			return false;
	}
	return true;
}

/* What was handed up last is done with. */
static void retire(struct kcp_fec_decoder *d)
{
	while (d->n_recovered > 0)
		d->free[d->n_free++] = d->recovered[--d->n_recovered].slot;
}

/* As many packets are there as the group has data packets, and some are parity. */
static void recover(struct kcp_fec_decoder *d, struct group *g)
{
	uint32_t n_lost = d->shape.n_data - g->n_data, len = parity_len(d, g);
	if (!make_room(d, g, n_lost))
		return;
	if (len < 2 || !solve(d, g, len)) {
		/* if one packet is nonsense, the others are */
		d->counters.bad_groups++;
		retire(d);
	}
	for (uint32_t i = 0; i < d->n_recovered; i++)
		mark(g, d->recovered[i].index);
	d->counters.recovered += d->n_recovered;
	close_group(d, g);
}

static void store(struct kcp_fec_decoder *d, struct group *g, uint32_t index, const uint8_t *shard,
		  uint32_t len)
{
	if (has(g, index)) {
		d->counters.duplicate++;
		return;
	}
	mark(g, index);
	if (g->closed || !make_room(d, g, 1))
		return;
	struct stored *s = &g->stored[g->n_stored++];
	*s = (struct stored){.slot = d->free[--d->n_free], .len = len, .index = index};
	memcpy(slot(d, s->slot), shard, len);
	g->n_data += index < d->shape.n_data;
	if (g->n_data == d->shape.n_data)
		close_group(d, g);
	else if (g->n_stored == d->shape.n_data)
		recover(d, g);
}

/* Whether the type is that of the packet's place in its group. */
static bool fits(const struct kcp_fec_decoder *d, uint32_t seqid, bool parity)
{
	uint32_t n = d->shape.n_data + d->shape.n_parity;
	return n > 0 && seqid < kcp_fec_end(n) && (seqid % n >= d->shape.n_data) == parity;
}

static bool agrees(const struct kcp_fec_decoder *d, uint32_t seqid)
{
	return d->shape.n_data > 0 && kcp_fec_tune_agrees(&d->tune, seqid, &d->shape);
}

/* Looks for the shape that the last packets have. */
static void tune(struct kcp_fec_decoder *d, uint32_t seqid)
{
	struct kcp_fec_shape shape;
	bool right = agrees(d, seqid);
	if (!right && !kcp_fec_tune_find(&d->tune, seqid, &shape))
		return;
	d->unsure = false;
	if (right)
		return;
	leave_all(d);
	set_shape(d, &shape);
	d->counters.tuned++;
}

/* Of the window. */
static uint32_t last_seqid(const struct kcp_fec_decoder *d)
{
	return (d->newest + 1) * (d->shape.n_data + d->shape.n_parity) - 1;
}

/* Whether the packet can be used: the shape is right, as far as is known, and it has its place in it. */
static bool settle(struct kcp_fec_decoder *d, uint32_t seqid, bool parity)
{
	bool edge = kcp_fec_tune_note(&d->tune, seqid, parity);
	bool misplaced = !fits(d, seqid, parity);

	d->since_look++;
	if ((d->unsure ? edge : misplaced) && d->since_look >= LOOK_AFTER) {
		d->since_look = 0;
		/* the window decides, wherever this packet is from: one that is far away proves nothing */
		if (!d->unsure)
			d->unsure = !agrees(d, d->begun ? last_seqid(d) : seqid);
		if (d->unsure && edge)
			tune(d, seqid);
	}
	misplaced = d->unsure || !fits(d, seqid, parity);
	d->counters.misplaced += misplaced;
	return !misplaced;
}

static void place(struct kcp_fec_decoder *d, uint32_t seqid, const uint8_t *shard, uint32_t len)
{
	uint32_t n = d->shape.n_data + d->shape.n_parity;
	if (d->shape.n_data >= d->n_slots)
		return;
	if (enter(d, seqid / n))
		store(d, find(d, seqid / n), seqid % n, shard, len);
	else
		d->counters.outside++;
}

static bool read_header(const struct kcp_fec_decoder *d, const uint8_t *packet, uint32_t len,
			struct kcp_fec_input *in)
{
	in->type = kcp_fec_type(packet, len);
	if (in->type == KCP_FEC_NOT || len - KCP_FEC_SIZE_AT > d->shard_max)
		return false;
	if (in->type == KCP_FEC_PARITY)
		return true;
	in->payload = packet + KCP_FEC_HEADER;
	in->len = len - KCP_FEC_HEADER;
	return in->len > 0 && kcp_load_le16(packet + KCP_FEC_SIZE_AT) == in->len + 2;
}

bool kcp_fec_decode(struct kcp_fec_decoder *d, const uint8_t *packet, uint32_t len,
		    struct kcp_fec_input *ret_in)
{
	struct kcp_fec_input in = {0};
	bool sound = read_header(d, packet, len, &in);

	retire(d);
	d->counters.malformed += !sound;
	d->counters.oob += sound && in.type == KCP_FEC_OOB;
	d->counters.data += sound && in.type == KCP_FEC_DATA;
	d->counters.parity += sound && in.type == KCP_FEC_PARITY;
	if (sound && in.type != KCP_FEC_OOB) {
		uint32_t seqid = kcp_load_le32(packet);
		if (settle(d, seqid, in.type == KCP_FEC_PARITY))
			place(d, seqid, packet + KCP_FEC_SIZE_AT, len - KCP_FEC_SIZE_AT);
		in.n_recovered = d->n_recovered;
	}
	*ret_in = sound ? in : (struct kcp_fec_input){0};
	return sound;
}

const uint8_t *kcp_fec_recovered(const struct kcp_fec_decoder *d, uint32_t i, uint32_t *ret_len)
{
	*ret_len = d->recovered[i].len - 2;
	return slot(d, d->recovered[i].slot) + 2;
}

void kcp_fec_decoder_shape(const struct kcp_fec_decoder *d, uint32_t *ret_data,
			   uint32_t *ret_parity)
{
	*ret_data = d->shape.n_data;
	*ret_parity = d->shape.n_parity;
}

const struct kcp_fec_counters *kcp_fec_decoder_counters(const struct kcp_fec_decoder *d)
{
	return &d->counters;
}
