/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue: the data path of one queue of the device on one lane.
 *
 * Down: a read gives a packet or a super-packet. Single packets land in the pool's packet without a
 * copy; super-packets land in a buffer of the queue and are cut from there into packets, copied and
 * summed in one pass. What the stage below does not take stays here (a batch and the rest of one
 * super-packet), and the descriptor is not read until the stage asks.
 * Up: a batch is coalesced and each group written by one writev() from where its pieces lie.
 */
#ifndef TUNTAP_QUEUE_H
#define TUNTAP_QUEUE_H

#include <sys/uio.h>
#include <vpncore/tcpip.h>

#include "tuntap.h"

#define TUNTAP_SPARES    16u    /* packets held ready for reads */
#define TUNTAP_BIG_ROOM  65536u /* in front: for a head that was read into a packet */
#define TUNTAP_BIG_BYTES (65536u + 64u)

struct tuntap_queue {
	int fd;
	bool ethernet;
	bool vnet_hdr;
	bool closed;
	struct tuntap *owner;
	struct vpn_lane *lane;
	const struct vpn_host *host;

	/* down */
	uint32_t room;     /* largest packet that the kernel may hand over */
	bool expect_super; /* the last read gave a super-packet */
	bool cutting;      /* segments from next_seg on are still to be cut */
	bool blocked;      /* waiting for writable() */
	bool paused;       /* waiting for the timer: the pool is empty, or others have their turn */
	uint8_t traffic_class;
	bool has_class;
	uint32_t next_seg;
	struct tcpip_gso gso;
	uint32_t n_spares, n_batch;
	struct vpn_packet *spares[TUNTAP_SPARES];
	struct vpn_packet *batch[VPN_BATCH_MAX];
	uint8_t *big; /* TUNTAP_BIG_ROOM + TUNTAP_BIG_BYTES */

	/* up */
	uint32_t gro_options;
	struct tcpip_gro_item items[TCPIP_GRO_MAX];
	struct iovec iov[TCPIP_GRO_MAX + 1];
	struct tcpip_gro gro;
};

/* NULL when out of memory. [main] */
struct tuntap_queue *tuntap_queue_new(struct tuntap *owner, struct vpn_lane *lane, int fd);

/* Ends the watch and gives all packets back. Accepts NULL. Returns NULL. [main] */
struct tuntap_queue *tuntap_queue_free(struct tuntap_queue *q);

/* Has ready() called for the queue, or not. [lane] [start] */
vpn_status tuntap_queue_watch(struct tuntap_queue *q, bool on);

/* Reads about one batch and pushes it down. Returns VPN_MORE or VPN_IDLE. [lane] */
uint32_t tuntap_queue_read(struct tuntap_queue *q);

/* The stage below takes packets again. [lane] */
void tuntap_queue_writable(struct tuntap_queue *q);

/* The pool may have packets again, or others have had their turn. [lane] */
void tuntap_queue_timer(struct tuntap_queue *q);

/* Writes a batch to the kernel; all packets are released. n <= VPN_BATCH_MAX. [lane] */
void tuntap_queue_write(struct tuntap_queue *q, struct vpn_packet **pkts, uint32_t n);

#endif
