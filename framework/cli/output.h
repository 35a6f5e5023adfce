/* SPDX-License-Identifier: BSD-2-Clause */
/* output: lines, paragraphs and JSON on the streams of the program. */
#ifndef VPNCORE_CLI_OUTPUT_H
#define VPNCORE_CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Prints a line; `stream` is a FILE *. Fits the callbacks of problems_print() and graph_text(). */
void output_line(void *stream, const char *text);

/* Prints text with control characters other than tabs replaced by '?': what comes from a plugin or
 * a file name must not steer the terminal. NULL prints nothing. */
void output_plain(FILE *stream, const char *text);

/* Prints a paragraph wrapped at 80 columns, each line indented by `indent` columns. */
void output_paragraph(FILE *stream, unsigned indent, const char *text);

/* Prints "name  text" with the text wrapped beside the name, in columns from indent + width on. A
 * name that does not fit gets a line of its own. */
void output_entry(FILE *stream, unsigned indent, unsigned width, const char *name,
		  const char *text);

/* A JSON string; bytes that are not UTF-8 become '?', NULL becomes null. New reference. */
json_t *output_json_string(const char *text);

/* Prints a value on stdout and drops the reference. False, with a message on stderr, when `value`
 * is NULL (no memory) or cannot be written. */
bool output_json(json_t *value);

#endif
