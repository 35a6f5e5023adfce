/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration protocol as a stream: errors, "get", pieces, garbage. */
#include "uapi_talk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ---- */

static void the_first_error_stops_the_operation_and_undoes_nothing(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_expect_set(&t, "listen_port=7\n" A "allowed_ip=10.0.0.0/8\nendpoint=x\nbad\n" B,
			-EINVAL);
	assert_int_equal(t.wg.device.port, 7);
	assert_int_equal(fake_count_allowed(fake_peer(&t.wg, 0xaa)), 1);
	assert_null(fake_peer(&t.wg, 0xbb));
	/* half of a peer does not start to send */
	assert_int_equal(fake_peer(&t.wg, 0xaa)->done, 0);
	talk_expect_set(&t, A, 0);
	assert_int_equal(fake_peer(&t.wg, 0xaa)->done, 1);
	talk_end(&t);
}

static void a_bad_first_line_makes_no_peer(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_expect_set(&t, A "preshared_key=1\n", -EINVAL);
	assert_int_equal(t.wg.creations, 0);
	talk_end(&t);
}

static void serves_several_operations_of_a_connection(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_say(&t, "set=1\n\nget=1\n\nset=1\nlisten_port=9\n\nset=1\nx\n\nget=1\n\n");
	assert_string_equal(t.answer, "errno=0\n\nerrno=0\n\nerrno=0\n\nerrno=-71\n\n"
				      "listen_port=9\nerrno=0\n\n");
	assert_false(t.closed);
	talk_end(&t);
}

static void refuses_what_is_no_operation_and_closes(void **state)
{
	static const char *const texts[] = {
		"\n",       "x\n",      "set\n",     "set=\n",       "set=2\n",
		"set=1 \n", " set=1\n", "set=1\r\n", "set=1=1\n",    "get=0\n",
		"SET=1\n",  "get\n",    "errno=0\n", "set=1get=1\n", "listen_port=1\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct talk t;
		talk_begin(&t);
		talk_say(&t, texts[i]);
		assert_true(t.closed);
		assert_string_equal(t.answer, "errno=-71\n\n");
		talk_say(&t, "get=1\n\n");
		assert_string_equal(t.answer, "errno=-71\n\n");
		talk_end(&t);
	}
}

static void a_zero_byte_is_no_text(void **state)
{
	static const char set[] = "set=1\nlisten_port=1\0002\n\n";
	static const char key[] = "set=1\nlisten\0_port=1\n\n";
	static const char operation[] = "get=1\0\n\n";
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_feed(&t, set, sizeof(set) - 1);
	talk_feed(&t, key, sizeof(key) - 1);
	assert_string_equal(t.answer, "errno=-71\n\nerrno=-71\n\n");
	assert_int_equal(t.wg.ports, 0);
	assert_false(t.closed);
	talk_feed(&t, operation, sizeof(operation) - 1);
	assert_true(t.closed);
	talk_end(&t);
}

static void a_line_may_be_1024_bytes_long_and_no_more(void **state)
{
	char text[WG_UAPI_LINE + 2];
	struct talk t;
	(void)state;
	talk_begin(&t);
	memset(text, '0', sizeof(text));
	memcpy(text, "listen_port=", 12);
	talk_say(&t, "set=1\n");
	text[WG_UAPI_LINE - 1] = '7';
	talk_feed(&t, text, WG_UAPI_LINE);
	talk_say(&t, "\n\n");
	assert_string_equal(t.answer, "errno=0\n\n");
	assert_int_equal(t.wg.device.port, 7);
	talk_say(&t, "set=1\n");
	talk_feed(&t, text, WG_UAPI_LINE);
	assert_false(t.closed);
	talk_feed(&t, "0", 1);
	assert_true(t.closed);
	assert_string_equal(t.answer, "errno=0\n\nerrno=-71\n\n");
	assert_int_equal(t.wg.ports, 1);
	talk_end(&t);
}

static void a_megabyte_without_an_end_is_refused_early(void **state)
{
	size_t len = 1u << 20;
	char *text = malloc(len);
	assert_non_null(text);
	memset(text, 'a', len);
	(void)state;
	for (size_t step = 1; step <= len; step *= 1024) {
		struct talk t;
		talk_begin(&t);
		size_t fed = 0;
		while (fed < len && !t.closed) {
			talk_feed(&t, text + fed, step);
			fed += step;
		}
		assert_true(t.closed);
		assert_true(fed <= WG_UAPI_LINE + step);
		assert_string_equal(t.answer, "errno=-71\n\n");
		talk_end(&t);
	}
	free(text);
}

static void an_endless_line_tells_the_error_before_it(void **state)
{
	char text[WG_UAPI_LINE + 1];
	struct talk t;
	(void)state;
	talk_begin(&t);
	memset(text, 'a', sizeof(text));
	talk_say(&t, "set=1\nlisten_port=x\n");
	talk_feed(&t, text, sizeof(text));
	assert_true(t.closed);
	assert_string_equal(t.answer, "errno=-22\n\n");
	talk_end(&t);
}

