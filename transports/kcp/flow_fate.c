/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_fate: what has become of what was sent, by the peer's acknowledgements. After RFC 9002 section
 * 6: a datagram is lost when one sent after it has arrived, and it was sent so many datagrams or so long
 * before that; both thresholds grow while losses turn out to be wrong (RFC 8985 section 6.2). When nothing
 * comes any more, a probe is sent after a timeout.
 *
 *              sent                 acknowledged, by itself or by enough of its group
 *     (none) --------> AWAY ------------------------------------------------> DONE
 *                       | ^                                                    ^
 *                  lost | | sent again                                         | too old
 *                       v |                                                    |
 *                     RESEND <------------------ WAITS ------------------------+
 *                               more lost of its
 *                               group than it has
 *                               parity for
 *
 * The peer has a group as soon as it has as many of its datagrams, whichever, as it has messages. So
 * lost ones wait while the parity that was or will be sent covers them, and of those beyond only as many
 * are sent again as are missing.
 */
#include "flow_parts.h"

#define REORDER_PN       3u /* RFC 9002 section 6.1.1 */
#define REORDER_PN_MOST  1024u
#define REORDER_8TH      1u /* RFC 9002 section 6.1.2: 9/8 of a round trip */
#define REORDER_8TH_MOST 8u
#define GRANULARITY_US   1000u
#define CALM_US          1000000u
#define PROBE_LEAST      30000u
#define PROBE_MOST       3000000u
#define PROBE_UNKNOWN    300000u
#define ACK_DELAY_MOST   11000u
#define PROBES_MOST      3u /* then all that is under way is taken for lost */

/* ---- messages and groups ---- */

/* The group of a message if it is still remembered. */
static struct flow_group *group_of(struct kcp_flow *f, const struct flow_message *m, uint64_t id)
{
	if (m->group == FLOW_NO_GROUP)
		return NULL;
	struct flow_group *g = &f->tx.groups[m->group];
	return id >= g->base && id - g->base < g->n && !g->is_done ? g : NULL;
}

static void finish(struct kcp_flow *f, struct flow_message *m)
{
	kcp_cells_give(f->cells, m->cell);
	m->cell = NULL;
	m->state = FLOW_DONE;
}

/* The peer has enough of the group: it has all of it. */
static void check_done(struct kcp_flow *f, struct flow_group *g)
{
	if (!g->is_closed || g->is_done || g->acked < g->n)
		return;
	g->is_done = true;
	for (uint32_t i = 0; i < g->n; i++)
		if (g->base + i >= f->tx.floor)
			finish(f, flow_message_at(f, g->base + i));
}

static void arrived(struct kcp_flow *f, uint64_t id)
{
	if (id < f->tx.floor)
		return;
	struct flow_message *m = flow_message_at(f, id);
	if (m->state == FLOW_DONE)
		return;
	struct flow_group *g = group_of(f, m, id);
	if (g != NULL && m->state == FLOW_WAITS)
		g->waits--;
	finish(f, m);
	if (g != NULL) {
		g->acked++;
		check_done(f, g);
	}
}

void flow_fate_give_up(struct kcp_flow *f, uint64_t id)
{
	struct flow_message *m = flow_message_at(f, id);
	struct flow_group *g = group_of(f, m, id);
	if (g != NULL && m->state == FLOW_WAITS)
		g->waits--;
	finish(f, m);
	f->tx.has_given_up = true;
	flow_count(f, KCP_DATA_GIVEN_UP, 1);
}

/* Sending it again now is of use: it arrives before its time is up. */
bool flow_fate_is_in_time(const struct kcp_flow *f, const struct flow_message *m, uint64_t now_us)
{
	return now_us - m->first_us + f->rtt.srtt_us / 2 < f->settings->deadline_us;
}

static void stand_in_line(struct kcp_flow *f, struct flow_message *m, uint64_t id)
{
	m->state = FLOW_RESEND;
	m->more = m->tries < 3 ? m->tries : 3;
	if (m->in_line)
		return;
	m->in_line = true;
	f->tx.line[f->tx.line_tail++ & f->tx.message_mask] = (uint32_t)id;
}

