/* SPDX-License-Identifier: BSD-2-Clause */
/* flow_parts: the engine's state, for flow*.c only. What each file does is said at its top. */
#ifndef KCP_FLOW_PARTS_H
#define KCP_FLOW_PARTS_H

#include "backlog.h"
#include "cells.h"
#include "congestion.h"
#include "flow.h"
#include "group.h"
#include "group_plan.h"
#include "pacer.h"
#include "ranges.h"
#include "rtt.h"

#define FLOW_SENT_MOST   KCP_RANGES_WINDOW /* datagrams that can be accounted for */
#define FLOW_SENT_LEAST  256u
#define FLOW_AHEAD       65536u /* a number further ahead than this is not believed */
#define FLOW_KEEP        512u   /* messages that parity may still need, behind the floor */
#define FLOW_GROUPS      256u   /* groups whose fate the sender follows */
#define FLOW_NO_GROUP    0xffffu
#define FLOW_LANES       256u
#define FLOW_PARITY_MOST 64u                 /* rows that wait to be sent */
#define FLOW_FIRST_ID    (UINT64_C(1) << 32) /* 0 on the wire; so that no distance is below 0 */

enum flow_state { FLOW_CLOSED, FLOW_ASKING, FLOW_OPEN };

/* ---- sender ---- */

enum flow_what { FLOW_IS_MESSAGES, FLOW_IS_PARITY, FLOW_IS_PING };
enum flow_fate { FLOW_FREE, FLOW_FLYING, FLOW_LOST };

/* A datagram, by pn. */
struct flow_sent {
	struct kcp_congestion_sent cc;
	uint32_t id;    /* of its first message; PARITY: the group's base */
	uint16_t group; /* PARITY */
	uint8_t what, fate;
	uint8_t count; /* of messages */
};

enum flow_message_state {
	FLOW_DONE,   /* arrived, or given up */
	FLOW_AWAY,   /* under way */
	FLOW_WAITS,  /* lost; parity may still bring it back */
	FLOW_RESEND, /* lost; stands in line to be sent again */
};

/* A message, by id. Kept in "deadline" only. */
struct flow_message {
	uint8_t *cell; /* NULL: cannot be sent again */
	uint64_t first_us;
	uint16_t len, back;
	uint16_t group;
	uint8_t lane, state;
	uint8_t tries;  /* times that it was sent, on purpose twice counts once */
	uint8_t copies; /* under way */
	uint8_t more;   /* copies that are still to be sent */
	bool in_line;   /* its id stands in the line */
};

/* The fate of a group, as far as the peer's acks tell. */
struct flow_group {
	uint64_t base;
	uint8_t n, rows; /* so far, while it is open */
	uint8_t acked;   /* of both */
	uint8_t waits;   /* messages in FLOW_WAITS */
	uint8_t lost_parity;
	bool is_closed, is_done;
};

struct flow_parity {
	uint8_t *cell;
	uint64_t base;
	uint32_t len;
	uint16_t group;
	uint8_t n, row;
};

struct flow_tx {
	struct flow_sent *sent;
	uint64_t *watched; /* bits: FLYING or LOST */
	uint32_t sent_mask;
	uint64_t next_pn, low_pn; /* low_pn: first that flies, or next_pn */
	uint64_t watch_pn;        /* first that is watched, at most low_pn */
	uint64_t largest_acked;   /* 0 = none */
	uint32_t n_flying;

	struct flow_message *messages;
	uint32_t message_mask;
	uint64_t next_id, floor;
	uint64_t told_floor; /* by the last PING */
	uint32_t *line;      /* ids to be sent again; a ring of message_mask + 1 */
	uint32_t line_head, line_tail;
	bool has_given_up; /* since the last PING */

	uint64_t lane_last[FLOW_LANES]; /* id, 0 = none */

	struct kcp_group_tx group;
	struct kcp_group_plan plan;
	struct flow_group groups[FLOW_GROUPS];
	uint16_t group_now; /* index while group.n != 0 or is open */
	bool group_open;
	struct flow_parity parity[FLOW_PARITY_MOST];
	uint32_t parity_head, parity_tail;

	struct kcp_backlog backlog;
	uint32_t n_held; /* packets in it; the rest are in cells */

	uint64_t loss_us;      /* when the next datagram counts as lost; KCP_NEVER */
	uint64_t last_sent_us; /* of what is answered */
	uint32_t probes;       /* timeouts in a row */
	uint32_t reorder_pn;   /* datagrams that may come after a later one */
	uint32_t reorder_8th;  /* of a round trip that they may be late */
	uint64_t calm_us;      /* since when no loss was found wrong */
	uint64_t raised_us;    /* when reorder_8th last was */
	bool wants_ping, wants_probe;
};

/* ---- receiver ---- */

enum flow_arrival_state {
	FLOW_UNKNOWN,
	FLOW_MISSING,
	FLOW_HELD,  /* waits for one before it */
	FLOW_READY, /* waits for the device; from here on the floor may pass */
	FLOW_DELIVERED,
	FLOW_MISSED
};

