/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ready: how the lane learns that a frame is there. The extensions have a select() and nothing else:
 * poll() and an ordinary kevent fail. A kevent with NOTE_LOWAT and 1 as its mark is accepted (xnu,
 * filt_specattach()), in a kqueue of our own, which the host can watch like any descriptor. Where the
 * kernel refuses that too, a thread waits in select() and wakes the lane:
 *
 *   lane:   "g" ->                     wake() -> reads until nothing is left, "g" -> ...
 *   thread:        select(node, pipe) -------^
 */
#ifndef TAP_READY_H
#define TAP_READY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <vpncore/plugin.h>

#include "tap_options.h"

struct tap_ready {
	const struct vpn_host *host;
	struct vpn_lane *lane;
	int fd;      /* the node; not ours */
	int kq;      /* -1: by the thread */
	int pipe[2]; /* to the thread; -1 = closed */
	bool has_thread;
	bool selecting;    /* lane: the thread was told to */
	atomic_int failed; /* errno of the thread's select() */
	pthread_t thread;
};

void tap_ready_init(struct tap_ready *r); /* closed */

/* [main] */
vpn_status tap_ready_open(struct tap_ready *r, int fd, enum tap_readiness how,
			  const struct vpn_host *host, struct vpn_lane *lane,
			  struct vpn_error *err);
void tap_ready_close(struct tap_ready *r); /* also when not open; joins the thread */

/* Has ready() called when a frame is there, with DARWIN_TOKEN_QUEUE or VPN_TOKEN_WAKE. [lane] [start] */
vpn_status tap_ready_watch(struct tap_ready *r, bool on);

/* ready() was called: 1 = read, 0 = nothing is there, a negative errno = the device is gone. [lane] */
int tap_ready_check(struct tap_ready *r);

#endif
