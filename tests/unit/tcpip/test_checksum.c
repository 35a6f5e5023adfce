/* SPDX-License-Identifier: BSD-2-Clause */
/* Every checksum engine against a sum that is made byte by byte. */
#include "checksum.h"

#include "support.h"

static uint8_t source[65536 + 64], target[65536 + 64];

static void fill(uint32_t seed)
{
	struct rng rng = {seed};

	for (size_t i = 0; i < sizeof(source); i++)
		source[i] = (uint8_t)rng_next(&rng);
}

static void check_engine(const struct checksum_engine *e, size_t align, size_t len, size_t min)
{
	const uint8_t *data = source + align;
	uint16_t want = naive_checksum(data, len, 0x1234);

	if (len < min)
		return;
	assert_int_equal(checksum_final(e->partial(data, len, checksum_word(0x1234))), want);
	memset(target, 0xee, len + 64);
	assert_int_equal(checksum_final(e->copy(target + 5, data, len, checksum_word(0x1234))),
			 want);
	assert_memory_equal(target + 5, data, len);
	assert_int_equal(target[4], 0xee);
	assert_int_equal(target[5 + len], 0xee);
}

static void portable_sums_match_the_naive_sum_at_all_lengths_and_alignments(void **state)
{
	(void)state;
	fill(1);
	for (size_t align = 0; align < 32; align++) {
		for (size_t len = 0; len <= 300; len++)
			check_engine(&checksum_portable, align, len, 0);
	}
	check_engine(&checksum_portable, 3, 65536, 0);
}

static void best_sums_match_the_naive_sum_at_all_lengths_and_alignments(void **state)
{
	(void)state;
	fill(2);
	for (size_t align = 0; align < 32; align++) {
		for (size_t len = CHECKSUM_SMALL; len <= 300; len++)
			check_engine(checksum_best(), align, len, CHECKSUM_SMALL);
	}
	check_engine(checksum_best(), 3, 65536, 0);
	check_engine(checksum_best(), 3, 65535, 0);
}

static void public_sums_match_the_naive_sum(void **state)
{
	(void)state;
	fill(3);
	for (size_t len = 0; len <= 300; len++) {
		uint16_t want = naive_checksum(source + 1, len, 0);

		assert_int_equal(tcpip_checksum(source + 1, len), want);
		assert_int_equal(tcpip_csum_final(tcpip_csum_copy(target, source + 1, len, 0)),
				 want);
		assert_memory_equal(target, source + 1, len);
	}
}

static void sums_of_ones_do_not_lose_carries(void **state)
{
	(void)state;
	memset(source, 0xff, sizeof(source));
	for (size_t len = 2; len <= 65536; len *= 2) {
		assert_int_equal(tcpip_csum_fold(tcpip_csum_partial(source, len, 0)), 0xffff);
		assert_int_equal(tcpip_csum_fold(tcpip_csum_partial(source, len, UINT64_MAX)),
				 0xffff);
		assert_int_equal(tcpip_csum_fold(tcpip_csum_copy(target, source, len, UINT64_MAX)),
				 0xffff);
	}
}

static void sum_of_parts_is_the_sum_of_the_whole(void **state)
{
	(void)state;
	fill(4);
	for (size_t cut = 0; cut <= 1400; cut += 2) {
		uint64_t acc = tcpip_csum_partial(source, cut, 0);

		acc = tcpip_csum_partial(source + cut, 1401 - cut, acc);
		assert_int_equal(tcpip_csum_final(acc), naive_checksum(source, 1401, 0));
	}
}

static void known_sum_of_rfc1071(void **state)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(tcpip_csum_fold(tcpip_csum_partial(data, 8, 0)), 0xddf2);
	assert_int_equal(tcpip_csum_fold(tcpip_csum_add16(0, 0xddf2)), 0xddf2);
}

