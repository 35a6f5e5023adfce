/* SPDX-License-Identifier: BSD-2-Clause */
/* test_obfs_awg_options: which parameters of AmneziaWG are refused, and how. */
#include "obfs_world.h"

#include "awg_options.h"

static const uint8_t key[AWG_KEY_LEN] = {1};

static struct awg_options defaults(void)
{
	return (struct awg_options){.h = {"1", "2", "3", "4"}};
}

static void take(const struct awg_options *o)
{
	struct vpn_error err = {.size = sizeof(err)};
	if (awg_options_check(o, &err) != VPN_OK)
		fail_msg("%s: %s", err.where, err.text);
}

static void refuse(const struct awg_options *o, const char *where, const char *text)
{
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(awg_options_check(o, &err), VPN_EINVAL);
	assert_string_equal(err.where, where);
	assert_string_equal(err.text, text);
}

static void reads_words_and_ranges(void **state)
{
	static const struct {
		const char *text;
		uint32_t first, last;
	} good[] = {{"0", 0, 0},
		    {"5-5", 5, 5},
		    {"0-4294967295", 0, UINT32_MAX},
		    {"007-0010", 7, 10},
		    {"4294967295", UINT32_MAX, UINT32_MAX}};
	static const char *const bad[] = {"",
					  "-",
					  "-5",
					  "5-",
					  "9-5",
					  "1-2-3",
					  "4294967296",
					  "0x5",
					  " 5",
					  "5 ",
					  "+5",
					  "5- 6",
					  "99999999999999999999999"};
	struct awg_range range;
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(awg_range_parse(good[i].text, &range));
		assert_int_equal(range.first, good[i].first);
		assert_int_equal(range.last, good[i].last);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (awg_range_parse(bad[i], &range))
			fail_msg("taken: \"%s\"", bad[i]);
}

static void refuses_a_word_that_is_none(void **state)
{
	struct awg_options o = defaults();
	(void)state;
	o.h[2] = "9-5";
	refuse(&o, "/awg/h3",
	       "is neither a number up to 4294967295 nor a range of them such as \"5-1000\"");
}

static void refuses_words_in_common(void **state)
{
	struct awg_options o = defaults();
	static const char text[] =
		"overlaps h2: a message is known by its word, so h1 to h4 have no word in common";
	(void)state;
	o.h[3] = "2";
	refuse(&o, "/awg/h4", text);
	o.h[1] = "100-200";
	static const char *const overlapping[] = {"50-100", "200-300", "120-130", "50-1000"};
	static const char *const apart[] = {"50-99", "201-300", "0", "4294967295"};
	for (size_t i = 0; i < 4; i++) {
		o.h[3] = overlapping[i];
		refuse(&o, "/awg/h4", text);
		o.h[3] = apart[i];
		take(&o);
	}
}

static void refuses_messages_of_one_length(void **state)
{
	struct awg_options o = defaults();
	(void)state;
	o.s[AWG_INITIATION] = 10;
	o.s[AWG_RESPONSE] = 66;
	refuse(&o, "/awg/s2",
	       "makes responses (s2 + 92) as long as initiations (s1 + 148), which AmneziaWG "
	       "forbids");
	o.s[AWG_RESPONSE] = 65;
	take(&o);
	o.s[AWG_COOKIE] = 94;
	refuse(&o, "/awg/s3",
	       "makes cookie replies (s3 + 64) as long as initiations (s1 + 148), which AmneziaWG "
	       "forbids");
	o.s[AWG_COOKIE] = 93;
	refuse(&o, "/awg/s3",
	       "makes cookie replies (s3 + 64) as long as responses (s2 + 92), which AmneziaWG "
	       "forbids");
	o.s[AWG_COOKIE] = 92;
	o.s[AWG_DATA] = 126; /* data have any length */
	take(&o);
}

static void header_protection_needs_its_nonce(void **state)
{
	struct awg_options o = defaults();
	char where[] = "/awg/s1";
	(void)state;
	o.header_protection_key = (struct vpn_bytes){key, sizeof(key), 0};
	for (uint32_t i = 0; i < AWG_KINDS; i++)
		o.s[i] = 12;
	take(&o);
	for (uint32_t i = 0; i < AWG_KINDS; i++) {
		o.s[i] = 11;
		where[6] = (char)('1' + i);
		refuse(&o, where,
		       "header protection takes its nonce from these bytes: 12 or more, in each of "
		       "s1 to s4");
		o.s[i] = 12;
	}
}

