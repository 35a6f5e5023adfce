/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data path, with one end of a socket pair in the place of the device:
 *
 *   test <-> SOCK_SEQPACKET <-> queue <-> fake host (pool, stage below)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vpncore/tcpip.h>

#include "fake.h"
#include "queue.h"

#define MTU      1420u
#define TCP_HEAD 40u
#define MSS      (MTU - TCP_HEAD)

static struct fake fake;
static struct tuntap owner;
static struct tuntap_queue *queue;
static int device_end = -1, kernel_end = -1;

/* ---- errors on demand ---- */

static int write_error, write_error_super, read_error;

ssize_t __real_writev(int fd, const struct iovec *iov, int n);
ssize_t __real_readv(int fd, const struct iovec *iov, int n);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int n);
ssize_t __wrap_readv(int fd, const struct iovec *iov, int n);

ssize_t __wrap_writev(int fd, const struct iovec *iov, int n)
{
	const struct tcpip_vnet_hdr *vh = iov[0].iov_base;
	bool super = iov[0].iov_len == TCPIP_VNET_HDR_LEN && vh->gso_type != TCPIP_VNET_GSO_NONE;
	int e = super && write_error_super != 0 ? write_error_super : write_error;
	if (fd == device_end && e != 0) {
		errno = e;
		return -1;
	}
	return __real_writev(fd, iov, n);
}

ssize_t __wrap_readv(int fd, const struct iovec *iov, int n)
{
	if (fd == device_end && read_error != 0) {
		errno = read_error;
		return -1;
	}
	return __real_readv(fd, iov, n);
}

/* ---- the stage ---- */

static void begin_with(enum tuntap_offload offload, bool vnet_hdr, bool ethernet)
{
	int ends[2], size = 4 << 20;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)), 0);
	assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)), 0);
	device_end = ends[0];
	kernel_end = ends[1];
	write_error = write_error_super = read_error = 0;
	fake_init(&fake, 1, MTU + (ethernet ? TUNTAP_ETHERNET_ROOM : 0));
	memset(&owner, 0, sizeof(owner));
	pthread_mutex_init(&owner.lock, NULL);
	owner.host = &fake.host;
	owner.device.offload = offload;
	owner.device.vnet_hdr = vnet_hdr;
	owner.device.ethernet = ethernet;
	memcpy(owner.info.name, "test0", 6);
	queue = tuntap_queue_new(&owner, &fake.lanes[0], device_end);
	assert_non_null(queue);
	assert_int_equal(tuntap_queue_watch(queue, true), VPN_OK);
}

static int begin(void **state)
{
	(void)state;
	begin_with(TUNTAP_OFFLOAD_TCP_UDP, true, false);
	return 0;
}

static int end(void **state)
{
	(void)state;
	queue = tuntap_queue_free(queue);
	fake_check_clean(&fake);
	close(device_end);
	close(kernel_end);
	pthread_mutex_destroy(&owner.lock);
	return 0;
}

static uint64_t count_of(enum tuntap_counter c)
{
	return fake.counters[0][c];
}

/* ---- packets ---- */

static const uint8_t src4[4] = {10, 0, 0, 1}, dst4[4] = {10, 0, 0, 2};

/* Byte i of the stream that all TCP packets here carry parts of. */
static uint8_t stream(uint32_t i)
{
	return (uint8_t)(i * 7 + (i >> 8));
}

static uint32_t make_tcp(uint8_t *p, uint32_t seq, uint32_t payload, uint8_t flags)
{
	memset(p, 0, TCP_HEAD);
	tcpip_ipv4_write(p, src4, dst4, TCPIP_IPPROTO_TCP, 64, 0xb8, (uint16_t)(20 + payload));
	tcpip_store_be16(p + 20, 1000);
	tcpip_store_be16(p + 22, 2000);
	tcpip_store_be32(p + 24, seq);
	p[32] = 0x50;
	p[33] = flags;
	tcpip_store_be16(p + 34, 500);
	for (uint32_t i = 0; i < payload; i++)
		p[TCP_HEAD + i] = stream(seq + i);
	assert_int_equal(tcpip_l4_reset_checksum(p, TCP_HEAD + payload), TCPIP_OK);
	return TCP_HEAD + payload;
}

