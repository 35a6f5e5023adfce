/* SPDX-License-Identifier: BSD-2-Clause */
/* The address pool. */
#include "support.h"

static struct tcpip_pool *make(const char *text)
{
	struct tcpip_prefix p;
	struct tcpip_pool *pool = NULL;

	assert_int_equal(tcpip_prefix_parse(text, &p), TCPIP_OK);
	assert_int_equal(tcpip_pool_create(&p, &pool), TCPIP_OK);
	assert_non_null(pool);
	return pool;
}

static void assert_next(struct tcpip_pool *pool, const char *want)
{
	uint8_t addr[16] = {0};
	char text[TCPIP_ADDR_TEXT_MAX];

	assert_int_equal(tcpip_pool_next(pool, addr), TCPIP_OK);
	tcpip_addr_format(strchr(want, ':') ? 6 : 4, addr, text, sizeof(text));
	assert_string_equal(text, want);
}

static int reserve(struct tcpip_pool *pool, const char *text)
{
	uint8_t addr[16];

	assert_true(tcpip_addr_parse(text, addr) > 0);
	return tcpip_pool_reserve(pool, addr);
}

static int release(struct tcpip_pool *pool, const char *text)
{
	uint8_t addr[16];

	assert_true(tcpip_addr_parse(text, addr) > 0);
	return tcpip_pool_release(pool, addr);
}

static void a_24_gives_254_hosts_and_then_is_full(void **state)
{
	struct tcpip_pool *pool = make("192.168.77.5/24");
	uint8_t addr[16];

	(void)state;
	assert_int_equal(tcpip_pool_size(pool), 254);
	for (uint8_t i = 1; i <= 254; i++) {
		assert_int_equal(tcpip_pool_next(pool, addr), TCPIP_OK);
		assert_memory_equal(addr, ((uint8_t[]){192, 168, 77, i}), 4);
	}
	assert_int_equal(tcpip_pool_next(pool, addr), TCPIP_EFULL);
	assert_int_equal(tcpip_pool_available(pool), 0);
	tcpip_pool_free(pool);
}

static void sizes_follow_the_prefix(void **state)
{
	static const struct {
		const char *prefix, *first;
		uint32_t size;
	} cases[] = {
		{"10.0.0.0/30", "10.0.0.1", 2},    {"10.0.0.0/31", "10.0.0.0", 2},
		{"10.0.0.9/32", "10.0.0.9", 1},    {"10.1.0.0/16", "10.1.0.1", 65534},
		{"10.0.0.0/8", "10.0.0.1", 65536}, {"0.0.0.0/0", "0.0.0.1", 65536},
		{"fd00::/126", "fd00::1", 3},      {"fd00::/127", "fd00::", 2},
		{"fd00::9/128", "fd00::9", 1},     {"fd00::/112", "fd00::1", 65535},
		{"fd00::/64", "fd00::1", 65536},   {"::/0", "::1", 65536},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct tcpip_pool *pool = make(cases[i].prefix);

		assert_int_equal(tcpip_pool_size(pool), cases[i].size);
		assert_int_equal(tcpip_pool_available(pool), cases[i].size);
		assert_next(pool, cases[i].first);
		tcpip_pool_free(pool);
	}
}

static void a_capped_pool_gives_all_its_addresses(void **state)
{
	struct tcpip_pool *pool = make("10.0.0.0/8");
	uint8_t addr[16];

	(void)state;
	for (uint32_t i = 1; i <= 65536; i++) {
		assert_int_equal(tcpip_pool_next(pool, addr), TCPIP_OK);
		assert_int_equal(tcpip_load_be32(addr), 0x0a000000u + i);
	}
	assert_int_equal(tcpip_pool_next(pool, addr), TCPIP_EFULL);
	assert_int_equal(release(pool, "10.1.0.1"), TCPIP_ERANGE);
	assert_int_equal(release(pool, "10.1.0.0"), TCPIP_OK);
	tcpip_pool_free(pool);
}

static void released_addresses_come_back_last(void **state)
{
	struct tcpip_pool *pool = make("10.0.0.0/29");

	(void)state;
	assert_next(pool, "10.0.0.1");
	assert_next(pool, "10.0.0.2");
	assert_int_equal(release(pool, "10.0.0.2"), TCPIP_OK);
	assert_int_equal(release(pool, "10.0.0.1"), TCPIP_OK);
	for (char last = '3'; last <= '6'; last++) {
		char text[] = "10.0.0.x";

		text[7] = last;
		assert_next(pool, text);
	}
	assert_next(pool, "10.0.0.2");
	assert_next(pool, "10.0.0.1");
	tcpip_pool_free(pool);
}

