/* SPDX-License-Identifier: BSD-2-Clause */
/* test_wg_data: packets under a session: their bytes on the wire, their way, and what has none. */
#include "wg_world.h"

#include <vpncore/tcpip.h>

#include "send.h"

static struct world w;
static struct ref *r;
static struct vpn_socket_info socket_info;
static struct vpn_device_info device_info;
static void (*device_changed)(void *ctx);
static void *device_ctx;

static int set_up(void **state)
{
	(void)state;
	world_init(&w);
	r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	world_prefix(r, "fd00:1::/64");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_end(&w);
	device_changed = NULL;
	return 0;
}

static void start(void)
{
	world_start(&w);
	world_join(&w, r);
	world_advance(&w, WG_SECOND);
	world_mark(&w);
}

/* ---- neighbours that tell about themselves ---- */

static vpn_status tell_socket(void *inst, struct vpn_socket_info *out)
{
	(void)inst;
	*out = socket_info;
	return VPN_OK;
}

static vpn_status keep_port(void *inst, uint32_t port, struct vpn_error *err)
{
	(void)inst;
	(void)err;
	socket_info.port = port;
	return VPN_OK;
}

static const struct vpn_socket_ext socket_ext = {.size = sizeof(socket_ext),
						 .info = tell_socket,
						 .set_port = keep_port,
						 .set_fwmark = keep_port};

static vpn_status tell_device(void *inst, struct vpn_device_info *out)
{
	(void)inst;
	*out = device_info;
	return VPN_OK;
}

static void subscribe(void *inst, void (*changed)(void *ctx), void *ctx)
{
	(void)inst;
	device_changed = changed;
	device_ctx = ctx;
}

static const struct vpn_device_ext device_ext = {
	.size = sizeof(device_ext), .info = tell_device, .subscribe = subscribe};

static void with_socket(uint32_t port, uint32_t flags)
{
	socket_info = (struct vpn_socket_info){
		.size = sizeof(socket_info), .flags = flags, .port = port};
	testhost_serve(w.host, VPN_EXT_SOCKET, &socket_ext, NULL);
}

static void set_device(uint32_t mtu, bool up)
{
	device_info = (struct vpn_device_info){.size = sizeof(device_info),
					       .mtu = mtu,
					       .layer = VPN_L3,
					       .name = "tun7",
					       .flags = up ? VPN_DEVICE_UP : 0};
	if (device_changed != NULL) {
		device_changed(device_ctx);
		testhost_run(w.host);
	}
}

/* ---- padding ---- */

static uint32_t padded(uint32_t len, uint32_t mtu)
{
	uint32_t up = (len + 15) / 16 * 16;
	return up > mtu && len <= mtu ? mtu : up;
}

static void check_padding(uint32_t len, uint32_t mtu)
{
	struct bytes packet, plain;
	world_udp(&packet, w.inside, r->inside, len - 28, (uint8_t)len);
	assert_int_equal(packet.len, len);
	world_send(&w, &packet);
	world_hear(&w, r, &plain);
	assert_int_equal(plain.len, padded(len, mtu));
	assert_memory_equal(plain.data, packet.data, len);
	for (uint32_t i = len; i < plain.len; i++)
		assert_int_equal(plain.data[i], 0);
}

static void packets_are_padded_to_16_bytes_within_the_mtu(void **state)
{
	(void)state;
	start();
	for (uint32_t len = 28; len <= 1420; len++)
		check_padding(len, 1420);
}

static void a_small_mtu_holds_padding_back(void **state)
{
	(void)state;
	w.setup.mtu_above = 1299;
	start();
	for (uint32_t len = 1270; len <= 1299; len++)
		check_padding(len, 1299);
}

static void padding_of_any_length_is_counted_from_the_mtu(void **state)
{
	(void)state;
	assert_int_equal(wg_send_padding(0, 1420), 0);
	assert_int_equal(wg_send_padding(1, 1420), 15);
	assert_int_equal(wg_send_padding(16, 1420), 0);
	assert_int_equal(wg_send_padding(1408, 1420), 0);
	assert_int_equal(wg_send_padding(1409, 1420), 11);
	assert_int_equal(wg_send_padding(1420, 1420), 0);
	assert_int_equal(wg_send_padding(1421, 1420), 15);
	assert_int_equal(wg_send_padding(2839, 1420), 1); /* 1419 after the first */
	assert_int_equal(wg_send_padding(2840, 1420), 0);
	assert_int_equal(wg_send_padding(17, 0), 15);
	for (uint32_t mtu = 0; mtu < 100; mtu++)
		for (uint32_t len = 0; len < 300; len++)
			assert_true(wg_send_padding(len, mtu) < 16);
}