/* ---- get ---- */

/* The n-th allocation from here fails, and those after it if `forever`; negative = none does. The
 * linker puts this before malloc(). */
static int allocations_left = -1;
static bool forever;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	bool fails = allocations_left == 0;
	if (allocations_left > 0 || (fails && !forever))
		allocations_left--;
	if (fails)
		return NULL;
	return __real_malloc(size);
}

static void get_has_every_key_in_order(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	assert_string_equal(talk_get(&t), "errno=0\n\n");
	talk_expect_set(
		&t,
		"private_key=" KEY("11") "\nlisten_port=7\nfwmark=16\n" A "preshared_key=" KEY(
			"22") "\nendpoint=[fe80::1%3]:9\n"
			      "persistent_keepalive_interval=25\nallowed_ip=10.0.0.0/"
			      "8\nallowed_ip=::/0\n" B,
		0);
	struct wg_peer_view *v = &fake_peer(&t.wg, 0xaa)->view;
	v->handshake_wall_ns = UINT64_C(1700000000000000007);
	v->tx_bytes = UINT64_MAX;
	v->rx_bytes = 148;
	assert_string_equal(
		talk_get(&t),
		"private_key=" KEY("11") "\nlisten_port=7\nfwmark=16\n" A "preshared_key=" KEY(
			"22") "\nprotocol_version=1\n"
			      "endpoint=[fe80::1%3]:9\nlast_handshake_time_sec=1700000000\n"
			      "last_handshake_time_nsec=7\ntx_bytes=18446744073709551615\n"
			      "rx_bytes=148\npersistent_keepalive_interval=25\n"
			      "allowed_ip=10.0.0.0/8\nallowed_ip=::/0\n" B
			      "preshared_key=" KEY("00") "\nprotocol_version=1\n"
							 "last_handshake_time_sec=0\nlast_"
							 "handshake_time_nsec=0\n"
							 "tx_bytes=0\nrx_bytes=0\npersistent_"
							 "keepalive_interval=0\n"
							 "errno=0\n\n");
	talk_end(&t);
}

static void an_opaque_endpoint_is_not_shown_to_wg(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_expect_set(&t, A, 0);
	fake_peer(&t.wg, 0xaa)->view.endpoint.family = VPN_AF_OPAQUE;
	assert_null(strstr(talk_get(&t), "endpoint"));
	talk_end(&t);
}

static void a_get_with_a_line_fails_with_a_positive_number(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_say(&t, "get=1\nlisten_port=1\n\n");
	assert_string_equal(t.answer, "errno=22\n\n");
	assert_true(t.closed);
	talk_end(&t);
}

static void an_endless_line_in_a_get_fails_with_a_positive_number(void **state)
{
	char text[WG_UAPI_LINE + 1];
	struct talk t;
	(void)state;
	talk_begin(&t);
	memset(text, 'a', sizeof(text));
	talk_say(&t, "get=1\n");
	talk_feed(&t, text, sizeof(text));
	assert_string_equal(t.answer, "errno=71\n\n");
	talk_end(&t);
}

static void a_get_without_memory_says_so_and_nothing_else(void **state)
{
	struct talk t;
	int n = 0;
	(void)state;
	talk_begin(&t);
	talk_say(&t, "set=1\n");
	for (unsigned int i = 1; i < 100; i++) {
		char text[128];
		snprintf(text, sizeof(text), "public_key=%064x\n", i);
		talk_say(&t, text);
	}
	talk_say(&t, "\n");
	char *whole = strdup(talk_get(&t));
	for (;; n++) {
		forever = n % 2 == 0;
		allocations_left = n / 2;
		const char *answer = talk_get(&t);
		allocations_left = -1;
		if (strcmp(answer, whole) == 0)
			break;
		assert_string_equal(answer, "errno=12\n\n");
		assert_false(t.closed);
	}
	assert_in_range(n, 6, 40);
	free(whole);
	talk_end(&t);
}

