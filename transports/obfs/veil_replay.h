/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * veil_replay: which sealed packets have been here. Each says who sealed it (a random number of one
 * sender's run), its number, and when. A packet is taken once:
 *
 *  - its time lies within `window` of our clock, and not before its sender's floor, and
 *  - its number is new in the sender's window (RFC 6479).
 *
 * The floor of a sender is the filter's at the time when it became known. Memory is bounded: when a sender
 * comes that there is no room for, the one that has been silent longest is forgotten, and the filter's
 * floor moves past the newest packet that it has sent: of what was taken before, nothing is taken again,
 * neither as a stranger's nor after it has become known anew. So the time from which strangers are heard
 * shrinks, and nothing else.
 *
 * All lanes share one: a packet that was recorded may come back from another address, and so on another
 * lane. The lock is taken once for a batch, and only for packets that were authentic: strangers cannot
 * make lanes wait for each other.
 */
#ifndef OBFS_VEIL_REPLAY_H
#define OBFS_VEIL_REPLAY_H

#include <stdint.h>

enum veil_verdict { VEIL_NEW, VEIL_STALE, VEIL_REPLAYED };

/* Senders that are remembered: each lane of each peer is one. 560 bytes each. */
#define VEIL_REPLAY_SENDERS 1024u

/* A packet may be overtaken by so many of its sender's. A batch of 256 on 16 sockets is 4096. */
#define VEIL_REPLAY_WORDS  65u
#define VEIL_REPLAY_WINDOW ((VEIL_REPLAY_WORDS - 1u) * 64u)

struct veil_replay;

/* Times are milliseconds since 1970-01-01 UTC. `senders` >= 1. NULL: out of memory. [main] */
struct veil_replay *veil_replay_new(uint32_t senders, uint64_t window_ms, uint64_t floor_ms);

/* Accepts NULL, returns NULL. [main] */
struct veil_replay *veil_replay_free(struct veil_replay *r);

/* [lane], for the checks of one batch */
void veil_replay_lock(struct veil_replay *r);
void veil_replay_unlock(struct veil_replay *r);

/* Of an authentic packet; the lock is held. After VEIL_NEW it is not new any more. [lane] */
enum veil_verdict veil_replay_check(struct veil_replay *r, uint64_t sender, uint64_t number,
				    uint64_t time_ms, uint64_t now_ms);

#endif
