/* SPDX-License-Identifier: BSD-2-Clause */
/* help: the text of --help, and what is said about a wrong command line. */
#ifndef VPNCORE_CLI_HELP_H
#define VPNCORE_CLI_HELP_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__GNUC__)
#define HELP_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define HELP_PRINTF(f, a)
#endif

struct option; /* getopt.h */

/* Prints the help of a command ("run", "plugin list"), or of the program when `command` is "", on
 * stdout. False when there is no such command. [main] */
bool help_print(const char *command);

/* Says on stderr what is wrong with the command line of `command` ("" = the program) and where to
 * read more. Returns exit status 2. [main] */
int help_refuse(const char *command, const char *format, ...) HELP_PRINTF(2, 3);

/* The name of the NULL-terminated `known` that was probably meant by `word`, or NULL. [any] */
const char *help_nearest(const char *word, const char *const *known);

/* The same as help_refuse() for an unknown word: `what` is "command" or the like; the nearest of
 * the NULL-terminated `known` is suggested. [main] */
int help_refuse_word(const char *command, const char *what, const char *word,
		     const char *const *known);

/* The same for what getopt_long() refused with `answer`, '?' or ':', given the long options that it
 * was called with and an option string that begins with ':'. Every short option must be the val of
 * a long one. [main] */
int help_refuse_option(const char *command, int answer, char *const *argv,
		       const struct option *known);

#endif
