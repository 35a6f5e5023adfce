/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_wg_messages: what strangers, peers and the device may give the WireGuard transport. An input is a
 * row of steps: a byte that says what, two bytes of length (big-endian), and so many bytes. The test
 * host watches all rules of the plugin interface meanwhile.
 */
#include <stdlib.h>

#include "inner.h"
#include "wg_world.h"

#define STEPS_MAX 64u

enum step {
	STEP_RAW,       /* a message, as it is */
	STEP_SIGNED,    /* a handshake message, its MACs made right */
	STEP_SEALED,    /* what is inside of data of a peer */
	STEP_NUMBERED,  /* data for a session that exists, not sealed */
	STEP_DEVICE,    /* a packet from the device */
	STEP_TIME,      /* time passes: the bytes say how much */
	STEP_HANDSHAKE, /* the peer begins a session; a byte may turn one bit */
	STEP_ANSWER,    /* the peer answers what waits below; likewise */
	STEP_FULL,      /* below or above takes so many packets and no more; packets run out */
	STEPS
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Whatever goes up is a whole packet of an address that is a peer's, or an error of our own. */
static void check_up(struct world *w)
{
	static const uint8_t net4[3] = {10, 0, 1}, net6[8] = {0xfd, 0, 0, 1};
	const struct testhost_record *r;
	while ((r = testhost_next(w->stage, 0, VPN_UP)) != NULL) {
		struct wg_inner in;
		check(wg_inner_parse(r->data, r->len, &in) && in.len == r->len);
		if ((r->flags & VPN_PACKET_VERIFIED) == 0)
			check(in.protocol == 1 || in.protocol == 58);
		else if (in.family == VPN_AF_INET)
			check(memcmp(in.src, net4, sizeof(net4)) == 0);
		else
			check(memcmp(in.src, net6, sizeof(net6)) == 0);
	}
}

/* Copies a step's bytes; a byte behind `len` of a message that we make says which bit to turn. */
static void turn_bit(struct bytes *msg, const struct bytes *how)
{
	if (how->len >= 2 && msg->len != 0)
		msg->data[(uint32_t)(how->data[0] << 8 | how->data[1]) % msg->len] ^= 0x20;
}

static void receive(struct world *w, const struct ref *r, const struct bytes *msg)
{
	(void)testhost_recv(w->stage, 0, msg->data, msg->len, &r->at);
}

static void handshake(struct world *w, struct ref *r, const struct bytes *how)
{
	struct bytes msg;
	ref_initiation(r, &msg);
	turn_bit(&msg, how);
	if (how->len > 2)
		ref_sign(r, &msg);
	receive(w, r, &msg);
}

static void answer(struct world *w, struct ref *r, const struct bytes *how)
{
	const struct testhost_record *sent = testhost_next(w->stage, 0, VPN_DOWN);
	struct bytes msg;
	if (sent == NULL)
		return;
	memcpy(msg.data, sent->data, sent->len);
	msg.len = sent->len;
	switch (msg.data[0]) {
	case WG_TYPE_INITIATION:
		if (how->len % 3 == 0)
			ref_cookie(r, &msg, &msg);
		else
			ref_response(r, &msg, &msg);
		turn_bit(&msg, how);
		if (how->len > 3 && msg.data[0] == WG_TYPE_RESPONSE)
			ref_sign(r, &msg);
		break;
	case WG_TYPE_RESPONSE:
		if (ref_consume(r, &msg))
			ref_data(r, "", 0, &msg);
		break;
	default: /* what we sent comes back */
		break;
	}
	receive(w, r, &msg);
}

static void numbered(struct world *w, struct ref *r, struct bytes *msg)
{
	if (msg->len < WG_DATA_HEADER)
		return;
	wg_store_le32(msg->data, WG_TYPE_DATA);
	wg_store_le32(msg->data + 4, r->session.keys.remote_index);
	receive(w, r, msg);
}

static void pass_time(struct world *w, const struct bytes *how)
{
	uint64_t ns = 0;
	for (uint32_t i = 0; i < how->len && i < 5; i++)
		ns = ns << 8 | how->data[i];
	world_advance(w, ns % (600 * WG_SECOND));
}

static void fill_up(struct world *w, const struct bytes *how)
{
	if (how->len < 3)
		return;
	uint32_t room = how->data[0] == 0xff ? UINT32_MAX : how->data[0];
	testhost_limit(w->stage, 0, how->data[1] & 1, room);
	testhost_fail_alloc(w->host, how->data[2] & 0x1f, (how->data[2] & 0x80) != 0);
	if (room != 0)
		(void)testhost_writable(w->stage, 0, how->data[1] & 1);
}

static void take_step(struct world *w, struct ref *r, enum step step, struct bytes *b)
{
	struct bytes msg;
	switch (step) {
	case STEP_SIGNED:
		if (b->len > 2u * WG_MAC_LEN)
			ref_sign(r, b);
		receive(w, r, b);
		break;
	case STEP_SEALED:
		if (b->len > WORLD_BYTES - WG_DATA_OVERHEAD)
			break;
		ref_data(r, b->data, b->len, &msg);
		receive(w, r, &msg);
		break;
	case STEP_NUMBERED:
		numbered(w, r, b);
		break;
	case STEP_DEVICE:
		(void)testhost_send(w->stage, 0, b->data, b->len);
		break;
	case STEP_TIME:
		pass_time(w, b);
		break;
	case STEP_HANDSHAKE:
		handshake(w, r, b);
		break;
	case STEP_ANSWER:
		answer(w, r, b);
		break;
	case STEP_FULL:
		fill_up(w, b);
		break;
	default:
		receive(w, r, b);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	world_init(&w);
	testhost_on_report(NULL, NULL); /* abort() */
	w.setup.log_level = VPN_LOG_ERROR;
	struct ref *r = world_peer(&w, "192.0.2.1:51820", "10.0.1.0/24");
	world_prefix(r, "fd00:1::/64");
	w.options.aead = WG_AEAD_LIBSODIUM;
	world_start(&w);
	world_join(&w, r);
	for (uint32_t i = 0; i < STEPS_MAX && size >= 3; i++) {
		struct bytes b = {.len = (uint32_t)(data[1] << 8 | data[2])};
		enum step step = (enum step)(data[0] % STEPS);
		data += 3;
		size -= 3;
		if (b.len > size)
			b.len = (uint32_t)size;
		if (b.len > WORLD_BYTES)
			b.len = WORLD_BYTES;
		memcpy(b.data, data, b.len);
		data += b.len;
		size -= b.len;
		take_step(&w, r, step, &b);
		testhost_run(w.host);
		check_up(&w);
	}
	world_end(&w);
	return 0;
}
