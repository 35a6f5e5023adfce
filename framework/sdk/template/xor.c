/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xor: a transport to start your own from. It frames every packet with four bytes and xors the
 * data with a repeated key. This protects nothing: who sees two packets knows the key. It is here
 * to show options, room in front of the data, counters, and how packets pass in both directions.
 *
 *	0       1       2       3       4
 *	+-------+-------+-------+-------+--------------------
 *	|  'X'  |  'R'  | start in key  | data, xored
 *	+-------+-------+-------+-------+--------------------
 */
#include <stdlib.h>
#include <string.h>
#include <vpncore/plugin.h>

#include "xor.h"

#define HEADER_LEN 4u

/* One instance. What differs from lane to lane hangs on vpn_lane.user. */
struct xor {
	const struct vpn_host *host;
	const struct xor_config *config;
	struct xor_lane {
		uint16_t start;  /* where in the key the next packet begins */
		uint8_t pad[62]; /* lanes are threads: a cache line each */
	} lanes[];               /* host->n_lanes */
};

/* What this stage alone can know; packets, bytes and batches are counted by the host. */
enum { DROP_SHORT, DROP_FOREIGN, DROP_BELOW_FULL, DROP_ABOVE_FULL, N_COUNTERS };

static const struct vpn_counter counters[N_COUNTERS] = {
	[DROP_SHORT] = {"drop_short", "packets from below without a whole header", VPN_COUNTER_DROP,
			0},
	[DROP_FOREIGN] = {"drop_foreign", "packets from below that are not ours", VPN_COUNTER_DROP,
			  0},
	[DROP_BELOW_FULL] = {"drop_below_full", "packets the stage below did not take",
			     VPN_COUNTER_DROP, 0},
	[DROP_ABOVE_FULL] = {"drop_above_full", "packets the stage above did not take",
			     VPN_COUNTER_DROP, 0},
};

/* ---- the data path: no allocation, no lock, no log, no system call ---- */

static void mix(const struct vpn_bytes *key, uint32_t start, uint8_t *data, uint32_t len)
{
	uint32_t k = start % key->len;
	for (uint32_t i = 0; i < len; i++) {
		data[i] ^= key->data[k];
		if (++k == key->len)
			k = 0;
	}
}

/* The room in front of the data is there: needs() asked for it. */
static void wrap(const struct xor *x, struct xor_lane *own, struct vpn_packet *p)
{
	uint16_t start = own->start;
	if (x->config->rotate)
		own->start++;
	mix(&x->config->key, start, vpn_packet_data(p), p->len);
	p->off -= HEADER_LEN;
	p->len += HEADER_LEN;
	uint8_t *header = vpn_packet_data(p);
	header[0] = 'X';
	header[1] = 'R';
	header[2] = (uint8_t)(start >> 8);
	header[3] = (uint8_t)start;
}

/* Pushes a batch. What the neighbour does not take has been changed already and cannot be left
 * with our caller: it is dropped, and counted. */
static void pass(const struct xor *x, struct vpn_lane *lane, const struct vpn_link *link,
		 struct vpn_packet **pkts, uint32_t n, uint32_t counter)
{
	uint32_t taken = n != 0 ? vpn_push(link, pkts, n) : 0;
	if (taken == n)
		return;
	vpn_count(lane, counter, n - taken);
	x->host->release(lane, pkts + taken, n - taken);
}

static uint32_t xor_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct xor *x = inst;
	struct xor_lane *own = lane->user;
	for (uint32_t i = 0; i < n; i++)
		wrap(x, own, pkts[i]);
	pass(x, lane, lane->down, pkts, n, DROP_BELOW_FULL);
	return n;
}

/* Takes the header away. False: the packet has been counted as dropped. */
static int unwrap(const struct xor *x, struct vpn_lane *lane, struct vpn_packet *p)
{
	const uint8_t *header = vpn_packet_data(p);
	if (p->len < HEADER_LEN) {
		vpn_count(lane, DROP_SHORT, 1);
		return 0;
	}
	if (header[0] != 'X' || header[1] != 'R') {
		vpn_count(lane, DROP_FOREIGN, 1);
		return 0;
	}
	p->off += HEADER_LEN;
	p->len -= HEADER_LEN;
	p->flags &= ~VPN_PACKET_VERIFIED; /* we change the data, and can vouch for nothing */
	mix(&x->config->key, (uint32_t)header[2] << 8 | header[3], vpn_packet_data(p), p->len);
	return 1;
}

