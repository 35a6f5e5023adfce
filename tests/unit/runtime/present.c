/* SPDX-License-Identifier: BSD-2-Clause */
#include "present.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* C has no short way to say it. */
__asm__(".pushsection .rodata\n"
	".balign 65536\n"
	"present_constants: .fill 262144, 1, 0x5a\n"
	".popsection\n");
extern const unsigned char present_constants[PRESENT_BYTES];

#define PRESENT (UINT64_C(1) << 63) /* Documentation/admin-guide/mm/pagemap.rst */

int count_present(const void *at, size_t bytes)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t first = ((uintptr_t)at + page - 1) / page, end = ((uintptr_t)at + bytes) / page;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int n = 0;
	assert_true(fd >= 0);
	assert_true(first < end);
	for (uintptr_t i = first; i < end; i++) {
		uint64_t entry;
		assert_int_equal(pread(fd, &entry, sizeof(entry), (off_t)(i * sizeof(entry))),
				 sizeof(entry));
		n += (entry & PRESENT) != 0;
	}
	close(fd);
	return n;
}

unsigned char *map_file(size_t bytes)
{
	char name[] = "/tmp/vpncore-test-XXXXXX";
	unsigned char *content = malloc(bytes);
	int fd = mkstemp(name);
	assert_non_null(content);
	assert_true(fd >= 0);
	unlink(name);
	memset(content, 0x5a, bytes);
	assert_int_equal(write(fd, content, bytes), bytes);
	unsigned char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	assert_true(at != MAP_FAILED);
	close(fd);
	assert_memory_equal(at, content, bytes); /* which brings all of it in */
	free(content);
	return at;
}

const unsigned char *use_constants(void)
{
	for (size_t i = 0; i < PRESENT_BYTES; i++)
		assert_int_equal(present_constants[i], 0x5a);
	return present_constants;
}
