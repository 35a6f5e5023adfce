/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route: which session a packet belongs to, and who may begin one. [lane]
 *
 * A listener keeps nothing for who only knocks (own wire: the door's cookie) or as little as the wire of
 * KCP allows: a session begins with data at the beginning of a conversation, "accept" bounds how many,
 * and sessions whose peers have never answered make room for others. A conversation that is alive is not
 * replaced by another one from the same endpoint, so that no forged packet resets it.
 *
 * A peer whose address changes (the number is known, the endpoint is not) is followed when the stage
 * above sends something to the new address, which one that authenticates does once it has proof; or,
 * where nobody above chooses endpoints, when the old address has been silent for a while and the datagram
 * fits the session's windows.
 */
#ifndef KCP_ROUTE_H
#define KCP_ROUTE_H

#include "kcp.h"

/* For a message: the session of its endpoint, begun if there is none. NULL: nobody to send to, or no
 * memory; *ret_reason says which. */
struct kcp_session *kcp_route_down(struct kcp *k, const struct vpn_endpoint *to,
				   enum kcp_count *ret_reason);

/* Where a session's peer was before a datagram came. */
struct kcp_route_before {
	struct vpn_endpoint from, endpoint;
};

/* For a datagram, whose crypt header is off. NULL: it was answered, or dropped and counted; the packet is
 * released then. */
struct kcp_session *kcp_route_up(struct kcp *k, struct vpn_packet *p,
				 struct kcp_route_before *before);

/* The session has refused the datagram: what it seemed to tell of the peer's place is forgotten. */
void kcp_route_refused(struct kcp *k, struct kcp_session *s, const struct kcp_route_before *before);

/* A number for a session that we begin: the one that is prescribed, or one that no other has. */
uint32_t kcp_route_number(struct kcp *k);

/* A datagram from there (NULL: the stage below knows) was valid in the session. */
void kcp_route_heard(struct kcp *k, struct kcp_session *s, const struct vpn_endpoint *from);

#endif