static void a_changed_mtu_counts_at_once(void **state)
{
	(void)state;
	testhost_serve(w.host, VPN_EXT_DEVICE, &device_ext, NULL);
	set_device(1420, true);
	world_start(&w);
	assert_non_null(device_changed);
	set_device(1420, true);
	world_join(&w, r);
	check_padding(1301, 1420);
	set_device(1301, true);
	check_padding(1301, 1301);
	check_padding(1300, 1301);
}

/* ---- what goes up ---- */

static void padding_is_taken_away(void **state)
{
	(void)state;
	struct bytes packet, msg;
	static const char *const from[] = {"10.0.1.2", "fd00:1::2"};
	static const char *const to[] = {"10.0.0.1", "fd00::1"};
	start();
	for (uint32_t i = 0; i < 2; i++)
		for (uint32_t pad = 0; pad < 100; pad++) {
			world_udp(&packet, from[i], to[i], 10, 1);
			uint32_t len = packet.len;
			memset(packet.data + len, (int)pad, pad);
			ref_data(r, packet.data, len + pad, &msg);
			world_recv(&w, r, &msg);
			world_expect_up(&w, &packet);
		}
	world_only_drop(&w, WG_COUNTERS, 0);
}

static void what_goes_up_is_marked_as_verified(void **state)
{
	(void)state;
	struct bytes packet, msg;
	start();
	world_udp(&packet, r->inside, w.inside, 10, 1);
	ref_data(r, packet.data, packet.len, &msg);
	world_recv(&w, r, &msg);
	assert_true((testhost_next(w.stage, 0, VPN_UP)->flags & VPN_PACKET_VERIFIED) != 0);
}

static void the_smallest_packets_pass(void **state)
{
	(void)state;
	struct bytes packet, msg;
	start();
	world_udp(&packet, r->inside, w.inside, 0, 0);
	packet.data[3] = 20; /* a header and nothing else */
	packet.len = 20;
	ref_data(r, packet.data, packet.len, &msg);
	world_recv(&w, r, &msg);
	world_expect_up(&w, &packet);
	world_udp(&packet, "fd00:1::2", "fd00::1", 0, 0);
	packet.data[5] = 0;
	packet.len = 40;
	ref_data(r, packet.data, packet.len, &msg);
	world_recv(&w, r, &msg);
	world_expect_up(&w, &packet);
}

static void bytes_are_counted_with_handshakes(void **state)
{
	(void)state;
	struct wg_peer_view view;
	start();
	world_send_to(&w, r, 100, 1);                 /* 128 bytes of packet */
	world_say(&w, r, r->inside, w.inside, 72, 1); /* 100, unpadded */
	wg_config_lock(w.wg);
	wg_config_peer_view(w.wg, world_peer_of(&w, r), &view);
	wg_config_unlock(w.wg);
	assert_int_equal(view.tx_bytes, 92 + 128 + 32);
	assert_int_equal(view.rx_bytes, 148 + 32 + 100 + 32);
	assert_true(view.handshake_wall_ns != 0);
}

/* ---- where to ---- */

static void data_from_elsewhere_moves_the_peer(void **state)
{
	(void)state;
	struct bytes msg;
	start();
	ref_data(r, "", 0, &msg);
	world_recv_from(&w, "[2001:db8::5]:7", &msg);
	assert_int_equal(world_grown(&w, ROAMED), 1);
	world_send_to(&w, r, 10, 1);
	const struct testhost_record *sent = world_expect(&w, WG_TYPE_DATA, NULL);
	assert_int_equal(sent->endpoint.family, VPN_AF_INET6);
	assert_int_equal(sent->endpoint.port, 7);
	/* from there again: no news */
	ref_data(r, "", 0, &msg);
	world_recv_from(&w, "[2001:db8::5]:7", &msg);
	assert_int_equal(world_grown(&w, ROAMED), 1);
}

