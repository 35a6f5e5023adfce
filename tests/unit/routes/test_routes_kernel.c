/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes, rules, switches, tables and their undoing in a network namespace of the test's own. */
#include "scenes.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nft.h"
#include "prefix.h"
#include "record.h"
#include "route.h"
#include "rule.h"
#include "switch.h"

static struct routes_netlink nl;

static int enter(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET) == 0 && routes_netlink_open(&nl) == 0 ? 0 : -1;
}

static int leave(void **state)
{
	(void)state;
	routes_netlink_close(&nl);
	return 0;
}

static void on_log(const struct vpn_host *host, uint32_t level, const char *text)
{
	(void)host;
	(void)level;
	(void)text;
}

static const struct vpn_host host = {.size = sizeof(host), .log = on_log};

static vpn_status undo(const void *data, uint32_t len)
{
	struct vpn_error err = {.size = sizeof(err)};
	vpn_status status = routes_record_undo(&host, 0, data, len, &err);
	assert_true(status == VPN_OK || err.text[0] != '\0');
	return status;
}

static struct routes_route unreachable(const char *to, uint32_t metric)
{
	return (struct routes_route){.dst = routes_prefix_of(to),
				     .type = RTN_UNREACHABLE,
				     .protocol = 190,
				     .table = 7600,
				     .metric = metric};
}

static uint32_t count_routes(const struct routes_route *like)
{
	struct routes_list list = {.items = NULL};
	uint32_t n = 0;
	assert_int_equal(routes_route_dump(&nl, 190, &list), 0);
	for (uint32_t i = 0; i < list.n; i++)
		n += routes_route_compare((struct routes_route *)list.items + i, like) == 0;
	routes_list_free(&list);
	return n;
}

static void a_route_reads_back_as_it_was_written(void **state)
{
	(void)state;
	static const char *const to[] = {"10.9.0.0/16", "fd99::/48", "0.0.0.0/0", "::/0"};
	for (size_t i = 0; i < 4; i++) {
		struct routes_route r = unreachable(to[i], 1024);
		assert_int_equal(routes_route_add(&nl, &r), 0);
		assert_int_equal(routes_route_add(&nl, &r), EEXIST);
		assert_int_equal(count_routes(&r), 1);
		assert_int_equal(routes_route_delete(&nl, &r), 0);
		assert_int_equal(routes_route_delete(&nl, &r), 0);
		assert_int_equal(count_routes(&r), 0);
	}
}

static void a_table_in_use_is_seen(void **state)
{
	(void)state;
	struct routes_route r = unreachable("10.9.0.0/16", 0);
	bool used = true;
	assert_int_equal(routes_route_table_used(&nl, 7600, &used), 0);
	assert_false(used);
	assert_int_equal(routes_route_add(&nl, &r), 0);
	assert_int_equal(routes_route_table_used(&nl, 7600, &used), 0);
	assert_true(used);
	assert_int_equal(routes_route_delete(&nl, &r), 0);
}

static void a_route_is_looked_up_in_both_families(void **state)
{
	static const struct vpn_address to[] = {
		{.family = VPN_AF_INET, .addr = {10, 9, 0, 1}},
		{.family = VPN_AF_INET6, .addr = {0xfd, 0x99, [15] = 1}},
	};
	struct routes_lookup found;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(routes_route_lookup(&nl, &to[i], 0x76000000, &found), 0);
		assert_int_equal(found.type, RTN_UNREACHABLE);
	}
}

/* ---- a dump that changes while it is read ---- */

#define MANY 1500 /* addresses: more than two answers of a dump */

static int change_address(uint16_t type, uint32_t number)
{
	struct routes_request request;
	struct routes_netlink other;
	struct nlmsghdr *nlh = routes_netlink_begin(
		&request, type, type == RTM_NEWADDR ? NLM_F_ACK | NLM_F_CREATE : NLM_F_ACK);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	uint8_t address[4] = {10, 77, (uint8_t)(number >> 8), (uint8_t)number};
	*ifa = (struct ifaddrmsg){.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 1};
	mnl_attr_put(nlh, IFA_LOCAL, sizeof(address), address);
	assert_int_equal(routes_netlink_open(&other), 0);
	int e = routes_netlink_ask(&other, nlh, NULL, NULL);
	routes_netlink_close(&other);
	return e;
}

