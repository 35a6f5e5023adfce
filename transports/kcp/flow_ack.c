/* SPDX-License-Identifier: BSD-2-Clause */
/* flow_ack: when the receiver tells what has come, and how much of it. */
#include "flow_parts.h"

#define ACK_EVERY       32u    /* datagrams */
#define ACK_DELAY_MOST  10000u /* a little longer than a group: its parity is in the same ack */
#define ACK_DELAY_SHARE 6u     /* of a round trip */
#define ACK_DELAY       2000u  /* while that is not known */
#define ACK_DELAY_LEAST 500u
#define ACK_SOON        1000u /* after the last one, when something is missing */
#define ACK_RUNS        12u   /* and one for each datagram since the last one, */
#define ACK_RUNS_MOST   64u
#define ACK_BYTES       192u
#define MEASURE_US      2000000u

static uint64_t ack_delay(const struct kcp_flow *f)
{
	if (!kcp_rtt_is_known(&f->rtt))
		return ACK_DELAY;
	uint64_t t = f->rtt.srtt_us / ACK_DELAY_SHARE;
	if (t < ACK_DELAY_LEAST)
		t = ACK_DELAY_LEAST;
	return t < ACK_DELAY_MOST ? t : ACK_DELAY_MOST;
}

void flow_ack_want(struct kcp_flow *f, enum kcp_ranges_result how, uint64_t pn, uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	uint64_t due = now_us + ack_delay(f);
	rx->unacked++;
	if (how == KCP_RANGES_BETWEEN && rx->pns.largest - pn > rx->reach)
		rx->reach = (uint32_t)(rx->pns.largest - pn);
	if (rx->unacked >= ACK_EVERY)
		due = now_us;
	else if (how != KCP_RANGES_NEXT && rx->acked_us + ACK_SOON < due)
		due = rx->acked_us + ACK_SOON;
	if (due < rx->ack_us)
		rx->ack_us = due;
}

/* Old news takes room: so much that it has been told several times when acks are lost, and as far back as
 * datagrams come late. */
static uint32_t runs_to_tell(struct flow_rx *rx)
{
	uint32_t runs = ACK_RUNS + rx->unacked + rx->reach / 4;
	rx->reach -= (rx->reach + 15) / 16;
	return runs < ACK_RUNS_MOST ? runs : ACK_RUNS_MOST;
}

bool flow_ack_emit(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_rx *rx = &f->rx;
	struct vpn_packet *p = f->out.fresh(f->out.ctx, KCP_FRESH_ANSWER);
	if (p == NULL)
		return false;
	uint64_t delay = (now_us - rx->largest_us) / KCP_FRAME_DELAY_UNIT;
	struct kcp_frame h = {
		.kind = KCP_FRAME_ACK,
		.word = delay < UINT16_MAX ? (uint16_t)delay : UINT16_MAX,
		.number = flow_peer_number(f),
		.pn = (uint32_t)rx->pns.largest,
		.id = (uint32_t)rx->floor,
	};
	uint8_t *data = vpn_packet_data(p);
	uint32_t room = f->mtu - KCP_FRAME_HEAD_LEN;
	kcp_frame_write(data, &h);
	p->len = KCP_FRAME_HEAD_LEN + kcp_ranges_write(&rx->pns, data + KCP_FRAME_HEAD_LEN,
						       room < ACK_BYTES ? room : ACK_BYTES,
						       runs_to_tell(rx));
	f->out.emit(f->out.ctx, p);
	flow_count(f, KCP_ACKS_SENT, 1);
	rx->ack_us = KCP_NEVER;
	rx->acked_us = now_us;
	rx->unacked = 0;
	return true;
}

/* Who only receives measures no round trip by what he sends: he asks now and then. */
void flow_ack_measure(struct kcp_flow *f, uint64_t now_us)
{
	if (now_us - f->measured_us < MEASURE_US || now_us - f->rx.measuring_us < MEASURE_US)
		return;
	f->rx.measuring_us = now_us;
	f->tx.wants_ping = true;
}
