/* SPDX-License-Identifier: BSD-2-Clause */
#include "nft.h"

#include <nftables/libnftables.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"

struct nft_ctx *routes_nft_open(void)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (nft == NULL)
		return NULL;
	if (nft_ctx_buffer_output(nft) == 0 && nft_ctx_buffer_error(nft) == 0)
		return nft;
	nft_ctx_free(nft);
	return NULL;
}

void routes_nft_close(struct nft_ctx *nft)
{
	if (nft != NULL)
		nft_ctx_free(nft);
}

/* The first line of what libnftables says of an error. */
static void first_line(struct nft_ctx *nft, char *buf, size_t cap)
{
	const char *said = nft_ctx_get_error_buffer(nft);
	size_t n = said != NULL ? strcspn(said, "\n") : 0;
	snprintf(buf, cap, "%.*s", (int)n, said != NULL ? said : "");
}

vpn_status routes_nft_run(struct nft_ctx *nft, const char *text, struct vpn_error *err)
{
	char said[160];
	int failed = nft_run_cmd_from_buffer(nft, text);
	first_line(nft, said, sizeof(said));
	(void)nft_ctx_get_output_buffer(nft); /* reading empties it */
	if (failed == 0)
		return VPN_OK;
	bool denied = strstr(said, "not permitted") != NULL;
	return routes_fault(err, denied ? VPN_EPERM : VPN_EIO, 0, NULL,
			    "nftables refuses our table: %s%s", said,
			    denied ? ": run as root or grant CAP_NET_ADMIN" : "");
}

char *routes_nft_list(struct nft_ctx *nft, const char *table)
{
	char command[160];
	snprintf(command, sizeof(command), "list table inet %s", table);
	int failed = nft_run_cmd_from_buffer(nft, command);
	const char *listed = nft_ctx_get_output_buffer(nft); /* reading empties both */
	(void)nft_ctx_get_error_buffer(nft);
	return failed == 0 && listed != NULL ? strdup(listed) : NULL;
}

vpn_status routes_nft_delete(struct nft_ctx *nft, const char *table, struct vpn_error *err)
{
	char command[320];
	/* the first half is for the second, which fails where there is no table */
	snprintf(command, sizeof(command), "add table inet %s\ndelete table inet %s\n", table,
		 table);
	return routes_nft_run(nft, command, err);
}
