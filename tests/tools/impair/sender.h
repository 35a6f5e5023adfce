/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sender: sends what is due. Neighbours in the order of departure that have one size and one destination leave
 * as one message (UDP_SEGMENT), and many messages by one call.
 */
#ifndef IMPAIR_SENDER_H
#define IMPAIR_SENDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "counts.h"
#include "flows.h"
#include "schedule.h"
#include "store.h"

#define SENDER_MESSAGES   64u
#define SENDER_DEPARTURES 512u
#define SENDER_IOVECS     1024u /* UIO_MAXIOV is for each message: any one fits */

/* One direction's. The tables are of one sender_send(). */
struct sender {
	enum way way;
	struct schedule *schedule;
	struct store *store;
	struct flows *flows;
	struct counts *counts;
	int listen_fd;
	uint32_t n_messages, n_departures, n_iovecs;
	struct message {
		uint32_t first, n; /* departures */
		uint32_t bytes;
		bool closed; /* its last segment is shorter */
	} messages[SENDER_MESSAGES];
	struct departure departures[SENDER_DEPARTURES];
	struct mmsghdr headers[SENDER_MESSAGES];
	struct iovec iovecs[SENDER_IOVECS];
	struct {
		_Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(uint16_t))];
	} controls[SENDER_MESSAGES];
};

void sender_init(struct sender *s, enum way way, struct schedule *schedule, struct store *store,
		 struct flows *flows, struct counts *counts, int listen_fd);

/* Sends what is due, as a whole or in part. False: a socket's buffer is full. What has not been sent is still in
 * the schedule. */
bool sender_send(struct sender *s, uint64_t now_ns);

#endif
