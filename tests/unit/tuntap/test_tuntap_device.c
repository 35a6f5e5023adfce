/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real devices in a network namespace of the test's own:
 *
 *   driver (fake host) <-> /dev/net/tun <-> kernel
 *
 * made, configured, attached to, taken away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

#define NOBODY 65534u

static struct world world; /* large: half a megabyte of captured packets' descriptors */

/* ---- names ---- */

static void makes_a_device_that_goes_with_it(void **state)
{
	struct world *w = &world;
	(void)state;
	world_init(w, "alpha");
	world_must_start(w, 1);
	struct tuntap_link link = world_link("alpha");
	struct vpn_device_info info = world_info(w);
	assert_string_equal(info.name, "alpha");
	assert_int_equal(info.ifindex, link.index);
	assert_int_equal(info.mtu, WORLD_MTU);
	assert_int_equal(info.layer, VPN_L3);
	assert_int_equal(link.mtu, WORLD_MTU);
	assert_int_equal(link.txqueuelen, TUNTAP_DEFAULT_TXQUEUELEN);
	assert_true((link.flags & IFF_UP) != 0);
	assert_false(link.ethernet);
	world_stop(w);
	assert_false(world_has_link("alpha"));
}

static void takes_the_first_free_number_for_a_template(void **state)
{
	struct world *w = &world;
	(void)state;
	world_make_persistent("vpn0", IFF_TUN, -1);
	world_init(w, "vpn%d");
	world_must_start(w, 1);
	assert_string_equal(world_info(w).name, "vpn1");
	world_stop(w);
	assert_int_equal(world_delete_link("vpn0"), 0);
}

static void leaves_an_empty_name_to_the_kernel(void **state)
{
	struct world *w = &world;
	(void)state;
	world_init(w, "");
	world_must_start(w, 1);
	assert_string_equal(world_info(w).name, "tun0");
	world_stop(w);
}

/* ---- configuration ---- */

static void sets_what_was_asked_for(void **state)
{
	struct world *w = &world;
	const struct vpn_prefix list[] = {world_prefix("10.9.0.1/24"), world_prefix("10.9.1.1/16"),
					  world_prefix("fd09::1/64")};
	struct tuntap_peer peer = {.address = {.family = VPN_AF_INET, .addr = {10, 8, 0, 1}},
				   .peer = world_prefix("10.8.0.2/32")};
	(void)state;
	world_init(w, "alpha");
	w->options.mtu = 1300;
	w->options.txqueuelen = 77;
	w->options.addresses = (struct vpn_list){
		.items = list, .count = 3, .item_size = sizeof(list[0])};
	w->options.peers = (struct vpn_list){.items = &peer, .count = 1, .item_size = sizeof(peer)};
	world_must_start(w, 1);
	struct tuntap_link link = world_link("alpha");
	assert_int_equal(link.mtu, 1300);
	assert_int_equal(link.txqueuelen, 77);
	assert_int_equal(link.addr_gen_mode, IN6_ADDR_GEN_MODE_NONE);
	assert_true(world_has_address("alpha", "10.9.0.1/24"));
	assert_true(world_has_address("alpha", "10.9.1.1/16"));
	assert_true(world_has_address("alpha", "fd09::1/64"));
	assert_true(world_has_address("alpha", "10.8.0.1 peer 10.8.0.2/32"));
	world_stop(w);
}

static void leaves_the_device_down_when_asked(void **state)
{
	struct world *w = &world;
	(void)state;
	world_init(w, "alpha");
	w->options.up = 0;
	world_must_start(w, 1);
	assert_true((world_link("alpha").flags & IFF_UP) == 0);
	world_stop(w);
}

static void sets_the_mac_of_a_tap(void **state)
{
	struct world *w = &world;
	static const uint8_t mac[6] = {2, 0, 0x5e, 0x10, 0, 1};
	(void)state;
	world_init(w, "alpha");
	w->options.layer = TUNTAP_ETHERNET;
	w->options.mac.is_set = 1;
	memcpy(w->options.mac.addr, mac, 6);
	world_must_start(w, 1);
	struct tuntap_link link = world_link("alpha");
	assert_true(link.ethernet);
	assert_memory_equal(link.mac, mac, 6);
	assert_int_equal(link.mtu, WORLD_MTU);
	assert_int_equal(world_info(w).layer, VPN_L2);
	world_stop(w);
}

