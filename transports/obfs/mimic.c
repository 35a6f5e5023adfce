/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mimic: datagrams that are valid as another protocol, DTLS 1.2 or SRTP, with what veil makes behind their
 * headers. docs/protocols/mimic.md is the format. This is the mode: headers are put on and taken off
 * here; mimic_session.c knows the peers and their handshakes.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "key.h"
#include "mimic_hold.h"
#include "mimic_session.h"
#include "mode.h"
#include "veil_options.h"
#include "veil_packet.h"

#define NS_PER_MS UINT64_C(1000000)
/* While packets wait: an answer may have come on another lane. */
#define LOOK_NS (10 * NS_PER_MS)

struct mode {
	struct veil *veil;
	struct mimic_session *session;
	enum mimic_claim claim;
	uint32_t header; /* bytes */
};

struct own {
	struct veil_lane veil;
	struct mimic_hold hold;
};

static bool is_whole(const struct obfs_options *o)
{
	return veil_options_of(o)->cover == VEIL_COVER_WHOLE;
}

static uint32_t header_of(enum mimic_claim claim)
{
	return claim == MIMIC_DTLS ? MIMIC_DTLS_HEADER : MIMIC_RTP_HEADER;
}

static void needs(const struct obfs_options *o, struct vpn_needs *out)
{
	uint32_t header = header_of(mimic_claim_of(o));
	out->flags |= is_whole(o) ? VPN_ENCRYPTS : VPN_WANTS_CIPHERTEXT;
	out->headroom = header + VEIL_HEADROOM;
	out->tailroom = VEIL_TAILROOM;
	out->overhead = header + (is_whole(o) ? VEIL_OVERHEAD : 0);
}

/* ---- life ---- */

/* Whether the mode can stand where it does. */
static vpn_status fit(const struct vpn_host *host, const struct obfs_options *o,
		      struct vpn_error *err)
{
	uint32_t least = VEIL_MASK_FROM + VEIL_OVERHEAD + header_of(mimic_claim_of(o));
	if (!is_whole(o) && !obfs_is_above(host, "wireguard"))
		return obfs_fault(
			err, VPN_EINVAL, "/veil/cover",
			"\"headers\" knows WireGuard's messages alone, and the stage above is "
			"not \"wireguard\": give \"veil\": {\"cover\": \"whole\"} on both sides");
	if (host->mtu_below < least)
		return obfs_fault(
			err, VPN_EINVAL, "/mode",
			"mode \"mimic\" needs room for packets of %u bytes, and the path below "
			"takes %u",
			least, host->mtu_below);
	return VPN_OK;
}

static vpn_status make_parts(struct mode *m, const struct vpn_host *host,
			     const struct obfs_options *o, struct vpn_error *err)
{
	uint8_t root[OBFS_KEY_LEN];
	uint64_t window_ms = veil_options_of(o)->window / NS_PER_MS;
	uint32_t full = host->mtu_above + (is_whole(o) ? VEIL_OVERHEAD : 0);
	uint32_t path = host->mtu_below - m->header;
	struct veil_setup setup = {
		.root = root,
		.window_ms = window_ms,
		.now_ms = host->wall_ns(host) / NS_PER_MS,
		.n_lanes = host->n_lanes,
		.largest = full < path ? full : path,
		.whole = is_whole(o),
		.leads = true,
	};
	struct mimic_session_setup session = {
		.host = host, .root = root, .claim = m->claim, .window_ms = window_ms};
	vpn_status status = obfs_key(o, root, err);
	if (status != VPN_OK)
		return status;
	host->random(host, &setup.first_sender, sizeof(setup.first_sender));
	m->veil = veil_new(&setup);
	m->session = mimic_session_new(&session);
	sodium_memzero(root, sizeof(root));
	return m->veil != NULL && m->session != NULL
		       ? VPN_OK
		       : obfs_fault(err, VPN_ENOMEM, "", "out of memory");
}

