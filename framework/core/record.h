/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record: the form of the journal's files. A file is a row of records, each with its length and a
 * checksum, so that a row that was cut off anywhere still gives all that stands before the cut.
 *
 *    0  u32  magic "VPNJ"
 *    4  u32  CRC-32C (RFC 3720 appendix B.4) of everything behind it
 *    8  u32  bytes of the body
 *   12  u16  type
 *   14  u16  flags: VPN_JOURNAL_* of a change
 *   16  u64  number, larger than that of every record before it in the same file
 *   24       the body, filled up with zeros to a multiple of eight bytes
 *
 * Numbers are little-endian. Type and body:
 *
 *   ORIGIN  first in each file: boot id (16 bytes), u64 network namespace, u64 wall clock in ns,
 *           u32 process, u32 zero
 *   CHANGE  u32 kind, u32 bytes of data, u16 bytes of the component's id, u16 bytes of the plugin's
 *           path, u32 zero; data, filled up to eight bytes; id; path ("" = linked in)
 *   DONE    u64 number of the change that is not there any more
 */
#ifndef VPNCORE_CORE_RECORD_H
#define VPNCORE_CORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "origin.h"

#define RECORD_HEAD     24u
#define RECORD_BODY_MAX (72u << 10) /* VPN_JOURNAL_BYTES_MAX and two names */

enum record_type { RECORD_ORIGIN = 1, RECORD_CHANGE = 2, RECORD_DONE = 3 };

struct record {
	uint16_t type;
	uint16_t flags;
	uint64_t number;
	const uint8_t *body;
	uint32_t len;
};

/* A change as its component wrote it. Names are not terminated. */
struct record_change {
	uint32_t kind; /* VPN_KIND_* */
	const void *data;
	uint32_t len;
	const char *id;
	uint16_t id_len;
	const char *path;
	uint16_t path_len;
};

/* Bytes of a record with a body of `len` bytes. */
size_t record_size(uint32_t len);

/* Reads the record at the beginning of at[0..n): its size, or 0 when there is no whole and sound one.
 * *out points into `at`. */
size_t record_read(const uint8_t *at, size_t n, struct record *out);

/* Takes the bodies apart; false when one is not what its type says. */
bool record_read_origin(const struct record *r, struct origin *out);
bool record_read_change(const struct record *r, struct record_change *out);
bool record_read_done(const struct record *r, uint64_t *ret_number);

/* Make whole records in memory that the caller frees; NULL when there is none. *ret_size gets the
 * bytes. */
uint8_t *record_make_origin(const struct origin *o, uint64_t number, size_t *ret_size);
uint8_t *record_make_change(const struct record_change *c, uint16_t flags, uint64_t number,
			    size_t *ret_size);
uint8_t *record_make_done(uint64_t done, uint64_t number, size_t *ret_size);

#endif
