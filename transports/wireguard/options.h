/* SPDX-License-Identifier: BSD-2-Clause */
/* options: what the manifest says about a wireguard stage. */
#ifndef WG_OPTIONS_H
#define WG_OPTIONS_H

#include <stdbool.h>
#include <vpncore/plugin.h>

enum wg_uapi_choice { WG_UAPI_AUTO, WG_UAPI_ON, WG_UAPI_OFF };

struct wg_peer_options {
	struct vpn_bytes public_key;
	struct vpn_bytes preshared_key;
	struct vpn_hostport endpoint;
	struct vpn_list allowed_ips; /* of struct vpn_prefix */
	uint64_t keepalive;          /* seconds */
};

struct wg_options {
	struct vpn_bytes private_key;
	struct vpn_list peers; /* of struct wg_peer_options */
	int64_t uapi_fd;
	uint32_t aead; /* enum wg_aead_choice */
	uint32_t uapi; /* enum wg_uapi_choice */
};

extern const struct vpn_option_table wg_option_table;

static inline const struct wg_peer_options *wg_options_peer(const struct wg_options *o, uint32_t i)
{
	return (const void *)((const char *)o->peers.items + (size_t)i * o->peers.item_size);
}

/* The lifecycle's functions, see plugin.h section 11. [main] */
vpn_status wg_options_validate(const void *config, struct vpn_error *err);
void wg_options_needs(const void *config, struct vpn_needs *out);

#endif