static void refuses_sizes_of_junk_turned_round(void **state)
{
	struct awg_options o = defaults();
	(void)state;
	o.jmin = 50;
	o.jmax = 49;
	refuse(&o, "/awg/jmax", "is less than jmin");
	o.jmax = 50;
	o.jc = 1;
	take(&o);
	o.jmin = 0;
	refuse(&o, "/awg/jmin", "jc asks for junk: give its least size in bytes, from 1");
}

static void refuses_wrong_tags(void **state)
{
	struct awg_options o = defaults();
	(void)state;
	o.i[0] = "<t>";
	o.i[4] = "<t><c>";
	refuse(&o, "/awg/i5",
	       "character 4: there are the tags <b 0x01ff>, <r 20>, <rc 20>, <rd 20> and <t>");
}

static void refuses_what_the_stack_cannot_carry(void **state)
{
	struct vpn_error err = {.size = sizeof(err)};
	struct awg_options o = defaults();
	(void)state;
	o.s[AWG_RESPONSE] = 1000;
	assert_int_equal(awg_options_fit(&o, 1092, &err), VPN_OK);
	assert_int_equal(awg_options_fit(&o, 1091, &err), VPN_EINVAL);
	assert_string_equal(err.where, "/awg/s2");
	assert_string_equal(err.text, "makes responses longer than the 1091 bytes that the stack "
				      "carries");
	o = defaults();
	o.jmax = 1500;
	assert_int_equal(awg_options_fit(&o, 1400, &err), VPN_OK);
	o.jc = 1;
	assert_int_equal(awg_options_fit(&o, 1400, &err), VPN_EINVAL);
	assert_string_equal(err.where, "/awg/jmax");
	o = defaults();
	o.i[2] = "<r 1401>";
	assert_int_equal(awg_options_fit(&o, 1401, &err), VPN_OK);
	assert_int_equal(awg_options_fit(&o, 1400, &err), VPN_EINVAL);
	assert_string_equal(err.where, "/awg/i3");
}

/* ---- the whole of the stage's options ---- */

static void refuse_stage(const struct obfs_options *o, const char *where)
{
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(obfs_options_validate(o, &err), VPN_EINVAL);
	assert_string_equal(err.where, where);
	assert_true(err.text[0] != '\0');
}

static void the_object_and_the_mode_go_together(void **state)
{
	struct awg_options awg = defaults();
	struct obfs_options o = {.mode = OBFS_AWG};
	(void)state;
	refuse_stage(&o, "/awg");
	o.awg = &awg;
	o.password = "secret";
	refuse_stage(&o, "/password");
	o.password = NULL;
	o.key = (struct vpn_bytes){key, sizeof(key), 0};
	refuse_stage(&o, "/key");
	o.mode = OBFS_SALAMANDER;
	refuse_stage(&o, "/awg");
}

static void data_cost_what_s4_says(void **state)
{
	struct awg_options awg = defaults();
	struct obfs_options o = {.mode = OBFS_AWG, .awg = &awg};
	struct vpn_needs needs = {.size = sizeof(needs)};
	(void)state;
	awg.s[AWG_INITIATION] = 100;
	awg.s[AWG_DATA] = 7;
	obfs_options_needs(&o, &needs);
	assert_int_equal(needs.headroom, 100);
	assert_int_equal(needs.overhead, 7);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_words_and_ranges),
		cmocka_unit_test(refuses_a_word_that_is_none),
		cmocka_unit_test(refuses_words_in_common),
		cmocka_unit_test(refuses_messages_of_one_length),
		cmocka_unit_test(header_protection_needs_its_nonce),
		cmocka_unit_test(refuses_sizes_of_junk_turned_round),
		cmocka_unit_test(refuses_wrong_tags),
		cmocka_unit_test(refuses_what_the_stack_cannot_carry),
		cmocka_unit_test(the_object_and_the_mode_go_together),
		cmocka_unit_test(data_cost_what_s4_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
