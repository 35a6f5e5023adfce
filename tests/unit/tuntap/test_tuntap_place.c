/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device that is in another network namespace than the driver:
 *
 *   home (driver, test)   ---- moved ---->   there, beyond (each kept by a process)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "world.h"

static struct world world;
static struct world_namespace there, beyond;

static int fresh(void **state)
{
	(void)state;
	there = world_make_namespace();
	beyond = world_make_namespace();
	world_init(&world, "alpha");
	return 0;
}

static int done(void **state)
{
	(void)state;
	if (world.inst != NULL)
		world_stop(&world);
	world_end_namespace(&there);
	world_end_namespace(&beyond);
	return 0;
}

static bool is_up(struct world *w)
{
	return (world_info(w).flags & VPN_DEVICE_UP) != 0;
}

static bool is_down(struct world *w)
{
	return !is_up(w);
}

static bool has_mtu_1300(struct world *w)
{
	return world_info(w).mtu == 1300;
}

static bool is_beta(struct world *w)
{
	return strcmp(world_info(w).name, "beta") == 0;
}

static bool was_moved(struct world *w)
{
	return world_logged(w, "alpha was moved to another network namespace");
}

static bool is_back(struct world *w)
{
	return world_logged(w, "alpha is back in this network namespace");
}

/* From where this thread is now. */
static void move_to(const struct world_namespace *ns)
{
	assert_int_equal(world_move_to("alpha", ns->keeper), 0);
}

static void set_up_in(const struct world_namespace *ns, const char *name, bool up)
{
	int home = world_go_to(ns);
	assert_int_equal(world_set_up(name, up), 0);
	world_go_home(home);
}

static void start_and_move(void)
{
	world_must_start(&world, 1);
	move_to(&there);
	world_until(&world, was_moved);
}

/* ---- moved while it runs ---- */

static void is_followed_to_another_namespace(void **state)
{
	(void)state;
	start_and_move();
	assert_false(world_logged(&world, "not seen"));
	assert_true(is_down(&world));
	assert_int_equal(world_info(&world).ifindex, 0);
	assert_string_equal(world_info(&world).name, "alpha");
	world.fake.n_events = 0;
	set_up_in(&there, "alpha", true);
	world_until(&world, is_up);
	assert_true(fake_saw_event(&world.fake, VPN_EVENT_LINK_UP));
	set_up_in(&there, "alpha", false);
	world_until(&world, is_down);
	assert_true(fake_saw_event(&world.fake, VPN_EVENT_LINK_DOWN));
	assert_false(world.fake.failed);
}

static void what_is_changed_there_is_told(void **state)
{
	(void)state;
	start_and_move();
	int home = world_go_to(&there);
	assert_int_equal(world_set_mtu("alpha", 1300), 0);
	assert_int_equal(world_rename("alpha", "beta"), 0);
	world_go_home(home);
	world_until(&world, is_beta);
	world_until(&world, has_mtu_1300);
	assert_true(world_logged(&world, "MTU from 1420 to 1300"));
	assert_true(world_logged(&world, "alpha has a new name: beta"));
}

static void a_device_that_is_deleted_there_ends_the_pipeline(void **state)
{
	(void)state;
	start_and_move();
	int home = world_go_to(&there);
	assert_int_equal(world_delete_link("alpha"), 0);
	world_go_home(home);
	world_until(&world, world_failed);
	assert_int_equal(world.fake.failure.status, VPN_ECLOSED);
}

/* Nothing of ours may keep the namespace alive. */
static void a_namespace_that_ends_takes_the_device_along(void **state)
{
	(void)state;
	start_and_move();
	set_up_in(&there, "alpha", true);
	world_until(&world, is_up);
	world_end_namespace(&there);
	world_until(&world, world_failed);
	assert_int_equal(world.fake.failure.status, VPN_ECLOSED);
	there = world_make_namespace();
}

static void is_followed_from_namespace_to_namespace(void **state)
{
	(void)state;
	start_and_move();
	int home = world_go_to(&there);
	move_to(&beyond);
	world_go_home(home);
	set_up_in(&beyond, "alpha", true);
	world_until(&world, is_up);
	set_up_in(&beyond, "alpha", false);
	world_until(&world, is_down);
	assert_false(world.fake.failed);
}