static uint32_t make_udp(uint8_t *p, uint32_t payload, uint8_t fill)
{
	tcpip_ipv4_write(p, src4, dst4, TCPIP_IPPROTO_UDP, 64, 0, (uint16_t)(8 + payload));
	tcpip_udp_write(p + 20, 1000, 2000, (uint16_t)payload);
	memset(p + 28, fill, payload);
	assert_int_equal(tcpip_l4_reset_checksum(p, 28 + payload), TCPIP_OK);
	return 28 + payload;
}

static void kernel_sends(const struct tcpip_vnet_hdr *vh, const void *data, uint32_t len)
{
	struct iovec iov[2] = {{(void *)(uintptr_t)vh, TCPIP_VNET_HDR_LEN},
			       {(void *)(uintptr_t)data, len}};
	assert_int_equal(__real_writev(kernel_end, iov, 2), (ssize_t)(TCPIP_VNET_HDR_LEN + len));
}

static void kernel_sends_plain(const void *data, uint32_t len)
{
	const struct tcpip_vnet_hdr none = {0};
	kernel_sends(&none, data, len);
}

/* A TCP super-packet, its checksum field as the kernel leaves it. */
static void kernel_sends_super(uint32_t seq, uint32_t payload, uint16_t gso_size)
{
	static uint8_t p[65536];
	const struct tcpip_vnet_hdr vh = {.flags = TCPIP_VNET_NEEDS_CSUM,
					  .gso_type = TCPIP_VNET_GSO_TCPV4,
					  .hdr_len = TCP_HEAD,
					  .gso_size = gso_size,
					  .csum_start = 20,
					  .csum_offset = 16};
	uint32_t len = make_tcp(p, seq, payload, TCPIP_TCP_ACK | TCPIP_TCP_PSH);
	uint64_t pseudo = tcpip_csum_pseudo4(src4, dst4, TCPIP_IPPROTO_TCP,
					     (uint16_t)(20 + payload));
	tcpip_store_be16(p + 36, tcpip_csum_fold(pseudo));
	kernel_sends(&vh, p, len);
}

/* What the device was given: the header to *vh, the data to buf; its length, or 0 for nothing. */
static uint32_t kernel_receives(struct tcpip_vnet_hdr *vh, uint8_t *buf, size_t cap)
{
	struct iovec iov[2] = {{vh, TCPIP_VNET_HDR_LEN}, {buf, cap}};
	ssize_t n = __real_readv(kernel_end, iov, 2);
	return n < 0 ? 0 : (uint32_t)n - TCPIP_VNET_HDR_LEN;
}

/* Reads like the lane does: as long as the queue has more and is watched. */
static void run(void)
{
	while (fake_watched(&fake, device_end) != 0 && tuntap_queue_read(queue) == VPN_MORE)
		;
}

/* Captured packets from `first` on are the stream from seq on, in order, each right in itself. */
static void expect_stream(uint32_t first, uint32_t seq, uint32_t total)
{
	uint32_t done = 0;
	for (uint32_t i = first; i < fake.n_captured; i++) {
		const struct fake_packet *c = &fake.captured[i];
		assert_int_equal(tcpip_l4_checksum_ok(c->data, c->len), 1);
		assert_int_equal(tcpip_load_be32(c->data + 24), seq + done);
		for (uint32_t k = TCP_HEAD; k < c->len; k++, done++)
			assert_int_equal(c->data[k], stream(seq + done));
		assert_int_equal(c->flags, VPN_PACKET_HAS_CLASS | 0xb8u << 24);
	}
	assert_int_equal(done, total);
}

/* ---- down ---- */

static void hands_a_packet_down_unchanged(void **state)
{
	uint8_t p[MTU];
	(void)state;
	uint32_t len = make_tcp(p, 5, MSS, TCPIP_TCP_ACK);
	kernel_sends_plain(p, len);
	kernel_sends_plain(p, 41);
	assert_int_equal(tuntap_queue_read(queue), VPN_IDLE);
	assert_int_equal(fake.n_captured, 2);
	assert_int_equal(fake.pushes, 1);
	assert_int_equal(fake.captured[0].len, len);
	assert_memory_equal(fake.captured[0].data, p, len);
	assert_int_equal(fake.captured[0].flags, VPN_PACKET_HAS_CLASS | 0xb8u << 24);
}

