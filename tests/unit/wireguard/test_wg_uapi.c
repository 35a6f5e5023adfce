/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration protocol: what "set" does with the device and its peers. */
#include "uapi_talk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void expect_key(const uint8_t key[WG_KEY_LEN], uint8_t byte)
{
	for (unsigned int i = 0; i < WG_KEY_LEN; i++)
		assert_int_equal(key[i], byte);
}

/* ---- the device ---- */

static void sets_every_key_of_the_device(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_expect_set(&t, "private_key=" KEY("11") "\nlisten_port=51820\nfwmark=4294967295\n", 0);
	assert_true(t.wg.device.has_private_key);
	expect_key(t.wg.device.private_key, 0x11);
	assert_int_equal(t.wg.device.port, 51820);
	assert_true(t.wg.device.fwmark == UINT32_MAX);
	talk_expect_set(&t, "private_key=" KEY("00") "\nlisten_port=0\nfwmark=0\n", 0);
	assert_false(t.wg.device.has_private_key);
	assert_int_equal(t.wg.device.port, 0);
	assert_int_equal(t.wg.ports, 2);
	assert_int_equal(t.wg.fwmarks, 2);
	talk_end(&t);
}

static void replaces_peers(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_expect_set(&t, A B, 0);
	talk_expect_set(&t, "replace_peers=true\npublic_key=" KEY("cc") "\n", 0);
	assert_int_equal(fake_count_peers(&t.wg), 1);
	assert_non_null(fake_peer(&t.wg, 0xcc));
	talk_end(&t);
}

static void answers_a_bad_value_with_einval_and_changes_nothing(void **state)
{
	static const char *const lines[] = {
		"private_key=\n",
		"private_key=00\n",
		"private_key=" KEY("11") "1\n",
		"private_key=" KEY("1g") "\n",
		"private_key= " KEY("11") "\n",
		"listen_port=\n",
		"listen_port=65536\n",
		"listen_port=-1\n",
		"listen_port=+1\n",
		"listen_port= 1\n",
		"listen_port=1 \n",
		"listen_port=1\r\n",
		"listen_port=x\n",
		"fwmark=4294967296\n",
		"fwmark=0x10\n",
		"fwmark=off\n",
		"fwmark=\n",
		"replace_peers=false\n",
		"replace_peers=True\n",
		"replace_peers=1\n",
		"replace_peers=\n",
		"replace_peers=true=\n",
		"public_key=\n",
		"public_key=" KEY("aa") "a\n",
		"unknown=1\n",
		"=\n",
		"=1\n",
		"errno=0\n",
		"private_key =" KEY("11") "\n",
		"Private_key=" KEY("11") "\n",
		/* keys of a peer before there is one */
		"remove=true\n",
		"update_only=true\n",
		"preshared_key=" KEY("11") "\n",
		"endpoint=192.0.2.1:1\n",
		"persistent_keepalive_interval=1\n",
		"replace_allowed_ips=true\n",
		"allowed_ip=10.0.0.0/8\n",
		"protocol_version=1\n",
		/* one operation within another */
		"set=1\n",
		"get=1\n",
	};
	struct talk t;
	(void)state;
	talk_begin(&t);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		talk_expect_set(&t, lines[i], -EINVAL);
	assert_int_equal(t.wg.private_keys + t.wg.ports + t.wg.fwmarks + t.wg.creations, 0);
	assert_false(t.closed);
	talk_end(&t);
}

static void answers_a_line_without_a_value_with_eproto(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_expect_set(&t, "listen_port\n", -EPROTO);
	talk_expect_set(&t, A "true\n", -EPROTO);
	talk_expect_set(&t, " \n", -EPROTO);
	talk_expect_set(&t, "\r\n", -EPROTO);
	talk_end(&t);
}

static void answers_what_the_socket_below_says(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	t.wg.port_error = EADDRINUSE;
	talk_expect_set(&t, "listen_port=7\n", -EADDRINUSE);
	t.wg.fwmark_error = EACCES;
	talk_expect_set(&t, "fwmark=7\n", -EACCES);
	talk_end(&t);
}

/* ---- peers ---- */

static void sets_every_key_of_a_peer(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_expect_set(
		&t,
		A "protocol_version=1\npreshared_key=" KEY(
			"22") "\n"
			      "endpoint=[2001:db8::1]:7\npersistent_keepalive_interval=65535\n"
			      "replace_allowed_ips=true\nallowed_ip=10.1.2.3/"
			      "8\nallowed_ip=fd00::/64\n",
		0);
	const struct wg_peer *p = fake_peer(&t.wg, 0xaa);
	assert_non_null(p);
	expect_key(p->view.psk, 0x22);
	assert_int_equal(p->view.endpoint.port, 7);
	assert_int_equal(p->view.endpoint.family, VPN_AF_INET6);
	assert_int_equal(p->view.keepalive, 65535);
	assert_int_equal(fake_count_allowed(p), 2);
	assert_int_equal(p->allowed->prefix.addr[1], 0); /* host bits are cleared */
	assert_int_equal(p->done, 1);
	talk_end(&t);
}

