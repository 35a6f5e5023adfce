/* SPDX-License-Identifier: BSD-2-Clause */
/* name: domain names as the manifest has them. */
#ifndef DNS_COMMON_NAME_H
#define DNS_COMMON_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define DNS_NAME_MAX  253u /* bytes of a name without its final dot (RFC 1035 2.3.4, as text) */
#define DNS_LABEL_MAX 63u  /* RFC 1035 2.3.4 */

/* What is wrong with a name, NULL when nothing is. One final dot is allowed; "." alone is the root,
 * and good where `root` says so. [any] */
const char *dns_name_wrong(const char *name, bool root);

/* Behind the "~" of a domain that is for routing only; the name itself when there is none. [any] */
const char *dns_name_plain(const char *domain);

/* Whether it is the root ("." or "~."), under which all names are. [any] */
bool dns_name_is_root(const char *domain);

/* Whether two are the same name: letters of both cases are, a "~" and a final dot do not count. [any] */
bool dns_name_equal(const char *a, const char *b);

/* Bytes of a name without its final dot; 0 for the root. [any] */
size_t dns_name_len(const char *name);

#endif
