/* SPDX-License-Identifier: BSD-2-Clause */
/* How a batch is cut into messages: sendmmsg() is replaced by one that writes down what it is given. */
#include "world.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "udp_linux.h"

struct seen {
	int fd;
	uint32_t packets;
	uint32_t bytes;
	uint32_t segment;
	int tos;
	bool local;
};

static struct seen seen[VPN_BATCH_MAX];
static uint32_t n_seen, n_calls;
static struct world w;

int __wrap_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags);

static void read_control(struct msghdr *hdr, struct seen *s)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c != NULL; c = CMSG_NXTHDR(hdr, c)) {
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_SEGMENT) {
			uint16_t size;
			memcpy(&size, CMSG_DATA(c), sizeof(size));
			s->segment = size;
		} else if (c->cmsg_type == IP_PKTINFO || c->cmsg_type == IPV6_PKTINFO) {
			s->local = true;
		} else {
			memcpy(&s->tos, CMSG_DATA(c), sizeof(s->tos));
		}
	}
}

int __wrap_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags)
{
	(void)flags;
	n_calls++;
	for (unsigned int i = 0; i < n; i++) {
		struct seen *s = &seen[n_seen++];
		struct msghdr *hdr = &msgs[i].msg_hdr;
		*s = (struct seen){.fd = fd, .packets = (uint32_t)hdr->msg_iovlen, .tos = -1};
		for (size_t k = 0; k < hdr->msg_iovlen; k++)
			s->bytes += (uint32_t)hdr->msg_iov[k].iov_len;
		read_control(hdr, s);
	}
	return (int)n;
}

