/* SPDX-License-Identifier: BSD-2-Clause */
#include "hook_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "trust.h"

static const char no_memory[] = "out of memory";

char **hook_list_free_words(char **words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
	return NULL;
}

void hook_list_clear(struct hook_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		hook_list_free_words(list->commands[i]);
	free(list->commands);
	*list = (struct hook_list){0};
}

/* Takes the words over. */
static bool add_command(struct hook_list *list, char **words)
{
	char ***grown = array_resize(list->commands, list->n + 1, sizeof(*grown));
	if (grown == NULL) {
		hook_list_free_words(words);
		return false;
	}
	list->commands = grown;
	grown[list->n++] = words;
	return true;
}

/* ---- from JSON ----------------------------------------------------------------------------------- */

static void check_program(const char *path, const char *pointer, struct options_source *src)
{
	char why[512];
	struct stat st;
	if (path[0] != '/')
		options_problem(
			src, pointer,
			"must be the absolute path of a program, such as \"/usr/bin/logger\"; "
			"no shell is asked to find it");
	else if (stat(path, &st) != 0)
		options_problem(src, pointer, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode) || access(path, X_OK) != 0)
		options_problem(src, pointer, "%s is not a program that can be run", path);
	else if (!trust_path(path, why, sizeof(why)))
		options_problem(src, pointer, "%s can be changed or exchanged by others: %s", path,
				why);
}

static void read_word(char **word, json_t *value, const char *pointer, bool program,
		      struct options_source *src)
{
	const char *text = json_string_value(value);
	if (text == NULL) {
		options_problem(src, pointer, "must be a string, one word of a command");
		return;
	}
	*word = strdup(text);
	if (*word == NULL)
		options_problem(src, pointer, "%s", no_memory);
	else if (program)
		check_program(text, pointer, src);
}

static void read_command(struct hook_list *list, json_t *value, const char *pointer,
			 struct options_source *src)
{
	size_t n = json_array_size(value);
	if (n == 0 || n > HOOK_WORDS_MAX) {
		options_problem(src, pointer,
				"must be an array of 1 to %u words: a program and its arguments",
				HOOK_WORDS_MAX);
		return;
	}
	char **words = calloc(n + 1, sizeof(*words));
	if (words == NULL) {
		options_problem(src, pointer, "%s", no_memory);
		return;
	}
	size_t before = src->problems->n_errors;
	for (size_t i = 0; i < n && src->problems->n_errors == before; i++) {
		char where[96];
		snprintf(where, sizeof(where), "%.64s/%zu", pointer, i);
		read_word(&words[i], json_array_get(value, i), where, i == 0, src);
	}
	if (src->problems->n_errors != before)
		hook_list_free_words(words);
	else if (!add_command(list, words))
		options_problem(src, pointer, "%s", no_memory);
}

static size_t count_bytes(const struct hook_list *list)
{
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++)
		for (char **word = list->commands[i]; *word != NULL; word++)
			n += strlen(*word) + 1;
	return n;
}

void hook_list_read(struct hook_list *list, json_t *value, const char *pointer,
		    struct options_source *src)
{
	json_t *first = json_array_get(value, 0);
	size_t n = json_array_size(value);
	*list = (struct hook_list){0};
	if (value == NULL || (json_is_array(value) && n == 0))
		return;
	if (json_is_string(first)) {
		read_command(list, value, pointer, src);
	} else if (!json_is_array(first) || n > HOOK_COMMANDS_MAX) {
		options_problem(
			src, pointer,
			"must be a command, such as [\"/usr/bin/logger\", \"up\"], or an array "
			"of up to %u commands",
			HOOK_COMMANDS_MAX);
	} else {
		for (size_t i = 0; i < n; i++) {
			char where[80];
			snprintf(where, sizeof(where), "%.64s/%zu", pointer, i);
			read_command(list, json_array_get(value, i), where, src);
		}
	}
	if (count_bytes(list) > HOOK_BYTES_MAX)
		options_problem(src, pointer, "is longer than %u bytes", HOOK_BYTES_MAX);
}

/* ---- for the journal: texts that each end with NUL: time limit, number of variables, these, then for
 * each command the number of its words and these. ------------------------------------------------- */

static void put_text(FILE *f, const char *text)
{
	fwrite(text, 1, strlen(text) + 1, f);
}

static void put_words(FILE *f, char *const *words)
{
	size_t n = 0;
	while (words[n] != NULL)
		n++;
	fprintf(f, "%zu%c", n, 0);
	for (size_t i = 0; i < n; i++)
		put_text(f, words[i]);
}

char *hook_list_pack(const struct hook_list *list, char *const *env, uint64_t timeout_ns,
		     size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);
	if (f == NULL)
		return NULL;
	fprintf(f, "%llu%c", (unsigned long long)timeout_ns, 0);
	put_words(f, env);
	for (size_t i = 0; i < list->n; i++)
		put_words(f, list->commands[i]);
	bool good = !ferror(f);
	if (fclose(f) == 0 && good)
		return text;
	free(text);
	return NULL;
}

/* The next text, or NULL when there is no whole one. */
static const char *take_text(const char **at, const char *end)
{
	const char *text = *at;
	const char *nul = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;
	if (nul == NULL)
		return NULL;
	*at = nul + 1;
	return text;
}

static bool take_number(const char **at, const char *end, unsigned long long *ret)
{
	char *rest;
	const char *text = take_text(at, end);
	if (text == NULL || *text < '0' || *text > '9')
		return false;
	*ret = strtoull(text, &rest, 10);
	return *rest == '\0';
}

static char **take_words(const char **at, const char *end)
{
	unsigned long long n;
	if (!take_number(at, end, &n) || n > (unsigned long long)(end - *at))
		return NULL;
	char **words = calloc((size_t)n + 1, sizeof(*words));
	for (size_t i = 0; words != NULL && i < n; i++) {
		const char *text = take_text(at, end);
		words[i] = text != NULL ? strdup(text) : NULL;
		if (words[i] == NULL)
			return hook_list_free_words(words);
	}
	return words;
}

bool hook_list_unpack(const void *data, size_t len, struct hook_list *list, char ***ret_env,
		      uint64_t *ret_timeout_ns)
{
	const char *at = data, *end = at + len;
	unsigned long long timeout;
	*list = (struct hook_list){0};
	*ret_env = take_number(&at, end, &timeout) ? take_words(&at, end) : NULL;
	bool good = *ret_env != NULL;
	while (good && at < end) {
		char **words = take_words(&at, end);
		good = words != NULL && add_command(list, words) && words[0] != NULL &&
		       words[0][0] == '/';
	}
	if (good) {
		*ret_timeout_ns = timeout;
		return true;
	}
	hook_list_clear(list);
	*ret_env = hook_list_free_words(*ret_env);
	return false;
}
