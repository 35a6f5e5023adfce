/* SPDX-License-Identifier: BSD-2-Clause */
/* frame: the life of a dns component, the same in every backend: services, what is wanted of the routes,
 * setting and taking back, repairs. */
#ifndef DNS_COMMON_FRAME_H
#define DNS_COMMON_FRAME_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#include "common/options.h"

struct dns;

/* A backend: a constant. What it has no use for stays NULL. All [main]. */
struct dns_backend {
	size_t size; /* of its instance, a struct that begins with `struct dns` */

	/* From start(): opens what it needs and changes nothing. After a failure close() is called. */
	vpn_status (*open)(struct dns *d, struct vpn_error *err);

	/* From stop(): gives up what open() and set() hold. Also when open() was not called; idempotent. */
	void (*close)(struct dns *d);

	/* From apply(): d->device is known, the routes have what is wanted, d->reconciler is open.
	 * After a failure unset() is called. */
	vpn_status (*set)(struct dns *d, struct vpn_error *err);

	/* From revert(): undoes what set() and repair() did; what it leaves in the journal the host
	 * undoes right after. Also when set() was not called; idempotent. */
	vpn_status (*unset)(struct dns *d, struct vpn_error *err);

	/* Looks and puts back what another program changed, after dns_stir(). Returns how many
	 * differences it found, or a negative status with *err, which is logged once for each new
	 * text. Not called before set() has returned VPN_OK. */
	int32_t (*repair)(struct dns *d, struct vpn_error *err);

	/* With repair: struct vpn_reconcile of plugin.h. */
	uint32_t settle_ms, most, window_ms;
	/* What is logged when `most` repairs were made within a window. */
	const char *fight;
};

struct dns {
	const struct dns_backend *backend;
	const struct vpn_host *host;
	const struct dns_options *options;
	const struct vpn_journal_ext *journal;
	const struct vpn_loop_ext *loop;
	const struct vpn_reconcile_ext *reconcile;
	const struct vpn_routes_ext *routes; /* NULL = the manifest has no routes that can this */
	void *journal_inst, *loop_inst, *reconcile_inst, *routes_inst;
	struct vpn_device_info device;
	struct vpn_reconciler *reconciler; /* NULL without repair, and before apply() */
	bool is_set;                       /* set() has returned VPN_OK */
	bool wants;                        /* something of the routes */
	char complaint[256];               /* what was logged last of a repair that failed */
};

/* Functions of vpn_lifecycle and vpn_plan. A backend's create() calls the first with its constant;
 * `config` begins with struct dns_options. */
vpn_status dns_create(const struct dns_backend *backend, const struct vpn_host *host,
		      const void *config, void **inst, struct vpn_error *err);
vpn_status dns_start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err);
void dns_stop(void *inst);
void dns_destroy(void *inst);
vpn_status dns_apply(void *inst, const struct vpn_device_info *device, struct vpn_error *err);
vpn_status dns_revert(void *inst, struct vpn_error *err);

/* Something may have changed: repair() is called soon. [main] */
void dns_stir(struct dns *d);

/* Writes a record before a change is made, see vpn_journal_ext.add. [main] */
vpn_status dns_note(struct dns *d, uint32_t flags, const void *record, size_t len, uint64_t *ret_id,
		    struct vpn_error *err);

#endif
