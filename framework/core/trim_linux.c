/* SPDX-License-Identifier: BSD-2-Clause */
#include "trim.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

struct range {
	uintptr_t begin, end;
};

struct trim {
	size_t n_clean, n;
	unsigned long long adds, subs; /* objects that had been loaded and unloaded */
	struct mapping clean[MAPPINGS_MAX];
	struct range ranges[MAPPINGS_MAX];
};

/* Notes the whole pages of [begin, end) that are in clean mappings. */
static void note(struct trim *t, uintptr_t begin, uintptr_t end)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	begin = (begin + page - 1) / page * page;
	end = end / page * page;
	for (size_t i = 0; i < t->n_clean && t->n < MAPPINGS_MAX; i++) {
		uintptr_t from = t->clean[i].begin > begin ? t->clean[i].begin : begin;
		uintptr_t to = t->clean[i].end < end ? t->clean[i].end : end;
		if (from < to)
			t->ranges[t->n++] = (struct range){from, to};
	}
}

/*
 * What smaps said may be out of date: another thread may be loading a library, whose whole span is mapped
 * read-only at first, and then in part anew, to be written to. An object is only listed when it has been
 * mapped; and of it only what is never written to is noted.
 */
static int note_object(struct dl_phdr_info *object, size_t size, void *ctx)
{
	struct trim *t = ctx;
	(void)size;
	t->adds = object->dlpi_adds;
	t->subs = object->dlpi_subs;
	for (unsigned int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &object->dlpi_phdr[i];
		uintptr_t begin = (uintptr_t)object->dlpi_addr + h->p_vaddr;
		if (h->p_type == PT_LOAD && (h->p_flags & PF_W) == 0)
			note(t, begin, begin + h->p_memsz);
	}
	return 0;
}

/* The list cannot change meanwhile: if it is still that of before, the ranges are what they were. Apart
 * from the noting, which looks into every object and would bring back some of it. */
static int drop_all(struct dl_phdr_info *object, size_t size, void *ctx)
{
	const struct trim *t = ctx;
	(void)size;
	if (object->dlpi_adds == t->adds && object->dlpi_subs == t->subs)
		for (size_t i = 0; i < t->n; i++)
			(void)madvise((void *)t->ranges[i].begin,
				      t->ranges[i].end - t->ranges[i].begin, MADV_DONTNEED);
	return 1;
}

void trim_memory(void)
{
	struct trim t = {0};
	malloc_trim(0);
	FILE *smaps = fopen("/proc/self/smaps", "re");
	if (smaps == NULL)
		return;
	t.n_clean = find_clean(smaps, t.clean, MAPPINGS_MAX);
	fclose(smaps);
	/* It leaves this process; it is in the page cache. */
	(void)dl_iterate_phdr(note_object, &t);
	(void)dl_iterate_phdr(drop_all, &t);
}
