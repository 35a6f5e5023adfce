/* SPDX-License-Identifier: BSD-2-Clause */
/* uapi_get: the answer to "get=1", the whole configuration as text. */
#ifndef WG_UAPI_GET_H
#define WG_UAPI_GET_H

#include <stddef.h>

#include "config.h"

/* Text that grows. It holds secrets: each place that it leaves is wiped. */
struct wg_uapi_answer {
	char *text;
	size_t len;
	size_t capacity;
};

/*
 * Appends device and peers, with "errno=0" and the empty line. All peers are of one moment: the
 * configuration is locked meanwhile. Returns 0 or ENOMEM; then *a holds no complete answer. Begins
 * with a zeroed *a. [any], without the lock
 */
int wg_uapi_get(struct wg *wg, struct wg_uapi_answer *a);

/* Wipes and frees. Accepts a zeroed one and leaves one. */
void wg_uapi_answer_clear(struct wg_uapi_answer *a);

#endif
