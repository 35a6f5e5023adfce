/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/name.h"

#include <string.h>
#include <strings.h>

const char *dns_name_plain(const char *domain)
{
	return domain[0] == '~' ? domain + 1 : domain;
}

bool dns_name_is_root(const char *domain)
{
	return strcmp(dns_name_plain(domain), ".") == 0;
}

size_t dns_name_len(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && name[n - 1] == '.' ? n - 1 : n;
}

bool dns_name_equal(const char *a, const char *b)
{
	a = dns_name_plain(a);
	b = dns_name_plain(b);
	size_t n = dns_name_len(a);
	return n == dns_name_len(b) && strncasecmp(a, b, n) == 0;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static const char *label_wrong(const char *label, size_t len)
{
	if (len == 0)
		return "has two dots in a row, or begins with one";
	if (len > DNS_LABEL_MAX)
		return "has a part of more than 63 characters between its dots";
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)label[i] >= 0x80)
			return "has other letters than those of DNS: write it in its ASCII form, "
			       "\"xn--...\"";
		if (!is_letter(label[i]) && label[i] != '-' && label[i] != '_')
			return "is no domain name: that has letters, digits, '-', '_' and dots";
	}
	if (label[0] == '-' || label[len - 1] == '-')
		return "has a part that begins or ends with '-'";
	return NULL;
}

const char *dns_name_wrong(const char *name, bool root)
{
	size_t n = dns_name_len(name);
	if (strcmp(name, ".") == 0 && root)
		return NULL;
	if (name[0] == '\0' || strcmp(name, ".") == 0)
		return "is no domain name";
	if (n > DNS_NAME_MAX)
		return "is longer than a domain name may be, 253 characters";
	for (size_t at = 0; at <= n;) {
		const char *dot = memchr(name + at, '.', n - at);
		size_t len = dot != NULL ? (size_t)(dot - name) - at : n - at;
		const char *wrong = label_wrong(name + at, len);
		if (wrong != NULL)
			return wrong;
		at += len + 1;
	}
	return NULL;
}
