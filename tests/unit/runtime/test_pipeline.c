/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "fault.h"
#include "pipeline.h"

/* ---- the n-th allocation of the core fails (linker option --wrap) ---- */

static int fail_at = -1; /* 0 = the next one */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);

static int fails_now(void)
{
	return fail_at >= 0 && fail_at-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails_now() ? NULL : __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails_now() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	return fails_now() ? MAP_FAILED : __real_mmap(addr, len, prot, flags, fd, off);
}

/* ---- */

static struct manifest manifest;
static struct graph graph;

static void close_outer(void)
{
	for (int i = 0; i < FAKE_LANES; i++)
		if (fake_log.outer[i] >= 0)
			close(fake_log.outer[i]);
}

static void starts_from_the_network_and_stops_from_the_device(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	(void)state;
	fake_reset();
	fake_graph(&manifest, &graph, 1, 1, NULL, NULL);
	struct pipeline *p = pipeline_new(&graph, NULL, &err);
	assert_non_null(p);
	assert_int_equal(pipeline_start(p, &err), VPN_OK);
	assert_int_equal(pipeline_stop(p, &err), VPN_OK);
	assert_int_equal(pipeline_stop(p, &err), VPN_OK); /* idempotent */
	pipeline_free(p, NULL);
	assert_string_equal(fake_log.order, "cDcMcBsBsMsDpDpMpBdDdMdB");
	close_outer();
}

static void starts_once(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct vpn_device_info info;
	(void)state;
	fake_reset();
	fake_graph(&manifest, &graph, 1, 0, NULL, NULL);
	struct pipeline *p = pipeline_new(&graph, NULL, &err);
	assert_non_null(p);
	assert_false(pipeline_device(p, &info));
	assert_int_equal(pipeline_start(p, &err), VPN_OK);
	assert_true(pipeline_device(p, &info));
	assert_int_equal(info.flags, VPN_DEVICE_UP); /* of which this device says nothing */
	assert_int_equal(pipeline_start(p, &err), VPN_EINVAL); /* and the one that runs goes on */
	assert_true(pipeline_device(p, &info));
	assert_int_equal(pipeline_stop(p, &err), VPN_OK);
	assert_false(pipeline_device(p, &info));
	assert_int_equal(pipeline_start(p, &err), VPN_EINVAL);
	pipeline_free(p, NULL);
	assert_string_equal(fake_log.order, "cDcBsBsDpDpBdDdB");
	close_outer();
}

/* The fake fails with a status and no text; a pipeline may be started long after it was made. */
static void a_start_has_the_time_and_its_failure_a_text(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct fake_config bad = {.fail_start = 1};
	(void)state;
	fake_reset();
	fake_graph(&manifest, &graph, 1, 0, NULL, &bad);
	struct pipeline *p = pipeline_new(&graph, NULL, &err);
	assert_non_null(p);
	p->instances[1].lanes[0]->now_ns = 1;
	uint64_t before = lane_now_ns();
	assert_int_equal(pipeline_start(p, &err), VPN_EIO);
	assert_true(p->instances[1].lanes[0]->now_ns >= before);
	assert_string_equal(err.text,
			    "fake-bottom: start() failed with status -4 and says no more");
	pipeline_free(p, NULL);
}

static void a_failed_create_destroys_what_was_made(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct fake_config bad = {.fail_create = 1};
	(void)state;
	fake_reset();
	fake_graph(&manifest, &graph, 1, 1, NULL, &bad);
	assert_null(pipeline_new(&graph, NULL, &err));
	assert_string_equal(fake_log.order, "cDcMcBdBdDdM");
}

static void a_failed_start_stops_what_was_started(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct fake_config bad = {.fail_start = 1};
	(void)state;
	fake_reset();
	fake_graph(&manifest, &graph, 2, 1, &bad, NULL);
	struct pipeline *p = pipeline_new(&graph, NULL, &err);
	assert_non_null(p);
	assert_int_equal(pipeline_start(p, &err), VPN_EIO);
	pipeline_free(p, NULL);
	assert_string_equal(fake_log.order, "cDcMcBsBsMsDpDpMpBdDdMdB");
}

static void on_failed(void *ctx)
{
	atomic_int *n = ctx;
	(*n)++;
}

static void the_first_failure_is_kept(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT, first = VPN_ERROR_INIT, second = VPN_ERROR_INIT;
	atomic_int calls = 0;
	const struct pipeline_events events = {.failed = on_failed, .ctx = &calls};
	(void)state;
	fake_reset();
	fake_graph(&manifest, &graph, 1, 0, NULL, NULL);
	struct pipeline *p = pipeline_new(&graph, &events, &err);
	assert_non_null(p);
	assert_false(pipeline_error(p, &err));
	fault(&first, VPN_ECLOSED, 5, "the first");
	fault(&second, VPN_EIO, 6, "the second");
	(fake_log.device_host->fail)(fake_log.device_host, &first);
	(fake_log.device_host->fail)(fake_log.device_host, &second);
	assert_int_equal(calls, 1);
	assert_true(pipeline_error(p, &err));
	assert_int_equal(err.status, VPN_ECLOSED);
	assert_string_equal(err.text, "the first");
	pipeline_free(p, NULL);
}

