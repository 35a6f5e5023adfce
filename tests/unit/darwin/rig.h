/* SPDX-License-Identifier: BSD-2-Clause */
/* rig: a driver that runs on the model, with a host of one component. */
#ifndef TEST_DARWIN_RIG_H
#define TEST_DARWIN_RIG_H

#include "fake.h"
#include "model.h"
#include "options.h"

#define RIG_MTU 1420u

extern const struct vpn_plugin vpncore_plugin_v1;

struct rig {
	struct fake fake;
	const void *config;
	struct vpn_error err;
	void *inst;
	int woken[2];       /* a pipe that wake() writes to, for a driver with a thread; or -1 */
	bool refuses_queue; /* the host watches no descriptor of the queue */
	/* the host's journal */
	bool has_journal;
	uint64_t record; /* 0 = none */
	uint32_t record_len;
	_Alignas(8) uint8_t record_data[256];
	int add_status;
};

const struct vpn_component *rig_component(void);

/* Starts the driver with this configuration. On failure rig->err says why, and the instance is stopped
 * and destroyed. */
vpn_status rig_start(struct rig *r, const void *config, uint32_t mtu_above);
void rig_must_start(struct rig *r, const void *config, uint32_t mtu_above);

/* Fails the test unless starting (or validating) fails like this: `text` is part of the message. */
void rig_must_refuse(struct rig *r, const void *config, vpn_status status, const char *where,
		     const char *text);

/* Stops and destroys, and checks that nothing is left behind in the host and in the kernel. */
void rig_stop(struct rig *r);

/* Runs what is ready until nothing is. */
void rig_turn(struct rig *r);

/* The same until so many packets were pushed down, the driver waits for its timer, or it has given up:
 * ten seconds at most, or it fails. For a driver whose thread must come to it. */
void rig_until_captured(struct rig *r, uint32_t n);
void rig_until_paused(struct rig *r);
void rig_until_failed(struct rig *r);

/* The time of the driver's timer comes, when it waits for one. */
void rig_retry(struct rig *r);

/* All of that until n packets were pushed down or the driver has given up. */
void rig_settle(struct rig *r, uint32_t n);

bool rig_logged(const struct rig *r, const char *text);
struct vpn_device_info rig_info(struct rig *r);

/* Hands packets up, as the stage below would: n copies of one. */
void rig_up(struct rig *r, const void *data, uint32_t len, uint32_t flags, uint32_t n);

uint64_t rig_count(const struct rig *r, const char *counter);

struct vpn_prefix rig_prefix(const char *text);

/* An IPv4 packet of `len` bytes with `mark` behind its header, or of IPv6. */
void rig_packet(uint8_t *buf, uint32_t len, int version, uint8_t mark);

#endif
