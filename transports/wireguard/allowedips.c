/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * allowedips: a binary trie with compressed paths. A node stands for a prefix; it has a peer, or two
 * children, or both. What lies under a node begins with its bits, and the bit behind them says under
 * which child. IPv4 addresses lie in the upper bits of the same keys.
 */
#include "allowedips.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/tcpip.h>

struct key {
	uint64_t hi, lo; /* host order */
};

/*
 * The first 64 bytes are what a lane reads. Once a node can be found, of those only the children and
 * the peer change. The links are the writer's.
 */
struct wg_allowed_node {
	_Atomic(struct wg_allowed_node *) child[2];
	struct key bits, mask;
	_Atomic(struct wg_peer *) peer;
	uint8_t length;
	uint8_t shift; /* of the bit behind the prefix, in its half of a key */
	uint8_t family;
	bool marked; /* the writer's: goes with the next sweep */
	struct wg_allowed_node *parent;
	union {
		struct { /* while it has a peer */
			struct wg_allowed_list *list;
			struct wg_allowed_node *next; /* NULL for the last */
			struct wg_allowed_node *prev; /* of the first: the last */
		};
		struct wg_retired retired; /* after it was taken out */
	};
};

typedef _Atomic(struct wg_allowed_node *) node_slot;

static struct wg_allowed_node *load(const node_slot *slot)
{
	return atomic_load_explicit(slot, memory_order_acquire);
}