static void a_block_changes_what_it_names_and_nothing_else(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_expect_set(&t, A "preshared_key=" KEY("22") "\nallowed_ip=10.0.0.0/8\n" B, 0);
	talk_expect_set(&t, A "persistent_keepalive_interval=5\n", 0);
	const struct wg_peer *a = fake_peer(&t.wg, 0xaa), *b = fake_peer(&t.wg, 0xbb);
	assert_int_equal(a->psks, 1);
	assert_int_equal(fake_count_allowed(a), 1);
	assert_int_equal(a->done, 2);
	assert_int_equal(b->done, 1);
	talk_expect_set(&t, A "preshared_key=" KEY("00") "\npersistent_keepalive_interval=0\n", 0);
	expect_key(a->view.psk, 0);
	assert_int_equal(a->view.keepalive, 0);
	talk_end(&t);
}

static void adds_moves_removes_and_replaces_allowed_addresses(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_expect_set(&t, A "allowed_ip=10.0.0.0/8\nallowed_ip=::/0\n" B "allowed_ip=0.0.0.0/0\n",
			0);
	const struct wg_peer *a = fake_peer(&t.wg, 0xaa), *b = fake_peer(&t.wg, 0xbb);
	talk_expect_set(&t, B "allowed_ip=10.0.0.0/8\n", 0);
	assert_int_equal(fake_count_allowed(a), 1);
	assert_int_equal(fake_count_allowed(b), 2);
	talk_expect_set(&t, A "allowed_ip=-0.0.0.0/0\n",
			0); /* not that peer's: the fake drops none */
	assert_int_equal(fake_count_allowed(b), 2);
	talk_expect_set(&t, B "allowed_ip=-0.0.0.0/0\n", 0);
	assert_int_equal(fake_count_allowed(b), 1);
	talk_expect_set(&t, B "replace_allowed_ips=true\nallowed_ip=192.0.2.1/32\n", 0);
	assert_int_equal(fake_count_allowed(b), 1);
	assert_int_equal(b->allowed->prefix.length, 32);
	talk_end(&t);
}

static void a_block_that_breaks_off_is_settled(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_expect_set(&t, A "replace_allowed_ips=true\nallowed_ip=10.0.0.0/8\nallowed_ip=x\n",
			-EINVAL);
	assert_int_equal(t.wg.settles, 1);
	talk_say(&t, "set=1\n" A "replace_allowed_ips=true\n");
	assert_int_equal(t.wg.settles, 1);
	wg_uapi_session_end(t.session);
	assert_int_equal(t.wg.settles, 2);
	talk_end(&t);
}

static void answers_a_bad_value_of_a_peer_with_einval(void **state)
{
	static const char *const lines[] = {
		"remove=false\n",
		"remove=\n",
		"update_only=yes\n",
		"preshared_key=" KEY("2") "\n",
		"preshared_key=\n",
		"endpoint=\n",
		"endpoint=192.0.2.1\n",
		"endpoint=vpn.example.org:51820\n",
		"endpoint=192.0.2.1:0\n",
		"persistent_keepalive_interval=65536\n",
		"persistent_keepalive_interval=-1\n",
		"persistent_keepalive_interval=off\n",
		"replace_allowed_ips=false\n",
		"allowed_ip=\n",
		"allowed_ip=-\n",
		"allowed_ip=10.0.0.1\n",
		"allowed_ip=10.0.0.0/33\n",
		"allowed_ip=--10.0.0.0/8\n",
		"allowed_ip=+10.0.0.0/8\n",
		"allowed_ip=10.0.0.0/8,10.0.0.0/9\n",
		"allowed_ip=::/129\n",
		"protocol_version=2\n",
		"protocol_version=01\n",
		"protocol_version=\n",
		"public_key=" KEY("zz") "\n",
		"unknown=1\n",
		"last_handshake_time_sec=0\n",
		"rx_bytes=0\n",
		/* keys of the device after a peer's block has begun */
		"private_key=" KEY("11") "\n",
		"listen_port=1\n",
		"fwmark=1\n",
		"replace_peers=true\n",
	};
	struct talk t;
	(void)state;
	talk_begin(&t);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[512];
		snprintf(text, sizeof(text), "%s%s", A, lines[i]);
		talk_expect_set(&t, text, -EINVAL);
		talk_expect_set(&t, "replace_peers=true\n", 0);
	}
	assert_int_equal(t.wg.ports + t.wg.fwmarks + t.wg.private_keys, 0);
	talk_end(&t);
}