static void finishes_a_checksum_that_the_kernel_left_open(void **state)
{
	uint8_t p[MTU];
	const struct tcpip_vnet_hdr vh = {
		.flags = TCPIP_VNET_NEEDS_CSUM, .csum_start = 20, .csum_offset = 16};
	(void)state;
	uint32_t len = make_tcp(p, 5, 100, TCPIP_TCP_ACK);
	tcpip_store_be16(p + 36,
			 tcpip_csum_fold(tcpip_csum_pseudo4(src4, dst4, TCPIP_IPPROTO_TCP, 120)));
	kernel_sends(&vh, p, len);
	run();
	expect_stream(0, 5, 100);
}

static void cuts_super_packets_between_single_ones(void **state)
{
	uint8_t p[MTU];
	(void)state;
	/* single, super, super (expected now), single (not expected), super */
	uint32_t len = make_tcp(p, 1, 10, TCPIP_TCP_ACK);
	kernel_sends_plain(p, len);
	kernel_sends_super(11, 5 * MSS + 1, MSS);
	kernel_sends_super(12 + 5 * MSS, 2 * MSS, MSS);
	len = make_tcp(p, 12 + 7 * MSS, MSS, TCPIP_TCP_ACK);
	kernel_sends_plain(p, len);
	kernel_sends_super(12 + 8 * MSS, 100, 30);
	run();
	expect_stream(0, 1, 10 + 8 * MSS + 1 + 100);
	assert_int_equal(fake.n_captured, 1 + 6 + 2 + 1 + 4);
	assert_int_equal(count_of(TUNTAP_SUPER_READ), 3);
}

static void cuts_what_exceeds_a_batch_in_several(void **state)
{
	(void)state;
	fake.lanes[0].max_batch = 8;
	kernel_sends_super(1, 60000, 1000);
	run();
	expect_stream(0, 1, 60000);
	assert_int_equal(fake.n_captured, 60);
	assert_int_equal(fake.pushes, 8);
}

static void cuts_the_largest_super_packet(void **state)
{
	(void)state;
	kernel_sends_super(1, 65535 - TCP_HEAD, MSS);
	kernel_sends_super(1 + 65535 - TCP_HEAD, 65535 - TCP_HEAD, MSS);
	run();
	expect_stream(0, 1, 2 * (65535 - TCP_HEAD));
}

static void keeps_what_is_not_taken_and_goes_on_in_order(void **state)
{
	(void)state;
	fake.lanes[0].max_batch = 16;
	fake.accept = 5;
	kernel_sends_super(1, 60000, 1000);
	kernel_sends_super(60001, 3000, 1000);
	run();
	assert_int_equal(fake.n_captured, 5);
	assert_int_equal(fake_watched(&fake, device_end), 0);
	assert_int_equal(tuntap_queue_read(queue), VPN_IDLE);
	for (int i = 0; i < 100 && fake_watched(&fake, device_end) == 0; i++) {
		fake.accept += 7;
		tuntap_queue_writable(queue);
	}
	fake.accept = UINT32_MAX;
	run();
	expect_stream(0, 1, 63000);
	assert_true(count_of(TUNTAP_BLOCKED) > 0);
	assert_int_equal(fake_watched(&fake, device_end), VPN_POLLIN);
}

static void gives_back_what_is_held_when_it_ends(void **state)
{
	(void)state;
	fake.accept = 3;
	kernel_sends_super(1, 60000, 1000);
	run();
	assert_true(fake.taken > 0);
	/* end() finds nothing out */
}

static void leaves_data_in_the_kernel_while_the_pool_is_empty(void **state)
{
	uint8_t p[MTU];
	(void)state;
	uint32_t len = make_tcp(p, 1, 10, TCPIP_TCP_ACK);
	fake.pool = 0;
	kernel_sends_plain(p, len);
	assert_int_equal(tuntap_queue_read(queue), VPN_IDLE);
	assert_int_equal(fake.n_captured, 0);
	assert_int_equal(fake_watched(&fake, device_end), 0); /* does not spin */
	assert_true(fake.deadline[0] > fake.lanes[0].now_ns);
	tuntap_queue_timer(queue);
	assert_int_equal(fake_watched(&fake, device_end), VPN_POLLIN);
	assert_int_equal(tuntap_queue_read(queue), VPN_IDLE);
	assert_int_equal(count_of(TUNTAP_STARVED), 2);
	fake.pool = 64;
	tuntap_queue_timer(queue);
	run();
	expect_stream(0, 1, 10);
}

