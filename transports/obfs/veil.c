/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * veil: datagrams that are random from the first byte to the last, of lengths that say little, and no answer
 * to anybody without the key. WireGuard's bulk does not grow by it. docs/protocols/veil.md is the format;
 * veil_packet.c makes it. This is the mode: options, keys, clock and junk.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "awg_tags.h"
#include "fault.h"
#include "key.h"
#include "mode.h"
#include "veil_options.h"
#include "veil_packet.h"

#define NS_PER_MS 1000000u

struct mode {
	struct veil *veil;
	const struct veil_options *options;
	uint32_t first_len[VEIL_FIRST_MOST];
};

static bool is_whole(const struct obfs_options *o)
{
	return veil_options_of(o)->cover == VEIL_COVER_WHOLE;
}

static void needs(const struct obfs_options *o, struct vpn_needs *out)
{
	/* Not VPN_AUTHENTICATES, though tags and replays are checked: one password serves for ever and
	 * for all, and what was recorded just before a restart may come again (veil.md, "Replays"). */
	out->flags |= is_whole(o) ? VPN_ENCRYPTS : VPN_WANTS_CIPHERTEXT;
	out->headroom = VEIL_HEADROOM;
	out->tailroom = VEIL_TAILROOM;
	out->overhead = is_whole(o) ? VEIL_OVERHEAD : 0;
}

/* Whether the mode can stand where it does. */
static vpn_status fit(const struct vpn_host *host, const struct obfs_options *o,
		      struct vpn_error *err)
{
	const struct veil_options *v = veil_options_of(o);
	if (!is_whole(o) && !obfs_is_above(host, "wireguard"))
		return obfs_fault(
			err, VPN_EINVAL, "/veil/cover",
			"\"headers\" knows WireGuard's messages alone, and the stage above is "
			"not \"wireguard\": give \"veil\": {\"cover\": \"whole\"} on both sides");
	if (!is_whole(o) && host->mtu_below < VEIL_MASK_FROM + VEIL_OVERHEAD)
		return obfs_fault(
			err, VPN_EINVAL, "/mode",
			"mode \"veil\" needs room for packets of %u bytes, and the path below "
			"takes %u",
			VEIL_MASK_FROM + VEIL_OVERHEAD, host->mtu_below);
	for (uint32_t i = 0; i < v->first.count; i++) {
		uint32_t len = awg_tags_measure(veil_options_first(v, i), NULL);
		char where[32];
		snprintf(where, sizeof(where), "/veil/first/%u", i);
		if (len > host->mtu_below)
			return obfs_fault(err, VPN_EINVAL, where,
					  "makes %u bytes, and the path below takes %u", len,
					  host->mtu_below);
	}
	if (v->junk != 0 && v->junk_max > host->mtu_below)
		return obfs_fault(err, VPN_EINVAL, "/veil/junk_max",
				  "the path below takes packets of up to %u bytes: give no more",
				  host->mtu_below);
	return VPN_OK;
}

/* Padding makes no packet longer than those that are full anyway: nothing stands out at the long end. */
static uint32_t largest(const struct vpn_host *host, bool whole)
{
	uint32_t full = host->mtu_above + (whole ? VEIL_OVERHEAD : 0);
	return full < host->mtu_below ? full : host->mtu_below;
}

static vpn_status make_veil(struct mode *m, const struct vpn_host *host,
			    const struct obfs_options *o, struct vpn_error *err)
{
	uint8_t root[OBFS_KEY_LEN];
	struct veil_setup setup = {
		.root = root,
		.window_ms = veil_options_of(o)->window / NS_PER_MS,
		.now_ms = host->wall_ns(host) / NS_PER_MS,
		.n_lanes = host->n_lanes,
		.largest = largest(host, is_whole(o)),
		.whole = is_whole(o),
		.leads = m->options->junk != 0 || m->options->first.count != 0,
	};
	vpn_status status = obfs_key(o, root, err);
	if (status != VPN_OK)
		return status;
	host->random(host, &setup.first_sender, sizeof(setup.first_sender));
	m->veil = veil_new(&setup);
	sodium_memzero(root, sizeof(root));
	return m->veil != NULL ? VPN_OK : obfs_fault(err, VPN_ENOMEM, "", "out of memory");
}

static vpn_status create(const struct vpn_host *host, const struct obfs_options *o, void **state,
			 struct vpn_error *err)
{
	const struct veil_options *v = veil_options_of(o);
	vpn_status status = fit(host, o, err);
	if (status != VPN_OK)
		return status;
	struct mode *m = calloc(1, sizeof(*m));
	*state = m;
	if (m == NULL)
		return obfs_fault(err, VPN_ENOMEM, "", "out of memory");
	m->options = v;
	for (uint32_t i = 0; i < v->first.count; i++)
		m->first_len[i] = awg_tags_measure(veil_options_first(v, i), NULL);
	return make_veil(m, host, o, err);
}

static void destroy(void *state)
{
	struct mode *m = state;
	if (m == NULL)
		return;
	veil_free(m->veil);
	free(m);
}

static void lane_start(struct obfs_lane *l)
{
	const struct mode *m = l->mode;
	veil_lane_init(m->veil, l->own, l->lane->index);
}

static uint64_t now_ms(const struct obfs_lane *l)
{
	return l->host->wall_ns(l->host) / NS_PER_MS;
}

static void seal(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	const struct mode *m = l->mode;
	veil_seal(m->veil, l->own, &l->random, now_ms(l), pkts, n, fates);
}

static void open(struct obfs_lane *l, struct vpn_packet **pkts, uint32_t n, uint8_t *fates)
{
	const struct mode *m = l->mode;
	veil_open(m->veil, now_ms(l), pkts, n, fates);
	for (uint32_t i = 0; i < n; i++)
		if (fates[i] == OBFS_CONSUMED)
			obfs_count(l, OBFS_VEIL_JUNK, 1);
}

/* The datagrams of one's own design, then junk. */
static uint32_t before(struct obfs_lane *l, const struct vpn_packet *p, struct vpn_packet **out,
		       uint32_t most)
{
	const struct mode *m = l->mode;
	const struct veil_options *v = m->options;
	uint64_t now = now_ms(l);
	uint32_t wanted = v->first.count + (uint32_t)v->junk;
	(void)p;
	uint32_t n = l->host->alloc(l->lane, VPN_POOL_TX, out, wanted < most ? wanted : most);
	for (uint32_t i = 0; i < n; i++) {
		if (i < v->first.count) {
			awg_tags_write(veil_options_first(v, i), &l->random, now / 1000,
				       vpn_packet_data(out[i]));
			out[i]->len = m->first_len[i];
			continue;
		}
		veil_junk(m->veil, l->own, &l->random, now, out[i],
			  obfs_random_between(&l->random, (uint32_t)v->junk_min,
					      (uint32_t)v->junk_max));
	}
	return n;
}

const struct obfs_mode obfs_veil = {
	.name = "veil",
	.check = veil_options_check,
	.needs = needs,
	.create = create,
	.destroy = destroy,
	.lane_size = sizeof(struct veil_lane),
	.lane_start = lane_start,
	.seal = seal,
	.open = open,
	.before = before,
};
