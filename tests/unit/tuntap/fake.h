/* SPDX-License-Identifier: BSD-2-Clause */
/* fake: a host of one component: packet pool, watches, log and a stage below that can be full. */
#ifndef TEST_TUNTAP_FAKE_H
#define TEST_TUNTAP_FAKE_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#define FAKE_LANES    4u
#define FAKE_WATCHES  8u
#define FAKE_EVENTS   16u
#define FAKE_CAPTURED 4096u

struct fake_packet {
	uint8_t *data;
	uint32_t len, flags;
};

struct fake {
	struct vpn_host host;
	struct vpn_lane lanes[FAKE_LANES];
	struct vpn_lane *lane_list[FAKE_LANES];
	uint64_t counters[FAKE_LANES][32];
	struct vpn_link down;
	uint64_t deadline[FAKE_LANES];

	uint32_t pool;  /* packets that may still be taken */
	uint32_t taken; /* packets that are out */

	/* the stage below: takes `accept` more packets, then is full */
	uint32_t accept;
	uint32_t pushes;
	uint32_t n_captured;
	struct fake_packet captured[FAKE_CAPTURED];
	/* what to do with a packet instead of capturing it */
	void (*on_packet)(struct fake *f, struct vpn_lane *lane, struct vpn_packet **pkts,
			  uint32_t n);
	void *on_packet_ctx;

	struct {
		struct vpn_lane *lane;
		int fd;
		uint32_t events;
		uint64_t token;
	} watches[FAKE_WATCHES];

	char log[16384];
	uint32_t n_events;
	uint32_t events[FAKE_EVENTS];
	bool failed;
	struct vpn_error failure;
};

void fake_init(struct fake *f, uint32_t n_lanes, uint32_t mtu_above);

/* Frees what was captured, and fails the test when packets are out or descriptors are watched. */
void fake_check_clean(struct fake *f);

/* Polls what is watched for up to timeout_ms and calls ready(). Returns how many had events. */
int fake_turn(struct fake *f, const struct vpn_flow *flow, void *inst, int timeout_ms);

uint32_t fake_watched(const struct fake *f, int fd);

/* A packet of the pool with a copy of this data, as a stage below would hand it up. */
struct vpn_packet *fake_packet(struct fake *f, const void *data, uint32_t len, uint32_t flags);

bool fake_saw_event(const struct fake *f, uint32_t event);

#endif