static struct wg_peer *load_peer(const struct wg_allowed_node *n)
{
	return atomic_load_explicit(&n->peer, memory_order_acquire);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static uint64_t upper_bits(uint32_t n)
{
	return n == 0 ? 0 : UINT64_MAX << (64 - n);
}

static struct key make_mask(uint32_t length)
{
	return (struct key){
		.hi = upper_bits(length < 64 ? length : 64),
		.lo = upper_bits(length < 64 ? 0 : length - 64),
	};
}

/* The key without host bits; false when it is no prefix. */
static bool read_prefix(const struct vpn_prefix *p, struct key *key)
{
	if (p->family == VPN_AF_INET && p->length <= 32)
		*key = (struct key){.hi = (uint64_t)tcpip_load_be32(p->addr) << 32};
	else if (p->family == VPN_AF_INET6 && p->length <= 128)
		*key = (struct key){tcpip_load_be64(p->addr), tcpip_load_be64(p->addr + 8)};
	else
		return false;
	struct key mask = make_mask(p->length);
	key->hi &= mask.hi;
	key->lo &= mask.lo;
	return true;
}

static struct vpn_prefix write_prefix(const struct wg_allowed_node *n)
{
	struct vpn_prefix p = {.family = n->family, .length = n->length};
	if (n->family == VPN_AF_INET) {
		tcpip_store_be32(p.addr, (uint32_t)(n->bits.hi >> 32));
	} else {
		tcpip_store_be64(p.addr, n->bits.hi);
		tcpip_store_be64(p.addr + 8, n->bits.lo);
	}
	return p;
}

/* How many bits are equal from the first on. */
static uint32_t common(struct key a, struct key b)
{
	if (a.hi != b.hi)
		return (uint32_t)__builtin_clzll(a.hi ^ b.hi);
	return a.lo == b.lo ? 128 : 64 + (uint32_t)__builtin_clzll(a.lo ^ b.lo);
}

/* The bit behind the prefix. There is none behind 32 or 128: such a node has no children, and may say
 * anything. */
static uint32_t choose(const struct wg_allowed_node *n, struct key key)
{
	return (uint32_t)((n->length < 64 ? key.hi : key.lo) >> n->shift & 1);
}

static bool covers(const struct wg_allowed_node *n, struct key key)
{
	return (((key.hi ^ n->bits.hi) & n->mask.hi) | ((key.lo ^ n->bits.lo) & n->mask.lo)) == 0;
}

/* ---- the list of a peer ---------------------------------------------------------------------- */

static void append(struct wg_allowed_list *list, struct wg_allowed_node *n)
{
	n->list = list;
	n->marked = false;
	n->next = NULL;
	if (list->first == NULL) {
		list->first = n->prev = n;
	} else {
		n->prev = list->first->prev;
		n->prev->next = n;
		list->first->prev = n;
	}
	list->count++;
}

static void detach(struct wg_allowed_node *n)
{
	struct wg_allowed_list *list = n->list;
	if (n->next != NULL)
		n->next->prev = n->prev;
	else if (list->first != n)
		list->first->prev = n->prev;
	if (list->first == n)
		list->first = n->next;
	else
		n->prev->next = n->next;
	list->count--;
}

/* ---- the trie -------------------------------------------------------------------------------- */

void wg_allowedips_init(struct wg_allowedips *t, struct wg_epoch *epoch)
{
	atomic_init(&t->root4, NULL);
	atomic_init(&t->root6, NULL);
	t->epoch = epoch;
	t->count = 0;
}

/* Not deeper than an address has bits. */
static void free_below(struct wg_allowed_node *n)
{
	if (n == NULL)
		return;
	free_below(load(&n->child[0]));
	free_below(load(&n->child[1]));
	free(n);
}

void wg_allowedips_clear(struct wg_allowedips *t)
{
	free_below(load(&t->root4));
	free_below(load(&t->root6));
	wg_allowedips_init(t, t->epoch);
}

static struct wg_allowed_node *create(uint8_t family, struct key key, uint32_t length)
{
	struct wg_allowed_node *n = calloc(1, sizeof(*n));
	if (n == NULL)
		return NULL;
	n->mask = make_mask(length);
	n->bits = (struct key){key.hi & n->mask.hi, key.lo & n->mask.lo};
	n->length = (uint8_t)length;
	n->shift = (uint8_t)(~length & 63);
	n->family = family;
	return n;
}

static void release(struct wg_retired *r)
{
	free((char *)r - offsetof(struct wg_allowed_node, retired));
}

/* Where a prefix is or would hang. */
struct place {
	struct wg_allowed_node *parent; /* the last one that is shorter and covers it, or NULL */
	node_slot *slot;                /* of the parent, or the root */
	struct wg_allowed_node *node;   /* what is there, or NULL */
};

static node_slot *root_of(struct wg_allowedips *t, uint8_t family)
{
	return family == VPN_AF_INET ? &t->root4 : &t->root6;
}

static struct place search(node_slot *root, struct key key, uint32_t length)
{
	struct place p = {.slot = root, .node = load(root)};
	while (p.node != NULL && p.node->length < length && covers(p.node, key)) {
		p.parent = p.node;
		p.slot = &p.parent->child[choose(p.parent, key)];
		p.node = load(p.slot);
	}
	return p;
}

static bool is_exact(const struct wg_allowed_node *n, struct key key, uint32_t length)
{
	return n != NULL && n->length == length && covers(n, key);
}

/* Hangs a child into a node that no lane can find yet. */
static void adopt(struct wg_allowed_node *parent, struct wg_allowed_node *child)
{
	atomic_init(&parent->child[choose(parent, child->bits)], child);
	child->parent = parent;
}

/* A node for a prefix that has none, with the peer from the beginning. NULL without memory. */
static struct wg_allowed_node *hang(const struct place *p, uint8_t family, struct key key,
				    uint32_t length, struct wg_peer *peer)
{
	struct wg_allowed_node *n = create(family, key, length), *top = n;
	uint32_t shared = p->node == NULL ? 128 : common(key, p->node->bits);
	if (n == NULL)
		return NULL;
	atomic_init(&n->peer, peer);
	if (shared < length) { /* the two part below a third one */
		top = create(family, key, shared);
		if (top == NULL) {
			free(n);
			return NULL;
		}
		adopt(top, n);
	}
	if (p->node != NULL)
		adopt(top, p->node);
	top->parent = p->parent;
	atomic_store_explicit(p->slot, top, memory_order_release);
	return n;
}

bool wg_allowedips_insert(struct wg_allowedips *t, const struct vpn_prefix *prefix,
			  struct wg_peer *peer, struct wg_allowed_list *list)
{
	struct key key;
	if (!read_prefix(prefix, &key))
		return false;
	struct place p = search(root_of(t, prefix->family), key, prefix->length);
	struct wg_allowed_node *n = p.node;
	if (!is_exact(n, key, prefix->length)) {
		n = hang(&p, prefix->family, key, prefix->length, peer);
		if (n == NULL)
			return false;
		t->count++;
	} else {
		if (load_peer(n) != NULL)
			detach(n);
		else
			t->count++;
		atomic_store_explicit(&n->peer, peer, memory_order_release);
	}
	append(list, n);
	return true;
}

/* Takes out a node that is of no use any more, and then perhaps its parent. A lane that stands on it
 * still finds the child behind it. */
static void prune(struct wg_allowedips *t, struct wg_allowed_node *n)
{
	while (n != NULL && load_peer(n) == NULL) {
		struct wg_allowed_node *parent = n->parent, *rest = load(&n->child[0]);
		node_slot *slot = root_of(t, n->family);
		if (rest == NULL)
			rest = load(&n->child[1]);
		else if (load(&n->child[1]) != NULL)
			return;
		if (parent != NULL)
			slot = &parent->child[choose(parent, n->bits)];
		if (rest != NULL)
			rest->parent = parent;
		atomic_store_explicit(slot, rest, memory_order_release);
		wg_epoch_retire(t->epoch, &n->retired, release);
		n = parent;
	}
}

static void take_away(struct wg_allowedips *t, struct wg_allowed_node *n)
{
	atomic_store_explicit(&n->peer, NULL, memory_order_release);
	detach(n);
	t->count--;
	prune(t, n);
}

static struct wg_allowed_node *search_exact(const struct wg_allowedips *t,
					    const struct vpn_prefix *prefix)
{
	struct key key;
	if (!read_prefix(prefix, &key))
		return NULL;
	struct wg_allowed_node *n = search(root_of((struct wg_allowedips *)t, prefix->family), key,
					   prefix->length)
					    .node;
	return is_exact(n, key, prefix->length) ? n : NULL;
}

bool wg_allowedips_remove(struct wg_allowedips *t, const struct vpn_prefix *prefix,
			  struct wg_peer *peer)
{
	struct wg_allowed_node *n = search_exact(t, prefix);
	if (n == NULL || peer == NULL || load_peer(n) != peer)
		return false;
	take_away(t, n);
	return true;
}

void wg_allowedips_remove_peer(struct wg_allowedips *t, struct wg_allowed_list *list)
{
	while (list->first != NULL)
		take_away(t, list->first);
}

void wg_allowedips_renew(struct wg_allowed_list *list)
{
	for (struct wg_allowed_node *n = list->first; n != NULL; n = n->next)
		n->marked = true;
}

void wg_allowedips_sweep(struct wg_allowedips *t, struct wg_allowed_list *list)
{
	/* what was given again stands behind them all */
	while (list->first != NULL && list->first->marked)
		take_away(t, list->first);
}

struct wg_peer *wg_allowedips_owner(const struct wg_allowedips *t, const struct vpn_prefix *prefix)
{
	const struct wg_allowed_node *n = search_exact(t, prefix);
	return n == NULL ? NULL : load_peer(n);
}

bool wg_allowedips_each(const struct wg_allowed_list *list,
			bool (*fn)(void *ctx, const struct vpn_prefix *prefix), void *ctx)
{
	for (const struct wg_allowed_node *n = list->first; n != NULL; n = n->next) {
		struct vpn_prefix prefix = write_prefix(n);
		if (!fn(ctx, &prefix))
			return false;
	}
	return true;
}

/* ---- per packet ------------------------------------------------------------------------------ */

/* Both children are read before the bit is known: a step then waits for one load and not for two. */
static const struct wg_allowed_node *step(const struct wg_allowed_node *n, uint64_t bit)
{
	const struct wg_allowed_node *zero = load(&n->child[0]), *one = load(&n->child[1]);
	return bit != 0 ? one : zero;
}

/* As many look-ups at a time as memory can be waited for: processors have 10 to 16 line buffers. */
#define TOGETHER 16u

struct walk {
	const struct wg_allowed_node *node; /* to be looked at */
	struct key key;
	struct wg_allowed_query *query;
};

/* A node's first 64 bytes may lie in two lines. */
static void prefetch(const struct wg_allowed_node *n)
{
	if (n == NULL)
		return;
	__builtin_prefetch(n);
	__builtin_prefetch((const char *)n + 63);
}

static void begin_walk(const struct wg_allowedips *t, struct wg_allowed_query *q, struct walk *w)
{
	q->peer = NULL;
	w->query = q;
	if (q->family == VPN_AF_INET) {
		w->node = load(&t->root4);
		w->key = (struct key){.hi = (uint64_t)tcpip_load_be32(q->addr) << 32};
	} else {
		w->node = load(&t->root6);
		w->key = (struct key){tcpip_load_be64(q->addr), tcpip_load_be64(q->addr + 8)};
	}
}

/* One step further. False when it ends here. */
static bool go_on(struct walk *w)
{
	const struct wg_allowed_node *n = w->node;
	if (n == NULL || !covers(n, w->key))
		return false;
	struct wg_peer *here = load_peer(n);
	if (here != NULL)
		w->query->peer = here;
	w->node = step(n, choose(n, w->key));
	prefetch(w->node);
	return true;
}

static void lookup_some(const struct wg_allowedips *t, struct wg_allowed_query *queries, uint32_t n)
{
	struct walk walks[TOGETHER];
	for (uint32_t i = 0; i < n; i++)
		begin_walk(t, &queries[i], &walks[i]);
	while (n != 0) {
		uint32_t left = 0;
		for (uint32_t i = 0; i < n; i++)
			if (go_on(&walks[i]))
				walks[left++] = walks[i];
		n = left;
	}
}

void wg_allowedips_lookup(const struct wg_allowedips *t, struct wg_allowed_query *queries,
			  uint32_t n)
{
	while (n != 0) {
		uint32_t some = n < TOGETHER ? n : TOGETHER;
		lookup_some(t, queries, some);
		queries += some;
		n -= some;
	}
}
