/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue: the data path of a device that gives whole packets: batches down, batches up, and what to do
 * when the stage below is full or the pool is empty. How packets are read and written is the driver's
 * (struct darwin_port).
 */
#ifndef DARWIN_QUEUE_H
#define DARWIN_QUEUE_H

#include "device.h"

#define DARWIN_QUEUE_READ 64u /* packets that one read() of a port may bring */

struct darwin_queue;

struct darwin_port {
	/* Reads up to n packets into the data of pkts[0..n), room bytes each, and sets their len; 0 for
	 * one that was dropped and counted. Returns how many, 0 when there is nothing now, or a
	 * negative errno, as darwin_queue_read_failed() makes it. */
	int (*read)(struct darwin_queue *q, struct vpn_packet **pkts, uint32_t n);
	/* Writes packets; counts those that the kernel does not take. Releases none. */
	void (*write)(struct darwin_queue *q, struct vpn_packet **pkts, uint32_t n);
	/* Has ready() called for the queue, or not. */
	vpn_status (*watch)(struct darwin_queue *q, bool on);
};

struct darwin_queue {
	const struct darwin_port *port;
	struct darwin_device *device;
	const struct vpn_host *host;
	struct vpn_lane *lane;
	uint32_t room; /* largest packet that the stack carries */
	bool closed;
	bool blocked; /* waiting for writable() */
	bool paused;  /* waiting for the timer */
	uint32_t n_spares, n_batch;
	struct vpn_packet *spares[DARWIN_QUEUE_READ];
	struct vpn_packet *batch[VPN_BATCH_MAX];
	struct vpn_packet *fit[VPN_BATCH_MAX]; /* of a batch on the way up */
};

/* [main] */
void darwin_queue_init(struct darwin_queue *q, const struct darwin_port *port,
		       struct darwin_device *device, struct vpn_lane *lane);
void darwin_queue_clear(struct darwin_queue *q); /* ends the watch, gives all packets back */

/* Reads about one batch and pushes it down. Returns VPN_MORE or VPN_IDLE. [lane] */
uint32_t darwin_queue_read(struct darwin_queue *q);

/* The stage below takes packets again; the time of a pause is over. [lane] */
void darwin_queue_writable(struct darwin_queue *q);
void darwin_queue_timer(struct darwin_queue *q);

/* Writes a batch to the kernel; all packets are released. [lane] */
void darwin_queue_write(struct darwin_queue *q, struct vpn_packet **pkts, uint32_t n);

/* The device is gone: reads and writes no more, and ends the pipeline. [lane] */
void darwin_queue_fail(struct darwin_queue *q, int os_errno);

/* What a failed read means: 0 = nothing now; -EIO = not now, try later (counted, unless the interface is
 * down); any other negative errno = the device is gone. [lane] */
int darwin_queue_read_failed(struct darwin_queue *q, int os_errno);

/* Counts n packets that the kernel has not taken, and sees whether the device is gone. [lane] */
void darwin_queue_count(struct darwin_queue *q, int e, uint32_t n);

#endif
