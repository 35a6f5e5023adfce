/* SPDX-License-Identifier: BSD-2-Clause */
/* Names, addresses, MTU, and what is said when there can be no device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "utun_options.h"

static struct rig rig;
static struct utun_options options;

static int setup(void **state)
{
	(void)state;
	model_reset();
	memset(&rig, 0, sizeof(rig));
	options = (struct utun_options){.common.name = "utun%d", .common.up = 1, .fd = -1};
	return 0;
}

static void set_addresses(struct vpn_prefix *list, uint32_t n)
{
	options.common.addresses = (struct vpn_list){
		.items = list, .count = n, .item_size = sizeof(list[0])};
}

/* ---- names ---- */

static void takes_the_first_free_unit(void **state)
{
	static const char *const any[] = {NULL, "", "utun", "utun%d"};
	(void)state;
	model.taken[0] = model.taken[1] = true;
	for (int i = 0; i < 4; i++) {
		options.common.name = any[i];
		rig_must_start(&rig, &options, RIG_MTU);
		assert_string_equal(rig_info(&rig).name, "utun2");
		rig_stop(&rig);
	}
}

static void makes_exactly_the_unit_that_is_asked_for(void **state)
{
	static const char *const names[] = {"utun0", "utun7", "utun31"};
	(void)state;
	for (int i = 0; i < 3; i++) {
		options.common.name = names[i];
		rig_must_start(&rig, &options, RIG_MTU);
		assert_string_equal(rig_info(&rig).name, names[i]);
		assert_int_equal(rig_info(&rig).ifindex, model_find(names[i])->index);
		rig_stop(&rig);
	}
}

static void refuses_names_that_macos_cannot_give(void **state)
{
	static const char *const names[] = {"wg0",       "vpn%d",  "utun01",
					    "utun-1",    "utun1x", "utun%d%d",
					    "utun32767", "utun 1", "utun99999999999999"};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		options.common.name = names[i];
		rig_must_refuse(&rig, &options, VPN_EINVAL, "/name", "utun%d");
	}
}

static void says_that_a_unit_is_in_use(void **state)
{
	(void)state;
	model.taken[5] = true;
	options.common.name = "utun5";
	rig_must_refuse(&rig, &options, VPN_EBUSY, "/name", "utun5 is in use");
}

static void says_what_needs_root(void **state)
{
	(void)state;
	model.is_root = false;
	rig_must_refuse(&rig, &options, VPN_EPERM, "/name", "root");
}

static void says_that_the_system_is_too_old(void **state)
{
	(void)state;
	model.no_utun = true;
	rig_must_refuse(&rig, &options, VPN_ENOTSUP, "", "10.6.8");
}

/* ---- set-up ---- */

static void sets_addresses_and_their_networks(void **state)
{
	struct vpn_prefix list[] = {rig_prefix("10.78.0.1/24"), rig_prefix("fd78::1/64"),
				    rig_prefix("10.1.1.1/32"), rig_prefix("fd79::1/128")};
	const uint8_t golden[] = {92 + 16 + 20 + 16, 0, 5, 1}; /* length, RTM_VERSION, RTM_ADD */
	(void)state;
	set_addresses(list, 4);
	rig_must_start(&rig, &options, RIG_MTU);
	assert_true(model_has_address("utun0", "10.78.0.1 10.78.0.1 255.255.255.0"));
	assert_true(model_has_address("utun0", "10.1.1.1 10.1.1.1 255.255.255.255"));
	assert_true(model_has_address("utun0", "fd78::1/64 nodad"));
	assert_true(model_has_address("utun0", "fd79::1/128 nodad"));
	struct model_interface *f = model_find("utun0");
	assert_int_equal(f->n_routes, 2);
	assert_memory_equal(f->routes[0], golden, sizeof(golden));
	const uint8_t behind[] = {16,  2,   0,
				  0,   10,  78,
				  0,   0,   0,
				  0,   0,   0,
				  0,   0,   0,
				  0, /* destination */
				  20,  18,  (uint8_t)f->index,
				  0,   0,   0,
				  0,   0,   0,
				  0,   0,   0,
				  0,   0,   0,
				  0,   0,   0,
				  0,   0, /* link */
				  16,  2,   0,
				  0,   255, 255,
				  255, 0,   0,
				  0,   0,   0,
				  0,   0,   0,
				  0}; /* mask */
	assert_memory_equal(f->routes[0] + 92, behind, sizeof(behind));
	assert_int_equal(f->routes[1][0], 92 + 28 + 20 + 28);
	assert_int_equal(f->routes[1][92 + 8], 0xfd);
	assert_int_equal(f->routes[1][92 + 8 + 15], 0);
	rig_stop(&rig);
}

