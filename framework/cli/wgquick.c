/* SPDX-License-Identifier: BSD-2-Clause */
#include "wgquick.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "wgquick_awg.h"
#include "wgquick_check.h"
#include "wgquick_dns.h"
#include "wgquick_read.h"

#define PEERS_MIN 4u /* places at first */

static void report(struct wgquick_reader *r, const char *at, const char *text)
{
	struct wgquick_place place = wgquick_place(r, at);
	problems_add(r->problems, place.line, place.column, "", "%s", text);
}

/* Makes room for one more peer. realloc() would leave keys behind. */
static bool grow_peers(struct wgquick_reader *r)
{
	struct wgquick *w = r->w;
	if (w->n_peers < r->peer_room)
		return true;
	size_t room = r->peer_room == 0 ? PEERS_MIN : r->peer_room * 2;
	struct wgquick_peer *peers = calloc(room, sizeof(*peers));
	if (peers == NULL)
		return false;
	if (w->n_peers > 0) {
		memcpy(peers, w->peers, w->n_peers * sizeof(*peers));
		sodium_memzero(w->peers, w->n_peers * sizeof(*peers));
	}
	free(w->peers);
	w->peers = peers;
	r->peer_room = room;
	return true;
}

static void begin_peer(struct wgquick_reader *r, const char *at)
{
	struct wgquick *w = r->w;
	if (!grow_peers(r)) {
		r->no_memory = true;
		return;
	}
	r->peer = &w->peers[w->n_peers++];
	r->peer->place = wgquick_place(r, at);
	r->peer->first_allowed = w->n_allowed;
	r->seen[1] = 0;
}

static void begin_section(struct wgquick_reader *r, struct wgquick_piece name)
{
	r->peer = NULL;
	r->section = WGQUICK_UNKNOWN;
	if (wgquick_is(name, "[Interface]")) {
		r->section = WGQUICK_INTERFACE;
		if (r->w->place.line == 0)
			r->w->place = wgquick_place(r, name.text);
	} else if (wgquick_is(name, "[Peer]")) {
		r->section = WGQUICK_PEER;
		begin_peer(r, name.text);
	} else {
		report(r, name.text, "unknown section: there are [Interface] and [Peer]");
	}
}

static void read_line(struct wgquick_reader *r, struct wgquick_piece line)
{
	const char *comment = memchr(line.text, '#', line.len);
	if (comment != NULL)
		line.len = (size_t)(comment - line.text);
	line = wgquick_trim(line);
	if (line.len == 0)
		return;
	const char *equals = memchr(line.text, '=', line.len);
	if (line.text[0] == '[') {
		begin_section(r, line);
	} else if (r->section == WGQUICK_UNKNOWN) {
		return; /* the section has been refused as a whole */
	} else if (equals == NULL) {
		report(r, line.text,
		       line.text[0] == ';' ? "a comment begins with #, not with ;"
					   : "is neither [Section] nor Key = Value");
	} else if (r->section == WGQUICK_NOWHERE) {
		report(r, line.text, "stands in front of the first section, [Interface] or [Peer]");
	} else {
		struct wgquick_piece key = {line.text, (size_t)(equals - line.text)};
		struct wgquick_piece value = {equals + 1, line.len - key.len - 1};
		wgquick_read(r, wgquick_trim(key), wgquick_trim(value));
	}
}

static void read_lines(struct wgquick_reader *r, const char *text, size_t len)
{
	const char *end = text + len;
	while (text < end && !r->no_memory) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline != NULL ? newline : end;
		r->line++;
		r->line_text = text;
		if (r->problems->n >= WGQUICK_PROBLEMS_MAX) {
			report(r, text, "too many problems: the rest was not read");
			return;
		}
		read_line(r, (struct wgquick_piece){text, (size_t)(line_end - text)});
		text = newline != NULL ? newline + 1 : end;
	}
}

static void read_text(struct wgquick_reader *r, const char *text, size_t len)
{
	if (len > WGQUICK_BYTES_MAX) {
		problems_add(r->problems, 0, 0, "", "is larger than %u bytes", WGQUICK_BYTES_MAX);
		return;
	}
	if (len > 0 && memchr(text, '\0', len) != NULL) {
		problems_add(r->problems, 0, 0, "", "is not text: it has a NUL byte");
		return;
	}
	/* editors on Windows put a byte order mark in front */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	read_lines(r, text, len);
	if (r->no_memory)
		problems_add(r->problems, 0, 0, "", "out of memory");
	else
		wgquick_check(r->w, r->problems);
}

struct wgquick *wgquick_parse(const char *text, size_t len, struct problems *problems)
{
	size_t before = problems->n_errors;
	struct wgquick_reader r = {.w = calloc(1, sizeof(*r.w)), .problems = problems};
	if (r.w == NULL) {
		problems_add(problems, 0, 0, "", "out of memory");
		return NULL;
	}
	read_text(&r, text, len);
	return problems->n_errors == before ? r.w : wgquick_free(r.w);
}

struct wgquick *wgquick_free(struct wgquick *w)
{
	if (w == NULL)
		return NULL;
	for (size_t i = 0; i < w->n_peers; i++)
		free(w->peers[i].endpoint);
	if (w->peers != NULL)
		sodium_memzero(w->peers, w->n_peers * sizeof(*w->peers));
	free(w->peers);
	free(w->allowed);
	wgquick_awg_clear(&w->awg);
	wgquick_dns_clear(&w->dns);
	sodium_memzero(w, sizeof(*w));
	free(w);
	return NULL;
}
