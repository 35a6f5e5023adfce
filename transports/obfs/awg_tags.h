/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * awg_tags: the datagrams i1 to i5, written as tags (README.md of amneziawg-go 0.2.19, "Custom signature
 * packets"):
 *
 *	<b 0xHEX>   these bytes              <rc N>   N random letters, a-z and A-Z
 *	<r N>       N random bytes           <rd N>   N random digits
 *	<t>         seconds since 1970, 32 bits, big-endian
 */
#ifndef OBFS_AWG_TAGS_H
#define OBFS_AWG_TAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "random.h"

/* Where a text is wrong and why. */
struct awg_tags_fault {
	uint32_t at; /* characters from its beginning */
	const char *why;
};

/* The length of the datagram in bytes; 0: the text is wrong or says nothing, *fault (may be NULL) is
 * filled. [any] */
uint32_t awg_tags_measure(const char *text, struct awg_tags_fault *fault);

/* Writes the datagram of a text that is right: awg_tags_measure() bytes. [lane] */
void awg_tags_write(const char *text, struct obfs_random *r, uint64_t unix_seconds, uint8_t *out);

#endif