static void loses_no_segment_when_the_pool_runs_dry(void **state)
{
	(void)state;
	fake.pool = TUNTAP_SPARES + 4;
	kernel_sends_super(1, 30000, 1000);
	run();
	assert_int_equal(fake.n_captured, 4); /* what there was has gone on its way */
	for (int i = 0; i < 100 && fake_watched(&fake, device_end) == 0; i++)
		tuntap_queue_timer(queue);
	run();
	expect_stream(0, 1, 30000);
	assert_true(count_of(TUNTAP_STARVED) > 1);
}

/* A super-packet of tiny segments, as a guest behind a bridge may send it, is thousands of packets. */
static void pauses_within_a_super_packet_of_very_many_segments(void **state)
{
	(void)state;
	kernel_sends_super(1, 60000, 20);
	assert_int_equal(tuntap_queue_read(queue), VPN_IDLE);
	assert_in_range(fake.n_captured, 1024, 1024 + VPN_BATCH_MAX);
	assert_int_equal(fake_watched(&fake, device_end), 0);
	assert_int_equal(fake.deadline[0], fake.lanes[0].now_ns);
	for (int i = 0; i < 3 && fake_watched(&fake, device_end) == 0; i++)
		tuntap_queue_timer(queue);
	run();
	expect_stream(0, 1, 60000);
	assert_int_equal(count_of(TUNTAP_STARVED), 0);
	assert_int_equal(fake_watched(&fake, device_end), VPN_POLLIN);
}

static void a_timer_does_not_unblock_a_full_stage(void **state)
{
	(void)state;
	fake.accept = 2;
	kernel_sends_super(1, 30000, 1000);
	run();
	uint32_t pushes = fake.pushes;
	tuntap_queue_timer(queue);
	assert_int_equal(fake.pushes, pushes);
	fake.accept = UINT32_MAX;
	tuntap_queue_writable(queue);
	run();
	expect_stream(0, 1, 30000);
}

static void drops_what_exceeds_the_mtu(void **state)
{
	static uint8_t p[4096];
	(void)state;
	uint32_t len = make_tcp(p, 1, MSS + 1, TCPIP_TCP_ACK);
	kernel_sends_plain(p, len);
	kernel_sends_super(1, 2 * (MSS + 1), MSS + 1);
	kernel_sends_plain(p, len); /* now read as if it were a super-packet */
	len = make_tcp(p, 9, 10, TCPIP_TCP_ACK);
	kernel_sends_plain(p, len);
	run();
	assert_int_equal(count_of(TUNTAP_DROP_TOO_BIG), 4);
	expect_stream(0, 9, 10);
}

static void drops_impossible_offload_headers(void **state)
{
	uint8_t p[MTU];
	const struct tcpip_vnet_hdr bad[] = {
		{.gso_type = TCPIP_VNET_GSO_TCPV4,
		 .gso_size = 0,
		 .csum_start = 20,
		 .csum_offset = 16},
		{.flags = TCPIP_VNET_NEEDS_CSUM,
		 .gso_type = TCPIP_VNET_GSO_TCPV4,
		 .gso_size = 100,
		 .csum_start = 60000,
		 .csum_offset = 16},
		{.gso_type = 77, .gso_size = 100, .csum_start = 20, .csum_offset = 16},
		{.flags = TCPIP_VNET_NEEDS_CSUM, .csum_start = 60000, .csum_offset = 16},
	};
	(void)state;
	uint32_t len = make_tcp(p, 9, 500, TCPIP_TCP_ACK);
	for (size_t i = 0; i < 4; i++)
		kernel_sends(&bad[i], p, len);
	run();
	assert_int_equal(count_of(TUNTAP_DROP_BAD_OFFLOAD), 4);
	assert_int_equal(fake.n_captured, 0);
}

