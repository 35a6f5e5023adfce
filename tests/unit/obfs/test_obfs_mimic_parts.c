/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of mode mimic: headers and flights byte for byte, who proves the key, who is remembered. */
#include <string.h>

#include "mimic_bytes.h"
#include "mimic_hello.h"
#include "mimic_hold.h"
#include "mimic_peers.h"
#include "obfs_world.h"

#define MS UINT64_C(1000000)

static struct world w;
static struct obfs_random chance;

static int setup(void **state)
{
	(void)state;
	world_init(&w, OBFS_MIMIC);
	w.options[0].password = "average_password";
	w.setup[0].above = "wireguard";
	world_start(&w, 0);
	obfs_random_init(&chance, testhost_services(w.stage[0]));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	obfs_random_clear(&chance);
	world_end(&w);
	return 0;
}

/* ---- DTLS ---- */

static void a_record_of_data_is_written_as_rfc_6347_says(void **state)
{
	static const uint8_t expected[] = {23, 0xfe, 0xfd, 0, 1, 1, 2, 3, 4, 5, 6, 0x05, 0x78};
	uint8_t at[MIMIC_DTLS_HEADER];
	(void)state;
	mimic_dtls_put(at, UINT64_C(0x010203040506), 1400);
	assert_memory_equal(at, expected, sizeof(expected));
}

static void only_one_true_record_is_data(void **state)
{
	uint8_t good[64] = {0}, bad[64];
	(void)state;
	mimic_dtls_put(good, 77, sizeof(good) - MIMIC_DTLS_HEADER);
	assert_true(mimic_dtls_is_data(good, sizeof(good)));
	/* type, version, epoch and length are fixed; the number is the sender's */
	for (uint32_t i = 0; i < MIMIC_DTLS_HEADER; i++) {
		for (uint32_t bit = 0; bit < 8; bit++) {
			memcpy(bad, good, sizeof(bad));
			bad[i] ^= (uint8_t)(1u << bit);
			assert_int_equal(mimic_dtls_is_data(bad, sizeof(bad)), i >= 5 && i < 11);
		}
	}
	for (uint32_t len = 0; len < sizeof(good); len++)
		assert_false(mimic_dtls_is_data(good, len));
	mimic_dtls_put(good, 77, 0);
	assert_false(mimic_dtls_is_data(good, MIMIC_DTLS_HEADER));
}

static void numbers_end_with_the_epoch(void **state)
{
	struct mimic_peer p = {.number = MIMIC_DTLS_LAST - 1};
	uint64_t number;
	(void)state;
	assert_true(mimic_peer_number(&p, &number));
	assert_true(mimic_peer_number(&p, &number));
	assert_int_equal(number, MIMIC_DTLS_LAST);
	assert_false(mimic_peer_number(&p, &number));
	assert_false(mimic_peer_number(&p, &number));
}

/* The lengths within a hello agree with its size, down to the last extension. */
static void check_hello(const uint8_t *d, uint32_t len, uint32_t body_at)
{
	uint32_t at = MIMIC_DTLS_HEADER;
	assert_int_equal(be_load(d + 11, 2), len - at);
	assert_int_equal(be_load(d + at + 1, 3), len - at - 12); /* length of the message */
	assert_int_equal(be_load(d + at + 9, 3), len - at - 12); /* and of its only fragment */
	at += body_at;
	assert_int_equal(be_load(d + at, 2), len - at - 2); /* extensions */
	at += 2;
	while (at < len)
		at += 4 + (uint32_t)be_load(d + at + 2, 2);
	assert_int_equal(at, len);
}