/* What is inside does not matter: who has sealed it is there. */
static void an_authentic_message_that_is_refused_moves_it_too(void **state)
{
	(void)state;
	struct bytes packet, msg;
	start();
	world_udp(&packet, "10.9.9.9", w.inside, 10, 1);
	ref_data(r, packet.data, packet.len, &msg);
	world_recv_from(&w, "198.51.100.7:999", &msg);
	world_only_drop(&w, DROP_DISALLOWED_SOURCE, 1);
	assert_int_equal(world_grown(&w, ROAMED), 1);
}

static void our_side_of_the_way_is_kept_without_being_news(void **state)
{
	(void)state;
	struct bytes msg;
	struct vpn_endpoint from = r->at;
	start();
	from.ifindex = 3;
	from.local[0] = 10;
	ref_data(r, "", 0, &msg);
	assert_true(testhost_recv(w.stage, 0, msg.data, msg.len, &from));
	assert_int_equal(world_grown(&w, ROAMED), 0);
	world_send_to(&w, r, 10, 1);
	const struct testhost_record *sent = world_expect(&w, WG_TYPE_DATA, NULL);
	assert_int_equal(sent->endpoint.ifindex, 3);
	assert_int_equal(sent->endpoint.local[0], 10);
}

static void a_socket_with_a_remote_of_its_own_chooses(void **state)
{
	(void)state;
	struct bytes packet;
	with_socket(51820, VPN_SOCKET_HAS_REMOTE);
	struct ref *nowhere = world_peer(&w, NULL, "10.0.3.0/24");
	world_start(&w);
	world_udp(&packet, w.inside, nowhere->inside, 10, 1);
	world_send(&w, &packet);
	assert_false(world_expect(&w, WG_TYPE_INITIATION, NULL)->has_endpoint);
}

static void without_an_endpoint_there_is_no_way(void **state)
{
	(void)state;
	struct bytes packet, msg;
	with_socket(51820, 0);
	struct ref *nowhere = world_peer(&w, NULL, "10.0.3.0/24");
	world_start(&w);
	world_udp(&packet, w.inside, nowhere->inside, 10, 1);
	world_send(&w, &packet);
	world_silent(&w);
	world_only_drop(&w, DROP_NO_ENDPOINT, 1);
	assert_int_equal(world_grown(&w, UNREACHABLE_SENT), 1);
	const struct testhost_record *up = testhost_next(w.stage, 0, VPN_UP);
	assert_int_equal(up->data[9], TCPIP_IPPROTO_ICMP);
	/* until it is heard of */
	ref_initiation(nowhere, &msg);
	world_recv_from(&w, "198.51.100.3:33", &msg);
	world_expect(&w, WG_TYPE_RESPONSE, &msg);
	assert_true(ref_consume(nowhere, &msg));
	ref_data(nowhere, "", 0, &msg);
	world_recv_from(&w, "198.51.100.3:33", &msg);
	world_send(&w, &packet);
	assert_int_equal(world_expect(&w, WG_TYPE_DATA, NULL)->endpoint.port, 33);
}

static void a_persistent_keepalive_waits_for_an_endpoint(void **state)
{
	(void)state;
	with_socket(51820, 0);
	struct ref *nowhere = world_peer(&w, NULL, "10.0.3.0/24");
	w.peer_options[1].keepalive = 1;
	world_start(&w);
	world_advance(&w, 30 * WG_SECOND);
	world_silent(&w);
	struct vpn_endpoint at = testhost_endpoint("198.51.100.3:33");
	wg_config_lock(w.wg);
	wg_config_peer_set_endpoint(w.wg, world_peer_of(&w, nowhere), &at);
	wg_config_peer_done(w.wg, world_peer_of(&w, nowhere));
	wg_config_unlock(w.wg);
	world_advance(&w, 2 * WG_SECOND);
	assert_int_equal(world_expect(&w, WG_TYPE_INITIATION, NULL)->endpoint.port, 33);
}

/* ---- loops ---- */

static void send_udp(const char *dst, uint16_t src_port, uint16_t dst_port)
{
	struct testhost_flow f = {
		.src = "10.0.0.1", .dst = dst, .src_port = src_port, .dst_port = dst_port};
	struct bytes packet;
	packet.len = testhost_build_udp(packet.data, sizeof(packet.data), &f, "loop", 4);
	world_send(&w, &packet);
}

