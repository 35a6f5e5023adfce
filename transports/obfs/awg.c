/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * awg: WireGuard's messages in the disguise of AmneziaWG, datagram for datagram compatible with it. The
 * bytes are awg_frame's; this is the mode: which words the wireguard stage above shall use, what goes out
 * ahead of an initiation, and what is told when nothing fits.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "awg_options.h"
#include "awg_tags.h"
#include "fault.h"
#include "mode.h"

#define DATA_OVERHEAD 32u  /* of wireguard: header and tag */
#define WINDOW_LEAST  500u /* bytes: DefaultUdpWindow of amneziawg-go 3.1 */

/* ns. WireGuard tries again after 5 s: the second attempt comes, and the first has not fitted either. */
#define REPORT_AFTER UINT64_C(4000000000)
#define REPORT_EVERY UINT64_C(60000000000)

struct awg {
	struct awg_frame frame;
	const struct awg_options *options; /* the host's, which outlive this */
	uint32_t mtu;                      /* the largest datagram */
	uint32_t packets[AWG_PACKETS];     /* their lengths; 0 = none */
	bool no_cookies;
};

/* How near a datagram that is no message came to being one. */
enum resemblance { LIKE_NOTHING, LIKE_IN_LENGTH, LIKE_PLAIN };

/* What does not fit, until something does. */
struct refused {
	uint64_t n;
	uint64_t since_ns;
	enum resemblance like;    /* of the nearest one */
	enum awg_kind kind;       /* that it resembles */
	uint32_t len, word;       /* its length, and its word where the kind has it */
	struct vpn_endpoint from; /* family VPN_AF_NONE = not known */
};

struct awg_lane {
	uint32_t window; /* the longest data so far: trailers stay within, as AmneziaWG's do */
	bool heard;      /* something has fitted */
	uint64_t reported_ns;
	struct refused refused;
};

/* ---- life ---- */

static vpn_status check(const struct obfs_options *o, struct vpn_error *err)
{
	if (o->password != NULL || o->key.data != NULL)
		return obfs_fault(err, VPN_EINVAL, o->password != NULL ? "/password" : "/key",
				  "mode \"awg\" has no key of its own; AmneziaWG 3 has "
				  "\"header_protection_key\" in \"awg\"");
	if (o->awg == NULL)
		return obfs_fault(err, VPN_EINVAL, "/awg",
				  "mode \"awg\" needs an \"awg\" object: AmneziaWG's parameters");
	return awg_options_check(o->awg, err);
}

static void needs(const struct obfs_options *o, struct vpn_needs *out)
{
	for (uint32_t i = 0; i < AWG_KINDS; i++)
		if (o->awg->s[i] > out->headroom)
			out->headroom = (uint32_t)o->awg->s[i];
	out->overhead = (uint32_t)o->awg->s[AWG_DATA]; /* handshakes are shorter than data */
	/* a packet of the pool shall hold a datagram of ours that is as long as sealed data */
	out->tailroom = out->overhead + DATA_OVERHEAD;
}

static vpn_status create(const struct vpn_host *host, const struct obfs_options *o, void **state,
			 struct vpn_error *err)
{
	bool fits = VPN_HAS(host, struct vpn_host, above) && host->above != NULL &&
		    strcmp(host->above, "wireguard") == 0;
	if (!fits)
		return obfs_fault(err, VPN_EINVAL, "/mode",
				  "mode \"awg\" disguises WireGuard's messages: the stage directly "
				  "above has to be \"wireguard\"");
	struct awg *a = calloc(1, sizeof(*a));
	*state = a;
	if (a == NULL)
		return obfs_fault(err, VPN_ENOMEM, "", "out of memory");
	a->options = o->awg;
	a->mtu = host->mtu_below;
	a->no_cookies = o->awg->disable_cookies != 0;
	awg_options_frame(o->awg, &a->frame);
	for (uint32_t i = 0; i < AWG_PACKETS; i++)
		if (o->awg->i[i] != NULL)
			a->packets[i] = awg_tags_measure(o->awg->i[i], NULL);
	return awg_options_fit(o->awg, a->mtu, err);
}

static void destroy(void *state)
{
	if (state != NULL)
		sodium_memzero(state, sizeof(struct awg));
	free(state);
}

static struct vpn_word_range words(const struct awg_range *range)
{
	return (struct vpn_word_range){range->first, range->last};
}

