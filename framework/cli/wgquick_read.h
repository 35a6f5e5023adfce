/* SPDX-License-Identifier: BSD-2-Clause */
/* wgquick_read: the keys of wg-quick files, and how the value of each is read. */
#ifndef VPNCORE_CLI_WGQUICK_READ_H
#define VPNCORE_CLI_WGQUICK_READ_H

#include "wgquick.h"

enum wgquick_section {
	WGQUICK_NOWHERE, /* in front of the first section */
	WGQUICK_UNKNOWN, /* in a section that was refused: its keys are not looked at */
	WGQUICK_INTERFACE,
	WGQUICK_PEER,
};

struct wgquick_reader {
	struct wgquick *w;
	struct problems *problems;
	enum wgquick_section section;
	struct wgquick_peer *peer; /* the one being read; NULL outside of [Peer] */
	size_t peer_room;          /* of w->peers */
	size_t allowed_room;       /* of w->allowed */
	uint64_t seen[2];          /* keys of [Interface] and of this [Peer], by their row */
	const char *key;           /* the one whose value is being read */
	const char *line_text;     /* where the line begins, for columns */
	int line;
	bool no_memory;
};

/* A piece of a line; not terminated. */
struct wgquick_piece {
	const char *text;
	size_t len;
};

struct wgquick_key {
	const char *name;
	enum wgquick_section section;
	enum { WGQUICK_ONCE, WGQUICK_MANY, WGQUICK_LIST } form; /* a list may be empty */
	void (*read)(struct wgquick_reader *r, struct wgquick_piece v);
};

/* Reads one "key = value" of the current section. */
void wgquick_read(struct wgquick_reader *r, struct wgquick_piece key, struct wgquick_piece value);

/* The place of a piece of the current line. */
struct wgquick_place wgquick_place(const struct wgquick_reader *r, const char *text);

/* An error or a warning about a piece of the current line that begins at `at`. */
void wgquick_refuse(struct wgquick_reader *r, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void wgquick_warn(struct wgquick_reader *r, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "X is not ...": the value of something that is no secret, shortened. */
void wgquick_refuse_value(struct wgquick_reader *r, struct wgquick_piece v, const char *what);

/* Decimal digits, or hexadecimal ones behind 0x where `hex`; false when it is no number up to max. */
bool wgquick_number(struct wgquick_piece v, bool hex, uint32_t max, uint32_t *ret);

/* "7" or "7-9"; false when it is not, or turned round. */
bool wgquick_range(struct wgquick_piece v, uint32_t max, uint32_t *ret_first, uint32_t *ret_last);

/* A key in base64, refused without being shown. `zero`: what to say of one of zeros, NULL = nothing. */
void wgquick_secret(struct wgquick_reader *r, struct wgquick_piece v, uint8_t key[KEYS_LEN],
		    const char *zero);

/* Takes the next item of a list off *rest; items are separated by commas, and by white space where
 * `spaces`. False at the end. */
bool wgquick_next_item(struct wgquick_piece *rest, bool spaces, struct wgquick_piece *ret);

/* A terminated copy; false when it does not fit. */
bool wgquick_copy(struct wgquick_piece p, char *buf, size_t cap);

/* Leaves out white space at both ends. */
struct wgquick_piece wgquick_trim(struct wgquick_piece p);

/* The same letters in any case. */
bool wgquick_is(struct wgquick_piece p, const char *name);

#endif
