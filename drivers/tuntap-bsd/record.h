/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record: a device that only SIOCIFDESTROY takes away stands in the journal before it is made, so that
 * it goes whatever the process dies of.
 */
#ifndef BSD_RECORD_H
#define BSD_RECORD_H

#include "request.h"

/* The journal, when the host has one. */
struct bsd_journal {
	const struct vpn_journal_ext *ext; /* NULL = none */
	void *inst;
};

#define BSD_RECORD_VERSION 1u

/* Fixed layout. Written and read on one machine: numbers are in its own order. */
struct bsd_record {
	uint32_t version;
	uint32_t layer; /* enum bsd_layer_kind */
	uint32_t unit;
	uint32_t reserved;
};
VPN_STATIC_ASSERT(sizeof(struct bsd_record) == 16, "bsd_record");

/* *ret_id is 0 without a journal. [main] */
vpn_status bsd_record_add(const struct bsd_journal *j, uint32_t layer, uint32_t unit,
			  uint64_t *ret_id, struct vpn_error *err);

/* For an id of 0 nothing. [main] */
void bsd_record_forget(const struct bsd_journal *j, uint64_t id);

/* vpn_component.undo of plugin.h. [main] */
vpn_status bsd_record_undo(const struct vpn_host *host, uint32_t flags, const void *data,
			   uint32_t len, struct vpn_error *err);

#endif
