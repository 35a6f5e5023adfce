/* SPDX-License-Identifier: BSD-2-Clause */
/* record: how our change of the file stands in the journal, and its undoing. */
#ifndef DNS_FILE_RECORD_H
#define DNS_FILE_RECORD_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "options.h"

#define DNS_FILE_RECORD_VERSION 1u
#define DNS_FILE_BEFORE_MAX     32768u /* bytes of a mounted file that is overwritten */
#define DNS_FILE_NAME_MAX       (DNS_FILE_PATH_MAX + 32u)

enum dns_file_way {
	DNS_FILE_WAY_NEW = 1, /* nothing was there: goes away again */
	DNS_FILE_WAY_REPLACE =
		2,              /* what was there has a second name, and gets its first one back */
	DNS_FILE_WAY_PLACE = 3, /* overwritten where it is: what stood in it is in the record */
};

/* Fixed layout; behind it n_text bytes of what we write, and n_before of what stood there. Numbers are in
 * the machine's own order. */
struct dns_file_record {
	uint32_t version;
	uint32_t way;
	uint64_t temp; /* part of the name of the file that is written and then given its place */
	uint32_t n_text, n_before;
	char path[DNS_FILE_PATH_MAX + 1u];
};
VPN_STATIC_ASSERT(sizeof(struct dns_file_record) == 216, "dns_file_record");

/* Names beside a path: "/etc/resolv.conf.vpncore-backup", and one for a file that is being written. */
void dns_file_name_backup(const char *path, char name[DNS_FILE_NAME_MAX]);
void dns_file_name_temp(const char *path, uint64_t number, char name[DNS_FILE_NAME_MAX]);

/* vpn_component.undo of plugin.h. [main] */
vpn_status dns_file_record_undo(const struct vpn_host *host, uint32_t flags, const void *data,
				uint32_t len, struct vpn_error *err);

#endif
