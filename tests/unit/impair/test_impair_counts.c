/* SPDX-License-Identifier: BSD-2-Clause */
/* The statistics: sums, extremes, quantiles, and that they are JSON of the fields that --help names. */
#include "counts.h"

#include <stdlib.h>
#include <string.h>

#include "cases.h"

static void nothing_delivered_is_all_zero(void **state)
{
	struct counts c;
	(void)state;
	counts_init(&c);
	assert_true(counts_late_quantile(&c, 0.99) == 0);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	assert_non_null(out);
	counts_print(&c, 0, out);
	fclose(out);
	assert_non_null(strstr(text, "\"delay_us\": {\"min\": 0.0, \"mean\": 0.0, \"max\": 0.0}"));
	free(text);
}

static void sums_and_extremes_are_exact(void **state)
{
	struct counts c;
	(void)state;
	counts_init(&c);
	counts_deliver(&c, 100, 1000, 2000, 2010);
	counts_deliver(&c, 200, 1000, 4000, 4030);
	assert_true(c.delivered == 2 && c.delivered_bytes == 300);
	assert_true(c.delay_min_ns == 1010 && c.delay_max_ns == 3030 && c.delay_sum_ns == 4040);
	assert_true(c.late_max_ns == 30 && c.late_sum_ns == 40);
}

/* The bucket's end is given: at least the true value, and at most a quarter more. */
static void quantiles_are_near_above(void **state)
{
	(void)state;
	for (uint64_t ns = 0; ns < 1u << 20; ns += 1 + ns / 50) {
		struct counts c;
		counts_init(&c);
		counts_deliver(&c, 1, 0, 0, ns);
		counts_deliver(&c, 1, 0, 0, UINT32_MAX);
		uint64_t found = counts_late_quantile(&c, 0.5);
		assert_true(found >= ns && found <= ns + ns / 4);
	}
}

static void quantiles_are_of_the_share(void **state)
{
	struct counts c;
	(void)state;
	counts_init(&c);
	for (uint64_t i = 1; i <= 100; i++)
		counts_deliver(&c, 1, 0, 0, i * 1000);
	assert_in_range(counts_late_quantile(&c, 0.5), 50000, 62500);
	assert_in_range(counts_late_quantile(&c, 0.99), 99000, 100000);
	assert_true(counts_late_quantile(&c, 1) == 100000);
	assert_in_range(counts_late_quantile(&c, 0), 1000, 1250);
}

static void the_longest_time_has_a_bucket(void **state)
{
	struct counts c;
	(void)state;
	counts_init(&c);
	counts_deliver(&c, 1, 0, 0, UINT64_MAX);
	assert_true(counts_late_quantile(&c, 1) == UINT64_MAX);
}

static void writes_every_reason(void **state)
{
	struct counts c;
	char *text = NULL;
	size_t len;
	(void)state;
	counts_init(&c);
	for (int i = 0; i < COUNTS_LOSSES; i++)
		c.lost[i] = 10u + (uint32_t)i;
	FILE *out = open_memstream(&text, &len);
	assert_non_null(out);
	counts_print(&c, 7, out);
	fclose(out);
	assert_non_null(strstr(text, "\"lost\": {\"random\": 10, \"burst\": 11, \"queue\": 12, "
				     "\"memory\": 13, \"flows\": 14, \"refused\": 15}"));
	assert_non_null(strstr(text, "\"pending\": 7"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_delivered_is_all_zero),
		cmocka_unit_test(sums_and_extremes_are_exact),
		cmocka_unit_test(quantiles_are_near_above),
		cmocka_unit_test(quantiles_are_of_the_share),
		cmocka_unit_test(the_longest_time_has_a_bucket),
		cmocka_unit_test(writes_every_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
