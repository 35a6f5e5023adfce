/* SPDX-License-Identifier: BSD-2-Clause */
/* record: what we gave to resolvconf, as it stands in the journal, and the taking back. */
#ifndef DNS_RESOLVCONF_RECORD_H
#define DNS_RESOLVCONF_RECORD_H

#include <stddef.h>

#include "child.h"
#include "key.h"

#define RESOLVCONF_RECORD_VERSION 1u

/* Written and read on one machine: numbers are in its own order. */
struct resolvconf_record {
	uint32_t version;
	uint32_t kind; /* enum resolvconf_kind */
	int32_t pid;   /* of the process that gives it to resolvconf, see child.h */
	uint32_t text_len;
	uint64_t started; /* likewise */
	char program[RESOLVCONF_PATH_MAX];
	char key[RESOLVCONF_KEY_MAX];
	char text[RESOLVCONF_TEXT_MAX]; /* what it is given: the first text_len bytes, no NUL; the
					 * others are not in the journal */
};
VPN_STATIC_ASSERT(offsetof(struct resolvconf_record, text) == 360, "resolvconf_record");
VPN_STATIC_ASSERT(sizeof(struct resolvconf_record) < VPN_JOURNAL_BYTES_MAX, "resolvconf_record");

/* Fills *r but its text. [any] */
void resolvconf_record_make(struct resolvconf_record *r, const struct resolvconf_program *p,
			    const char *key, const struct resolvconf_child *child);

/* Bytes of it that go into the journal. [any] */
uint32_t resolvconf_record_len(const struct resolvconf_record *r);

/* vpn_component.undo of plugin.h. [main] */
vpn_status resolvconf_record_undo(const struct vpn_host *host, uint32_t flags, const void *data,
				  uint32_t len, struct vpn_error *err);

#endif
