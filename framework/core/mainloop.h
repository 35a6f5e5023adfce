/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mainloop: descriptors, deadlines and calls of one instance on the event loop of [main]: the services
 * VPN_EXT_LOOP and, in reconcile.c, VPN_EXT_RECONCILE of plugin.h. The loop belongs to who runs the
 * pipeline.
 */
#ifndef VPNCORE_CORE_MAINLOOP_H
#define VPNCORE_CORE_MAINLOOP_H

#include <pthread.h>
#include <stdbool.h>
#include <uv.h>
#include <vpncore/plugin.h>

struct vpn_reconciler;

/* What an instance has on the loop. */
struct mainloop {
	uv_loop_t *loop;
	struct main_watch *watches;
	struct main_timer *timers;
	struct main_post *posts; /* the oldest first; under lock */
	struct vpn_reconciler *reconcilers;
	struct main_waker *waker; /* outlives this until the loop has closed it; under lock */
	pthread_mutex_t lock;
};

/* Makes it ready. `loop` may be NULL: then there are no services. [main] */
vpn_status mainloop_init(struct mainloop *m, uv_loop_t *loop, struct vpn_error *err);

/* Takes everything away; nothing is called back any more. The loop has to run once more, or until it has
 * nothing to do, for the memory to be given back. Idempotent. [main] */
void mainloop_clear(struct mainloop *m);

/* The services; their `inst` is a struct mainloop. */
extern const struct vpn_loop_ext mainloop_ext;
extern const struct vpn_reconcile_ext reconcile_ext;

void reconcile_clear(struct mainloop *m); /* for mainloop_clear() */

#endif
