/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packer: segments into datagrams of at most `mtu` bytes. Small ones share a datagram, in their order;
 * a packet that is a datagram by itself goes as it is, without being copied.
 */
#ifndef KCP_PACKER_H
#define KCP_PACKER_H

#include "engine.h"

struct kcp_packer {
	const struct kcp_outlet *outlet;
	uint32_t mtu;
	struct vpn_packet *open; /* the datagram that is being filled, or NULL */
};

/* len <= mtu bytes at the end of the open datagram, or of a fresh one when they do not fit; the caller
 * fills all of them. NULL: there is no packet. */
uint8_t *kcp_packer_room(struct kcp_packer *p, uint32_t len, enum kcp_fresh what);

/* Takes a packet that is a whole datagram; what was packed before goes first. */
void kcp_packer_whole(struct kcp_packer *p, struct vpn_packet *datagram);

/* Emits the open datagram. */
void kcp_packer_finish(struct kcp_packer *p);

/* Whether len more bytes would go into the open datagram. */
static inline bool kcp_packer_fits(const struct kcp_packer *p, uint32_t len)
{
	return p->open != NULL && len <= p->mtu - p->open->len;
}

#endif
