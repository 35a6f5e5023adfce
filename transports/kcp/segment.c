/* SPDX-License-Identifier: BSD-2-Clause */
#include "segment.h"

#include "le.h"

enum kcp_segment_fault kcp_segment_read(const uint8_t *in, uint32_t left, struct kcp_segment *out)
{
	if (left < KCP_SEGMENT_BYTES)
		return KCP_SEGMENT_SHORT;
	*out = (struct kcp_segment){
		.conv = kcp_load_le32(in),
		.cmd = in[4],
		.frg = in[5],
		.wnd = kcp_load_le16(in + 6),
		.ts = kcp_load_le32(in + 8),
		.sn = kcp_load_le32(in + 12),
		.una = kcp_load_le32(in + 16),
		.len = kcp_load_le32(in + 20),
	};
	if (out->len > left - KCP_SEGMENT_BYTES)
		return KCP_SEGMENT_LENGTH;
	if (out->cmd < KCP_CMD_PUSH || out->cmd > KCP_CMD_WINS)
		return KCP_SEGMENT_COMMAND;
	return KCP_SEGMENT_OK;
}

void kcp_segment_write(uint8_t out[KCP_SEGMENT_BYTES], const struct kcp_segment *s)
{
	kcp_store_le32(out, s->conv);
	out[4] = s->cmd;
	out[5] = s->frg;
	kcp_store_le16(out + 6, s->wnd);
	kcp_store_le32(out + 8, s->ts);
	kcp_store_le32(out + 12, s->sn);
	kcp_store_le32(out + 16, s->una);
	kcp_store_le32(out + 20, s->len);
}