static vpn_status create(const struct vpn_host *host, const struct obfs_options *o, void **state,
			 struct vpn_error *err)
{
	vpn_status status = fit(host, o, err);
	if (status != VPN_OK)
		return status;
	struct mode *m = calloc(1, sizeof(*m));
	*state = m;
	if (m == NULL)
		return obfs_fault(err, VPN_ENOMEM, "", "out of memory");
	m->claim = mimic_claim_of(o);
	m->header = header_of(m->claim);
	return make_parts(m, host, o, err);
}

static void destroy(void *state)
{
	struct mode *m = state;
	if (m == NULL)
		return;
	mimic_session_free(m->session);
	veil_free(m->veil);
	free(m);
}

static void lane_start(struct obfs_lane *l)
{
	const struct mode *m = l->mode;
	struct own *own = l->own;
	veil_lane_init(m->veil, &own->veil, l->lane->index);
}

static void lane_stop(struct obfs_lane *l)
{
	struct own *own = l->own;
	if (own->hold.n != 0)
		l->host->release(l->lane, own->hold.pkts, own->hold.n);
	own->hold.n = 0;
}

static uint64_t now_ms(const struct obfs_lane *l)
{
	return l->host->wall_ns(l->host) / NS_PER_MS;
}

/* ---- down ---- */

/* Puts the header in front of a sealed packet; `last`: the batch has nothing more for this peer. False: the
 * numbers of this epoch are used up. */
static bool put_header(const struct mode *m, struct obfs_lane *l, struct mimic_peer *peer,
		       struct vpn_packet *p, bool last)
{
	uint64_t number;
	uint32_t len = p->len;
	if (m->claim == MIMIC_DTLS && !mimic_peer_number(peer, &number))
		return false;
	p->off -= m->header;
	p->len += m->header;
	if (m->claim == MIMIC_DTLS)
		mimic_dtls_put(vpn_packet_data(p), number, len);
	else
		mimic_rtp_put(&peer->rtp, vpn_packet_data(p), len, last, l->lane->now_ns);
	return true;
}

static uint8_t hold(struct obfs_lane *l, struct vpn_packet *p)
{
	struct own *own = l->own;
	struct vpn_packet *gone = mimic_hold_add(&own->hold, p);
	l->host->arm(l->lane, l->lane->now_ns + LOOK_NS);
	if (gone != NULL) {
		obfs_count(l, OBFS_DROP_NOT_READY, 1);
		l->host->release(l->lane, &gone, 1);
	}
	return OBFS_KEPT;
}

static void seal(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	const struct mode *m = l->mode;
	struct own *own = l->own;
	struct mimic_peer *peer = NULL;
	veil_seal(m->veil, &own->veil, &l->random, now_ms(l), pkts, n, fates);
	mimic_session_lock(m->session);
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		bool initiation = fates[i] == OBFS_LEAD;
		bool last = i + 1 == n || !mimic_endpoint_same(p->endpoint, pkts[i + 1]->endpoint);
		if (peer == NULL || initiation)
			peer = mimic_session_to(m->session, l, p->endpoint, initiation);
		bool sent = peer != NULL && put_header(m, l, peer, p, last);
		fates[i] = sent ? OBFS_PASS : hold(l, p);
		if (!sent || last)
			peer = NULL; /* the next one is looked up */
	}
	mimic_session_unlock(m->session);
}

