/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables' numbers, made anew from group, number and size; and the bytes of structures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "request.h"
#include "rig.h"

#define IOW(g, n, size)  model_ioc(MODEL_IN, g, n, size)
#define IOR(g, n, size)  model_ioc(MODEL_OUT, g, n, size)
#define IOWR(g, n, size) model_ioc(MODEL_IN | MODEL_OUT, g, n, size)
#define IO(g, n)         model_ioc(MODEL_VOID, g, n, 0)

static void has_the_numbers_of_freebsd(void **state)
{
	const struct bsd_kernel *k = &bsd_freebsd;
	(void)state;
	assert_int_equal(k->layers[0].set_head, IOW('t', 96, 4));
	assert_int_equal(k->layers[0].set_mode, IOW('t', 94, 4));
	assert_int_equal(k->layers[0].set_pid, IO('t', 95));
	assert_int_equal(k->layers[0].get_name, IOR('t', 93, 32));
	assert_int_equal(k->layers[1].get_name, IOR('t', 93, 32));
	assert_int_equal(k->set_transient, IOW('t', 98, 4));
	assert_int_equal(k->get_flags, IOWR('i', 17, 32));
	assert_int_equal(k->set_flags, IOW('i', 16, 32));
	assert_int_equal(k->get_mtu, IOWR('i', 51, 32));
	assert_int_equal(k->set_mtu, IOW('i', 52, 32));
	assert_int_equal(k->create, IOWR('i', 122, 32));
	assert_int_equal(k->destroy, IOW('i', 121, 32));
	assert_int_equal(k->set_name, IOW('i', 40, 32));
	assert_int_equal(k->set_lladdr, IOW('i', 60, 32));
	assert_int_equal(k->add_addr, IOW('i', 43, 68));
	assert_int_equal(k->del_addr, IOW('i', 25, 32));
	assert_int_equal(k->add_addr6, IOW('i', 27, 136));
	assert_int_equal(k->del_addr6, IOW('i', 25, 288));
	assert_int_equal(k->get_nd6, IOWR('i', 108, 72));
	assert_int_equal(k->set_nd6, IOWR('i', 109, 72));
}

static void has_the_numbers_of_openbsd(void **state)
{
	const struct bsd_kernel *k = &bsd_openbsd;
	(void)state;
	assert_int_equal(k->layers[0].set_head, 0);
	assert_true(k->layers[0].has_head);
	assert_int_equal(k->layers[0].set_mode, IOW('t', 93, 4));
	assert_int_equal(k->get_flags, IOWR('i', 17, 32));
	assert_int_equal(k->set_flags, IOW('i', 16, 32));
	assert_int_equal(k->get_mtu, IOWR('i', 126, 32));
	assert_int_equal(k->set_mtu, IOW('i', 127, 32));
	assert_int_equal(k->create, IOW('i', 122, 32));
	assert_int_equal(k->destroy, IOW('i', 121, 32));
	assert_int_equal(k->set_name, 0);
	assert_int_equal(k->set_lladdr, IOW('i', 31, 32));
	assert_int_equal(k->add_addr, IOW('i', 26, 64));
	assert_int_equal(k->del_addr, IOW('i', 25, 32));
	assert_int_equal(k->add_addr6, IOW('i', 26, 128));
	assert_int_equal(k->del_addr6, IOW('i', 25, 288));
}

static void has_the_numbers_of_netbsd(void **state)
{
	const struct bsd_kernel *k = &bsd_netbsd;
	(void)state;
	assert_int_equal(k->layers[0].set_head, IOW('t', 66, 4));
	assert_int_equal(k->layers[0].set_mode, IOW('t', 88, 4));
	assert_int_equal(k->layers[0].get_name, 0);
	assert_int_equal(k->layers[1].get_name, IOR('e', 0, 144));
	assert_int_equal(k->get_flags, IOWR('i', 17, 144));
	assert_int_equal(k->set_flags, IOW('i', 16, 144));
	assert_int_equal(k->get_mtu, IOWR('i', 126, 144));
	assert_int_equal(k->set_mtu, IOW('i', 127, 144));
	assert_int_equal(k->create, IOW('i', 122, 144));
	assert_int_equal(k->destroy, IOW('i', 121, 144));
	assert_int_equal(k->set_name, 0);
	assert_int_equal(k->set_lladdr, IOW('i', 70, 64));
	assert_true(k->lladdr_in_alias);
	assert_int_equal(k->add_addr, IOW('i', 26, 64));
	assert_int_equal(k->del_addr, IOW('i', 25, 144));
	assert_int_equal(k->add_addr6, IOW('i', 107, 128));
	assert_int_equal(k->del_addr6, IOW('i', 25, 288));
}

static void has_the_numbers_of_dragonfly(void **state)
{
	const struct bsd_kernel *k = &bsd_dragonfly;
	(void)state;
	assert_int_equal(k->layers[0].set_head, IOW('t', 96, 4));
	assert_int_equal(k->layers[0].set_mode, IOW('t', 94, 4));
	assert_int_equal(k->layers[0].set_pid, IO('t', 95));
	assert_int_equal(k->get_flags, IOWR('i', 17, 32));
	assert_int_equal(k->set_flags, IOW('i', 16, 32));
	assert_int_equal(k->get_mtu, IOWR('i', 51, 32));
	assert_int_equal(k->set_mtu, IOW('i', 52, 32));
	assert_int_equal(k->create, IOWR('i', 122, 32));
	assert_int_equal(k->destroy, IOW('i', 121, 32));
	assert_int_equal(k->set_name, IOW('i', 40, 32));
	assert_int_equal(k->set_lladdr, IOW('i', 60, 32));
	assert_int_equal(k->add_addr, IOW('i', 26, 64));
	assert_int_equal(k->del_addr, IOW('i', 25, 32));
	assert_int_equal(k->add_addr6, IOW('i', 26, 128));
	assert_int_equal(k->del_addr6, IOW('i', 25, 288));
}

