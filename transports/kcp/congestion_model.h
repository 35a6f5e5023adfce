/* SPDX-License-Identifier: BSD-2-Clause */
/* congestion_model: what a model of congestion.h has to do; internal to congestion*.c. */
#ifndef KCP_CONGESTION_MODEL_H
#define KCP_CONGESTION_MODEL_H

#include "congestion.h"

/* Delivery rate by an ack: bytes/s, 0 = the ack says nothing about it. */
struct kcp_congestion_sample {
	uint64_t bytes_per_s;
	uint64_t delivered; /* bytes delivered when its newest datagram was sent */
	bool app_limited;
};

void kcp_congestion_rate_init(struct kcp_congestion *c, uint64_t now_us);
void kcp_congestion_rate_ack(struct kcp_congestion *c, const struct kcp_congestion_sample *s,
			     uint64_t now_us);
void kcp_congestion_rate_timeout(struct kcp_congestion *c, uint64_t now_us);

#endif