static void hellos_are_well_formed(void **state)
{
	uint8_t hello[MIMIC_DTLS_HELLO], finished[MIMIC_DTLS_FINISHED], out[MIMIC_DTLS_FLIGHT];
	(void)state;
	memset(hello, 0xaa, sizeof(hello));
	memset(finished, 0xbb, sizeof(finished));
	uint32_t len = mimic_dtls_client_hello(out, hello, 0);
	/* handshake header, version, random, session, cookie, ciphers, compression */
	check_hello(out, len, 12 + 2 + 32 + 33 + 1 + 14 + 2);
	len = mimic_dtls_server_hello(out, hello, hello + 32, finished);
	check_hello(out, len - 14 - 53, 12 + 2 + 32 + 33 + 2 + 1);
	const uint8_t *change = out + len - 14 - 53;
	assert_int_equal(change[0], 20);
	assert_int_equal(be_load(change + 3, 8), 1); /* epoch 0, record 1 */
	assert_int_equal(change[14], 22);
	assert_int_equal(be_load(change + 14 + 3, 2), 1); /* epoch 1 */
	assert_int_equal(be_load(change + 14 + 11, 2), MIMIC_DTLS_FINISHED);
	assert_int_equal(mimic_dtls_client_finished(out, finished, 1), 14 + 53);
}

static void flights_are_taken_as_they_are_and_not_otherwise(void **state)
{
	uint8_t hello[MIMIC_DTLS_HELLO], finished[MIMIC_DTLS_FINISHED];
	uint8_t flights[3][MIMIC_DTLS_FLIGHT];
	uint32_t len[3];
	struct mimic_dtls_flight f;
	(void)state;
	obfs_random_fill(&chance, hello, sizeof(hello));
	obfs_random_fill(&chance, finished, sizeof(finished));
	len[0] = mimic_dtls_client_hello(flights[0], hello, 3);
	len[1] = mimic_dtls_server_hello(flights[1], hello, hello + 32, finished);
	len[2] = mimic_dtls_client_finished(flights[2], finished, 4);
	for (uint32_t i = 0; i < 3; i++) {
		uint8_t *d = flights[i];
		uint32_t kinds[4] = {0};
		mimic_dtls_parse(d, len[i], &f);
		assert_int_equal(f.kind, MIMIC_DTLS_CLIENT_HELLO + i);
		if (f.random != NULL) {
			assert_memory_equal(f.random, hello, MIMIC_DTLS_RANDOM);
			assert_memory_equal(f.session, hello + 32, MIMIC_DTLS_SESSION);
		}
		if (f.finished != NULL)
			assert_memory_equal(f.finished, finished, sizeof(finished));
		for (uint32_t cut = 0; cut < len[i]; cut++) {
			mimic_dtls_parse(d, cut, &f);
			assert_int_equal(f.kind, MIMIC_DTLS_OTHER);
		}
		for (uint32_t k = 0; k < len[i]; k++) {
			d[k] ^= 0x40;
			mimic_dtls_parse(d, len[i], &f);
			kinds[f.kind]++;
			d[k] ^= 0x40;
		}
		/* what may differ: the random parts, and four bytes of a client's number */
		uint32_t free = i == 0 ? 64 + 4 : i == 1 ? 64 + 40 : 40 + 4;
		assert_int_equal(kinds[MIMIC_DTLS_CLIENT_HELLO + i], free);
		assert_int_equal(kinds[MIMIC_DTLS_OTHER], len[i] - free);
	}
}

/* ---- who proves the key ---- */

