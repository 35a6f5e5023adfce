/* SPDX-License-Identifier: BSD-2-Clause */
/* What others do to the device, and messages of the routing socket that are not what they should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "monitor.h"
#include "rig.h"
#include "utun_options.h"

static struct rig rig;
static struct utun_options options;
static struct vpn_prefix addresses[2];

static int setup(void **state)
{
	(void)state;
	model_reset();
	memset(&rig, 0, sizeof(rig));
	addresses[0] = rig_prefix("10.78.0.1/24");
	addresses[1] = rig_prefix("fd78::1/64");
	options = (struct utun_options){
		.common = {.name = "utun3",
			   .up = 1,
			   .addresses = {.items = addresses, .count = 2, .item_size = 20}},
		.fd = -1};
	return 0;
}

static void notices_down_and_up(void **state)
{
	uint8_t packet[80];
	(void)state;
	rig_must_start(&rig, &options, RIG_MTU);
	assert_int_equal(rig_info(&rig).flags, VPN_DEVICE_UP);
	model_set_up("utun3", false);
	rig_turn(&rig);
	assert_true(fake_saw_event(&rig.fake, VPN_EVENT_LINK_DOWN));
	assert_int_equal(rig_info(&rig).flags, 0);
	rig_packet(packet, 80, 4, 1);
	rig_up(&rig, packet, 80, 0, 3);
	assert_int_equal(rig_count(&rig, "drop_down"), 3);
	model_find("utun3")->n_addresses = 0;
	model_set_up("utun3", true);
	rig_turn(&rig);
	assert_true(fake_saw_event(&rig.fake, VPN_EVENT_LINK_UP));
	assert_true(model_has_address("utun3", "10.78.0.1 10.78.0.1 255.255.255.0"));
	assert_true(model_has_address("utun3", "fd78::1/64 nodad"));
	assert_int_equal(model_find("utun3")->n_routes, 2);
	rig_up(&rig, packet, 80, 0, 1);
	assert_int_equal(model_find("utun3")->n_received, 1);
	rig_stop(&rig);
}

static void notices_another_mtu(void **state)
{
	(void)state;
	rig_must_start(&rig, &options, RIG_MTU);
	model_set_mtu("utun3", 9000);
	rig_turn(&rig);
	assert_true(fake_saw_event(&rig.fake, VPN_EVENT_MTU));
	assert_int_equal(rig_info(&rig).mtu, 9000);
	assert_true(rig_logged(&rig, "from 1420 to 9000; larger packets"));
	model_set_mtu("utun3", 1300);
	rig_turn(&rig);
	assert_int_equal(rig_info(&rig).mtu, 1300);
	rig_stop(&rig);
}

static void notices_that_an_address_is_removed(void **state)
{
	static const uint8_t other[4] = {10, 78, 0, 9};
	(void)state;
	rig_must_start(&rig, &options, RIG_MTU);
	model_lose_ipv4("utun3", other);
	rig_turn(&rig);
	assert_false(rig_logged(&rig, "removed"));
	model_lose_ipv4("utun3", addresses[0].addr);
	model_lose_ipv6("utun3", addresses[1].addr);
	rig_turn(&rig);
	assert_true(rig_logged(&rig, "removed the address 10.78.0.1 from utun3"));
	assert_true(rig_logged(&rig, "removed the address fd78::1 from utun3"));
	rig_stop(&rig);
}

static void leaves_other_interfaces_alone(void **state)
{
	uint8_t buf[112] = {112, 0, 5, DARWIN_RTM_IFINFO};
	(void)state;
	rig_must_start(&rig, &options, RIG_MTU);
	buf[12] = 1; /* lo0, down */
	model_route_message(buf, sizeof(buf));
	rig_turn(&rig);
	assert_int_equal(rig_info(&rig).flags, VPN_DEVICE_UP);
	rig_stop(&rig);
}

static void takes_the_zone_out_of_link_local_addresses(void **state)
{
	struct darwin_event event;
	uint8_t buf[20 + 28] = {48, 0, 5, DARWIN_RTM_DELADDR, 0x20};
	(void)state;
	buf[20] = 28;
	buf[21] = DARWIN_AF_INET6;
	buf[28] = 0xfe;
	buf[29] = 0x80;
	buf[31] = 9;
	buf[43] = 1;
	assert_true(darwin_monitor_parse(buf, sizeof(buf), &event));
	assert_int_equal(event.kind, DARWIN_EVENT_DELADDR);
	assert_int_equal(event.address.addr[3], 0);
	assert_int_equal(event.address.addr[15], 1);
}

/* Each in memory of exactly its length, so that a sanitizer sees a byte too far. */
static bool parse_exactly(const uint8_t *message, size_t len)
{
	struct darwin_event event;
	uint8_t *copy = malloc(len != 0 ? len : 1);
	assert_non_null(copy);
	memcpy(copy, message, len);
	bool good = darwin_monitor_parse(copy, len, &event);
	free(copy);
	return good;
}

static void refuses_messages_that_are_cut_off(void **state)
{
	uint8_t info[112] = {112, 0, 5, DARWIN_RTM_IFINFO};
	uint8_t del[20 + 16] = {36, 0, 5, DARWIN_RTM_DELADDR, 0x20};
	(void)state;
	del[20] = 16;
	del[21] = DARWIN_AF_INET;
	assert_true(parse_exactly(info, sizeof(info)));
	assert_true(parse_exactly(del, sizeof(del)));
	for (size_t n = 0; n < sizeof(info); n++)
		assert_false(parse_exactly(info, n));
	for (size_t n = 0; n < sizeof(del); n++) {
		assert_false(parse_exactly(del, n));
		if (n < 4)
			continue;
		del[0] = (uint8_t)n; /* its own length is short as well */
		assert_false(parse_exactly(del, n));
		del[0] = 36;
	}
	info[2] = 4; /* another version */
	assert_false(parse_exactly(info, sizeof(info)));
	del[4] = 0xff; /* more addresses than there are */
	assert_false(parse_exactly(del, sizeof(del)));
}

/* Whatever stands in a message, nothing beyond it is read. */
static void survives_every_byte_in_every_place(void **state)
{
	uint8_t base[20 + 8 + 28] = {56, 0, 5, DARWIN_RTM_DELADDR, 0x24}, buf[56];
	(void)state;
	base[20] = 5;
	base[28] = 28;
	base[29] = DARWIN_AF_INET6;
	for (size_t at = 0; at < sizeof(base); at++)
		for (int value = 0; value < 256; value++) {
			memcpy(buf, base, sizeof(buf));
			buf[at] = (uint8_t)value;
			(void)parse_exactly(buf, sizeof(buf));
		}
	assert_true(parse_exactly(base, sizeof(base)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(notices_down_and_up, setup),
		cmocka_unit_test_setup(notices_another_mtu, setup),
		cmocka_unit_test_setup(notices_that_an_address_is_removed, setup),
		cmocka_unit_test_setup(leaves_other_interfaces_alone, setup),
		cmocka_unit_test_setup(takes_the_zone_out_of_link_local_addresses, setup),
		cmocka_unit_test_setup(refuses_messages_that_are_cut_off, setup),
		cmocka_unit_test_setup(survives_every_byte_in_every_place, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
