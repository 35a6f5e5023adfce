/* SPDX-License-Identifier: BSD-2-Clause */
/* hook_list: the commands of "on_up" and "on_down" in a manifest, and their form in the journal. */
#ifndef VPNCORE_CORE_HOOK_LIST_H
#define VPNCORE_CORE_HOOK_LIST_H

#include <jansson.h>

#include "options.h"

#define HOOK_COMMANDS_MAX 16u
#define HOOK_WORDS_MAX    64u
#define HOOK_BYTES_MAX    16384u /* of all commands of one list */

struct hook_list {
	char ***commands; /* each ends with NULL; the first word is an absolute path */
	size_t n;
};

/*
 * Reads the value at `pointer`: one command, an array of words, or an array of commands. Problems go to
 * the source's list: forms, limits, a program that is not there, cannot be run or can be written by others.
 * NULL is an empty list. [main]
 */
void hook_list_read(struct hook_list *list, json_t *value, const char *pointer,
		    struct options_source *src);

void hook_list_clear(struct hook_list *list);

/*
 * A list with its environment and time limit in one piece of memory for the journal; the caller frees.
 * NULL when there is no memory. hook_list_unpack() gives false when the bytes are none. `env` ends with
 * NULL and is freed by hook_list_free_words().
 */
char *hook_list_pack(const struct hook_list *list, char *const *env, uint64_t timeout_ns,
		     size_t *ret_len);
bool hook_list_unpack(const void *data, size_t len, struct hook_list *list, char ***ret_env,
		      uint64_t *ret_timeout_ns);

char **hook_list_free_words(char **words); /* returns NULL */

#endif
