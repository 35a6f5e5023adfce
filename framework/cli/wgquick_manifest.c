/* SPDX-License-Identifier: BSD-2-Clause */
#include "wgquick_manifest.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wgquick_awg.h"

#define USUAL_PATH_MTU 1500u /* what udp assumes when nothing is said */
#define SHORT_LIST     3u    /* more items get a line each */

struct pen {
	char *buf;
	size_t at, cap; /* at > cap: it did not fit */
};

static void put(struct pen *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct pen *p, const char *format, ...)
{
	va_list args;
	if (p->at >= p->cap)
		return;
	va_start(args, format);
	int n = vsnprintf(p->buf + p->at, p->cap - p->at, format, args);
	va_end(args);
	/* a text that fits leaves its final zero inside */
	p->at = n >= 0 && (size_t)n < p->cap - p->at ? p->at + (size_t)n : p->cap;
}

/* A JSON string (RFC 8259 section 7) with `more` at its end. */
static void put_string(struct pen *p, const char *text, const char *more)
{
	put(p, "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			put(p, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			put(p, "\\u%04x", (unsigned)*text);
		else
			put(p, "%c", *text);
	}
	put(p, "%s\"", more);
}

/* The key itself, or the file that holds it. */
static void put_secret(struct pen *p, const struct wgquick_form *form, const char *ending,
		       const uint8_t key[KEYS_LEN])
{
	char text[KEYS_TEXT];
	if (form->stem != NULL) {
		put(p, "{\"file\": ");
		put_string(p, form->stem, ending);
		put(p, "}");
	} else {
		put(p, "\"%s\"", keys_encode(key, text));
		sodium_memzero(text, sizeof(text));
	}
}

static void put_prefix(struct pen *p, const struct tcpip_prefix *prefix, bool first, bool lines)
{
	char text[TCPIP_PREFIX_TEXT_MAX];
	tcpip_prefix_format(prefix, text, sizeof(text));
	if (lines)
		put(p, "%s\n\t\t\t\t\t\t\"%s\"", first ? "" : ",", text);
	else
		put(p, "%s\"%s\"", first ? "" : ", ", text);
}

static void put_device(struct pen *p, const struct wgquick *w, const char *name)
{
	put(p, "\t\t{\n\t\t\t\"device\": \"auto\",\n\t\t\t\"name\": ");
	put_string(p, name, "");
	put(p, ",\n\t\t\t\"layer\": \"ip\"");
	if (w->mtu != 0)
		put(p, ",\n\t\t\t\"mtu\": %u", w->mtu);
	if (w->n_addresses > 0) {
		put(p, ",\n\t\t\t\"addresses\": [");
		for (size_t i = 0; i < w->n_addresses; i++)
			put_prefix(p, &w->addresses[i], i == 0, false);
		put(p, "]");
	}
	put(p, "\n\t\t},\n");
}

static void put_allowed(struct pen *p, const struct wgquick *w, const struct wgquick_peer *peer)
{
	size_t n = 0, done = 0;
	if (peer->n_allowed == 0)
		return;
	const struct wgquick_allowed *allowed = w->allowed + peer->first_allowed;
	for (size_t i = 0; i < peer->n_allowed; i++)
		n += !allowed[i].twice;
	if (n == 0)
		return;
	put(p, ",\n\t\t\t\t\t\"allowed_ips\": [");
	for (size_t i = 0; i < peer->n_allowed && p->at < p->cap; i++)
		if (!allowed[i].twice)
			put_prefix(p, &allowed[i].prefix, done++ == 0, n > SHORT_LIST);
	put(p, n > SHORT_LIST ? "\n\t\t\t\t\t]" : "]");
}

static void put_peer(struct pen *p, const struct wgquick *w, const struct wgquick_form *form,
		     size_t i)
{
	const struct wgquick_peer *peer = &w->peers[i];
	char text[KEYS_TEXT], ending[40];
	put(p, "%s\n\t\t\t\t{\n\t\t\t\t\t\"public_key\": \"%s\"", i == 0 ? "" : ",",
	    keys_encode(peer->public_key, text));
	if (!keys_is_zero(peer->preshared_key)) {
		snprintf(ending, sizeof(ending), ".peer%zu.psk", i + 1);
		put(p, ",\n\t\t\t\t\t\"preshared_key\": ");
		put_secret(p, form, ending, peer->preshared_key);
	}
	if (peer->endpoint != NULL) {
		put(p, ",\n\t\t\t\t\t\"endpoint\": ");
		put_string(p, peer->endpoint, "");
	}
	put_allowed(p, w, peer);
	if (peer->keepalive != 0)
		put(p, ",\n\t\t\t\t\t\"keepalive\": %u", peer->keepalive);
	put(p, "\n\t\t\t\t}");
}

static void put_session(struct pen *p, const struct wgquick *w, const struct wgquick_form *form)
{
	put(p, "\t\t{\n\t\t\t\"transport\": \"wireguard\",\n\t\t\t\"private_key\": ");
	put_secret(p, form, ".key", w->private_key);
	if (w->n_peers > 0) {
		put(p, ",\n\t\t\t\"peers\": [");
		for (size_t i = 0; i < w->n_peers && p->at < p->cap; i++)
			put_peer(p, w, form, i);
		put(p, "\n\t\t\t]");
	}
	put(p, "\n\t\t},\n");
}

