/* SPDX-License-Identifier: BSD-2-Clause */
/* Failures of the system calls: real ones on lo, and scripted ones. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "udp_linux.h"

int __real_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags);
int __real_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags, struct timespec *t);
int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags, struct timespec *t);

/* What the replaced calls do. */
static struct {
	bool every_second; /* next_error again for every second message */
	int kept;
	int next_error;      /* for the next message of any kind, once */
	int segmented_error; /* for every message with UDP_SEGMENT */
	int local_error;     /* for every message with a local address */
	int always_error;
	int port_error; /* for messages to this port */
	uint16_t port;
	unsigned int at_most; /* messages of one call, 0 = all */
	int receive_error;    /* once */
	uint32_t calls;
} script;

static struct world w;
static int peer;

static bool has_control(struct msghdr *hdr, int level, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c != NULL; c = CMSG_NXTHDR(hdr, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return true;
	return false;
}

static int scripted_error(struct msghdr *hdr)
{
	const struct sockaddr_in *to = hdr->msg_name;
	int error = script.next_error;
	script.next_error = error == 0 && script.every_second ? script.kept : 0;
	if (error != 0)
		script.kept = error;
	if (error == 0 && has_control(hdr, IPPROTO_IP, IP_PKTINFO))
		error = script.local_error;
	if (error == 0 && has_control(hdr, SOL_UDP, UDP_SEGMENT))
		error = script.segmented_error;
	if (error == 0 && script.port != 0 && ntohs(to->sin_port) == script.port)
		error = script.port_error;
	return error != 0 ? error : script.always_error;
}

int __wrap_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags)
{
	assert_true(++script.calls < 10000);
	unsigned int most = script.at_most != 0 && script.at_most < n ? script.at_most : n;
	for (unsigned int i = 0; i < most; i++) {
		int error = scripted_error(&msgs[i].msg_hdr);
		int sent = error == 0 ? __real_sendmmsg(fd, &msgs[i], 1, flags) : -1;
		if (sent == 1)
			continue;
		if (error != 0)
			errno = error;
		return i != 0 ? (int)i : -1;
	}
	return (int)most;
}

int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags, struct timespec *t)
{
	if (script.receive_error == 0)
		return __real_recvmmsg(fd, msgs, n, flags, t);
	errno = script.receive_error;
	script.receive_error = 0;
	return -1;
}

static int set_up(void **state)
{
	(void)state;
	memset(&script, 0, sizeof(script));
	world_init(&w);
	peer = peer_open("127.0.0.1", 0);
	w.options.remote = world_at("127.0.0.1", peer_port(peer));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_end(&w);
	close(peer);
	return 0;
}

static void send_run(uint32_t len, uint32_t n, const struct vpn_endpoint *to)
{
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	for (uint32_t i = 0; i < n; i++)
		pkts[i] = world_packet(&w, len, (uint8_t)i, to);
	world_send(&w, pkts, n);
}

static void expect_run(uint32_t len, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		peer_expect(peer, len, (uint8_t)i, NULL);
	assert_true(peer_is_silent(peer));
}

static void eio_turns_segmentation_off_for_the_family(void **state)
{
	(void)state;
	world_must_start(&w);
	script.segmented_error = EIO;
	send_run(500, 10, NULL);
	expect_run(500, 10);
	assert_int_equal(world_counted(&w, SEGMENTATION_OFF), 1);
	script.calls = 0;
	send_run(500, 10, NULL);
	expect_run(500, 10);
	assert_int_equal(script.calls, 1);
	assert_int_equal(world_counted(&w, SEGMENTATION_OFF), 1);
	assert_false(w.udp->lanes[0].sockets[0].segments);
}

static void off_for_a_destination(int error)
{
	struct vpn_endpoint other = endpoint_at("10.9.0.1", 9);
	world_must_start(&w);
	script.segmented_error = error;
	send_run(500, 10, NULL);
	expect_run(500, 10);
	assert_int_equal(world_counted(&w, SEGMENTATION_OFF), 1);
	assert_true(w.udp->lanes[0].sockets[0].segments);
	script.calls = 0;
	send_run(500, 10, NULL);
	expect_run(500, 10);
	assert_int_equal(script.calls, 1);
	/* others are still tried, and this one again after a while */
	send_run(500, 2, &other);
	assert_int_equal(world_counted(&w, SEGMENTATION_OFF), 2);
	w.now_ns += 3600 * UDP_SECOND;
	script.segmented_error = 0;
	script.calls = 0;
	send_run(500, 10, NULL);
	expect_run(500, 10);
	assert_int_equal(w.udp->lanes[0].tx.groups[0].count, 10);
}

