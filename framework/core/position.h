/* SPDX-License-Identifier: BSD-2-Clause */
/* position: where the values of a JSON text stand, which a JSON parser forgets. */
#ifndef VPNCORE_CORE_POSITION_H
#define VPNCORE_CORE_POSITION_H

#include <stdbool.h>
#include <stddef.h>

#define POSITION_DEPTH_MAX 32 /* arrays and objects inside each other */

struct positions;

struct place {
	int line, column; /* 1-based; columns count characters; 0, 0 = no place */
};

/* A key that an object has had before. */
struct duplicate {
	const char *pointer; /* JSON pointer of the value, RFC 6901 */
	const char *key;     /* as in the text, escapes resolved */
	struct place place;  /* of this key */
	struct place first;  /* of the first with this name */
};

enum position_status {
	POSITION_OK,
	POSITION_NO_MEMORY,
	POSITION_TOO_DEEP,  /* *where says where */
	POSITION_TOO_LARGE, /* more keys and values than any manifest has */
};

/*
 * Scans a JSON text (RFC 8259). What is not JSON ends the scan without a complaint: the parser has a
 * better one. Keeps keys, no values. `where` may be NULL.
 */
enum position_status position_scan(struct positions **ret, const char *text, size_t len,
				   struct place *where);
struct positions *position_free(struct positions *p); /* accepts NULL, returns NULL */

/* The place of a value, or of the nearest value around it that is there; of the last of duplicates. */
struct place position_of_value(const struct positions *p, const char *pointer);

/* The place of the key of a value; of the value where it has none. */
struct place position_of_key(const struct positions *p, const char *pointer);

size_t position_duplicates(const struct positions *p);
struct duplicate position_duplicate(const struct positions *p, size_t i);

/* Appends "/key", escaped as RFC 6901 section 3 wants it, in new memory; NULL when there is none. */
char *position_join(const char *pointer, const char *key);

#endif
