/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge.h"

#include <string.h>

#include "common/fault.h"
#include "common/fit.h"

/* It can be set, but most programs do not ask it. */
#define FIT_NOT_ASKED 10u

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The services of one line, behind the colon. */
static bool resolve_comes_first(const char *at, const char *end)
{
	static const char resolve[] = "resolve", dns[] = "dns";
	while (at < end) {
		const char *word = at;
		if (*at == '[') { /* an action on the result of the word before */
			while (at < end && *at != ']')
				at++;
			at++;
			continue;
		}
		while (at < end && !is_blank(*at) && *at != '[')
			at++;
		size_t len = (size_t)(at - word);
		if (len == sizeof(resolve) - 1 && memcmp(word, resolve, len) == 0)
			return true;
		if (len == sizeof(dns) - 1 && memcmp(word, dns, len) == 0)
			return false;
		if (len == 0)
			at++;
	}
	return false;
}

bool resolved_judge_nss(const char *text, size_t len)
{
	static const char key[] = "hosts";
	const char *end = text + len;
	bool first = false;
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		const char *next = eol != NULL ? eol + 1 : end;
		const char *stop = eol != NULL ? eol : end;
		const char *hash = memchr(text, '#', (size_t)(stop - text));
		stop = hash != NULL ? hash : stop;
		while (text < stop && is_blank(*text))
			text++;
		size_t left = (size_t)(stop - text);
		if (left > sizeof(key) - 1 && memcmp(text, key, sizeof(key) - 1) == 0) {
			text += sizeof(key) - 1;
			while (text < stop && is_blank(*text))
				text++;
			if (text < stop && *text == ':') /* of several lines glibc takes the last */
				first = resolve_comes_first(text + 1, stop);
		}
		text = next;
	}
	return first;
}

static uint32_t say(struct vpn_error *why, uint32_t fit, const char *text)
{
	(void)dns_fault(why, VPN_OK, 0, NULL, "%s", text);
	return fit;
}

uint32_t resolved_judge(const struct resolved_signs *s, struct vpn_error *why)
{
	if (!s->has_bus)
		return say(why, DNS_FIT_NONE, "there is no system bus to ask systemd-resolved by");
	if (!s->runs && !s->activatable)
		return say(why, DNS_FIT_NONE, "systemd-resolved does not run");
	if (s->elsewhere)
		return say(why, DNS_FIT_NONE, "systemd-resolved runs in another network namespace");
	if (s->stub)
		return say(why, DNS_FIT_IN_CHARGE,
			   s->runs ? "systemd-resolved runs, and /etc/resolv.conf names it alone"
				   : "/etc/resolv.conf names systemd-resolved alone, which is "
				     "started when it is called");
	if (!s->runs)
		return say(why, DNS_FIT_NONE,
			   "systemd-resolved does not run, and /etc/resolv.conf does not name it");
	if (s->nss)
		return say(why, DNS_FIT_IN_CHARGE,
			   "systemd-resolved runs, and /etc/nsswitch.conf has \"resolve\" before "
			   "\"dns\"");
	return say(
		why, FIT_NOT_ASKED,
		"systemd-resolved runs, but nobody asks it: /etc/nsswitch.conf has no \"resolve\" "
		"before \"dns\", and /etc/resolv.conf names other servers");
}
