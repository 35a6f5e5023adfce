/* SPDX-License-Identifier: BSD-2-Clause */
#include "trim.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* One mapping of /proc/self/smaps, proc(5). */
struct mapping {
	uintptr_t begin, end;
	bool clean; /* of a file, and not writable */
};

/* False: the line does not begin a mapping, and *m is as it was. */
static bool read_head(const char *line, struct mapping *m)
{
	struct mapping read = {0};
	char mode[8] = "", file[8] = "";
	if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s %*s %*s %*s %7s", &read.begin, &read.end,
		   mode, file) < 3)
		return false;
	read.clean = (strcmp(mode, "r-xp") == 0 || strcmp(mode, "r--p") == 0) && file[0] == '/';
	*m = read;
	return true;
}

void trim_memory(void)
{
	struct mapping m = {0};
	char line[512];
	unsigned long kib;
	malloc_trim(0);
	FILE *smaps = fopen("/proc/self/smaps", "re");
	if (smaps == NULL)
		return;
	while (fgets(line, sizeof(line), smaps) != NULL) {
		if (read_head(line, &m) || sscanf(line, "Anonymous: %lu kB", &kib) != 1)
			continue;
		/* what was written to before it was sealed, by the linker or a debugger, is not the
		 * file's any more and stays. The rest leaves this process; it is in the page cache */
		if (m.clean && kib == 0)
			(void)madvise((void *)m.begin, m.end - m.begin, MADV_DONTNEED);
		m.clean = false;
	}
	fclose(smaps);
}