static void emsgsize_turns_segmentation_off_for_the_destination(void **state)
{
	(void)state;
	off_for_a_destination(EMSGSIZE);
}

static void einval_turns_segmentation_off_for_the_destination(void **state)
{
	(void)state;
	off_for_a_destination(EINVAL);
}

static void partial_sends_are_continued(void **state)
{
	(void)state;
	w.options.offload = UDP_OFFLOAD_OFF;
	world_must_start(&w);
	script.at_most = 3;
	send_run(100, 20, NULL);
	expect_run(100, 20);
	assert_int_equal(script.calls, 7);
}

static void a_full_buffer_gives_packets_back_and_tells_when_there_is_room(void **state)
{
	struct vpn_packet *pkts[4];
	const struct vpn_flow *flow = world_component()->flow;
	struct vpn_lane *lane = &w.lanes[0].pub;
	(void)state;
	w.options.offload = UDP_OFFLOAD_OFF;
	world_must_start(&w);
	script.port = peer_port(peer);
	script.at_most = 2;
	for (uint32_t i = 0; i < 4; i++)
		pkts[i] = world_packet(&w, 100, (uint8_t)i, NULL);
	world_send(&w, pkts, 2);
	script.always_error = EAGAIN;
	assert_int_equal(flow->send(w.udp, lane, pkts + 2, 2), 0);
	assert_int_equal(world_counted(&w, SEND_BLOCKED), 1);
	script.calls = 0;
	assert_int_equal(flow->send(w.udp, lane, pkts + 2, 2), 0);
	assert_int_equal(script.calls, 0); /* no system call until there is room */
	assert_int_equal(w.lanes[0].writable_down, 0);
	script.always_error = 0;
	world_serve(&w, 10);
	assert_int_equal(w.lanes[0].writable_down, 1);
	world_send(&w, pkts + 2, 2);
	expect_run(100, 4);
	world_serve(&w, 0);
	assert_int_equal(w.lanes[0].writable_down, 1);
}

static void blocked_in_the_middle_takes_what_went_before(void **state)
{
	struct vpn_endpoint second = endpoint_at("10.9.0.1", 9);
	struct vpn_packet *pkts[5];
	(void)state;
	world_must_start(&w);
	script.port = 9;
	script.port_error = EAGAIN;
	for (uint32_t i = 0; i < 5; i++)
		pkts[i] = world_packet(&w, 100, (uint8_t)i, i < 3 ? NULL : &second);
	uint32_t taken = world_component()->flow->send(w.udp, &w.lanes[0].pub, pkts, 5);
	assert_int_equal(taken, 3);
	expect_run(100, 3);
	world_release(&w, pkts + 3, 2);
}

/*
 * An Ethernet device with nobody behind it: what is sent to 10.8.0.2 waits for its hardware address,
 * and fills the send buffer meanwhile. Loopback cannot show that: it delivers at once.
 */
static int open_tap(void)
{
	struct ifreq request = {.ifr_name = "udptap", .ifr_flags = IFF_TAP | IFF_NO_PI};
	union udp_name name;
	struct vpn_endpoint e = endpoint_at("10.8.0.1", 0);
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	udp_address_to_name(&e, &name);
	memcpy(&request.ifr_addr, &name.any, sizeof(request.ifr_addr));
	assert_int_equal(ioctl(peer, SIOCSIFADDR, &request), 0);
	udp_address_parse("255.255.255.0", &e);
	udp_address_to_name(&e, &name);
	memcpy(&request.ifr_netmask, &name.any, sizeof(request.ifr_netmask));
	assert_int_equal(ioctl(peer, SIOCSIFNETMASK, &request), 0);
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	assert_int_equal(ioctl(peer, SIOCSIFFLAGS, &request), 0);
	return fd;
}

