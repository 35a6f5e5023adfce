/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_kcp_input: what strangers, peers and the device may give the KCP transport: engines, sessions, FEC
 * and crypt. The first two bytes of an input choose the options; the rest is a row of steps: a byte that
 * says what, two bytes of length (big-endian), and so many bytes. The test host watches all rules of the
 * plugin interface meanwhile; besides, memory for what waits stays within its bound.
 */
#include <stdlib.h>
#include <string.h>
#include <vpncore/testhost.h>

#include "arq.h"
#include "kcp.h"

#define STEPS_MAX   64u
#define BYTES       2048u
#define CONV        0x11223344u
#define LARGEST     1280u
#define ROOM        64u /* for crypt headers around a packet */
#define MOST_MEMORY (1u << 20)

enum step {
	STEP_RAW,     /* a packet, as it is */
	STEP_SEALED,  /* the same behind a right crypt header */
	STEP_SEGMENT, /* sealed, and begins with the right conversation: bytes 0..3 are replaced */
	STEP_FEC,     /* sealed, in a FEC header: byte 0 says which type, the next two the seqid */
	STEP_OWN,     /* sealed, for the own wire: bytes 4..7 are the number of the session */
	STEP_HELLO,   /* a handshake of the own wire; with the last cookie if byte 0 is odd */
	STEP_REFLECT, /* what was sent last comes back, one bit turned if there are two bytes */
	STEP_DEVICE,  /* a packet from the device */
	STEP_TIME,    /* time passes */
	STEP_FULL,    /* below or above takes so many packets; packets run out */
	STEPS
};

struct bytes {
	uint8_t data[BYTES];
	uint32_t len;
};

