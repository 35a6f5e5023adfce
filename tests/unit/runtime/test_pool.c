/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pool.h"

static const struct pool_shape shape = {
	.headroom = 40,
	.data = {1500, 1500, 65536, 0},
	.count = {8, 8, 2, 64},
};

static int setup(void **state)
{
	static struct pool pool;
	assert_int_equal(pool_init(&pool, &shape), VPN_OK);
	*state = &pool;
	return 0;
}

static int teardown(void **state)
{
	pool_clear(*state);
	return 0;
}

static void gives_packets_with_the_stacks_headroom(void **state)
{
	struct vpn_packet *p[8];
	assert_int_equal(pool_alloc(*state, VPN_POOL_TX, 77, p, 8), 8);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(p[i]->off, 40); /* exactly: the stages' alignments hang on it */
		assert_int_equal(p[i]->len, 0);
		assert_int_equal(p[i]->flags, 0);
		assert_null(p[i]->endpoint);
		assert_int_equal(p[i]->stamp_ns, 77);
		assert_true(vpn_packet_tailroom(p[i]) >= 1500);
		assert_int_equal((uintptr_t)p[i]->buf % 64, 0);
		memset(p[i]->buf, i, p[i]->cap); /* storage is there and its own */
	}
	for (int i = 0; i < 8; i++)
		for (uint32_t k = 0; k < p[i]->cap; k++)
			assert_int_equal(p[i]->buf[k], i);
	pool_release(*state, p, 8);
	assert_int_equal(pool_outstanding(*state), 0);
}

static void an_empty_pool_gives_fewer(void **state)
{
	struct vpn_packet *p[16];
	assert_int_equal(pool_alloc(*state, VPN_POOL_TX, 0, p, 5), 5);
	assert_int_equal(pool_alloc(*state, VPN_POOL_TX, 0, p + 5, 11), 3);
	assert_int_equal(pool_alloc(*state, VPN_POOL_TX, 0, p + 8, 1), 0);
	pool_release(*state, p, 8);
}

static void a_full_send_side_leaves_the_receive_side_its_packets(void **state)
{
	struct vpn_packet *tx[8], *rx[8];
	assert_int_equal(pool_alloc(*state, VPN_POOL_TX, 0, tx, 8), 8);
	assert_int_equal(pool_alloc(*state, VPN_POOL_RX, 0, rx, 8), 8);
	pool_release(*state, tx, 8);
	pool_release(*state, rx, 8);
}

static void refuses_a_pool_that_does_not_exist(void **state)
{
	struct vpn_packet *p;
	assert_int_equal(pool_alloc(*state, POOL_PIECE, 0, &p, 1), 0);
	assert_int_equal(pool_alloc(*state, 99, 0, &p, 1), 0);
}

static struct vpn_packet *large(struct pool *pool, uint32_t len)
{
	struct vpn_packet *p;
	assert_int_equal(pool_alloc(pool, VPN_POOL_RX_LARGE, 5, &p, 1), 1);
	p->len = len;
	for (uint32_t i = 0; i < len; i++)
		vpn_packet_data(p)[i] = (uint8_t)(i * 7);
	return p;
}

static void split_shares_the_storage_and_frees_it_with_the_last_piece(void **state)
{
	struct pool *pool = *state;
	struct vpn_endpoint from = {.family = VPN_AF_INET, .port = 9};
	struct vpn_packet *parent = large(pool, 10 * 1000 + 3);
	const uint8_t *data = vpn_packet_data(parent);
	parent->endpoint = &from;
	parent->flags = VPN_PACKET_VERIFIED;
	struct vpn_packet *out[16];
	assert_int_equal(pool_split(pool, parent, 1000, out, 16), 11);
	for (uint32_t i = 0; i < 11; i++) {
		assert_ptr_equal(vpn_packet_data(out[i]), data + i * 1000);
		assert_int_equal(out[i]->len, i < 10 ? 1000 : 3);
		assert_int_equal(out[i]->cap, out[i]->len);
		assert_int_equal(out[i]->flags, VPN_PACKET_VERIFIED);
		assert_ptr_equal(out[i]->endpoint, &from);
		assert_int_equal(out[i]->stamp_ns, 5);
	}
	pool_release(pool, out + 1, 10);
	assert_int_equal(pool_outstanding(pool), 2); /* one piece and what it lies in */
	pool_release(pool, out, 1);
	assert_int_equal(pool_outstanding(pool), 0);
}

static void a_piece_can_be_split_again(void **state)
{
	struct pool *pool = *state;
	struct vpn_packet *a[4], *b[4];
	assert_int_equal(pool_split(pool, large(pool, 4000), 1000, a, 4), 4);
	assert_int_equal(pool_split(pool, a[1], 300, b, 4), 4);
	assert_int_equal(b[3]->len, 100);
	a[1] = b[0];
	pool_release(pool, a, 4);
	assert_int_equal(pool_outstanding(pool), 4);
	pool_release(pool, b + 1, 3);
	assert_int_equal(pool_outstanding(pool), 0);
	/* the large packet is whole again */
	struct vpn_packet *p = large(pool, 65536);
	pool_release(pool, &p, 1);
}

