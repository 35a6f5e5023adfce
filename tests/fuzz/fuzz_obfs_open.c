/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_obfs_open: what strangers and peers may send to the obfs transport, in every mode. The first byte of
 * an input chooses the setup; the rest is a row of steps: a byte that says what, two bytes of length
 * (big-endian), and so many bytes. The test host watches all rules of the plugin interface meanwhile.
 */
#include <stdlib.h>
#include <string.h>
#include <vpncore/testhost.h>

#include "awg_options.h"
#include "mimic_options.h"
#include "mode.h"
#include "veil_options.h"

#define STEPS_MAX 64u
#define BYTES     2048u
#define LARGEST   1420u
#define SENT_MOST 64u /* datagrams of the peer for one packet, junk included */

enum step {
	STEP_RAW,     /* a datagram, as it is */
	STEP_PEER,    /* what the peer makes of these bytes */
	STEP_MESSAGE, /* likewise, in the form of a message of WireGuard: byte 0 says which */
	STEP_CHANGED, /* likewise, with a bit turned (bytes 0 and 1 say which) or cut (byte 2) */
	STEP_AGAIN,   /* the peer's last datagram once more */
	STEP_REFLECT, /* our own last datagram */
	STEP_DEVICE,  /* a packet from above */
	STEP_TIME,    /* time passes */
	STEP_FULL,    /* above or below takes so many packets; packets run out */
	STEP_ANSWER,  /* our own last datagram reaches the peer */
	STEPS
};

static const uint8_t key[32] = {1, 2, 3};

#define KEY \
	{ \
		.data = key, .len = sizeof(key) \
	}

static const struct veil_options whole = {.cover = VEIL_COVER_WHOLE,
					  .window = UINT64_C(60000000000)};
static const struct veil_options with_junk = {
	.window = UINT64_C(60000000000), .junk = 5, .junk_min = 64, .junk_max = 1420};

static const struct mimic_options srtp = {.as = MIMIC_SRTP};
/* Words as STEP_MESSAGE has them. */
static const struct awg_options awg = {
	.jc = 2,
	.jmin = 1,
	.jmax = 40,
	.s = {20, 30, 41, 5},
	.h = {"1", "2", "3", "4"},
	.i = {"<b 0x0102><t>", NULL, "<rd 9><rc 9>"},
};
static const struct awg_options awg3 = {
	.s = {12, 13, 14, 15},
	.h = {"1", "2", "3", "4"},
	.header_protection_key = KEY,
	.random_trailers = 1,
	.disable_cookies = 1,
};

static const struct setup {
	struct obfs_options options;
	const char *above;
} setups[] = {
	{{.mode = OBFS_SALAMANDER, .password = "average_password"}, NULL},
	{{.mode = OBFS_SALAMANDER, .key = KEY}, "wireguard"},
	{{.mode = OBFS_VEIL, .key = KEY}, "wireguard"},
	{{.mode = OBFS_VEIL, .key = KEY, .veil = &with_junk}, "wireguard"},
	{{.mode = OBFS_VEIL, .key = KEY, .veil = &whole}, "kcp"},
	{{.mode = OBFS_MIMIC, .key = KEY}, "wireguard"},
	{{.mode = OBFS_MIMIC, .key = KEY, .veil = &whole, .mimic = &srtp}, "kcp"},
	{{.mode = OBFS_AWG, .awg = &awg}, "wireguard"},
	{{.mode = OBFS_AWG, .awg = &awg3}, "wireguard"},
};

#define N_SETUPS (sizeof(setups) / sizeof(setups[0]))

struct bytes {
	uint8_t data[BYTES];
	uint32_t len;
};

