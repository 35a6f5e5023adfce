/* SPDX-License-Identifier: BSD-2-Clause */
/* utun_options: what the manifest can say about a utun device. */
#ifndef UTUN_OPTIONS_H
#define UTUN_OPTIONS_H

#include "options.h"

#define UTUN_UNIT_MAX        32766 /* ifnet.if_unit is a short, and a control's unit one more */
#define UTUN_DEFAULT_PENDING 256u

enum utun_batch { UTUN_BATCH_AUTO, UTUN_BATCH_READ, UTUN_BATCH_ON, UTUN_BATCH_OFF };

struct utun_options {
	struct darwin_options common;
	uint64_t txqueuelen;
	int64_t fd;
	uint32_t batch;
};

extern const struct vpn_option_table utun_option_table;

/* vpn_lifecycle.validate: what the table cannot say. Pure. [main] */
vpn_status utun_options_validate(const void *config, struct vpn_error *err);

/* The unit that is asked for, -1 = any. */
int utun_options_unit(const struct utun_options *o);

#endif
