/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uapi_text: the configuration protocol, line by line. https://www.wireguard.com/xplatform/
 *
 *                 "set=1"                 key=value ...
 *        IDLE ---------------> SETTING ----------------.
 *         | ^                   |   ^__________________|
 *         | |   empty: errno    |
 *         | +-------------------+
 *         | "get=1"             empty: answer
 *         +---------> GETTING ----------> IDLE
 *
 * Lines take effect as they come, and nothing is rolled back. After the first bad line the rest of
 * the operation is read and left undone, and the errno is sent in place of the empty line's: wg(8)
 * reads no answer before it has written everything, and a connection that was closed early would
 * make it report a broken pipe instead of the reason.
 *
 * The sign of errno: wg(8) negates what "set" is answered, and takes a "get"'s for an errno only when
 * it has no sign. So "set" is answered -N and "get" N.
 *
 * The lock is held for one line at a time. Another connection may change peers between two of our
 * lines, so a peer is looked up anew for each line: one that is gone stays gone, and the rest of its
 * lines do nothing. A peer that does not exist is made as late as possible, when the first line asks
 * for more than update_only or remove, so that these make and destroy nothing.
 */
#include "uapi_text.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "uapi_get.h"

enum state { IDLE, GETTING, SETTING };

/* What the lines of "set" are about. */
enum subject {
	DEVICE,
	NAMED,  /* a peer that "public_key" has named; nothing was done yet */
	PEER,   /* a peer that existed, or that we have made */
	NOBODY, /* our own key, a removed peer, or an unknown one with update_only */
};

struct wg_uapi_session {
	struct wg *wg;
	wg_uapi_write write;
	void *ctx;
	enum state state;
	bool closed;
	int error; /* first one of this "set", 0 = none */
	enum subject subject;
	bool created; /* the peer is new since its public_key line */
	uint8_t public_key[WG_KEY_LEN];
	size_t len;
	char line[WG_UAPI_LINE + 1];
};

struct wg_uapi_session *wg_uapi_session_new(struct wg *wg, wg_uapi_write write, void *ctx)
{
	struct wg_uapi_session *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->wg = wg;
	s->write = write;
	s->ctx = ctx;
	return s;
}

struct wg_uapi_session *wg_uapi_session_free(struct wg_uapi_session *s)
{
	if (s != NULL)
		sodium_memzero(s, sizeof(*s));
	free(s);
	return NULL;
}

/* ---- the peer of a block ---- */

/* Locks, and finds the peer, making it if need be. NULL and 0: there is nobody to change. Ends with
 * wg_config_unlock(), whatever comes out. */
static struct wg_peer *lock_peer(struct wg_uapi_session *s, int *ret_error)
{
	struct wg_peer *peer = NULL;
	bool created = false;
	*ret_error = 0;
	wg_config_lock(s->wg);
	if (s->subject != NAMED && s->subject != PEER)
		return NULL;
	bool create = s->subject == NAMED;
	peer = wg_config_peer(s->wg, s->public_key, create, &created, ret_error);
	if (create)
		s->created = created;
	s->subject = peer != NULL ? PEER : NOBODY;
	return peer;
}

/* Likewise, but makes none: NULL when there is none. */
static struct wg_peer *lock_existing(struct wg_uapi_session *s)
{
	bool created;
	int error;
	wg_config_lock(s->wg);
	if (s->subject != NAMED && s->subject != PEER)
		return NULL;
	return wg_config_peer(s->wg, s->public_key, false, &created, &error);
}

/* The block of a peer is complete. */
static int finish_peer(struct wg_uapi_session *s)
{
	int error;
	struct wg_peer *peer = lock_peer(s, &error);
	if (peer != NULL)
		wg_config_peer_done(s->wg, peer);
	wg_config_unlock(s->wg);
	return error;
}

static int public_key(struct wg_uapi_session *s, const char *value)
{
	int error = finish_peer(s);
	if (error != 0)
		return error;
	if (!wg_text_parse_key_hex(value, strlen(value), s->public_key))
		return EINVAL;
	s->subject = NAMED;
	s->created = false;
	return 0;
}

/* ---- keys of a peer ---- */

static int is_true(const char *value)
{
	return strcmp(value, "true") == 0 ? 0 : EINVAL;
}

static int update_only(struct wg_uapi_session *s, const char *value)
{
	if (is_true(value) != 0)
		return EINVAL;
	struct wg_peer *peer = lock_existing(s);
	if (peer != NULL && s->created) {
		wg_config_peer_remove(s->wg, peer);
		peer = NULL;
	}
	s->subject = peer != NULL ? PEER : NOBODY;
	wg_config_unlock(s->wg);
	return 0;
}

