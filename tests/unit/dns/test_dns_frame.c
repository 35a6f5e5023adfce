/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of frame: what a backend is called for, and what is wanted of the routes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/frame.h"

static char calls[512];
static char logged[512];
static vpn_status set_status, want_status, unset_status;
static int32_t repair_result;
static bool has_routes, has_journal;
static struct vpn_reconcile spec;

static void call(const char *text)
{
	strncat(calls, text, sizeof(calls) - strlen(calls) - 1);
}

static vpn_status want(void *inst, const struct vpn_routes_wanted *wanted, struct vpn_error *err)
{
	char text[64];
	(void)inst;
	(void)err;
	snprintf(text, sizeof(text), "want(%x,%u", wanted->flags, wanted->n_in_tunnel);
	call(text);
	for (uint32_t i = 0; i < wanted->n_in_tunnel; i++) {
		snprintf(text, sizeof(text), " %u/%u", wanted->in_tunnel[i].addr[0],
			 wanted->in_tunnel[i].length);
		call(text);
	}
	call(") ");
	return want_status;
}

static const struct vpn_routes_ext routes = {.size = sizeof(routes), .want = want};

static vpn_status add(void *inst, uint32_t flags, const void *data, uint32_t len, uint64_t *ret_id,
		      struct vpn_error *err)
{
	(void)inst;
	(void)flags;
	(void)data;
	(void)len;
	(void)err;
	*ret_id = 7;
	return VPN_OK;
}

static const struct vpn_journal_ext journal = {.size = sizeof(journal), .add = add};
static const struct vpn_loop_ext loop = {.size = sizeof(loop)};

static struct vpn_reconciler *reconcile_open(void *inst, const struct vpn_reconcile *given)
{
	(void)inst;
	spec = *given;
	call("open ");
	return (void *)&spec;
}

static void stir(struct vpn_reconciler *r)
{
	(void)r;
	call("stir ");
}

static void reconcile_close(struct vpn_reconciler *r)
{
	(void)r;
	call("close ");
}

static const struct vpn_reconcile_ext reconcile = {
	.size = sizeof(reconcile), .open = reconcile_open, .stir = stir, .close = reconcile_close};

static const void *get_service(const struct vpn_host *host, const char *id, void **ret_inst)
{
	(void)host;
	*ret_inst = NULL;
	if (strcmp(id, VPN_EXT_JOURNAL) == 0)
		return has_journal ? &journal : NULL;
	if (strcmp(id, VPN_EXT_LOOP) == 0)
		return &loop;
	if (strcmp(id, VPN_EXT_RECONCILE) == 0)
		return &reconcile;
	return has_routes && strcmp(id, VPN_EXT_ROUTES) == 0 ? &routes : NULL;
}

static void host_log(const struct vpn_host *h, uint32_t level, const char *text)
{
	(void)h;
	(void)level;
	strncat(logged, text, sizeof(logged) - strlen(logged) - 1);
}

static const struct vpn_host host = {.size = sizeof(host),
				     .log_level = VPN_LOG_DEBUG,
				     .log = host_log,
				     .get_service = get_service};

static vpn_status backend_set(struct dns *d, struct vpn_error *err)
{
	(void)err;
	call("set ");
	assert_string_equal(d->device.name, "wg0");
	return set_status;
}

static vpn_status backend_unset(struct dns *d, struct vpn_error *err)
{
	(void)d;
	if (unset_status != VPN_OK)
		strcpy(err->text, "of unset");
	call("unset ");
	return unset_status;
}

static int32_t backend_repair(struct dns *d, struct vpn_error *err)
{
	(void)d;
	strcpy(err->text, "cannot repair");
	call("repair ");
	return repair_result;
}

static const struct dns_backend backend = {.size = sizeof(struct dns),
					   .set = backend_set,
					   .unset = backend_unset,
					   .repair = backend_repair,
					   .settle_ms = 100,
					   .most = 10,
					   .window_ms = 5000,
					   .fight = "a fight"};

static const struct vpn_address servers[] = {
	{.family = VPN_AF_INET, .addr = {10, 78, 0, 1}},
	{.family = VPN_AF_INET, .addr = {127, 0, 0, 1}},
	{.family = VPN_AF_INET6, .addr = {0xfd, [15] = 1}},
	{.family = VPN_AF_INET6, .addr = {[15] = 1}},
};
static struct dns_options options;

static int set_up(void **state)
{
	(void)state;
	calls[0] = logged[0] = '\0';
	set_status = want_status = unset_status = VPN_OK;
	has_routes = has_journal = true;
	repair_result = 0;
	options = (struct dns_options){.servers = {servers, 4, sizeof(servers[0])},
				       .server_routes = 1};
	return 0;
}

static void *create(void)
{
	void *inst;
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(dns_create(&backend, &host, &options, &inst, &err), VPN_OK);
	return inst;
}

static vpn_status apply(void *inst)
{
	const struct vpn_device_info device = {.size = sizeof(device), .name = "wg0"};
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(dns_start(inst, NULL, &err), VPN_OK);
	return dns_apply(inst, &device, &err);
}