/* The MACs of a handshake cover its word, so the stage that makes them has to write it. */
static vpn_status start(const struct vpn_host *host, void *state, struct vpn_error *err)
{
	const struct awg *a = state;
	const struct awg_range *h = a->frame.h;
	const struct vpn_wireguard_types types = {
		.size = sizeof(types),
		.initiation = words(&h[AWG_INITIATION]),
		.response = words(&h[AWG_RESPONSE]),
		.cookie = words(&h[AWG_COOKIE]),
		.data = words(&h[AWG_DATA]),
	};
	void *inst = NULL;
	const struct vpn_wireguard_types_ext *ext = host->get_service(host, VPN_EXT_WIREGUARD_TYPES,
								      &inst);
	if (ext == NULL)
		return obfs_fault(err, VPN_ENOTSUP, "/mode",
				  "mode \"awg\" needs a wireguard stage that knows %s: install the "
				  "plugin of this version",
				  VPN_EXT_WIREGUARD_TYPES);
	return ext->set(inst, &types, err);
}

static void lane_start(struct obfs_lane *l)
{
	struct awg_lane *own = l->own;
	own->window = WINDOW_LEAST;
}

/* ---- down ---- */

static uint32_t draw_trailer(struct obfs_lane *l, const struct awg *a, const struct vpn_packet *p,
			     enum awg_kind kind)
{
	const struct awg_lane *own = l->own;
	uint32_t window = own->window < a->mtu ? own->window : a->mtu;
	uint32_t len = a->frame.s[kind] + p->len;
	if (!a->frame.trailers || kind == AWG_DATA || window <= len)
		return 0;
	uint32_t trailer = obfs_random_below(&l->random, window - len);
	uint32_t room = vpn_packet_tailroom(p);
	return trailer < room ? trailer : room;
}

static void widen(struct obfs_lane *l, uint32_t len)
{
	struct awg_lane *own = l->own;
	if (len > own->window)
		own->window = len;
}

static void seal(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	const struct awg *a = l->mode;
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		enum awg_kind kind = awg_frame_kind(&a->frame, p);
		if (kind == AWG_NONE) {
			fates[i] = OBFS_DROP(OBFS_DROP_AWG_ABOVE);
			continue;
		}
		if (kind == AWG_COOKIE && a->no_cookies) {
			fates[i] = OBFS_DROP(OBFS_DROP_AWG_COOKIE);
			continue;
		}
		if (kind == AWG_INITIATION)
			fates[i] = OBFS_LEAD;
		awg_frame_seal(&a->frame, &l->random, p, kind, draw_trailer(l, a, p, kind));
		if (kind == AWG_DATA)
			widen(l, p->len);
	}
}

/* What AmneziaWG sends ahead of an initiation: i1 to i5, then junk. */
static uint32_t before(struct obfs_lane *l, const struct vpn_packet *p, struct vpn_packet **out,
		       uint32_t most)
{
	const struct awg *a = l->mode;
	const struct awg_options *o = a->options;
	uint32_t lengths[AWG_PACKETS + AWG_JUNK_MOST];
	const char *texts[AWG_PACKETS];
	uint32_t n = 0, texts_n = 0;
	(void)p;
	for (uint32_t i = 0; i < AWG_PACKETS; i++)
		if (a->packets[i] != 0) {
			texts[texts_n++] = o->i[i];
			lengths[n++] = a->packets[i];
		}
	for (uint32_t i = 0; i < o->jc; i++)
		lengths[n++] = obfs_random_between(&l->random, (uint32_t)o->jmin,
						   (uint32_t)o->jmax);
	n = l->host->alloc(l->lane, VPN_POOL_TX, out, n < most ? n : most);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *data = vpn_packet_data(out[i]);
		if (lengths[i] >
		    vpn_packet_tailroom(out[i])) /* the path is wider than the device */
			lengths[i] = vpn_packet_tailroom(out[i]);
		out[i]->len = lengths[i];
		if (i < texts_n)
			awg_tags_write(texts[i], &l->random,
				       l->host->wall_ns(l->host) / UINT64_C(1000000000), data);
		else
			obfs_random_fill(&l->random, data, lengths[i]);
	}
	obfs_count(l, OBFS_AWG_LEAD, n);
	return n;
}