struct changing {
	struct routes_list seen;
	uint32_t changes; /* that are still to be made, one in each dump */
	bool changed;
};

static int on_changing(const struct nlmsghdr *nlh, void *ctx)
{
	struct changing *c = ctx;
	c->changed &= c->seen.n != 0;
	assert_true(routes_list_add(&c->seen, &nlh->nlmsg_len, sizeof(nlh->nlmsg_len)));
	if (!c->changed && c->changes > 0)
		assert_int_equal(change_address(RTM_NEWADDR, MANY + --c->changes), 0);
	c->changed = true;
	return MNL_CB_OK;
}

static void a_dump_that_changes_is_read_again(void **state)
{
	struct routes_request request;
	struct changing c = {.changes = 3};
	struct routes_list *const lists[] = {&c.seen, NULL};
	bool used;
	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(change_address(RTM_NEWADDR, i), 0);
	struct nlmsghdr *nlh = routes_netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = AF_INET;
	assert_int_equal(routes_netlink_dump(&nl, nlh, on_changing, &c, lists), 0);
	assert_int_equal(c.changes, 0);
	assert_int_equal(c.seen.n, MANY + 3); /* each once */
	/* nothing of it is left to be read, or to be waited for */
	assert_int_equal(routes_route_table_used(&nl, 7600, &used), 0);
	routes_list_free(&c.seen);
	for (uint32_t i = 0; i < MANY + 3; i++)
		assert_int_equal(change_address(RTM_DELADDR, i), 0);
}

static void a_route_of_another_in_its_place_stays(void **state)
{
	(void)state;
	struct routes_route r = unreachable("10.9.0.0/16", 7), other = r;
	struct routes_record record = {
		.version = ROUTES_RECORD_VERSION, .kind = ROUTES_KIND_ROUTE, .u.route = r};
	other.protocol = 4; /* RTPROT_STATIC: somebody's */
	assert_int_equal(routes_route_add(&nl, &other), 0);
	assert_int_equal(undo(&record, sizeof(record)), VPN_OK);
	assert_int_equal(routes_route_add(&nl, &other), EEXIST);
	assert_int_equal(routes_route_delete(&nl, &other), 0);
}

static void a_route_takes_the_place_of_another_ones(void **state)
{
	(void)state;
	static const char *const to[] = {"10.9.0.0/16", "fd99::/48"};
	for (size_t i = 0; i < 2; i++) {
		struct routes_route ours = unreachable(to[i], 1024), other = ours;
		other.protocol = 4; /* RTPROT_STATIC: somebody's */
		assert_int_equal(routes_route_add(&nl, &other), 0);
		assert_int_equal(routes_route_add(&nl, &ours), EEXIST);
		assert_int_equal(routes_route_replace(&nl, &ours), 0);
		assert_int_equal(count_routes(&ours), 1);
		assert_int_equal(routes_route_delete(&nl, &other), 0); /* there is none */
		assert_int_equal(count_routes(&ours), 1);
		assert_int_equal(routes_route_delete(&nl, &ours), 0);
	}
}

static uint32_t count_rules(const struct routes_rule *like)
{
	struct routes_list list = {.items = NULL};
	uint32_t n = 0;
	assert_int_equal(routes_rule_dump(&nl, &list), 0);
	for (uint32_t i = 0; i < list.n; i++)
		n += routes_rule_compare((struct routes_rule *)list.items + i, like) == 0;
	routes_list_free(&list);
	return n;
}

static void a_rule_reads_back_and_is_undone_once_and_again(void **state)
{
	(void)state;
	const struct routes_rule rules[] = {
		{VPN_AF_INET, FR_ACT_TO_TBL, 190, 0, 7600, 254, 0x76000000, 0xff000000},
		{VPN_AF_INET6, FR_ACT_UNREACHABLE, 190, 0, 7610, 0, 0x76000000, 0xff000000},
		{VPN_AF_INET, FR_ACT_TO_TBL, 190, 0, 7630, 7600, 0, 0},
	};
	for (size_t i = 0; i < 3; i++) {
		struct routes_record record = {.version = ROUTES_RECORD_VERSION,
					       .kind = ROUTES_KIND_RULE,
					       .u.rule = rules[i]};
		assert_int_equal(routes_rule_add(&nl, &rules[i]), 0);
		assert_int_equal(count_rules(&rules[i]), 1);
		assert_int_equal(undo(&record, sizeof(record)), VPN_OK);
		assert_int_equal(count_rules(&rules[i]), 0);
		assert_int_equal(undo(&record, sizeof(record)), VPN_OK);
	}
}