static void is_followed_when_all_happens_at_once(void **state)
{
	(void)state;
	world_must_start(&world, 1);
	for (int i = 0; i < 3; i++) {
		move_to(&there);
		int home = world_go_to(&there);
		assert_int_equal(world_set_up("alpha", true), 0);
		move_to(&beyond);
		world_go_home(home);
		home = world_go_to(&beyond);
		assert_int_equal(world_set_mtu("alpha", 1300), 0);
		assert_int_equal(world_set_up("alpha", true), 0);
		assert_int_equal(world_move_to_descriptor("alpha", home), 0);
		world_go_home(home);
	}
	assert_int_equal(world_set_up("alpha", true), 0);
	world_until(&world, has_mtu_1300);
	world_until(&world, is_up);
	assert_int_equal(world_info(&world).ifindex, world_link("alpha").index);
	assert_false(world.fake.failed);
}

static void comes_back_and_gets_its_addresses(void **state)
{
	const struct vpn_prefix list[] = {world_prefix("10.9.0.1/24"), world_prefix("fd09::1/64")};
	(void)state;
	world.options.addresses = (struct vpn_list){
		.items = list, .count = 2, .item_size = sizeof(list[0])};
	start_and_move();
	assert_true(world_logged(&world, "but has lost its addresses"));
	set_up_in(&there, "alpha", true);
	world_until(&world, is_up);
	int home = world_go_to(&there);
	/* over there they are the business of others */
	assert_false(world_logged(&world, "its addresses back"));
	assert_false(world_logged(&world, "put back"));
	assert_false(world_has_address("alpha", "10.9.0.1/24"));
	assert_int_equal(world_move_to_descriptor("alpha", home), 0);
	world_go_home(home);
	world_until(&world, is_back);
	world_until(&world, is_down);
	assert_int_equal(world_info(&world).ifindex, world_link("alpha").index);
	assert_int_equal(world_set_up("alpha", true), 0);
	world_until(&world, is_up);
	assert_true(world_has_address("alpha", "10.9.0.1/24"));
	assert_true(world_has_address("alpha", "fd09::1/64"));
	assert_false(world_logged(&world, "removed the address"));
}

/* A device with this index where this thread is; the descriptor keeps it. */
static int open_device(const char *name, int index)
{
	struct ifreq req = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (index != 0)
		assert_int_equal(ioctl(fd, TUNSETIFINDEX, &index), 0);
	assert_int_equal(ioctl(fd, TUNSETIFF, &req), 0);
	return fd;
}

/* Its namespace has a number here, so its events arrive as well. */
static void another_device_of_the_same_number_elsewhere_is_not_ours(void **state)
{
	(void)state;
	start_and_move();
	int home = world_go_to(&there);
	move_to(&beyond);
	world_go_home(home);
	set_up_in(&beyond, "alpha", true);
	world_until(&world, is_up);
	home = world_go_to(&beyond);
	int index = (int)world_link("alpha").index;
	world_go_home(home);
	home = world_go_to(&there);
	int fd = open_device("stranger", index);
	assert_int_equal(world_set_mtu("stranger", 1111), 0);
	assert_int_equal(world_delete_link("stranger"), 0);
	close(fd);
	world_go_home(home);
	fd = open_device("stranger", 0); /* nor one at home */
	assert_int_equal(world_set_up("stranger", true), 0);
	close(fd);
	home = world_go_to(&beyond);
	assert_int_equal(world_set_mtu("alpha", 1300), 0);
	world_go_home(home);
	world_until(&world, has_mtu_1300);
	assert_string_equal(world_info(&world).name, "alpha");
	assert_true(is_up(&world));
	assert_false(world_logged(&world, "1111"));
	assert_false(world.fake.failed);
}

/* ---- without the privilege to follow ---- */