static void finds_a_service_by_id(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	void *inst = NULL;
	(void)state;
	fake_reset();
	fake_graph(&manifest, &graph, 1, 0, NULL, NULL);
	struct pipeline *p = pipeline_new(&graph, NULL, &err);
	assert_non_null(p);
	const struct vpn_host *host = fake_log.bottom_host;
	const struct vpn_device_ext *ext = host->get_service(host, VPN_EXT_DEVICE, &inst);
	assert_non_null(ext);
	struct vpn_device_info info = {.size = sizeof(info)};
	assert_int_equal(ext->info(inst, &info), VPN_OK);
	assert_string_equal(info.name, "fake0");
	assert_null(host->get_service(host, "vpncore.device/2", &inst));
	/* of another component: the device does not find itself */
	host = fake_log.device_host;
	assert_null(host->get_service(host, VPN_EXT_DEVICE, &inst));
	pipeline_free(p, NULL);
}

static void a_stage_knows_the_component_above(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	(void)state;
	for (int middle = 0; middle < 2; middle++) {
		fake_reset();
		fake_graph(&manifest, &graph, 1, middle, NULL, NULL);
		struct pipeline *p = pipeline_new(&graph, NULL, &err);
		assert_non_null(p);
		assert_null(fake_log.device_host->above);
		assert_string_equal(fake_log.bottom_host->above,
				    graph.stages[middle].part->loaded->component->id);
		pipeline_free(p, NULL);
	}
}

static char seen[4096];

static void keep_line(void *ctx, const char *text)
{
	(void)ctx;
	strncat(seen, text, sizeof(seen) - strlen(seen) - 1);
	strncat(seen, "\n", sizeof(seen) - strlen(seen) - 1);
}

static void counters_have_a_line_for_each_lane_and_stage(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	(void)state;
	fake_reset();
	fake_graph(&manifest, &graph, 2, 0, NULL, NULL);
	struct pipeline *p = pipeline_new(&graph, NULL, &err);
	assert_non_null(p);
	vpn_count(p->instances[0].lanes[1], FAKE_DROP_FULL, 3);
	seen[0] = '\0';
	pipeline_counters(p, keep_line, NULL);
	assert_string_equal(
		seen, "counters: lane 0 fake-device: down packets=0 bytes=0 batches=0 up packets=0 "
		      "bytes=0 batches=0\n"
		      "counters: lane 0 fake-bottom: down packets=0 bytes=0 batches=0 up packets=0 "
		      "bytes=0 batches=0\n"
		      "counters: lane 1 fake-device: down packets=0 bytes=0 batches=0 up packets=0 "
		      "bytes=0 batches=0 drop_full=3\n"
		      "counters: lane 1 fake-bottom: down packets=0 bytes=0 batches=0 up packets=0 "
		      "bytes=0 batches=0\n");
	pipeline_free(p, NULL);
}

/* Fails each allocation in turn, until one whole start needs fewer. */
static void survives_the_failure_of_every_allocation(void **state)
{
	int n = 0;
	bool whole = false;
	(void)state;
	for (; !whole && n < 1000; n++) {
		struct vpn_error err = VPN_ERROR_INIT;
		fake_reset();
		fake_graph(&manifest, &graph, 2, 1, NULL, NULL);
		fail_at = n;
		struct pipeline *p = pipeline_new(&graph, NULL, &err);
		vpn_status status = p != NULL ? pipeline_start(p, &err) : err.status;
		whole = fail_at >= 0; /* the failure was not reached */
		fail_at = -1;
		assert_true(whole || status != VPN_OK || p != NULL);
		if (p == NULL)
			assert_int_not_equal(err.status, VPN_OK);
		pipeline_free(p, NULL);
		assert_int_equal(fake_log.created, fake_log.destroyed);
		close_outer();
	}
	assert_true(whole);
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_from_the_network_and_stops_from_the_device),
		cmocka_unit_test(starts_once),
		cmocka_unit_test(a_start_has_the_time_and_its_failure_a_text),
		cmocka_unit_test(a_failed_create_destroys_what_was_made),
		cmocka_unit_test(a_failed_start_stops_what_was_started),
		cmocka_unit_test(the_first_failure_is_kept),
		cmocka_unit_test(finds_a_service_by_id),
		cmocka_unit_test(a_stage_knows_the_component_above),
		cmocka_unit_test(counters_have_a_line_for_each_lane_and_stage),
		cmocka_unit_test(survives_the_failure_of_every_allocation),
	};
	return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
