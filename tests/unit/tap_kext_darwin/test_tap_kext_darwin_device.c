/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes, their interfaces, and what is said when one cannot be had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "rig.h"
#include "tap_options.h"

static struct rig rig;
static struct tap_options options;

#define ETHERNET_MTU (RIG_MTU + DARWIN_ETHERNET_ROOM)

static int setup(void **state)
{
	(void)state;
	model_reset();
	memset(&rig, 0, sizeof(rig));
	model.loaded[0] = "net.tunnelblick.tap";
	options = (struct tap_options){.common.name = "tap%d", .common.up = 1};
	return 0;
}

static void takes_the_first_free_node(void **state)
{
	static const char *const any[] = {NULL, "", "tap", "tap%d"};
	(void)state;
	model.tap_taken[0] = model.tap_taken[1] = true;
	for (int i = 0; i < 4; i++) {
		options.common.name = any[i];
		rig_must_start(&rig, &options, ETHERNET_MTU);
		assert_string_equal(rig_info(&rig).name, "tap2");
		assert_int_equal(rig_info(&rig).layer, VPN_L2);
		assert_int_equal(model.n_runs, 0); /* no program is run when all is well */
		rig_stop(&rig);
	}
}

static void takes_exactly_the_node_that_is_asked_for(void **state)
{
	(void)state;
	options.common.name = "tap15";
	rig_must_start(&rig, &options, ETHERNET_MTU);
	assert_string_equal(rig_info(&rig).name, "tap15");
	rig_stop(&rig);
}

static void refuses_names_that_no_extension_makes(void **state)
{
	static const char *const names[] = {"vpn%d", "tun0",  "tap16",
					    "tap01", "tap-1", "/dev/tap0"};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		options.common.name = names[i];
		rig_must_refuse(&rig, &options, VPN_EINVAL, "/name", "tap0 to tap15");
	}
}

static void says_who_has_a_node(void **state)
{
	(void)state;
	model.tap_taken[3] = true;
	options.common.name = "tap3";
	rig_must_refuse(&rig, &options, VPN_EBUSY, "/name", "process 4711");
}

static void says_that_all_nodes_are_in_use(void **state)
{
	(void)state;
	memset(model.tap_taken, 1, sizeof(model.tap_taken));
	rig_must_refuse(&rig, &options, VPN_EBUSY, "/name", "all of tap0 to tap15");
}

static void says_what_needs_root(void **state)
{
	(void)state;
	model.is_root = false;
	rig_must_refuse(&rig, &options, VPN_EPERM, "/name", "root");
}

static void says_that_two_extensions_collide(void **state)
{
	(void)state;
	model.open_errno = EIO;
	rig_must_refuse(&rig, &options, VPN_EIO, "/name", "another extension");
	model.loaded[1] = "net.sf.tuntaposx.tap";
	rig_must_refuse(&rig, &options, VPN_EBUSY, "", "kextunload -b net.sf.tuntaposx.tap");
	model.open_errno = 0;
	model.no_nodes = true;
	rig_must_refuse(&rig, &options, VPN_EBUSY, "", "net.tunnelblick.tap (Tunnelblick)");
}

static void says_that_a_loaded_extension_has_made_no_node(void **state)
{
	(void)state;
	model.no_nodes = true;
	rig_must_refuse(&rig, &options, VPN_EBUSY, "", "VirtualBox");
}

static void sets_the_interface_up(void **state)
{
	struct vpn_prefix list[] = {rig_prefix("10.78.0.1/24"), rig_prefix("fd78::1/64")};
	(void)state;
	options.common.addresses = (struct vpn_list){
		.items = list, .count = 2, .item_size = sizeof(list[0])};
	options.mac = (struct vpn_mac){.addr = {2, 0, 0x5e, 0x10, 0, 1}, .is_set = 1};
	rig_must_start(&rig, &options, ETHERNET_MTU);
	struct model_interface *f = model_find("tap0");
	assert_int_equal(f->mtu, RIG_MTU);
	assert_int_equal(f->flags & DARWIN_IFF_UP, DARWIN_IFF_UP);
	assert_memory_equal(f->mac, options.mac.addr, 6);
	assert_true(f->nonblock);
	/* with the broadcast address, duplicate address detection and no route of ours */
	assert_true(model_has_address("tap0", "10.78.0.1 10.78.0.255 255.255.255.0"));
	assert_true(model_has_address("tap0", "fd78::1/64"));
	assert_int_equal(f->n_routes, 0);
	assert_int_equal(rig_info(&rig).flags, VPN_DEVICE_UP);
	rig_stop(&rig);
}

static void leaves_it_down_when_told(void **state)
{
	(void)state;
	options.common.up = 0;
	rig_must_start(&rig, &options, ETHERNET_MTU);
	assert_int_equal(model_find("tap0")->flags & DARWIN_IFF_UP, 0);
	assert_int_equal(rig_info(&rig).flags, 0);
	rig_stop(&rig);
}

static void refuses_impossible_options(void **state)
{
	(void)state;
	options.mac = (struct vpn_mac){.addr = {1, 2, 3, 4, 5, 6}, .is_set = 1};
	rig_must_refuse(&rig, &options, VPN_EINVAL, "/mac", "multicast");
	memset(options.mac.addr, 0, 6);
	rig_must_refuse(&rig, &options, VPN_EINVAL, "/mac", "zero");
	options.mac.is_set = 0;
	options.common.mtu = 65522;
	rig_must_refuse(&rig, &options, VPN_EINVAL, "/mtu", "65521");
	options.common.mtu = 0;
	options.unload = 1;
	rig_must_refuse(&rig, &options, VPN_EINVAL, "/unload", "load");
	options.unload = 0;
	options.kext = "/Library/Extensions/tap.kext";
	rig_must_refuse(&rig, &options, VPN_EINVAL, "/kext", "load");
	options.load = 1;
	options.kext = "tap.kext";
	rig_must_refuse(&rig, &options, VPN_EINVAL, "/kext", "absolute");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(takes_the_first_free_node, setup),
		cmocka_unit_test_setup(takes_exactly_the_node_that_is_asked_for, setup),
		cmocka_unit_test_setup(refuses_names_that_no_extension_makes, setup),
		cmocka_unit_test_setup(says_who_has_a_node, setup),
		cmocka_unit_test_setup(says_that_all_nodes_are_in_use, setup),
		cmocka_unit_test_setup(says_what_needs_root, setup),
		cmocka_unit_test_setup(says_that_two_extensions_collide, setup),
		cmocka_unit_test_setup(says_that_a_loaded_extension_has_made_no_node, setup),
		cmocka_unit_test_setup(sets_the_interface_up, setup),
		cmocka_unit_test_setup(leaves_it_down_when_told, setup),
		cmocka_unit_test_setup(refuses_impossible_options, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