static bool drop_capability(unsigned int cap)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data) != 0)
		return false;
	data[cap / 32].effective &= ~(1u << cap % 32);
	return syscall(SYS_capset, &header, data) == 0;
}

static int without_broadcast(void)
{
	if (!drop_capability(CAP_NET_BROADCAST))
		return 1;
	start_and_move();
	if (!world_logged(&world, "what happens to it there is not seen"))
		return 2;
	/* what is not known is told as up */
	if (!is_up(&world) || world_info(&world).ifindex != 0)
		return 3;
	int home = world_go_to(&there);
	int moved = world_move_to_descriptor("alpha", home);
	world_go_home(home);
	if (moved != 0)
		return 4;
	world_until(&world, is_back);
	world_until(&world, is_down);
	world_stop(&world);
	return world_has_link("alpha") ? 5 : 0;
}

static void without_privilege_it_is_not_followed_but_seen_when_it_is_back(void **state)
{
	(void)state;
	assert_true(world_in_child(without_broadcast));
}

/* ---- handed in ---- */

static int handed_in(void)
{
	int home = world_go_to(&there);
	int fd = open_device("alpha", 0);
	world_go_home(home);
	world.options.name = NULL;
	world.options.fd = fd;
	return fd;
}

static void a_device_that_is_elsewhere_from_the_start_is_seen(void **state)
{
	(void)state;
	int fd = handed_in();
	world_must_start(&world, 1);
	assert_true(world_logged(&world, "alpha is in another network namespace: it is used as"));
	assert_false(world_logged(&world, "not seen"));
	assert_string_equal(world_info(&world).name, "alpha");
	assert_int_equal(world_info(&world).mtu, 1500);
	assert_int_equal(world_info(&world).ifindex, 0);
	assert_true(is_down(&world));
	set_up_in(&there, "alpha", true);
	world_until(&world, is_up);
	int home = world_go_to(&there);
	assert_int_equal(world_move_to_descriptor("alpha", home), 0);
	world_go_home(home);
	world_until(&world, is_back);
	world_stop(&world);
	close(fd);
}

static int elsewhere_without_broadcast(void)
{
	int fd = handed_in();
	if (!drop_capability(CAP_NET_BROADCAST))
		return 1;
	world_must_start(&world, 1);
	if (!world_logged(&world, "its events are not seen"))
		return 2;
	if (!is_up(&world) || world_info(&world).mtu != WORLD_MTU)
		return 3;
	close(fd);
	int home = world_go_to(&there);
	int deleted = world_delete_link("alpha");
	world_go_home(home);
	if (deleted != 0)
		return 4;
	world_until(&world, world_failed);
	world_stop(&world);
	return 0;
}

static void without_privilege_a_device_elsewhere_is_used_as_it_is(void **state)
{
	(void)state;
	assert_true(world_in_child(elsewhere_without_broadcast));
}

static void addresses_for_a_device_elsewhere_are_refused(void **state)
{
	const struct vpn_prefix list[] = {world_prefix("10.9.0.1/24")};
	(void)state;
	int fd = handed_in();
	world.options.addresses = (struct vpn_list){
		.items = list, .count = 1, .item_size = sizeof(list[0])};
	world_must_refuse(&world, 1, VPN_ENOTSUP, "/addresses", "another network namespace");
	close(fd);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(is_followed_to_another_namespace),
		CASE(what_is_changed_there_is_told),
		CASE(a_device_that_is_deleted_there_ends_the_pipeline),
		CASE(a_namespace_that_ends_takes_the_device_along),
		CASE(is_followed_from_namespace_to_namespace),
		CASE(is_followed_when_all_happens_at_once),
		CASE(comes_back_and_gets_its_addresses),
		CASE(another_device_of_the_same_number_elsewhere_is_not_ours),
		CASE(without_privilege_it_is_not_followed_but_seen_when_it_is_back),
		CASE(a_device_that_is_elsewhere_from_the_start_is_seen),
		CASE(without_privilege_a_device_elsewhere_is_used_as_it_is),
		CASE(addresses_for_a_device_elsewhere_are_refused),
	};
	return cmocka_run_group_tests(tests, world_enter, NULL);
}
