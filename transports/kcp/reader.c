/* SPDX-License-Identifier: BSD-2-Clause */
#include "reader.h"

#include <stdlib.h>
#include <string.h>

bool kcp_reader_init(struct kcp_reader *r, const struct kcp_outlet *outlet, bool stream,
		     uint32_t most)
{
	*r = (struct kcp_reader){.outlet = outlet, .most = most, .stream = stream};
	r->buf = malloc(most != 0 ? most : 1);
	return r->buf != NULL;
}

void kcp_reader_clear(struct kcp_reader *r)
{
	free(r->buf);
	memset(r, 0, sizeof(*r));
}

/* Delivers a message that is in two parts. False: not now. */
static bool deliver(struct kcp_reader *r, const uint8_t *head, uint32_t n_head, const uint8_t *tail,
		    uint32_t n_tail)
{
	const struct kcp_outlet *o = r->outlet;
	if (!o->can_deliver(o->ctx))
		return false;
	struct vpn_packet *p = o->fresh(o->ctx, KCP_FRESH_UP);
	if (p == NULL)
		return false;
	uint8_t *at = vpn_packet_data(p);
	if (n_head != 0)
		memcpy(at, head, n_head);
	memcpy(at + n_head, tail, n_tail);
	p->len = n_head + n_tail;
	if (o->deliver(o->ctx, p))
		return true;
	o->release(o->ctx, p);
	return false;
}

static void keep(struct kcp_reader *r, const uint8_t *data, uint32_t len)
{
	memcpy(r->buf + r->len, data, len);
	r->len += len;
}

/* ---- message mode ---- */

static void begin_message(struct kcp_reader *r)
{
	r->inside = false;
	r->spoilt = false;
	r->len = 0;
}

static bool take_fragment(struct kcp_reader *r, uint8_t frg, const uint8_t *data, uint32_t len)
{
	const struct kcp_outlet *o = r->outlet;
	bool amiss = r->inside && frg != r->next_frg;
	bool spoilt = r->spoilt || amiss || len > r->most - r->len;
	if (frg == 0 && !spoilt) {
		if (r->len + len == 0)
			o->count(o->ctx, KCP_EMPTY_RECEIVED, 1);
		else if (!deliver(r, r->buf, r->len, data, len))
			return false;
		begin_message(r);
		return true;
	}
	if (frg == 0) {
		o->count(o->ctx, KCP_DROP_MESSAGE, 1);
		begin_message(r);
		return true;
	}
	if (!spoilt)
		keep(r, data, len);
	r->spoilt = spoilt;
	r->inside = true;
	r->next_frg = (uint8_t)(frg - 1);
	return true;
}

/* ---- stream mode ---- */

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t take_prefix(struct kcp_reader *r, const uint8_t *data, uint32_t len)
{
	uint32_t n = smaller(len, KCP_STREAM_PREFIX - r->n_prefix);
	memcpy(r->prefix + r->n_prefix, data, n);
	r->n_prefix += n;
	if (r->n_prefix < KCP_STREAM_PREFIX)
		return n;
	uint32_t want = (uint32_t)(r->prefix[0] | r->prefix[1] << 8);
	r->n_prefix = 0;
	if (want == 0) {
		r->outlet->count(r->outlet->ctx, KCP_EMPTY_RECEIVED, 1);
	} else if (want > r->most) {
		r->outlet->count(r->outlet->ctx, KCP_DROP_MESSAGE, 1);
		r->skip = want;
	} else {
		r->want = want;
	}
	return n;
}

/* Part of a message. *ret_stop: it is complete, and the device does not take it now. */
static uint32_t take_body(struct kcp_reader *r, const uint8_t *data, uint32_t len, bool *ret_stop)
{
	uint32_t n = smaller(len, r->want - r->len);
	if (n < r->want - r->len) {
		keep(r, data, n);
		return n;
	}
	if (!deliver(r, r->buf, r->len, data, n)) {
		*ret_stop = true;
		return 0;
	}
	r->len = 0;
	r->want = 0;
	return n;
}

static uint32_t take_bytes(struct kcp_reader *r, const uint8_t *data, uint32_t len)
{
	uint32_t done = 0;
	bool stop = false;
	while (done < len && !stop) {
		if (r->skip != 0) {
			uint32_t n = smaller(len - done, r->skip);
			r->skip -= n;
			done += n;
		} else if (r->want == 0) {
			done += take_prefix(r, data + done, len - done);
		} else {
			done += take_body(r, data + done, len - done, &stop);
		}
	}
	return done;
}

uint32_t kcp_reader_take(struct kcp_reader *r, uint8_t frg, const uint8_t *data, uint32_t len,
			 uint32_t from, bool *ret_done)
{
	if (r->stream) {
		if (from > len)
			from = len; /* it came again, and shorter: no honest peer does that */
		uint32_t n = take_bytes(r, data + from, len - from);
		*ret_done = from + n == len;
		return n;
	}
	*ret_done = take_fragment(r, frg, data, len);
	return *ret_done ? len : 0;
}
