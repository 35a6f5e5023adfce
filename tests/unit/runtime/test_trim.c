/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "present.h"
#include "trim.h"

#define BYTES 262144u

static void drops_pages_of_files_which_read_the_same_again(void **state)
{
	(void)state;
	unsigned char *at = map_file(BYTES, 0);
	assert_true(count_present(at, BYTES) > 0);
	trim_memory();
	assert_int_equal(count_present(at, BYTES), 0);
	for (size_t i = 0; i < BYTES; i++)
		assert_int_equal(at[i], 0x5a);
	trim_memory();
	assert_int_equal(count_present(at, BYTES), 0);
	munmap(at, BYTES);
}

/* As the dynamic linker does it with what it relocates. */
static void keeps_what_was_written_before_it_was_sealed(void **state)
{
	(void)state;
	unsigned char *at = map_file(BYTES, 1);
	at[70000] = 0x77;
	assert_int_equal(mprotect(at, BYTES, PROT_READ), 0);
	trim_memory();
	assert_int_equal(at[70000], 0x77);
	assert_int_equal(at[69999], 0x5a);
	munmap(at, BYTES);
}

static void keeps_what_can_be_written_to(void **state)
{
	(void)state;
	unsigned char *file = map_file(BYTES, 1);
	unsigned char *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	file[1] = 1;
	memory[BYTES - 1] = 2;
	assert_int_equal(mprotect(memory, BYTES, PROT_READ), 0);
	trim_memory();
	assert_int_equal(file[1], 1);
	assert_int_equal(memory[BYTES - 1], 2);
	munmap(file, BYTES);
	munmap(memory, BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drops_pages_of_files_which_read_the_same_again),
		cmocka_unit_test(keeps_what_was_written_before_it_was_sealed),
		cmocka_unit_test(keeps_what_can_be_written_to),
	};
	return cmocka_run_group_tests_name("trim", tests, NULL, NULL);
}
