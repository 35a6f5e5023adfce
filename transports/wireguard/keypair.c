/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypair.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct wg_keypair *wg_keypair_new(struct wg_index *index, struct wg_peer *peer)
{
	struct wg_keypair *k = aligned_alloc(_Alignof(struct wg_keypair), sizeof(*k));
	if (k == NULL)
		return NULL;
	memset(k, 0, sizeof(*k));
	k->peer = peer;
	wg_replay_init(&k->replay);
	if (wg_index_insert(index, &k->entry, WG_INDEX_SESSION))
		return k;
	free(k);
	return NULL;
}

void wg_keypair_begin(struct wg_keypair *k, const struct wg_session_keys *keys, uint64_t now_ns)
{
	memcpy(k->send_key, keys->send, sizeof(k->send_key));
	memcpy(k->receive_key, keys->receive, sizeof(k->receive_key));
	k->remote_index = keys->remote_index;
	k->initiator = keys->initiator;
	k->created_ns = now_ns;
	atomic_store_explicit(&k->live, true, memory_order_release);
}

static void release(struct wg_retired *r)
{
	struct wg_keypair *k = (struct wg_keypair *)(void *)r; /* its first member */
	sodium_memzero(k, sizeof(*k));
	free(k);
}

void wg_keypair_retire(struct wg_index *index, struct wg_epoch *epoch, struct wg_keypair *k)
{
	if (k == NULL)
		return;
	wg_index_remove(index, &k->entry);
	wg_epoch_retire(epoch, &k->retired, release);
}
