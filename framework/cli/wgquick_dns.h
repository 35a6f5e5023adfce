/* SPDX-License-Identifier: BSD-2-Clause */
/* wgquick_dns: the key DNS of wg-quick files: name servers, and domains to search. */
#ifndef VPNCORE_CLI_WGQUICK_DNS_H
#define VPNCORE_CLI_WGQUICK_DNS_H

#include "wgquick_read.h"

void wgquick_dns_read(struct wgquick_reader *r, struct wgquick_piece v);

/* Says what of it changes nothing, when the whole file has been read. */
void wgquick_dns_check(const struct wgquick_dns *dns, struct problems *problems);

void wgquick_dns_clear(struct wgquick_dns *dns);

#endif
