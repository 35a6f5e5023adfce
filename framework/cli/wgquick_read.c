/* SPDX-License-Identifier: BSD-2-Clause */
#include "wgquick_read.h"

#include <ctype.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "option_type.h"
#include "suggest.h"
#include "wgquick_awg.h"
#include "wgquick_dns.h"

#define SHOWN_MAX    48u  /* bytes of a wrong value in a message */
#define ENDPOINT_MAX 300u /* a name has 253 */
#define ALLOWED_MIN  16u  /* places at first */

/* ---- pieces ---- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct wgquick_piece wgquick_trim(struct wgquick_piece p)
{
	while (p.len > 0 && is_space(*p.text)) {
		p.text++;
		p.len--;
	}
	while (p.len > 0 && is_space(p.text[p.len - 1]))
		p.len--;
	return p;
}

bool wgquick_is(struct wgquick_piece p, const char *name)
{
	return p.len == strlen(name) && strncasecmp(p.text, name, p.len) == 0;
}

struct wgquick_place wgquick_place(const struct wgquick_reader *r, const char *text)
{
	return (struct wgquick_place){r->line, (int)(text - r->line_text) + 1};
}

bool wgquick_copy(struct wgquick_piece p, char *buf, size_t cap)
{
	if (p.len >= cap)
		return false;
	memcpy(buf, p.text, p.len);
	buf[p.len] = '\0';
	return true;
}

void wgquick_refuse(struct wgquick_reader *r, const char *at, const char *format, ...)
{
	char text[256];
	struct wgquick_place place = wgquick_place(r, at);
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	problems_add(r->problems, place.line, place.column, "", "%s", text);
}

void wgquick_warn(struct wgquick_reader *r, const char *at, const char *format, ...)
{
	char text[256];
	struct wgquick_place place = wgquick_place(r, at);
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	problems_warn(r->problems, place.line, place.column, "", "%s", text);
}

void wgquick_refuse_value(struct wgquick_reader *r, struct wgquick_piece v, const char *what)
{
	bool whole = v.len <= SHOWN_MAX;
	wgquick_refuse(r, v.text, "\"%.*s%s\" %s", (int)(whole ? v.len : SHOWN_MAX), v.text,
		       whole ? "" : "...", what);
}

bool wgquick_next_item(struct wgquick_piece *rest, bool spaces, struct wgquick_piece *ret)
{
	while (rest->len > 0) {
		size_t n = 0;
		while (n < rest->len && rest->text[n] != ',' &&
		       !(spaces && is_space(rest->text[n])))
			n++;
		*ret = wgquick_trim((struct wgquick_piece){rest->text, n});
		size_t skip = n < rest->len ? n + 1 : n;
		rest->text += skip;
		rest->len -= skip;
		if (ret->len > 0)
			return true;
	}
	return false;
}

/* ---- values ---- */