/* ---- up ---- */

static uint32_t load_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* What a datagram that is no message may have been meant to be. */
static struct refused look_at(const struct awg *a, const struct vpn_packet *p)
{
	const uint8_t *data = vpn_packet_data(p);
	struct refused seen = {.kind = AWG_NONE, .len = p->len};
	if (p->endpoint != NULL)
		seen.from = *p->endpoint;
	for (enum awg_kind kind = AWG_INITIATION; kind < AWG_DATA; kind++) {
		uint32_t front = a->frame.s[kind], size = awg_frame_size[kind];
		if (p->len == size && load_le32(data) == (uint32_t)kind + 1) {
			seen.like = LIKE_PLAIN;
			seen.kind = kind;
			seen.word = load_le32(data);
		} else if (p->len == front + size && seen.like == LIKE_NOTHING) {
			seen.like = LIKE_IN_LENGTH;
			seen.kind = kind;
			seen.word = load_le32(data + front);
		}
	}
	return seen;
}

static void refuse(struct obfs_lane *l, const struct vpn_packet *p)
{
	struct awg_lane *own = l->own;
	struct refused *r = &own->refused;
	struct refused seen = look_at(l->mode, p);
	if (r->n == 0)
		r->since_ns = l->lane->now_ns;
	seen.n = r->n + 1;
	seen.since_ns = r->since_ns;
	if (r->n == 0 || seen.like >= r->like)
		*r = seen;
	else
		r->n++;
}

/* Strangers fit nothing either, so once something has fitted this is for debugging, as in report.h. */
static void report(struct obfs_lane *l, const struct refused *r)
{
	static const char *const names[] = {"an initiation", "a response", "a cookie reply"};
	const struct awg *a = l->mode;
	const struct awg_lane *own = l->own;
	char seen[128], from[OBFS_ORIGIN_TEXT];
	if (r->like == LIKE_PLAIN)
		snprintf(seen, sizeof(seen), "%s of plain WireGuard", names[r->kind]);
	else if (r->like == LIKE_IN_LENGTH)
		snprintf(seen, sizeof(seen),
			 "%u bytes, as long as %s, but its word %u is not in h%u", r->len,
			 names[r->kind], r->word, (uint32_t)r->kind + 1);
	else
		snprintf(seen, sizeof(seen), "%u bytes, which no handshake has here", r->len);
	obfs_log(
		l->host, own->heard ? VPN_LOG_DEBUG : VPN_LOG_WARN,
		"%llu datagrams did not fit mode \"awg\", and none did; the most telling one, from "
		"%s: %s. Compare s1-s4 and h1-h4%s%s of both sides",
		(unsigned long long)r->n, obfs_report_origin(&r->from, from, sizeof(from)), seen,
		a->frame.protect ? ", header_protection_key" : "",
		a->frame.trailers ? "" : ", random_trailers");
}

/* Junk fits nothing and is followed by a message that does; so the log tells only of a time in which
 * nothing fitted. */
static void review(struct obfs_lane *l)
{
	struct awg_lane *own = l->own;
	const struct refused *r = &own->refused;
	uint64_t now = l->lane->now_ns;
	if (r->n == 0 || now < r->since_ns + REPORT_AFTER ||
	    (own->reported_ns != 0 && now < own->reported_ns + REPORT_EVERY))
		return;
	own->reported_ns = now;
	report(l, r);
	own->refused.n = 0;
}

static void open(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	const struct awg *a = l->mode;
	struct awg_lane *own = l->own;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = pkts[i]->len;
		enum awg_kind kind = awg_frame_open(&a->frame, pkts[i]);
		if (kind == AWG_NONE) {
			refuse(l, pkts[i]);
			obfs_count(l, OBFS_DROP_AWG_UNKNOWN, 1);
			fates[i] = OBFS_CONSUMED; /* junk is meant to fit nothing */
			continue;
		}
		own->refused.n = 0;
		own->heard = true;
		if (kind == AWG_DATA)
			widen(l, len);
	}
	review(l);
}

const struct obfs_mode obfs_awg = {
	.name = "awg",
	.check = check,
	.needs = needs,
	.create = create,
	.destroy = destroy,
	.start = start,
	.lane_size = sizeof(struct awg_lane),
	.lane_start = lane_start,
	.seal = seal,
	.open = open,
	.before = before,
};
