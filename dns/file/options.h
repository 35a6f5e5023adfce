/* SPDX-License-Identifier: BSD-2-Clause */
/* options: what the manifest says under "dns" for this backend. */
#ifndef DNS_FILE_OPTIONS_H
#define DNS_FILE_OPTIONS_H

#include "common/options.h"

#define DNS_FILE_PATH_MAX  191u /* bytes */
#define DNS_FILE_WORDS_MAX 16   /* of "options" */
#define DNS_FILE_WORD_MAX  32u  /* bytes of one */

struct dns_file_options {
	struct dns_options common;
	const char *path;
	struct vpn_list options; /* const char * */
};

extern const struct vpn_option_table dns_file_option_table;

/* The lifecycle's function, see plugin.h section 11. [main] */
vpn_status dns_file_options_validate(const void *config, struct vpn_error *err);

#endif
