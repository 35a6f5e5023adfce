/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <stdio.h>
#include <string.h>

size_t dns_file_text(const struct dns_file_options *o, const char *pipeline,
		     char buf[DNS_FILE_TEXT_MAX])
{
	size_t at = (size_t)snprintf(
		buf, DNS_FILE_TEXT_MAX,
		DNS_FILE_MARKER "%.64s, for as long as it runs: what stood here before comes "
				"back then.\n"
				"# Changes are undone, and kept for that time: see vpncore(1), "
				"\"cleanup\".\n",
		pipeline);
	at += dns_resolv_format(&o->common, DNS_RESOLV_SERVERS_MAX, buf + at);
	for (uint32_t i = 0; i < o->options.count && i < DNS_FILE_WORDS_MAX; i++)
		at += (size_t)snprintf(buf + at, DNS_FILE_TEXT_MAX - at, "%s%.*s",
				       i == 0 ? "options " : " ", (int)DNS_FILE_WORD_MAX,
				       dns_options_name(&o->options, i));
	if (o->options.count > 0)
		at += (size_t)snprintf(buf + at, DNS_FILE_TEXT_MAX - at, "\n");
	return at;
}

void dns_file_text_owner(const char *text, size_t len, char name[65])
{
	const size_t marker = sizeof(DNS_FILE_MARKER) - 1;
	size_t n = 0;
	name[0] = '\0';
	if (len <= marker || memcmp(text, DNS_FILE_MARKER, marker) != 0)
		return;
	while (n < 64 && marker + n < len && strchr(", \n", text[marker + n]) == NULL) {
		name[n] = text[marker + n];
		n++;
	}
	name[n] = '\0';
}