static void reads_without_a_vnet_header(void **state)
{
	uint8_t p[MTU];
	(void)state;
	end(NULL);
	begin_with(TUNTAP_OFFLOAD_NONE, false, false);
	uint32_t len = make_tcp(p, 1, MSS, TCPIP_TCP_ACK);
	assert_int_equal(send(kernel_end, p, len, 0), len);
	run();
	expect_stream(0, 1, MSS);
}

static void a_deleted_device_fails_once(void **state)
{
	uint8_t p[64];
	(void)state;
	read_error = EBADFD;
	assert_int_equal(tuntap_queue_read(queue), VPN_IDLE);
	assert_true(fake.failed);
	assert_non_null(strstr(fake.failure.text, "test0 was deleted"));
	assert_int_equal(fake_watched(&fake, device_end), 0);
	assert_int_equal(tuntap_queue_read(queue), VPN_IDLE);
	struct vpn_packet *packet = fake_packet(&fake, p, make_tcp(p, 1, 4, TCPIP_TCP_ACK), 0);
	tuntap_queue_write(queue, &packet, 1);
	assert_int_equal(count_of(TUNTAP_DROP_DOWN), 1);
}

/* ---- up ---- */

/* n TCP segments of one flow, as the stage below would hand them up. */
static void hand_up(uint32_t seq, uint32_t n, uint32_t flags)
{
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	uint8_t p[MTU];
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = make_tcp(p, seq + i * MSS, MSS,
					TCPIP_TCP_ACK | (i + 1 == n ? TCPIP_TCP_PSH : 0));
		pkts[i] = fake_packet(&fake, p, len, flags);
	}
	tuntap_queue_write(queue, pkts, n);
}

static void hand_up_one(const void *data, uint32_t len, uint32_t flags)
{
	struct vpn_packet *p = fake_packet(&fake, data, len, flags);
	tuntap_queue_write(queue, &p, 1);
}

static void writes_segments_of_one_flow_as_one(void **state)
{
	static uint8_t buf[65536];
	struct tcpip_vnet_hdr vh;
	(void)state;
	hand_up(1, 40, VPN_PACKET_VERIFIED);
	uint32_t len = kernel_receives(&vh, buf, sizeof(buf));
	assert_int_equal(len, TCP_HEAD + 40 * MSS);
	assert_int_equal(vh.gso_type, TCPIP_VNET_GSO_TCPV4);
	assert_int_equal(vh.gso_size, MSS);
	for (uint32_t i = TCP_HEAD; i < len; i++)
		assert_int_equal(buf[i], stream(1 + i - TCP_HEAD));
	assert_int_equal(kernel_receives(&vh, buf, sizeof(buf)), 0);
	assert_int_equal(count_of(TUNTAP_SUPER_WRITTEN), 1);
	assert_int_equal(count_of(TUNTAP_MERGED), 40);
}

static void writes_what_does_not_merge_unchanged(void **state)
{
	struct vpn_packet *pkts[2];
	uint8_t a[MTU], b[MTU], buf[MTU];
	struct tcpip_vnet_hdr vh;
	(void)state;
	uint32_t len_a = make_tcp(a, 1, 100, TCPIP_TCP_ACK), len_b = make_udp(b, 100, 3);
	pkts[0] = fake_packet(&fake, a, len_a, 0);
	pkts[1] = fake_packet(&fake, b, len_b, 0);
	tuntap_queue_write(queue, pkts, 2);
	assert_int_equal(kernel_receives(&vh, buf, sizeof(buf)), len_a);
	assert_memory_equal(buf, a, len_a);
	assert_int_equal(vh.gso_type | vh.flags, 0);
	assert_int_equal(kernel_receives(&vh, buf, sizeof(buf)), len_b);
	assert_memory_equal(buf, b, len_b);
}

static void writes_one_by_one_without_offload(void **state)
{
	uint8_t p[MTU], buf[MTU];
	(void)state;
	end(NULL);
	begin_with(TUNTAP_OFFLOAD_NONE, false, false);
	hand_up(1, 3, VPN_PACKET_VERIFIED);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t len = make_tcp(p, 1 + i * MSS, MSS,
					TCPIP_TCP_ACK | (i == 2 ? TCPIP_TCP_PSH : 0));
		assert_int_equal(recv(kernel_end, buf, sizeof(buf), 0), len);
		assert_memory_equal(buf, p, len);
	}
}