struct fuzz {
	struct testhost *host;
	struct testhost_stage *stage, *peer;
	struct vpn_endpoint at;
	struct bytes from_peer, from_us; /* the last ones */
	struct bytes sealed;             /* what the peer was given */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct vpn_plugin vpncore_plugin_v1;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static vpn_status take_types(void *inst, const struct vpn_wireguard_types *types,
			     struct vpn_error *err)
{
	(void)inst;
	(void)err;
	check(types->size == sizeof(*types));
	return VPN_OK;
}

static const struct vpn_wireguard_types_ext wireguard = {.size = sizeof(wireguard),
							 .set = take_types};

static struct testhost_stage *add(struct fuzz *f, const struct setup *how)
{
	struct testhost_setup setup = {.config = &how->options,
				       .above = how->above,
				       .mtu_above = LARGEST,
				       .pool_size = 256,
				       .log_level = VPN_LOG_DEBUG};
	struct testhost_stage *s = testhost_add(f->host, vpncore_plugin_v1.components[0], &setup,
						NULL);
	check(s != NULL && testhost_start(s, NULL) == VPN_OK);
	return s;
}

static void start(struct fuzz *f, const struct setup *how)
{
	memset(f, 0, sizeof(*f));
	testhost_on_report(NULL, NULL); /* abort() */
	f->host = testhost_new(1);
	check(f->host != NULL);
	testhost_serve(f->host, VPN_EXT_WIREGUARD_TYPES, &wireguard, f);
	f->at = testhost_endpoint("192.0.2.1:1000");
	f->stage = add(f, how);
	f->peer = add(f, how);
}

static void keep(struct bytes *b, const uint8_t *data, uint32_t len)
{
	check(len <= BYTES);
	memcpy(b->data, data, len);
	b->len = len;
}

/* What has gone up and down since the last step. `sealed`: the only thing that may have gone up, if any. */
static void look(struct fuzz *f, const struct bytes *sealed)
{
	const struct testhost_record *r;
	while ((r = testhost_next(f->stage, 0, VPN_UP)) != NULL) {
		check(r->len <= BYTES && (r->flags & VPN_PACKET_VERIFIED) == 0);
		if (sealed != NULL)
			check(r->len == sealed->len && memcmp(r->data, sealed->data, r->len) == 0);
	}
	while ((r = testhost_next(f->stage, 0, VPN_DOWN)) != NULL)
		keep(&f->from_us, r->data, r->len);
}

static void receive(struct fuzz *f, const uint8_t *data, uint32_t len)
{
	(void)testhost_recv(f->stage, 0, data, len, &f->at);
}

/* Turns one bit and cuts, as the first bytes of the step say. */
static void change(struct bytes *b, const uint8_t how[3])
{
	if (b->len == 0)
		return;
	b->data[(uint32_t)(how[0] << 8 | how[1]) % b->len] ^= (uint8_t)(1u << (how[0] >> 5));
	if ((how[2] & 1) != 0)
		b->len -= how[2] % b->len;
}

/* What the peer has sent meanwhile, by itself or because it may at last, arrives. */
static void relay(struct fuzz *f)
{
	const struct testhost_record *r;
	while ((r = testhost_next(f->peer, 0, VPN_DOWN)) != NULL) {
		keep(&f->from_peer, r->data, r->len);
		receive(f, f->from_peer.data, f->from_peer.len);
	}
	look(f, NULL);
}

/* The peer seals `in`; all that it sends arrives, `how` (may be NULL) changes the last of it. */
static void from_peer(struct fuzz *f, const uint8_t *in, uint32_t len, const uint8_t *how)
{
	const struct testhost_record *r;
	struct bytes out[SENT_MOST];
	uint32_t n = 0;
	if (len > LARGEST)
		return;
	relay(f);
	keep(&f->sealed, in, len);
	(void)testhost_send(f->peer, 0, in, len);
	while ((r = testhost_next(f->peer, 0, VPN_DOWN)) != NULL && n < SENT_MOST)
		keep(&out[n++], r->data, r->len);
	testhost_clear(f->peer, 0, VPN_DOWN);
	for (uint32_t i = 0; i < n; i++) {
		if (how != NULL && i + 1 == n)
			change(&out[i], how);
		f->from_peer = out[i];
		receive(f, out[i].data, out[i].len);
	}
	if (how == NULL) /* what waits above may be older */
		look(f, testhost_drops(f->stage) == 0 ? &f->sealed : NULL);
}

static void message(struct fuzz *f, struct bytes *b)
{
	static const uint32_t lengths[] = {148, 92, 64};
	if (b->len < 4)
		return;
	uint8_t type = b->data[0] & 3;
	memset(b->data, 0, 4);
	b->data[0] = type + 1;
	uint32_t len = type < 3 ? lengths[type] : b->len < 32 ? 32 : b->len;
	if (b->len < len)
		memset(b->data + b->len, 0x55, len - b->len);
	from_peer(f, b->data, len, NULL);
}

static void pass_time(struct fuzz *f, const struct bytes *b)
{
	uint64_t ns = 0;
	for (uint32_t i = 0; i < b->len && i < 6; i++)
		ns = ns << 8 | b->data[i];
	testhost_advance(f->host, ns % UINT64_C(600000000000));
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
	switch (step) {
	case STEP_PEER:
		from_peer(f, b->data, b->len, NULL);
		break;
	case STEP_MESSAGE:
		message(f, b);
		break;
	case STEP_CHANGED:
		if (b->len > 3)
			from_peer(f, b->data + 3, b->len - 3, b->data);
		break;
	case STEP_AGAIN:
		receive(f, f->from_peer.data, f->from_peer.len);
		break;
	case STEP_REFLECT:
		receive(f, f->from_us.data, f->from_us.len);
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
	case STEP_ANSWER:
		(void)testhost_recv(f->peer, 0, f->from_us.data, f->from_us.len, &f->at);
		testhost_clear(f->peer, 0, VPN_UP);
		relay(f);
		break;
	default:
		receive(f, b->data, b->len);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	static struct bytes b;
	if (size < 1)
		return 0;
	start(&f, &setups[data[0] % N_SETUPS]);
	data++;
	size--;
	for (uint32_t i = 0; i < STEPS_MAX && size >= 3; i++) {
		enum step step = (enum step)(data[0] % STEPS);
		b.len = (uint32_t)(data[1] << 8 | data[2]);
		data += 3;
		size -= 3;
		if (b.len > size)
			b.len = (uint32_t)size;
		if (b.len > 1500)
			b.len = 1500;
		memcpy(b.data, data, b.len);
		data += b.len;
		size -= b.len;
		take_step(&f, step, &b);
		testhost_run(f.host);
		look(&f, NULL);
	}
	testhost_free(f.host);
	return 0;
}
