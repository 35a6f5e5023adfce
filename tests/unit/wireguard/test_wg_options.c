/* SPDX-License-Identifier: BSD-2-Clause */
/* test_wg_options: what the component refuses of a manifest, and where it says that it is. Lengths and
 * types are the option table's, and so the host's. */
#include "wg_world.h"

#include <stdio.h>

static struct world w;
static struct ref *r, *other;

static int set_up(void **state)
{
	(void)state;
	world_init(&w);
	r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	other = world_peer(&w, "192.0.2.2:51821", "10.0.2.0/24");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static void refused(vpn_status status, const char *where, const char *text)
{
	struct vpn_error err;
	assert_null(world_add(&w, &err));
	assert_int_equal(err.status, status);
	assert_string_equal(err.where, where);
	if (strstr(err.text, text) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void takes_what_is_right(void **state)
{
	(void)state;
	world_psk(r, 1);
	w.peer_options[0].keepalive = 65535;
	world_start(&w);
	const struct vpn_needs *needs = testhost_needs(w.stage);
	assert_int_equal(needs->overhead, WG_DATA_OVERHEAD);
	assert_true((needs->flags & VPN_ENCRYPTS) != 0 && (needs->flags & VPN_AUTHENTICATES) != 0);
	assert_true((needs->flags & VPN_L3) != 0 && (needs->flags & VPN_L2) == 0);
	assert_false(
		testhost_logged(w.host, UINT32_MAX, "EREREREREREREREREREREREREREREREREREREREREQ"));
}

static void takes_no_peers_at_all(void **state)
{
	(void)state;
	w.options.peers.count = 0;
	w.n_refs = 0;
	world_start(&w);
	world_advance(&w, 1000 * WG_SECOND);
	world_silent(&w);
}

static void a_peer_may_have_no_endpoint_and_no_networks(void **state)
{
	(void)state;
	w.peer_options[0].endpoint = (struct vpn_hostport){0};
	w.peer_options[0].allowed_ips = (struct vpn_list){0};
	world_start(&w);
	world_join(&w, r);
	assert_int_equal(world_grown(&w, SESSIONS), 1);
}

static void needs_a_private_key(void **state)
{
	(void)state;
	w.options.private_key = (struct vpn_bytes){0};
	refused(VPN_EINVAL, "", "private_key is missing");
	w.options.uapi = WG_UAPI_AUTO;
	refused(VPN_EINVAL, "", "private_key is missing");
}

static void a_private_key_of_zeros_is_none(void **state)
{
	(void)state;
	memset(w.private_key, 0, sizeof(w.private_key));
	refused(VPN_EINVAL, "/private_key", "zeros");
}

static void a_peer_is_not_ourselves(void **state)
{
	(void)state;
	memcpy(other->public_key, w.public_key, sizeof(other->public_key));
	refused(VPN_EINVAL, "/peers/1/public_key", "our own public key");
}

static void a_public_key_of_low_order_is_nobodys(void **state)
{
	(void)state;
	static const uint8_t order_8[WG_KEY_LEN] = {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae,
						    0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
						    0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
						    0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
	memset(r->public_key, 0, sizeof(r->public_key));
	refused(VPN_EINVAL, "/peers/0/public_key", "low order");
	r->public_key[0] = 1;
	refused(VPN_EINVAL, "/peers/0/public_key", "low order");
	memcpy(r->public_key, order_8, sizeof(order_8));
	refused(VPN_EINVAL, "/peers/0/public_key", "low order");
}

static void two_peers_have_two_keys(void **state)
{
	(void)state;
	struct ref *third = world_peer(&w, NULL, "10.0.3.0/24");
	memcpy(third->public_key, r->public_key, sizeof(r->public_key));
	refused(VPN_EINVAL, "/peers/2/public_key", "peer 0 has this public key");
}

static void two_peers_have_different_networks(void **state)
{
	(void)state;
	world_prefix(other, "10.0.1.0/25"); /* more specific: that is all right */
	world_prefix(other, "fd00::/64");
	world_prefix(r, "fd00::/48");
	world_prefix(r, "fd00::/64");
	refused(VPN_EINVAL, "/peers/1/allowed_ips/2", "fd00::/64 is peer 0's");
}

static void overlapping_networks_are_no_error(void **state)
{
	(void)state;
	world_prefix(r, "0.0.0.0/0");
	world_prefix(other, "10.0.1.0/25");
	world_start(&w);
}

static void a_peer_names_a_network_once(void **state)
{
	(void)state;
	world_prefix(r, "10.5.0.0/16");
	world_prefix(r, "10.0.1.0/24");
	refused(VPN_EINVAL, "/peers/0/allowed_ips/2", "10.0.1.0/24");
}

static void a_preshared_key_of_zeros_is_none(void **state)
{
	(void)state;
	world_psk(other, 0);
	refused(VPN_EINVAL, "/peers/1/preshared_key", "zeros");
}

static void an_endpoint_has_a_host_and_a_port(void **state)
{
	(void)state;
	w.peer_options[1].endpoint.port = 0;
	refused(VPN_EINVAL, "/peers/1/endpoint", "port");
	w.peer_options[1].endpoint = (struct vpn_hostport){.host = "*", .port = 5};
	refused(VPN_EINVAL, "/peers/1/endpoint", "name or an address");
	w.peer_options[1].endpoint = (struct vpn_hostport){.host = "", .port = 5};
	refused(VPN_EINVAL, "/peers/1/endpoint", "name or an address");
}

static void an_engine_that_is_not_built_in_is_refused(void **state)
{
	(void)state;
	for (uint32_t i = WG_AEAD_AUTO; i <= WG_AEAD_IPSEC_MB; i++) {
		const char *why = NULL;
		w.options.aead = i;
		if (wg_aead_choose(i, &why) == NULL) {
			refused(VPN_ENOTSUP, "/aead", why);
			continue;
		}
		assert_non_null(world_add(&w, NULL));
	}
}

/* Whichever engine: the bytes are those of the reference peer. */
static void all_engines_understand_the_reference_peer(void **state)
{
	(void)state;
	const struct wg_aead_engine *const *engines = wg_aead_engines();
	for (uint32_t i = 0; engines[i] != NULL; i++) {
		struct bytes plain;
		if (!engines[i]->usable())
			continue;
		world_end(&w);
		(void)set_up(state);
		w.options.aead = strcmp(engines[i]->name, "libsodium") == 0 ? WG_AEAD_LIBSODIUM
				 : strcmp(engines[i]->name, "openssl") == 0 ? WG_AEAD_OPENSSL
									    : WG_AEAD_IPSEC_MB;
		world_start(&w);
		assert_true(testhost_logged(w.host, VPN_LOG_INFO, engines[i]->name));
		world_join(&w, r);
		world_send_to(&w, r, 1000, 7);
		world_hear(&w, r, &plain);
		world_say(&w, r, r->inside, w.inside, 1000, 8);
		assert_int_equal(testhost_waiting(w.stage, 0, VPN_UP), 1);
	}
}

static void option_names_where_the_host_finds_them(void **state)
{
	(void)state;
	const struct vpn_option_table *t = world_component()->lifecycle->options;
	assert_int_equal(t->config_size, sizeof(struct wg_options));
	for (uint32_t i = 0; i < t->n_options; i++) {
		assert_non_null(t->options[i].doc);
		if (strcmp(t->options[i].name, "private_key") == 0)
			assert_true((t->options[i].flags & VPN_OPT_SECRET) != 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_what_is_right),
		TEST(takes_no_peers_at_all),
		TEST(a_peer_may_have_no_endpoint_and_no_networks),
		TEST(needs_a_private_key),
		TEST(a_private_key_of_zeros_is_none),
		TEST(a_peer_is_not_ourselves),
		TEST(a_public_key_of_low_order_is_nobodys),
		TEST(two_peers_have_two_keys),
		TEST(two_peers_have_different_networks),
		TEST(overlapping_networks_are_no_error),
		TEST(a_peer_names_a_network_once),
		TEST(a_preshared_key_of_zeros_is_none),
		TEST(an_endpoint_has_a_host_and_a_port),
		TEST(an_engine_that_is_not_built_in_is_refused),
		TEST(all_engines_understand_the_reference_peer),
		TEST(option_names_where_the_host_finds_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