/* The packets of hand_up() have arrived as they were. */
static void expect_single_segments(uint32_t seq, uint32_t n)
{
	uint8_t p[MTU], buf[MTU];
	struct tcpip_vnet_hdr vh;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = make_tcp(p, seq + i * MSS, MSS,
					TCPIP_TCP_ACK | (i + 1 == n ? TCPIP_TCP_PSH : 0));
		assert_int_equal(kernel_receives(&vh, buf, sizeof(buf)), len);
		assert_int_equal(vh.gso_type | vh.flags, 0);
		assert_memory_equal(buf, p, len);
	}
	assert_int_equal(kernel_receives(&vh, buf, sizeof(buf)), 0);
}

static void loses_nothing_when_the_kernel_refuses_super_packets(void **state)
{
	(void)state;
	write_error_super = EINVAL;
	hand_up(1, 10, VPN_PACKET_VERIFIED);
	expect_single_segments(1, 10);
	assert_int_equal(count_of(TUNTAP_FALLBACKS), 1);
	assert_non_null(strstr(fake.log, "test0: the kernel refuses super-packets of TCP"));
	/* not tried again */
	write_error_super = 0;
	hand_up(1, 10, VPN_PACKET_VERIFIED);
	expect_single_segments(1, 10);
	assert_int_equal(count_of(TUNTAP_FALLBACKS), 1);
	assert_int_equal(count_of(TUNTAP_DROP_REFUSED), 0);
}

static void falls_back_for_udp_alone(void **state)
{
	static uint8_t buf[65536];
	struct vpn_packet *pkts[8];
	uint8_t p[MTU];
	struct tcpip_vnet_hdr vh;
	(void)state;
	write_error_super = EINVAL;
	for (uint8_t i = 0; i < 8; i++) {
		uint32_t len = make_udp(p, i == 7 ? 300 : 1000, i);
		pkts[i] = fake_packet(&fake, p, len, VPN_PACKET_VERIFIED);
	}
	tuntap_queue_write(queue, pkts, 8);
	for (uint8_t i = 0; i < 8; i++) {
		uint32_t len = make_udp(p, i == 7 ? 300 : 1000, i);
		assert_int_equal(kernel_receives(&vh, buf, sizeof(buf)), len);
		assert_memory_equal(buf, p, len);
	}
	assert_non_null(strstr(fake.log, "super-packets of UDP"));
	write_error_super = 0;
	hand_up(1, 10, VPN_PACKET_VERIFIED);
	assert_int_equal(kernel_receives(&vh, buf, sizeof(buf)), TCP_HEAD + 10 * MSS);
}

static void keeps_coalescing_when_single_packets_are_refused_too(void **state)
{
	static uint8_t buf[65536];
	struct tcpip_vnet_hdr vh;
	(void)state;
	write_error = EINVAL;
	hand_up(1, 10, VPN_PACKET_VERIFIED);
	assert_int_equal(count_of(TUNTAP_DROP_REFUSED), 10);
	assert_null(strstr(fake.log, "refuses super-packets"));
	write_error = 0;
	hand_up(1, 10, VPN_PACKET_VERIFIED);
	assert_int_equal(kernel_receives(&vh, buf, sizeof(buf)), TCP_HEAD + 10 * MSS);
}

static void counts_each_error_under_its_reason(void **state)
{
	static const struct {
		int e;
		enum tuntap_counter counter;
	} cases[] = {
		{EIO, TUNTAP_DROP_DOWN},          {EAGAIN, TUNTAP_DROP_BUSY},
		{ENOMEM, TUNTAP_DROP_NO_BUFFERS}, {ENOBUFS, TUNTAP_DROP_NO_BUFFERS},
		{EMSGSIZE, TUNTAP_DROP_REFUSED},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t before = count_of(cases[i].counter);
		write_error = cases[i].e;
		hand_up(1, 7, VPN_PACKET_VERIFIED);
		assert_int_equal(count_of(cases[i].counter), before + 7);
	}
	assert_false(fake.failed);
}

