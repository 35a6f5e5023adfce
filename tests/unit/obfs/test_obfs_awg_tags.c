/* SPDX-License-Identifier: BSD-2-Clause */
/* test_obfs_awg_tags: the datagrams i1 to i5. */
#include "obfs_world.h"

#include <ctype.h>
#include <stdlib.h>

#include "awg_options.h"
#include "awg_tags.h"

static struct world w;
static struct obfs_random r;

static int set_up(void **state)
{
	(void)state;
	world_init(&w, OBFS_SALAMANDER);
	assert_non_null(world_start(&w, 0));
	obfs_random_init(&r, testhost_services(w.stage[0]));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static uint8_t *make(const char *text, uint32_t len)
{
	assert_int_equal(awg_tags_measure(text, NULL), len);
	uint8_t *out = malloc(len); /* exactly: a sanitizer sees a byte too many */
	assert_non_null(out);
	awg_tags_write(text, &r, 0x65432101, out);
	return out;
}

static void writes_bytes_and_time(void **state)
{
	static const uint8_t expected[] = {0x01, 0xff, 0x65, 0x43, 0x21, 0x01, 0xab, 0xcd};
	(void)state;
	uint8_t *out = make("<b 0x01ff><t> <b ABcd>", sizeof(expected));
	assert_memory_equal(out, expected, sizeof(expected));
	free(out);
	out = make(" <b\t0x01ff ><t>\t< b 0xabcd>  ", sizeof(expected));
	assert_memory_equal(out, expected, sizeof(expected));
	free(out);
}

static void digits_and_letters_are_what_they_say(void **state)
{
	bool seen[256] = {false};
	(void)state;
	uint8_t *out = make("<rd 3000><rc 9000>", 12000);
	for (uint32_t i = 0; i < 12000; i++) {
		assert_true(i < 3000 ? isdigit(out[i]) : isalpha(out[i]));
		seen[out[i]] = true;
	}
	for (int c = 0; c < 256; c++)
		assert_int_equal(seen[c], c < 128 && isalnum(c));
	free(out);
}

static void random_bytes_are_new_each_time(void **state)
{
	bool seen[256] = {false};
	(void)state;
	uint8_t *a = make("<r 9000>", 9000), *b = make("<r 9000>", 9000);
	assert_memory_not_equal(a, b, 9000);
	for (uint32_t i = 0; i < 9000; i++)
		seen[a[i]] = true;
	for (int c = 0; c < 256; c++)
		assert_true(seen[c]);
	free(a);
	free(b);
}

static void takes_the_longest_datagram_and_no_longer(void **state)
{
	struct awg_tags_fault fault;
	(void)state;
	free(make("<r 65507>", AWG_PAYLOAD_MOST));
	assert_int_equal(awg_tags_measure("<r 65506><t>", &fault), 0);
	assert_string_equal(fault.why, "no datagram has so many bytes");
	assert_int_equal(fault.at, 9);
}

static void refuses_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		uint32_t at;
		const char *why;
	} bad[] = {
		{"", 0, "no tag stands here"},
		{"  ", 2, "no tag stands here"},
		{"0102", 0, "only tags stand here"},
		{"<t>x<t>", 3, "only tags stand here"},
		{"<t", 0, "this tag has no end"},
		{"<t><b 0x01", 3, "this tag has no end"},
		{"<t><r 5<t>", 3, "a tag has a name and one value"},
		{"<r 5 6>", 0, "a tag has a name and one value"},
		{"<>", 0, "this tag has no name"},
		{"<c>", 0, "there are the tags"},
		{"<B 0x00>", 0, "there are the tags"},
		{"<rx 5>", 0, "there are the tags"},
		{"<d>", 0, "there are the tags"},
		{"<t 5>", 0, "<t> takes nothing"},
		{"<b>", 0, "<b> takes two"},
		{"<b 0x>", 0, "<b> takes two"},
		{"<b 0x123>", 0, "<b> takes two"},
		{"<b 0xgg>", 0, "<b> takes hexadecimal"},
		{"<r>", 0, "this tag takes a number of bytes, from 1"},
		{"<r 0>", 0, "this tag takes a number of bytes, from 1"},
		{"<r -1>", 0, "this tag takes a number of bytes: "},
		{"<r 0x10>", 0, "this tag takes a number of bytes: "},
		{"<rd 99999999999999999999>", 0, "no datagram has so many bytes"},
		{"<rc 65508>", 0, "no datagram has so many bytes"},
	};
	struct awg_tags_fault fault;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (awg_tags_measure(bad[i].text, &fault) != 0)
			fail_msg("taken: %s", bad[i].text);
		if (fault.at != bad[i].at ||
		    strncmp(fault.why, bad[i].why, strlen(bad[i].why)) != 0)
			fail_msg("%s: %u: %s", bad[i].text, fault.at, fault.why);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(writes_bytes_and_time),
		TEST(digits_and_letters_are_what_they_say),
		TEST(random_bytes_are_new_each_time),
		TEST(takes_the_longest_datagram_and_no_longer),
		TEST(refuses_what_is_wrong),
	};
	TESTHOST_USE_CMOCKA();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
