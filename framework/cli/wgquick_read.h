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
	uint32_t seen[2];          /* keys of [Interface] and of this [Peer], by their row */
	const char *line_text;     /* where the line begins, for columns */
	int line;
	bool no_memory;
};

/* A piece of a line; not terminated. */
struct wgquick_piece {
	const char *text;
	size_t len;
};

/* Reads one "key = value" of the current section. */
void wgquick_read(struct wgquick_reader *r, struct wgquick_piece key, struct wgquick_piece value);

/* The place of a piece of the current line. */
struct wgquick_place wgquick_place(const struct wgquick_reader *r, const char *text);

/* Leaves out white space at both ends. */
struct wgquick_piece wgquick_trim(struct wgquick_piece p);

/* The same letters in any case. */
bool wgquick_is(struct wgquick_piece p, const char *name);

#endif
