/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_door: who may begin a session, without keeping anything for those who only ask.
 *
 *   initiator                                    responder
 *     HELLO (own id, cookie 0)         ------->    keeps nothing
 *                                      <-------  COOKIE (mac of endpoint, id, time)
 *     HELLO (own id, cookie)           ------->    session; kcp_flow_adopt()
 *                                      <-------  WELCOME (own id)
 *     DATA ...                        <------->
 *
 * All four are 64 bytes, so nothing is amplified. A cookie is good for its endpoint for 10 to 20
 * seconds. Datagrams for a session that is not known (we have restarted) are answered with RESET,
 * which is shorter; so that the other one begins anew. Answers are limited to 100 a second. [lane]
 */
#ifndef KCP_FLOW_DOOR_H
#define KCP_FLOW_DOOR_H

#include <vpncore/plugin.h>

#include "frame.h"

struct kcp_flow_door {
	uint8_t secret[32];
	uint64_t answers_from_us; /* limits of answers: this second's */
	uint32_t n_cookies, n_resets;
};

enum kcp_flow_verdict {
	KCP_DOOR_IGNORE, /* malformed, or too many answers lately */
	KCP_DOOR_ANSWER, /* the datagram in `answer` goes back */
	KCP_DOOR_ADMIT   /* *ret_hello: kcp_flow_adopt() it, with a new session if there is none */
};

/* secret: 32 random bytes. */
void kcp_flow_door_init(struct kcp_flow_door *d, const uint8_t secret[32]);

/* Wipes the secret. */
void kcp_flow_door_clear(struct kcp_flow_door *d);

/* A HELLO came from there. answer has room for KCP_FRAME_HELLO_LEN bytes; *ret_len <= len. */
enum kcp_flow_verdict kcp_flow_door_hello(struct kcp_flow_door *d, const struct vpn_endpoint *from,
					  const uint8_t *data, uint32_t len, uint64_t now_us,
					  uint8_t *answer, uint32_t *ret_len,
					  struct kcp_frame_hello *ret_hello);

/* A datagram (KCP_FLOW_SESSION) for a session that is not here. IGNORE or ANSWER. */
enum kcp_flow_verdict kcp_flow_door_stray(struct kcp_flow_door *d, const uint8_t *data,
					  uint32_t len, uint64_t now_us, uint8_t *answer,
					  uint32_t *ret_len);

#endif
