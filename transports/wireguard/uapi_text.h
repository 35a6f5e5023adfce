/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uapi_text: the protocol itself, apart from sockets, so that it can be tested and fuzzed: bytes of a
 * client go in, answers come out. Lines of "key=value"; an operation ends with an empty line.
 */
#ifndef WG_UAPI_TEXT_H
#define WG_UAPI_TEXT_H

#include <stddef.h>

#include "config.h"

#define WG_UAPI_LINE 1024u /* longest line in bytes, without its newline */

/* What answers go to. Returns false when the client is gone: then the operation is given up. */
typedef bool (*wg_uapi_write)(void *ctx, const char *text, size_t len);

struct wg_uapi_session; /* of one connection */

/* NULL without memory. One session is one thread's at a time; the lock is taken for each line. */
struct wg_uapi_session *wg_uapi_session_new(struct wg *wg, wg_uapi_write write, void *ctx);

/* Wipes (secrets may stand in the buffer) and frees. Accepts NULL, returns NULL. */
struct wg_uapi_session *wg_uapi_session_free(struct wg_uapi_session *s);

/* Takes bytes as they come. False: the connection is to be closed (the client is gone, or has sent
 * what cannot be gone on after). */
bool wg_uapi_session_feed(struct wg_uapi_session *s, const char *bytes, size_t len);

/* The client has shut its side down: an operation that lacks its empty line is given up. What its
 * lines have done stays; a peer whose block is not complete is left without wg_config_peer_done(). */
void wg_uapi_session_end(struct wg_uapi_session *s);

#endif