static void tell_hardware_address(void)
{
	struct arpreq request = {.arp_flags = ATF_COM | ATF_PERM, .arp_dev = "udptap"};
	struct vpn_endpoint e = endpoint_at("10.8.0.2", 0);
	union udp_name name;
	udp_address_to_name(&e, &name);
	memcpy(&request.arp_pa, &name.any, sizeof(request.arp_pa));
	request.arp_ha.sa_family = ARPHRD_ETHER;
	memcpy(request.arp_ha.sa_data, "\x02\0\0\0\0\2", 6);
	assert_int_equal(ioctl(peer, SIOCSARP, &request), 0);
}

/* Datagrams to port 9 that the device has sent; each must have the next seed. */
static uint32_t read_tap(int fd, uint32_t next)
{
	uint8_t frame[2000];
	ssize_t len;
	while ((len = read(fd, frame, sizeof(frame))) > 0) {
		bool is_ours = len == 14 + 28 + 1400 && frame[12] == 0x08 && frame[13] == 0 &&
			       frame[23] == IPPROTO_UDP && frame[37] == 9;
		if (is_ours)
			assert_int_equal(frame[42], (uint8_t)next++);
	}
	return next;
}

static void a_tiny_send_buffer_blocks_and_everything_arrives(void **state)
{
	const struct vpn_flow *flow = world_component()->flow;
	struct vpn_packet *pkts[200];
	(void)state;
	int tap = open_tap();
	w.options.remote = world_at("10.8.0.2", 9);
	w.options.buffer = 4096;
	w.options.offload = UDP_OFFLOAD_OFF;
	world_must_start(&w);
	for (uint32_t i = 0; i < 200; i++)
		pkts[i] = world_packet(&w, 1400, (uint8_t)i, NULL);
	uint32_t done = flow->send(w.udp, &w.lanes[0].pub, pkts, 200);
	assert_true(done < 200);
	assert_int_equal(world_counted(&w, SEND_BLOCKED), 1);
	world_serve(&w, 0);
	assert_int_equal(w.lanes[0].writable_down, 0);
	tell_hardware_address();
	uint32_t sent = 0;
	for (int rounds = 0; done < 200 && rounds < 10000; rounds++) {
		world_serve(&w, 1);
		done += flow->send(w.udp, &w.lanes[0].pub, pkts + done, 200 - done);
		sent = read_tap(tap, sent);
	}
	assert_int_equal(done, 200);
	assert_true(w.lanes[0].writable_down >= 1);
	for (int rounds = 0; sent < 200 && rounds < 5000; rounds++) {
		struct pollfd p = {.fd = tap, .events = POLLIN};
		poll(&p, 1, 1);
		sent = read_tap(tap, sent);
	}
	assert_int_equal(sent, 200);
	close(tap);
}

static void dropped_with_reason(int error, enum udp_count reason)
{
	world_must_start(&w);
	script.always_error = error;
	send_run(100, 5, NULL);
	assert_int_equal(world_counted(&w, reason), 5);
	assert_true(peer_is_silent(peer));
	script.always_error = 0;
	send_run(100, 5, NULL);
	expect_run(100, 5);
}

static void an_unreachable_network_is_survived(void **state)
{
	(void)state;
	dropped_with_reason(ENETUNREACH, DROP_UNREACHABLE);
}

static void a_firewall_is_survived(void **state)
{
	(void)state;
	dropped_with_reason(EPERM, DROP_FILTERED);
}

static void lack_of_buffers_is_survived(void **state)
{
	(void)state;
	dropped_with_reason(ENOBUFS, DROP_NO_BUFFERS);
}

static void endless_refusals_end(void **state)
{
	(void)state;
	dropped_with_reason(ECONNREFUSED, DROP_REFUSED);
}

static void endless_interruptions_end(void **state)
{
	(void)state;
	dropped_with_reason(EINTR, DROP_SEND_ERROR);
}

static void every_errno_ends_and_drops_once(void **state)
{
	(void)state;
	world_must_start(&w);
	for (int error = 1; error < 134; error++) {
		uint64_t before = 0, after = 0;
		if (error == EAGAIN)
			continue;
		for (uint32_t i = 0; i < SEND_BLOCKED; i++)
			before += world_counted(&w, i);
		script.calls = 0;
		script.always_error = error;
		send_run(100, 5, NULL);
		for (uint32_t i = 0; i < SEND_BLOCKED; i++)
			after += world_counted(&w, i);
		assert_int_equal(after - before, 5);
	}
}