static void refuses_ipv6_when_the_stack_carries_too_little(void **state)
{
	const struct vpn_prefix list[] = {world_prefix("fd09::1/64")};
	struct world *w = &world;
	(void)state;
	world_init(w, "alpha");
	w->options.addresses = (struct vpn_list){
		.items = list, .count = 1, .item_size = sizeof(list[0])};
	fake_init(&w->fake, 1, 1200);
	const struct vpn_lifecycle *life = world_component()->lifecycle;
	assert_int_equal(life->create(&w->fake.host, &w->options, &w->inst, &w->err), VPN_OK);
	assert_int_equal(life->start(w->inst, w->fake.lane_list, &w->err), VPN_EADDR);
	assert_string_equal(w->err.where, "/addresses/0");
	assert_non_null(strstr(w->err.text, "1280"));
	world_stop(w);
	assert_false(world_has_link("alpha"));
}

static void says_so_when_ipv6_is_switched_off(void **state)
{
	const struct vpn_prefix list[] = {world_prefix("fd09::1/64")};
	struct world *w = &world;
	(void)state;
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "1", 1), 1);
	world_init(w, "alpha");
	w->options.addresses = (struct vpn_list){
		.items = list, .count = 1, .item_size = sizeof(list[0])};
	world_must_refuse(w, 1, VPN_EADDR, "/addresses/0", "IPv6 is switched off");
	assert_int_equal(pwrite(fd, "0", 1, 0), 1);
	close(fd);
}

static void serves_two_lanes_with_two_queues(void **state)
{
	struct world *w = &world;
	(void)state;
	world_init(w, "alpha");
	world_must_start(w, 2);
	struct tuntap_link link = world_link("alpha");
	assert_true(link.multi_queue);
	assert_int_equal(link.n_queues, 2);
	world_stop(w);
}

static void sets_close_on_exec_everywhere(void **state)
{
	struct world *w = &world;
	(void)state;
	world_init(w, "alpha");
	world_must_start(w, 2);
	uint32_t n = 0;
	for (uint32_t i = 0; i < FAKE_WATCHES; i++) {
		if (w->fake.watches[i].lane == NULL)
			continue;
		assert_int_equal(fcntl(w->fake.watches[i].fd, F_GETFD), FD_CLOEXEC);
		n++;
	}
	assert_int_equal(n, 3); /* two queues and the monitor */
	world_stop(w);
}

/* ---- persistence ---- */

static void a_persistent_device_stays_persistent(void **state)
{
	const struct vpn_prefix list[] = {world_prefix("10.9.0.1/24")};
	struct world *w = &world;
	(void)state;
	world_make_persistent("keeper", IFF_TUN, -1);
	world_init(w, "keeper");
	w->options.addresses = (struct vpn_list){
		.items = list, .count = 1, .item_size = sizeof(list[0])};
	world_must_start(w, 1);
	assert_true(world_has_address("keeper", "10.9.0.1/24"));
	assert_int_equal(world_link("keeper").txqueuelen,
			 500); /* as it was: nobody asked for another */
	world_stop(w);
	assert_true(world_has_link("keeper"));
	assert_false(world_has_address("keeper", "10.9.0.1/24"));
	w->options.persist = TUNTAP_PERSIST_OFF;
	world_must_start(w, 1);
	world_stop(w);
	assert_false(world_has_link("keeper"));
}

static void leaves_addresses_that_were_there(void **state)
{
	const struct vpn_prefix list[] = {world_prefix("10.9.0.1/24")};
	struct world *w = &world;
	(void)state;
	world_make_persistent("keeper", IFF_TUN, -1);
	world_init(w, "keeper");
	w->options.addresses = (struct vpn_list){
		.items = list, .count = 1, .item_size = sizeof(list[0])};
	struct tuntap_netlink nl = {0};
	struct tuntap_address a = {.local = list[0]};
	assert_int_equal(tuntap_netlink_open(&nl), 0);
	assert_int_equal(
		tuntap_netlink_add_address(&nl, world_link("keeper").index, &a, false, true), 0);
	tuntap_netlink_close(&nl);
	world_must_start(w, 1);
	world_stop(w);
	assert_true(world_has_address("keeper", "10.9.0.1/24"));
	assert_int_equal(world_delete_link("keeper"), 0);
}