static void incremental_update_equals_a_new_sum(void **state)
{
	struct rng rng = {5};

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint8_t data[40];
		uint32_t after = rng_next(&rng), at = rng_below(&rng, 9) * 4;
		uint16_t csum;

		for (size_t k = 0; k < sizeof(data); k++)
			data[k] = (uint8_t)rng_next(&rng);
		csum = tcpip_checksum(data, sizeof(data));
		csum = tcpip_csum_update32(csum, tcpip_load_be32(data + at), after);
		tcpip_store_be32(data + at, after);
		csum = tcpip_csum_update16(csum, tcpip_load_be16(data + 38), (uint16_t)i);
		tcpip_store_be16(data + 38, (uint16_t)i);
		assert_int_equal(csum, naive_checksum(data, sizeof(data), 0));
	}
}

/* RFC 1624 section 4: equation 2 gives 0xffff here, equation 3 the right 0x0000. */
static void update_yields_the_zero_of_rfc1624(void **state)
{
	(void)state;
	assert_int_equal(tcpip_csum_update16(0xdd2f, 0x5555, 0x3285), 0x0000);
}

static void finish_fills_the_field_from_the_pseudo_sum(void **state)
{
	struct spec s = {.protocol = 17, .payload_len = 333};
	uint8_t buf[512], want[512];
	size_t len = build(want, &s);
	uint64_t acc;

	(void)state;
	memcpy(buf, want, len);
	acc = tcpip_csum_pseudo4(buf + 12, buf + 16, 17, (uint16_t)(len - 20));
	tcpip_store_be16(buf + 26, tcpip_csum_fold(acc));
	assert_int_equal(tcpip_csum_finish(buf, len, 20, 6), TCPIP_OK);
	assert_memory_equal(buf, want, len);
}

static void finish_refuses_a_field_behind_the_packet(void **state)
{
	uint8_t buf[32] = {0};

	(void)state;
	assert_int_equal(tcpip_csum_finish(buf, 27, 20, 6), TCPIP_ECSUM);
	assert_int_equal(tcpip_csum_finish(buf, 28, 20, 6), TCPIP_OK);
	assert_int_equal(tcpip_csum_finish(buf, 32, 0xffffffff, 0xffffffff), TCPIP_ECSUM);
	assert_int_equal(tcpip_csum_finish(buf, 32, 40, 0), TCPIP_ECSUM);
	assert_int_equal(tcpip_csum_finish(buf, 0, 0, 0), TCPIP_ECSUM);
}

static void finish_never_leaves_a_zero(void **state)
{
	uint8_t buf[4] = {0xff, 0xff, 0, 0};

	(void)state;
	assert_int_equal(tcpip_csum_finish(buf, 4, 0, 2), TCPIP_OK);
	assert_int_equal(tcpip_load_be16(buf + 2), 0xffff);
}

static void l4_checksum_is_verified_and_reset(void **state)
{
	static const struct spec specs[] = {
		{.protocol = 6, .flags = 0x10, .payload_len = 101},
		{.protocol = 17, .payload_len = 5},
		{.protocol = 1, .payload_len = 56},
		{.family = 6, .protocol = 6, .flags = 0x10, .payload_len = 1000},
		{.family = 6, .protocol = 17, .payload_len = 64},
		{.family = 6, .protocol = 58, .payload_len = 3},
	};
	uint8_t buf[2048], want[2048];

	(void)state;
	for (size_t i = 0; i < N_OF(specs); i++) {
		size_t len = build(want, &specs[i]);

		memcpy(buf, want, len);
		assert_int_equal(tcpip_l4_checksum_ok(buf, len), 1);
		buf[len - 1] ^= 0x10;
		assert_int_equal(tcpip_l4_checksum_ok(buf, len), 0);
		assert_int_equal(tcpip_l4_reset_checksum(buf, len), TCPIP_OK);
		assert_int_equal(tcpip_l4_checksum_ok(buf, len), 1);
		buf[len - 1] ^= 0x10;
		assert_int_equal(tcpip_l4_reset_checksum(buf, len), TCPIP_OK);
		assert_memory_equal(buf, want, len);
	}
}