static void a_late_error_costs_no_packet(void **state)
{
	(void)state;
	world_must_start(&w);
	script.next_error = ECONNREFUSED;
	send_run(100, 5, NULL);
	expect_run(100, 5);
	script.next_error = EMSGSIZE;
	send_run(100, 5, NULL);
	expect_run(100, 5);
	assert_int_equal(world_counted(&w, DROP_REFUSED) + world_counted(&w, DROP_TOO_BIG), 0);
	assert_int_equal(world_counted(&w, SEGMENTATION_OFF), 0);
}

static void late_errors_of_many_messages_cost_no_packet(void **state)
{
	struct vpn_packet *pkts[20];
	(void)state;
	w.options.offload = UDP_OFFLOAD_OFF;
	world_must_start(&w);
	script.at_most = 1;
	script.every_second = true;
	script.next_error = EHOSTUNREACH;
	for (uint32_t i = 0; i < 20; i++)
		pkts[i] = world_packet(&w, 100, (uint8_t)i, NULL);
	world_send(&w, pkts, 20);
	expect_run(100, 20);
	assert_int_equal(world_counted(&w, DROP_UNREACHABLE), 0);
}

static void a_real_refusal_is_survived(void **state)
{
	uint16_t port = peer_port(peer);
	(void)state;
	world_must_start(&w);
	close(peer);
	send_run(100, 3, NULL);
	world_await_count(&w, ICMP_ERRORS, 1);
	send_run(100, 3, NULL);
	world_serve(&w, 1);
	peer = peer_open("127.0.0.1", port);
	send_run(100, 3, NULL);
	expect_run(100, 3);
	peer_send(peer, "127.0.0.1", world_port(&w), 60, 7);
	world_await(&w, 1);
	assert_int_equal(w.failures, 0);
}

static void receive_errors_are_survived(void **state)
{
	const int errors[] = {ECONNREFUSED, EHOSTUNREACH, ENETDOWN, EINTR, ENOMEM, EMSGSIZE};
	(void)state;
	world_must_start(&w);
	for (uint32_t i = 0; i < 6; i++) {
		script.receive_error = errors[i];
		peer_send(peer, "127.0.0.1", world_port(&w), 60, 7);
		world_serve(&w, 10);
		if (w.lanes[0].deadline_ns != 0)
			world_tick(&w, w.lanes[0].deadline_ns);
		world_await(&w, i + 1);
	}
	assert_int_equal(w.failures, 0);
}

static void a_broken_socket_ends_the_pipeline(void **state)
{
	(void)state;
	world_must_start(&w);
	script.receive_error = EBADF;
	peer_send(peer, "127.0.0.1", world_port(&w), 60, 7);
	world_serve(&w, 10);
	assert_int_equal(w.failures, 1);
	assert_int_equal(w.err.os_errno, EBADF);
}

static void a_bad_local_address_is_cleared_and_not_tried_again_at_once(void **state)
{
	struct vpn_endpoint to = endpoint_at("127.0.0.1", peer_port(peer));
	(void)state;
	memcpy(to.local, endpoint_at("192.0.2.77", 0).addr,
	       4); /* not ours: EINVAL from the kernel */
	world_must_start(&w);
	send_run(100, 3, &to);
	expect_run(100, 3);
	assert_int_equal(world_counted(&w, SOURCE_CLEARED), 1);
	script.calls = 0;
	send_run(100, 3, &to);
	expect_run(100, 3);
	assert_int_equal(script.calls, 1);
	w.now_ns += 60 * UDP_SECOND;
	send_run(100, 3, &to);
	expect_run(100, 3);
	assert_int_equal(world_counted(&w, SOURCE_CLEARED), 2);
	assert_int_equal(world_counted(&w, SEGMENTATION_OFF), 0);
}

static void a_vanished_interface_is_cleared(void **state)
{
	struct vpn_endpoint to = endpoint_at("127.0.0.1", peer_port(peer));
	(void)state;
	to.ifindex = 4242;
	world_must_start(&w);
	send_run(100, 3, &to);
	expect_run(100, 3);
	assert_int_equal(world_counted(&w, SOURCE_CLEARED), 1);
}

