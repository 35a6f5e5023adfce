/* SPDX-License-Identifier: BSD-2-Clause */
/* Amounts and addresses, and what is none. */
#include "quantity.h"

#include <arpa/inet.h>
#include <string.h>

#include "cases.h"

static void refuses_what_is_no_share(void **state)
{
	static const char *const bad[] = {
		"",     "5",    "%",      "5 %",
		"-1%",  "+1%",  "100.1%", "1e1%",
		"nan%", "inf%", "0x1%",   "1.2.3%",
		"5%%",  " 5%",  "5%x",    "11111111111111111111111111111111111%"};
	double share = -1;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(quantity_share(bad[i], &share));
	assert_true(share == -1);
}

static void reads_shares(void **state)
{
	double share;
	(void)state;
	assert_true(quantity_share("0%", &share) && share == 0);
	assert_true(quantity_share("100%", &share) && share == 1);
	assert_true(quantity_share("0.1%", &share) && share > 0.000999 && share < 0.001001);
	assert_true(quantity_share(".5%", &share) && share == 0.005);
}

static void refuses_what_is_no_time(void **state)
{
	static const char *const bad[] = {"",    "1",  "ms", "-1ms",  "1 ms",
					  "1MS", "1m", "1h", "3601s", "1e3ms"};
	uint64_t t = 77;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(quantity_time(bad[i], &t));
	assert_true(t == 77);
}

static void reads_times(void **state)
{
	uint64_t t;
	(void)state;
	assert_true(quantity_time("0", &t) && t == 0);
	assert_true(quantity_time("0ms", &t) && t == 0);
	assert_true(quantity_time("7ns", &t) && t == 7);
	assert_true(quantity_time("2.5us", &t) && t == 2500);
	assert_true(quantity_time("30ms", &t) && t == 30000000);
	assert_true(quantity_time("3600s", &t) && t == 3600000000000u);
}

static void reads_rates(void **state)
{
	uint64_t r;
	(void)state;
	assert_true(quantity_rate("9600bit", &r) && r == 9600);
	assert_true(quantity_rate("64kbit", &r) && r == 64000);
	assert_true(quantity_rate("2.5mbit", &r) && r == 2500000);
	assert_true(quantity_rate("1gbit", &r) && r == 1000000000);
	assert_true(quantity_rate("1000gbit", &r) && r == 1000000000000u);
	assert_false(quantity_rate("1001gbit", &r));
	assert_false(quantity_rate("0bit", &r));
	assert_false(quantity_rate("0.4bit", &r));
	assert_false(quantity_rate("100Mbit", &r));
	assert_false(quantity_rate("100", &r));
}

static void reads_sizes(void **state)
{
	uint64_t n;
	(void)state;
	assert_true(quantity_bytes("1500B", &n) && n == 1500);
	assert_true(quantity_bytes("64kB", &n) && n == 64000);
	assert_true(quantity_bytes("64KiB", &n) && n == 65536);
	assert_true(quantity_bytes("1.5MiB", &n) && n == 1572864);
	assert_true(quantity_bytes("64GiB", &n) && n == 1ull << 36);
	assert_false(quantity_bytes("65GiB", &n));
	assert_false(quantity_bytes("64", &n));
	assert_false(quantity_bytes("64kb", &n));
}

static void reads_numbers_within_limits(void **state)
{
	uint64_t n;
	(void)state;
	assert_true(quantity_number("0", 0, 9, &n) && n == 0);
	assert_true(quantity_number("18446744073709551615", 0, UINT64_MAX, &n) && n == UINT64_MAX);
	assert_false(quantity_number("18446744073709551616", 0, UINT64_MAX, &n));
	assert_false(quantity_number("10", 0, 9, &n));
	assert_false(quantity_number("0", 1, 9, &n));
	assert_false(quantity_number("", 0, 9, &n));
	assert_false(quantity_number("-1", 0, 9, &n));
	assert_false(quantity_number("1 ", 0, 9, &n));
	assert_false(quantity_number("0x1", 0, 9, &n));
}

static void refuses_what_is_no_endpoint(void **state)
{
	static const char *const bad[] = {"",
					  ":1",
					  "192.0.2.1",
					  "192.0.2.1:",
					  "192.0.2.1:65536",
					  "192.0.2.1:-1",
					  "192.0.2.256:1",
					  "host:1",
					  "::1:1",
					  "[::1]",
					  "[::1]:",
					  "[::1:1",
					  "[]:1",
					  "[192.0.2.1]:1",
					  "[::1%nosuchdevice]:1"};
	union endpoint e;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(quantity_endpoint(bad[i], &e));
}

static void reads_endpoints_and_writes_them_again(void **state)
{
	static const char *const good[] = {"192.0.2.1:7000", "0.0.0.0:0", "[2001:db8::1]:65535",
					   "[::]:1"};
	char text[QUANTITY_TEXT];
	union endpoint e;
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(quantity_endpoint(good[i], &e));
		assert_string_equal(quantity_endpoint_text(&e, text), good[i]);
	}
	assert_true(quantity_endpoint("[fe80::1%lo]:7", &e));
	assert_true(e.v6.sin6_scope_id != 0 && ntohs(e.v6.sin6_port) == 7);
	assert_int_equal(quantity_name_len(&e), sizeof(e.v6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_share),
		cmocka_unit_test(reads_shares),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(reads_times),
		cmocka_unit_test(reads_rates),
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(reads_numbers_within_limits),
		cmocka_unit_test(refuses_what_is_no_endpoint),
		cmocka_unit_test(reads_endpoints_and_writes_them_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
