/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kcp_world: instances of the component on the test host, with options as the manifest's defaults.
 *
 *	world_init(&w);                         a host and default options; nothing is made yet
 *	w.options[0].reliability = KCP_RELIABLE;
 *	world_start(&w, 0);                     makes and starts instance 0
 *	world_start(&w, 1);                     and another
 *	world_join(&w, delay_ns);               a wire between them
 *	world_end(&w);                          stops, destroys, reports leaks
 *
 * By default the stage below knows the peer, as udp with "remote" does; world_listen() before the start
 * makes an instance that serves peers by their endpoints.
 */
#ifndef TEST_KCP_WORLD_H
#define TEST_KCP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <vpncore/testhost.h>

#include "arq.h"
#include "kcp.h"

#define WORLD_MS     UINT64_C(1000000) /* ns */
#define WORLD_SECOND UINT64_C(1000000000)

struct world {
	struct testhost *host;
	struct testhost_setup setup[2];
	struct kcp_options options[2];
	struct kcp_fec_options fec[2];
	struct testhost_stage *stage[2];
	struct kcp *k[2];
	struct testhost_wire *wire;
	uint64_t before[2][KCP_N_COUNTS];
};

const struct vpn_component *world_component(void);

void world_init(struct world *w);
struct testhost_stage *world_add(struct world *w, uint32_t i, struct vpn_error *err);
void world_start(struct world *w, uint32_t i);
/* Before world_start(): nobody below knows a peer; `accept` sessions. */
void world_listen(struct world *w, uint32_t i, uint32_t accept);
void world_join(struct world *w, uint64_t delay_ns);
void world_end(struct world *w);

/* A message from above, filled by its number: true when it was taken. */
bool world_send(struct world *w, uint32_t i, uint32_t number, uint32_t len);
bool world_send_to(struct world *w, uint32_t i, const struct vpn_endpoint *to, uint32_t number,
		   uint32_t len);
/* The next message that went up is this one. */
void world_expect(struct world *w, uint32_t i, uint32_t number, uint32_t len);

/* A KCP datagram of one segment from below. */
void world_say(struct world *w, uint32_t i, const struct vpn_endpoint *from,
	       const struct kcp_segment *s, uint32_t number);
/* The next datagram that went down: its first segment. False: there is none. */
bool world_heard(struct world *w, uint32_t i, struct kcp_segment *out, struct vpn_endpoint *ret_to);

uint64_t world_count(const struct world *w, uint32_t i, enum kcp_count what);
void world_mark(struct world *w);
uint64_t world_grown(const struct world *w, uint32_t i, enum kcp_count what);
/* Exactly n packets have been dropped since world_mark(), all for this reason. */
void world_only_drop(const struct world *w, uint32_t i, enum kcp_count what, uint64_t n);

#endif
