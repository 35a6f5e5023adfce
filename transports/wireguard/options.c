/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aead.h"
#include "message.h"
#include "noise.h"
#include "text.h"

/* ---- keys ---- */

static bool is_zero(const struct vpn_bytes *key)
{
	return sodium_is_zero(key->data, key->len) == 1;
}

static vpn_status refuse_peer(struct vpn_error *err, uint32_t i, const char *key, const char *text)
{
	char where[64];
	snprintf(where, sizeof(where), "/peers/%u%s", i, key);
	return wg_fault(err, VPN_EINVAL, 0, where, "%s", text);
}

static vpn_status check_private_key(const struct wg_options *o, struct vpn_error *err)
{
	if (o->private_key.data != NULL)
		return is_zero(&o->private_key)
			       ? wg_fault(err, VPN_EINVAL, 0, "/private_key",
					  "a key of zeros is none; `vpncore keygen` makes one")
			       : VPN_OK;
	if (o->uapi == WG_UAPI_ON)
		return VPN_OK; /* it comes through the control socket */
	return wg_fault(err, VPN_EINVAL, 0, "",
			"private_key is missing: make one with `vpncore keygen -o FILE` and write "
			"\"private_key\": {\"file\": \"FILE\"}");
}

static vpn_status check_public_key(const struct wg_options *o, const struct wg_identity *id,
				   uint32_t i, struct vpn_error *err)
{
	static const uint8_t scalar[WG_KEY_LEN] = {9};
	const uint8_t *key = wg_options_peer(o, i)->public_key.data;
	uint8_t shared[WG_KEY_LEN];
	if (id->set && memcmp(key, id->public_key, WG_KEY_LEN) == 0)
		return refuse_peer(err, i, "/public_key",
				   "this is our own public key: a peer has its own private key, "
				   "and its public key is what `vpncore pubkey` makes of that");
	bool good = wg_dh(shared, scalar, key);
	sodium_memzero(shared, sizeof(shared));
	if (!good)
		return refuse_peer(err, i, "/public_key",
				   "no private key has this public key (a point of low order): "
				   "copy it again");
	return VPN_OK;
}

static vpn_status check_endpoint(const struct wg_options *o, uint32_t i, struct vpn_error *err)
{
	const struct vpn_hostport *at = &wg_options_peer(o, i)->endpoint;
	if (at->host == NULL)
		return VPN_OK;
	if (at->host[0] == '\0' || strcmp(at->host, "*") == 0)
		return refuse_peer(err, i, "/endpoint", "endpoint needs a name or an address");
	if (at->port == 0)
		return refuse_peer(err, i, "/endpoint", "endpoint needs a port from 1 to 65535");
	return VPN_OK;
}

static vpn_status check_peers(const struct wg_options *o, struct vpn_error *err)
{
	struct wg_identity id = {.set = false};
	vpn_status status = VPN_OK;
	if (o->private_key.data != NULL)
		wg_identity_set(&id, o->private_key.data);
	for (uint32_t i = 0; i < o->peers.count && status == VPN_OK; i++) {
		const struct wg_peer_options *p = wg_options_peer(o, i);
		status = check_public_key(o, &id, i, err);
		if (status == VPN_OK)
			status = check_endpoint(o, i, err);
		if (status == VPN_OK && p->preshared_key.data != NULL && is_zero(&p->preshared_key))
			status = refuse_peer(err, i, "/preshared_key",
					     "a key of zeros is none: leave it out, or make one "
					     "with `vpncore psk`");
	}
	sodium_memzero(&id, sizeof(id));
	return status;
}

/* ---- what two peers cannot both have ---- */

/* Something of a peer's, to be sorted so that equal ones meet. */
struct claim {
	const void *what;
	size_t len;
	uint32_t peer, place;
};

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = memcmp(x->what, y->what, x->len);
	if (order != 0)
		return order;
	if (x->peer != y->peer)
		return x->peer < y->peer ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* Sorts and finds two equal ones; NULL when all differ, else the later one, whose neighbour before it
 * is the other. */
static const struct claim *find_equal(struct claim *claims, size_t n)
{
	qsort(claims, n, sizeof(*claims), compare_claims);
	for (size_t i = 1; i < n; i++)
		if (memcmp(claims[i - 1].what, claims[i].what, claims[i].len) == 0)
			return &claims[i];
	return NULL;
}

static vpn_status check_keys_differ(const struct wg_options *o, struct claim *claims,
				    struct vpn_error *err)
{
	for (uint32_t i = 0; i < o->peers.count; i++)
		claims[i] = (struct claim){wg_options_peer(o, i)->public_key.data, WG_KEY_LEN, i,
					   0};
	const struct claim *twice = find_equal(claims, o->peers.count);
	if (twice == NULL)
		return VPN_OK;
	char text[128];
	snprintf(text, sizeof(text), "peer %u has this public key already: make one peer of both",
		 twice[-1].peer);
	return refuse_peer(err, twice->peer, "/public_key", text);
}

static vpn_status check_prefixes_differ(const struct wg_options *o, struct claim *claims,
					struct vpn_error *err)
{
	size_t n = 0;
	for (uint32_t i = 0; i < o->peers.count; i++) {
		const struct vpn_list *list = &wg_options_peer(o, i)->allowed_ips;
		for (uint32_t k = 0; k < list->count; k++)
			claims[n++] = (struct claim){(const char *)list->items +
							     (size_t)k * list->item_size,
						     sizeof(struct vpn_prefix), i, k};
	}
	const struct claim *twice = find_equal(claims, n);
	if (twice == NULL)
		return VPN_OK;
	char where[64], text[48];
	snprintf(where, sizeof(where), "/peers/%u/allowed_ips/%u", twice->peer, twice->place);
	return wg_fault(err, VPN_EINVAL, 0, where,
			"%s is peer %u's already: a packet can go to one of them only",
			wg_text_prefix(twice->what, text), twice[-1].peer);
}

