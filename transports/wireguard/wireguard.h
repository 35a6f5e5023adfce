/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wireguard: the instance, its lanes and what it counts.
 *
 *	                     one lock: configuration, handshakes, timers
 *	                 ______________________________________________________
 *	  config ------> | peers -- noise, cookie, keypair slots, timer heap  |
 *	  uapi thread    |_____________________________________________________|
 *	                        | published by one pointer each, retired by epochs
 *	                        v
 *	  lane: send      allowedips -> peer -> current keypair -> seal -> down
 *	  lane: receive   index -> keypair -> open -> replay -> allowedips -> up
 *
 * Lanes carry data without taking the lock: they read tables whose old parts live on until no lane is
 * inside of a callback (epoch.h). What has to be sent while the lock is held goes into the lane's
 * outbox, and leaves when it is not held any more: a push may come back to us.
 */
#ifndef WG_WIREGUARD_H
#define WG_WIREGUARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <vpncore/plugin.h>

#include "aead.h"
#include "allowedips.h"
#include "cookie.h"
#include "epoch.h"
#include "handshake.h"
#include "index.h"
#include "inner.h"
#include "lane.h"
#include "names.h"
#include "noise.h"
#include "options.h"
#include "peers.h"
#include "ratelimit.h"
#include "text.h"
#include "timers.h"
#include "types.h"
#include "uapi.h"

/* In the order of the table in wireguard.c. */
enum wg_count {
	DROP_SHORT,
	DROP_BAD_TYPE,
	DROP_BAD_MAC1,
	DROP_NO_COOKIE,
	DROP_RATE_LIMITED,
	DROP_HANDSHAKE_FULL,
	DROP_UNKNOWN_PEER,
	DROP_BAD_HANDSHAKE,
	DROP_OLD_TIMESTAMP,
	DROP_TOO_SOON,
	DROP_UNEXPECTED,
	DROP_UNKNOWN_INDEX,
	DROP_EXPIRED,
	DROP_EXHAUSTED,
	DROP_BAD_TAG,
	DROP_REPLAY,
	DROP_MALFORMED,
	DROP_DISALLOWED_SOURCE,
	DROP_NO_PEER,
	DROP_NO_ENDPOINT,
	DROP_LOOP,
	DROP_NOT_IP,
	DROP_STAGED,
	DROP_UNANSWERED,
	DROP_DOWN,
	DROP_BELOW_FULL,
	DROP_ABOVE_FULL,
	DROP_NO_PACKETS,
	INITIATIONS_SENT,
	RESPONSES_SENT,
	SESSIONS,
	COOKIES_SENT,
	COOKIES_RECEIVED,
	KEEPALIVES_SENT,
	KEEPALIVES_RECEIVED,
	ROAMED,
	UNDER_LOAD,
	UNREACHABLE_SENT,
	KEYS_ZEROED,
	WG_COUNTERS
};

/* Who wants to know of changes; see vpn_device_ext.subscribe in plugin.h. */
struct wg_subscriber {
	pthread_mutex_t lock;
	void (*changed)(void *ctx);
	void *ctx;
	uint64_t told;    /* the generation that it was told of last */
	uint64_t told_ns; /* and when */
};

struct wg {
	const struct vpn_host *host;
	const struct wg_options *options;
	const struct wg_aead_engine *engine;
	struct wg_lane *lanes;
	uint32_t n_lanes;
	bool started;

	/* Read by lanes without the lock. */
	struct wg_types types; /* set before they run */
	struct wg_epoch epoch;
	struct wg_allowedips allowed;
	struct wg_index index;
	_Atomic bool up;               /* the device is; else nothing is sent or taken */
	_Atomic uint32_t mtu;          /* of the device: padding does not pass it */
	_Atomic struct wg_ports ports; /* of the socket below */
	_Atomic bool below_chooses;    /* packets without an endpoint find their way */
	_Atomic uint64_t under_load;   /* until then, by vpn_lane.now_ns */
	_Atomic uint64_t generation;   /* of peers, prefixes and endpoints */
	_Atomic bool has_retired;
	_Atomic uint64_t
		tell_at; /* when lane 0 tells the subscriber of changes; UINT64_MAX = never */

	pthread_mutex_t lock; /* guards all that follows, and the writing of what stands above */
	struct wg_identity identity;
	struct wg_cookie_checker checker;
	struct wg_ratelimit *ratelimit;
	struct wg_peers peers;
	struct wg_timers timers;
	struct wg_names names;
	struct wg_peer *todo; /* peers with something for lane 0 to do */

	struct wg_uapi *uapi; /* [main] */
	bool uapi_tried;
	struct wg_subscriber subscriber;
	const struct vpn_device_ext *device;
	void *device_inst;
	const struct vpn_socket_ext *socket;
	void *socket_inst;
};

static inline void wg_lock(struct wg *wg)
{
	pthread_mutex_lock(&wg->lock);
}

static inline void wg_unlock(struct wg *wg)
{
	pthread_mutex_unlock(&wg->lock);
}

/* Lane 0 shall look at todo, timers and retired objects. [any] */
void wg_wake_first(struct wg *wg);

/* Something was retired: lane 0 frees it when no lane uses it any more. [any] */
void wg_retired(struct wg *wg);

/* Every lane shall look at its staged packets. [any] */
void wg_wake_all(struct wg *wg);

/* Peers, prefixes or endpoints have changed: lane 0 tells the subscriber. With the lock held or not.
 * [any] */
void wg_changed(struct wg *wg);

#endif