/* Of the messages that wait, the oldest are sent again until parity covers the rest. */
static void settle(struct kcp_flow *f, struct flow_group *g)
{
	uint32_t spare = g->rows > g->lost_parity ? (uint32_t)g->rows - g->lost_parity : 0;
	for (uint32_t i = 0; i < g->n && g->waits > spare; i++) {
		if (g->base + i < f->tx.floor)
			continue;
		struct flow_message *m = flow_message_at(f, g->base + i);
		if (m->state != FLOW_WAITS)
			continue;
		g->waits--;
		stand_in_line(f, m, g->base + i);
	}
}

static void message_lost(struct kcp_flow *f, uint64_t id, uint64_t now_us)
{
	if (id < f->tx.floor)
		return;
	struct flow_message *m = flow_message_at(f, id);
	if (m->copies != 0)
		m->copies--;
	if (m->state != FLOW_AWAY || m->copies != 0)
		return;
	struct flow_group *g = group_of(f, m, id);
	if (g == NULL && (m->cell == NULL || !flow_fate_is_in_time(f, m, now_us))) {
		flow_fate_give_up(f, id);
	} else if (g == NULL) {
		stand_in_line(f, m, id);
	} else {
		m->state = FLOW_WAITS;
		g->waits++;
		settle(f, g);
	}
}

void flow_fate_closed(struct kcp_flow *f, uint16_t group)
{
	struct flow_group *g = &f->tx.groups[group];
	g->is_closed = true;
	if (!f->is_deadline)
		return;
	check_done(f, g);
	if (!g->is_done)
		settle(f, g);
}

void flow_fate_advance(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	if (!f->is_deadline)
		return;
	while (tx->floor < tx->next_id) {
		struct flow_message *m = flow_message_at(f, tx->floor);
		if ((m->state == FLOW_WAITS || m->state == FLOW_RESEND) &&
		    !flow_fate_is_in_time(f, m, now_us))
			flow_fate_give_up(f, tx->floor);
		if (m->state != FLOW_DONE)
			return;
		tx->floor++;
	}
}

/* ---- datagrams ---- */

static void unwatch(struct kcp_flow *f, uint64_t pn)
{
	uint64_t at = pn & f->tx.sent_mask;
	f->tx.watched[at / 64] &= ~(UINT64_C(1) << (at % 64));
}

static uint64_t sent_at(const struct flow_sent *s, uint64_t now_us)
{
	return now_us - (uint32_t)((uint32_t)now_us - s->cc.sent_us);
}

/* One that was taken for lost has come: datagrams overtake each other further than we thought. */
static void was_wrong(struct kcp_flow *f, uint64_t pn, uint64_t largest, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	uint64_t distance = largest > pn ? largest - pn + 1 : 1;
	flow_count(f, KCP_LOST_WRONGLY, 1);
	if (distance > REORDER_PN_MOST)
		distance = REORDER_PN_MOST;
	if (distance > tx->reorder_pn)
		tx->reorder_pn = (uint32_t)distance;
	tx->calm_us = now_us;
	kcp_group_plan_undo(&tx->plan);
	/* at most once in a round trip: what is wrong now was decided before the last step */
	if (now_us - tx->raised_us <= f->rtt.srtt_us || tx->reorder_8th == REORDER_8TH_MOST)
		return;
	tx->raised_us = now_us;
	tx->reorder_8th++;
}

static void calm_down(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	if (now_us - tx->calm_us < CALM_US + 16 * f->rtt.srtt_us)
		return;
	tx->calm_us = now_us;
	if (tx->reorder_8th > REORDER_8TH)
		tx->reorder_8th--;
	tx->reorder_pn = tx->reorder_pn / 2 > REORDER_PN ? tx->reorder_pn / 2 : REORDER_PN;
}

static void contents_arrived(struct kcp_flow *f, const struct flow_sent *s)
{
	if (!f->is_deadline)
		return;
	if (s->what == FLOW_IS_MESSAGES) {
		uint64_t id = kcp_frame_expand(f->tx.next_id, s->id);
		for (uint32_t i = 0; i < s->count; i++)
			arrived(f, id + i);
	} else if (s->what == FLOW_IS_PARITY) {
		struct flow_group *g = &f->tx.groups[s->group];
		if ((uint32_t)g->base != s->id || g->is_done)
			return;
		g->acked++;
		check_done(f, g);
	}
}