static void a_hello_is_opened_with_the_key_alone(void **state)
{
	struct mimic_greeting g = {.sender = 0x0123456789abcdef, .number = 7, .time_ms = 1234567};
	uint8_t root[OBFS_KEY_LEN] = {1}, hello[MIMIC_DTLS_HELLO];
	struct mimic_keys keys, others;
	struct mimic_greeting got;
	(void)state;
	mimic_hello_derive(root, &keys);
	root[31] = 1;
	mimic_hello_derive(root, &others);
	mimic_hello_make(&keys, &chance, &g, hello);
	assert_true(mimic_hello_open(&keys, hello, &got));
	assert_int_equal(got.sender, g.sender);
	assert_int_equal(got.number, g.number);
	assert_int_equal(got.time_ms, g.time_ms);
	assert_false(mimic_hello_open(&others, hello, &got));
	for (uint32_t bit = 0; bit < 8 * sizeof(hello); bit++) {
		hello[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(mimic_hello_open(&keys, hello, &got));
		hello[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* Made with Python's hashlib.blake2b by the formulas of docs/protocols/mimic.md. */
static void keys_and_finished_are_what_the_page_says(void **state)
{
	static const char hello_key[] =
		"8df7dc567ed3151d72bd5beda3bff83a7a8077ca13a266befa0207ba4d3a330f";
	static const char server[] =
		"e653420505eb495d29627308b1fc49487894bdb1a8135570640567c4a9cbbd429ebff13e119a4599";
	static const char client[] =
		"ff19b8c8974668a42461ad2be78cc3607caea43d108994eb795b76540c4077d44d5c4b62dfce3101";
	uint8_t root[OBFS_KEY_LEN], hello[MIMIC_DTLS_HELLO], random[MIMIC_DTLS_RANDOM];
	uint8_t expected[64], got[MIMIC_DTLS_FINISHED];
	struct mimic_keys keys;
	(void)state;
	for (uint32_t i = 0; i < 64; i++) {
		root[i % 32] = (uint8_t)(i % 32);
		hello[i] = (uint8_t)(0x40 + i);
		random[i % 32] = (uint8_t)(0x80 + i % 32);
	}
	mimic_hello_derive(root, &keys);
	assert_int_equal(world_hex(hello_key, expected), sizeof(keys.hello));
	assert_memory_equal(keys.hello, expected, sizeof(keys.hello));
	mimic_hello_finish(&keys, MIMIC_SERVER, hello, random, got);
	assert_int_equal(world_hex(server, expected), sizeof(got));
	assert_memory_equal(got, expected, sizeof(got));
	mimic_hello_finish(&keys, MIMIC_CLIENT, hello, random, got);
	assert_int_equal(world_hex(client, expected), sizeof(got));
	assert_memory_equal(got, expected, sizeof(got));
}

/* ---- RTP ---- */

struct rtp {
	bool mark;
	uint32_t type, number, timestamp, ssrc;
};

static struct rtp put(struct mimic_rtp *r, uint32_t len, bool last, uint64_t now_ns)
{
	uint8_t at[MIMIC_RTP_HEADER + 1] = {0};
	mimic_rtp_put(r, at, len, last, now_ns);
	assert_true(mimic_rtp_is_data(at, sizeof(at)));
	assert_int_equal(at[0], 0x80);
	return (struct rtp){.mark = at[1] >> 7,
			    .type = at[1] & 0x7fu,
			    .number = (uint32_t)be_load(at + 2, 2),
			    .timestamp = (uint32_t)be_load(at + 4, 4),
			    .ssrc = (uint32_t)be_load(at + 8, 4)};
}

static void sound_moves_by_its_samples_and_is_marked_after_silence(void **state)
{
	struct mimic_rtp r;
	(void)state;
	mimic_rtp_init(&r, &chance);
	r.sound.number = 0xffff; /* wraps */
	r.sound.timestamp = 0xffffffff;
	struct rtp first = put(&r, 100, true, 1000 * MS);
	struct rtp second = put(&r, 100, true, 1020 * MS);
	struct rtp late = put(&r, 100, true, 1520 * MS);
	assert_int_equal(first.type, MIMIC_RTP_SOUND);
	assert_true(first.mark);
	assert_false(second.mark);
	assert_true(late.mark);
	assert_int_equal(second.number, 0);
	assert_int_equal(second.timestamp, 959);
	assert_int_equal(late.timestamp, 959 + 25 * 960);
	assert_int_equal(second.ssrc, first.ssrc);
}

static void sound_is_not_more_than_there_can_be(void **state)
{
	struct mimic_rtp r;
	(void)state;
	mimic_rtp_init(&r, &chance);
	struct rtp first = put(&r, 100, true, 1000 * MS);
	struct rtp second = put(&r, 100, true, 1001 * MS);
	assert_int_equal(first.type, MIMIC_RTP_SOUND);
	assert_int_equal(second.type, MIMIC_RTP_PICTURE);
	assert_int_not_equal(first.ssrc, second.ssrc);
	assert_int_equal(put(&r, 1200, true, 1100 * MS).type, MIMIC_RTP_PICTURE);
}

static void a_frame_has_one_timestamp_and_a_mark_at_its_end(void **state)
{
	struct mimic_rtp r;
	(void)state;
	mimic_rtp_init(&r, &chance);
	struct rtp alone = put(&r, 1200, true, 1000 * MS);
	assert_true(alone.mark);
	struct rtp first = put(&r, 1200, false, 1010 * MS);
	struct rtp same = put(&r, 1200, true, 1010 * MS);
	struct rtp later = put(&r, 1200, false, 1026 * MS);
	struct rtp end = put(&r, 1200, true, 1026 * MS);
	struct rtp next = put(&r, 1200, false, 1027 * MS);
	assert_int_equal(first.timestamp - alone.timestamp, 901); /* 10 ms, and one */
	assert_int_equal(same.timestamp, first.timestamp);
	assert_int_equal(later.timestamp, first.timestamp);
	assert_int_equal(end.timestamp, first.timestamp);
	assert_false(first.mark || same.mark || later.mark);
	assert_true(end.mark);
	assert_true(next.timestamp > end.timestamp);
	assert_int_equal((next.number - alone.number) & 0xffff, 5);
}

static void other_headers_are_not_rtp(void **state)
{
	uint8_t d[64] = {0x80, 96};
	(void)state;
	assert_true(mimic_rtp_is_data(d, sizeof(d)));
	assert_false(mimic_rtp_is_data(d, MIMIC_RTP_HEADER));
	for (uint32_t i = 0; i < 256; i++) {
		d[0] = (uint8_t)i;
		assert_int_equal(mimic_rtp_is_data(d, sizeof(d)), i == 0x80);
	}
	d[0] = 0x80;
	for (uint32_t i = 0; i < 256; i++) {
		d[1] = (uint8_t)i;
		assert_int_equal(mimic_rtp_is_data(d, sizeof(d)),
				 (i & 0x7f) == 96 || (i & 0x7f) == 111);
	}
}

/* ---- who is remembered ---- */

static struct vpn_endpoint number(uint32_t i)
{
	struct vpn_endpoint e = testhost_endpoint("192.0.2.1:1000");
	e.port = (uint16_t)i;
	e.addr[2] = (uint8_t)(i >> 16);
	return e;
}

static void the_one_that_was_silent_longest_is_forgotten(void **state)
{
	static const uint8_t seed[16] = {1};
	struct mimic_peers *t = mimic_peers_new(seed);
	(void)state;
	assert_non_null(t);
	struct vpn_endpoint first = number(0), second = number(1);
	for (uint32_t i = 0; i < MIMIC_PEERS_MOST; i++) {
		struct vpn_endpoint e = number(i);
		mimic_peers_get(t, &e)->number = 1000 + i;
	}
	assert_non_null(mimic_peers_find(t, &first)); /* which is the newest now */
	assert_int_equal(mimic_peers_get(t, NULL)->number, 0);
	assert_null(mimic_peers_find(t, &second));
	for (uint32_t i = 0; i < MIMIC_PEERS_MOST; i++) {
		struct vpn_endpoint e = number(i);
		struct mimic_peer *p = mimic_peers_find(t, &e);
		assert_int_equal(p != NULL, i != 1);
		if (p != NULL)
			assert_int_equal(p->number, 1000 + i);
	}
	/* and many more than there is room for */
	for (uint32_t i = 0; i < 5 * MIMIC_PEERS_MOST; i++) {
		struct vpn_endpoint e = number(1000000 + i);
		struct mimic_peer *p = mimic_peers_get(t, &e);
		assert_true(mimic_endpoint_same(&p->endpoint, &e));
		if (i % 3 == 0)
			mimic_peers_remove(t, p);
		assert_int_equal(mimic_peers_find(t, &e) == NULL, i % 3 == 0);
	}
	assert_null(mimic_peers_free(t));
}

static void endpoints_differ_in_each_part(void **state)
{
	struct vpn_endpoint a = number(5), b = a;
	(void)state;
	memset(b.local, 1, sizeof(b.local));
	b.ifindex = 3;
	assert_true(mimic_endpoint_same(&a, &b));
	b.scope = 1;
	assert_false(mimic_endpoint_same(&a, &b));
	b = a;
	b.id = 1;
	assert_false(mimic_endpoint_same(&a, &b));
	b = a;
	b.addr[3]++;
	assert_false(mimic_endpoint_same(&a, &b));
	assert_false(mimic_endpoint_same(&a, NULL));
	assert_false(mimic_endpoint_same(NULL, &a));
	assert_true(mimic_endpoint_same(NULL, NULL));
}

static void what_is_held_is_bounded_and_stays_in_order(void **state)
{
	static struct mimic_hold h;
	struct vpn_packet pkts[MIMIC_HOLD_ROOM + 1];
	bool keep[MIMIC_HOLD_ROOM];
	struct vpn_endpoint e = number(9);
	(void)state;
	memset(&h, 0, sizeof(h));
	memset(pkts, 0, sizeof(pkts));
	for (uint32_t i = 0; i < MIMIC_HOLD_ROOM; i++) {
		pkts[i].endpoint = i % 2 == 0 ? &e : NULL;
		assert_null(mimic_hold_add(&h, &pkts[i]));
	}
	assert_ptr_equal(mimic_hold_add(&h, &pkts[MIMIC_HOLD_ROOM]), &pkts[0]);
	assert_int_equal(h.n, MIMIC_HOLD_ROOM);
	assert_null(mimic_hold_endpoint(&h, 0));
	assert_int_equal(mimic_hold_endpoint(&h, 1)->port, e.port);
	for (uint32_t i = 0; i < MIMIC_HOLD_ROOM; i++)
		keep[i] = i % 3 == 0;
	mimic_hold_sift(&h, keep);
	assert_int_equal(h.n, (MIMIC_HOLD_ROOM + 2) / 3);
	for (uint32_t i = 0; i < h.n; i++)
		assert_ptr_equal(h.pkts[i], &pkts[1 + 3 * i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_of_data_is_written_as_rfc_6347_says),
		cmocka_unit_test(only_one_true_record_is_data),
		cmocka_unit_test(numbers_end_with_the_epoch),
		cmocka_unit_test(hellos_are_well_formed),
		cmocka_unit_test_setup_teardown(flights_are_taken_as_they_are_and_not_otherwise,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_hello_is_opened_with_the_key_alone, setup,
						teardown),
		cmocka_unit_test(keys_and_finished_are_what_the_page_says),
		cmocka_unit_test_setup_teardown(
			sound_moves_by_its_samples_and_is_marked_after_silence, setup, teardown),
		cmocka_unit_test_setup_teardown(sound_is_not_more_than_there_can_be, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_frame_has_one_timestamp_and_a_mark_at_its_end,
						setup, teardown),
		cmocka_unit_test(other_headers_are_not_rtp),
		cmocka_unit_test(the_one_that_was_silent_longest_is_forgotten),
		cmocka_unit_test(endpoints_differ_in_each_part),
		cmocka_unit_test(what_is_held_is_bounded_and_stays_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