static void our_own_messages_do_not_go_into_the_tunnel(void **state)
{
	(void)state;
	with_socket(51999, 0);
	world_prefix(r, "192.0.2.0/24"); /* its own endpoint is in there */
	start();
	send_udp("192.0.2.1", 51999, 51820);
	world_silent(&w);
	world_only_drop(&w, DROP_LOOP, 1);
	world_nothing_up(&w);
	send_udp("192.0.2.1", 51998, 51820); /* somebody else's */
	world_expect(&w, WG_TYPE_DATA, NULL);
	send_udp("192.0.2.1", 51999, 51821);
	world_expect(&w, WG_TYPE_DATA, NULL);
	send_udp("192.0.2.2", 51999, 51820);
	world_expect(&w, WG_TYPE_DATA, NULL);
	world_only_drop(&w, DROP_LOOP, 1);
}

static void loops_are_seen_before_there_is_a_session(void **state)
{
	(void)state;
	with_socket(51999, 0);
	world_prefix(r, "192.0.2.0/24");
	world_start(&w);
	send_udp("192.0.2.1", 51999, 51820);
	world_silent(&w);
	world_only_drop(&w, DROP_LOOP, 1);
}

static void loops_are_seen_with_a_port_that_was_changed(void **state)
{
	(void)state;
	with_socket(51999, 0);
	world_prefix(r, "192.0.2.0/24");
	start();
	assert_int_equal(wg_config_set_port(w.wg, 4444), 0);
	send_udp("192.0.2.1", 4444, 51820);
	world_silent(&w);
	world_only_drop(&w, DROP_LOOP, 1);
}

static void loops_are_seen_from_every_port_of_a_range(void **state)
{
	(void)state;
	with_socket(51990, 0);
	socket_info.port_last = 51999;
	world_prefix(r, "192.0.2.0/24");
	start();
	send_udp("192.0.2.1", 51995, 51820);
	send_udp("192.0.2.1", 51999, 51820);
	world_silent(&w);
	world_only_drop(&w, DROP_LOOP, 2);
	send_udp("192.0.2.1", 52000, 51820);
	world_expect(&w, WG_TYPE_DATA, NULL);
}

static void loops_are_seen_to_every_port_that_is_hopped_over(void **state)
{
	(void)state;
	with_socket(40000, 0);
	socket_info.far_first = 51800;
	socket_info.far_last = 51900;
	world_prefix(r, "192.0.2.0/24");
	start();
	send_udp("192.0.2.1", 40000, 51888);
	send_udp("192.0.2.1", 40001, 51800); /* our own port has moved as well */
	world_silent(&w);
	world_only_drop(&w, DROP_LOOP, 2);
	send_udp("192.0.2.1", 40000, 51901);
	world_expect(&w, WG_TYPE_DATA, NULL);
	send_udp("192.0.2.2", 40000, 51888);
	world_expect(&w, WG_TYPE_DATA, NULL);
}

/* ---- nowhere to go ---- */

static void an_address_of_nobody_is_unreachable(void **state)
{
	(void)state;
	struct bytes packet;
	start();
	world_udp(&packet, w.inside, "10.77.0.1", 10, 1);
	world_send(&w, &packet);
	world_silent(&w);
	world_only_drop(&w, DROP_NO_PEER, 1);
	const struct testhost_record *up = testhost_next(w.stage, 0, VPN_UP);
	assert_non_null(up);
	assert_int_equal(up->len, 20 + 8 + packet.len);
	assert_int_equal(up->data[9], TCPIP_IPPROTO_ICMP);
	assert_int_equal(up->data[20], 3);                       /* destination unreachable */
	assert_int_equal(up->data[21], 1);                       /* host */
	assert_memory_equal(up->data + 12, packet.data + 16, 4); /* as if from there */
	assert_memory_equal(up->data + 16, packet.data + 12, 4);
	assert_memory_equal(up->data + 28, packet.data, packet.len);
	assert_int_equal(world_grown(&w, UNREACHABLE_SENT), 1);
}