static void a_late_error_does_not_hide_a_bad_local_address(void **state)
{
	struct vpn_endpoint to = endpoint_at("127.0.0.1", peer_port(peer));
	(void)state;
	memcpy(to.local, endpoint_at("127.0.0.1", 0).addr, 4);
	world_must_start(&w);
	script.local_error = ENETUNREACH;
	send_run(100, 3, &to);
	expect_run(100, 3);
	assert_int_equal(world_counted(&w, SOURCE_CLEARED), 1);
	assert_int_equal(world_counted(&w, DROP_UNREACHABLE), 0);
}

static void set_lo_mtu(int mtu)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_mtu = mtu};
	assert_int_equal(ioctl(peer, SIOCSIFMTU, &request), 0);
}

static void segments_larger_than_the_interface_are_sent_singly(void **state)
{
	(void)state;
	world_must_start(&w);
	set_lo_mtu(1300);
	send_run(1400, 6, NULL);
	set_lo_mtu(65536);
	expect_run(1400, 6);
	assert_int_equal(world_counted(&w, SEGMENTATION_OFF), 1);
}

static void fragment_never_drops_what_is_too_big(void **state)
{
	(void)state;
	w.options.fragment = UDP_FRAGMENT_NEVER;
	world_must_start(&w);
	set_lo_mtu(1300);
	send_run(1400, 6, NULL);
	send_run(1200, 6, NULL);
	set_lo_mtu(65536);
	expect_run(1200, 6);
	assert_int_equal(world_counted(&w, DROP_TOO_BIG), 6);
	assert_int_equal(w.warnings, 1); /* one hint, not six */
}

static void no_descriptors_drop_the_message_and_not_the_slot(void **state)
{
	static struct world other;
	struct vpn_packet *pkts[10];
	(void)state;
	w.options.remote.host = NULL;
	w.options.listen = world_at("127.0.0.1", 0);
	world_must_start(&w);
	world_init(&other);
	other.options.remote = world_at("127.0.0.1", world_port(&w));
	world_must_start(&other);
	w.no_pieces = true;
	for (uint32_t i = 0; i < 10; i++)
		pkts[i] = world_packet(&other, 300, (uint8_t)i, NULL);
	world_send(&other, pkts, 10);
	world_await_count(&w, DROP_NO_PIECES, 10);
	assert_int_equal(w.n_arrived, 0);
	w.no_pieces = false;
	for (uint32_t i = 0; i < 10; i++)
		pkts[i] = world_packet(&other, 300, (uint8_t)i, NULL);
	world_send(&other, pkts, 10);
	world_await(&w, 10);
	for (uint32_t i = 0; i < 10; i++)
		world_check(&w, i, 300, (uint8_t)i);
	world_end(&other);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(eio_turns_segmentation_off_for_the_family),
		CASE(emsgsize_turns_segmentation_off_for_the_destination),
		CASE(einval_turns_segmentation_off_for_the_destination),
		CASE(partial_sends_are_continued),
		CASE(a_full_buffer_gives_packets_back_and_tells_when_there_is_room),
		CASE(blocked_in_the_middle_takes_what_went_before),
		CASE(a_tiny_send_buffer_blocks_and_everything_arrives),
		CASE(an_unreachable_network_is_survived),
		CASE(a_firewall_is_survived),
		CASE(lack_of_buffers_is_survived),
		CASE(endless_refusals_end),
		CASE(endless_interruptions_end),
		CASE(every_errno_ends_and_drops_once),
		CASE(a_late_error_costs_no_packet),
		CASE(late_errors_of_many_messages_cost_no_packet),
		CASE(a_real_refusal_is_survived),
		CASE(receive_errors_are_survived),
		CASE(a_broken_socket_ends_the_pipeline),
		CASE(a_bad_local_address_is_cleared_and_not_tried_again_at_once),
		CASE(a_vanished_interface_is_cleared),
		CASE(a_late_error_does_not_hide_a_bad_local_address),
		CASE(segments_larger_than_the_interface_are_sent_singly),
		CASE(fragment_never_drops_what_is_too_big),
		CASE(no_descriptors_drop_the_message_and_not_the_slot),
	};
	return cmocka_run_group_tests_name("udp failures", tests, world_enter, NULL);
}
