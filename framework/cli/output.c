/* SPDX-License-Identifier: BSD-2-Clause */
#include "output.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS 80u

void output_line(void *stream, const char *text)
{
	output_plain(stream, text);
	putc('\n', stream);
}

static bool is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

static void put_plain(FILE *stream, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		putc(is_control((unsigned char)text[i]) ? '?' : text[i], stream);
}

void output_plain(FILE *stream, const char *text)
{
	if (text != NULL)
		put_plain(stream, text, strlen(text));
}

/* Columns of UTF-8 text: its characters, continuation bytes left out. */
static unsigned columns(const char *text, size_t len)
{
	unsigned n = 0;
	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0u) != 0x80u;
	return n;
}

/* Words of text from column `at`; lines that follow begin at column `indent`. */
static void put_words(FILE *stream, unsigned at, unsigned indent, const char *text)
{
	static const char space[] = " \t\r\n";
	bool first = true; /* on this line */
	text += strspn(text, space);
	while (*text != '\0') {
		size_t len = strcspn(text, space);
		unsigned width = columns(text, len);
		if (!first && at + 1 + width > COLUMNS) {
			fprintf(stream, "\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		if (!first) {
			putc(' ', stream);
			at++;
		}
		put_plain(stream, text, len);
		at += width;
		first = false;
		text += len;
		text += strspn(text, space);
	}
	putc('\n', stream);
}

void output_paragraph(FILE *stream, unsigned indent, const char *text)
{
	fprintf(stream, "%*s", (int)indent, "");
	put_words(stream, indent, indent, text);
}

void output_entry(FILE *stream, unsigned indent, unsigned width, const char *name, const char *text)
{
	unsigned len = columns(name, strlen(name));
	fprintf(stream, "%*s", (int)indent, "");
	output_plain(stream, name);
	if (len + 2 > width)
		fprintf(stream, "\n%*s", (int)(indent + width), "");
	else
		fprintf(stream, "%*s", (int)(width - len), "");
	put_words(stream, indent + width, indent + width, text);
}

json_t *output_json_string(const char *text)
{
	if (text == NULL)
		return json_null();
	json_t *string = json_string(text);
	if (string != NULL)
		return string;
	char *ascii = strdup(text);
	if (ascii == NULL)
		return NULL;
	for (char *c = ascii; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	string = json_string(ascii);
	free(ascii);
	return string;
}

bool output_json(json_t *value)
{
	bool written = value != NULL && json_dumpf(value, stdout, JSON_INDENT(2)) == 0;
	putchar('\n');
	json_decref(value);
	if (!written)
		fputs("vpncore: cannot write JSON: out of memory or stdout is closed\n", stderr);
	return written;
}
