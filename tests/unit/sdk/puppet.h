/* SPDX-License-Identifier: BSD-2-Clause */
/* puppet: a transport whose every move is given by the test; and reports that are collected. */
#ifndef TEST_SDK_PUPPET_H
#define TEST_SDK_PUPPET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <vpncore/testhost.h>

/* What the puppet does; NULL = the plain thing: pass on, succeed. */
struct moves {
	uint32_t (*send)(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n);
	uint32_t (*recv)(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n);
	uint32_t (*ready)(struct vpn_lane *lane, uint64_t token, uint32_t events);
	void (*timer)(struct vpn_lane *lane, uint64_t now_ns);
	void (*resolved)(struct vpn_lane *lane, uint64_t token, vpn_status status,
			 const struct vpn_endpoint *endpoints, uint32_t n);
	vpn_status (*start)(struct vpn_lane *const *lanes, struct vpn_error *err);
	void (*stop)(void);
	struct vpn_needs needs;
};

extern struct moves moves;
extern const struct vpn_component puppet;
extern const struct vpn_host *services; /* what the last puppet was created with */

enum { PUPPET_SEEN, PUPPET_DROP, PUPPET_COUNTERS };

/* Reports since set_up(). */
extern unsigned reports;
extern char last_report[4096];

extern struct testhost *host;

int set_up(void **state);    /* a new host; reports are collected */
int tear_down(void **state); /* frees it; a report that no test expected fails */

/* A running puppet. */
struct testhost_stage *running(void);

/* Exactly one report, with this text; forgets it. */
void expect_report(const char *text);

/* A report or more, the last with this text; forgets them. */
void expect_reports(const char *text);

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