static void sets_peers(void **state)
{
	struct darwin_peer list[2] = {{.peer = rig_prefix("10.9.0.2/32")},
				      {.peer = rig_prefix("fd09::2/128")}};
	struct vpn_prefix own[2] = {rig_prefix("10.9.0.1/32"), rig_prefix("fd09::1/128")};
	(void)state;
	for (int i = 0; i < 2; i++) {
		list[i].address.family = own[i].family;
		memcpy(list[i].address.addr, own[i].addr, 16);
	}
	options.common.peers = (struct vpn_list){
		.items = list, .count = 2, .item_size = sizeof(list[0])};
	rig_must_start(&rig, &options, RIG_MTU);
	assert_true(model_has_address("utun0", "10.9.0.1 10.9.0.2 255.255.255.255"));
	assert_true(model_has_address("utun0", "fd09::1/128 nodad"));
	assert_int_equal(model_find("utun0")->n_routes, 0);
	rig_stop(&rig);
	list[1].peer.length = 64;
	rig_must_refuse(&rig, &options, VPN_EINVAL, "/peers/1/peer", "128");
}

static void sets_the_mtu_of_the_stack_or_the_manifest(void **state)
{
	(void)state;
	rig_must_start(&rig, &options, 1371);
	assert_int_equal(model_find("utun0")->mtu, 1371);
	assert_int_equal(rig_info(&rig).mtu, 1371);
	rig_stop(&rig);
	options.common.mtu = 1280;
	rig_must_start(&rig, &options, 1280);
	assert_int_equal(model_find("utun0")->mtu, 1280);
	rig_stop(&rig);
}

static void refuses_ipv6_below_its_mtu(void **state)
{
	struct vpn_prefix list[] = {rig_prefix("10.0.0.1/24"), rig_prefix("fd78::1/64")};
	(void)state;
	set_addresses(list, 2);
	options.common.mtu = 1200;
	rig_must_refuse(&rig, &options, VPN_EINVAL, "/addresses/1", "1280");
	options.common.mtu = 0;
	assert_int_equal(rig_start(&rig, &options, 1000), VPN_EADDR);
	assert_string_equal(rig.err.where, "/addresses/1");
}

static void refuses_addresses_that_no_device_can_have(void **state)
{
	static const char *const bad[] = {"0.0.0.0/8", "224.0.0.1/24", "ff02::1/64", "::/64",
					  "10.0.0.1/0"};
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct vpn_prefix list[] = {rig_prefix(bad[i])};
		set_addresses(list, 1);
		rig_must_refuse(&rig, &options, VPN_EINVAL, "/addresses/0", "");
	}
	struct vpn_prefix twice[] = {rig_prefix("10.0.0.1/24"), rig_prefix("10.0.0.1/16")};
	set_addresses(twice, 2);
	rig_must_refuse(&rig, &options, VPN_EINVAL, "/addresses/1", "/addresses/0");
}

static void lets_the_kernel_queue_more_than_one_packet(void **state)
{
	(void)state;
	rig_must_start(&rig, &options, RIG_MTU);
	assert_int_equal(model_find("utun0")->pending, 256);
	rig_stop(&rig);
	options.txqueuelen = 64;
	rig_must_start(&rig, &options, RIG_MTU);
	assert_int_equal(model_find("utun0")->pending, 64);
	rig_stop(&rig);
	model.no_pending = true;
	rig_must_refuse(&rig, &options, VPN_EIO, "/txqueuelen", "utun0");
	options.txqueuelen = 0;
	rig_must_start(&rig, &options, RIG_MTU);
	rig_stop(&rig);
}

