/* SPDX-License-Identifier: BSD-2-Clause */
/* world: a network namespace for a test program, the driver running in it, and what another program
 * might do to its device. Needs root and /dev/net/tun; without them every test fails. */
#ifndef TEST_TUNTAP_WORLD_H
#define TEST_TUNTAP_WORLD_H

#include <stdbool.h>
#include <sys/types.h>

#include "fake.h"
#include "netlink.h"
#include "options.h"

#define WORLD_MTU 1420u

extern const struct vpn_plugin vpncore_plugin_v1;

/* A running driver. */
struct world {
	struct fake fake;
	struct tuntap_options options;
	struct vpn_error err;
	void *inst;
};

const struct vpn_component *world_component(void);

/* Moves this process to a network namespace of its own, with the loopback up. Group setup. */
int world_enter(void **state);

/* A driver with default options, not started. */
void world_init(struct world *w, const char *name);

/* Starts it. On failure w->err says why, and the instance is stopped and destroyed. */
vpn_status world_start(struct world *w, uint32_t n_lanes);
void world_must_start(struct world *w, uint32_t n_lanes);

/* Fails the test unless starting fails like this: `text` is part of the message. */
void world_must_refuse(struct world *w, uint32_t n_lanes, vpn_status status, const char *where,
		       const char *text);

/* Stops and destroys, and checks that nothing is left behind in the host. */
void world_stop(struct world *w);

/* Runs the driver until `done` says so: five seconds at most (slow: a minute), or it fails. */
void world_until(struct world *w, bool (*done)(struct world *w));
void world_until_slow(struct world *w, bool (*done)(struct world *w));
bool world_failed(struct world *w);
bool world_logged(struct world *w, const char *text);

/* What the driver tells of its device; fails the test when it tells nothing. */
struct vpn_device_info world_info(struct world *w);
const struct vpn_device_ext *world_device(struct world *w);

/* ---- another program ---- */

struct tuntap_link world_link(const char *name); /* must be there */
bool world_has_link(const char *name);
bool world_has_address(const char *name, const char *text); /* "10.0.0.1/24" */
int world_delete_link(const char *name);
int world_set_up(const char *name, bool up);
int world_set_mtu(const char *name, uint32_t mtu);
int world_move_to(const char *name, pid_t pid);
int world_move_to_descriptor(const char *name, int ns);
int world_rename(const char *name, const char *to);
int world_delete_address(const char *name, const struct tuntap_address *a);

/* Makes a persistent device, as `ip tuntap add` does, of TUNSETIFF flags; owner -1 = anybody. */
void world_make_persistent(const char *name, int flags, long owner);

struct vpn_prefix world_prefix(const char *text);

/* Another network namespace, kept by a process. */
struct world_namespace {
	pid_t keeper; /* the namespace ends with it */
};
struct world_namespace world_make_namespace(void);
void world_end_namespace(struct world_namespace *ns);

/* Goes into it; returns what world_go_home() takes. */
int world_go_to(const struct world_namespace *ns);
void world_go_home(int home);

/* Runs `body` in a child process; true when it returned 0. */
bool world_in_child(int (*body)(void));

#endif
