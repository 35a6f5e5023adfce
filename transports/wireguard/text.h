/* SPDX-License-Identifier: BSD-2-Clause */
/* text: keys, endpoints, errors and log lines as text. */
#ifndef WG_TEXT_H
#define WG_TEXT_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "constants.h"

#define WG_KEY_TEXT      45u /* base64 of a key, with its final zero */
#define WG_KEY_HEX       65u /* hex of a key, with its final zero */
#define WG_ENDPOINT_TEXT 80u /* "[address%scope]:port", with its final zero */
#define WG_PREFIX_TEXT   48u /* "address/length", with its final zero */

/* Base64 of a public key, for messages and never for a secret one. Returns text. [any] */
const char *wg_text_key(const uint8_t key[WG_KEY_LEN], char text[WG_KEY_TEXT]);

/* Hex, as the UAPI has it. Constant time in the value. [any] */
void wg_text_key_hex(const uint8_t key[WG_KEY_LEN], char text[WG_KEY_HEX]);
/* False: not 64 hex digits; `key` is zeroed then. Constant time in the value. [any] */
bool wg_text_parse_key_hex(const char *text, size_t len, uint8_t key[WG_KEY_LEN]);

/* "192.0.2.1:51820", "[2001:db8::1]:51820", "[fe80::1%2]:51820"; "none"; "opaque:id". [any] */
const char *wg_text_endpoint(const struct vpn_endpoint *e, char text[WG_ENDPOINT_TEXT]);
/* Literal addresses only; a zone is a number or the name of an interface that exists; the port is not
 * 0. False: not one, and *out is zeroed. [any] */
bool wg_text_parse_endpoint(const char *text, struct vpn_endpoint *out);
/* Address of either family without port or zone: false when it is not one. [any] */
bool wg_text_parse_address(const char *text, struct vpn_address *out);
/* "10.0.0.0/8"; without "/n" the whole address. Host bits are cleared. [any] */
bool wg_text_parse_prefix(const char *text, struct vpn_prefix *out);
/* Writes "10.0.0.0/8" and returns text. [any] */
const char *wg_text_prefix(const struct vpn_prefix *prefix, char text[WG_PREFIX_TEXT]);

/* Decimal digits and nothing else, at most `max`. [any] */
bool wg_text_parse_number(const char *text, uint32_t max, uint32_t *out);

/* Fills *err and returns status. `where` is a JSON pointer or "". [any] */
vpn_status wg_fault(struct vpn_error *err, vpn_status status, int os_errno, const char *where,
		    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Logs one line; nothing is formatted when the level is not wanted. [any] */
void wg_log(const struct vpn_host *host, uint32_t level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