/* "s1": 20 and the like, separated from what stands in front. */
static void put_name(struct pen *p, const char *name, bool *first)
{
	put(p, "%s\n\t\t\t\t\"%s\": ", *first ? "" : ",", name);
	*first = false;
}

static void put_awg(struct pen *p, const struct wgquick_awg *awg, const struct wgquick_form *form)
{
	static const char *const numbers[] = {"jc", "jmin", "jmax", "s1", "s2", "s3", "s4"};
	static const char *const headers[] = {"h1", "h2", "h3", "h4"};
	static const char *const packets[] = {"i1", "i2", "i3", "i4", "i5"};
	bool first = true;
	for (size_t i = 0; i < WGQUICK_AWG_NUMBERS; i++)
		if ((awg->given >> i & 1) != 0) {
			put_name(p, numbers[i], &first);
			put(p, "%u", awg->numbers[i]);
		}
	for (size_t i = 0; i < 4; i++)
		if ((awg->hidden >> i & 1) != 0) {
			const uint32_t *h = awg->headers[i];
			put_name(p, headers[i], &first);
			put(p, h[0] == h[1] ? "\"%u\"" : "\"%u-%u\"", h[0], h[1]);
		}
	for (size_t i = 0; i < 5; i++)
		if (awg->packets[i] != NULL) {
			put_name(p, packets[i], &first);
			put_string(p, awg->packets[i], "");
		}
	if (!keys_is_zero(awg->header_key)) {
		put_name(p, "header_protection_key", &first);
		put_secret(p, form, WGQUICK_AWG_ENDING, awg->header_key);
	}
	if (awg->random_trailers) {
		put_name(p, "random_trailers", &first);
		put(p, "true");
	}
	if (awg->disable_cookies) {
		put_name(p, "disable_cookies", &first);
		put(p, "true");
	}
}

static void put_disguise(struct pen *p, const struct wgquick *w, const struct wgquick_form *form)
{
	if (!w->awg.used)
		return;
	put(p, "\t\t{\n\t\t\t\"transport\": \"obfs\",\n\t\t\t\"mode\": \"awg\",\n\t\t\t\"awg\": {");
	put_awg(p, &w->awg, form);
	put(p, "\n\t\t\t}\n\t\t},\n");
}

static void put_socket(struct pen *p, const struct wgquick *w)
{
	put(p, "\t\t{\n\t\t\t\"transport\": \"udp\",\n\t\t\t\"listen\": \"*:%u\"", w->listen_port);
	uint32_t path_mtu = w->mtu + WGQUICK_OVERHEAD + wgquick_awg_overhead(&w->awg);
	if (w->mtu != 0 && path_mtu > USUAL_PATH_MTU)
		put(p, ",\n\t\t\t\"path_mtu\": %u", path_mtu);
	if (w->fwmark != 0)
		put(p, ",\n\t\t\t\"fwmark\": %u", w->fwmark);
	put(p, "\n\t\t}\n");
}

static void put_dns(struct pen *p, const struct wgquick_dns *dns)
{
	char text[TCPIP_ADDR_TEXT_MAX];
	if (dns->n_servers == 0)
		return;
	put(p, ",\n\t\"dns\": {\n\t\t\"servers\": [");
	for (size_t i = 0; i < dns->n_servers; i++) {
		tcpip_addr_format(dns->servers[i].family, dns->servers[i].addr, text, sizeof(text));
		put(p, "%s\"%s\"", i == 0 ? "" : ", ", text);
	}
	put(p, "]");
	for (size_t i = 0; i < dns->n_search; i++) {
		put(p, i == 0 ? ",\n\t\t\"search\": [" : ", ");
		put_string(p, dns->search[i], "");
	}
	put(p, dns->n_search > 0 ? "]\n\t}" : "\n\t}");
}

size_t wgquick_manifest(const struct wgquick *w, const struct wgquick_form *form, char *buf,
			size_t cap)
{
	struct pen p = {.buf = buf, .cap = cap};
	put(&p, "{\n\t\"vpncore\": 1,\n\t\"pipeline\": [\n");
	put_device(&p, w, form->device);
	put_session(&p, w, form);
	put_disguise(&p, w, form);
	put_socket(&p, w);
	put(&p, "\t]");
	put_dns(&p, &w->dns);
	put(&p, "\n}\n");
	return p.at < p.cap ? p.at : 0;
}

/* What wg-quick(8) takes as a name. */
static bool fits_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("_=+.-", c) != NULL);
}

bool wgquick_device(const char *file, char name[WGQUICK_DEVICE_MAX + 1])
{
	static const char ending[] = ".conf", fallback[] = "wg0";
	const char *slash = strrchr(file, '/');
	const char *base = slash != NULL ? slash + 1 : file;
	size_t len = strlen(base), cut = sizeof(ending) - 1;
	if (len > cut && strcmp(base + len - cut, ending) == 0)
		len -= cut;
	bool good = len > 0 && len <= WGQUICK_DEVICE_MAX;
	if (len > WGQUICK_DEVICE_MAX)
		len = WGQUICK_DEVICE_MAX;
	for (size_t i = 0; i < len; i++) {
		good &= fits_name(base[i]);
		name[i] = base[i];
		if (!fits_name(base[i]))
			name[i] = '-';
	}
	name[len] = '\0';
	if (len > 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
		return good;
	memcpy(name, fallback, sizeof(fallback));
	return false;
}