/* Of a rule with the same preference, mark, table and protocol, but another condition. */
static void a_rule_with_other_conditions_is_not_taken_for_ours(void **state)
{
	(void)state;
	const struct routes_rule ours = {VPN_AF_INET, FR_ACT_TO_TBL, 190, 0, 7630, 7600, 0, 0};
	struct routes_request request;
	struct nlmsghdr *nlh = routes_netlink_begin(&request, RTM_NEWRULE,
						    NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));
	*frh = (struct fib_rule_hdr){.family = AF_INET, .action = FR_ACT_TO_TBL};
	mnl_attr_put_u32(nlh, FRA_PRIORITY, 7630);
	mnl_attr_put_u32(nlh, FRA_TABLE, 7600);
	mnl_attr_put_strz(nlh, FRA_IIFNAME, "eth0");
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, 190);
	assert_int_equal(routes_netlink_ask(&nl, nlh, NULL, NULL), 0);
	assert_int_equal(count_rules(&ours), 0);
	assert_int_equal(routes_rule_add(&nl, &ours), 0);
	assert_int_equal(count_rules(&ours), 1);
	/* it came behind the other one */
	assert_int_equal(routes_rule_delete_first(&nl, VPN_AF_INET, 7630), 0);
	assert_int_equal(count_rules(&ours), 1);
	assert_int_equal(routes_rule_delete(&nl, &ours), 0);
	assert_int_equal(routes_rule_delete_first(&nl, VPN_AF_INET, 7630), 0);
}

static void is_now(const char *path, const char *value)
{
	char now[ROUTES_SWITCH_VALUE];
	assert_int_equal(routes_switch_read(path, now), 0);
	assert_string_equal(now, value);
}

static struct routes_record switch_record(const char *path, const char *set, const char *before)
{
	struct routes_record r = {.version = ROUTES_RECORD_VERSION, .kind = ROUTES_KIND_SWITCH};
	snprintf(r.u.change.set.path, sizeof(r.u.change.set.path), "%s", path);
	snprintf(r.u.change.set.value, sizeof(r.u.change.set.value), "%s", set);
	snprintf(r.u.change.before, sizeof(r.u.change.before), "%s", before);
	return r;
}

static void a_switch_goes_back_unless_another_has_set_it(void **state)
{
	(void)state;
	static const char path[] = "net/ipv4/conf/all/src_valid_mark";
	struct routes_record record = switch_record(path, "1", "0");
	is_now(path, "0");
	assert_int_equal(undo(&record, sizeof(record)), VPN_OK); /* never made */
	is_now(path, "0");
	assert_int_equal(routes_switch_write(path, "1"), 0);
	assert_int_equal(undo(&record, sizeof(record)), VPN_OK);
	is_now(path, "0");
	assert_int_equal(routes_switch_write(path, "2"), 0);
	assert_int_equal(undo(&record, sizeof(record)), VPN_OK);
	is_now(path, "2");
}

static void what_goes_along_with_forwarding_is_found(void **state)
{
	(void)state;
	struct routes_list along = {.items = NULL};
	assert_int_equal(routes_switch_write("net/ipv4/conf/lo/forwarding", "1"), 0);
	assert_int_equal(routes_switch_write(ROUTES_REDIRECTS, "0"), 0);
	assert_int_equal(routes_switch_along(ROUTES_FORWARD4, &along), 0);
	assert_int_equal(along.n, 2);
	const struct routes_along *a = along.items;
	for (uint32_t i = 0; i < along.n; i++) {
		assert_true(routes_switch_is_ours(a[i].set.path));
		is_now(a[i].set.path, a[i].before);
	}
	routes_list_free(&along);
	assert_int_equal(routes_switch_along("net/ipv4/conf/all/src_valid_mark", &along), 0);
	assert_int_equal(along.n, 0);
}

