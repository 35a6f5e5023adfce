/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be asked for, and what it costs. */
#include <string.h>

#include "kcp_world.h"

static struct kcp_options o;
static struct kcp_fec_options fec;

static void defaults(uint32_t reliability)
{
	memset(&fec, 0, sizeof(fec));
	o = (struct kcp_options){.nodelay = -1, .resend = -1, .nc = -1, .reliability = reliability};
	o.mode = KCP_MODE_FAST3;
}

static void refused_at(const char *where)
{
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(kcp_options_validate(&o, &err), VPN_EINVAL);
	assert_string_equal(err.where, where);
	assert_true(strlen(err.text) > 10);
}

static void accepted(void)
{
	struct vpn_error err = {.size = sizeof(err)};
	assert_int_equal(kcp_options_validate(&o, &err), VPN_OK);
}

static void refuses_options_of_plain_kcp_beside_our_own_wire(void **state)
{
	(void)state;
	for (uint32_t r = KCP_DATAGRAM; r <= KCP_DEADLINE; r++) {
		defaults(r);
		accepted();
		o.conv = 1;
		refused_at("/conv");
		defaults(r);
		o.stream = 1;
		refused_at("/stream");
		defaults(r);
		o.nodelay = 0;
		refused_at("/nodelay");
		defaults(r);
		o.resend = 2;
		refused_at("/resend");
		defaults(r);
		o.fec = &fec;
		fec.data = 10;
		fec.parity = 3;
		refused_at("/fec");
	}
}

static void refuses_fec_that_does_not_fit(void **state)
{
	(void)state;
	defaults(KCP_RELIABLE);
	o.fec = &fec;
	refused_at("/fec");
	fec.data = 10;
	refused_at("/fec");
	fec.parity = 247;
	refused_at("/fec/parity");
	fec.parity = 246;
	accepted();
	fec.max = 10;
	refused_at("/fec");
	defaults(KCP_DEADLINE);
	o.fec = &fec;
	fec.min = 10;
	fec.max = 5;
	refused_at("/fec/min");
	fec.max = 10;
	accepted();
}

static void refuses_a_deadline_where_there_is_none(void **state)
{
	(void)state;
	defaults(KCP_RELIABLE);
	o.deadline = 1000000;
	refused_at("/deadline");
	o.reliability = KCP_DATAGRAM;
	refused_at("/deadline");
	o.reliability = KCP_DEADLINE;
	accepted();
}

static void refuses_contradicting_congestion(void **state)
{
	(void)state;
	defaults(KCP_RELIABLE);
	o.nc = 1;
	accepted();
	o.congestion = KCP_CONGESTION_RENO;
	refused_at("/nc");
	o.congestion = KCP_CONGESTION_NONE;
	accepted();
	o.nc = 0;
	refused_at("/nc");
}

static void refuses_keys_amiss(void **state)
{
	static const uint8_t key[32] = {1};
	(void)state;
	defaults(KCP_RELIABLE);
	o.crypt = KCP_CRYPT_AES;
	refused_at("/crypt");
	o.key = (struct vpn_bytes){.data = key, .len = 16};
	refused_at("/key");
	o.key.len = 32;
	accepted();
	o.password = "x";
	refused_at("/key");
	o.crypt = KCP_CRYPT_NONE;
	o.key.data = NULL;
	refused_at("/crypt");
}

static void refuses_a_tiny_mtu(void **state)
{
	(void)state;
	defaults(KCP_RELIABLE);
	o.mtu = 255;
	refused_at("/mtu");
	o.mtu = 256;
	accepted();
}

static void presets_are_kcptuns(void **state)
{
	static const uint32_t presets[4][3] = {{0, 40, 2}, {0, 30, 2}, {1, 20, 2}, {1, 10, 2}};
	struct kcp_settings s;
	(void)state;
	for (uint32_t mode = 0; mode < 4; mode++) {
		defaults(KCP_RELIABLE);
		o.mode = mode;
		kcp_options_resolve(&o, &s);
		assert_int_equal(s.nodelay, presets[mode][0]);
		assert_int_equal(s.interval_us, presets[mode][1] * 1000);
		assert_int_equal(s.resend, presets[mode][2]);
		o.nodelay = 2;
		o.resend = 0;
		o.interval = 7000000;
		kcp_options_resolve(&o, &s);
		assert_int_equal(s.nodelay, 2);
		assert_int_equal(s.resend, 0);
		assert_int_equal(s.interval_us, 7000);
	}
}

static void nc_chooses_the_congestion_control(void **state)
{
	static const uint32_t expected[] = {KCP_CONGESTION_RATE, KCP_CONGESTION_RENO,
					    KCP_CONGESTION_NONE};
	struct kcp_settings s;
	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		defaults(KCP_RELIABLE);
		o.nc = (int64_t)i - 1;
		kcp_options_resolve(&o, &s);
		assert_int_equal(s.congestion, expected[i]);
	}
}

static struct vpn_needs needs(void)
{
	struct vpn_needs n = {.size = sizeof(n)};
	kcp_options_needs(&o, &n);
	return n;
}

static void costs_what_the_layers_cost(void **state)
{
	(void)state;
	defaults(KCP_RELIABLE);
	assert_int_equal(needs().overhead, 24);
	assert_int_equal(needs().headroom, 24);
	o.fec = &fec;
	fec.data = 10;
	fec.parity = 3;
	assert_int_equal(needs().overhead, 24 + 8);
	o.crypt = KCP_CRYPT_AES;
	assert_int_equal(needs().overhead, 24 + 8 + 20);
	o.crypt = KCP_CRYPT_AES_128_GCM;
	assert_int_equal(needs().overhead, 24 + 8 + 12 + 16);
	assert_int_equal(needs().tailroom, 16);
	o.stream = 1;
	assert_int_equal(needs().overhead, 24 + 8 + 12 + 16 + 2);
	o.mtu = 1400;
	assert_int_equal(needs().mtu, 1400 - 62);
}

static void says_what_it_is(void **state)
{
	(void)state;
	defaults(KCP_RELIABLE);
	assert_int_equal(needs().flags, VPN_L2 | VPN_L3 | VPN_RELIABLE);
	o.queue = 1;
	assert_int_equal(needs().flags, VPN_L2 | VPN_L3);
	o.accept = 1;
	assert_int_equal(needs().flags, VPN_L2 | VPN_L3 | VPN_SETS_ENDPOINT);
	o.crypt = KCP_CRYPT_NONE;
	assert_int_equal(needs().flags & VPN_ENCRYPTS, 0);
	o.crypt = KCP_CRYPT_AES_128_GCM; /* replays are not kept out: it does not authenticate */
	assert_int_equal(needs().flags, VPN_L2 | VPN_L3 | VPN_SETS_ENDPOINT | VPN_ENCRYPTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_options_of_plain_kcp_beside_our_own_wire),
		cmocka_unit_test(refuses_fec_that_does_not_fit),
		cmocka_unit_test(refuses_a_deadline_where_there_is_none),
		cmocka_unit_test(refuses_contradicting_congestion),
		cmocka_unit_test(refuses_keys_amiss),
		cmocka_unit_test(refuses_a_tiny_mtu),
		cmocka_unit_test(presets_are_kcptuns),
		cmocka_unit_test(nc_chooses_the_congestion_control),
		cmocka_unit_test(costs_what_the_layers_cost),
		cmocka_unit_test(says_what_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