/* Finds a packet whose L4 sum is all ones, so that its checksum comes out as 0. */
static size_t build_with_zero_checksum(uint8_t *buf, uint8_t protocol)
{
	struct spec s = {.protocol = protocol, .flags = 0x10, .payload_len = 2};
	size_t len = build(buf, &s), at = len - 2;
	size_t field = protocol == 6 ? 36 : 26;
	uint16_t csum = tcpip_load_be16(buf + field);

	/* Adding the checksum to a summed word makes the new checksum 0. */
	tcpip_store_be16(buf + at, tcpip_csum_fold((uint64_t)checksum_word(csum) +
						   checksum_word(tcpip_load_be16(buf + at))));
	return len;
}

static void a_zero_checksum_stays_zero_but_for_udp(void **state)
{
	uint8_t buf[64];
	size_t len = build_with_zero_checksum(buf, 6);

	(void)state;
	assert_int_equal(tcpip_l4_reset_checksum(buf, len), TCPIP_OK);
	assert_int_equal(tcpip_load_be16(buf + 36), 0);
	assert_int_equal(tcpip_l4_checksum_ok(buf, len), 1);
	len = build_with_zero_checksum(buf, 17);
	assert_int_equal(tcpip_l4_reset_checksum(buf, len), TCPIP_OK);
	assert_int_equal(tcpip_load_be16(buf + 26), 0xffff);
	assert_int_equal(tcpip_l4_checksum_ok(buf, len), 1);
}

static void udp_without_checksum_is_right_over_ipv4_only(void **state)
{
	struct spec s = {.protocol = 17, .payload_len = 9, .no_checksum = true};
	uint8_t buf[128];

	(void)state;
	assert_int_equal(tcpip_l4_checksum_ok(buf, build(buf, &s)), 1);
	s.family = 6;
	assert_int_equal(tcpip_l4_checksum_ok(buf, build(buf, &s)), 0);
}

static void l4_checksum_of_a_fragment_is_refused(void **state)
{
	struct spec s = {.protocol = 17, .payload_len = 64};
	uint8_t buf[128];
	size_t len = build(buf, &s);

	(void)state;
	tcpip_ipv4_set_fragment(buf, false, true, 0);
	assert_int_equal(tcpip_l4_checksum_ok(buf, len), TCPIP_EFRAGMENT);
	assert_int_equal(tcpip_l4_reset_checksum(buf, len), TCPIP_EFRAGMENT);
	tcpip_ipv4_set_fragment(buf, true, false, 0);
	tcpip_ipv4_set_protocol(buf, TCPIP_IPPROTO_GRE);
	assert_int_equal(tcpip_l4_checksum_ok(buf, len), TCPIP_EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(portable_sums_match_the_naive_sum_at_all_lengths_and_alignments),
		cmocka_unit_test(best_sums_match_the_naive_sum_at_all_lengths_and_alignments),
		cmocka_unit_test(public_sums_match_the_naive_sum),
		cmocka_unit_test(sums_of_ones_do_not_lose_carries),
		cmocka_unit_test(sum_of_parts_is_the_sum_of_the_whole),
		cmocka_unit_test(known_sum_of_rfc1071),
		cmocka_unit_test(incremental_update_equals_a_new_sum),
		cmocka_unit_test(update_yields_the_zero_of_rfc1624),
		cmocka_unit_test(finish_fills_the_field_from_the_pseudo_sum),
		cmocka_unit_test(finish_refuses_a_field_behind_the_packet),
		cmocka_unit_test(finish_never_leaves_a_zero),
		cmocka_unit_test(l4_checksum_is_verified_and_reset),
		cmocka_unit_test(a_zero_checksum_stays_zero_but_for_udp),
		cmocka_unit_test(udp_without_checksum_is_right_over_ipv4_only),
		cmocka_unit_test(l4_checksum_of_a_fragment_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
