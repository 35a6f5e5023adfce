/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose is an address? Held against a plain list of prefixes that is searched from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "allowedips.h"

static uint64_t allocations, failing; /* failing: the number of the call, 0 = none */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t each);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t each);

void *__wrap_malloc(size_t n)
{
	return ++allocations == failing ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t each)
{
	return ++allocations == failing ? NULL : __real_calloc(n, each);
}

/* ---- what the tests begin with --------------------------------------------------------------- */

#define PEERS 6u

struct wg_peer {
	struct wg_allowed_list list;
	uint32_t number;
	struct wg_retired retired;
};

static struct wg_peer peers[PEERS];
static struct wg_epoch epoch;
static struct wg_allowedips table;
static uint64_t seed;

static uint32_t draw(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % below;
}

static int begin(void **state)
{
	(void)state;
	memset(peers, 0, sizeof(peers));
	seed = 0x2545f4914f6cdd1du;
	allocations = failing = 0;
	if (!wg_epoch_init(&epoch, 2))
		return -1;
	wg_allowedips_init(&table, &epoch);
	return 0;
}

static int end(void **state)
{
	(void)state;
	wg_allowedips_clear(&table);
	wg_epoch_clear(&epoch);
	return 0;
}

static struct vpn_prefix prefix_of(const char *text, uint8_t length)
{
	struct vpn_prefix p = {.family = VPN_AF_INET, .length = length};
	if (inet_pton(AF_INET, text, p.addr) != 1) {
		p.family = VPN_AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, p.addr), 1);
	}
	return p;
}

static void give(const char *text, uint8_t length, uint32_t peer)
{
	struct vpn_prefix p = prefix_of(text, length);
	assert_true(wg_allowedips_insert(&table, &p, &peers[peer], &peers[peer].list));
}

static bool take(const char *text, uint8_t length, uint32_t peer)
{
	struct vpn_prefix p = prefix_of(text, length);
	return wg_allowedips_remove(&table, &p, &peers[peer]);
}

/* The number of the peer, -1 for none. */
static int number(const struct wg_peer *peer)
{
	return peer == NULL ? -1 : (int)(peer - peers);
}

#define MANY 50u /* queries at once */

static int look_up(uint8_t family, const uint8_t *addr)
{
	struct wg_allowed_query q = {.addr = addr, .peer = &peers[0], .family = family};
	wg_allowedips_lookup(&table, &q, 1);
	return number(q.peer);
}

static int whose(const char *text)
{
	struct vpn_prefix p = prefix_of(text, 0);
	return look_up(p.family, p.addr);
}

static int owner(const char *text, uint8_t length)
{
	struct vpn_prefix p = prefix_of(text, length);
	return number(wg_allowedips_owner(&table, &p));
}

/* ---- exact cases ----------------------------------------------------------------------------- */

static void an_empty_table_has_nobody(void **state)
{
	(void)state;
	assert_int_equal(whose("10.0.0.1"), -1);
	assert_int_equal(whose("::"), -1);
	assert_int_equal(owner("0.0.0.0", 0), -1);
	assert_false(take("0.0.0.0", 0, 0));
	wg_allowedips_remove_peer(&table, &peers[0].list);
	assert_int_equal(table.count, 0);
}

