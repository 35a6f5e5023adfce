/* SPDX-License-Identifier: BSD-2-Clause */
/* What a device is set to, and that nothing of it stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

static struct rig rig;

static void boot(enum model_os os, enum bsd_layer_kind layer)
{
	model_boot(os);
	rig_init(&rig, layer);
}

#define MODES (BSD_IFF_BROADCAST | BSD_IFF_POINTOPOINT | BSD_IFF_MULTICAST)

static void networks_put_a_device_into_broadcast_mode(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++) {
			boot(os, layer);
			rig_add_address(&rig, "10.78.0.1/24");
			rig_add_address(&rig, "10.79.0.1/32");
			rig_add_address(&rig, "fd78::1/64");
			rig_must_start(&rig);
			const struct model_if *f = rig_if(&rig);
			assert_true(model_has(f, "10.78.0.1/24"));
			assert_true(model_has(f, "10.79.0.1/32"));
			assert_true(model_has(f, "fd78::1/64"));
			assert_int_equal(f->flags & MODES, BSD_IFF_BROADCAST | BSD_IFF_MULTICAST);
			assert_int_equal(f->flags & BSD_IFF_UP, BSD_IFF_UP);
			assert_int_equal(f->mtu, RIG_MTU);
			assert_true(f->nonblocking);
			assert_int_equal(f->head, layer == BSD_IP);
			assert_int_equal(rig_info(&rig).mtu, RIG_MTU);
			assert_int_equal(rig_info(&rig).flags, VPN_DEVICE_UP);
			assert_int_equal(rig_info(&rig).layer, layer == BSD_IP ? VPN_L3 : VPN_L2);
			rig_stop(&rig);
			rig_check_clean();
			assert_int_equal(rig_records(&rig), 0);
		}
}

static void peers_put_a_device_into_point_to_point_mode(void **state)
{
	static const uint8_t other[4] = {10, 78, 0, 2}, first[4] = {10, 80, 0, 2};
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_IP);
		rig_add_peer(&rig, "10.78.0.1/32", "10.78.0.2/32");
		rig_add_peer(&rig, "fd78::1/128", "fd78::2/128");
		rig_add_address(&rig, "10.80.0.1/24");
		rig_must_start(&rig);
		const struct model_if *f = rig_if(&rig);
		assert_int_equal(f->flags & MODES, BSD_IFF_POINTOPOINT | BSD_IFF_MULTICAST);
		/* the invented other side of the network */
		assert_memory_equal(f->addresses[0].dst, first, 4);
		assert_memory_equal(f->addresses[1].dst, other, 4);
		assert_true(model_has(f, "fd78::1/128"));
		assert_true(rig_logged(&rig, "the first host of its network only"));
		rig_stop(&rig);
		rig_check_clean();
	}
}

static void an_invented_peer_is_another_host_of_the_network(void **state)
{
	static const struct {
		const char *address;
		uint8_t peer[4];
	} rows[] = {
		{"10.80.0.1/24", {10, 80, 0, 2}},  {"10.80.0.2/24", {10, 80, 0, 1}},
		{"10.80.0.9/30", {10, 80, 0, 10}}, {"10.80.0.10/30", {10, 80, 0, 9}},
		{"10.80.0.8/31", {10, 80, 0, 9}},  {"10.80.0.9/31", {10, 80, 0, 8}},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		boot(MODEL_OPENBSD, BSD_IP);
		rig_add_address(&rig, rows[i].address);
		rig_add_peer(&rig, "10.78.0.1/32", "10.78.0.2/32");
		rig_must_start(&rig);
		assert_memory_equal(rig_if(&rig)->addresses[0].dst, rows[i].peer, 4);
		rig_stop(&rig);
	}
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_IP);
		rig_add_address(&rig, "10.80.0.1/32");
		rig_add_peer(&rig, "10.78.0.1/32", "10.78.0.2/32");
		if (os == MODEL_OPENBSD || os == MODEL_NETBSD) {
			rig_must_refuse(&rig, VPN_EADDR, "/addresses/0", "needs another side");
		} else {
			rig_must_start(&rig);
			rig_stop(&rig);
		}
		rig_check_clean();
	}
}