static void sizes_in_requests_are_those_of_the_structures(void **state)
{
	const struct bsd_kernel *all[] = {&bsd_freebsd, &bsd_openbsd, &bsd_netbsd, &bsd_dragonfly};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct bsd_kernel *k = all[i];
		assert_int_equal(k->get_flags >> 16 & 0x1fff, k->ifreq_size);
		assert_int_equal(k->add_addr >> 16 & 0x1fff, k->alias_size);
		assert_int_equal(k->add_addr6 >> 16 & 0x1fff, k->alias6_size);
		assert_int_equal(k->del_addr6 >> 16 & 0x1fff, BSD_IFREQ6_SIZE);
		if (k->get_nd6 != 0)
			assert_int_equal(k->get_nd6 >> 16 & 0x1fff, k->nd6_size);
	}
}

/* ---- bytes ---- */

static unsigned long seen_request;
static uint8_t seen[288];

static int record_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	seen_request = request;
	memcpy(seen, arg, request >> 16 & 0x1fff);
	return 0;
}

static const struct bsd_ops recorder = {.ioctl = record_ioctl};

static const uint8_t ipv4_alias[68] = {
	't', 'u', 'n', '0', 0,   0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0, /* name */
	16,  2,   0,   0,   10,  78,  0,   1, 0, 0, 0, 0, 0, 0, 0, 0, /* 10.78.0.1 */
	16,  2,   0,   0,   10,  78,  0,   9, 0, 0, 0, 0, 0, 0, 0, 0, /* other side 10.78.0.9 */
	16,  2,   0,   0,   255, 255, 254, 0,                         /* /23 */
};

static void an_ipv4_address_has_these_bytes(void **state)
{
	const struct bsd_kernel *all[] = {&bsd_freebsd, &bsd_openbsd, &bsd_netbsd, &bsd_dragonfly};
	struct bsd_address a = {
		.local = {.family = VPN_AF_INET, .length = 23, .addr = {10, 78, 0, 1}},
		.peer = {.family = VPN_AF_INET, .addr = {10, 78, 0, 9}}};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct bsd_control c = {all[i], &recorder, 3, 4};
		memset(seen, 0xee, sizeof(seen));
		assert_int_equal(bsd_request_add_address(&c, "tun0", &a), 0);
		assert_int_equal(seen_request, all[i]->add_addr);
		assert_memory_equal(seen, ipv4_alias, all[i]->alias_size);
	}
}

static void an_ipv6_address_has_these_bytes(void **state)
{
	struct bsd_address a = {
		.local = {.family = VPN_AF_INET6, .length = 65, .addr = {0xfd, 0x78, [15] = 1}}};
	const struct {
		const struct bsd_kernel *k;
		uint8_t family;
		size_t size;
	} all[] = {{&bsd_freebsd, 28, 136},
		   {&bsd_openbsd, 24, 128},
		   {&bsd_netbsd, 24, 128},
		   {&bsd_dragonfly, 28, 128}};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct bsd_control c = {all[i].k, &recorder, 3, 4};
		uint8_t want[136] = {'t', 'u', 'n', '7', [16] = 28};
		want[17] = want[73] = all[i].family;
		want[24] = 0xfd;
		want[25] = 0x78;
		want[39] = 1;
		want[72] = 28;
		memset(want + 80, 0xff, 8);
		want[88] = 0x80;
		memset(want + 120, 0xff, 8); /* both lifetimes */
		assert_int_equal(bsd_request_add_address(&c, "tun7", &a), 0);
		assert_memory_equal(seen, want, all[i].size);
	}
}

static void a_mac_address_has_these_bytes(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0x5e, 0x10, 0, 1};
	static const uint8_t want[24] = {'t', 'a', 'p', '0', [16] = 6, 18, 2, 0, 0x5e, 0x10, 0, 1};
	const struct bsd_kernel *all[] = {&bsd_freebsd, &bsd_openbsd, &bsd_netbsd, &bsd_dragonfly};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct bsd_control c = {all[i], &recorder, 3, 4};
		assert_int_equal(bsd_request_set_mac(&c, "tap0", mac), 0);
		assert_int_equal(seen_request, all[i]->set_lladdr);
		assert_memory_equal(seen, want, sizeof(want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_numbers_of_freebsd),
		cmocka_unit_test(has_the_numbers_of_openbsd),
		cmocka_unit_test(has_the_numbers_of_netbsd),
		cmocka_unit_test(has_the_numbers_of_dragonfly),
		cmocka_unit_test(sizes_in_requests_are_those_of_the_structures),
		cmocka_unit_test(an_ipv4_address_has_these_bytes),
		cmocka_unit_test(an_ipv6_address_has_these_bytes),
		cmocka_unit_test(a_mac_address_has_these_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
