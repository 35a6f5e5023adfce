/* SPDX-License-Identifier: BSD-2-Clause */
#include "packer.h"

void kcp_packer_finish(struct kcp_packer *p)
{
	struct vpn_packet *datagram = p->open;
	if (datagram == NULL)
		return;
	p->open = NULL;
	p->outlet->emit(p->outlet->ctx, datagram);
}

uint8_t *kcp_packer_room(struct kcp_packer *p, uint32_t len, enum kcp_fresh what)
{
	if (!kcp_packer_fits(p, len))
		kcp_packer_finish(p);
	if (p->open == NULL)
		p->open = p->outlet->fresh(p->outlet->ctx, what);
	if (p->open == NULL)
		return NULL;
	uint8_t *at = vpn_packet_data(p->open) + p->open->len;
	p->open->len += len;
	return at;
}

void kcp_packer_whole(struct kcp_packer *p, struct vpn_packet *datagram)
{
	kcp_packer_finish(p);
	p->outlet->emit(p->outlet->ctx, datagram);
}