bool wgquick_number(struct wgquick_piece v, bool hex, uint32_t max, uint32_t *ret)
{
	uint64_t n = 0;
	unsigned base = 10;
	if (hex && v.len > 2 && v.text[0] == '0' && (v.text[1] == 'x' || v.text[1] == 'X')) {
		base = 16;
		v.text += 2;
		v.len -= 2;
	}
	for (size_t i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.text[i];
		if (base == 10 ? !isdigit(c) : !isxdigit(c))
			return false;
		n = n * base + (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
		if (n > max)
			return false;
	}
	*ret = (uint32_t)n;
	return v.len > 0;
}

void wgquick_secret(struct wgquick_reader *r, struct wgquick_piece v, uint8_t key[KEYS_LEN],
		    const char *zero)
{
	const char *wrong = keys_decode(v.text, v.len, key);
	if (wrong != NULL)
		wgquick_refuse(r, v.text, "this is no key: %s", wrong);
	else if (zero != NULL && keys_is_zero(key))
		wgquick_refuse(r, v.text, "%s", zero);
}

bool wgquick_range(struct wgquick_piece v, uint32_t max, uint32_t *ret_first, uint32_t *ret_last)
{
	const char *dash = memchr(v.text, '-', v.len);
	size_t len = dash != NULL ? (size_t)(dash - v.text) : v.len;
	if (!wgquick_number((struct wgquick_piece){v.text, len}, false, max, ret_first))
		return false;
	*ret_last = *ret_first;
	return dash == NULL || (wgquick_number((struct wgquick_piece){dash + 1, v.len - len - 1},
					       false, max, ret_last) &&
				*ret_last >= *ret_first);
}

static void read_private_key(struct wgquick_reader *r, struct wgquick_piece v)
{
	r->w->private_place = wgquick_place(r, v.text);
	wgquick_secret(r, v, r->w->private_key,
		       "a key of zeros means none, and without one there is no "
		       "session");
}

static void read_listen_port(struct wgquick_reader *r, struct wgquick_piece v)
{
	uint32_t port = 0;
	if (!wgquick_number(v, false, UINT16_MAX, &port))
		wgquick_refuse_value(r, v, "is no port: a number from 0 to 65535");
	r->w->listen_port = (uint16_t)port;
}

static void read_fwmark(struct wgquick_reader *r, struct wgquick_piece v)
{
	r->w->fwmark = 0;
	if (!wgquick_is(v, "off") && !wgquick_number(v, true, UINT32_MAX, &r->w->fwmark))
		wgquick_refuse_value(r, v, "is no mark: a number up to 0xffffffff, or off");
}

static void read_mtu(struct wgquick_reader *r, struct wgquick_piece v)
{
	r->w->mtu_place = wgquick_place(r, v.text);
	if (!wgquick_number(v, false, WGQUICK_MTU_MAX, &r->w->mtu) || r->w->mtu < WGQUICK_MTU_MIN) {
		r->w->mtu = 0;
		wgquick_refuse_value(r, v, "is no MTU: a number from 68 to 65455");
	}
}

/* What a device cannot have as its own, as the driver sees it. NULL when there is nothing. */
static const char *why_not_ours(const struct tcpip_prefix *p)
{
	static const uint8_t zero[16];
	size_t n = p->family == 6 ? 16 : 4;
	if (memcmp(p->addr, zero, n) == 0)
		return "is the unspecified address and cannot be a device's";
	if (p->family == 6 ? p->addr[0] == 0xff : (p->addr[0] & 0xf0) == 0xe0)
		return "is a multicast address and cannot be a device's";
	if (p->len == 0)
		return "has a prefix length of 0, which would draw all traffic into the device";
	return NULL;
}

static void add_address(struct wgquick_reader *r, struct wgquick_piece item)
{
	static const char expected[] = "is no address: such as 10.0.0.2/24 or fd00::2/64";
	char text[TCPIP_PREFIX_TEXT_MAX];
	struct wgquick *w = r->w;
	struct tcpip_prefix p;
	if (!wgquick_copy(item, text, sizeof(text)) || tcpip_prefix_parse(text, &p) < 0) {
		wgquick_refuse_value(r, item, expected);
		return;
	}
	const char *wrong = why_not_ours(&p);
	for (size_t i = 0; i < w->n_addresses && wrong == NULL; i++)
		if (w->addresses[i].family == p.family &&
		    memcmp(w->addresses[i].addr, p.addr, sizeof(p.addr)) == 0)
			wrong = "stands here already: a device has an address once";
	if (wrong == NULL && w->n_addresses == WGQUICK_ADDRESSES_MAX)
		wrong = "is one too many: 256 addresses are the most";
	if (wrong != NULL)
		wgquick_refuse_value(r, item, wrong);
	else
		w->addresses[w->n_addresses++] = p;
}

static void read_address(struct wgquick_reader *r, struct wgquick_piece v)
{
	struct wgquick_piece item;
	while (r->problems->n < WGQUICK_PROBLEMS_MAX && wgquick_next_item(&v, true, &item))
		add_address(r, item);
}

static void read_table(struct wgquick_reader *r, struct wgquick_piece v)
{
	r->w->no_routes = wgquick_is(v, "off");
	r->w->table_place = (struct wgquick_place){0, 0};
	if (r->w->no_routes || wgquick_is(v, "auto"))
		return;
	r->w->table_place = wgquick_place(r, v.text);
	wgquick_warn(
		r, v.text,
		"the manifest makes no routes: those of this table have to be made by hand, or by "
		"a command in its \"on_up\" (ip route add)");
}

static void read_save_config(struct wgquick_reader *r, struct wgquick_piece v)
{
	if (wgquick_is(v, "true"))
		wgquick_warn(r, v.text,
			     "vpncore does not write changes made by wg(8) back into the manifest");
	else if (!wgquick_is(v, "false"))
		wgquick_refuse_value(r, v, "is neither true nor false");
}

static void read_command(struct wgquick_reader *r, struct wgquick_piece v)
{
	wgquick_warn(
		r, v.text,
		"the manifest runs no commands of a shell: bring this one into its \"on_up\" or "
		"\"on_down\", or run it by hand");
}

static void read_public_key(struct wgquick_reader *r, struct wgquick_piece v)
{
	r->peer->public_place = wgquick_place(r, v.text);
	wgquick_secret(r, v, r->peer->public_key, "a key of zeros is nobody's");
}

static void read_preshared_key(struct wgquick_reader *r, struct wgquick_piece v)
{
	wgquick_secret(r, v, r->peer->preshared_key, NULL);
}

/* A place for one more prefix, or NULL. */
static struct wgquick_allowed *append_allowed(struct wgquick_reader *r)
{
	struct wgquick *w = r->w;
	if (w->n_allowed == r->allowed_room) {
		size_t room = r->allowed_room == 0 ? ALLOWED_MIN : r->allowed_room * 2;
		struct wgquick_allowed *items = realloc(w->allowed, room * sizeof(*items));
		if (items == NULL) {
			r->no_memory = true;
			return NULL;
		}
		w->allowed = items;
		r->allowed_room = room;
	}
	return &w->allowed[w->n_allowed++];
}

static void add_allowed(struct wgquick_reader *r, struct wgquick_piece item)
{
	char text[TCPIP_PREFIX_TEXT_MAX];
	struct tcpip_prefix p;
	if (!wgquick_copy(item, text, sizeof(text)) || tcpip_prefix_parse(text, &p) < 0) {
		wgquick_refuse_value(r, item, "is no prefix: such as 10.0.0.0/24 or fd00::/64");
		return;
	}
	if (!tcpip_prefix_is_network(&p)) {
		tcpip_prefix_mask(&p);
		tcpip_prefix_format(&p, text, sizeof(text));
		wgquick_warn(r, item.text, "bits behind the prefix are set; it is the same as %s",
			     text);
	}
	struct wgquick_allowed *allowed = append_allowed(r);
	if (allowed == NULL)
		return;
	*allowed = (struct wgquick_allowed){
		.prefix = p,
		.peer = (size_t)(r->peer - r->w->peers),
		.place = wgquick_place(r, item.text),
	};
	r->peer->n_allowed++;
}

static void read_allowed_ips(struct wgquick_reader *r, struct wgquick_piece v)
{
	struct wgquick_piece item;
	while (r->problems->n < WGQUICK_PROBLEMS_MAX && !r->no_memory &&
	       wgquick_next_item(&v, false, &item))
		add_allowed(r, item);
}

/* What a peer's endpoint may not be though a manifest has a value of this kind. NULL: it is good. */
static const char *why_no_endpoint(const struct vpn_hostport *hp)
{
	const char *zone = strchr(hp->host, '%');
	if (hp->host[0] == '\0' || strcmp(hp->host, "*") == 0)
		return "the host is missing";
	if (hp->port == 0)
		return "nobody listens on port 0";
	for (const char *c = zone; c != NULL && *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("%_=+.-", *c) == NULL)
			return "the zone is no device's name";
	return NULL;
}

static void read_endpoint(struct wgquick_reader *r, struct wgquick_piece v)
{
	const struct vpn_option option = {.name = "endpoint", .type = VPN_OPT_HOSTPORT};
	char text[ENDPOINT_MAX], hint[96];
	struct vpn_hostport hp = {.host = NULL};
	const char *wrong = "it is too long";
	if (wgquick_copy(v, text, sizeof(text)))
		wrong = option_type_of(VPN_OPT_HOSTPORT)->parse(&option, text, &hp);
	if (wrong == NULL)
		wrong = why_no_endpoint(&hp);
	free((char *)(uintptr_t)hp.host);
	if (wrong == option_no_memory) {
		r->no_memory = true;
	} else if (wrong != NULL) {
		snprintf(hint, sizeof(hint), "is no endpoint%s%s", wrong[0] != '\0' ? ": " : "",
			 wrong[0] != '\0' ? wrong : ": such as vpn.example:51820");
		wgquick_refuse_value(r, v, hint);
	} else {
		free(r->peer->endpoint);
		r->peer->endpoint = strdup(text);
		r->no_memory |= r->peer->endpoint == NULL;
	}
}

static void read_keepalive(struct wgquick_reader *r, struct wgquick_piece v)
{
	uint32_t seconds = 0, last = 0;
	bool off = wgquick_is(v, "off");
	if (!off && !wgquick_range(v, UINT16_MAX, &seconds, &last))
		wgquick_refuse_value(r, v, "is no interval: seconds from 0 to 65535, or off");
	else if (last != seconds)
		wgquick_warn(r, v.text,
			     "vpncore keeps one interval: the shortest of this range is taken");
	r->peer->keepalive = (uint16_t)seconds;
}

/* ---- keys ---- */

static const struct wgquick_key keys[] = {
	{"PrivateKey", WGQUICK_INTERFACE, WGQUICK_ONCE, read_private_key},
	{"ListenPort", WGQUICK_INTERFACE, WGQUICK_ONCE, read_listen_port},
	{"FwMark", WGQUICK_INTERFACE, WGQUICK_ONCE, read_fwmark},
	{"Address", WGQUICK_INTERFACE, WGQUICK_LIST, read_address},
	{"MTU", WGQUICK_INTERFACE, WGQUICK_ONCE, read_mtu},
	{"DNS", WGQUICK_INTERFACE, WGQUICK_MANY, wgquick_dns_read},
	{"Table", WGQUICK_INTERFACE, WGQUICK_ONCE, read_table},
	{"PreUp", WGQUICK_INTERFACE, WGQUICK_MANY, read_command},
	{"PostUp", WGQUICK_INTERFACE, WGQUICK_MANY, read_command},
	{"PreDown", WGQUICK_INTERFACE, WGQUICK_MANY, read_command},
	{"PostDown", WGQUICK_INTERFACE, WGQUICK_MANY, read_command},
	{"SaveConfig", WGQUICK_INTERFACE, WGQUICK_ONCE, read_save_config},
	{"PublicKey", WGQUICK_PEER, WGQUICK_ONCE, read_public_key},
	{"PresharedKey", WGQUICK_PEER, WGQUICK_ONCE, read_preshared_key},
	{"AllowedIPs", WGQUICK_PEER, WGQUICK_LIST, read_allowed_ips},
	{"Endpoint", WGQUICK_PEER, WGQUICK_ONCE, read_endpoint},
	{"PersistentKeepalive", WGQUICK_PEER, WGQUICK_ONCE, read_keepalive},
};

#define N_OWN        (sizeof(keys) / sizeof(keys[0]))
#define N_KEYS       (N_OWN + WGQUICK_AWG_KEYS)
#define NAME_MAX_LEN 32u
_Static_assert(N_KEYS <= 64, "wgquick_reader.seen");

/* WireGuard's, then AmneziaWG's. */
static const struct wgquick_key *key_at(size_t i)
{
	return i < N_OWN ? &keys[i] : &wgquick_awg_keys[i - N_OWN];
}

/* A name may be shown when it looks like one: a line that lost its beginning may be a secret. */
static bool is_name(struct wgquick_piece p)
{
	for (size_t i = 0; i < p.len; i++)
		if (!isalnum((unsigned char)p.text[i]) && p.text[i] != '_' && p.text[i] != '-')
			return false;
	return p.len > 0 && p.len < NAME_MAX_LEN;
}

static const char *section_name(enum wgquick_section section)
{
	return section == WGQUICK_PEER ? "[Peer]" : "[Interface]";
}

static void lower(char *to, const char *from)
{
	for (; *from != '\0'; from++)
		*to++ = (char)tolower((unsigned char)*from);
	*to = '\0';
}

/* The key of this section that was probably meant, or NULL. */
static const char *nearest(enum wgquick_section section, const char *name)
{
	char word[NAME_MAX_LEN], names[N_KEYS][NAME_MAX_LEN];
	struct suggest s;
	lower(word, name);
	suggest_init(&s, word);
	for (size_t i = 0; i < N_KEYS; i++) {
		lower(names[i], key_at(i)->name);
		if (key_at(i)->section == section)
			suggest_offer(&s, names[i]);
	}
	for (size_t i = 0; i < N_KEYS; i++)
		if (s.best == names[i])
			return key_at(i)->name;
	return NULL;
}

static void refuse_key(struct wgquick_reader *r, struct wgquick_piece key)
{
	char name[NAME_MAX_LEN];
	for (size_t i = 0; i < N_KEYS; i++)
		if (wgquick_is(key, key_at(i)->name)) {
			wgquick_refuse(r, key.text, "%s belongs into a section %s", key_at(i)->name,
				       section_name(key_at(i)->section));
			return;
		}
	if (!is_name(key) || !wgquick_copy(key, name, sizeof(name))) {
		wgquick_refuse(r, key.text, "there is no such key in %s", section_name(r->section));
		return;
	}
	const char *near = nearest(r->section, name);
	if (near != NULL)
		wgquick_refuse(r, key.text, "unknown key %s; did you mean %s?", name, near);
	else
		wgquick_refuse(r, key.text, "unknown key %s in %s", name, section_name(r->section));
}

void wgquick_read(struct wgquick_reader *r, struct wgquick_piece name, struct wgquick_piece value)
{
	const struct wgquick_key *key = NULL;
	size_t row = 0;
	for (size_t i = 0; i < N_KEYS && key == NULL; i++)
		if (key_at(i)->section == r->section && wgquick_is(name, key_at(i)->name))
			key = key_at(row = i);
	if (key == NULL) {
		refuse_key(r, name);
		return;
	}
	uint64_t *seen = &r->seen[r->section == WGQUICK_PEER];
	uint64_t bit = UINT64_C(1) << row;
	if ((*seen & bit) != 0 && key->form == WGQUICK_ONCE)
		wgquick_warn(r, name.text, "%s stands twice; the last one counts", key->name);
	*seen |= bit;
	r->key = key->name;
	if (value.len == 0 && key->form != WGQUICK_LIST)
		wgquick_refuse(r, name.text, "%s has no value", key->name);
	else
		key->read(r, value);
}
