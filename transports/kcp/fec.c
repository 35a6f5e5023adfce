/* SPDX-License-Identifier: BSD-2-Clause */
#include "fec.h"
#include "le.h"

enum kcp_fec_type kcp_fec_type(const uint8_t *packet, uint32_t len)
{
	if (len < KCP_FEC_HEADER)
		return KCP_FEC_NOT;
	uint32_t type = kcp_load_le16(packet + 4);
	return type >= KCP_FEC_DATA && type <= KCP_FEC_OOB ? (enum kcp_fec_type)type : KCP_FEC_NOT;
}

void kcp_fec_store(uint8_t *packet, uint32_t seqid, enum kcp_fec_type type, uint32_t len)
{
	kcp_store_le32(packet, seqid);
	kcp_store_le16(packet + 4, type);
	if (type != KCP_FEC_PARITY)
		kcp_store_le16(packet + KCP_FEC_SIZE_AT, len + 2);
}

uint32_t kcp_fec_end(uint32_t n_group)
{
	return UINT32_MAX / n_group * n_group;
}