static void sets_behind_the_routes_and_takes_back_in_front_of_them(void **state)
{
	(void)state;
	struct vpn_error err = {.size = sizeof(err)};
	void *inst = create();
	options.block_outside = 1;
	assert_int_equal(apply(inst), VPN_OK);
	assert_string_equal(calls, "want(1,2 10/32 253/128) open set ");
	calls[0] = '\0';
	assert_int_equal(dns_revert(inst, &err), VPN_OK);
	assert_string_equal(calls, "close unset want(0,0) ");
	calls[0] = '\0';
	assert_int_equal(dns_revert(inst, &err), VPN_OK);
	assert_string_equal(calls, "unset ");
	dns_stop(inst);
	dns_destroy(inst);
}

static void wants_nothing_when_told_so(void **state)
{
	(void)state;
	void *inst = create();
	options.server_routes = 0;
	assert_int_equal(apply(inst), VPN_OK);
	assert_string_equal(calls, "open set ");
	dns_destroy(inst);
}

static void does_without_routes(void **state)
{
	(void)state;
	void *inst = create();
	has_routes = false;
	assert_int_equal(apply(inst), VPN_OK);
	assert_string_equal(calls, "open set ");
	assert_non_null(strstr(logged, "has no routes"));
	dns_destroy(inst);
}

static void blocks_nothing_without_routes(void **state)
{
	(void)state;
	struct vpn_error err = {.size = sizeof(err)};
	void *inst = create();
	has_routes = false;
	options.block_outside = 1;
	assert_int_equal(dns_start(inst, NULL, &err), VPN_ENOTSUP);
	assert_string_equal(err.where, "/block_outside");
	assert_non_null(strstr(err.text, "\"routes\": {}"));
	dns_stop(inst);
	dns_destroy(inst);
}

static void needs_a_journal(void **state)
{
	(void)state;
	struct vpn_error err = {.size = sizeof(err)};
	void *inst = create();
	has_journal = false;
	assert_int_equal(dns_start(inst, NULL, &err), VPN_ENOTSUP);
	dns_destroy(inst);
	dns_destroy(NULL);
}

static void sets_nothing_when_the_routes_refuse(void **state)
{
	(void)state;
	struct vpn_error err = {.size = sizeof(err)};
	void *inst = create();
	want_status = VPN_EIO;
	assert_int_equal(apply(inst), VPN_EIO);
	assert_null(strstr(calls, "set "));
	dns_revert(inst, &err);
	dns_destroy(inst);
}

static void the_first_error_of_revert_is_told(void **state)
{
	(void)state;
	struct vpn_error err = {.size = sizeof(err)};
	void *inst = create();
	assert_int_equal(apply(inst), VPN_OK);
	unset_status = VPN_EIO;
	want_status = VPN_EPERM;
	assert_int_equal(dns_revert(inst, &err), VPN_EIO);
	assert_string_equal(err.text, "of unset");
	dns_destroy(inst);
}

static void repairs_only_what_is_set(void **state)
{
	(void)state;
	struct vpn_error err = {.size = sizeof(err)};
	void *inst = create();
	set_status = VPN_EIO;
	assert_int_equal(apply(inst), VPN_EIO);
	assert_int_equal(spec.run(spec.ctx), 0);
	assert_null(strstr(calls, "repair"));
	dns_revert(inst, &err);
	set_status = VPN_OK;
	assert_int_equal(apply(inst), VPN_OK);
	repair_result = 2;
	assert_int_equal(spec.run(spec.ctx), 2);
	assert_int_equal(spec.most, 10);
	spec.fight(spec.ctx, 10);
	assert_non_null(strstr(logged, "a fight (10 repairs within 5 s)"));
	dns_destroy(inst);
}

static void complains_once_of_a_repair_that_fails(void **state)
{
	(void)state;
	void *inst = create();
	assert_int_equal(apply(inst), VPN_OK);
	repair_result = VPN_EIO;
	logged[0] = '\0';
	assert_int_equal(spec.run(spec.ctx), VPN_EIO);
	assert_int_equal(spec.run(spec.ctx), VPN_EIO);
	assert_string_equal(logged, "cannot repair");
	repair_result = 0;
	spec.run(spec.ctx);
	repair_result = VPN_EIO;
	spec.run(spec.ctx);
	assert_string_equal(logged, "cannot repaircannot repair");
	dns_destroy(inst);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sets_behind_the_routes_and_takes_back_in_front_of_them,
				       set_up),
		cmocka_unit_test_setup(wants_nothing_when_told_so, set_up),
		cmocka_unit_test_setup(does_without_routes, set_up),
		cmocka_unit_test_setup(blocks_nothing_without_routes, set_up),
		cmocka_unit_test_setup(needs_a_journal, set_up),
		cmocka_unit_test_setup(sets_nothing_when_the_routes_refuse, set_up),
		cmocka_unit_test_setup(the_first_error_of_revert_is_told, set_up),
		cmocka_unit_test_setup(repairs_only_what_is_set, set_up),
		cmocka_unit_test_setup(complains_once_of_a_repair_that_fails, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