static void a_device_without_addresses_keeps_its_mode(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_IP);
		rig_must_start(&rig);
		assert_true((rig_if(&rig)->flags & BSD_IFF_POINTOPOINT) != 0);
		rig_stop(&rig);
		rig_check_clean();
	}
}

static void a_mode_does_not_take_openbsd_down(void **state)
{
	(void)state;
	boot(MODEL_OPENBSD, BSD_IP);
	rig.options.up = 0;
	rig_add_peer(&rig, "fd78::1/128", "fd78::2/128");
	rig_must_start(&rig);
	assert_int_equal(rig_if(&rig)->flags & BSD_IFF_UP, BSD_IFF_UP);
	rig_stop(&rig);
}

static void a_device_that_shall_not_be_up_is_not(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++)
		for (enum bsd_layer_kind layer = BSD_IP; layer <= BSD_ETHERNET; layer++) {
			boot(os, layer);
			rig.options.up = 0;
			rig_add_address(&rig, "10.78.0.1/24");
			rig_must_start(&rig);
			bool up = (rig_if(&rig)->flags & BSD_IFF_UP) != 0;
			assert_int_equal(up, os == MODEL_OPENBSD);
			assert_int_equal(rig_info(&rig).flags, up ? VPN_DEVICE_UP : 0);
			rig_stop(&rig);
			rig_check_clean();
		}
}

static void the_mtu_is_what_stack_and_kernel_allow(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_IP);
		rig.fake.host.mtu_above = 8900;
		rig_must_start(&rig);
		assert_int_equal(rig_if(&rig)->mtu, os == MODEL_NETBSD ? 1500 : 8900);
		rig_stop(&rig);
		boot(os, BSD_IP);
		rig.options.mtu = 1300;
		rig_must_start(&rig);
		assert_int_equal(rig_if(&rig)->mtu, 1300);
		rig_stop(&rig);
		rig_check_clean();
	}
	boot(MODEL_NETBSD, BSD_IP);
	rig.fake.host.mtu_above = 500;
	rig_must_refuse(&rig, VPN_ENOTSUP, "/mtu", "takes at least 576");
	rig_check_clean();
	boot(MODEL_FREEBSD, BSD_IP);
	rig.fake.host.mtu_above = 1200;
	rig_add_address(&rig, "fd78::1/64");
	rig_must_refuse(&rig, VPN_EADDR, "/addresses", "IPv6 needs an MTU of at least 1280");
	rig_check_clean();
}

static void a_mac_address_is_set(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0x5e, 0x10, 0, 1};
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_ETHERNET);
		memcpy(rig.options.mac.addr, mac, 6);
		rig.options.mac.is_set = 1;
		rig_must_start(&rig);
		assert_memory_equal(rig_if(&rig)->mac, mac, 6);
		rig_stop(&rig);
		rig_check_clean();
	}
}

static void freebsd_makes_no_link_local_address_of_its_own(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP);
	rig_add_address(&rig, "fd78::1/64");
	rig_must_start(&rig);
	assert_int_equal(rig_if(&rig)->nd6, 0x100); /* NO_DAD, and no more */
	rig_stop(&rig);
	boot(MODEL_FREEBSD, BSD_ETHERNET);
	rig_add_address(&rig, "fd78::1/64");
	rig_must_start(&rig);
	assert_int_equal(rig_if(&rig)->nd6, 0x28);
	rig_stop(&rig);
}

static void a_kernel_without_ipv6_is_told_apart(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_IP);
		model.no_ipv6 = true;
		rig_add_address(&rig, "10.78.0.1/24");
		rig_must_start(&rig);
		rig_stop(&rig);
		boot(os, BSD_IP);
		model.no_ipv6 = true;
		rig_add_address(&rig, "fd78::1/64");
		rig_must_refuse(&rig, VPN_EADDR, "/addresses/0", "no IPv6");
		rig_check_clean();
	}
}

