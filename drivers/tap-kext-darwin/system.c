/* SPDX-License-Identifier: BSD-2-Clause */
#include "system.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ops.h"

static bool read_text(const char *name, char *buf, size_t cap)
{
	size_t len = cap - 1;
	memset(buf, 0, cap);
	return darwin_ops.sysctl(name, buf, &len) == 0;
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
	int release = 0;
	/* kern.osproductversion: since 10.13.4 */
	if (!read_text("kern.osproductversion", text, sizeof(text)) ||
	    sscanf(text, "%d.%d", &s.major, &s.minor) < 1) {
		s.major = s.minor = 0;
		if (read_text("kern.osrelease", text, sizeof(text)) &&
		    sscanf(text, "%d", &release) == 1)
			from_darwin(release, &s);
	}
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
