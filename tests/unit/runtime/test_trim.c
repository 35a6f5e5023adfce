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

static void drops_pages_of_constants_which_read_the_same_again(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		const unsigned char *at = use_constants();
		assert_true(count_present(at, PRESENT_BYTES) > 0);
		trim_memory();
		assert_int_equal(count_present(at, PRESENT_BYTES), 0);
	}
	(void)use_constants();
}

/* Somebody may be about to write there: a file that is mapped read-only need not stay so. */
static void keeps_what_no_loaded_object_has_mapped(void **state)
{
	(void)state;
	unsigned char *at = map_file(BYTES);
	assert_int_equal(mprotect(at, BYTES, PROT_READ), 0);
	int before = count_present(at, BYTES);
	trim_memory();
	assert_int_equal(count_present(at, BYTES), before);
	munmap(at, BYTES);
}

/* As the dynamic linker does it with what it relocates. */
static void keeps_what_was_written_before_it_was_sealed(void **state)
{
	(void)state;
	unsigned char *at = map_file(BYTES);
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
	unsigned char *file = map_file(BYTES);
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
		cmocka_unit_test(drops_pages_of_constants_which_read_the_same_again),
		cmocka_unit_test(keeps_what_no_loaded_object_has_mapped),
		cmocka_unit_test(keeps_what_was_written_before_it_was_sealed),
		cmocka_unit_test(keeps_what_can_be_written_to),
	};
	return cmocka_run_group_tests_name("trim", tests, NULL, NULL);
}