static void an_ipv6_address_of_nobody_as_well(void **state)
{
	(void)state;
	struct bytes packet;
	start();
	world_udp(&packet, "fd00::1", "fd00:77::1", 10, 1);
	world_send(&w, &packet);
	world_only_drop(&w, DROP_NO_PEER, 1);
	const struct testhost_record *up = testhost_next(w.stage, 0, VPN_UP);
	assert_non_null(up);
	assert_int_equal(up->data[6], TCPIP_IPPROTO_ICMPV6);
	assert_int_equal(up->data[40], 1);
	assert_int_equal(up->data[41], 3); /* address */
	assert_memory_equal(up->data + 8, packet.data + 24, 16);
	assert_memory_equal(up->data + 24, packet.data + 8, 16);
	assert_memory_equal(up->data + 48, packet.data, packet.len);
}

static void errors_are_not_sent_more_often_than_once_a_millisecond(void **state)
{
	(void)state;
	struct bytes packet;
	start();
	world_udp(&packet, w.inside, "10.77.0.1", 10, 1);
	for (int i = 0; i < 10; i++)
		world_send(&w, &packet);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_UP), 1);
	world_advance(&w, WG_MS);
	world_send(&w, &packet);
	assert_int_equal(testhost_waiting(w.stage, 0, VPN_UP), 2);
	world_only_drop(&w, DROP_NO_PEER, 11);
	assert_int_equal(world_grown(&w, UNREACHABLE_SENT), 2);
}

static void an_error_is_not_answered_with_an_error(void **state)
{
	(void)state;
	struct bytes packet;
	start();
	world_udp(&packet, w.inside, "10.77.0.1", 10, 1);
	world_send(&w, &packet);
	const struct testhost_record *up = testhost_next(w.stage, 0, VPN_UP);
	memcpy(packet.data, up->data, up->len);
	packet.len = up->len;
	memcpy(packet.data + 16, (uint8_t[]){10, 88, 0, 1}, 4);
	world_advance(&w, WG_SECOND);
	world_send(&w, &packet);
	world_nothing_up(&w);
	world_only_drop(&w, DROP_NO_PEER, 2);
}

static void no_error_goes_up_when_nothing_is_taken_there(void **state)
{
	(void)state;
	struct bytes packet;
	start();
	world_udp(&packet, w.inside, "10.77.0.1", 10, 1);
	testhost_limit(w.stage, 0, VPN_UP, 0);
	world_send(&w, &packet);
	assert_int_equal(world_grown(&w, DROP_NO_PEER), 1);
	assert_int_equal(world_grown(&w, DROP_ABOVE_FULL), 1);
	assert_int_equal(world_grown(&w, UNREACHABLE_SENT), 0);
}

static void what_is_not_ip_is_not_sent(void **state)
{
	(void)state;
	struct bytes packet;
	start();
	world_udp(&packet, w.inside, r->inside, 10, 1);
	for (uint32_t len = 0; len < packet.len; len++) {
		struct bytes cut = packet;
		cut.len = len;
		world_mark(&w);
		world_send(&w, &cut);
		world_only_drop(&w, DROP_NOT_IP, 1);
	}
	packet.data[0] = 0x55;
	world_mark(&w);
	world_send(&w, &packet);
	world_only_drop(&w, DROP_NOT_IP, 1);
	world_silent(&w);
	world_nothing_up(&w);
}

/* ---- the device ---- */

static void while_the_device_is_down_nothing_passes(void **state)
{
	(void)state;
	struct bytes msg, plain;
	testhost_serve(w.host, VPN_EXT_DEVICE, &device_ext, NULL);
	w.peer_options[0].keepalive = 5;
	set_device(1420, false);
	world_start(&w);
	set_device(1420, false);
	world_silent(&w);
	world_send_to(&w, r, 10, 1);
	world_only_drop(&w, DROP_DOWN, 1);
	ref_initiation(r, &msg);
	world_recv(&w, r, &msg);
	world_only_drop(&w, DROP_DOWN, 2);
	world_advance(&w, 60 * WG_SECOND);
	world_silent(&w);
	set_device(1420, true);
	world_expect(&w, WG_TYPE_INITIATION, &msg);
	ref_response(r, &msg, &msg);
	world_recv(&w, r, &msg);
	world_hear_keepalive(&w, r);
	struct ref_session old = r->session;
	/* and down again: the session ends */
	set_device(1420, false);
	world_mark(&w);
	ref_data(r, "", 0, &msg);
	world_recv(&w, r, &msg);
	world_only_drop(&w, DROP_DOWN, 1);
	set_device(1420, true);
	testhost_clear(w.stage, 0, VPN_DOWN);
	world_mark(&w);
	ref_seal(&old, 50, "", 0, &msg);
	world_recv(&w, r, &msg);
	world_only_drop(&w, DROP_UNKNOWN_INDEX, 1);
	world_advance(&w, WG_SECOND);
	world_join(&w, r);
	world_send_to(&w, r, 10, 1);
	testhost_run(w.host);
	world_hear(&w, r, &plain);
}

