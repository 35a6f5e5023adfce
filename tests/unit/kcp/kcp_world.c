/* SPDX-License-Identifier: BSD-2-Clause */
#include "kcp_world.h"

#include <string.h>

extern const struct vpn_plugin vpncore_plugin_v1;

const struct vpn_component *world_component(void)
{
	return vpncore_plugin_v1.components[0];
}

/* ---- life ---- */

static vpn_status no_remote(void *inst, struct vpn_socket_info *out)
{
	(void)inst;
	out->flags = 0;
	return VPN_OK;
}

static const struct vpn_socket_ext listening = {.size = sizeof(listening), .info = no_remote};

void world_listen(struct world *w, uint32_t i, uint32_t accept)
{
	w->options[i].accept = accept;
	testhost_serve(w->host, VPN_EXT_SOCKET, &listening, NULL);
}

void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	TESTHOST_USE_CMOCKA();
	w->host = testhost_new(1);
	assert_non_null(w->host);
	for (uint32_t i = 0; i < 2; i++) {
		w->options[i] = (struct kcp_options){
			.nodelay = -1,
			.resend = -1,
			.nc = -1,
			.snd_wnd = 256,
			.rcv_wnd = 256,
			.memory = 8u << 20,
			.idle = 300 * WORLD_SECOND,
			.dead_after = 20 * WORLD_SECOND,
			.reliability = KCP_RELIABLE,
			.mode = KCP_MODE_FAST3,
			.ack_no_delay = 1,
		};
		w->setup[i].config = &w->options[i];
		w->setup[i].name = i == 0 ? "kcp.a" : "kcp.b";
	}
}

struct testhost_stage *world_add(struct world *w, uint32_t i, struct vpn_error *err)
{
	w->stage[i] = testhost_add(w->host, world_component(), &w->setup[i], err);
	if (w->stage[i] != NULL)
		w->k[i] = testhost_instance(w->stage[i]);
	return w->stage[i];
}

void world_start(struct world *w, uint32_t i)
{
	struct vpn_error err;
	if (world_add(w, i, &err) == NULL)
		fail_msg("%s: %s", err.where, err.text);
	assert_int_equal(testhost_start(w->stage[i], NULL), VPN_OK);
}

void world_join(struct world *w, uint64_t delay_ns)
{
	struct testhost_wire_setup setup = {.delay_ns = delay_ns};
	w->wire = testhost_join(w->stage[0], w->stage[1], &setup);
	assert_non_null(w->wire);
}

void world_end(struct world *w)
{
	w->host = testhost_free(w->host);
}

/* ---- messages ---- */

static void fill(uint8_t *at, uint32_t number, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		at[i] = (uint8_t)(i < 4 ? number >> (8 * i) : number * 7 + i * 13);
}

bool world_send_to(struct world *w, uint32_t i, const struct vpn_endpoint *to, uint32_t number,
		   uint32_t len)
{
	uint8_t bytes[65536];
	fill(bytes, number, len);
	struct vpn_packet *p = testhost_packet(w->stage[i], 0, VPN_DOWN, bytes, len);
	if (to != NULL)
		testhost_packet_from(w->stage[i], p, to);
	if (testhost_offer(w->stage[i], 0, VPN_DOWN, &p, 1) == 1)
		return true;
	testhost_drop(w->stage[i], p);
	return false;
}

bool world_send(struct world *w, uint32_t i, uint32_t number, uint32_t len)
{
	return world_send_to(w, i, NULL, number, len);
}

void world_expect(struct world *w, uint32_t i, uint32_t number, uint32_t len)
{
	uint8_t bytes[65536];
	const struct testhost_record *r = testhost_next(w->stage[i], 0, VPN_UP);
	assert_non_null(r);
	fill(bytes, number, len);
	TESTHOST_SAME_BYTES(r->data, r->len, bytes, len);
}

void world_say(struct world *w, uint32_t i, const struct vpn_endpoint *from,
	       const struct kcp_segment *s, uint32_t number)
{
	uint8_t bytes[2048];
	kcp_segment_write(bytes, s);
	fill(bytes + KCP_SEGMENT_BYTES, number, s->len);
	assert_true(testhost_recv(w->stage[i], 0, bytes, KCP_SEGMENT_BYTES + s->len, from));
}

bool world_heard(struct world *w, uint32_t i, struct kcp_segment *out, struct vpn_endpoint *ret_to)
{
	const struct testhost_record *r = testhost_next(w->stage[i], 0, VPN_DOWN);
	if (r == NULL)
		return false;
	assert_int_equal(kcp_segment_read(r->data, r->len, out), KCP_SEGMENT_OK);
	if (ret_to != NULL)
		*ret_to = r->has_endpoint ? r->endpoint : (struct vpn_endpoint){0};
	return true;
}

/* ---- counters ---- */

static const struct vpn_counter *row(enum kcp_count what)
{
	return &world_component()->lifecycle->counters[what];
}

uint64_t world_count(const struct world *w, uint32_t i, enum kcp_count what)
{
	return testhost_counter(w->stage[i], row(what)->name);
}

void world_mark(struct world *w)
{
	for (uint32_t i = 0; i < 2; i++)
		for (uint32_t c = 0; c < KCP_N_COUNTS && w->stage[i] != NULL; c++)
			w->before[i][c] = world_count(w, i, (enum kcp_count)c);
}

uint64_t world_grown(const struct world *w, uint32_t i, enum kcp_count what)
{
	return world_count(w, i, what) - w->before[i][what];
}

void world_only_drop(const struct world *w, uint32_t i, enum kcp_count what, uint64_t n)
{
	for (uint32_t c = 0; c < KCP_N_COUNTS; c++) {
		if ((row((enum kcp_count)c)->flags & VPN_COUNTER_DROP) == 0)
			continue;
		uint64_t grown = world_grown(w, i, (enum kcp_count)c);
		if (grown != (c == what ? n : 0))
			fail_msg("%s has grown by %llu", row((enum kcp_count)c)->name,
				 (unsigned long long)grown);
	}
}