static void drops_what_is_no_ip_packet(void **state)
{
	uint8_t p[64] = {0x50};
	struct tcpip_vnet_hdr vh;
	(void)state;
	hand_up_one(p, 64, 0);
	p[0] = 0x45;
	hand_up_one(p, 19, 0);
	p[0] = 0x60;
	hand_up_one(p, 39, 0);
	hand_up_one(p, 0, 0);
	assert_int_equal(count_of(TUNTAP_DROP_MALFORMED), 4);
	assert_int_equal(kernel_receives(&vh, p, sizeof(p)), 0);
}

static void marks_congestion_that_the_outer_header_has_met(void **state)
{
	uint8_t p[MTU], buf[MTU];
	struct tcpip_vnet_hdr vh;
	struct tcpip_ipv4 ip;
	(void)state;
	uint32_t len = make_udp(p, 10, 1);
	hand_up_one(p, len, VPN_PACKET_HAS_CLASS | 3u << 24);
	assert_int_equal(count_of(TUNTAP_DROP_ECN), 1);
	tcpip_ipv4_set_ecn(p, 2);
	tcpip_ipv4_reset_checksum(p);
	hand_up_one(p, len, VPN_PACKET_HAS_CLASS | 3u << 24);
	assert_int_equal(kernel_receives(&vh, buf, sizeof(buf)), len);
	assert_int_equal(tcpip_ipv4_parse(buf, len, &ip), TCPIP_OK);
	assert_int_equal(ip.ecn, 3);
	assert_true(tcpip_ipv4_checksum_ok(&ip));
}

static void delivers_and_counts_what_exceeds_our_mtu(void **state)
{
	static uint8_t p[4096], buf[4096];
	struct tcpip_vnet_hdr vh;
	(void)state;
	uint32_t len = make_udp(p, MTU, 1);
	hand_up_one(p, len, 0);
	assert_int_equal(kernel_receives(&vh, buf, sizeof(buf)), len);
	assert_int_equal(count_of(TUNTAP_OVERSIZE), 1);
}

/* ---- frames ---- */

/* Puts an Ethernet header with n VLAN tags in front of the packet at p + l2; returns l2. */
static uint32_t make_frame(uint8_t *p, uint32_t n_tags)
{
	uint32_t at = 12;
	memset(p, 2, 12);
	for (uint32_t i = 0; i < n_tags; i++, at += 4) {
		tcpip_store_be16(p + at, TCPIP_ETHERTYPE_VLAN);
		tcpip_store_be16(p + at + 2, (uint16_t)(100 + i));
	}
	tcpip_store_be16(p + at, TCPIP_ETHERTYPE_IPV4);
	return at + 2;
}

static void cuts_super_frames_behind_vlan_tags(void **state)
{
	static uint8_t p[65536];
	(void)state;
	for (uint32_t tags = 0; tags <= 2; tags++) {
		uint32_t l2 = 14 + 4 * tags;
		end(NULL);
		begin_with(TUNTAP_OFFLOAD_TCP_UDP, true, true);
		uint32_t len = l2 + make_tcp(p + l2, 1, 3 * MSS + 7, TCPIP_TCP_ACK);
		assert_int_equal(make_frame(p, tags), l2);
		const struct tcpip_vnet_hdr vh = {.flags = TCPIP_VNET_NEEDS_CSUM,
						  .gso_type = TCPIP_VNET_GSO_TCPV4,
						  .gso_size = MSS,
						  .csum_start = (uint16_t)(l2 + 20),
						  .csum_offset = 16};
		kernel_sends(&vh, p, len);
		run();
		assert_int_equal(fake.n_captured, 4);
		for (uint32_t i = 0; i < fake.n_captured; i++) {
			struct fake_packet *c = &fake.captured[i];
			assert_memory_equal(c->data, p, l2);
			memmove(c->data, c->data + l2, c->len -= l2);
		}
		expect_stream(0, 1, 3 * MSS + 7);
	}
}

