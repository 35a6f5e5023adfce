/* SPDX-License-Identifier: BSD-2-Clause */
/* Lanes are threads: of several that bring the same sealed packets exactly one takes each, and what they
 * share is theirs to share (for ThreadSanitizer). */
#include <pthread.h>
#include <string.h>

#include "obfs_world.h"
#include "veil_packet.h"

#define LANES   4u
#define PACKETS 4000u
#define ROOM    2048u
#define DATA    96u
#define NOW     UINT64_C(1700000000000)

static struct veil *sender, *receiver;
static uint8_t recorded[PACKETS][ROOM];
static uint32_t lens[PACKETS];
static uint32_t taken[LANES][PACKETS]; /* by each lane */
static struct testhost *host;
static struct testhost_stage *stage; /* lends its services */

static struct veil *a_side(uint64_t first_sender)
{
	uint8_t root[OBFS_KEY_LEN] = {1, 2, 3};
	const struct veil_setup setup = {.root = root,
					 .window_ms = 60000,
					 .now_ms = NOW,
					 .first_sender = first_sender,
					 .n_lanes = LANES,
					 .largest = 1452};
	struct veil *v = veil_new(&setup);
	assert_non_null(v);
	return v;
}

/* Each lane seals a quarter of the packets. */
static void *seal_some(void *arg)
{
	uint32_t lane = (uint32_t)(uintptr_t)arg;
	struct veil_lane own;
	struct obfs_random random;
	obfs_random_init(&random, testhost_services(stage));
	veil_lane_init(sender, &own, lane);
	for (uint32_t i = lane; i < PACKETS; i += LANES) {
		struct vpn_packet p = {
			.buf = recorded[i], .cap = ROOM, .off = VEIL_HEADROOM, .len = DATA};
		struct vpn_packet *pkts[] = {&p};
		uint8_t fate = OBFS_PASS;
		memset(vpn_packet_data(&p), 2, p.len);
		veil_seal(sender, &own, &random, NOW, pkts, 1, &fate);
		lens[i] = p.len;
	}
	return NULL;
}

/* Each lane brings all of them, in batches, beginning somewhere else. */
static void *open_all(void *arg)
{
	uint32_t lane = (uint32_t)(uintptr_t)arg;
	static uint8_t bufs[LANES][16][ROOM];
	for (uint32_t done = 0; done < PACKETS; done += 16) {
		struct vpn_packet batch[16], *pkts[16];
		uint8_t fates[16] = {OBFS_PASS};
		uint32_t first = (done + lane * 48) % PACKETS;
		for (uint32_t i = 0; i < 16; i++) {
			memcpy(bufs[lane][i], recorded[first + i], lens[first + i]);
			batch[i] = (struct vpn_packet){
				.buf = bufs[lane][i], .cap = ROOM, .len = lens[first + i]};
			pkts[i] = &batch[i];
		}
		veil_open(receiver, NOW, pkts, 16, fates);
		for (uint32_t i = 0; i < 16; i++)
			if (fates[i] == OBFS_PASS && batch[i].len == DATA)
				taken[lane][first + i]++;
	}
	return NULL;
}

static void run(void *(*fn)(void *))
{
	pthread_t threads[LANES];
	for (uint32_t i = 0; i < LANES; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fn, (void *)(uintptr_t)i), 0);
	for (uint32_t i = 0; i < LANES; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void exactly_one_lane_takes_each_packet(void **state)
{
	uint32_t busy = 0;
	(void)state;
	sender = a_side(1000);
	receiver = a_side(2000);
	run(seal_some);
	run(open_all);
	for (uint32_t i = 0; i < PACKETS; i++) {
		uint32_t sum = 0;
		for (uint32_t lane = 0; lane < LANES; lane++)
			sum += taken[lane][i];
		assert_int_equal(sum, 1);
	}
	for (uint32_t lane = 0; lane < LANES; lane++) {
		uint32_t mine = 0;
		for (uint32_t i = 0; i < PACKETS; i++)
			mine += taken[lane][i];
		busy += mine != 0;
	}
	assert_in_range(busy, 1, LANES);
	sender = veil_free(sender);
	receiver = veil_free(receiver);
}

static int setup(void **state)
{
	static struct obfs_options options = {.mode = OBFS_SALAMANDER, .password = "lends random"};
	const struct testhost_setup s = {.config = &options};
	(void)state;
	TESTHOST_USE_CMOCKA();
	host = testhost_new(5);
	stage = testhost_add(host, world_component(), &s, NULL);
	return stage == NULL;
}

static int teardown(void **state)
{
	(void)state;
	host = testhost_free(host);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(exactly_one_lane_takes_each_packet, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
