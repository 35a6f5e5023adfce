/* SPDX-License-Identifier: BSD-2-Clause */
/* graph: what a stack of components costs and whether it can work: room, overhead, MTU, layers. */
#ifndef VPNCORE_CORE_GRAPH_H
#define VPNCORE_CORE_GRAPH_H

#include "manifest.h"

struct graph_stage {
	const struct manifest_part *part;
	struct vpn_needs needs;
	/* Largest packet handed to this stage from above, bytes; for the device: from the kernel, a
	 * frame then with up to two VLAN tags. */
	uint32_t mtu_above;
	uint32_t mtu_below; /* largest packet it may push down; 0 in the bottom */
	uint32_t n_lanes;
};

struct graph {
	const struct manifest *manifest;
	struct graph_stage stages[MANIFEST_STAGES_MAX];
	size_t n_stages;
	uint32_t layer;    /* VPN_L2 or VPN_L3 */
	uint32_t headroom; /* sums over the stack, headroom rounded up so that data is aligned */
	uint32_t tailroom;
	uint32_t overhead;
	uint32_t align;
	uint32_t max_batch; /* the smallest of the manifest's and the stages' */
	uint32_t mtu;       /* of the device, IP packet bytes: as asked or computed */
	uint32_t mtu_max;   /* the most that the stack carries */
	uint32_t n_lanes;
	bool authenticated; /* some stage authenticates */
	bool encrypted;
};

/*
 * Sums the needs and checks the stack: one device, first; at least one transport; exactly one bottom
 * transport, last; layers; MTU; lanes > 1 only where every stage is lane-aware; an endpoint for the
 * bottom; an authenticating stage or allow_insecure (then a warning). Warns of a stage that expects
 * ciphertext below one that does not encrypt. Problems go to the list with the manifest's places. True
 * when none was found. Keeps a pointer to the manifest. Pure. [main]
 */
bool graph_build(struct graph *g, const struct manifest *m, struct problems *problems);

/* Draws it: as a picture of text, and in the DOT language. `line` gets one line at a time. */
void graph_text(const struct graph *g, void (*line)(void *ctx, const char *text), void *ctx);
void graph_dot(const struct graph *g, void (*line)(void *ctx, const char *text), void *ctx);

#endif