static int remove_peer(struct wg_uapi_session *s, const char *value)
{
	if (is_true(value) != 0)
		return EINVAL;
	struct wg_peer *peer = lock_existing(s);
	if (peer != NULL)
		wg_config_peer_remove(s->wg, peer);
	s->subject = NOBODY;
	wg_config_unlock(s->wg);
	return 0;
}

static int preshared_key(struct wg_uapi_session *s, const char *value)
{
	uint8_t psk[WG_KEY_LEN];
	int error;
	if (!wg_text_parse_key_hex(value, strlen(value), psk))
		return EINVAL;
	struct wg_peer *peer = lock_peer(s, &error);
	if (peer != NULL)
		wg_config_peer_set_psk(s->wg, peer, psk);
	wg_config_unlock(s->wg);
	sodium_memzero(psk, sizeof(psk));
	return error;
}

static int endpoint(struct wg_uapi_session *s, const char *value)
{
	struct vpn_endpoint e;
	int error;
	if (!wg_text_parse_endpoint(value, &e))
		return EINVAL;
	struct wg_peer *peer = lock_peer(s, &error);
	if (peer != NULL)
		wg_config_peer_set_endpoint(s->wg, peer, &e);
	wg_config_unlock(s->wg);
	return error;
}

static int keepalive(struct wg_uapi_session *s, const char *value)
{
	uint32_t seconds;
	int error;
	if (!wg_text_parse_number(value, UINT16_MAX, &seconds))
		return EINVAL;
	struct wg_peer *peer = lock_peer(s, &error);
	if (peer != NULL)
		wg_config_peer_set_keepalive(s->wg, peer, (uint16_t)seconds);
	wg_config_unlock(s->wg);
	return error;
}

static int replace_allowed_ips(struct wg_uapi_session *s, const char *value)
{
	int error;
	if (is_true(value) != 0)
		return EINVAL;
	struct wg_peer *peer = lock_peer(s, &error);
	if (peer != NULL)
		wg_config_peer_replace_allowed(s->wg, peer);
	wg_config_unlock(s->wg);
	return error;
}

/* "10.0.0.0/8" adds, "-10.0.0.0/8" takes away. The length has to be there, as in wireguard-go: an
 * address alone is more often a slip than a host. */
static int allowed_ip(struct wg_uapi_session *s, const char *value)
{
	struct vpn_prefix prefix;
	int error;
	bool away = value[0] == '-';
	if (strchr(value, '/') == NULL || !wg_text_parse_prefix(value + away, &prefix))
		return EINVAL;
	struct wg_peer *peer = lock_peer(s, &error);
	if (peer != NULL && away)
		wg_config_peer_remove_allowed(s->wg, peer, &prefix);
	else if (peer != NULL)
		error = wg_config_peer_add_allowed(s->wg, peer, &prefix);
	wg_config_unlock(s->wg);
	return error;
}

static int protocol_version(struct wg_uapi_session *s, const char *value)
{
	(void)s;
	return strcmp(value, "1") == 0 ? 0 : EINVAL;
}

/* ---- keys of the device ---- */

static int private_key(struct wg_uapi_session *s, const char *value)
{
	uint8_t key[WG_KEY_LEN];
	if (!wg_text_parse_key_hex(value, strlen(value), key))
		return EINVAL;
	wg_config_lock(s->wg);
	wg_config_set_private_key(s->wg, key);
	wg_config_unlock(s->wg);
	sodium_memzero(key, sizeof(key));
	return 0;
}

static int listen_port(struct wg_uapi_session *s, const char *value)
{
	uint32_t port;
	if (!wg_text_parse_number(value, UINT16_MAX, &port))
		return EINVAL;
	return wg_config_set_port(s->wg, (uint16_t)port);
}

static int fwmark(struct wg_uapi_session *s, const char *value)
{
	uint32_t mark;
	if (!wg_text_parse_number(value, UINT32_MAX, &mark))
		return EINVAL;
	return wg_config_set_fwmark(s->wg, mark);
}

static int replace_peers(struct wg_uapi_session *s, const char *value)
{
	if (is_true(value) != 0)
		return EINVAL;
	wg_config_lock(s->wg);
	wg_config_remove_all_peers(s->wg);
	wg_config_unlock(s->wg);
	return 0;
}

struct key {
	const char *name;
	int (*apply)(struct wg_uapi_session *s, const char *value); /* 0 or a positive errno */
};

