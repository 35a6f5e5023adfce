/* SPDX-License-Identifier: BSD-2-Clause */
#include "trim.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAPPINGS_MAX 128u /* three of each library; what is beyond stays */

/* One mapping of /proc/self/smaps, proc(5). */
struct mapping {
	uintptr_t begin, end;
	bool clean; /* of a file, and not writable */
};

/* "55d0c0a00000-55d0c0a26000 r-xp 00002000 fd:00 1234   /usr/bin/x". False: the line does not begin
 * a mapping, and *m is as it was. */
static bool read_head(const char *line, struct mapping *m)
{
	char *dash, *mode;
	uintptr_t begin = strtoul(line, &dash, 16);
	if (*dash != '-' || dash == line)
		return false;
	uintptr_t end = strtoul(dash + 1, &mode, 16);
	if (*mode != ' ')
		return false;
	mode++;
	m->begin = begin;
	m->end = end;
	m->clean = (strncmp(mode, "r-xp ", 5) == 0 || strncmp(mode, "r--p ", 5) == 0) &&
		   strchr(mode, '/') != NULL;
	return true;
}

/* "Anonymous:           8 kB": what was written to. */
static bool reads_anonymous(const char *line, unsigned long *ret_kib)
{
	static const char name[] = "Anonymous:";
	char *end;
	if (strncmp(line, name, sizeof(name) - 1) != 0)
		return false;
	*ret_kib = strtoul(line + sizeof(name) - 1, &end, 10);
	return end != line + sizeof(name) - 1;
}

/* Fills out[] with up to max ranges that can be dropped; returns how many. */
static size_t find_clean(FILE *smaps, struct mapping *out, size_t max)
{
	struct mapping m = {0};
	char line[512];
	unsigned long kib;
	size_t n = 0;
	while (n < max && fgets(line, sizeof(line), smaps) != NULL) {
		if (read_head(line, &m) || !reads_anonymous(line, &kib))
			continue;
		/* what was written to before it was sealed, by the linker or a debugger, is not the
		 * file's any more and stays */
		if (m.clean && kib == 0)
			out[n++] = m;
		m.clean = false;
	}
	return n;
}

void trim_memory(void)
{
	struct mapping clean[MAPPINGS_MAX];
	malloc_trim(0);
	FILE *smaps = fopen("/proc/self/smaps", "re");
	if (smaps == NULL)
		return;
	size_t n = find_clean(smaps, clean, MAPPINGS_MAX);
	fclose(smaps);
	/* It leaves this process; it is in the page cache. Last of all, so that what has found it does
	 * not come back by itself. */
	for (size_t i = 0; i < n; i++)
		(void)madvise((void *)clean[i].begin, clean[i].end - clean[i].begin, MADV_DONTNEED);
}
