/* SPDX-License-Identifier: BSD-2-Clause */
/* linux: the instance of the routes component for Linux. */
#ifndef ROUTES_LINUX_H
#define ROUTES_LINUX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <vpncore/plugin.h>

#include "monitor.h"
#include "netlink.h"
#include "object.h"
#include "options.h"
#include "plan.h"
#include "want.h"

struct nft_ctx;

/* How often a thing was put back within a minute: there is an end to it, for each alone. */
struct routes_patience {
	uint64_t since_ns;
	uint32_t n;
	bool told; /* that the end is reached */
};

/* Things that are in the kernel by our doing, each with its record in the journal. */
struct routes_made_route {
	struct routes_route route;
	uint64_t id;
	struct routes_patience patience;
};
struct routes_made_rule {
	struct routes_rule rule;
	uint64_t id;
	struct routes_patience patience;
};
struct routes_made_switch {
	struct routes_switch set;
	bool was_off; /* "0" before */
	struct routes_patience patience;
};

/* One of our nftables tables. */
struct routes_made_table {
	char *text;   /* what we loaded, NULL = not loaded */
	char *listed; /* how nftables listed it then */
	struct routes_patience patience;
};

struct routes {
	const struct vpn_host *host;
	const struct routes_options *options;
	atomic_uint n_protected; /* sockets that a transport gave to protect() */

	const struct vpn_journal_ext *journal;
	const struct vpn_loop_ext *loop;
	const struct vpn_reconcile_ext *reconcile;
	const struct vpn_peers_ext *peers;   /* NULL = the transport has none */
	const struct vpn_socket_ext *socket; /* likewise */
	void *journal_inst, *loop_inst, *reconcile_inst, *peers_inst, *socket_inst;

	struct vpn_device_info device;
	struct routes_netlink netlink;
	struct nft_ctx *nft; /* NULL until a table is needed */
	struct routes_monitor monitor;
	struct vpn_reconciler *reconciler;
	struct routes_place place;
	bool has_place;

	uint64_t way; /* by which the endpoints were reached last, as a sum; 0 = not known */

	struct routes_list routes;   /* struct routes_made_route, sorted */
	struct routes_list rules;    /* struct routes_made_rule */
	struct routes_list switches; /* struct routes_made_switch */
	struct routes_made_table guard, forward, lock;
	bool blocks_dns;            /* the guard that is loaded does */
	struct routes_list blocked; /* struct routes_route: another one has their place */
	uint64_t again_ns;          /* when what did not work is tried again, 0 = nothing is left */
	struct routes_want want;
	char complaint[256]; /* what was logged last of a repair that failed */
};

#endif
