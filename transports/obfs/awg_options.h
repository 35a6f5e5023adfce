/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * awg_options: the parameters of AmneziaWG, as the manifest's object "awg" gives them. Names and meanings
 * are those of its configuration files (README.md of amneziawg-go 0.2.19 and 3.1).
 */
#ifndef OBFS_AWG_OPTIONS_H
#define OBFS_AWG_OPTIONS_H

#include "awg_frame.h"

#define AWG_PACKETS      5u     /* i1 to i5 */
#define AWG_JUNK_MOST    128u   /* what AmneziaWG's documents recommend as the most */
#define AWG_PAYLOAD_MOST 65507u /* a UDP datagram over IPv4: 65535 - 20 - 8 */

struct awg_options {
	uint64_t jc, jmin, jmax;  /* datagrams; bytes */
	uint64_t s[AWG_KINDS];    /* bytes, by enum awg_kind */
	const char *h[AWG_KINDS]; /* "7" or "7-9" */
	const char *i[AWG_PACKETS];
	struct vpn_bytes header_protection_key; /* secret; NULL = none */
	uint32_t random_trailers, disable_cookies;
};

extern const struct vpn_option_table awg_option_table;

/* What the table cannot say. Pure. [main] */
vpn_status awg_options_check(const struct awg_options *o, struct vpn_error *err);

/* What depends on the stages around: no message may be longer than `mtu` bytes. [main] */
vpn_status awg_options_fit(const struct awg_options *o, uint32_t mtu, struct vpn_error *err);

/* Options that have been checked, in the form that packets need. Wipe it after use. [any] */
void awg_options_frame(const struct awg_options *o, struct awg_frame *out);

/* "7" or "7-9": decimal, 32 bits, not turned round. [any] */
bool awg_range_parse(const char *text, struct awg_range *out);

#endif
