/* SPDX-License-Identifier: BSD-2-Clause */
/* Each allocation of the component fails once, at each place: nothing leaks, and it says so. */
#include <string.h>

#include "kcp_world.h"

static struct world w;

static const struct {
	uint32_t reliability, crypt;
	bool fec;
} kinds[] = {
	{KCP_RELIABLE, KCP_CRYPT_NULL, false},        {KCP_RELIABLE, KCP_CRYPT_NULL, true},
	{KCP_RELIABLE, KCP_CRYPT_SALSA20, false},     {KCP_RELIABLE, KCP_CRYPT_AES_128, false},
	{KCP_DATAGRAM, KCP_CRYPT_NULL, false},        {KCP_DEADLINE, KCP_CRYPT_NULL, false},
	{KCP_DEADLINE, KCP_CRYPT_AES_128_GCM, false},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void prepare(uint32_t kind)
{
	world_init(&w);
	for (uint32_t i = 0; i < 2; i++) {
		struct kcp_options *o = &w.options[i];
		o->reliability = kinds[kind].reliability;
		o->crypt = kinds[kind].crypt;
		if (o->crypt != KCP_CRYPT_NULL)
			o->password = "it's a secrect";
		w.fec[i] = (struct kcp_fec_options){.data = 4, .parity = 2};
		o->fec = kinds[kind].fec ? &w.fec[i] : NULL;
	}
}

static int tear_down(void **state)
{
	(void)state;
	testhost_fail_memory(0);
	return 0;
}

static void making_an_instance_fails_cleanly(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind < N_KINDS; kind++) {
		bool failed = true;
		uint32_t n = 1;
		for (; failed; n++) {
			struct vpn_error err = {.size = sizeof(err)};
			assert_true(n < 100);
			prepare(kind);
			testhost_fail_memory(n);
			struct testhost_stage *s = world_add(&w, 0, &err);
			failed = testhost_memory_failed();
			testhost_fail_memory(0);
			assert_int_equal(s == NULL, failed);
			if (failed) {
				assert_int_equal(err.status, VPN_ENOMEM);
				assert_non_null(strstr(err.text, "memory"));
			}
			world_end(&w); /* which reports leaks */
		}
		assert_true(n > 4); /* the instance and three tables at least */
	}
}

/* Without a session the message is dropped and counted, and the next one tries again. */
static void a_session_that_cannot_begin_is_counted(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind < N_KINDS; kind++) {
		bool failed = true;
		uint32_t n_without = 0;
		for (uint32_t n = 1; failed; n++) {
			assert_true(n < 100);
			prepare(kind);
			world_start(&w, 0);
			world_mark(&w);
			testhost_fail_memory(n);
			assert_true(world_send(&w, 0, 0, 500));
			failed = testhost_memory_failed();
			testhost_fail_memory(0);
			if (failed && w.k[0]->sessions.count == 0) {
				n_without++;
				world_only_drop(&w, 0, KCP_DROP_NO_MEMORY, 1);
				assert_int_equal(world_count(&w, 0, KCP_SESSIONS_BEGUN), 0);
			}
			assert_true(world_send(&w, 0, 1, 500));
			assert_int_equal(w.k[0]->sessions.count, 1);
			assert_true(testhost_waiting(w.stage[0], 0, VPN_DOWN) != 0);
			world_end(&w);
		}
		assert_true(n_without > 2); /* the session and the engine's tables */
	}
}

/* A peer's datagrams that find no memory are as if they had been lost. */
static void what_a_peer_begins_is_counted(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind < N_KINDS; kind++) {
		bool failed = true;
		for (uint32_t n = 1; failed; n++) {
			assert_true(n < 100);
			prepare(kind);
			world_start(&w, 0);
			world_listen(&w, 1, 4);
			world_start(&w, 1);
			world_join(&w, 5 * WORLD_MS);
			assert_true(world_send(&w, 0, 0, 500));
			uint64_t before = world_count(&w, 1, KCP_DROP_NO_MEMORY);
			testhost_fail_memory(n);
			testhost_advance(w.host, 40 * WORLD_MS);
			failed = testhost_memory_failed();
			testhost_fail_memory(0);
			if (failed && w.k[1]->sessions.count == 0)
				assert_true(world_count(&w, 1, KCP_DROP_NO_MEMORY) > before);
			testhost_advance(w.host, 10 * WORLD_SECOND);
			testhost_clear(w.stage[1], 0, VPN_UP);
			assert_true(world_send(&w, 0, 1, 500));
			testhost_advance(w.host, WORLD_SECOND);
			world_expect(&w, 1, 1, 500);
			world_end(&w);
		}
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(making_an_instance_fails_cleanly),
		TEST(a_session_that_cannot_begin_is_counted),
		TEST(what_a_peer_begins_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
