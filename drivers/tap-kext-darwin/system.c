/* SPDX-License-Identifier: BSD-2-Clause */
#include "system.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ops.h"

static bool read_text(const char *name, char *buf, size_t cap)
{
	size_t len = cap - 1;
	memset(buf, 0, cap);
	return darwin_ops.sysctl(name, buf, &len) == 0;
}

/* "14.5.1": the first two numbers; false when there is not even one. */
static bool read_version(const char *text, int *ret_major, int *ret_minor)
{
	char *end = NULL;
	long major = strtol(text, &end, 10), minor = 0;
	if (end == text || major <= 0 || major > 1000)
		return false;
	if (*end == '.')
		minor = strtol(end + 1, NULL, 10);
	*ret_major = (int)major;
	*ret_minor = minor >= 0 && minor <= 1000 ? (int)minor : 0;
	return true;
}

/* macOS of a release of Darwin: 8 is 10.4, 19 is 10.15, 20 is 11, 24 is 15; then the year's numbers,
 * 25 is 26. */
static void from_darwin(int release, struct tap_system *ret)
{
	ret->minor = 0;
	if (release >= 25) {
		ret->major = release + 1;
	} else if (release >= 20) {
		ret->major = release - 9;
	} else if (release >= 5) {
		ret->major = 10;
		ret->minor = release - 4;
	}
}

struct tap_system tap_system_read(void)
{
	struct tap_system s = {0};
	char text[64];
	int32_t arm = 0;
	size_t len = sizeof(arm);
	int release = 0, patch = 0;
	/* kern.osproductversion: since 10.13.4 */
	if ((!read_text("kern.osproductversion", text, sizeof(text)) ||
	     !read_version(text, &s.major, &s.minor)) &&
	    read_text("kern.osrelease", text, sizeof(text)) && read_version(text, &release, &patch))
		from_darwin(release, &s);
	if (s.major == 10 && s.minor == 16) { /* what 11 tells programs of older SDKs */
		s.major = 11;
		s.minor = 0;
	}
	/* also 1 for a program that runs translated */
	s.apple_silicon = darwin_ops.sysctl("hw.optional.arm64", &arm, &len) == 0 && arm == 1;
	return s;
}

bool tap_system_is_at_least(const struct tap_system *s, int major, int minor)
{
	return s->major > major || (s->major == major && s->minor >= minor);
}
