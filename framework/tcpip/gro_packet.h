/* SPDX-License-Identifier: BSD-2-Clause */
/* gro_packet: what coalescing must know of one packet, and the check of its checksums. */
#ifndef VPNCORE_TCPIP_GRO_PACKET_H
#define VPNCORE_TCPIP_GRO_PACKET_H

#include <vpncore/tcpip.h>

#define GRO_PSH      1u /* TCP with PSH */
#define GRO_VERIFIED 2u /* both checksums are known to be good */

enum gro_kind {
	GRO_OTHER, /* nothing that could merge; says nothing about any flow */
	GRO_ENDS, /* UDP that cannot merge and must not be overtaken by later packets of its flow */
	GRO_CANDIDATE,
};

struct gro_packet {
	uint64_t addr[4];    /* IPv4: addr[0] only */
	uint64_t ports_ack;  /* both ports, and TCP's acknowledgement number */
	uint64_t same;       /* further header fields that must be the same to merge */
	const uint8_t *data; /* the frame or packet */
	uint32_t len;
	uint32_t seq;
	uint16_t payload_len;
	uint16_t header_len; /* link, IP and L4 header */
	uint8_t family, protocol;
	uint8_t l4_offset; /* from data */
	uint8_t flags;     /* GRO_* */
};

/* Fills *out and says what the packet is; for GRO_ENDS the flow's key and `same` are filled. */
enum gro_kind gro_packet_read(const struct tcpip_gro_item *item, uint32_t l2_len, uint32_t options,
			      struct gro_packet *out);

/* Whether the IPv4 header checksum and the L4 checksum of a candidate are right. */
bool gro_packet_verify(const uint8_t *data, uint32_t len, uint32_t l2_len, uint32_t l4_offset);

#endif