static void the_default_route_has_every_address_of_its_family(void **state)
{
	(void)state;
	give("0.0.0.0", 0, 1);
	assert_int_equal(whose("0.0.0.0"), 1);
	assert_int_equal(whose("255.255.255.255"), 1);
	assert_int_equal(whose("::"), -1);
	give("::", 0, 2);
	assert_int_equal(whose("::"), 2);
	assert_int_equal(whose("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 2);
	assert_int_equal(whose("::ffff:1.2.3.4"), 2);
	assert_int_equal(whose("1.2.3.4"), 1);
	assert_true(take("0.0.0.0", 0, 1));
	assert_int_equal(whose("1.2.3.4"), -1);
	assert_int_equal(whose("::"), 2);
}

static void a_host_is_one_address(void **state)
{
	(void)state;
	give("192.0.2.7", 32, 0);
	give("0.0.0.0", 32, 1);
	give("255.255.255.255", 32, 2);
	assert_int_equal(whose("192.0.2.7"), 0);
	assert_int_equal(whose("192.0.2.6"), -1);
	assert_int_equal(whose("192.0.2.8"), -1);
	assert_int_equal(whose("0.0.0.0"), 1);
	assert_int_equal(whose("0.0.0.1"), -1);
	assert_int_equal(whose("255.255.255.255"), 2);
	assert_int_equal(whose("255.255.255.254"), -1);
	give("2001:db8::7", 128, 3);
	give("2001:db8::6", 128, 4);
	assert_int_equal(whose("2001:db8::7"), 3);
	assert_int_equal(whose("2001:db8::6"), 4);
	assert_int_equal(whose("2001:db8::5"), -1);
	assert_int_equal(whose("2001:db8:0:1::7"), -1);
}

static void prefixes_around_the_middle_of_an_ipv6_address(void **state)
{
	(void)state;
	give("2001:db8:0:2::", 63, 0);
	give("2001:db8:0:2::", 64, 1);
	give("2001:db8:0:2:8000::", 65, 2);
	give("2001:db8:0:2:8000::1", 127, 3);
	assert_int_equal(whose("2001:db8:0:3::1"), 0);
	assert_int_equal(whose("2001:db8:0:2::1"), 1);
	assert_int_equal(whose("2001:db8:0:2:8000::2"), 2);
	assert_int_equal(whose("2001:db8:0:2:8000::1"), 3);
	assert_int_equal(whose("2001:db8:0:2:8000::"), 3);
	assert_int_equal(whose("2001:db8:0:1::"), -1);
	assert_int_equal(owner("2001:db8:0:2::", 64), 1);
	assert_int_equal(owner("2001:db8:0:2::", 66), -1);
}

static bool collect_one(void *ctx, const struct vpn_prefix *prefix)
{
	*(struct vpn_prefix *)ctx = *prefix;
	return true;
}

static void host_bits_are_ignored(void **state)
{
	struct vpn_prefix seen, want = prefix_of("10.1.2.0", 23);
	(void)state;
	give("10.1.3.255", 23, 0);
	assert_int_equal(whose("10.1.2.0"), 0);
	assert_int_equal(whose("10.1.4.0"), -1);
	assert_int_equal(owner("10.1.2.99", 23), 0);
	assert_true(wg_allowedips_each(&peers[0].list, collect_one, &seen));
	assert_memory_equal(&seen, &want, sizeof(want));
	give("10.1.2.1", 23, 1);
	assert_int_equal(table.count, 1);
	assert_true(take("10.1.3.3", 23, 1));
	assert_int_equal(table.count, 0);
	give("fd00::1", 0, 2);
	want = prefix_of("::", 0);
	assert_true(wg_allowedips_each(&peers[2].list, collect_one, &seen));
	assert_memory_equal(&seen, &want, sizeof(want));
}

static void what_is_no_prefix_is_refused(void **state)
{
	struct vpn_prefix bad[] = {prefix_of("10.0.0.0", 33), prefix_of("::", 129),
				   prefix_of("10.0.0.0", 8)};
	(void)state;
	bad[2].family = VPN_AF_OPAQUE;
	give("0.0.0.0", 0, 0);
	give("::", 0, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_false(wg_allowedips_insert(&table, &bad[i], &peers[0], &peers[0].list));
		assert_false(wg_allowedips_remove(&table, &bad[i], &peers[0]));
		assert_null(wg_allowedips_owner(&table, &bad[i]));
	}
	assert_int_equal(table.count, 2);
}

/* The inner nodes are given before, between and after the outer ones. */
static void the_longest_prefix_wins(void **state)
{
	(void)state;
	give("10.0.0.0", 16, 2);
	give("10.0.0.0", 8, 1);
	give("10.0.0.0", 32, 4);
	give("10.0.0.0", 24, 3);
	give("0.0.0.0", 0, 0);
	assert_int_equal(whose("11.0.0.0"), 0);
	assert_int_equal(whose("10.1.0.0"), 1);
	assert_int_equal(whose("10.0.1.0"), 2);
	assert_int_equal(whose("10.0.0.1"), 3);
	assert_int_equal(whose("10.0.0.0"), 4);
}

static void removing_an_inner_prefix_keeps_the_others(void **state)
{
	(void)state;
	give("10.0.0.0", 8, 0);
	give("10.0.0.0", 16, 1); /* has two below it */
	give("10.0.1.0", 24, 2);
	give("10.0.128.0", 24, 3);
	assert_true(take("10.0.0.0", 16, 1));
	assert_int_equal(whose("10.0.0.1"), 0);
	assert_int_equal(whose("10.0.1.1"), 2);
	assert_int_equal(whose("10.0.128.1"), 3);
	assert_int_equal(owner("10.0.0.0", 16), -1);
	give("10.0.0.0", 16, 4);
	assert_int_equal(whose("10.0.0.1"), 4);
	assert_true(take("10.0.1.0", 24, 2));
	assert_true(take("10.0.0.0", 16, 4)); /* has one below it */
	assert_int_equal(whose("10.0.1.1"), 0);
	assert_int_equal(whose("10.0.128.1"), 3);
	assert_true(take("10.0.0.0", 8, 0));
	assert_int_equal(whose("10.0.128.1"), 3);
	assert_int_equal(whose("10.0.1.1"), -1);
	assert_true(take("10.0.128.0", 24, 3));
	assert_null(atomic_load(&table.root4));
}

/* The node at which two siblings part is no prefix of anybody. */
static void siblings_do_not_share_what_is_between_them(void **state)
{
	(void)state;
	give("10.0.0.0", 24, 0);
	give("10.0.1.0", 24, 1);
	give("10.0.3.0", 24, 2);
	assert_int_equal(whose("10.0.2.0"), -1);
	assert_int_equal(owner("10.0.0.0", 23), -1);
	assert_false(take("10.0.0.0", 23, 0));
	assert_true(take("10.0.0.0", 24, 0));
	assert_int_equal(whose("10.0.0.0"), -1);
	assert_int_equal(whose("10.0.1.0"), 1);
	assert_int_equal(whose("10.0.3.0"), 2);
}

static void only_its_owner_gives_a_prefix_back(void **state)
{
	struct vpn_prefix p = prefix_of("10.0.0.0", 8);
	(void)state;
	give("10.0.0.0", 8, 0);
	assert_false(take("10.0.0.0", 8, 1));
	assert_false(take("10.0.0.0", 9, 0));
	assert_false(take("10.0.0.0", 7, 0));
	assert_false(wg_allowedips_remove(&table, &p, NULL));
	assert_int_equal(whose("10.0.0.1"), 0);
	assert_true(take("10.0.0.0", 8, 0));
	assert_false(take("10.0.0.0", 8, 0));
}

struct order {
	struct vpn_prefix seen[8];
	uint32_t n, stop_at;
};

static bool collect(void *ctx, const struct vpn_prefix *prefix)
{
	struct order *o = ctx;
	o->seen[o->n++] = *prefix;
	return o->n != o->stop_at;
}

static void expect_order(uint32_t peer, uint32_t n, const struct vpn_prefix *want)
{
	struct order o = {.n = 0};
	assert_true(wg_allowedips_each(&peers[peer].list, collect, &o));
	assert_int_equal(o.n, n);
	assert_int_equal(peers[peer].list.count, n);
	if (n > 0)
		assert_memory_equal(o.seen, want, n * sizeof(*want));
}

static void lists_are_in_the_order_of_giving(void **state)
{
	struct vpn_prefix a = prefix_of("10.2.0.0", 16), b = prefix_of("::", 0);
	struct vpn_prefix c = prefix_of("10.1.0.0", 16), d = prefix_of("10.0.0.0", 8);
	struct order o = {.stop_at = 2};
	(void)state;
	expect_order(0, 0, NULL);
	give("10.2.0.0", 16, 0);
	give("::", 0, 0);
	give("10.1.0.0", 16, 0);
	give("10.0.0.0", 8, 0);
	expect_order(0, 4, (const struct vpn_prefix[]){a, b, c, d});
	assert_false(wg_allowedips_each(&peers[0].list, collect, &o));
	assert_int_equal(o.n, 2);
	give("::", 0, 1); /* from the middle */
	expect_order(0, 3, (const struct vpn_prefix[]){a, c, d});
	expect_order(1, 1, &b);
	give("10.0.0.0", 8, 1); /* the last */
	expect_order(0, 2, (const struct vpn_prefix[]){a, c});
	expect_order(1, 2, (const struct vpn_prefix[]){b, d});
	give("10.2.0.0", 16, 0); /* its own again: it is the last now */
	expect_order(0, 2, (const struct vpn_prefix[]){c, a});
	give("10.1.0.0", 16, 1); /* the first */
	expect_order(0, 1, &a);
	assert_int_equal(table.count, 4);
	assert_true(take("10.2.0.0", 16, 0));
	expect_order(0, 0, NULL);
	give("10.2.0.0", 16, 0);
	expect_order(0, 1, &a);
}

static void removing_a_peer_takes_all_of_it_and_no_more(void **state)
{
	(void)state;
	give("10.0.0.0", 8, 0);
	give("10.0.0.0", 16, 1);
	give("10.0.0.0", 24, 0);
	give("::", 0, 0);
	give("fd00::", 8, 1);
	wg_allowedips_remove_peer(&table, &peers[0].list);
	expect_order(0, 0, NULL);
	assert_int_equal(table.count, 2);
	assert_int_equal(whose("10.0.0.0"), 1);
	assert_int_equal(whose("10.1.0.0"), -1);
	assert_int_equal(whose("::"), -1);
	assert_int_equal(whose("fd00::"), 1);
	wg_allowedips_remove_peer(&table, &peers[1].list);
	assert_null(atomic_load(&table.root4));
	assert_null(atomic_load(&table.root6));
	assert_int_equal(table.count, 0);
}

static void what_is_given_again_is_there_all_the_time(void **state)
{
	(void)state;
	give("10.0.0.0", 8, 0);
	give("10.1.0.0", 16, 0);
	give("fd00::", 8, 0);
	give("10.2.0.0", 16, 1);
	wg_allowedips_renew(&peers[0].list);
	assert_int_equal(whose("10.9.0.0"), 0);
	give("fd00::", 8, 0);
	give("10.3.0.0", 16, 0);
	give("10.1.0.0", 16, 1); /* another one takes it meanwhile */
	assert_int_equal(whose("10.9.0.0"), 0);
	assert_int_equal(whose("fd00::1"), 0);
	wg_allowedips_sweep(&table, &peers[0].list);
	assert_int_equal(whose("10.9.0.0"), -1);
	assert_int_equal(whose("fd00::1"), 0);
	assert_int_equal(whose("10.3.0.0"), 0);
	assert_int_equal(whose("10.1.0.0"), 1);
	assert_int_equal(peers[0].list.count, 2);
	wg_allowedips_sweep(&table, &peers[0].list);
	wg_allowedips_sweep(&table, &peers[1].list);
	assert_int_equal(table.count, 4);
	wg_allowedips_renew(&peers[1].list);
	wg_allowedips_sweep(&table, &peers[1].list);
	assert_int_equal(table.count, 2);
}

/* ---- without memory -------------------------------------------------------------------------- */

/* Fails the n-th allocation of giving `text`; the number of allocations that it needs. */
static uint64_t give_without_memory(const char *text, uint8_t length, int before)
{
	struct vpn_prefix p = prefix_of(text, length);
	for (uint64_t n = 1;; n++) {
		uint64_t count = table.count;
		allocations = 0;
		failing = n;
		bool given = wg_allowedips_insert(&table, &p, &peers[1], &peers[1].list);
		failing = 0;
		if (given) {
			assert_int_equal(whose(text), 1);
			return allocations;
		}
		assert_int_equal(table.count, count);
		assert_int_equal(whose(text), before);
		assert_int_equal(owner(text, length), -1);
		assert_int_equal(whose("10.0.0.1"), 0);
		assert_int_equal(whose("10.0.1.1"), 0);
		assert_int_equal(peers[0].list.count, 2);
		assert_int_equal(peers[1].list.count, count - 2);
	}
}

static void without_memory_nothing_changes(void **state)
{
	(void)state;
	give("10.0.0.0", 24, 0);
	give("10.0.1.0", 24, 0);
	assert_int_equal(give_without_memory("10.0.0.77", 32, 0), 1);  /* below */
	assert_int_equal(give_without_memory("10.2.0.0", 16, -1), 2);  /* beside */
	assert_int_equal(give_without_memory("192.0.2.0", 25, -1), 2); /* beside the root */
	assert_int_equal(give_without_memory("fd00::", 8, -1), 1);     /* the first */
	uint64_t before = allocations;
	give("10.0.0.0", 23, 1); /* where two part there is a node already */
	give("10.0.0.0", 24, 1);
	assert_int_equal(allocations, before);
}

/* ---- against a plain list -------------------------------------------------------------------- */

#define MODEL_MAX 300u

/* In the order of giving. */
static struct {
	struct vpn_prefix prefix;
	uint32_t peer;
} model[MODEL_MAX];
static uint32_t n_model;

static bool has_bits(const uint8_t *addr, const struct vpn_prefix *p)
{
	for (uint32_t i = 0; i < p->length; i++)
		if (((addr[i / 8] ^ p->addr[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

static int model_lookup(uint8_t family, const uint8_t *addr)
{
	int best = -1, length = -1;
	for (uint32_t i = 0; i < n_model; i++) {
		const struct vpn_prefix *p = &model[i].prefix;
		if (p->family == family && p->length > length && has_bits(addr, p)) {
			best = (int)model[i].peer;
			length = p->length;
		}
	}
	return best;
}

static int model_search(const struct vpn_prefix *p)
{
	for (uint32_t i = 0; i < n_model; i++) {
		const struct vpn_prefix *q = &model[i].prefix;
		if (q->family == p->family && q->length == p->length && has_bits(p->addr, q))
			return (int)i;
	}
	return -1;
}

static void model_forget(uint32_t at)
{
	n_model--;
	memmove(&model[at], &model[at + 1], (n_model - at) * sizeof(model[0]));
}

/* Few values for each byte: prefixes lie in each other and beside each other. */
static void draw_address(uint8_t addr[16], bool clustered)
{
	static const uint8_t values[] = {0x00, 0x00, 0x00, 0x01, 0x80, 0xff};
	for (uint32_t i = 0; i < 16; i++)
		addr[i] = clustered ? values[draw(sizeof(values))] : (uint8_t)draw(256);
}

static struct vpn_prefix draw_prefix(uint8_t family, bool clustered)
{
	uint32_t bits = family == VPN_AF_INET ? 32 : 128;
	struct vpn_prefix p = {.family = family, .length = (uint8_t)draw(bits + 1)};
	if (draw(4) == 0)
		p.length = (uint8_t)(8 * draw(bits / 8 + 1));
	draw_address(p.addr, clustered);
	if (family == VPN_AF_INET)
		memset(p.addr + 4, 0, 12);
	return p;
}

static void change_insert(const struct vpn_prefix *p)
{
	uint32_t peer = draw(PEERS);
	int at = model_search(p);
	if (at < 0 && n_model == MODEL_MAX)
		return;
	if (at >= 0)
		model_forget((uint32_t)at);
	model[n_model].prefix = *p;
	model[n_model++].peer = peer;
	assert_true(wg_allowedips_insert(&table, p, &peers[peer], &peers[peer].list));
}

static void change_remove(const struct vpn_prefix *p)
{
	uint32_t peer = draw(PEERS);
	int at = model_search(p);
	if (at >= 0 && draw(8) > 0)
		peer = model[at].peer;
	bool is = at >= 0 && model[at].peer == peer;
	assert_int_equal(wg_allowedips_remove(&table, p, &peers[peer]), is);
	if (is)
		model_forget((uint32_t)at);
}

static void change_remove_peer(void)
{
	uint32_t peer = draw(PEERS);
	for (uint32_t i = n_model; i-- > 0;)
		if (model[i].peer == peer)
			model_forget(i);
	wg_allowedips_remove_peer(&table, &peers[peer].list);
}

static void change(uint8_t family, bool clustered)
{
	struct vpn_prefix p = draw_prefix(family, clustered);
	if (n_model > 0 && draw(2) == 0)
		p = model[draw(n_model)].prefix; /* one that is there */
	uint32_t what = draw(400);
	if (what == 0)
		change_remove_peer();
	else if (what < 220)
		change_insert(&p);
	else
		change_remove(&p);
}

struct walk {
	uint32_t peer, at, n;
};

static bool matches_model(void *ctx, const struct vpn_prefix *prefix)
{
	struct walk *w = ctx;
	while (w->at < n_model && model[w->at].peer != w->peer)
		w->at++;
	assert_true(w->at < n_model);
	assert_int_equal(model_search(prefix), w->at);
	w->at++;
	w->n++;
	return true;
}

static void compare_lists(void)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < PEERS; i++) {
		struct walk w = {.peer = i};
		assert_true(wg_allowedips_each(&peers[i].list, matches_model, &w));
		assert_int_equal(w.n, peers[i].list.count);
		sum += w.n;
	}
	assert_int_equal(sum, n_model);
	assert_int_equal(table.count, n_model);
}

static void compare_lookups(uint8_t family, bool clustered)
{
	uint8_t addr[16];
	draw_address(addr, clustered);
	if (n_model > 0 && draw(2) == 0) {
		const struct vpn_prefix *p = &model[draw(n_model)].prefix;
		for (uint32_t i = 0; i < p->length / 8u; i++)
			addr[i] = p->addr[i];
	}
	assert_int_equal(look_up(family, addr), model_lookup(family, addr));
	struct vpn_prefix p = draw_prefix(family, clustered);
	int at = model_search(&p);
	assert_int_equal(number(wg_allowedips_owner(&table, &p)),
			 at < 0 ? -1 : (int)model[at].peer);
}

/* Any number at once, of both families. */
static void compare_many(bool clustered)
{
	struct wg_allowed_query q[MANY];
	uint8_t addr[MANY][16];
	uint32_t n = draw(MANY + 1);
	for (uint32_t i = 0; i < n; i++) {
		draw_address(addr[i], clustered);
		q[i] = (struct wg_allowed_query){.addr = addr[i],
						 .peer = &peers[0],
						 .family = draw(2) == 0 ? VPN_AF_INET
									: VPN_AF_INET6};
	}
	wg_allowedips_lookup(&table, q, n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(number(q[i].peer), model_lookup(q[i].family, addr[i]));
}

static void compare(bool clustered)
{
	allocations = 0;
	n_model = 0;
	for (uint32_t i = 0; i < 30000; i++) {
		uint8_t family = draw(2) == 0 ? VPN_AF_INET : VPN_AF_INET6;
		change(family, clustered);
		compare_lookups(VPN_AF_INET, clustered);
		compare_lookups(VPN_AF_INET6, clustered);
		/* each retirement is one step of the epoch: no node is left that is of no use */
		uint64_t nodes = allocations - (atomic_load(&epoch.now) - 1);
		assert_true(nodes <= 2 * table.count);
		assert_false(wg_epoch_reclaim(&epoch));
		if (i % 64 == 0) {
			compare_lists();
			compare_many(clustered);
		}
	}
	for (uint32_t i = 0; i < PEERS; i++)
		wg_allowedips_remove_peer(&table, &peers[i].list);
	assert_null(atomic_load(&table.root4));
	assert_null(atomic_load(&table.root6));
	assert_int_equal(allocations, atomic_load(&epoch.now) - 1);
}

static void is_like_a_plain_list_with_nested_prefixes(void **state)
{
	(void)state;
	compare(true);
}

static void is_like_a_plain_list_with_scattered_prefixes(void **state)
{
	(void)state;
	compare(false);
}

static void holds_tens_of_thousands(void **state)
{
	struct vpn_prefix p = prefix_of("10.0.0.0", 32);
	(void)state;
	for (uint32_t i = 0; i < 40000; i++) {
		p.addr[2] = (uint8_t)(i >> 8);
		p.addr[3] = (uint8_t)i;
		assert_true(wg_allowedips_insert(&table, &p, &peers[i % PEERS],
						 &peers[i % PEERS].list));
	}
	assert_int_equal(table.count, 40000);
	assert_true(allocations < 80000);
	for (uint32_t i = 0; i < 40000; i++) {
		p.addr[2] = (uint8_t)(i >> 8);
		p.addr[3] = (uint8_t)i;
		assert_int_equal(look_up(VPN_AF_INET, p.addr), i % PEERS);
	}
}

/* ---- lanes at the same time ------------------------------------------------------------------ */

#define READERS 2
#define GUESTS  4u
#define ALIVE   0xa11fe000u

static struct wg_peer *guests[GUESTS]; /* come and go */
static struct wg_peer resident = {.number = ALIVE};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool done;
static _Atomic uint64_t rounds[READERS], lost, dead;

static void bury(struct wg_retired *r)
{
	struct wg_peer *peer = (struct wg_peer *)((char *)r - offsetof(struct wg_peer, retired));
	peer->number = 0;
	free(peer);
}

/* 10.0.0.x and fd00::x are in some prefix at every moment. 172.16.x is the resident's alone. */
static void look_around(uint32_t *random)
{
	*random = *random * 1664525u + 1013904223u;
	uint8_t r = (uint8_t)(*random >> 24);
	const uint8_t a4[4] = {10, 0, (uint8_t)(r & 3), r}, b4[4] = {172, 16, r, 1};
	const uint8_t a6[16] = {0xfd, [14] = r & 3, [15] = r}, b6[16] = {0xfe, [15] = r};
	struct wg_allowed_query q[4] = {{.addr = a4, .family = VPN_AF_INET},
					{.addr = a6, .family = VPN_AF_INET6},
					{.addr = b4, .family = VPN_AF_INET},
					{.addr = b6, .family = VPN_AF_INET6}};
	wg_allowedips_lookup(&table, q, 4);
	for (uint32_t i = 0; i < 4; i++)
		if (q[i].peer == NULL || (i >= 2 && q[i].peer != &resident))
			atomic_fetch_add(&lost, 1);
		else if (q[i].peer->number != ALIVE)
			atomic_fetch_add(&dead, 1);
}

static void *look_on(void *arg)
{
	uint32_t slot = (uint32_t)(uintptr_t)arg, random = slot;
	while (!atomic_load(&done)) {
		wg_epoch_enter(&epoch, slot);
		for (uint32_t i = 0; i < 16; i++)
			look_around(&random);
		wg_epoch_leave(&epoch, slot);
		atomic_fetch_add(&rounds[slot], 1);
	}
	return NULL;
}

static struct vpn_prefix draw_near(void)
{
	struct vpn_prefix p = prefix_of(draw(2) == 0 ? "10.0.0.0" : "fd00::", 0);
	uint32_t bits = p.family == VPN_AF_INET ? 32 : 128;
	p.length = (uint8_t)(bits - draw(16));
	p.addr[bits / 8 - 2] = (uint8_t)draw(4);
	p.addr[bits / 8 - 1] = (uint8_t)draw(256);
	return p;
}

static void host_guest(uint32_t i)
{
	struct vpn_prefix p = draw_near();
	if (guests[i] == NULL) {
		guests[i] = calloc(1, sizeof(*guests[i]));
		if (guests[i] == NULL)
			abort();
		guests[i]->number = ALIVE;
	} else if (draw(16) == 0) {
		wg_allowedips_remove_peer(&table, &guests[i]->list);
		wg_epoch_retire(&epoch, &guests[i]->retired, bury);
		guests[i] = NULL;
		return;
	}
	if (draw(2) == 0)
		(void)wg_allowedips_remove(&table, &p, wg_allowedips_owner(&table, &p));
	else if (!wg_allowedips_insert(&table, &p, guests[i], &guests[i]->list))
		abort();
}

static void make_resident(const char *text, uint8_t length)
{
	struct vpn_prefix p = prefix_of(text, length);
	assert_true(wg_allowedips_insert(&table, &p, &resident, &resident.list));
}

static bool have_looked(void)
{
	return atomic_load(&rounds[0]) >= 500 && atomic_load(&rounds[1]) >= 500;
}

static void lanes_see_only_peers_that_were_good(void **state)
{
	pthread_t threads[READERS];
	(void)state;
	make_resident("10.0.0.0", 14);
	make_resident("172.16.0.0", 12);
	make_resident("fd00::", 110);
	make_resident("fe00::", 8);
	for (uintptr_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_on, (void *)i), 0);
	for (uint32_t i = 0; i < 30000 || !have_looked(); i++) {
		pthread_mutex_lock(&lock);
		host_guest(draw(GUESTS));
		(void)wg_epoch_reclaim(&epoch);
		pthread_mutex_unlock(&lock);
	}
	atomic_store(&done, true);
	for (uint32_t i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&lost), 0);
	assert_int_equal(atomic_load(&dead), 0);
	assert_false(wg_epoch_reclaim(&epoch));
	for (uint32_t i = 0; i < GUESTS; i++)
		free(guests[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_table_has_nobody),
		TEST(the_default_route_has_every_address_of_its_family),
		TEST(a_host_is_one_address),
		TEST(prefixes_around_the_middle_of_an_ipv6_address),
		TEST(host_bits_are_ignored),
		TEST(what_is_no_prefix_is_refused),
		TEST(the_longest_prefix_wins),
		TEST(removing_an_inner_prefix_keeps_the_others),
		TEST(siblings_do_not_share_what_is_between_them),
		TEST(only_its_owner_gives_a_prefix_back),
		TEST(lists_are_in_the_order_of_giving),
		TEST(removing_a_peer_takes_all_of_it_and_no_more),
		TEST(what_is_given_again_is_there_all_the_time),
		TEST(without_memory_nothing_changes),
		TEST(is_like_a_plain_list_with_nested_prefixes),
		TEST(is_like_a_plain_list_with_scattered_prefixes),
		TEST(holds_tens_of_thousands),
		TEST(lanes_see_only_peers_that_were_good),
	};
	return cmocka_run_group_tests_name("wireguard allowedips", tests, NULL, NULL);
}
