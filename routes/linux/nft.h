/* SPDX-License-Identifier: BSD-2-Clause */
/* nft: runs rulesets by libnftables(3). */
#ifndef ROUTES_NFT_H
#define ROUTES_NFT_H

#include <stdbool.h>
#include <vpncore/plugin.h>

struct nft_ctx;

/* A table with an owner lives as long as the context that made it. NULL without memory or
 * nfnetlink. [main] */
struct nft_ctx *routes_nft_open(void);
void routes_nft_close(struct nft_ctx *nft); /* NULL is taken */

/* One transaction: all of the text, or nothing of it. [main] */
vpn_status routes_nft_run(struct nft_ctx *nft, const char *text, struct vpn_error *err);

/* A table of family inet as nft(8) would list it: the caller's to free(). NULL: it is not there, or no
 * memory is. [main] */
char *routes_nft_list(struct nft_ctx *nft, const char *table);

/* VPN_OK also when there is none. [main] */
vpn_status routes_nft_delete(struct nft_ctx *nft, const char *table, struct vpn_error *err);

#endif