static void reserved_addresses_are_not_given_out(void **state)
{
	struct tcpip_pool *pool = make("fd78::/125");

	(void)state;
	assert_int_equal(reserve(pool, "fd78::1"), TCPIP_OK);
	assert_int_equal(reserve(pool, "fd78::3"), TCPIP_OK);
	assert_int_equal(reserve(pool, "fd78::3"), TCPIP_ESTATE);
	assert_int_equal(tcpip_pool_available(pool), 5);
	assert_next(pool, "fd78::2");
	assert_next(pool, "fd78::4");
	assert_int_equal(reserve(pool, "fd78::4"), TCPIP_ESTATE);
	assert_int_equal(release(pool, "fd78::3"), TCPIP_OK);
	tcpip_pool_free(pool);
}

static void releasing_twice_is_an_error(void **state)
{
	struct tcpip_pool *pool = make("10.0.0.0/29");

	(void)state;
	assert_int_equal(release(pool, "10.0.0.1"), TCPIP_ESTATE);
	assert_next(pool, "10.0.0.1");
	assert_int_equal(release(pool, "10.0.0.1"), TCPIP_OK);
	assert_int_equal(release(pool, "10.0.0.1"), TCPIP_ESTATE);
	assert_int_equal(tcpip_pool_available(pool), 6);
	tcpip_pool_free(pool);
}

static void addresses_outside_the_pool_are_an_error(void **state)
{
	struct tcpip_pool *pool = make("10.0.0.0/29");

	(void)state;
	assert_int_equal(release(pool, "10.0.0.0"), TCPIP_ERANGE);
	assert_int_equal(release(pool, "10.0.0.7"), TCPIP_ERANGE);
	assert_int_equal(reserve(pool, "9.255.255.255"), TCPIP_ERANGE);
	assert_int_equal(reserve(pool, "255.255.255.255"), TCPIP_ERANGE);
	tcpip_pool_free(pool);
	pool = make("fd78::/120");
	assert_int_equal(reserve(pool, "fd78::"), TCPIP_ERANGE);
	assert_int_equal(reserve(pool, "fd78::100"), TCPIP_ERANGE);
	assert_int_equal(reserve(pool, "fd79::1"), TCPIP_ERANGE);
	assert_int_equal(reserve(pool, "fd78::ff"), TCPIP_OK);
	tcpip_pool_free(pool);
}

static void no_address_is_given_twice(void **state)
{
	struct tcpip_pool *pool = make("10.0.0.0/22");
	static bool taken[1024];
	struct rng rng = {41};
	uint32_t n = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint8_t addr[16] = {10};
		uint32_t k = rng_below(&rng, 1024);
		int want_ok = k >= 1 && k <= 1022;

		tcpip_store_be32(addr, 0x0a000000u + k);
		switch (rng_below(&rng, 3)) {
		case 0:
			if (tcpip_pool_next(pool, addr) < 0) {
				assert_int_equal(n, 1022);
				break;
			}
			k = tcpip_load_be32(addr) & 1023;
			assert_false(taken[k]);
			taken[k] = true;
			n++;
			break;
		case 1:
			assert_true((tcpip_pool_reserve(pool, addr) == 0) ==
				    (want_ok && !taken[k]));
			n += want_ok && !taken[k];
			taken[k] = want_ok;
			break;
		default:
			assert_true((tcpip_pool_release(pool, addr) == 0) == taken[k]);
			n -= taken[k];
			taken[k] = false;
		}
		assert_int_equal(tcpip_pool_available(pool), 1022 - n);
	}
	tcpip_pool_free(pool);
}

static void refuses_what_is_no_prefix(void **state)
{
	struct tcpip_prefix p = {.family = 4, .len = 33};
	struct tcpip_pool *pool = NULL;

	(void)state;
	assert_int_equal(tcpip_pool_create(&p, &pool), TCPIP_ERANGE);
	p.family = 5;
	p.len = 8;
	assert_int_equal(tcpip_pool_create(&p, &pool), TCPIP_ERANGE);
	p.family = 6;
	p.len = 129;
	assert_int_equal(tcpip_pool_create(&p, &pool), TCPIP_ERANGE);
	assert_null(pool);
	assert_null(tcpip_pool_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_24_gives_254_hosts_and_then_is_full),
		cmocka_unit_test(sizes_follow_the_prefix),
		cmocka_unit_test(a_capped_pool_gives_all_its_addresses),
		cmocka_unit_test(released_addresses_come_back_last),
		cmocka_unit_test(reserved_addresses_are_not_given_out),
		cmocka_unit_test(releasing_twice_is_an_error),
		cmocka_unit_test(addresses_outside_the_pool_are_an_error),
		cmocka_unit_test(no_address_is_given_twice),
		cmocka_unit_test(refuses_what_is_no_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
