/* SPDX-License-Identifier: BSD-2-Clause */
/* pacer: spreads datagrams over time at a rate. */
#include "pacer.h"

#define FRACTION_BITS 20u
#define NS_PER_S      UINT64_C(1000000000)
/* 64 KiB at the slowest rate below must not overflow: 2^16 * 2^47 */
#define SLOWEST UINT64_C(8) /* bytes/s */

void kcp_pacer_init(struct kcp_pacer *p, uint32_t datagram)
{
	*p = (struct kcp_pacer){.datagram = datagram};
}

/* The time that what is owed takes at the new rate instead of the old one. */
static void convert_debt(struct kcp_pacer *p, uint64_t old)
{
	if (old == 0 || p->paid_ns <= p->sent_ns)
		return;
	__extension__ unsigned __int128 debt = p->paid_ns - p->sent_ns;
	p->paid_ns = p->sent_ns + (uint64_t)(debt * p->ns_per_byte / old);
}

void kcp_pacer_set_rate(struct kcp_pacer *p, uint64_t bytes_per_s)
{
	uint64_t old = p->ns_per_byte;
	if (bytes_per_s == p->rate)
		return;
	p->rate = bytes_per_s;
	if (bytes_per_s == 0) {
		p->ns_per_byte = 0;
		p->burst_ns = 0;
		p->paid_ns = 0;
		return;
	}
	if (bytes_per_s < SLOWEST)
		bytes_per_s = SLOWEST;
	p->ns_per_byte = (NS_PER_S << FRACTION_BITS) / bytes_per_s;
	if (p->ns_per_byte == 0)
		p->ns_per_byte = 1;
	p->burst_ns = (KCP_PACER_BURST * (uint64_t)p->datagram * p->ns_per_byte) >> FRACTION_BITS;
	if (p->burst_ns < KCP_PACER_BURST_US * 1000u)
		p->burst_ns = KCP_PACER_BURST_US * 1000u;
	convert_debt(p, old);
}

void kcp_pacer_sent(struct kcp_pacer *p, uint32_t bytes, uint64_t now_us)
{
	uint64_t now_ns = now_us * 1000;
	if (p->ns_per_byte == 0)
		return;
	if (p->paid_ns < now_ns)
		p->paid_ns = now_ns;
	p->sent_ns = now_ns;
	p->paid_ns += (bytes * p->ns_per_byte) >> FRACTION_BITS;
}

uint64_t kcp_pacer_next(const struct kcp_pacer *p, uint64_t now_us)
{
	uint64_t half = p->burst_ns / 2;
	if (kcp_pacer_may_send(p, now_us))
		return now_us;
	return (p->paid_ns - half + 999) / 1000;
}
