/* SPDX-License-Identifier: BSD-2-Clause */
#include "quantity.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	double factor;
};

static const struct unit times[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {NULL, 0}};
static const struct unit rates[] = {
	{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {NULL, 0}};
static const struct unit sizes[] = {{"B", 1},
				    {"kB", 1e3},
				    {"MB", 1e6},
				    {"GB", 1e9},
				    {"KiB", 1024},
				    {"MiB", 1024. * 1024},
				    {"GiB", 1024. * 1024 * 1024},
				    {NULL, 0}};

/* Digits, at most one point, then something else: no sign, no exponent, no infinity. */
static bool leading_number(const char *text, double *ret, const char **ret_rest)
{
	size_t n = strspn(text, "0123456789.");
	char copy[32], *end;
	if (n == 0 || n >= sizeof(copy))
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	*ret = strtod(copy, &end);
	*ret_rest = text + n;
	return *end == '\0';
}

static bool with_unit(const char *text, const struct unit *units, double max, uint64_t *ret)
{
	const char *rest;
	double n;
	if (!leading_number(text, &n, &rest))
		return false;
	for (const struct unit *u = units; u->name != NULL; u++) {
		if (strcmp(u->name, rest) != 0)
			continue;
		if (n * u->factor > max)
			return false;
		*ret = (uint64_t)(n * u->factor + 0.5);
		return true;
	}
	return false;
}

bool quantity_share(const char *text, double *ret)
{
	const char *rest;
	double n;
	if (!leading_number(text, &n, &rest) || strcmp(rest, "%") != 0 || n > 100)
		return false;
	*ret = n / 100;
	return true;
}

bool quantity_time(const char *text, uint64_t *ret_ns)
{
	if (strcmp(text, "0") == 0) {
		*ret_ns = 0;
		return true;
	}
	return with_unit(text, times, 3600e9, ret_ns);
}

bool quantity_rate(const char *text, uint64_t *ret)
{
	return with_unit(text, rates, 1e12, ret) && *ret > 0;
}

bool quantity_bytes(const char *text, uint64_t *ret)
{
	return with_unit(text, sizes, 64. * 1024 * 1024 * 1024, ret);
}

bool quantity_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	char *end;
	if (strspn(text, "0123456789") != strlen(text) || *text == '\0')
		return false;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	if (errno != 0 || n < min || n > max)
		return false;
	*ret = n;
	return true;
}

static bool read_v6(char *host, uint16_t port, union endpoint *ret)
{
	char *zone = strchr(host, '%');
	if (zone != NULL) {
		*zone++ = '\0';
		ret->v6.sin6_scope_id = if_nametoindex(zone);
		if (ret->v6.sin6_scope_id == 0)
			return false;
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(port);
	return inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1;
}

bool quantity_endpoint(const char *text, union endpoint *ret)
{
	char host[QUANTITY_TEXT];
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	uint64_t port;
	if (len == 0 || len >= sizeof(host) || !quantity_number(colon + 1, 0, UINT16_MAX, &port))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	memset(ret, 0, sizeof(*ret));
	if (host[0] == '[') {
		if (host[len - 1] != ']')
			return false;
		host[len - 1] = '\0';
		return read_v6(host + 1, (uint16_t)port, ret);
	}
	ret->v4.sin_family = AF_INET;
	ret->v4.sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1;
}

socklen_t quantity_name_len(const union endpoint *e)
{
	return e->any.sa_family == AF_INET6 ? sizeof(e->v6) : sizeof(e->v4);
}

const char *quantity_endpoint_text(const union endpoint *e, char text[QUANTITY_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?";
	if (e->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &e->v6.sin6_addr, host, sizeof(host));
		snprintf(text, QUANTITY_TEXT, "[%s]:%u", host, ntohs(e->v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &e->v4.sin_addr, host, sizeof(host));
		snprintf(text, QUANTITY_TEXT, "%s:%u", host, ntohs(e->v4.sin_port));
	}
	return text;
}
