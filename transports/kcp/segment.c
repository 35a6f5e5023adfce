/* SPDX-License-Identifier: BSD-2-Clause */
#include "segment.h"

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

enum kcp_segment_fault kcp_segment_read(const uint8_t *in, uint32_t left, struct kcp_segment *out)
{
	if (left < KCP_SEGMENT_BYTES)
		return KCP_SEGMENT_SHORT;
	*out = (struct kcp_segment){
		.conv = load32(in),
		.cmd = in[4],
		.frg = in[5],
		.wnd = (uint16_t)(in[6] | in[7] << 8),
		.ts = load32(in + 8),
		.sn = load32(in + 12),
		.una = load32(in + 16),
		.len = load32(in + 20),
	};
	if (out->len > left - KCP_SEGMENT_BYTES)
		return KCP_SEGMENT_LENGTH;
	if (out->cmd < KCP_CMD_PUSH || out->cmd > KCP_CMD_WINS)
		return KCP_SEGMENT_COMMAND;
	return KCP_SEGMENT_OK;
}

void kcp_segment_write(uint8_t out[KCP_SEGMENT_BYTES], const struct kcp_segment *s)
{
	store32(out, s->conv);
	out[4] = s->cmd;
	out[5] = s->frg;
	out[6] = (uint8_t)s->wnd;
	out[7] = (uint8_t)(s->wnd >> 8);
	store32(out + 8, s->ts);
	store32(out + 12, s->sn);
	store32(out + 16, s->una);
	store32(out + 20, s->len);
}