static bool is_report(const char *line)
{
	static const char *const names[] = {"last_handshake", "tx_bytes", "rx_bytes", "errno"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* Says what a "get" was answered as a "set", but for what cannot be set. */
static void say_as_set(struct talk *t, const char *text)
{
	talk_say(t, "set=1\n");
	while (*text != '\n') {
		const char *next = strchr(text, '\n') + 1;
		if (!is_report(text))
			talk_feed(t, text, (size_t)(next - text));
		text = next;
	}
	talk_say(t, "\n");
}

static void what_get_says_set_reproduces(void **state)
{
	struct talk t, u;
	(void)state;
	talk_begin(&t);
	talk_begin(&u);
	talk_say(&t, "set=1\nprivate_key=" KEY("11") "\nlisten_port=7\nfwmark=16\n");
	for (unsigned int i = 1; i < 200; i++) {
		char text[512];
		snprintf(text, sizeof(text),
			 "public_key=%064x\npreshared_key=%064x\nendpoint=192.0.2.%u:%u\n"
			 "persistent_keepalive_interval=%u\nallowed_ip=10.0.%u.0/24\n"
			 "allowed_ip=fd00:%x::/32\n",
			 i, i * 77, i, i, i % 3, i, i);
		talk_say(&t, text);
	}
	talk_say(&t, "\n");
	say_as_set(&u, talk_get(&t));
	assert_string_equal(u.answer, "errno=0\n\n");
	assert_string_equal(talk_get(&u), t.answer);
	talk_end(&t);
	talk_end(&u);
}

/* ---- pieces ---- */

static const char sample[] = "set=1\nprivate_key=" KEY(
	"11") "\nlisten_port=7\nreplace_peers=true\n" A
	      "endpoint=192.0.2.1:9\nallowed_ip=10.0.0.0/8\n" B "remove=true\n\nget=1\n\n"
	      "set=1\n" B "update_only=true\n\nset=1\n" A "bad\n\nget=1\n\nget=1\nx\n";

static void any_two_pieces_mean_what_the_whole_does(void **state)
{
	struct talk whole;
	size_t len = strlen(sample);
	(void)state;
	talk_begin(&whole);
	talk_say(&whole, sample);
	for (size_t at = 0; at <= len; at++) {
		struct talk t;
		talk_begin(&t);
		talk_feed(&t, sample, at);
		talk_feed(&t, sample + at, len - at);
		assert_string_equal(t.answer, whole.answer);
		assert_int_equal(t.closed, whole.closed);
		talk_end(&t);
	}
	struct talk t;
	talk_begin(&t);
	for (size_t at = 0; at < len; at++)
		talk_feed(&t, sample + at, 1);
	assert_string_equal(t.answer, whole.answer);
	talk_end(&t);
	talk_end(&whole);
}

static void an_operation_that_is_cut_short_is_not_answered(void **state)
{
	static const char text[] = "set=1\nlisten_port=7\n" A "allowed_ip=10.0.0.0/8\n\n";
	size_t len = sizeof(text) - 1;
	(void)state;
	for (size_t at = 0; at <= len; at++) {
		struct talk t;
		talk_begin(&t);
		talk_feed(&t, text, at);
		wg_uapi_session_end(t.session);
		assert_int_equal(t.len != 0, at == len);
		const struct wg_peer *p = fake_peer(&t.wg, 0xaa);
		assert_int_equal(p != NULL && p->done != 0, at == len);
		talk_say(&t, "get=1\n\n");
		assert_true(t.closed);
		assert_int_equal(t.len != 0, at == len);
		talk_end(&t);
	}
}

static void a_client_that_takes_no_answer_is_closed(void **state)
{
	static const char *const texts[] = {"set=1\n\n", "get=1\n\n", "x\n"};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct talk t;
		talk_begin(&t);
		t.gone = true;
		talk_say(&t, texts[i]);
		assert_true(t.closed);
		talk_end(&t);
	}
}

/* xorshift64 */
static uint64_t random_next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void garbage_harms_nothing(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15u;
	(void)state;
	for (int round = 0; round < 3000; round++) {
		char text[sizeof(sample)];
		struct talk t;
		talk_begin(&t);
		memcpy(text, sample, sizeof(text));
		for (uint64_t n = 1 + random_next(&seed) % 8; n > 0; n--)
			text[random_next(&seed) % (sizeof(text) - 1)] = (char)random_next(&seed);
		talk_feed(&t, text, sizeof(text) - 1);
		talk_end(&t);
	}
}

static void freeing_nothing_is_allowed(void **state)
{
	(void)state;
	assert_null(wg_uapi_session_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_error_stops_the_operation_and_undoes_nothing),
		cmocka_unit_test(a_bad_first_line_makes_no_peer),
		cmocka_unit_test(serves_several_operations_of_a_connection),
		cmocka_unit_test(refuses_what_is_no_operation_and_closes),
		cmocka_unit_test(a_zero_byte_is_no_text),
		cmocka_unit_test(a_line_may_be_1024_bytes_long_and_no_more),
		cmocka_unit_test(a_megabyte_without_an_end_is_refused_early),
		cmocka_unit_test(an_endless_line_tells_the_error_before_it),
		cmocka_unit_test(get_has_every_key_in_order),
		cmocka_unit_test(an_opaque_endpoint_is_not_shown_to_wg),
		cmocka_unit_test(a_get_with_a_line_fails_with_a_positive_number),
		cmocka_unit_test(an_endless_line_in_a_get_fails_with_a_positive_number),
		cmocka_unit_test(a_get_without_memory_says_so_and_nothing_else),
		cmocka_unit_test(what_get_says_set_reproduces),
		cmocka_unit_test(any_two_pieces_mean_what_the_whole_does),
		cmocka_unit_test(an_operation_that_is_cut_short_is_not_answered),
		cmocka_unit_test(a_client_that_takes_no_answer_is_closed),
		cmocka_unit_test(garbage_harms_nothing),
		cmocka_unit_test(freeing_nothing_is_allowed),
	};
	return cmocka_run_group_tests_name("wireguard uapi stream", tests, NULL, NULL);
}