/* A message, by id. */
struct flow_arrival {
	uint8_t *cell; /* its shard */
	uint64_t noticed_us;
	uint32_t waiter; /* low half of the id that waits for this one */
	uint16_t len;    /* of the shard */
	uint8_t state;
	uint8_t group; /* pending group that it may belong to */
	bool has_waiter;
};

/* A message on its way in. */
struct flow_incoming {
	uint64_t id;
	struct kcp_frame_shard head;
	const uint8_t *payload;
	struct vpn_packet *packet; /* the message alone, to be delivered itself; NULL = copy */
	uint8_t *cell;             /* the shard, ours; NULL = none */
	bool is_covered;           /* parity may need it */
};

struct flow_rx {
	struct kcp_ranges pns;
	struct flow_arrival *arrivals;
	uint32_t mask;
	uint32_t window;            /* ids at and above the floor that fit */
	uint64_t next, floor, tail; /* ids; below tail nothing is kept */
	uint32_t *ready;            /* ids of FLOW_READY, a ring of mask + 1 */
	uint32_t ready_head, ready_tail;
	struct kcp_group_pending pending;
	uint64_t largest_us; /* when the largest pn came */
	uint64_t ack_us;     /* when an ack is due, KCP_NEVER */
	uint64_t acked_us;   /* when the last one went */
	uint32_t unacked;
	uint64_t measuring_us; /* when a ping was last sent for want of a round trip */
	uint32_t reach;        /* how far behind the largest pn others have come lately */
};

struct kcp_flow {
	const struct kcp_settings *settings;
	struct kcp_outlet out;
	struct kcp_cells *cells;
	uint32_t mtu, message;
	bool is_deadline;
	bool is_closed;
	enum flow_state state;
	uint64_t own_id, peer_id;
	uint32_t peer_message, peer_window;
	uint64_t peer_budget_us;
	uint64_t rng;

	/* beginning */
	bool wants_welcome;
	uint64_t hello_us; /* when the next HELLO is due */
	uint64_t hello_wait_us, hello_sent_us;
	uint8_t cookie[KCP_FRAME_COOKIE_LEN];

	uint64_t heard_us, unheard_us;
	uint64_t measured_us; /* when the round trip was last */
	struct kcp_rtt rtt;
	struct kcp_pacer pacer;
	struct kcp_congestion congestion;
	struct flow_tx tx;
	struct flow_rx rx;
};

static inline void flow_count(const struct kcp_flow *f, enum kcp_count what, uint64_t n)
{
	f->out.count(f->out.ctx, what, n);
}

static inline void flow_drop(const struct kcp_flow *f, struct vpn_packet *p, enum kcp_count reason)
{
	f->out.count(f->out.ctx, reason, 1);
	f->out.release(f->out.ctx, p);
}

static inline struct flow_sent *flow_sent_at(const struct kcp_flow *f, uint64_t pn)
{
	return &f->tx.sent[pn & f->tx.sent_mask];
}

static inline struct flow_message *flow_message_at(const struct kcp_flow *f, uint64_t id)
{
	return &f->tx.messages[id & f->tx.message_mask];
}

static inline struct flow_arrival *flow_arrival_at(const struct kcp_flow *f, uint64_t id)
{
	return &f->rx.arrivals[id & f->rx.mask];
}

static inline uint32_t flow_peer_number(const struct kcp_flow *f)
{
	return (uint32_t)f->peer_id;
}

/* Whether one more datagram can be accounted for. */
static inline bool flow_tx_has_room(const struct flow_tx *tx)
{
	return tx->next_pn - tx->low_pn < tx->sent_mask;
}

/* Whether one may go now. */
static inline bool flow_tx_may_send(const struct kcp_flow *f, uint64_t now_us)
{
	return kcp_congestion_may_send(&f->congestion) && kcp_pacer_may_send(&f->pacer, now_us) &&
	       flow_tx_has_room(&f->tx) && f->out.can_emit(f->out.ctx);
}

/* Whether the peer and we have room for one more message. */
static inline bool flow_tx_has_window(const struct kcp_flow *f)
{
	const struct flow_tx *tx = &f->tx;
	uint64_t away = tx->next_id - tx->floor;
	return !f->is_deadline || (away <= tx->message_mask && away < f->peer_window);
}

/* flow_begin.c */
uint32_t flow_begin_first_pn(uint64_t sender, uint64_t receiver);
void flow_begin_ask(struct kcp_flow *f, uint64_t now_us);
bool flow_begin_input(struct kcp_flow *f, uint8_t kind, const uint8_t *data, uint64_t now_us);
uint64_t flow_begin_flush(struct kcp_flow *f, uint64_t now_us);

/* flow_tx.c: whole state of the sender */
bool flow_tx_init(struct kcp_flow *f);
void flow_tx_clear(struct kcp_flow *f);
/* Nothing has been sent; what waits stays. */
void flow_tx_reset(struct kcp_flow *f, uint64_t now_us);
void flow_tx_flush(struct kcp_flow *f, uint64_t now_us);
uint64_t flow_tx_next(const struct kcp_flow *f, uint64_t now_us);
/* Accounts for a datagram that takes the next pn. */
uint64_t flow_tx_account(struct kcp_flow *f, const struct flow_sent *what, uint32_t bytes,
			 uint64_t now_us);

