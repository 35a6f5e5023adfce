/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Components for tests of the runtime, over real descriptors and threads:
 *
 *   test --socketpair-- fake device --- [fake middle] --- fake bottom, which sends everything back up
 */
#ifndef TESTS_RUNTIME_FAKE_H
#define TESTS_RUNTIME_FAKE_H

#include <stdatomic.h>
#include <vpncore/plugin.h>

#include "graph.h"
#include "manifest.h"

#define FAKE_LANES 4

enum { FAKE_DROP_FULL, FAKE_COUNTERS };

struct fake_config {
	uint32_t fail_create, fail_start; /* return VPN_EIO there */
};

/* What the components did, for assertions. One pipeline at a time. */
struct fake_log {
	atomic_int created, started, stopped, destroyed;
	atomic_int timers, wakes, writables, resolved, resolve_failed;
	atomic_uint take_limit; /* the bottom takes at most so many of one push */
	int outer[FAKE_LANES];  /* the test's ends of the devices' socket pairs */
	int unwatched;          /* a descriptor whose watch the device's timer ends; -1 = none */
	const struct vpn_host *device_host, *bottom_host;
	char order[64]; /* "sB sM sD ..." of the life-cycle calls */
};

extern struct fake_log fake_log;

void fake_reset(void);

extern const struct vpn_component fake_device, fake_middle, fake_bottom;

/* Fills *m and *g with a stack of these. `middle` adds the transport in the middle. */
void fake_graph(struct manifest *m, struct graph *g, uint32_t lanes, int middle,
		struct fake_config *device, struct fake_config *bottom);

#endif