static void split_without_room_leaves_the_parent_alone(void **state)
{
	struct pool *pool = *state;
	struct vpn_packet *parent = large(pool, 5000);
	struct vpn_packet *out[128];
	assert_int_equal(pool_split(pool, parent, 1000, out, 4), 0);
	assert_int_equal(pool_split(pool, parent, 10, out, 128), 0); /* more than there are */
	assert_int_equal(pool_split(pool, parent, 0, out, 128), 0);
	assert_int_equal(parent->len, 5000);
	pool_release(pool, &parent, 1);
	assert_int_equal(pool_outstanding(pool), 0);
}

static void releasing_twice_stops_the_program(void **state)
{
	struct vpn_packet *p;
	int status;
	assert_int_equal(pool_alloc(*state, VPN_POOL_TX, 0, &p, 1), 1);
	pool_release(*state, &p, 1);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		pool_release(*state, &p, 1);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static int count_resident(void *at, size_t bytes)
{
	unsigned char pages[1024];
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t begin = ((uintptr_t)at + page - 1) / page * page;
	size_t n = ((uintptr_t)at + bytes - begin) / page;
	int resident = 0;
	assert_true(n > 0 && n <= sizeof(pages));
	assert_int_equal(mincore((void *)begin, n * page, pages), 0);
	for (size_t i = 0; i < n; i++)
		resident += pages[i] & 1;
	return resident;
}

static void rest_gives_the_memory_of_free_packets_back(void **state)
{
	struct pool *pool = *state;
	struct vpn_packet *p[8];
	for (int round = 0; round < 2; round++) {
		assert_int_equal(pool_alloc(pool, VPN_POOL_RX, 0, p, 8), 8);
		for (int i = 0; i < 8; i++)
			memset(p[i]->buf, 0x5a, p[i]->cap);
		assert_true(count_resident(pool->stacks[VPN_POOL_RX].storage, 8u * p[0]->cap) > 0);
		pool_release(pool, p, 8);
		pool_rest(pool);
		assert_int_equal(count_resident(pool->stacks[VPN_POOL_RX].storage,
						8u * pool->stacks[VPN_POOL_RX].cap),
				 0);
		assert_int_equal(pool_outstanding(pool), 0);
	}
	pool_rest(pool); /* with nothing to give */
	assert_int_equal(pool_alloc(pool, VPN_POOL_RX, 5, p, 8), 8);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(p[i]->off, 40);
		assert_int_equal(p[i]->stamp_ns, 5);
		assert_true(vpn_packet_tailroom(p[i]) >= 1500);
	}
	pool_release(pool, p, 8);
}

static void rest_leaves_packets_that_are_out(void **state)
{
	struct pool *pool = *state;
	struct vpn_packet *large[2], *piece[4], *tx[8];
	assert_int_equal(pool_alloc(pool, VPN_POOL_RX_LARGE, 0, large, 2), 2);
	memset(large[0]->buf, 0x11, large[0]->cap);
	large[0]->len = 4000;
	assert_int_equal(pool_split(pool, large[0], 1000, piece, 4), 4);
	assert_int_equal(pool_alloc(pool, VPN_POOL_TX, 0, tx, 8), 8);
	for (int i = 0; i < 8; i++)
		memset(tx[i]->buf, 0x22, tx[i]->cap);
	pool_release(pool, tx, 3);
	pool_release(pool, tx + 4, 4);
	pool_release(pool, piece, 3);
	pool_rest(pool);
	assert_int_equal(pool_outstanding(pool), 2 + 1 + 1);
	/* the pages that the one that is out stands on, no more */
	assert_in_range(count_resident(pool->stacks[VPN_POOL_TX].storage, 8u * tx[3]->cap), 1,
			tx[3]->cap / (size_t)sysconf(_SC_PAGESIZE) + 2);
	assert_true(8u * tx[3]->cap > 3u * (size_t)sysconf(_SC_PAGESIZE));
	for (uint32_t i = 0; i < tx[3]->cap; i++)
		assert_int_equal(tx[3]->buf[i], 0x22);
	for (uint32_t i = 0; i < piece[3]->len; i++)
		assert_int_equal(vpn_packet_data(piece[3])[i], 0x11);
	pool_release(pool, piece + 3, 1);
	pool_release(pool, large + 1, 1);
	pool_release(pool, tx + 3, 1);
	assert_int_equal(pool_outstanding(pool), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_packets_with_the_stacks_headroom, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_empty_pool_gives_fewer, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_full_send_side_leaves_the_receive_side_its_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_a_pool_that_does_not_exist, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			split_shares_the_storage_and_frees_it_with_the_last_piece, setup, teardown),
		cmocka_unit_test_setup_teardown(a_piece_can_be_split_again, setup, teardown),
		cmocka_unit_test_setup_teardown(split_without_room_leaves_the_parent_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(releasing_twice_stops_the_program, setup, teardown),
		cmocka_unit_test_setup_teardown(rest_gives_the_memory_of_free_packets_back, setup,
						teardown),
		cmocka_unit_test_setup_teardown(rest_leaves_packets_that_are_out, setup, teardown),
	};
	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