/* flow_queue.c: takes a message; the oldest makes room when there is none. */
bool flow_queue_add(struct kcp_flow *f, struct vpn_packet *message, uint64_t now_us);
/* Drops what has waited longer than is any use. */
void flow_queue_expire(struct kcp_flow *f, uint64_t now_us);
/* The next item that CoDel lets through; false: none. */
bool flow_queue_next(struct kcp_flow *f, struct kcp_backlog_item *out, uint64_t now_us);
/* The cell that an item stands in; NULL: it is a packet. */
uint8_t *flow_queue_cell(const struct kcp_backlog_item *item);
void flow_queue_drop(struct kcp_flow *f, const struct kcp_backlog_item *item,
		     enum kcp_count reason);
/* Releases the packet of an item that was copied; a cell has been kept or given back. */
void flow_queue_release(struct kcp_flow *f, const struct kcp_backlog_item *item);

/* flow_message.c: sends the next message, or several small ones. False: nothing more can be sent now. */
bool flow_message_send(struct kcp_flow *f, uint64_t now_us);
/* Ends the open group: its parity stands in line. */
void flow_message_close_group(struct kcp_flow *f);

/* flow_repair.c: the first of the line of what is sent again; the first parity. False: no packet now. */
bool flow_repair_send(struct kcp_flow *f, uint64_t now_us);
bool flow_repair_parity(struct kcp_flow *f, uint64_t now_us);
/* Sends a ping. False: it cannot be sent now. */
bool flow_repair_ping(struct kcp_flow *f, uint64_t now_us);
void flow_repair_probe(struct kcp_flow *f, uint64_t now_us);

/* flow_fate.c: what has become of what was sent */
bool flow_fate_ack(struct kcp_flow *f, const uint8_t *data, uint32_t len, uint64_t now_us);
void flow_fate_timers(struct kcp_flow *f, uint64_t now_us);
uint64_t flow_fate_next(const struct kcp_flow *f);
void flow_fate_advance(struct kcp_flow *f, uint64_t now_us);
void flow_fate_give_up(struct kcp_flow *f, uint64_t id);
void flow_fate_closed(struct kcp_flow *f, uint16_t group);
bool flow_fate_is_in_time(const struct kcp_flow *f, const struct flow_message *m, uint64_t now_us);

/* flow_rx.c */
bool flow_rx_init(struct kcp_flow *f);
void flow_rx_clear(struct kcp_flow *f);
void flow_rx_reset(struct kcp_flow *f, uint64_t now_us);
bool flow_rx_input(struct kcp_flow *f, struct vpn_packet *p, uint64_t now_us);
void flow_rx_flush(struct kcp_flow *f, uint64_t now_us);
uint64_t flow_rx_next(const struct kcp_flow *f);

/* flow_arrival.c: takes packet and cell of a message. True: it is new. */
bool flow_arrival_take(struct kcp_flow *f, const struct flow_incoming *in, uint64_t now_us);
/* All ids below `to` exist: those not seen yet are missing from now on. */
void flow_arrival_hear_of(struct kcp_flow *f, uint64_t to, uint64_t now_us);
/* Gives up what is missing below `to`. */
void flow_arrival_raise_floor(struct kcp_flow *f, uint64_t to);
/* Gives up what has been missing for too long, flow_arrival_hold() us. */
void flow_arrival_expire(struct kcp_flow *f, uint64_t now_us);
uint64_t flow_arrival_hold(const struct kcp_flow *f);
/* Hands the device what waits for it. */
void flow_arrival_resume(struct kcp_flow *f);
/* Forgets everything. */
void flow_arrival_forget(struct kcp_flow *f);

/* flow_parity.c: takes a datagram of parity. False: it is not valid. */
bool flow_parity_take(struct kcp_flow *f, const struct kcp_frame *h, struct vpn_packet *p,
		      uint64_t now_us);
/* A message of a group may be the one that it lacked. */
void flow_parity_check(struct kcp_flow *f, uint64_t id, uint64_t now_us);

/* flow_ack.c: a datagram has come: when is it acknowledged? */
void flow_ack_want(struct kcp_flow *f, enum kcp_ranges_result how, uint64_t pn, uint64_t now_us);
/* False: no packet now. */
bool flow_ack_emit(struct kcp_flow *f, uint64_t now_us);
/* Asks for an answer when the round trip has not been measured for long. */
void flow_ack_measure(struct kcp_flow *f, uint64_t now_us);

/* flow_lane.c: the lane that a message belongs to, 0 = none. `large`: bytes from which what cannot be
 * read (encrypted above) is taken for a part of a bulk transfer. */
uint8_t flow_lane_of(const uint8_t *data, uint32_t len, uint32_t large);

#endif