static vpn_status check_all_differ(const struct wg_options *o, struct vpn_error *err)
{
	size_t n = o->peers.count;
	for (uint32_t i = 0; i < o->peers.count; i++)
		n += wg_options_peer(o, i)->allowed_ips.count;
	struct claim *claims = calloc(n + 1, sizeof(*claims));
	if (claims == NULL)
		return wg_fault(err, VPN_ENOMEM, 0, "", "out of memory");
	vpn_status status = check_keys_differ(o, claims, err);
	if (status == VPN_OK)
		status = check_prefixes_differ(o, claims, err);
	free(claims);
	return status;
}

vpn_status wg_options_validate(const void *config, struct vpn_error *err)
{
	const struct wg_options *o = config;
	const char *why = NULL;
	if (sodium_init() < 0)
		return wg_fault(err, VPN_ENOTSUP, 0, "", "libsodium does not work here");
	vpn_status status = check_private_key(o, err);
	if (status == VPN_OK)
		status = check_peers(o, err);
	if (status == VPN_OK)
		status = check_all_differ(o, err);
	if (status == VPN_OK && wg_aead_choose(o->aead, &why) == NULL)
		status = wg_fault(err, VPN_ENOTSUP, 0, "/aead", "%s: use \"auto\"", why);
	return status;
}

void wg_options_needs(const void *config, struct vpn_needs *out)
{
	(void)config;
	out->flags = VPN_ENCRYPTS | VPN_AUTHENTICATES | VPN_L3 | VPN_LANE_AWARE | VPN_SETS_ENDPOINT;
	out->headroom = WG_DATA_HEADER;
	out->tailroom = WG_TAG_LEN + WG_PADDING - 1;
	/* padding stays within the MTU, so that a full packet grows by this much and no more */
	out->overhead = WG_DATA_OVERHEAD;
}

/* ---- the tables ---- */

static const char *const aead_choices[] = {"auto", "libsodium", "openssl", "ipsec-mb", NULL};
static const char *const uapi_choices[] = {"auto", "on", "off", NULL};

#define AT(field)      (uint32_t) offsetof(struct wg_options, field)
#define PEER_AT(field) (uint32_t) offsetof(struct wg_peer_options, field)

static const struct vpn_option peer_options[] = {
	{.name = "public_key",
	 .type = VPN_OPT_BYTES,
	 .offset = PEER_AT(public_key),
	 .flags = VPN_OPT_REQUIRED,
	 .min = WG_KEY_LEN,
	 .max = WG_KEY_LEN,
	 .doc = "The peer's public key, which is also its name."},
	{.name = "preshared_key",
	 .type = VPN_OPT_BYTES,
	 .offset = PEER_AT(preshared_key),
	 .flags = VPN_OPT_SECRET,
	 .min = WG_KEY_LEN,
	 .max = WG_KEY_LEN,
	 .doc = "A secret that both sides share, mixed into every handshake."},
	{.name = "endpoint",
	 .type = VPN_OPT_HOSTPORT,
	 .offset = PEER_AT(endpoint),
	 .doc = "Where the peer is at first, by name or address; then wherever it sends from. A "
		"name is looked up again while the handshake fails."},
	{.name = "allowed_ips",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_PREFIX,
	 .offset = PEER_AT(allowed_ips),
	 .flags = VPN_OPT_NETWORK,
	 .doc = "Networks inside of the tunnel that are this peer's: packets to them go to it, and "
		"from it come packets from them only. The longest prefix decides."},
	{.name = "keepalive",
	 .type = VPN_OPT_UINT,
	 .offset = PEER_AT(keepalive),
	 .dflt = "0",
	 .min = 0,
	 .max = 65535,
	 .unit = "seconds",
	 .doc = "Sends something at least this often, so that NAT and firewalls on the way stay "
		"open; 25 suits most. 0: off."},
};

static const struct vpn_option_table peer_table = VPN_OPTION_TABLE(peer_options,
								   struct wg_peer_options);

static const struct vpn_option options[] = {
	{.name = "private_key",
	 .type = VPN_OPT_BYTES,
	 .offset = AT(private_key),
	 .flags = VPN_OPT_SECRET,
	 .min = WG_KEY_LEN,
	 .max = WG_KEY_LEN,
	 .doc = "Our private key, from `vpncore keygen`. Needed, unless it comes through the "
		"control socket (\"uapi\": \"on\")."},
	{.name = "peers",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_OBJECT,
	 .table = &peer_table,
	 .offset = AT(peers),
	 .doc = "Whom we talk with."},
	{.name = "aead",
	 .type = VPN_OPT_ENUM,
	 .offset = AT(aead),
	 .dflt = "auto",
	 .choices = aead_choices,
	 .doc = "Library that encrypts packets. auto: the fastest that is built in and works on "
		"this processor. All give the same bytes."},
	{.name = "uapi",
	 .type = VPN_OPT_ENUM,
	 .offset = AT(uapi),
	 .dflt = "auto",
	 .choices = uapi_choices,
	 .doc = "The control socket for wg(8), /var/run/wireguard/DEVICE.sock. auto: where it can "
		"be made; on: or else fail, and end when the socket is deleted."},
	{.name = "uapi_fd",
	 .type = VPN_OPT_INT,
	 .offset = AT(uapi_fd),
	 .dflt = "-1",
	 .min = -1,
	 .max = INT32_MAX,
	 .doc = "A control socket that was opened elsewhere, as an inherited descriptor that "
		"listens. -1: none."},
};

const struct vpn_option_table wg_option_table = VPN_OPTION_TABLE(options, struct wg_options);