static void takes_a_descriptor_over(void **state)
{
	struct darwin_ctl_info info = {.name = DARWIN_UTUN_CONTROL};
	struct darwin_sockaddr_ctl a = {
		.len = sizeof(a), .family = DARWIN_AF_SYSTEM, .sysaddr = DARWIN_AF_SYS_CONTROL};
	const struct vpn_lifecycle *life = rig_component()->lifecycle;
	(void)state;
	int fd = darwin_ops.socket(DARWIN_AF_SYSTEM, DARWIN_SOCK_DGRAM, DARWIN_SYSPROTO_CONTROL);
	assert_int_equal(darwin_ops.ioctl(fd, DARWIN_CTLIOCGINFO, &info), 0);
	a.id = info.id;
	a.unit = 10;
	assert_int_equal(darwin_ops.connect(fd, &a, sizeof(a)), 0);
	options.fd = fd;
	options.common.name = "anything";
	rig_must_start(&rig, &options, RIG_MTU);
	assert_string_equal(rig_info(&rig).name, "utun9");
	life->stop(rig.inst);
	assert_non_null(model_find("utun9")); /* the original is its owner's */
	darwin_ops.close(fd);
	rig_stop(&rig);
	options.fd = 900;
	rig_must_refuse(&rig, &options, VPN_EINVAL, "/fd", "900");
}

static void takes_what_it_added_back(void **state)
{
	struct vpn_prefix list[] = {rig_prefix("10.78.0.1/24"), rig_prefix("fd78::1/64")};
	const struct vpn_lifecycle *life = rig_component()->lifecycle;
	(void)state;
	set_addresses(list, 2);
	/* a second descriptor keeps the interface, so that it can be looked at behind stop() */
	rig_must_start(&rig, &options, RIG_MTU);
	int fd = darwin_ops.dup(model_find("utun0")->owner);
	life->stop(rig.inst);
	assert_int_equal(model_find("utun0")->n_addresses, 0);
	darwin_ops.close(fd);
	rig_stop(&rig);
}

static unsigned int told;

static void on_change(void *ctx)
{
	struct vpn_device_info info = {.size = sizeof(info)};
	const struct vpn_device_ext *ext = rig_component()->lifecycle->get_extension(
		ctx, VPN_EXT_DEVICE);
	assert_int_equal(ext->info(ctx, &info), VPN_OK);
	told++;
}

static void tells_its_subscriber(void **state)
{
	const struct vpn_lifecycle *life = rig_component()->lifecycle;
	void *inst = NULL;
	struct vpn_error err = {.size = sizeof(err)};
	(void)state;
	told = 0;
	fake_init(&rig.fake, 1, RIG_MTU);
	assert_int_equal(life->create(&rig.fake.host, &options, &inst, &err), VPN_OK);
	const struct vpn_device_ext *ext = life->get_extension(inst, VPN_EXT_DEVICE);
	struct vpn_device_info info = {.size = sizeof(info)};
	assert_int_equal(ext->info(inst, &info), VPN_ENOENT);
	ext->subscribe(inst, on_change, inst);
	assert_int_equal(life->start(inst, rig.fake.lane_list, &err), VPN_OK);
	assert_int_equal(told, 1);
	ext->subscribe(inst, NULL, NULL);
	assert_null(life->get_extension(inst, "org.example.other/1"));
	life->stop(inst);
	life->destroy(inst);
	life->destroy(NULL);
	fake_check_clean(&rig.fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(takes_the_first_free_unit, setup),
		cmocka_unit_test_setup(makes_exactly_the_unit_that_is_asked_for, setup),
		cmocka_unit_test_setup(refuses_names_that_macos_cannot_give, setup),
		cmocka_unit_test_setup(says_that_a_unit_is_in_use, setup),
		cmocka_unit_test_setup(says_what_needs_root, setup),
		cmocka_unit_test_setup(says_that_the_system_is_too_old, setup),
		cmocka_unit_test_setup(sets_addresses_and_their_networks, setup),
		cmocka_unit_test_setup(sets_peers, setup),
		cmocka_unit_test_setup(sets_the_mtu_of_the_stack_or_the_manifest, setup),
		cmocka_unit_test_setup(refuses_ipv6_below_its_mtu, setup),
		cmocka_unit_test_setup(refuses_addresses_that_no_device_can_have, setup),
		cmocka_unit_test_setup(lets_the_kernel_queue_more_than_one_packet, setup),
		cmocka_unit_test_setup(takes_a_descriptor_over, setup),
		cmocka_unit_test_setup(takes_what_it_added_back, setup),
		cmocka_unit_test_setup(tells_its_subscriber, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