static void contents_lost(struct kcp_flow *f, const struct flow_sent *s, uint64_t now_us)
{
	if (!f->is_deadline)
		return;
	if (s->what == FLOW_IS_MESSAGES) {
		uint64_t id = kcp_frame_expand(f->tx.next_id, s->id);
		for (uint32_t i = 0; i < s->count; i++)
			message_lost(f, id + i, now_us);
	} else if (s->what == FLOW_IS_PARITY) {
		struct flow_group *g = &f->tx.groups[s->group];
		if ((uint32_t)g->base != s->id || g->is_done)
			return;
		g->lost_parity++;
		settle(f, g);
	}
}

static void declare_lost(struct kcp_flow *f, uint64_t pn, uint64_t now_us)
{
	struct flow_sent *s = flow_sent_at(f, pn);
	s->fate = FLOW_LOST;
	f->tx.n_flying--;
	kcp_congestion_lost(&f->congestion, &s->cc, now_us);
	kcp_group_plan_report(&f->tx.plan, 0, 1);
	flow_count(f, KCP_LOST, 1);
	contents_lost(f, s, now_us);
}

static uint64_t late_after(const struct kcp_flow *f)
{
	const struct kcp_rtt *r = &f->rtt;
	uint64_t rtt = r->latest_us > r->srtt_us ? r->latest_us : r->srtt_us;
	uint64_t margin = rtt * f->tx.reorder_8th / 8;
	return rtt + (margin > GRANULARITY_US ? margin : GRANULARITY_US);
}

static void detect(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	uint64_t after = late_after(f);
	tx->loss_us = KCP_NEVER;
	while (tx->low_pn < tx->next_pn) {
		struct flow_sent *s = flow_sent_at(f, tx->low_pn);
		if (s->fate == FLOW_FLYING) {
			if (tx->low_pn >= tx->largest_acked)
				return;
			uint64_t due = sent_at(s, now_us) + after;
			if (tx->largest_acked - tx->low_pn < tx->reorder_pn && now_us < due) {
				tx->loss_us = due;
				return;
			}
			declare_lost(f, tx->low_pn, now_us);
		}
		tx->low_pn++;
	}
}

/* Those that were taken for lost are watched for another while: they may come after all. */
static void narrow_watch(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	uint64_t after = 2 * late_after(f);
	while (tx->watch_pn < tx->low_pn) {
		struct flow_sent *s = flow_sent_at(f, tx->watch_pn);
		if (s->fate == FLOW_LOST && now_us - sent_at(s, now_us) < after)
			return;
		s->fate = FLOW_FREE;
		unwatch(f, tx->watch_pn++);
	}
}

/* ---- acknowledgements ---- */

struct tally {
	uint64_t largest; /* newly acknowledged; 0 = none */
	uint64_t largest_sent_us;
	uint32_t n;
	bool is_first_fate; /* largest was not taken for lost: it measures the round trip */
};

static void acknowledge(struct kcp_flow *f, uint64_t pn, struct tally *t, uint64_t now_us)
{
	struct flow_sent *s = flow_sent_at(f, pn);
	bool flew = s->fate == FLOW_FLYING;
	if (flew) {
		f->tx.n_flying--;
		kcp_congestion_acked(&f->congestion, &s->cc, now_us);
		t->n++;
	} else {
		was_wrong(f, pn, f->tx.largest_acked, now_us);
	}
	if (pn > t->largest) {
		t->largest = pn;
		t->largest_sent_us = sent_at(s, now_us);
		t->is_first_fate = flew;
	}
	s->fate = FLOW_FREE;
	unwatch(f, pn);
	contents_arrived(f, s);
}

/* All watched ones from low to high. */
static void acknowledge_run(struct kcp_flow *f, uint64_t low, uint64_t high, struct tally *t,
			    uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	if (low < tx->watch_pn)
		low = tx->watch_pn;
	while (low <= high) {
		uint64_t end = (low | 63) < high ? (low | 63) : high;
		uint64_t bits = tx->watched[(low & tx->sent_mask) / 64] >> (low % 64);
		for (; bits != 0; bits &= bits - 1) {
			uint64_t pn = low + (uint64_t)__builtin_ctzll(bits);
			if (pn > end)
				break;
			acknowledge(f, pn, t, now_us);
		}
		low = end + 1;
	}
}

static void sample_rtt(struct kcp_flow *f, const struct tally *t, uint64_t delay_us,
		       uint64_t now_us)
{
	if (t->largest == 0 || !t->is_first_fate)
		return;
	uint64_t rtt = now_us - t->largest_sent_us;
	/* what the peer says it waited counts only as far as the rest is no less than ever seen */
	if (f->rtt.min_us == UINT64_MAX || rtt >= f->rtt.min_us + delay_us)
		rtt -= delay_us < rtt ? delay_us : 0;
	kcp_rtt_sample(&f->rtt, rtt, now_us);
	f->measured_us = now_us;
}