static void persist_makes_a_new_device_stay(void **state)
{
	struct world *w = &world;
	(void)state;
	world_init(w, "keeper");
	w->options.persist = TUNTAP_PERSIST_ON;
	w->options.owner = "65534";
	world_must_start(w, 1);
	world_stop(w);
	assert_true(world_has_link("keeper"));
	assert_int_equal(world_link("keeper").owner, NOBODY);
	assert_int_equal(world_delete_link("keeper"), 0);
}

static void a_start_that_fails_leaves_no_device(void **state)
{
	struct world *w = &world;
	(void)state;
	world_init(w, "keeper");
	w->options.persist = TUNTAP_PERSIST_ON;
	w->options.owner = "no-such-user-here";
	world_must_refuse(w, 1, VPN_ENOENT, "/owner", "no-such-user-here");
	w->options.owner = NULL;
	w->options.group = "no-such-group-here";
	world_must_refuse(w, 1, VPN_ENOENT, "/group", "no-such-group-here");
	assert_false(world_has_link("keeper"));
}

/* ---- refusals ---- */

static void names_the_process_that_holds_the_device(void **state)
{
	static struct world second;
	struct world *w = &world;
	char pid[48];
	(void)state;
	snprintf(pid, sizeof(pid), "alpha is in use by process %ld (", (long)getpid());
	world_init(w, "alpha");
	world_must_start(w, 1);
	world_init(&second, "alpha");
	world_must_refuse(&second, 1, VPN_EBUSY, "/name", pid);
	world_stop(w);
}

static void does_not_join_the_queues_of_another_program(void **state)
{
	static struct world second;
	struct world *w = &world;
	(void)state;
	world_init(w, "alpha");
	world_must_start(w, 2);
	world_init(&second, "alpha");
	world_must_refuse(&second, 2, VPN_EBUSY, "/name", "in use by process");
	world_must_refuse(&second, 1, VPN_EBUSY, "/name", "in use by process");
	world_stop(w);
}

static void says_what_does_not_fit_an_existing_device(void **state)
{
	struct world *w = &world;
	(void)state;
	world_make_persistent("keeper", IFF_TUN, -1);
	world_init(w, "keeper");
	w->options.layer = TUNTAP_ETHERNET;
	world_must_refuse(w, 1, VPN_EINVAL, "/layer", "there already as a tun device");
	w->options.layer = TUNTAP_IP;
	world_must_refuse(w, 2, VPN_EINVAL, "/name", "made with one queue");
	w->options.exclusive = 1;
	world_must_refuse(w, 1, VPN_EBUSY, "/exclusive", "there already");
	world_init(w, "lo");
	world_must_refuse(w, 1, VPN_EINVAL, "/name", "no TUN or TAP device");
	assert_int_equal(world_delete_link("keeper"), 0);
}

static void attaches_with_one_lane_to_a_multi_queue_device(void **state)
{
	struct world *w = &world;
	(void)state;
	world_make_persistent("keeper", IFF_TUN | IFF_MULTI_QUEUE, -1);
	world_init(w, "keeper");
	world_must_start(w, 1);
	world_stop(w);
	assert_int_equal(world_delete_link("keeper"), 0);
}

static int without_the_node(void)
{
	struct world *w = &world;
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/dev/net", "tmpfs", 0, NULL) != 0)
		return 2;
	world_init(w, "alpha");
	vpn_status status = world_start(w, 1);
	return status == VPN_ENOENT && strstr(w->err.text, "modprobe tun") != NULL &&
			       strstr(w->err.text, "--device /dev/net/tun") != NULL
		       ? 0
		       : 1;
}

static void says_what_to_do_without_the_node(void **state)
{
	(void)state;
	assert_true(world_in_child(without_the_node));
}

/* ---- an ordinary user ---- */

