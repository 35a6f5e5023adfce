/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wgquick: the configuration files of wg(8) and wg-quick(8), parsed. Touches nothing but memory.
 *
 * What those programs take is taken: sections and keys in any case, '#' comments, keys that stand
 * twice (the last one counts), lists in one or several lines, an [Interface] in several parts. What
 * vpncore cannot carry out, or what changes nothing there but something here, is told as a warning.
 */
#ifndef VPNCORE_CLI_WGQUICK_H
#define VPNCORE_CLI_WGQUICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vpncore/tcpip.h>

#include "keys.h"
#include "problems.h"

#define WGQUICK_BYTES_MAX     (16u << 20)
#define WGQUICK_ADDRESSES_MAX 256u
#define WGQUICK_SERVERS_MAX   16u /* name servers: as many as a manifest can have */
#define WGQUICK_SEARCH_MAX    64u
#define WGQUICK_PROBLEMS_MAX  1000u /* reading ends when there are so many */

/* The outer headers in front of a packet: IPv6 40, UDP 8, data header 16, tag 16 (whitepaper 5.4.6). */
#define WGQUICK_OVERHEAD    80u
#define WGQUICK_MTU_MAX     (65535u - WGQUICK_OVERHEAD)
#define WGQUICK_MTU_MIN     68u   /* RFC 791 */
#define WGQUICK_MTU_MIN_IP6 1280u /* RFC 8200 section 5 */

struct wgquick_place {
	int line; /* from 1; 0 = it does not stand in the file */
	int column;
};

struct wgquick_allowed {
	struct tcpip_prefix prefix; /* host bits are zero */
	size_t peer;
	struct wgquick_place place;
	bool twice; /* stands in the same peer already: to be left out */
};

struct wgquick_peer {
	struct wgquick_place place;        /* of the section */
	struct wgquick_place public_place; /* of its PublicKey */
	uint8_t public_key[KEYS_LEN];
	uint8_t preshared_key[KEYS_LEN]; /* zero = none */
	char *endpoint;                  /* host:port as a manifest has it; NULL = none */
	uint16_t keepalive;              /* seconds, 0 = off */
	size_t first_allowed, n_allowed; /* within wgquick.allowed */
};

/* What AmneziaWG's files have besides. In the order of the rows of wgquick_awg.c. */
enum wgquick_awg_number {
	WGQUICK_JC,
	WGQUICK_JMIN,
	WGQUICK_JMAX,
	WGQUICK_S1,
	WGQUICK_S2,
	WGQUICK_S3,
	WGQUICK_S4,
	WGQUICK_AWG_NUMBERS
};

struct wgquick_awg {
	bool used;       /* some of its keys stand in the file */
	uint32_t given;  /* numbers that do, by their bits */
	uint32_t hidden; /* headers that do: bit 0 is H1 */
	uint32_t numbers[WGQUICK_AWG_NUMBERS];
	uint32_t headers[4][2];       /* first and last word of H1 to H4 */
	char *packets[5];             /* I1 to I5, printable ASCII; NULL = not given */
	uint8_t header_key[KEYS_LEN]; /* zero = none */
	bool random_trailers, disable_cookies;
};

/* What the manifest's "dns" becomes. */
struct wgquick_dns {
	struct wgquick_place place; /* of the last line */
	struct tcpip_prefix servers[WGQUICK_SERVERS_MAX];
	size_t n_servers;
	char *search[WGQUICK_SEARCH_MAX];
	size_t n_search;
};

struct wgquick {
	struct wgquick_place place; /* of the first [Interface] */
	struct wgquick_place private_place, mtu_place, table_place;
	uint8_t private_key[KEYS_LEN];
	uint16_t listen_port; /* 0 = any */
	uint32_t mtu;         /* 0 = not given */
	uint32_t fwmark;      /* 0 = none */
	bool no_routes;       /* Table = off */
	struct wgquick_awg awg;
	struct wgquick_dns dns;
	struct tcpip_prefix addresses[WGQUICK_ADDRESSES_MAX];
	size_t n_addresses;
	struct wgquick_peer *peers;
	size_t n_peers;
	struct wgquick_allowed *allowed; /* peer by peer */
	size_t n_allowed;
};

/*
 * Parses a file; errors and warnings go to *problems with their places, and without keys or other
 * values of secrets. NULL when there were errors (or no memory, which is one). Needs sodium_init().
 * [any]
 */
struct wgquick *wgquick_parse(const char *text, size_t len, struct problems *problems);

/* Wipes and frees. Accepts NULL, returns NULL. */
struct wgquick *wgquick_free(struct wgquick *w);

#endif