static void take_floor(struct kcp_flow *f, uint64_t floor)
{
	if (!f->is_deadline)
		return;
	for (uint64_t id = f->tx.floor; id < floor; id++)
		arrived(f, id);
}

bool flow_fate_ack(struct kcp_flow *f, const uint8_t *data, uint32_t len, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	struct kcp_frame h;
	struct kcp_runs runs;
	struct tally t = {0};
	uint64_t low, high;
	kcp_frame_parse(data, &h);
	uint64_t largest = kcp_frame_expand(tx->next_pn, h.pn);
	uint64_t floor = kcp_frame_expand(tx->next_id, h.id);
	if (largest >= tx->next_pn || floor > tx->next_id) {
		flow_count(f, KCP_ACKS_FORGED, 1);
		return false;
	}
	flow_count(f, KCP_ACKS_RECEIVED, 1);
	kcp_congestion_ack_begin(&f->congestion);
	kcp_runs_init(&runs, data + KCP_FRAME_HEAD_LEN, len - KCP_FRAME_HEAD_LEN, largest);
	while (kcp_runs_next(&runs, &low, &high) && high >= tx->watch_pn)
		acknowledge_run(f, low, high, &t, now_us);
	if (t.largest > tx->largest_acked)
		tx->largest_acked = t.largest;
	take_floor(f, floor);
	if (t.n != 0)
		tx->probes = 0;
	kcp_group_plan_report(&tx->plan, t.n, 0);
	sample_rtt(f, &t, (uint64_t)h.word * KCP_FRAME_DELAY_UNIT, now_us);
	detect(f, now_us);
	narrow_watch(f, now_us);
	calm_down(f, now_us);
	kcp_congestion_ack_end(&f->congestion, &f->rtt, now_us);
	kcp_pacer_set_rate(&f->pacer, kcp_congestion_pace(&f->congestion));
	flow_fate_advance(f, now_us);
	return !runs.is_bad;
}

/* ---- time ---- */

static uint64_t probe_at(const struct kcp_flow *f)
{
	uint64_t t = kcp_rtt_timeout(&f->rtt, GRANULARITY_US, PROBE_LEAST, PROBE_MOST,
				     PROBE_UNKNOWN) +
		     ACK_DELAY_MOST;
	uint32_t shift = f->tx.probes < 6 ? f->tx.probes : 6;
	t <<= shift;
	return f->tx.last_sent_us + (t < PROBE_MOST ? t : PROBE_MOST);
}

static void lose_all(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	kcp_congestion_ack_begin(&f->congestion);
	for (; tx->low_pn < tx->next_pn; tx->low_pn++)
		if (flow_sent_at(f, tx->low_pn)->fate == FLOW_FLYING)
			declare_lost(f, tx->low_pn, now_us);
	kcp_congestion_timeout(&f->congestion, now_us);
	kcp_pacer_set_rate(&f->pacer, kcp_congestion_pace(&f->congestion));
	tx->loss_us = KCP_NEVER;
}

void flow_fate_timers(struct kcp_flow *f, uint64_t now_us)
{
	struct flow_tx *tx = &f->tx;
	if (tx->loss_us <= now_us) {
		kcp_congestion_ack_begin(&f->congestion);
		detect(f, now_us);
		kcp_congestion_ack_end(&f->congestion, &f->rtt, now_us);
		kcp_pacer_set_rate(&f->pacer, kcp_congestion_pace(&f->congestion));
	}
	if (tx->n_flying != 0 && probe_at(f) <= now_us) {
		tx->probes++;
		tx->last_sent_us = now_us; /* the next one from here, should none be sent now */
		tx->wants_probe = true;
		flow_count(f, KCP_TAIL_PROBES, 1);
		if (tx->probes == PROBES_MOST)
			lose_all(f, now_us);
	}
	flow_fate_advance(f, now_us);
}

uint64_t flow_fate_next(const struct kcp_flow *f)
{
	uint64_t next = f->tx.loss_us;
	if (f->tx.n_flying != 0) {
		uint64_t probe = probe_at(f);
		next = probe < next ? probe : next;
	}
	return next;
}
