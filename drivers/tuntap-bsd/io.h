/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io: the data path. These kernels hand over and take one packet in a call, so a batch is as many calls;
 * the four bytes of address family in front of a packet of a TUN device have a piece of the vector of
 * their own, and no packet is moved for them.
 *
 * What the stage below does not take stays here, and the descriptor is not read until it asks.
 */
#ifndef BSD_IO_H
#define BSD_IO_H

#include "life.h"

#define BSD_SPARES 16u /* packets held ready for reads */

/* NULL when out of memory. [main] */
struct bsd_io *bsd_io_new(struct bsd_tuntap *owner);

/* Ends the watch and gives all packets back. Accepts NULL. Returns NULL. [main] */
struct bsd_io *bsd_io_free(struct bsd_io *io);

/* Has ready() called for the descriptor, or not. [lane] [start] */
vpn_status bsd_io_watch(struct bsd_io *io, bool on);

/* Reads about one batch and pushes it down. Returns VPN_MORE or VPN_IDLE. [lane] */
uint32_t bsd_io_read(struct bsd_io *io);

/* The stage below takes packets again. [lane] */
void bsd_io_writable(struct bsd_io *io);

/* A pause is over. [lane] */
void bsd_io_timer(struct bsd_io *io);

/* Writes a batch to the kernel; all packets are released. n <= VPN_BATCH_MAX. [lane] */
void bsd_io_write(struct bsd_io *io, struct vpn_packet **pkts, uint32_t n);

#endif
