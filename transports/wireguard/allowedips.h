/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * allowedips: cryptokey routing, the longest prefix that an address is in says whose it is. A binary
 * trie with compressed paths for each family, made for tens of thousands of prefixes. Lanes look up
 * without a lock while one writer changes it: every change is one pointer written, and what was taken
 * out is retired (see epoch.h).
 */
#ifndef WG_ALLOWEDIPS_H
#define WG_ALLOWEDIPS_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "epoch.h"

struct wg_peer; /* only pointers are kept; the tests use any address */
struct wg_allowed_node;

struct wg_allowedips {
	_Atomic(struct wg_allowed_node *) root4, root6;
	struct wg_epoch *epoch;
	uint64_t count; /* prefixes */
};

/* The list of one peer's prefixes; lives in the peer. Zeroed = empty. */
struct wg_allowed_list {
	struct wg_allowed_node *first;
	uint32_t count;
};

void wg_allowedips_init(struct wg_allowedips *t, struct wg_epoch *epoch);

/* Frees all nodes at once: no lane runs any more. The lists of the peers are not touched, and must
 * not be used after it. */
void wg_allowedips_clear(struct wg_allowedips *t);

/*
 * Gives `prefix` (host bits are ignored) to a peer, whose list is `list`; takes it from another peer
 * that had it (whose list is found through the node). Given again to its peer it becomes the last of
 * the list. False: out of memory or no prefix of an IP family, nothing has changed. Under the lock.
 * [any]
 */
bool wg_allowedips_insert(struct wg_allowedips *t, const struct vpn_prefix *prefix,
			  struct wg_peer *peer, struct wg_allowed_list *list);

/* Takes this very prefix away if it is that peer's. True when it was. Under the lock. [any] */
bool wg_allowedips_remove(struct wg_allowedips *t, const struct vpn_prefix *prefix,
			  struct wg_peer *peer);

/* Takes all of a peer's prefixes away. Under the lock. [any] */
void wg_allowedips_remove_peer(struct wg_allowedips *t, struct wg_allowed_list *list);

/* Replaces a peer's prefixes without a moment in which one that stays is not there: renew() marks all,
 * insert() takes the mark from the one that it is given, sweep() takes away what is still marked. Under
 * the lock. [any] */
void wg_allowedips_renew(struct wg_allowed_list *list);
void wg_allowedips_sweep(struct wg_allowedips *t, struct wg_allowed_list *list);

struct wg_allowed_query {
	const uint8_t *addr;  /* 4 or 16 bytes */
	struct wg_peer *peer; /* the answer: of the longest prefix that has the address, or NULL */
	uint8_t family;       /* VPN_AF_INET or VPN_AF_INET6 */
};

/* Answers n queries. In a large trie each step waits for memory: here they wait together, which is a
 * third of the time of one after the other with 10,000 prefixes. [lane], inside of an epoch; or under
 * the lock. */
void wg_allowedips_lookup(const struct wg_allowedips *t, struct wg_allowed_query *queries,
			  uint32_t n);

/* The owner of exactly this prefix, or NULL. Under the lock. [any] */
struct wg_peer *wg_allowedips_owner(const struct wg_allowedips *t, const struct vpn_prefix *prefix);

/* Calls fn for each prefix of a list, in the order in which they were given; stops when it returns
 * false, and then returns false. fn changes nothing here. Under the lock. [any] */
bool wg_allowedips_each(const struct wg_allowed_list *list,
			bool (*fn)(void *ctx, const struct vpn_prefix *prefix), void *ctx);

#endif
