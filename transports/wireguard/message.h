/* SPDX-License-Identifier: BSD-2-Clause */
/* message: the four messages on the wire. Whitepaper sections 5.4.2 to 5.4.7. Numbers are
 * little-endian; all fields are bytes here, so that messages may lie anywhere. */
#ifndef WG_MESSAGE_H
#define WG_MESSAGE_H

#include <string.h>

#include "constants.h"

#define WG_TYPE_INITIATION 1u
#define WG_TYPE_RESPONSE   2u
#define WG_TYPE_COOKIE     3u
#define WG_TYPE_DATA       4u

struct wg_msg_initiation {
	uint8_t type[4];
	uint8_t sender[4];
	uint8_t ephemeral[WG_KEY_LEN];
	uint8_t encrypted_static[WG_KEY_LEN + WG_TAG_LEN];
	uint8_t encrypted_timestamp[WG_TIMESTAMP_LEN + WG_TAG_LEN];
	uint8_t mac1[WG_MAC_LEN];
	uint8_t mac2[WG_MAC_LEN];
};
_Static_assert(sizeof(struct wg_msg_initiation) == 148, "initiation");

struct wg_msg_response {
	uint8_t type[4];
	uint8_t sender[4];
	uint8_t receiver[4];
	uint8_t ephemeral[WG_KEY_LEN];
	uint8_t encrypted_nothing[WG_TAG_LEN];
	uint8_t mac1[WG_MAC_LEN];
	uint8_t mac2[WG_MAC_LEN];
};
_Static_assert(sizeof(struct wg_msg_response) == 92, "response");

struct wg_msg_cookie {
	uint8_t type[4];
	uint8_t receiver[4];
	uint8_t nonce[WG_XNONCE_LEN];
	uint8_t encrypted_cookie[WG_COOKIE_LEN + WG_TAG_LEN];
};
_Static_assert(sizeof(struct wg_msg_cookie) == 64, "cookie reply");

/* In front of the ciphertext; the tag follows it. */
struct wg_msg_data {
	uint8_t type[4];
	uint8_t receiver[4];
	uint8_t counter[8];
};
_Static_assert(sizeof(struct wg_msg_data) == 16, "data");

#define WG_DATA_HEADER   16u
#define WG_DATA_OVERHEAD (WG_DATA_HEADER + WG_TAG_LEN)

static inline uint32_t wg_load_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t wg_load_le64(const uint8_t *p)
{
	return (uint64_t)wg_load_le32(p) | (uint64_t)wg_load_le32(p + 4) << 32;
}

static inline void wg_store_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static inline void wg_store_le64(uint8_t *p, uint64_t v)
{
	wg_store_le32(p, (uint32_t)v);
	wg_store_le32(p + 4, (uint32_t)(v >> 32));
}

#endif