static void the_device_is_left_alone_after_stop(void **state)
{
	(void)state;
	testhost_serve(w.host, VPN_EXT_DEVICE, &device_ext, NULL);
	set_device(1420, true);
	world_start(&w);
	assert_non_null(device_changed);
	testhost_stop(w.stage);
	assert_null(device_changed);
}

static void another_port_is_another_place(void **state)
{
	(void)state;
	struct bytes msg;
	start();
	ref_data(r, "", 0, &msg);
	world_recv_from(&w, "192.0.2.1:51821", &msg);
	assert_int_equal(world_grown(&w, ROAMED), 1);
	world_send_to(&w, r, 10, 1);
	assert_int_equal(world_expect(&w, WG_TYPE_DATA, NULL)->endpoint.port, 51821);
}

static void only_udp_can_be_a_loop(void **state)
{
	(void)state;
	struct testhost_flow f = {
		.src = "10.0.0.1", .dst = "192.0.2.1", .src_port = 51999, .dst_port = 51820};
	struct bytes packet;
	with_socket(51999, 0);
	world_prefix(r, "192.0.2.0/24");
	start();
	packet.len = testhost_build_tcp(packet.data, sizeof(packet.data), &f, "tcp", 3);
	world_send(&w, &packet);
	world_expect(&w, WG_TYPE_DATA, NULL);
	/* a piece without ports */
	packet.len = testhost_build_udp(packet.data, sizeof(packet.data), &f, "", 0);
	for (uint32_t len = 20; len < 24; len++) {
		packet.data[3] = (uint8_t)len;
		packet.len = len;
		world_send(&w, &packet);
		world_expect(&w, WG_TYPE_DATA, NULL);
	}
	world_only_drop(&w, WG_COUNTERS, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packets_are_padded_to_16_bytes_within_the_mtu),
		TEST(a_small_mtu_holds_padding_back),
		TEST(padding_of_any_length_is_counted_from_the_mtu),
		TEST(a_changed_mtu_counts_at_once),
		TEST(padding_is_taken_away),
		TEST(what_goes_up_is_marked_as_verified),
		TEST(the_smallest_packets_pass),
		TEST(bytes_are_counted_with_handshakes),
		TEST(data_from_elsewhere_moves_the_peer),
		TEST(an_authentic_message_that_is_refused_moves_it_too),
		TEST(our_side_of_the_way_is_kept_without_being_news),
		TEST(a_socket_with_a_remote_of_its_own_chooses),
		TEST(without_an_endpoint_there_is_no_way),
		TEST(a_persistent_keepalive_waits_for_an_endpoint),
		TEST(our_own_messages_do_not_go_into_the_tunnel),
		TEST(loops_are_seen_before_there_is_a_session),
		TEST(loops_are_seen_with_a_port_that_was_changed),
		TEST(loops_are_seen_from_every_port_of_a_range),
		TEST(loops_are_seen_to_every_port_that_is_hopped_over),
		TEST(an_address_of_nobody_is_unreachable),
		TEST(an_ipv6_address_of_nobody_as_well),
		TEST(errors_are_not_sent_more_often_than_once_a_millisecond),
		TEST(an_error_is_not_answered_with_an_error),
		TEST(no_error_goes_up_when_nothing_is_taken_there),
		TEST(what_is_not_ip_is_not_sent),
		TEST(while_the_device_is_down_nothing_passes),
		TEST(the_device_is_left_alone_after_stop),
		TEST(another_port_is_another_place),
		TEST(only_udp_can_be_a_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