static const struct key device_keys[] = {
	{"private_key", private_key},     {"listen_port", listen_port}, {"fwmark", fwmark},
	{"replace_peers", replace_peers}, {"public_key", public_key},   {NULL, NULL},
};

static const struct key peer_keys[] = {
	{"public_key", public_key},
	{"remove", remove_peer},
	{"update_only", update_only},
	{"preshared_key", preshared_key},
	{"endpoint", endpoint},
	{"persistent_keepalive_interval", keepalive},
	{"replace_allowed_ips", replace_allowed_ips},
	{"allowed_ip", allowed_ip},
	{"protocol_version", protocol_version},
	{NULL, NULL},
};

/* ---- operations ---- */

static void set_line(struct wg_uapi_session *s)
{
	char *value = strchr(s->line, '=');
	if (value == NULL || strlen(s->line) != s->len) { /* a zero byte is no text */
		s->error = EPROTO;
		return;
	}
	*value++ = '\0';
	const struct key *k = s->subject == DEVICE ? device_keys : peer_keys;
	while (k->name != NULL && strcmp(k->name, s->line) != 0)
		k++;
	s->error = k->name != NULL ? k->apply(s, value) : EINVAL;
}

static bool answer(struct wg_uapi_session *s, int number)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "errno=%d\n\n", number);
	return s->write(s->ctx, text, (size_t)n);
}

/* A block that was broken off in the middle: what has been replaced is. */
static void settle(struct wg_uapi_session *s)
{
	if (s->state != SETTING || s->subject != PEER)
		return;
	struct wg_peer *peer = lock_existing(s);
	if (peer != NULL)
		wg_config_peer_settle(s->wg, peer);
	wg_config_unlock(s->wg);
}

static void begin(struct wg_uapi_session *s, enum state state)
{
	settle(s);
	s->state = state;
	s->error = 0;
	s->subject = DEVICE;
	s->created = false;
	sodium_memzero(s->public_key, sizeof(s->public_key));
}

static bool end_set(struct wg_uapi_session *s)
{
	if (s->error == 0)
		s->error = finish_peer(s);
	int error = s->error;
	begin(s, IDLE);
	return answer(s, -error);
}

static bool end_get(struct wg_uapi_session *s)
{
	struct wg_uapi_answer a = {0};
	begin(s, IDLE);
	int error = wg_uapi_get(s->wg, &a);
	bool ok = error == 0 ? s->write(s->ctx, a.text, a.len) : answer(s, error);
	wg_uapi_answer_clear(&a);
	return ok;
}

/* An answer that is the last one of the connection. */
static bool give_up(struct wg_uapi_session *s, int error)
{
	if (s->state == SETTING && s->error != 0)
		error = s->error;
	(void)answer(s, s->state == GETTING ? error : -error); /* closed in either case */
	begin(s, IDLE);
	return false;
}

static bool is_line(const struct wg_uapi_session *s, const char *text)
{
	return s->len == strlen(text) && memcmp(s->line, text, s->len) == 0;
}

static bool take_line(struct wg_uapi_session *s)
{
	switch (s->state) {
	case SETTING:
		if (s->len == 0)
			return end_set(s);
		if (s->error == 0)
			set_line(s);
		return true;
	case GETTING:
		return s->len == 0 ? end_get(s) : give_up(s, EINVAL);
	case IDLE:
	default:
		if (!is_line(s, "set=1") && !is_line(s, "get=1"))
			return give_up(s, EPROTO);
		begin(s, s->line[0] == 's' ? SETTING : GETTING);
		return true;
	}
}

/* Takes bytes up to the end of a line, or all. Returns how many. */
static size_t gather(struct wg_uapi_session *s, const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len);
	size_t n = end != NULL ? (size_t)(end - bytes) : len;
	if (n > WG_UAPI_LINE - s->len) {
		s->closed = true;
		(void)give_up(s, EPROTO);
		return len;
	}
	memcpy(s->line + s->len, bytes, n);
	s->len += n;
	if (end == NULL)
		return n;
	s->line[s->len] = '\0';
	s->closed = !take_line(s);
	sodium_memzero(s->line, s->len);
	s->len = 0;
	return n + 1;
}

bool wg_uapi_session_feed(struct wg_uapi_session *s, const char *bytes, size_t len)
{
	while (len > 0 && !s->closed) {
		size_t n = gather(s, bytes, len);
		bytes += n;
		len -= n;
	}
	return !s->closed;
}

void wg_uapi_session_end(struct wg_uapi_session *s)
{
	begin(s, IDLE);
	sodium_memzero(s->line, sizeof(s->line));
	s->len = 0;
	s->closed = true;
}