struct fuzz {
	struct testhost *host;
	struct testhost_stage *stage;
	struct kcp_options options;
	struct kcp_fec_options fec;
	struct kcp_crypt *crypt;
	struct vpn_endpoint at[2];
	uint8_t key[KCP_KEY_LEN];
	uint8_t cookie[KCP_FRAME_COOKIE_LEN];
	uint32_t number;   /* of the session that the component has with us */
	struct bytes last; /* that it sent */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct vpn_plugin vpncore_plugin_v1;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static vpn_status no_remote(void *inst, struct vpn_socket_info *out)
{
	(void)inst;
	out->flags = 0;
	return VPN_OK;
}

static const struct vpn_socket_ext listening = {.size = sizeof(listening), .info = no_remote};

static void choose(struct fuzz *f, uint8_t a, uint8_t b)
{
	struct kcp_options *o = &f->options;
	*o = (struct kcp_options){
		.nodelay = -1,
		.resend = -1,
		.nc = -1,
		.snd_wnd = 32,
		.rcv_wnd = 32,
		.memory = MOST_MEMORY,
		.idle = UINT64_C(60000000000),
		.dead_after = UINT64_C(20000000000),
		.queue = (a & 0x80) != 0 ? 10000000 : 0,
		.reliability = a % 3,
		.mode = KCP_MODE_FAST3,
		.congestion = (a >> 2) & 3,
		.ack_no_delay = (a >> 4) & 1,
		.accept = (a & 0x20) != 0 ? 2 : 0,
		.crypt = b % KCP_CRYPT_KINDS,
	};
	if (o->reliability == KCP_RELIABLE) {
		o->conv = CONV;
		o->stream = (b >> 4) & 1;
		f->fec = (struct kcp_fec_options){.data = 1 + (b >> 6), .parity = 2};
		o->fec = (b & 0x20) != 0 ? &f->fec : NULL;
	}
	if (kcp_crypt_info((enum kcp_crypt_kind)o->crypt)->key_len != 0)
		o->key = (struct vpn_bytes){.data = f->key, .len = sizeof(f->key)};
}

static bool start(struct fuzz *f, uint8_t a, uint8_t b)
{
	struct testhost_setup setup = {
		.config = &f->options, .mtu_above = LARGEST, .log_level = VPN_LOG_ERROR};
	const char *why;
	memset(f, 0, sizeof(*f));
	choose(f, a, b);
	testhost_on_report(NULL, NULL); /* abort() */
	f->host = testhost_new(1);
	check(f->host != NULL);
	f->at[0] = testhost_endpoint("192.0.2.1:1000");
	f->at[1] = testhost_endpoint("192.0.2.2:1000");
	if (f->options.accept != 0)
		testhost_serve(f->host, VPN_EXT_SOCKET, &listening, NULL);
	f->crypt = kcp_crypt_create((enum kcp_crypt_kind)f->options.crypt, f->key, &why);
	f->stage = testhost_add(f->host, vpncore_plugin_v1.components[0], &setup, NULL);
	return f->stage != NULL && testhost_start(f->stage, NULL) == VPN_OK;
}

/* ---- what arrives ---- */

static void receive(struct fuzz *f, const uint8_t *data, uint32_t len)
{
	uint32_t from = len != 0 ? data[len - 1] & 1 : 0;
	(void)testhost_recv(f->stage, 0, data, len, &f->at[from]);
}

static void receive_sealed(struct fuzz *f, const struct bytes *b)
{
	uint8_t room[BYTES + 2 * ROOM];
	struct kcp_crypt_job job = {.data = room + ROOM, .len = b->len};
	memcpy(job.data, b->data, b->len);
	if (f->crypt != NULL && b->len != 0)
		kcp_crypt_seal(f->crypt, &job, 1);
	receive(f, job.data, job.len);
}

static void receive_fec(struct fuzz *f, const struct bytes *b)
{
	static const enum kcp_fec_type types[] = {KCP_FEC_DATA, KCP_FEC_PARITY, KCP_FEC_OOB,
						  KCP_FEC_NOT};
	struct bytes packet = {.len = KCP_FEC_HEADER};
	if (b->len < 3)
		return;
	uint32_t len = b->len - 3;
	if (len > BYTES - KCP_FEC_HEADER)
		len = BYTES - KCP_FEC_HEADER;
	kcp_fec_store(packet.data, (uint32_t)(b->data[1] << 8 | b->data[2]), types[b->data[0] & 3],
		      len);
	memcpy(packet.data + packet.len, b->data + 3, len);
	packet.len += len;
	receive_sealed(f, &packet);
}

static void hello(struct fuzz *f, const struct bytes *b)
{
	struct bytes packet = {.len = KCP_FRAME_HELLO_LEN};
	struct kcp_frame_hello h = {
		.kind = KCP_FRAME_HELLO,
		.version = KCP_FRAME_VERSION,
		.mode = (uint8_t)f->options.reliability,
		.sender = UINT64_C(0x0102030405060708),
		.first_pn = 7,
		.window = 64,
		.budget_us = 100000,
		.message = LARGEST,
	};
	if (b->len > 0 && (b->data[0] & 1) != 0)
		memcpy(h.cookie, f->cookie, sizeof(h.cookie));
	if (b->len > 1)
		h.sender += b->data[1];
	if (b->len > 5)
		memcpy(&h.window, b->data + 2, sizeof(h.window));
	kcp_frame_write_hello(packet.data, &h);
	receive_sealed(f, &packet);
}

static void reflect(struct fuzz *f, const struct bytes *b)
{
	if (f->last.len == 0)
		return;
	if (b->len >= 2)
		f->last.data[(uint32_t)(b->data[0] << 8 | b->data[1]) % f->last.len] ^= 0x20;
	receive(f, f->last.data, f->last.len);
}

/* ---- what it does ---- */

static void learn(struct fuzz *f, const struct testhost_record *r)
{
	uint8_t bytes[BYTES];
	struct kcp_frame_hello h;
	uint32_t number;
	check(r->len <= BYTES);
	memcpy(f->last.data, r->data, r->len);
	f->last.len = r->len;
	memcpy(bytes, r->data, r->len);
	struct kcp_crypt_job job = {.data = bytes, .len = r->len};
	if (f->crypt != NULL)
		kcp_crypt_open(f->crypt, &job, 1);
	check(job.verdict == KCP_CRYPT_OK);
	uint8_t kind = kcp_frame_peek(job.data, job.len, &number);
	if (kind != KCP_FRAME_COOKIE && kind != KCP_FRAME_WELCOME && kind != KCP_FRAME_HELLO)
		return;
	if (!kcp_frame_parse_hello(job.data, &h))
		return;
	if (kind == KCP_FRAME_COOKIE)
		memcpy(f->cookie, h.cookie, sizeof(f->cookie));
	else
		f->number = (uint32_t)h.sender;
}

static void look(struct fuzz *f)
{
	const struct testhost_record *r;
	const struct kcp *k = testhost_instance(f->stage);
	while ((r = testhost_next(f->stage, 0, VPN_UP)) != NULL)
		check(r->len != 0 && r->len <= 65535);
	while ((r = testhost_next(f->stage, 0, VPN_DOWN)) != NULL)
		learn(f, r);
	check((uint64_t)k->cells.n_made * k->cells.size <= MOST_MEMORY + k->cells.size);
	check(k->sessions.count <= 3);
}

static void pass_time(struct fuzz *f, const struct bytes *b)
{
	uint64_t ns = 0;
	for (uint32_t i = 0; i < b->len && i < 5; i++)
		ns = ns << 8 | b->data[i];
	testhost_advance(f->host, ns % UINT64_C(60000000000));
}

static void fill_up(struct fuzz *f, const struct bytes *b)
{
	if (b->len < 3)
		return;
	uint32_t room = b->data[0] == 0xff ? UINT32_MAX : b->data[0];
	testhost_limit(f->stage, 0, b->data[1] & 1, room);
	testhost_fail_alloc(f->host, b->data[2] & 0x1f, (b->data[2] & 0x80) != 0);
	if (room != 0)
		(void)testhost_writable(f->stage, 0, b->data[1] & 1);
}

static void take_step(struct fuzz *f, enum step step, struct bytes *b)
{
	static const uint8_t conv[] = {0x44, 0x33, 0x22, 0x11};
	switch (step) {
	case STEP_RAW:
		receive(f, b->data, b->len);
		break;
	case STEP_SEGMENT:
		if (b->len >= sizeof(conv))
			memcpy(b->data, conv, sizeof(conv));
		receive_sealed(f, b);
		break;
	case STEP_FEC:
		receive_fec(f, b);
		break;
	case STEP_OWN:
		if (b->len >= 8)
			kcp_store_le32(b->data + 4, f->number);
		receive_sealed(f, b);
		break;
	case STEP_HELLO:
		hello(f, b);
		break;
	case STEP_REFLECT:
		reflect(f, b);
		break;
	case STEP_DEVICE:
		if (b->len <= LARGEST)
			(void)testhost_send(f->stage, 0, b->data, b->len);
		break;
	case STEP_TIME:
		pass_time(f, b);
		break;
	case STEP_FULL:
		fill_up(f, b);
		break;
	default:
		receive_sealed(f, b);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	static struct bytes b;
	if (size < 2)
		return 0;
	bool runs = start(&f, data[0], data[1]);
	data += 2;
	size -= 2;
	for (uint32_t i = 0; runs && i < STEPS_MAX && size >= 3; i++) {
		enum step step = (enum step)(data[0] % STEPS);
		b.len = (uint32_t)(data[1] << 8 | data[2]);
		data += 3;
		size -= 3;
		if (b.len > size)
			b.len = (uint32_t)size;
		if (b.len > BYTES - ROOM)
			b.len = BYTES - ROOM;
		memcpy(b.data, data, b.len);
		data += b.len;
		size -= b.len;
		take_step(&f, step, &b);
		testhost_run(f.host);
		look(&f);
	}
	testhost_free(f.host);
	kcp_crypt_destroy(f.crypt);
	return 0;
}
