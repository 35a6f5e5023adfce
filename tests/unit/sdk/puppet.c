/* SPDX-License-Identifier: BSD-2-Clause */
#include "puppet.h"

#include <stdio.h>
#include <string.h>

struct moves moves;
const struct vpn_host *services;
unsigned reports;
char last_report[4096];
struct testhost *host;

static uint32_t do_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	return moves.send != NULL ? moves.send(lane, pkts, n) : vpn_push(lane->down, pkts, n);
}

static uint32_t do_recv(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	return moves.recv != NULL ? moves.recv(lane, pkts, n) : vpn_push(lane->up, pkts, n);
}

static uint32_t do_ready(void *inst, struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	(void)inst;
	vpn_count(lane, PUPPET_SEEN, 1);
	return moves.ready != NULL ? moves.ready(lane, token, events) : VPN_IDLE;
}

static void do_timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	(void)inst;
	if (moves.timer != NULL)
		moves.timer(lane, now_ns);
}

static uint32_t do_writable(void *inst, struct vpn_lane *lane, uint32_t direction)
{
	(void)inst;
	vpn_count(lane, PUPPET_SEEN, direction == VPN_DOWN ? 100 : 1000);
	return VPN_IDLE;
}

static void do_resolved(void *inst, struct vpn_lane *lane, uint64_t token, vpn_status status,
			const struct vpn_endpoint *endpoints, uint32_t n)
{
	(void)inst;
	if (moves.resolved != NULL)
		moves.resolved(lane, token, status, endpoints, n);
}

static void needs(const void *config, struct vpn_needs *out)
{
	(void)config;
	uint32_t size = out->size;
	*out = moves.needs;
	out->size = size;
	out->flags |= VPN_L3;
}

static vpn_status create(const struct vpn_host *given, const void *config, void **inst,
			 struct vpn_error *err)
{
	(void)config;
	(void)err;
	services = given;
	*inst = &moves;
	return VPN_OK;
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	(void)inst;
	return moves.start != NULL ? moves.start(lanes, err) : VPN_OK;
}

static void stop(void *inst)
{
	(void)inst;
	if (moves.stop != NULL)
		moves.stop();
}

static void destroy(void *inst)
{
	(void)inst;
}

static const struct vpn_counter counters[PUPPET_COUNTERS] = {
	[PUPPET_SEEN] = {"seen", "calls", 0, 0},
	[PUPPET_DROP] = {"drop_all", "drops", VPN_COUNTER_DROP, 0},
};

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.counters = counters,
	.n_counters = PUPPET_COUNTERS,
	.needs = needs,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = destroy,
};

static const struct vpn_flow flow = {
	.size = sizeof(flow),
	.send = do_send,
	.recv = do_recv,
	.ready = do_ready,
	.timer = do_timer,
	.writable = do_writable,
	.resolved = do_resolved,
};

const struct vpn_component puppet = {
	.size = sizeof(puppet),
	.kind = VPN_KIND_TRANSPORT,
	.id = "puppet",
	.summary = "does what the test says",
	.lifecycle = &lifecycle,
	.flow = &flow,
};

static void collect(void *ctx, const char *file, int line, const char *text)
{
	(void)ctx;
	(void)file;
	(void)line;
	reports++;
	snprintf(last_report, sizeof(last_report), "%s", text);
}

int set_up(void **state)
{
	(void)state;
	memset(&moves, 0, sizeof(moves));
	reports = 0;
	last_report[0] = '\0';
	testhost_on_report(collect, NULL);
	host = testhost_new(42);
	return host == NULL;
}

int tear_down(void **state)
{
	(void)state;
	host = testhost_free(host);
	if (reports != 0)
		print_error("a report that no test expected: %s\n", last_report);
	return reports != 0;
}

struct testhost_stage *running(void)
{
	struct testhost_stage *s = testhost_add(host, &puppet, NULL, NULL);
	assert_non_null(s);
	assert_int_equal(testhost_start(s, NULL), VPN_OK);
	return s;
}

void expect_reports(const char *text)
{
	assert_int_not_equal(reports, 0);
	if (strstr(last_report, text) == NULL)
		fail_msg("reported \"%s\", not \"%s\"", last_report, text);
	reports = 0;
}

void expect_report(const char *text)
{
	assert_int_equal(reports, 1);
	expect_reports(text);
}
