/* SPDX-License-Identifier: BSD-2-Clause */
/* bus: a connection to the system bus (D-Bus, by sd-bus of libsystemd). Nothing here waits without a
 * deadline: what waits is driven by resolved_bus_drive(), the rest by the event loop. */
#ifndef RESOLVED_BUS_H
#define RESOLVED_BUS_H

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <vpncore/plugin.h>

#define RESOLVED_NAME    "org.freedesktop.resolve1"
#define RESOLVED_PATH    "/org/freedesktop/resolve1"
#define RESOLVED_MANAGER "org.freedesktop.resolve1.Manager"

#define RESOLVED_LIMIT_US UINT64_C(5000000) /* for an answer */

struct resolved_bus {
	sd_bus *bus; /* NULL = closed */
	/* with the event loop, see resolved_bus_attach() */
	const struct vpn_host *host;
	const struct vpn_loop_ext *loop; /* NULL = it is not there */
	void *loop_inst;
	int fd;
	void (*lost)(void *ctx, int error);
	void *ctx;
};

/* Microseconds of CLOCK_MONOTONIC: the clock of deadlines. [any] */
uint64_t resolved_bus_now(void);

/* Connects to the address in DBUS_SYSTEM_BUS_ADDRESS or the usual one. Does not wait for the bus: calls
 * can be made at once and leave when it has answered. Returns 0 or an errno, with *err. [main] */
int resolved_bus_open(struct resolved_bus *b, struct vpn_error *err);

/* Has the event loop do the work from now on. lost() is called once when the connection has broken, with an
 * errno; it may close it. [main] */
vpn_status resolved_bus_attach(struct resolved_bus *b, const struct vpn_host *host,
			       const struct vpn_loop_ext *loop, void *loop_inst,
			       void (*lost)(void *ctx, int error), void *ctx);

/* To be called after a call was begun on an attached connection, outside of its callbacks. */
void resolved_bus_update(struct resolved_bus *b);

/* Works until *done or the deadline, at which it returns ETIMEDOUT; otherwise 0 or an errno. [main] */
int resolved_bus_drive(struct resolved_bus *b, const bool *done, uint64_t deadline);

/* A method of systemd-resolved's manager; it does not make the bus start it. Returns 0 or an errno; *ret is
 * the caller's to unref. */
int resolved_bus_method(struct resolved_bus *b, const char *method, sd_bus_message **ret);

/* Sends m and waits for the answer. Returns 0 or an errno, with *ret_error when the other side said it;
 * *ret_reply (which may be NULL) is the caller's to unref. [main] */
int resolved_bus_call(struct resolved_bus *b, sd_bus_message *m, uint64_t deadline,
		      sd_bus_error *ret_error, sd_bus_message **ret_reply);

/* Calls a method of the bus itself, with one text or none (NULL). Otherwise like resolved_bus_call(). */
int resolved_bus_ask(struct resolved_bus *b, const char *method, const char *argument,
		     uint64_t deadline, sd_bus_message **ret_reply);

/* Asks whether systemd-resolved is there; the bus starts it when it can. Otherwise like
 * resolved_bus_call(). */
int resolved_bus_ping(struct resolved_bus *b, uint64_t deadline, sd_bus_error *ret_error);

/* Drops it with all that is under way; no callback runs any more. Idempotent. [main] */
void resolved_bus_close(struct resolved_bus *b);

#endif