static void removes_a_peer_and_ignores_the_rest_of_its_block(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_expect_set(&t, A B, 0);
	talk_expect_set(&t, A "remove=true\nallowed_ip=10.0.0.0/8\nremove=true\n", 0);
	assert_null(fake_peer(&t.wg, 0xaa));
	assert_int_equal(t.wg.removals, 1);
	talk_expect_set(&t, A "remove=true\nallowed_ip=10.0.0.0/99\n", -EINVAL);
	assert_int_equal(t.wg.creations, 2); /* none was made to be removed */
	talk_expect_set(&t, A "allowed_ip=10.0.0.0/8\nremove=true\n" A, 0);
	assert_int_equal(fake_count_allowed(fake_peer(&t.wg, 0xaa)), 0);
	talk_end(&t);
}

static void update_only_makes_no_peer(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_expect_set(
		&t, A "update_only=true\npersistent_keepalive_interval=5\nallowed_ip=::/0\n", 0);
	assert_int_equal(t.wg.creations, 0);
	talk_expect_set(&t, A "update_only=true\nallowed_ip=::/129\n", -EINVAL);
	talk_expect_set(&t, A "persistent_keepalive_interval=5\nupdate_only=true\n", 0);
	assert_int_equal(fake_count_peers(&t.wg), 0); /* late, but meant just so */
	talk_expect_set(&t, B, 0);
	talk_expect_set(&t, B "update_only=true\npersistent_keepalive_interval=5\n", 0);
	assert_int_equal(fake_peer(&t.wg, 0xbb)->view.keepalive, 5);
	assert_int_equal(fake_peer(&t.wg, 0xbb)->done, 2);
	talk_expect_set(&t, B "persistent_keepalive_interval=6\nupdate_only=true\n", 0);
	assert_int_equal(fake_peer(&t.wg, 0xbb)->view.keepalive, 6);
	talk_end(&t);
}

static void our_own_key_is_a_peer_that_is_silently_ignored(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	memset(t.wg.own_key, 0xaa, WG_KEY_LEN);
	talk_expect_set(&t, A "endpoint=192.0.2.1:1\nallowed_ip=10.0.0.0/8\nremove=true\n" B, 0);
	assert_int_equal(fake_count_peers(&t.wg), 1);
	assert_non_null(fake_peer(&t.wg, 0xbb));
	talk_expect_set(&t, A "endpoint=x\n", -EINVAL);
	talk_end(&t);
}

static void lack_of_memory_is_said(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	t.wg.peer_error = ENOMEM;
	talk_expect_set(&t, A, -ENOMEM);
	talk_expect_set(&t, A B, -ENOMEM);
	talk_expect_set(&t, A "allowed_ip=10.0.0.0/8\n", -ENOMEM);
	t.wg.peer_error = 0;
	t.wg.allowed_error = ENOMEM;
	talk_expect_set(&t, A "allowed_ip=10.0.0.0/8\n", -ENOMEM);
	assert_false(t.closed);
	talk_end(&t);
}

static void a_peer_that_somebody_else_removes_meanwhile_stays_removed(void **state)
{
	struct talk t;
	(void)state;
	talk_begin(&t);
	talk_say(&t, "set=1\n" A "persistent_keepalive_interval=5\n");
	wg_config_lock(&t.wg);
	wg_config_remove_all_peers(&t.wg);
	wg_config_unlock(&t.wg);
	talk_say(&t, "allowed_ip=10.0.0.0/8\nallowed_ip=::/0\n\n");
	assert_string_equal(t.answer, "errno=0\n\n");
	assert_int_equal(fake_count_peers(&t.wg), 0);
	talk_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_every_key_of_the_device),
		cmocka_unit_test(replaces_peers),
		cmocka_unit_test(answers_a_bad_value_with_einval_and_changes_nothing),
		cmocka_unit_test(answers_a_line_without_a_value_with_eproto),
		cmocka_unit_test(answers_what_the_socket_below_says),
		cmocka_unit_test(sets_every_key_of_a_peer),
		cmocka_unit_test(a_block_changes_what_it_names_and_nothing_else),
		cmocka_unit_test(adds_moves_removes_and_replaces_allowed_addresses),
		cmocka_unit_test(a_block_that_breaks_off_is_settled),
		cmocka_unit_test(answers_a_bad_value_of_a_peer_with_einval),
		cmocka_unit_test(removes_a_peer_and_ignores_the_rest_of_its_block),
		cmocka_unit_test(update_only_makes_no_peer),
		cmocka_unit_test(our_own_key_is_a_peer_that_is_silently_ignored),
		cmocka_unit_test(lack_of_memory_is_said),
		cmocka_unit_test(a_peer_that_somebody_else_removes_meanwhile_stays_removed),
	};
	return cmocka_run_group_tests_name("wireguard uapi", tests, NULL, NULL);
}