static void refuses_records_that_make_no_sense(void **state)
{
	(void)state;
	struct routes_record r = switch_record("kernel/core_pattern", "1", "|/bin/sh");
	assert_int_equal(undo(&r, sizeof(r)), VPN_EINVAL);
	r = switch_record("net/ipv4/conf/../../../kernel/x/forwarding", "1", "0");
	assert_int_equal(undo(&r, sizeof(r)), VPN_EINVAL);
	r = switch_record("net/ipv4/ip_forward", "1", "0");
	assert_int_equal(undo(&r, sizeof(r) - 1), VPN_EINVAL);
	memset(r.u.change.before, '1', sizeof(r.u.change.before));
	assert_int_equal(undo(&r, sizeof(r)), VPN_EINVAL);
	r.version = 2;
	assert_int_equal(undo(&r, sizeof(r)), VPN_EINVAL);
	r = (struct routes_record){.version = ROUTES_RECORD_VERSION, .kind = ROUTES_KIND_TABLE};
	strcpy(r.u.table, "filter");
	assert_int_equal(undo(&r, sizeof(r)), VPN_EINVAL);
	strcpy(r.u.table, "vpncore.a; flush ruleset");
	assert_int_equal(undo(&r, sizeof(r)), VPN_EINVAL);
	r = (struct routes_record){.version = ROUTES_RECORD_VERSION, .kind = 99};
	assert_int_equal(undo(&r, sizeof(r)), VPN_EINVAL);
	r.kind = ROUTES_KIND_ROUTE; /* of no family */
	assert_int_equal(undo(&r, sizeof(r)), VPN_EINVAL);
}

/* Whatever the texts are like, the kernel has to take them. */
static void nftables_takes_every_golden_table(void **state)
{
	(void)state;
	static const char *const names[] = {"guard-default", "guard-nat", "guard-dns",
					    "forward",       "lock",      "lock-open"};
	struct nft_ctx *nft = routes_nft_open();
	struct vpn_error err = {.size = sizeof(err)};
	assert_non_null(nft);
	for (size_t i = 0; i < 6; i++) {
		char path[512], text[8192] = "";
		snprintf(path, sizeof(path), "%s/%s.nft", GOLDEN_DIR, names[i]);
		FILE *f = fopen(path, "r");
		assert_non_null(f);
		assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
		fclose(f);
		for (int twice = 0; twice < 2; twice++)
			if (routes_nft_run(nft, text, &err) != VPN_OK)
				fail_msg("%s: %s", names[i], err.text);
	}
	char *listed = routes_nft_list(nft, "vpncore-lock.home");
	assert_non_null(listed);
	free(listed);
	assert_int_equal(routes_nft_delete(nft, "vpncore-lock.home", &err), VPN_OK);
	assert_int_equal(routes_nft_delete(nft, "vpncore-lock.home", &err), VPN_OK);
	assert_null(routes_nft_list(nft, "vpncore-lock.home"));
	assert_int_equal(routes_nft_run(nft, "no such words", &err), VPN_EIO);
	routes_nft_close(nft);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_reads_back_as_it_was_written),
		cmocka_unit_test(a_table_in_use_is_seen),
		cmocka_unit_test(a_route_is_looked_up_in_both_families),
		cmocka_unit_test(a_dump_that_changes_is_read_again),
		cmocka_unit_test(a_route_of_another_in_its_place_stays),
		cmocka_unit_test(a_route_takes_the_place_of_another_ones),
		cmocka_unit_test(a_rule_with_other_conditions_is_not_taken_for_ours),
		cmocka_unit_test(a_rule_reads_back_and_is_undone_once_and_again),
		cmocka_unit_test(a_switch_goes_back_unless_another_has_set_it),
		cmocka_unit_test(what_goes_along_with_forwarding_is_found),
		cmocka_unit_test(refuses_records_that_make_no_sense),
		cmocka_unit_test(nftables_takes_every_golden_table),
	};
	return cmocka_run_group_tests(tests, enter, leave);
}
