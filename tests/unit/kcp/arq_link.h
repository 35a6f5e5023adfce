/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arq_link: two engines and a network between them in memory, on a clock that jumps from one event to the
 * next. What the network does follows from the seed.
 *
 *	arq_link_init(&l, seed, &settings);
 *	l.net.loss_ppm = 100000;
 *	arq_link_send(&l.a, 1000);                one message, numbered, of so many bytes
 *	arq_link_run(&l, 10 * SECOND);            until nothing happens, or so long
 *	arq_link_end(&l);                         reports what leaked
 *
 * Every end checks that the messages that it is given are the other's, each once and in order.
 */
#ifndef TEST_ARQ_LINK_H
#define TEST_ARQ_LINK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arq.h"

#define MS     UINT64_C(1000)
#define SECOND UINT64_C(1000000)

#define LINK_START UINT64_C(1000000000) /* the clock at the beginning, us */
#define LINK_UNDER 16384u               /* datagrams under way at most */

struct arq_link;

struct arq_end {
	struct arq_link *l;
	struct arq_end *other;
	void *engine;
	uint64_t due_us;
	uint64_t counts[KCP_N_COUNTS];
	uint32_t n_sent;      /* messages */
	uint32_t n_delivered; /* of the other's */
	uint64_t bytes_delivered;
	uint32_t n_datagrams; /* emitted */
	uint64_t bytes_emitted;
	uint32_t packets;    /* that the engine holds */
	uint32_t fresh_left; /* packets that may be had; UINT32_MAX = any number */
	bool deaf;           /* the device takes nothing */
	bool mute;           /* the network side takes nothing */
	bool gaps;           /* messages of the other may be missing: it drops from its queue */
	uint32_t n_writable, n_restarted;
};

struct arq_net {
	uint64_t delay_us, jitter_us;
	uint32_t loss_ppm, duplicate_ppm, corrupt_ppm;
	uint64_t us_per_datagram; /* the bottleneck; 0 = none */
	uint32_t queue;           /* datagrams before it */
	/* called for each datagram; false: it is lost. May be NULL. */
	bool (*filter)(struct arq_link *l, struct arq_end *from, uint8_t *data, uint32_t len);
};

struct arq_flying {
	uint64_t at_us;
	uint64_t order;
	struct arq_end *to;
	uint8_t *data;
	uint32_t len;
};

struct arq_link {
	uint64_t now_us;
	uint64_t rng, order;
	struct arq_net net;
	uint64_t free_us[2]; /* when the bottleneck is free again */
	struct kcp_settings settings;
	struct kcp_cells cells[2];
	struct arq_end a, b;
	struct arq_flying flying[LINK_UNDER]; /* a heap by at_us */
	uint32_t n_flying;
	uint32_t mtu, message;
};

/* Settings as the presets' fast3, windows of 128. */
struct kcp_settings arq_link_settings(void);

void arq_link_init(struct arq_link *l, uint64_t seed, const struct kcp_settings *settings);
/* The same with other sizes; 0 = 1400 and 1376. */
void arq_link_init_sizes(struct arq_link *l, uint64_t seed, const struct kcp_settings *settings,
			 uint32_t mtu, uint32_t message);
void arq_link_end(struct arq_link *l);

uint64_t arq_link_random(struct arq_link *l);

/* False: refused. */
bool arq_link_send(struct arq_end *e, uint32_t len);
/* As many as are asked for, waiting for room; false: not within `us`. */
bool arq_link_send_all(struct arq_end *e, uint32_t n, uint32_t len, uint64_t us);

/* Calls flush() and takes note of when it is due again. */
void arq_link_flush(struct arq_end *e);

/* Gives a datagram to an engine, and flushes it. */
bool arq_link_input(struct arq_end *e, const void *data, uint32_t len);

/* Until nothing is under way or due, or `us` have passed. */
void arq_link_run(struct arq_link *l, uint64_t us);
/* Until b (or a) has been given n messages; false: not within `us`. */
bool arq_link_run_until(struct arq_end *e, uint32_t n, uint64_t us);

struct kcp_arq *arq_of(struct arq_end *e);

#endif