static void addresses_of_others_on_a_device_that_stays_stay(void **state)
{
	(void)state;
	for (enum model_os os = MODEL_OPENBSD; os < MODEL_SYSTEMS; os++) {
		boot(os, BSD_ETHERNET);
		rig.options.name = "tap1";
		struct model_if *f = model_create("tap1");
		f->addresses[0] = (struct model_address){
			.family = VPN_AF_INET, .length = 24, .addr = {10, 78, 0, 1}};
		rig_add_address(&rig, "10.78.0.1/24");
		rig_add_address(&rig, "10.79.0.1/24");
		rig_add_address(&rig, "fd78::1/64");
		rig_must_start(&rig);
		assert_true(model_has(f, "10.79.0.1/24"));
		rig_stop(&rig);
		rig_check_left(1);
		assert_true(model_has(f, "10.78.0.1/24"));
		assert_false(model_has(f, "10.79.0.1/24"));
		assert_false(model_has(f, "fd78::1/64"));
	}
}

static void a_device_that_is_up_in_another_mode_is_refused(void **state)
{
	(void)state;
	for (enum model_os os = 0; os < MODEL_SYSTEMS; os++) {
		if (os == MODEL_OPENBSD)
			continue; /* changes the mode of one that is up */
		boot(os, BSD_IP);
		rig.options.name = "tun1";
		struct model_if *f = model_create("tun1");
		f->flags |= BSD_IFF_UP;
		rig_add_address(&rig, "10.78.0.1/24");
		rig_must_refuse(&rig, VPN_EBUSY, "/name", "take it down first");
		rig_check_left(1);
	}
}

static void what_has_no_effect_here_is_told(void **state)
{
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP);
	rig.options.txqueuelen = 500;
	rig_must_start(&rig);
	assert_true(rig_logged(&rig, "txqueuelen has no effect on FreeBSD"));
	rig_stop(&rig);
}

static uint32_t told;

static void on_changed(void *ctx)
{
	struct rig *r = ctx;
	assert_string_equal(rig_info(r).name, "vpn0");
	told++;
}

static void a_subscriber_hears_of_the_device(void **state)
{
	const struct vpn_lifecycle *life = rig_component()->lifecycle;
	(void)state;
	boot(MODEL_FREEBSD, BSD_IP);
	told = 0;
	assert_int_equal(life->create(&rig.fake.host, &rig.options, &rig.inst, &rig.err), VPN_OK);
	const struct vpn_device_ext *ext = life->get_extension(rig.inst, VPN_EXT_DEVICE);
	struct vpn_device_info info = {.size = sizeof(info)};
	assert_int_equal(ext->info(rig.inst, &info), VPN_ENOENT);
	ext->subscribe(rig.inst, on_changed, &rig);
	assert_int_equal(life->start(rig.inst, rig.fake.lane_list, &rig.err), VPN_OK);
	assert_int_equal(told, 1);
	ext->subscribe(rig.inst, NULL, NULL);
	assert_null(life->get_extension(rig.inst, "vpncore.other/1"));
	/* a program of the first ABI sees no more than it knows */
	info = (struct vpn_device_info){.size = 80, .flags = 77};
	assert_int_equal(ext->info(rig.inst, &info), VPN_OK);
	assert_int_equal(info.flags, 77);
	rig_stop(&rig);
}

static void destroy_takes_nothing(void **state)
{
	(void)state;
	rig_component()->lifecycle->destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_put_a_device_into_broadcast_mode),
		cmocka_unit_test(peers_put_a_device_into_point_to_point_mode),
		cmocka_unit_test(an_invented_peer_is_another_host_of_the_network),
		cmocka_unit_test(a_device_without_addresses_keeps_its_mode),
		cmocka_unit_test(a_mode_does_not_take_openbsd_down),
		cmocka_unit_test(a_device_that_shall_not_be_up_is_not),
		cmocka_unit_test(the_mtu_is_what_stack_and_kernel_allow),
		cmocka_unit_test(a_mac_address_is_set),
		cmocka_unit_test(freebsd_makes_no_link_local_address_of_its_own),
		cmocka_unit_test(a_kernel_without_ipv6_is_told_apart),
		cmocka_unit_test(addresses_of_others_on_a_device_that_stays_stay),
		cmocka_unit_test(a_device_that_is_up_in_another_mode_is_refused),
		cmocka_unit_test(what_has_no_effect_here_is_told),
		cmocka_unit_test(a_subscriber_hears_of_the_device),
		cmocka_unit_test(destroy_takes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