static void coalesces_frames(void **state)
{
	static uint8_t p[65536];
	struct vpn_packet *pkts[5];
	struct tcpip_vnet_hdr vh;
	(void)state;
	end(NULL);
	begin_with(TUNTAP_OFFLOAD_TCP_UDP, true, true);
	for (uint32_t i = 0; i < 5; i++) {
		uint32_t len = 14 + make_tcp(p + 14, 1 + i * MSS, MSS, TCPIP_TCP_ACK);
		make_frame(p, 0);
		pkts[i] = fake_packet(&fake, p, len, VPN_PACKET_VERIFIED);
	}
	tuntap_queue_write(queue, pkts, 5);
	assert_int_equal(kernel_receives(&vh, p, sizeof(p)), 14 + TCP_HEAD + 5 * MSS);
	assert_int_equal(vh.csum_start, 34);
	assert_int_equal(vh.gso_size, MSS);
}

static void falls_back_to_single_frames(void **state)
{
	static uint8_t p[4096], buf[4096];
	struct vpn_packet *pkts[3];
	struct tcpip_vnet_hdr vh;
	(void)state;
	end(NULL);
	begin_with(TUNTAP_OFFLOAD_TCP_UDP, true, true);
	write_error_super = EINVAL;
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < 3; i++) {
			uint32_t len = 14 + make_tcp(p + 14, 1 + i * MSS, MSS, TCPIP_TCP_ACK);
			make_frame(p, 0);
			if (pass == 0) {
				pkts[i] = fake_packet(&fake, p, len, VPN_PACKET_VERIFIED);
				continue;
			}
			assert_int_equal(kernel_receives(&vh, buf, sizeof(buf)), len);
			assert_memory_equal(buf, p, len);
		}
		if (pass == 0)
			tuntap_queue_write(queue, pkts, 3);
	}
}

static void carries_frames_that_are_not_ip(void **state)
{
	uint8_t arp[42] = {0}, buf[64];
	struct tcpip_vnet_hdr vh;
	(void)state;
	end(NULL);
	begin_with(TUNTAP_OFFLOAD_TCP_UDP, true, true);
	tcpip_store_be16(arp + 12, TCPIP_ETHERTYPE_ARP);
	kernel_sends_plain(arp, sizeof(arp));
	run();
	assert_int_equal(fake.n_captured, 1);
	assert_int_equal(fake.captured[0].flags, 0);
	hand_up_one(arp, sizeof(arp), VPN_PACKET_HAS_CLASS | 3u << 24);
	assert_int_equal(kernel_receives(&vh, buf, sizeof(buf)), sizeof(arp));
	assert_memory_equal(buf, arp, sizeof(arp));
	hand_up_one(arp, 13, 0);
	assert_int_equal(count_of(TUNTAP_DROP_MALFORMED), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hands_a_packet_down_unchanged),
		TEST(finishes_a_checksum_that_the_kernel_left_open),
		TEST(cuts_super_packets_between_single_ones),
		TEST(cuts_what_exceeds_a_batch_in_several),
		TEST(cuts_the_largest_super_packet),
		TEST(keeps_what_is_not_taken_and_goes_on_in_order),
		TEST(gives_back_what_is_held_when_it_ends),
		TEST(leaves_data_in_the_kernel_while_the_pool_is_empty),
		TEST(loses_no_segment_when_the_pool_runs_dry),
		TEST(pauses_within_a_super_packet_of_very_many_segments),
		TEST(a_timer_does_not_unblock_a_full_stage),
		TEST(drops_what_exceeds_the_mtu),
		TEST(drops_impossible_offload_headers),
		TEST(reads_without_a_vnet_header),
		TEST(a_deleted_device_fails_once),
		TEST(writes_segments_of_one_flow_as_one),
		TEST(writes_what_does_not_merge_unchanged),
		TEST(writes_one_by_one_without_offload),
		TEST(loses_nothing_when_the_kernel_refuses_super_packets),
		TEST(falls_back_for_udp_alone),
		TEST(keeps_coalescing_when_single_packets_are_refused_too),
		TEST(counts_each_error_under_its_reason),
		TEST(drops_what_is_no_ip_packet),
		TEST(marks_congestion_that_the_outer_header_has_met),
		TEST(delivers_and_counts_what_exceeds_our_mtu),
		TEST(cuts_super_frames_behind_vlan_tags),
		TEST(coalesces_frames),
		TEST(falls_back_to_single_frames),
		TEST(carries_frames_that_are_not_ip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
