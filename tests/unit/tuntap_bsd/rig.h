/* SPDX-License-Identifier: BSD-2-Clause */
/* rig: a driver on the model of a kernel, with a host and a journal. */
#ifndef TEST_BSD_RIG_H
#define TEST_BSD_RIG_H

#include "../tuntap/fake.h"
#include "model.h"
#include "options.h"

#define RIG_MTU     1420u
#define RIG_RECORDS 16u

struct rig {
	struct fake fake;
	struct bsd_options options;
	struct vpn_prefix addresses[4];
	struct bsd_peer peers[2];
	struct vpn_error err;
	void *inst;

	bool no_journal;
	uint32_t fail_add; /* the n-th add() of the journal fails; 0 = none */
	uint32_t n_adds;
	uint64_t last_id;
	struct {
		uint64_t id;
		uint8_t data[64];
		uint32_t len;
	} records[RIG_RECORDS];
};

const struct vpn_component *rig_component(void);

/* Default options, layer ip or ethernet, nothing started. */
void rig_init(struct rig *r, enum bsd_layer_kind layer);
void rig_add_address(struct rig *r, const char *prefix);
void rig_add_peer(struct rig *r, const char *address, const char *peer);

vpn_status rig_validate(struct rig *r);

/* On failure it is stopped and destroyed. */
vpn_status rig_start(struct rig *r);
void rig_must_start(struct rig *r);

/* Fails the test unless starting fails like this; `text` is a part of the message. */
void rig_must_refuse(struct rig *r, vpn_status status, const char *where, const char *text);

/* Stops and destroys; checks the host. */
void rig_stop(struct rig *r);

uint32_t rig_records(const struct rig *r);

/* What the host does with what is left in the journal. Returns how many could not be undone. */
uint32_t rig_undo(struct rig *r);

/* The process dies: descriptors closed, memory gone, the journal is left. */
void rig_kill(struct rig *r);

struct vpn_device_info rig_info(struct rig *r);
struct model_if *rig_if(struct rig *r); /* the driver's device in the model */
bool rig_logged(const struct rig *r, const char *text);
uint64_t rig_count(const struct rig *r, const char *counter);

/* The descriptor can be read: has the driver read it. */
uint32_t rig_read(struct rig *r);
/* Packets come up from the network. */
void rig_write(struct rig *r, const void *data, uint32_t len, uint32_t flags);
/* The routing socket has a message. */
void rig_notice(struct rig *r);

/* Nothing is open, hung or malformed, and no device is there. */
void rig_check_clean(void);
/* The same with `n` devices. */
void rig_check_left(uint32_t n);

/* An IP packet of `len` bytes; returns len. */
uint32_t rig_packet(uint8_t *p, int version, uint32_t len);

#endif
