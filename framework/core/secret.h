/* SPDX-License-Identifier: BSD-2-Clause */
/* secret: texts that nobody else may read: from a file, from the environment, and wiped. */
#ifndef VPNCORE_CORE_SECRET_H
#define VPNCORE_CORE_SECRET_H

#include <stddef.h>
#include <vpncore/plugin.h>

#define SECRET_MAX 65536u /* bytes of a secret's file */

/*
 * Reads a secret's file into new memory, with a final NUL; one newline at the end is left out. `path` is
 * relative to `folder`. Refused: a file that the group or others can read, one that belongs to neither
 * root nor the current user, one that is not a regular file, is empty, longer than SECRET_MAX, or has a
 * NUL in it. [main]
 */
char *secret_read(const char *folder, const char *path, struct vpn_error *err);

/* The same from the environment. [main] */
char *secret_from_env(const char *name, struct vpn_error *err);

/* Wipes a text and frees it. Accepts NULL, returns NULL. */
char *secret_free(char *text);

#endif
