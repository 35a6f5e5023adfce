/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uapi_get: the answer to "get=1". Keys and their order are those of wireguard-go; wg(8) reads them
 * in any order and ignores what it does not know, but gives up when it cannot resolve an endpoint.
 */
#include "uapi_get.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define FIRST_CAPACITY 4096u
#define LINE_MAX_LEN   128u /* the longest line: "preshared_key=" and 64 digits */

void wg_uapi_answer_clear(struct wg_uapi_answer *a)
{
	if (a->text != NULL)
		sodium_memzero(a->text, a->len);
	free(a->text);
	memset(a, 0, sizeof(*a));
}

/* Not realloc(): it would leave a copy of the secrets behind. */
static bool reserve(struct wg_uapi_answer *a, size_t more)
{
	if (a->capacity - a->len >= more)
		return true;
	size_t capacity = a->capacity != 0 ? a->capacity : FIRST_CAPACITY;
	while (capacity - a->len < more) {
		if (capacity > SIZE_MAX / 2)
			return false;
		capacity *= 2;
	}
	char *text = malloc(capacity);
	if (text == NULL)
		return false;
	if (a->text != NULL) {
		memcpy(text, a->text, a->len);
		sodium_memzero(a->text, a->len);
		free(a->text);
	}
	a->text = text;
	a->capacity = capacity;
	return true;
}

/* A line of at most LINE_MAX_LEN bytes; without memory nothing is appended. */
static bool line(struct wg_uapi_answer *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool line(struct wg_uapi_answer *a, const char *format, ...)
{
	va_list args;
	if (!reserve(a, LINE_MAX_LEN))
		return false;
	va_start(args, format);
	int n = vsnprintf(a->text + a->len, LINE_MAX_LEN, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= LINE_MAX_LEN)
		return false;
	a->len += (size_t)n;
	a->text[a->len++] = '\n';
	return true;
}

static bool key_line(struct wg_uapi_answer *a, const char *name, const uint8_t key[WG_KEY_LEN])
{
	char hex[WG_KEY_HEX];
	wg_text_key_hex(key, hex);
	bool ok = line(a, "%s=%s", name, hex);
	sodium_memzero(hex, sizeof(hex));
	return ok;
}

static bool device(struct wg_uapi_answer *a, const struct wg_device_view *v)
{
	if (v->has_private_key && !key_line(a, "private_key", v->private_key))
		return false;
	if (v->port != 0 && !line(a, "listen_port=%u", v->port))
		return false;
	return v->fwmark == 0 || line(a, "fwmark=%u", v->fwmark);
}

/* Not every endpoint is an address: what an opaque one says, only the stage below knows. */
static bool endpoint(struct wg_uapi_answer *a, const struct vpn_endpoint *e)
{
	char text[WG_ENDPOINT_TEXT];
	if (e->family != VPN_AF_INET && e->family != VPN_AF_INET6)
		return true;
	return line(a, "endpoint=%s", wg_text_endpoint(e, text));
}

static bool allowed(void *ctx, const struct vpn_prefix *prefix)
{
	char text[WG_PREFIX_TEXT];
	return line(ctx, "allowed_ip=%s", wg_text_prefix(prefix, text));
}

static bool facts(struct wg_uapi_answer *a, const struct wg_peer_view *v)
{
	unsigned long long seconds = v->handshake_wall_ns / WG_SECOND;
	unsigned long long rest = v->handshake_wall_ns % WG_SECOND;
	return key_line(a, "public_key", v->public_key) && key_line(a, "preshared_key", v->psk) &&
	       line(a, "protocol_version=1") && endpoint(a, &v->endpoint) &&
	       line(a, "last_handshake_time_sec=%llu", seconds) &&
	       line(a, "last_handshake_time_nsec=%llu", rest) &&
	       line(a, "tx_bytes=%llu", (unsigned long long)v->tx_bytes) &&
	       line(a, "rx_bytes=%llu", (unsigned long long)v->rx_bytes) &&
	       line(a, "persistent_keepalive_interval=%u", v->keepalive);
}

static bool peers(struct wg *wg, struct wg_uapi_answer *a)
{
	struct wg_peer_view v;
	bool ok = true;
	for (struct wg_peer *p = wg_config_first_peer(wg); p != NULL && ok;
	     p = wg_config_next_peer(p)) {
		wg_config_peer_view(wg, p, &v);
		ok = facts(a, &v) && wg_config_peer_each_allowed(p, allowed, a);
	}
	sodium_memzero(&v, sizeof(v));
	return ok;
}

int wg_uapi_get(struct wg *wg, struct wg_uapi_answer *a)
{
	struct wg_device_view v = {0};
	wg_config_view(wg, &v); /* asks the socket below: not under the lock */
	bool ok = device(a, &v);
	sodium_memzero(&v, sizeof(v));
	if (ok) {
		wg_config_lock(wg);
		ok = peers(wg, a);
		wg_config_unlock(wg);
	}
	return ok && line(a, "errno=0") && line(a, "%s", "") ? 0 : ENOMEM;
}
