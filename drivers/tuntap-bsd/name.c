/* SPDX-License-Identifier: BSD-2-Clause */
#include "name.h"

#include <stdio.h>
#include <string.h>

/* The number behind the word, or BSD_UNIT_NONE: "tun03" and "tun" have none. */
static uint32_t unit_of(const char *digits)
{
	uint32_t unit = 0;
	if (digits[0] == '\0' || (digits[0] == '0' && digits[1] != '\0'))
		return BSD_UNIT_NONE;
	for (const char *c = digits; *c != '\0'; c++) {
		if (*c < '0' || *c > '9')
			return BSD_UNIT_NONE;
		unit = unit * 10 + (uint32_t)(*c - '0');
		if (unit > BSD_UNIT_MAX)
			return BSD_UNIT_NONE;
	}
	return unit;
}

struct bsd_name bsd_name_parse(const char *name, const char *word)
{
	struct bsd_name n = {.kind = BSD_NAME_ANY, .unit = BSD_UNIT_NONE};
	size_t word_len = strlen(word);
	if (name == NULL || name[0] == '\0')
		return n;
	if (strncmp(name, word, word_len) == 0) {
		if (strcmp(name + word_len, "%d") == 0)
			return n;
		n.unit = unit_of(name + word_len);
		if (n.unit != BSD_UNIT_NONE) {
			n.kind = BSD_NAME_NUMBERED;
			return n;
		}
	}
	const char *percent = strchr(name, '%');
	size_t len = percent != NULL ? (size_t)(percent - name) : strlen(name);
	n.kind = percent != NULL ? BSD_NAME_PATTERN : BSD_NAME_GIVEN;
	memcpy(n.text, name, len < BSD_IFNAMSIZ ? len : BSD_IFNAMSIZ - 1);
	return n;
}

void bsd_name_make(char out[BSD_IFNAMSIZ], const char *word, uint32_t unit)
{
	if (unit == BSD_UNIT_NONE)
		snprintf(out, BSD_IFNAMSIZ, "%.10s", word);
	else
		snprintf(out, BSD_IFNAMSIZ, "%.10s%u", word, unit & 0xffffu);
}
