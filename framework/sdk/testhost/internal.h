/* SPDX-License-Identifier: BSD-2-Clause */
/* internal: what the files of the test host share. */
#ifndef VPNCORE_TESTHOST_INTERNAL_H
#define VPNCORE_TESTHOST_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <vpncore/testhost.h>

#define POOLS      3u      /* VPN_POOL_TX, VPN_POOL_RX, VPN_POOL_RX_LARGE */
#define POOL_NONE  POOLS   /* packets of the test's own, and pieces: not counted against a pool */
#define REST_MAX   100000u /* callbacks at one moment: beyond that the component spins */
#define NEVER      UINT64_MAX
#define STALE_WORD UINT64_C(0xdddddddddddddddd) /* no pointer: what has gone is filled with it */

/* ---- packet.c: packets, their storage, and who owns them ---- */

enum owner { OWNER_NONE, OWNER_STAGE, OWNER_TEST };

/* An endpoint that a packet points to for the length of a push. */
struct loan {
	struct vpn_endpoint endpoint;
	struct loan *next;
};

/* A packet with what the host knows about it. A freed box keeps its place for a long time, so that
 * a stale pointer is recognised. */
struct box {
	struct vpn_packet pub; /* first: stages hold pointers to it */
	struct box *next;      /* in the queue of free boxes */
	struct part *part;
	enum owner owner;
	uint32_t pool;
	bool seen; /* in the batch that is being checked */
	uint8_t *block;
	size_t block_len;
	uint8_t *buf; /* what pub.buf and pub.cap must still be */
	uint32_t cap;
	struct loan *lent;
};

struct slab;

struct store {
	struct slab *slabs;
	struct box *first_free, **last_free;
	uint32_t n_free;
};

void store_init(struct store *s);
void store_clear(struct store *s);

/* A packet of `room` bytes in front of `size` bytes of data and tailroom. NULL: no memory. */
struct box *box_new(struct store *s, struct part *part, enum owner owner, uint32_t pool,
		    uint32_t room, uint32_t size);
void box_free(struct store *s, struct box *b);
void box_lend(struct box *b, const struct vpn_endpoint *endpoint);
void box_take_back(struct box *b); /* its loan ends with the push */
void loans_end(struct part *part); /* frees what was taken back: a push has returned */

/* The box of a pointer that a component handed over, if it is sound and belongs to `owner` of
 * `part`; otherwise a report that begins with `what`, and NULL. */
struct box *box_check(struct store *s, struct vpn_packet *p, const struct part *part,
		      enum owner owner, const char *what);

/* How many packets a stage (or the test, for it) still owns. */
uint32_t store_owned(const struct store *s, const struct testhost_stage *stage, enum owner owner);
void store_reclaim(struct store *s, const struct testhost_stage *stage); /* frees them all */

/* ---- link.c: what a stage pushes ---- */

struct record {
	struct record *next;
	struct testhost_record pub;
	uint8_t data[];
};

struct end {
	struct vpn_link pub;
	struct part *part;
	uint32_t direction;
	uint32_t budget;
	uint32_t n_records;
	uint32_t writable_calls;
	uint64_t pushes;
	struct record *first, **last;
	struct record *current; /* given out by testhost_next() */
	struct way *way;        /* a wire's direction that starts here */
};

void end_init(struct end *e, struct part *part, uint32_t direction);
void end_clear(struct end *e);

/* ---- wire.c ---- */

struct way;

void way_send(struct way *way, const struct vpn_packet *p, uint32_t lane);
uint64_t wires_next(const struct testhost *h);
bool wires_deliver(struct testhost *h); /* true when anything was due */
void wires_cut(struct testhost_stage *s);

/* ---- stage.c, services.c ---- */

enum phase {
	PHASE_NONE,
	PHASE_CREATE,
	PHASE_START,
	PHASE_LANE,
	PHASE_RELOAD,
	PHASE_STOP,
	PHASE_DESTROY
};
enum state { STATE_CREATED, STATE_RUNNING, STATE_STOPPED };

struct question {
	struct question *next;
	uint64_t token;
	uint32_t family;
	uint16_t port;
	char name[256];
};

/* What a stage has on one lane. */
struct part {
	struct vpn_lane pub;    /* pub.host_private points back here */
	struct vpn_lane before; /* pub as it must still be after a call */
	struct testhost_stage *stage;
	struct end ends[2]; /* by direction */
	uint64_t deadline;
	struct testhost_watch *watches;
	uint32_t n_watches;
	uint32_t out[POOLS + 1]; /* packets of each pool that the stage owns */
	struct question *questions;
	struct loan *loans; /* to be freed when the push returns */
	atomic_bool woken;
};

#define EVENTS_MAX 8u

struct testhost_stage {
	struct testhost_stage *next; /* older */
	struct testhost *host;
	const struct vpn_component *component;
	struct testhost_setup setup;
	struct vpn_needs needs;
	struct vpn_host services;
	void *inst;
	struct part *parts;
	enum state state;
	enum phase phase;
	uint32_t phase_lane;
	uint32_t notified[EVENTS_MAX];
	uint64_t notified_value[EVENTS_MAX];
	bool has_failed;
	struct vpn_error failed;
};

void services_fill(struct testhost_stage *s);
void part_answer(struct part *part); /* answers all questions so far */

/* Mark the time that is spent in the component: faults of memory and phases are about it. */
void stage_enter(struct testhost_stage *s, enum phase phase, uint32_t lane);
void stage_leave(struct testhost_stage *s);
void stage_timer(struct part *part);
bool stage_can(const struct testhost_stage *s, enum phase phase);

/* ---- testhost.c ---- */

struct line {
	uint32_t level;
	char *text;
};

struct script {
	struct script *next;
	char *name;
	vpn_status status;
	struct vpn_endpoint *endpoints;
	uint32_t n;
};

struct service {
	struct service *next;
	const char *id;
	const void *functions;
	void *inst;
};

/* Counts down calls; `again` starts over. */
struct fault {
	uint32_t left, again;
	vpn_status status;
};

struct testhost {
	pthread_mutex_t lock; /* of what the [any] services touch */
	pthread_t thread;
	_Atomic uint64_t now, wall;
	uint64_t rng;
	struct store store;
	struct testhost_stage *stages; /* newest first */
	struct testhost_wire *wires;
	struct line *lines;
	size_t n_lines, room_lines;
	struct script *scripts;
	struct service *services;
	char **asked;
	size_t n_asked;
	struct fault alloc, service;
};

bool fault_hits(struct fault *f);
uint64_t rng_next(uint64_t *state);

#if defined(__GNUC__)
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#else
#define PRINTF_LIKE(f, a)
#endif
void report(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);
#define REPORT(...) report(__FILE__, __LINE__, __VA_ARGS__)

/* Memory of the test host itself: never NULL, stops the program when there is none. */
void *get(size_t n);
char *get_text(const char *text);

/* Non-zero while code of a component runs; host services set it to 0 for their own time. */
extern _Thread_local int testhost_in_component;

static inline int host_begin(void)
{
	int before = testhost_in_component;
	testhost_in_component = 0;
	return before;
}

static inline void host_end(int before)
{
	testhost_in_component = before;
}

#endif
