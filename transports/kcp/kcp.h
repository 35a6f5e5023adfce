/* SPDX-License-Identifier: BSD-2-Clause */
/* kcp: what an instance consists of. */
#ifndef KCP_KCP_H
#define KCP_KCP_H

#include <vpncore/plugin.h>

#include "batch.h"
#include "cells.h"
#include "crypt.h"
#include "engine.h"
#include "flow_door.h"
#include "sessions.h"

struct kcp {
	const struct vpn_host *host;
	struct vpn_lane *lane; /* NULL before start() */
	const struct kcp_options *options;
	struct kcp_settings settings;
	const struct kcp_engine_ops *ops;
	struct kcp_crypt *crypt;
	struct kcp_flow_door door; /* own wire */
	struct kcp_cells cells;
	struct kcp_sessions sessions;
	struct kcp_batch down, up;
	uint32_t front, back; /* bytes that the layers take around an engine's datagram */
	uint32_t mtu;         /* largest datagram of an engine */
	bool below_chooses;   /* udp's remote: what has no endpoint goes there */
	bool above_chooses;   /* what comes from above has endpoints */
	bool above_waits;     /* send() has refused */
	uint32_t depth;       /* calls that we are inside of: a push may come back to us */
	uint64_t swept_us;    /* when room was last looked for among unproven sessions */
	uint64_t armed_us;
};

static inline uint64_t kcp_now_us(const struct kcp *k)
{
	return k->lane->now_ns / 1000;
}

static inline void kcp_count(struct kcp *k, enum kcp_count what, uint64_t n)
{
	vpn_count(k->lane, (uint32_t)what, n);
}

/* Releases a packet and counts why. */
void kcp_drop(struct kcp *k, struct vpn_packet *p, enum kcp_count reason);

/* Ends a session; tells the pipeline where that matters. */
void kcp_end_session(struct kcp *k, struct kcp_session *s, enum kcp_session_end why);

#endif