/* Sends what waited for a handshake that has ended, and drops what waits in vain. The lock is held. */
static void release_held(const struct mode *m, struct obfs_lane *l)
{
	struct mimic_hold *h = &((struct own *)l->own)->hold;
	bool keep[MIMIC_HOLD_ROOM];
	for (uint32_t i = 0; i < h->n; i++) {
		const struct vpn_endpoint *to = mimic_hold_endpoint(h, i);
		enum mimic_state state = mimic_session_wait(m->session, l, to);
		struct mimic_peer *peer = state == MIMIC_READY
						  ? mimic_session_to(m->session, l, to, false)
						  : NULL;
		keep[i] = peer == NULL && state != MIMIC_NEW;
		if (peer != NULL && put_header(m, l, peer, h->pkts[i], true)) {
			obfs_emit(l, h->pkts[i], to);
		} else if (!keep[i]) {
			obfs_count(l, OBFS_DROP_NOT_READY, 1);
			l->host->release(l->lane, &h->pkts[i], 1);
		}
	}
	mimic_hold_sift(h, keep);
	if (h->n != 0)
		l->host->arm(l->lane, l->lane->now_ns + LOOK_NS);
}

static void timer(struct obfs_lane *l, uint64_t now_ns)
{
	const struct mode *m = l->mode;
	(void)now_ns;
	mimic_session_lock(m->session);
	release_held(m, l);
	mimic_session_unlock(m->session);
}

/* ---- up ---- */

static bool is_data(const struct mode *m, const struct vpn_packet *p)
{
	return m->claim == MIMIC_DTLS ? mimic_dtls_is_data(vpn_packet_data(p), p->len)
				      : mimic_rtp_is_data(vpn_packet_data(p), p->len);
}

/* Without their headers, those that are data: where they stood in the batch, and what became of them. */
struct inner {
	uint32_t n;
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	uint32_t index[VPN_BATCH_MAX];
	uint32_t off[VPN_BATCH_MAX];
	uint8_t fates[VPN_BATCH_MAX];
};

/* Takes the headers off, and judges what has none. Returns whether a handshake has gone on. */
static bool strip(const struct mode *m, struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n,
		  uint8_t *fates, struct inner *in)
{
	bool greeted = false;
	in->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		if (is_data(m, p)) {
			p->off += m->header;
			p->len -= m->header;
			in->index[in->n] = i;
			in->off[in->n] = p->off;
			in->fates[in->n] = OBFS_PASS;
			in->pkts[in->n++] = p;
			continue;
		}
		fates[i] = m->claim == MIMIC_DTLS ? mimic_session_handshake(m->session, l, p)
						  : OBFS_DROP(OBFS_DROP_HEADER);
		greeted = greeted || fates[i] == OBFS_CONSUMED;
	}
	return greeted;
}

/* Says who was heard, and puts the fates where they belong. A sealed packet has lost more than its header
 * of ours by being opened. */
static void judge(const struct mode *m, struct obfs_lane *l, const struct inner *in, uint8_t *fates)
{
	for (uint32_t i = 0; i < in->n; i++) {
		struct vpn_packet *p = in->pkts[i];
		uint8_t fate = in->fates[i];
		fates[in->index[i]] = fate;
		if (fate == OBFS_PASS) {
			mimic_session_heard(m->session, l, p->endpoint, p->off != in->off[i]);
		} else if (fate == OBFS_CONSUMED) {
			obfs_count(l, OBFS_VEIL_JUNK, 1);
		} else {
			p->off -= m->header;
			p->len += m->header;
		}
	}
}

static void open(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	const struct mode *m = l->mode;
	const struct own *own = l->own;
	struct inner in;
	mimic_session_lock(m->session);
	bool greeted = strip(m, l, pkts, n, fates, &in);
	mimic_session_unlock(m->session);
	if (in.n != 0)
		veil_open(m->veil, now_ms(l), in.pkts, in.n, in.fates);
	mimic_session_lock(m->session);
	judge(m, l, &in, fates);
	if (own->hold.n != 0 && (greeted || in.n != 0))
		release_held(m, l);
	mimic_session_unlock(m->session);
}

const struct obfs_mode obfs_mimic = {
	.name = "mimic",
	.check = mimic_options_check,
	.needs = needs,
	.create = create,
	.destroy = destroy,
	.lane_size = sizeof(struct own),
	.lane_start = lane_start,
	.lane_stop = lane_stop,
	.seal = seal,
	.open = open,
	.timer = timer,
};