/* A batch stays a batch: the good packets move together and go up in one push. */
static uint32_t xor_recv(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct xor *x = inst;
	uint32_t good = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct vpn_packet *p = pkts[i];
		if (unwrap(x, lane, p))
			pkts[good++] = p;
		else
			x->host->release(lane, &p, 1);
	}
	pass(x, lane, lane->up, pkts, good, DROP_ABOVE_FULL);
	return n;
}

/* ---- life ---- */

/* What the option table cannot say. */
static vpn_status validate(const void *config, struct vpn_error *err)
{
	const struct xor_config *c = config;
	for (uint32_t i = 0; i < c->key.len; i++)
		if (c->key.data[i] != 0)
			return VPN_OK;
	err->status = VPN_EINVAL;
	strcpy(err->where, "/key");
	strcpy(err->text, "a key of zeros changes nothing; use other bytes");
	return VPN_EINVAL;
}

static void needs(const void *config, struct vpn_needs *out)
{
	(void)config;
	out->flags = VPN_L2 | VPN_L3 | VPN_LANE_AWARE; /* neither ENCRYPTS nor AUTHENTICATES */
	out->headroom = HEADER_LEN;
	out->overhead = HEADER_LEN;
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	struct xor *x = calloc(1, sizeof(*x) + host->n_lanes * sizeof(x->lanes[0]));
	if (x == NULL) {
		err->status = VPN_ENOMEM;
		strcpy(err->text, "out of memory");
		return VPN_ENOMEM;
	}
	x->host = host;
	x->config = config; /* lives until destroy() has returned */
	*inst = x;
	return VPN_OK;
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct xor *x = inst;
	(void)err;
	for (uint32_t i = 0; i < x->host->n_lanes; i++) {
		x->host->random(x->host, &x->lanes[i].start, sizeof(x->lanes[i].start));
		lanes[i]->user = &x->lanes[i];
	}
	x->host->log(x->host, VPN_LOG_WARN, "xor hides nothing from anybody: it is an example");
	return VPN_OK;
}

/* Gives up everything that is held outside of memory: here, nothing. Called in any state. */
static void stop(void *inst)
{
	(void)inst;
}

static void destroy(void *inst)
{
	free(inst);
}

/* ---- the tables ---- */

static const struct vpn_option options[] = {
	{
		.name = "key",
		.doc = "Bytes to xor with, the same on both sides. Base64 or hex.",
		.min = 1,
		.max = 256,
		.type = VPN_OPT_BYTES,
		.flags = VPN_OPT_REQUIRED | VPN_OPT_SECRET,
		.offset = offsetof(struct xor_config, key),
	},
	{
		.name = "rotate",
		.dflt = "true",
		.doc = "Begins each packet at the next byte of the key, so that equal packets "
		       "differ.",
		.type = VPN_OPT_BOOL,
		.offset = offsetof(struct xor_config, rotate),
	},
};

static const struct vpn_option_table option_table = VPN_OPTION_TABLE(options, struct xor_config);

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.options = &option_table,
	.counters = counters,
	.n_counters = N_COUNTERS,
	.validate = validate,
	.needs = needs,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = destroy,
};

/* No descriptors to watch, no timer, no queue: the rest stays NULL. */
static const struct vpn_flow flow = {
	.size = sizeof(flow),
	.send = xor_send,
	.recv = xor_recv,
};

static const struct vpn_component component = {
	.size = sizeof(component),
	.kind = VPN_KIND_TRANSPORT,
	.id = "org.example.xor",
	.summary = "xor with a repeated key: an example, no protection",
	.lifecycle = &lifecycle,
	.flow = &flow,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(transport_org_example_xor, "org.example.xor", "1.0.0", "BSD-2-Clause",
	   "https://example.org/xor", "", components);