static int set_up(void **state)
{
	(void)state;
	n_seen = 0;
	n_calls = 0;
	world_init(&w);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static void send_sizes(const uint32_t *sizes, uint32_t n, const struct vpn_endpoint *to)
{
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	for (uint32_t i = 0; i < n; i++)
		pkts[i] = world_packet(&w, sizes[i], 0, to);
	world_send(&w, pkts, n);
}

static void send_same(uint32_t size, uint32_t n, const struct vpn_endpoint *to)
{
	uint32_t sizes[VPN_BATCH_MAX];
	for (uint32_t i = 0; i < n; i++)
		sizes[i] = size;
	send_sizes(sizes, n, to);
}

static void expect_groups(const uint32_t *packets, uint32_t n)
{
	assert_int_equal(n_seen, n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(seen[i].packets, packets[i]);
}

static void equal_lengths_are_one_message(void **state)
{
	struct vpn_endpoint to = endpoint_at("127.0.0.1", 9);
	const uint32_t groups[] = {10};
	(void)state;
	world_must_start(&w);
	send_same(1000, 10, &to);
	expect_groups(groups, 1);
	assert_int_equal(seen[0].segment, 1000);
	assert_int_equal(seen[0].bytes, 10000);
}

static void a_shorter_one_ends_its_message(void **state)
{
	struct vpn_endpoint to = endpoint_at("127.0.0.1", 9);
	const uint32_t sizes[] = {500, 500, 20, 500, 600, 600};
	const uint32_t groups[] = {3, 1, 2};
	(void)state;
	world_must_start(&w);
	send_sizes(sizes, 6, &to);
	expect_groups(groups, 3);
	assert_int_equal(seen[0].segment, 500);
	assert_int_equal(seen[1].segment, 0);
	assert_int_equal(seen[2].segment, 600);
	assert_int_equal(n_calls, 1);
}

static void no_more_than_64_go_together(void **state)
{
	struct vpn_endpoint to = endpoint_at("127.0.0.1", 9);
	const uint32_t groups[] = {64, 64, 22};
	(void)state;
	world_must_start(&w);
	send_same(100, 150, &to);
	expect_groups(groups, 3);
	assert_int_equal(n_calls, 1);
}

static void a_message_fits_into_an_ip_packet(void **state)
{
	struct vpn_endpoint v4 = endpoint_at("127.0.0.1", 9);
	struct vpn_endpoint v6 = endpoint_at("::1", 9);
	const uint32_t groups[] = {44, 2, 44, 2};
	(void)state;
	world_must_start(&w);
	send_same(1456, 46, &v4); /* 45 would be 65520 bytes: too many for IPv4 */
	send_same(1457, 46, &v6); /* 45 would be 65565 */
	expect_groups(groups, 4);
	n_seen = 0;
	send_same(1456, 46, &v6); /* 65520 bytes fit into IPv6, whose own header does not count */
	assert_int_equal(seen[0].packets, 45);
}

static void empty_packets_stand_alone(void **state)
{
	struct vpn_endpoint to = endpoint_at("127.0.0.1", 9);
	const uint32_t sizes[] = {0, 0, 5, 0, 5};
	const uint32_t groups[] = {1, 1, 1, 1, 1};
	(void)state;
	world_must_start(&w);
	send_sizes(sizes, 5, &to);
	expect_groups(groups, 5);
}

static void other_endpoints_are_other_messages(void **state)
{
	struct vpn_endpoint x = endpoint_at("127.0.0.1", 9);
	struct vpn_endpoint same = x;
	struct vpn_endpoint y = endpoint_at("127.0.0.1", 10);
	const struct vpn_endpoint *to[] = {&x, &same, &y, &y, &x};
	const uint32_t groups[] = {2, 2, 1};
	struct vpn_packet *pkts[5];
	(void)state;
	world_must_start(&w);
	for (size_t i = 0; i < 5; i++)
		pkts[i] = world_packet(&w, 100, 0, to[i]);
	world_send(&w, pkts, 5);
	expect_groups(groups, 3);
	assert_int_equal(n_calls, 1);
}

static void families_go_in_order_through_their_sockets(void **state)
{
	struct vpn_endpoint v4 = endpoint_at("127.0.0.1", 9);
	struct vpn_endpoint v6 = endpoint_at("::1", 9);
	const struct vpn_endpoint *to[] = {&v4, &v6, &v6, NULL, &v4};
	struct vpn_packet *pkts[5];
	(void)state;
	world_must_start(&w);
	for (size_t i = 0; i < 5; i++)
		pkts[i] = world_packet(&w, 100, 0, to[i]);
	world_send(&w, pkts, 5);
	assert_int_equal(n_calls, 3);
	assert_int_equal(n_seen, 3);
	assert_int_equal(seen[0].fd, w.udp->lanes[0].sockets[0].fd);
	assert_int_equal(seen[1].fd, w.udp->lanes[0].sockets[1].fd);
	assert_int_equal(seen[1].packets, 2);
	assert_int_equal(seen[2].fd, seen[0].fd);
	assert_int_equal(world_counted(&w, DROP_NO_ENDPOINT), 1);
}

static void without_offload_each_is_a_message_of_one_call(void **state)
{
	struct vpn_endpoint to = endpoint_at("127.0.0.1", 9);
	(void)state;
	w.options.offload = UDP_OFFLOAD_OFF;
	world_must_start(&w);
	send_same(100, 30, &to);
	assert_int_equal(n_seen, 30);
	assert_int_equal(n_calls, 1);
	assert_int_equal(seen[7].segment, 0);
}

static struct vpn_packet *marked(uint8_t traffic_class, const struct vpn_endpoint *to)
{
	struct vpn_packet *p = world_packet(&w, 100, 0, to);
	vpn_packet_set_class(p, traffic_class);
	return p;
}

static void classes_are_kept_apart_only_when_carried(void **state)
{
	struct vpn_endpoint to = endpoint_at("127.0.0.1", 9);
	(void)state;
	world_must_start(&w);
	struct vpn_packet *pkts[] = {marked(0xb9, &to), marked(0, &to)};
	world_send(&w, pkts, 2);
	assert_int_equal(n_seen, 1);
	assert_int_equal(seen[0].tos, -1);
}

static void carried_dscp_and_ecn_are_set(void **state)
{
	struct vpn_endpoint to = endpoint_at("127.0.0.1", 9);
	(void)state;
	w.options.carry_dscp = 1;
	w.options.carry_ecn = 1;
	world_must_start(&w);
	struct vpn_packet *pkts[] = {marked(0xb9, &to), marked(0xb9, &to), marked(0xba, &to)};
	world_send(&w, pkts, 3);
	assert_int_equal(n_seen, 2);
	assert_int_equal(seen[0].tos, 0xb9);
	assert_int_equal(seen[1].tos, 0xba);
}

static void carried_ecn_joins_the_fixed_dscp(void **state)
{
	struct vpn_endpoint to = endpoint_at("::1", 9);
	(void)state;
	w.options.dscp = 10;
	w.options.carry_ecn = 1;
	world_must_start(&w);
	struct vpn_packet *pkts[] = {marked(0xb9, &to), marked(0x01, &to),
				     world_packet(&w, 100, 0, &to)};
	world_send(&w, pkts, 3);
	assert_int_equal(n_seen, 2);
	assert_int_equal(seen[0].packets, 2);
	assert_int_equal(seen[0].tos, 10 << 2 | 1);
	assert_int_equal(seen[1].tos, 10 << 2);
}

static void the_local_part_is_used_when_sticky(void **state)
{
	struct vpn_endpoint to = endpoint_at("127.0.0.1", 9);
	(void)state;
	to.local[0] = 127;
	to.local[3] = 1;
	world_must_start(&w);
	send_same(100, 1, &to);
	assert_true(seen[0].local);
}

static void the_local_part_is_ignored_when_not_sticky(void **state)
{
	struct vpn_endpoint to = endpoint_at("127.0.0.1", 9);
	(void)state;
	to.local[0] = 127;
	to.local[3] = 1;
	w.options.sticky = 0;
	world_must_start(&w);
	send_same(100, 1, &to);
	assert_false(seen[0].local);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(equal_lengths_are_one_message),
		CASE(a_shorter_one_ends_its_message),
		CASE(no_more_than_64_go_together),
		CASE(a_message_fits_into_an_ip_packet),
		CASE(empty_packets_stand_alone),
		CASE(other_endpoints_are_other_messages),
		CASE(families_go_in_order_through_their_sockets),
		CASE(without_offload_each_is_a_message_of_one_call),
		CASE(classes_are_kept_apart_only_when_carried),
		CASE(carried_dscp_and_ecn_are_set),
		CASE(carried_ecn_joins_the_fixed_dscp),
		CASE(the_local_part_is_used_when_sticky),
		CASE(the_local_part_is_ignored_when_not_sticky),
	};
	return cmocka_run_group_tests_name("udp grouping", tests, world_enter, NULL);
}
