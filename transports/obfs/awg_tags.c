/* SPDX-License-Identifier: BSD-2-Clause */
#include "awg_tags.h"

#include <string.h>

#include "awg_options.h"

enum tag_kind { BYTES, RANDOM, LETTERS, DIGITS, TIME };

struct tag {
	enum tag_kind kind;
	uint32_t len;    /* bytes that it makes */
	const char *hex; /* BYTES: 2 * len digits */
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *skip_spaces(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* The length of a word: up to a space, '<', '>' or the end. */
static uint32_t word_length(const char *at)
{
	return (uint32_t)strcspn(at, " \t<>");
}

static const char *parse_bytes(const char *value, uint32_t len, struct tag *ret)
{
	if (len >= 2 && value[0] == '0' && (value[1] == 'x' || value[1] == 'X')) {
		value += 2;
		len -= 2;
	}
	for (uint32_t i = 0; i < len; i++)
		if (hex_value(value[i]) < 0)
			return "<b> takes hexadecimal digits: <b 0x01ff>";
	if (len == 0 || len % 2 != 0)
		return "<b> takes two hexadecimal digits for each byte: <b 0x01ff>";
	ret->hex = value;
	ret->len = len / 2;
	return NULL;
}

static const char *parse_count(const char *value, uint32_t len, struct tag *ret)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return "this tag takes a number of bytes: <r 20>";
		n = n * 10 + (uint32_t)(value[i] - '0');
		if (n > AWG_PAYLOAD_MOST)
			return "no datagram has so many bytes";
	}
	if (n == 0)
		return "this tag takes a number of bytes, from 1: <r 20>";
	ret->len = n;
	return NULL;
}

static const char *parse_tag(const char *name, uint32_t name_len, const char *value,
			     uint32_t value_len, struct tag *ret)
{
	static const struct {
		const char *name;
		enum tag_kind kind;
	} names[] = {{"b", BYTES}, {"r", RANDOM}, {"rc", LETTERS}, {"rd", DIGITS}, {"t", TIME}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i].name) != name_len || memcmp(names[i].name, name, name_len) != 0)
			continue;
		*ret = (struct tag){.kind = names[i].kind};
		if (ret->kind == BYTES)
			return parse_bytes(value, value_len, ret);
		if (ret->kind != TIME)
			return parse_count(value, value_len, ret);
		ret->len = 4;
		return value_len == 0 ? NULL : "<t> takes nothing";
	}
	return name_len == 0 ? "this tag has no name: <b 0x01ff>, <r 20>, <rc 20>, <rd 20> or <t>"
			     : "there are the tags <b 0x01ff>, <r 20>, <rc 20>, <rd 20> and <t>";
}

/* Takes the next tag off *at. False at the end, and where it is wrong: then *why is set. */
static bool next(const char **at, struct tag *ret, const char **why)
{
	const char *name = skip_spaces(*at);
	*why = NULL;
	*at = name;
	if (*name == '\0')
		return false;
	if (*name != '<') {
		*why = "only tags stand here: <b 0x01ff>, <r 20>, <rc 20>, <rd 20> and <t>";
		return false;
	}
	name = skip_spaces(name + 1);
	uint32_t name_len = word_length(name);
	const char *value = skip_spaces(name + name_len);
	uint32_t value_len = word_length(value);
	const char *end = skip_spaces(value + value_len);
	if (*end != '>')
		*why = *end == '\0' ? "this tag has no end: '>' is missing"
				    : "a tag has a name and one value: <r 20>";
	else
		*why = parse_tag(name, name_len, value, value_len, ret);
	if (*why != NULL)
		return false;
	*at = end + 1;
	return true;
}

uint32_t awg_tags_measure(const char *text, struct awg_tags_fault *fault)
{
	const char *at = text, *begin = text, *why;
	struct tag tag;
	uint32_t len = 0;
	while (next(&at, &tag, &why)) {
		len += tag.len;
		if (len > AWG_PAYLOAD_MOST) {
			why = "no datagram has so many bytes";
			break;
		}
		begin = at;
	}
	if (why == NULL && len == 0)
		why = "no tag stands here: <b 0x01ff>, <r 20>, <rc 20>, <rd 20> or <t>";
	if (why == NULL)
		return len;
	if (fault != NULL)
		*fault = (struct awg_tags_fault){(uint32_t)(skip_spaces(begin) - text), why};
	return 0;
}

static void write_bytes(const struct tag *tag, uint8_t *out)
{
	/* parse_bytes() has seen that they are digits */
	for (uint32_t i = 0; i < tag->len; i++)
		out[i] = (uint8_t)((unsigned int)hex_value(tag->hex[2 * i]) << 4 |
				   (unsigned int)hex_value(tag->hex[2 * i + 1]));
}

static void write_choice(struct obfs_random *r, const char *choice, uint32_t len, uint8_t *out)
{
	uint32_t n = (uint32_t)strlen(choice);
	for (uint32_t i = 0; i < len; i++)
		out[i] = (uint8_t)choice[obfs_random_below(r, n)];
}

void awg_tags_write(const char *text, struct obfs_random *r, uint64_t unix_seconds, uint8_t *out)
{
	const char *why;
	struct tag tag;
	while (next(&text, &tag, &why)) {
		switch (tag.kind) {
		case BYTES:
			write_bytes(&tag, out);
			break;
		case RANDOM:
			obfs_random_fill(r, out, tag.len);
			break;
		case LETTERS:
			write_choice(r, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
				     tag.len, out);
			break;
		case DIGITS:
			write_choice(r, "0123456789", tag.len, out);
			break;
		case TIME:
			for (uint32_t i = 0; i < 4; i++)
				out[i] = (uint8_t)(unix_seconds >> (24 - 8 * i));
			break;
		}
		out += tag.len;
	}
}
