/* SPDX-License-Identifier: BSD-2-Clause */
/* Mode salamander: the bytes of Hysteria 2. */
#include <string.h>

#include "obfs_world.h"

#define SALT 8u

static struct world w;

/* BLAKE2b-256 of "average_password" and a salt of 00 01 .. 07 */
static const char pad_hex[] = "7145ab9cb8618c6057681425a251337ddff92fdc6320f58920527b95fff4df33";

static int setup(void **state)
{
	(void)state;
	world_init(&w, OBFS_SALAMANDER);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static void opens_what_a_known_salt_has_sealed(void **state)
{
	uint8_t wire[SALT + 32], pad[32];
	(void)state;
	world_start(&w, 0);
	assert_int_equal(world_hex(pad_hex, pad), sizeof(pad));
	for (uint32_t i = 0; i < SALT; i++)
		wire[i] = (uint8_t)i;
	memset(wire + SALT, 0, sizeof(wire) - SALT);
	assert_true(testhost_recv(w.stage[0], 0, wire, sizeof(wire), NULL));
	const struct testhost_record *r = world_next(&w, 0, VPN_UP);
	TESTHOST_SAME_BYTES(r->data, r->len, pad, sizeof(pad));
}

/* Made with Python's hashlib: bytes 0 to 69, behind the salt a0b1c2d3e4f50617, with passwords of so many
 * letters "p": beside the salt one block of BLAKE2b (128 bytes) holds 120 of them. */
static const struct {
	uint32_t password_len;
	const char *datagram;
} vectors[] = {
	{4, "a0b1c2d3e4f50617e9a654c8746bfbf4e7e7868f8ae3ec57ffa7bd08eae50e4689c3380e5ac4dd"
	    "ecc98674e8544bdbd4c7c7a6afaac3cc77df879d28cac52e66a9e3182e7ae4fdcca9e61488342b"},
	{120, "a0b1c2d3e4f5061701004b9c4f320f0cbde520d11e41b51ef2771ac98e7bd0d07b5e184b1c144f"
	      "9721206bbc6f122f2c9dc500f13e61953ed2573ae9ae5bf0f05b7e386b3c346fb741400bdc0f72"},
	{121, "a0b1c2d3e4f5061796392d658c9903c7884121d20a8c57e117662b82491d6500fa57ba99e4ae84"
	      "f9b6190d45acb923e7a86101f22aac77c137460ba2693d4520da779ab9c48ea4d9d6796d25ccd9"},
	{200, "a0b1c2d3e4f506177fa628beaf81b11096e3b7ca1527878d3b0df2eca2008462042cb2b76df74f"
	      "6b5f86089e8fa19130b6c397ea3507a7ad1b2dd2cc8220a442240c92974dd76f4b3fe668feefc1"},
};

static void opens_datagrams_made_elsewhere(void **state)
{
	char password[256];
	uint8_t wire[128], data[70];
	(void)state;
	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	for (uint32_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		memset(password, 'p', vectors[i].password_len);
		password[vectors[i].password_len] = '\0';
		w.options[0].password = password;
		world_start(&w, 0);
		uint32_t len = world_hex(vectors[i].datagram, wire);
		assert_true(testhost_recv(w.stage[0], 0, wire, len, NULL));
		const struct testhost_record *r = world_next(&w, 0, VPN_UP);
		TESTHOST_SAME_BYTES(r->data, r->len, data, sizeof(data));
		testhost_remove(w.stage[0]);
	}
}

static void brings_back_any_length(void **state)
{
	uint8_t data[1420];
	(void)state;
	world_start(&w, 0);
	world_start(&w, 1);
	for (uint32_t len = 1; len <= sizeof(data); len += len < 300 ? 1 : 7) {
		for (uint32_t i = 0; i < len; i++)
			data[i] = (uint8_t)testhost_random(w.host);
		assert_true(testhost_send(w.stage[0], 0, data, len));
		const struct testhost_record *r = world_next(&w, 0, VPN_DOWN);
		assert_int_equal(r->len, len + SALT);
		assert_true(testhost_recv(w.stage[1], 0, r->data, r->len, NULL));
		r = world_next(&w, 1, VPN_UP);
		TESTHOST_SAME_BYTES(r->data, r->len, data, len);
	}
}

static void drops_what_has_no_data_behind_the_salt(void **state)
{
	static const uint8_t zeroes[SALT];
	(void)state;
	world_start(&w, 0);
	for (uint32_t len = 0; len <= SALT; len++)
		assert_true(testhost_recv(w.stage[0], 0, zeroes, len, NULL));
	assert_int_equal(testhost_counter(w.stage[0], "drop_short"), SALT + 1);
	assert_int_equal(testhost_waiting(w.stage[0], 0, VPN_UP), 0);
}

/* A batch is sealed and opened where it is: one push, all of its packets, their endpoints. */
static void changes_batches_in_place(void **state)
{
	struct vpn_packet *pkts[64];
	struct vpn_endpoint to = testhost_endpoint("192.0.2.1:7");
	(void)state;
	world_start(&w, 0);
	world_start(&w, 1);
	for (uint32_t i = 0; i < 64; i++) {
		uint8_t data[100];
		memset(data, (int)i, sizeof(data));
		pkts[i] = testhost_packet(w.stage[0], 0, VPN_DOWN, data, 1 + i);
		testhost_packet_from(w.stage[0], pkts[i], &to);
	}
	assert_int_equal(testhost_offer(w.stage[0], 0, VPN_DOWN, pkts, 64), 64);
	for (uint32_t i = 0; i < 64; i++) {
		const struct testhost_record *r = world_next(&w, 0, VPN_DOWN);
		assert_int_equal(r->push, 1);
		assert_true(r->has_endpoint);
		pkts[i] = testhost_packet(w.stage[1], 0, VPN_UP, r->data, r->len);
	}
	assert_int_equal(testhost_offer(w.stage[1], 0, VPN_UP, pkts, 64), 64);
	for (uint32_t i = 0; i < 64; i++) {
		const struct testhost_record *r = world_next(&w, 1, VPN_UP);
		assert_int_equal(r->push, 1);
		assert_int_equal(r->len, 1 + i);
		for (uint32_t k = 0; k < r->len; k++)
			assert_int_equal(r->data[k], i);
	}
}

static void salts_differ_between_packets_lanes_and_instances(void **state)
{
	enum { LANES = 3, EACH = 300, ALL = 2 * LANES * EACH };
	static uint64_t salts[ALL];
	uint32_t n = 0;
	(void)state;
	for (uint32_t side = 0; side < 2; side++) {
		w.setup[side].n_lanes = LANES;
		world_start(&w, side);
		for (uint32_t i = 0; i < LANES * EACH; i++) {
			uint32_t lane = i % LANES;
			assert_true(testhost_send(w.stage[side], lane, "x", 1));
			const struct testhost_record *r = testhost_next(w.stage[side], lane,
									VPN_DOWN);
			assert_non_null(r);
			memcpy(&salts[n++], r->data, SALT);
		}
	}
	for (uint32_t i = 0; i < ALL; i++)
		for (uint32_t k = 0; k < i; k++)
			assert_true(salts[i] != salts[k]);
}

static void sends_nothing_for_an_empty_packet(void **state)
{
	(void)state;
	world_start(&w, 0);
	assert_true(testhost_send(w.stage[0], 0, "", 0));
	assert_int_equal(testhost_waiting(w.stage[0], 0, VPN_DOWN), 0);
	assert_int_equal(testhost_counter(w.stage[0], "drop_short"), 1);
}

/* A key is a password of 32 bytes for Hysteria. */
static void a_key_is_taken_as_the_password_it_would_be(void **state)
{
	static const char password[] = "0123456789abcdef0123456789abcdef";
	(void)state;
	w.options[0].password = password;
	w.options[1].password = NULL;
	w.options[1].key = (struct vpn_bytes){.data = (const uint8_t *)password, .len = 32};
	world_start(&w, 0);
	world_start(&w, 1);
	world_join(&w);
	assert_true(testhost_send(w.stage[0], 0, "hello", 5));
	testhost_run(w.host);
	const struct testhost_record *r = world_next(&w, 1, VPN_UP);
	TESTHOST_SAME_BYTES(r->data, r->len, "hello", 5);
}

/* ---- below wireguard ---- */

static void send_wireguard(uint8_t type, uint32_t len)
{
	uint8_t message[1500] = {type};
	for (uint32_t i = 4; i < len; i++)
		message[i] = (uint8_t)testhost_random(w.host);
	assert_true(testhost_send(w.stage[0], 0, message, len));
	testhost_run(w.host);
}

static const struct {
	uint8_t type;
	uint32_t len;
} messages[] = {{1, 148}, {2, 92}, {3, 64}, {4, 32}, {4, 96}, {4, 1452}};

#define N_MESSAGES ((uint32_t)(sizeof(messages) / sizeof(messages[0])))

static void wireguard_pair(const char *other_password)
{
	w.setup[0].above = "wireguard";
	w.setup[1].above = "wireguard";
	w.setup[0].mtu_above = 1500;
	w.setup[1].mtu_above = 1500;
	w.options[1].password = other_password;
	world_start(&w, 0);
	world_start(&w, 1);
	world_join(&w);
}

static void lets_wireguard_s_messages_through(void **state)
{
	(void)state;
	wireguard_pair("average_password");
	for (uint32_t i = 0; i < N_MESSAGES; i++) {
		send_wireguard(messages[i].type, messages[i].len);
		assert_int_equal(world_next(&w, 1, VPN_UP)->len, messages[i].len);
	}
	assert_int_equal(testhost_drops(w.stage[1]), 0);
}

static void another_password_is_silence_a_counter_and_a_line(void **state)
{
	(void)state;
	wireguard_pair("average_passwort");
	for (uint32_t i = 0; i < N_MESSAGES; i++)
		send_wireguard(messages[i].type, messages[i].len);
	assert_int_equal(testhost_waiting(w.stage[1], 0, VPN_UP), 0);
	assert_int_equal(testhost_counter(w.stage[1], "drop_foreign"), N_MESSAGES);
	assert_true(testhost_logged(w.host, VPN_LOG_WARN,
				    "1 datagrams did not fit mode \"salamander\", the last one of "
				    "156 bytes from 192.0.2.1:1001"));
	assert_false(testhost_logged(w.host, UINT32_MAX, "average"));
}

static void what_is_no_message_of_wireguard_goes_nowhere(void **state)
{
	static const struct {
		uint8_t type;
		uint32_t len;
	} wrong[] = {{0, 148}, {5, 96}, {1, 147}, {1, 149}, {2, 148}, {3, 92}, {4, 31}, {4, 1}};
	(void)state;
	wireguard_pair("average_password");
	for (uint32_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		send_wireguard(wrong[i].type, wrong[i].len);
	assert_int_equal(testhost_waiting(w.stage[1], 0, VPN_UP), 0);
	assert_int_equal(testhost_counter(w.stage[1], "drop_foreign"),
			 sizeof(wrong) / sizeof(wrong[0]));
}

/* Bits that flip on the way come through as they are, for whoever authenticates above. */
static void a_flipped_bit_flips_the_same_bit(void **state)
{
	uint8_t sealed[SALT + 100], data[100] = {0};
	(void)state;
	world_start(&w, 0);
	world_start(&w, 1);
	for (uint32_t bit = 0; bit < 8 * sizeof(data); bit++) {
		assert_true(testhost_send(w.stage[0], 0, data, sizeof(data)));
		const struct testhost_record *r = world_next(&w, 0, VPN_DOWN);
		memcpy(sealed, r->data, sizeof(sealed));
		sealed[SALT + bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_true(testhost_recv(w.stage[1], 0, sealed, sizeof(sealed), NULL));
		r = world_next(&w, 1, VPN_UP);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		TESTHOST_SAME_BYTES(r->data, r->len, data, sizeof(data));
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(opens_what_a_known_salt_has_sealed),
		TEST(opens_datagrams_made_elsewhere),
		TEST(brings_back_any_length),
		TEST(drops_what_has_no_data_behind_the_salt),
		TEST(changes_batches_in_place),
		TEST(salts_differ_between_packets_lanes_and_instances),
		TEST(sends_nothing_for_an_empty_packet),
		TEST(a_key_is_taken_as_the_password_it_would_be),
		TEST(lets_wireguard_s_messages_through),
		TEST(another_password_is_silence_a_counter_and_a_line),
		TEST(what_is_no_message_of_wireguard_goes_nowhere),
		TEST(a_flipped_bit_flips_the_same_bit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