static bool become_nobody(void)
{
	return setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

static const struct vpn_prefix prepared[1] = {
	{.family = VPN_AF_INET, .length = 24, .addr = {10, 9, 0, 1}}};

static int attach_unprivileged(void)
{
	struct world *w = &world;
	if (!become_nobody())
		return 2;
	world_init(w, "keeper");
	w->options.mtu = WORLD_MTU;
	w->options.addresses = (struct vpn_list){
		.items = prepared, .count = 1, .item_size = sizeof(prepared[0])};
	if (world_start(w, 1) != VPN_OK) {
		fprintf(stderr, "%s\n", w->err.text);
		return 1;
	}
	world_stop(w);
	return 0;
}

static int attach_with_a_change(void)
{
	struct world *w = &world;
	if (!become_nobody())
		return 2;
	world_init(w, "keeper");
	w->options.mtu = 1300;
	if (world_start(w, 1) != VPN_EPERM ||
	    strstr(w->err.text, "ip link set dev keeper mtu 1300") == NULL)
		return 1;
	return strcmp(w->err.where, "/mtu") != 0;
}

static int make_unprivileged(void)
{
	struct world *w = &world;
	if (!become_nobody())
		return 2;
	world_init(w, "another");
	if (world_start(w, 1) != VPN_EPERM)
		return 1;
	return strstr(w->err.text, "CAP_NET_ADMIN") == NULL ||
	       strstr(w->err.text, "ip tuntap add dev another mode tun") == NULL;
}

static int attach_to_somebody_elses(void)
{
	struct world *w = &world;
	if (!become_nobody())
		return 2;
	world_init(w, "theirs");
	return world_start(w, 1) != VPN_EPERM ||
	       strstr(w->err.text, "belongs to user 12345") == NULL;
}

static void an_ordinary_user_attaches_to_a_prepared_device(void **state)
{
	struct tuntap_netlink nl = {0};
	struct tuntap_address a = {.local = prepared[0]};
	(void)state;
	world_make_persistent("keeper", IFF_TUN, NOBODY);
	assert_int_equal(tuntap_netlink_open(&nl), 0);
	assert_int_equal(
		tuntap_netlink_add_address(&nl, world_link("keeper").index, &a, false, true), 0);
	tuntap_netlink_close(&nl);
	assert_int_equal(world_set_mtu("keeper", WORLD_MTU), 0);
	assert_int_equal(world_set_up("keeper", true), 0);
	assert_true(world_in_child(attach_unprivileged));
	assert_true(world_has_address("keeper", "10.9.0.1/24"));
	assert_true(world_in_child(attach_with_a_change));
	assert_int_equal(world_delete_link("keeper"), 0);
}

static void an_ordinary_user_is_told_what_is_missing(void **state)
{
	(void)state;
	world_make_persistent("theirs", IFF_TUN, 12345);
	assert_true(world_in_child(make_unprivileged));
	assert_true(world_in_child(attach_to_somebody_elses));
	assert_int_equal(world_delete_link("theirs"), 0);
}

/* ---- a descriptor that was handed in ---- */

static int open_device(const char *name, int flags)
{
	struct ifreq req;
	int fd = open("/dev/net/tun", O_RDWR);
	assert_true(fd >= 0);
	memset(&req, 0, sizeof(req));
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	req.ifr_flags = (short)flags;
	assert_int_equal(ioctl(fd, TUNSETIFF, &req), 0);
	return fd;
}

static void takes_a_descriptor_that_was_handed_in(void **state)
{
	struct world *w = &world;
	(void)state;
	int fd = open_device("given", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
	world_init(w, "ignored");
	w->options.fd = fd;
	world_must_start(w, 1);
	assert_string_equal(world_info(w).name, "given");
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(world_logged(w, "TCP offload") || world_logged(w, "TCP and UDP offload"));
	world_stop(w);
	assert_true(world_has_link("given")); /* ours to close */
	close(fd);
	assert_false(world_has_link("given"));
}

static void works_without_the_vnet_header_of_a_given_descriptor(void **state)
{
	struct world *w = &world;
	(void)state;
	int fd = open_device("given", IFF_TUN | IFF_NO_PI);
	world_init(w, NULL);
	w->options.fd = fd;
	world_must_start(w, 1);
	assert_true(world_logged(w, "no offload"));
	world_stop(w);
	w->options.offload = TUNTAP_ON;
	world_must_refuse(w, 1, VPN_ENOTSUP, "/offload", "IFF_VNET_HDR");
	close(fd);
}

static void refuses_descriptors_that_do_not_fit(void **state)
{
	struct world *w = &world;
	int ends[2];
	(void)state;
	int fd = open_device("given", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	world_init(w, NULL);
	w->options.fd = fd;
	world_must_refuse(w, 1, VPN_EINVAL, "/layer", "given is a tap device");
	w->options.layer = TUNTAP_ETHERNET;
	world_must_refuse(w, 2, VPN_EINVAL, "/fd", "one queue");
	close(fd);
	w->options.fd = 999;
	world_must_refuse(w, 1, VPN_EINVAL, "/fd", "not open");
	fd = open_device("given", IFF_TAP);
	w->options.fd = fd;
	world_must_refuse(w, 1, VPN_ENOTSUP, "/fd", "IFF_NO_PI");
	close(fd);
	assert_int_equal(pipe(ends), 0);
	w->options.fd = ends[0];
	world_must_refuse(w, 1, VPN_EINVAL, "/fd", "no TUN or TAP device");
	close(ends[0]);
	close(ends[1]);
}

/* ---- events ---- */

static void a_deleted_device_ends_the_pipeline(void **state)
{
	struct world *w = &world;
	(void)state;
	world_init(w, "alpha");
	world_must_start(w, 2);
	assert_int_equal(world_delete_link("alpha"), 0);
	world_until(w, world_failed);
	assert_int_equal(w->fake.failure.status, VPN_ECLOSED);
	assert_non_null(strstr(w->fake.failure.text, "alpha was deleted"));
	/* a second sign of it is not a second failure: fake_host asserts that */
	for (int i = 0; i < 10; i++)
		fake_turn(&w->fake, world_component()->flow, w->inst, 0);
	world_stop(w);
}

static void a_deleted_device_is_noticed_by_the_queue_alone(void **state)
{
	struct world *w = &world;
	(void)state;
	world_init(w, "alpha");
	world_must_start(w, 1);
	for (uint32_t i = 0; i < FAKE_WATCHES; i++)
		if (w->fake.watches[i].token != 0)
			w->fake.watches[i].lane = NULL; /* deaf to netlink */
	assert_int_equal(world_delete_link("alpha"), 0);
	world_until(w, world_failed);
	assert_int_equal(w->fake.failure.status, VPN_ECLOSED);
	world_stop(w);
}

static bool saw_down(struct world *w)
{
	return fake_saw_event(&w->fake, VPN_EVENT_LINK_DOWN);
}

static bool saw_up(struct world *w)
{
	return fake_saw_event(&w->fake, VPN_EVENT_LINK_UP);
}

static bool saw_mtu(struct world *w)
{
	return fake_saw_event(&w->fake, VPN_EVENT_MTU);
}

static void down_and_up_are_told_and_addresses_come_back(void **state)
{
	const struct vpn_prefix list[] = {world_prefix("10.9.0.1/24"), world_prefix("fd09::1/64")};
	struct world *w = &world;
	(void)state;
	world_init(w, "alpha");
	w->options.addresses = (struct vpn_list){
		.items = list, .count = 2, .item_size = sizeof(list[0])};
	world_must_start(w, 1);
	assert_int_equal(world_set_up("alpha", false), 0);
	world_until(w, saw_down);
	assert_false(world_has_address("alpha", "fd09::1/64")); /* the kernel's doing */
	assert_int_equal(world_set_up("alpha", true), 0);
	world_until(w, saw_up);
	assert_true(world_has_address("alpha", "10.9.0.1/24"));
	assert_true(world_has_address("alpha", "fd09::1/64"));
	assert_false(world_logged(w, "removed the address"));
	assert_false(w->fake.failed);
	world_stop(w);
}

static void counts_what_comes_while_the_device_is_down(void **state)
{
	struct world *w = &world;
	uint8_t packet[20] = {0x45, 0, 0, 20};
	(void)state;
	world_init(w, "alpha");
	world_must_start(w, 1);
	uint64_t drop_down = 0;
	const struct vpn_lifecycle *life = world_component()->lifecycle;
	assert_int_equal(world_set_up("alpha", false), 0);
	struct vpn_packet *p = fake_packet(&w->fake, packet, sizeof(packet), 0);
	assert_int_equal(world_component()->flow->recv(w->inst, &w->fake.lanes[0], &p, 1), 1);
	for (uint32_t i = 0; i < life->n_counters; i++)
		if (strcmp(life->counters[i].name, "drop_down") == 0)
			drop_down = w->fake.counters[0][i];
	assert_int_equal(drop_down, 1);
	world_stop(w);
}

static void a_change_of_mtu_is_told(void **state)
{
	struct world *w = &world;
	(void)state;
	world_init(w, "alpha");
	world_must_start(w, 1);
	assert_int_equal(world_set_mtu("alpha", 1400), 0);
	world_until(w, saw_mtu);
	assert_true(world_logged(w, "MTU from 1420 to 1400"));
	assert_int_equal(world_info(w).mtu, 1400);
	world_stop(w);
}

static bool warned_of_address(struct world *w)
{
	return world_logged(w, "removed the address 10.9.0.1/24 from alpha");
}

static void an_address_that_others_remove_is_told(void **state)
{
	const struct vpn_prefix list[] = {world_prefix("10.9.0.1/24")};
	struct tuntap_address a = {.local = list[0]};
	struct world *w = &world;
	(void)state;
	world_init(w, "alpha");
	w->options.addresses = (struct vpn_list){
		.items = list, .count = 1, .item_size = sizeof(list[0])};
	world_must_start(w, 1);
	assert_int_equal(world_delete_address("alpha", &a), 0);
	world_until(w, warned_of_address);
	assert_false(w->fake.failed);
	world_stop(w);
}

static bool has_new_name(struct world *w)
{
	return strcmp(world_info(w).name, "beta") == 0;
}

static void follows_a_new_name(void **state)
{
	struct world *w = &world;
	(void)state;
	world_init(w, "alpha");
	w->options.up = 0; /* older kernels rename only what is down */
	world_must_start(w, 1);
	assert_int_equal(world_rename("alpha", "beta"), 0);
	world_until(w, has_new_name);
	assert_false(w->fake.failed);
	world_stop(w);
	assert_false(world_has_link("beta"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_a_device_that_goes_with_it),
		cmocka_unit_test(takes_the_first_free_number_for_a_template),
		cmocka_unit_test(leaves_an_empty_name_to_the_kernel),
		cmocka_unit_test(sets_what_was_asked_for),
		cmocka_unit_test(leaves_the_device_down_when_asked),
		cmocka_unit_test(sets_the_mac_of_a_tap),
		cmocka_unit_test(refuses_ipv6_when_the_stack_carries_too_little),
		cmocka_unit_test(says_so_when_ipv6_is_switched_off),
		cmocka_unit_test(serves_two_lanes_with_two_queues),
		cmocka_unit_test(sets_close_on_exec_everywhere),
		cmocka_unit_test(a_persistent_device_stays_persistent),
		cmocka_unit_test(leaves_addresses_that_were_there),
		cmocka_unit_test(persist_makes_a_new_device_stay),
		cmocka_unit_test(a_start_that_fails_leaves_no_device),
		cmocka_unit_test(names_the_process_that_holds_the_device),
		cmocka_unit_test(does_not_join_the_queues_of_another_program),
		cmocka_unit_test(says_what_does_not_fit_an_existing_device),
		cmocka_unit_test(attaches_with_one_lane_to_a_multi_queue_device),
		cmocka_unit_test(says_what_to_do_without_the_node),
		cmocka_unit_test(an_ordinary_user_attaches_to_a_prepared_device),
		cmocka_unit_test(an_ordinary_user_is_told_what_is_missing),
		cmocka_unit_test(takes_a_descriptor_that_was_handed_in),
		cmocka_unit_test(works_without_the_vnet_header_of_a_given_descriptor),
		cmocka_unit_test(refuses_descriptors_that_do_not_fit),
		cmocka_unit_test(a_deleted_device_ends_the_pipeline),
		cmocka_unit_test(a_deleted_device_is_noticed_by_the_queue_alone),
		cmocka_unit_test(down_and_up_are_told_and_addresses_come_back),
		cmocka_unit_test(counts_what_comes_while_the_device_is_down),
		cmocka_unit_test(a_change_of_mtu_is_told),
		cmocka_unit_test(an_address_that_others_remove_is_told),
		cmocka_unit_test(follows_a_new_name),
	};
	return cmocka_run_group_tests(tests, world_enter, NULL);
}
