/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vpncore/vpncore.h: runs a pipeline inside your own program (library vpncore).
 *
 * [main] functions are called from one thread at a time; [any] ones from any thread while the
 * object exists. Every function that can fail returns 0 or a negative VPN_E* number of
 * vpncore/plugin.h and fills *err, which may be NULL, and which the caller has zeroed with `size`
 * set. The library logs what its components say, and nothing that it returns.
 */
#ifndef VPNCORE_VPNCORE_H
#define VPNCORE_VPNCORE_H

#include <stddef.h>
#include <stdint.h>
#include <vpncore/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vpncore_pipeline;

/* What the owner of a pipeline wants to hear. Caller allocates and sets size; unused ones are NULL.
 * They are called on threads of the library: do little, and call no [main] function from there. */
struct vpncore_callbacks {
	uint32_t size;
	uint32_t reserved;
	void *ctx;
	/* A problem of the manifest as `file:line:column: /pointer: text`. Called by
	 * vpncore_pipeline_load() on the caller's own thread. */
	void (*problem)(void *ctx, const char *line);
	/* The pipeline cannot go on; vpncore_pipeline_error() says why. Call vpncore_pipeline_stop(). [any] */
	void (*failed)(void *ctx);
	/* VPN_EVENT_* of a component. [any] */
	void (*event)(void *ctx, const char *component, uint32_t event, uint64_t value);
};

/* Version of the library, "0.1.0". [any] */
VPN_EXPORT const char *vpncore_version(void);

/*
 * Reads and checks a manifest and makes its components; nothing outside of memory changes. `text` of
 * `len` bytes is the manifest, or NULL to read `file`; `file` is used for messages and as the place
 * that paths of secrets are relative to. The callbacks are copied. *ret is NULL on failure. [main]
 *
 * Errors: VPN_EINVAL when the manifest has problems (each went to callbacks->problem), VPN_ENOMEM,
 * and what a component's create() returned.
 */
VPN_EXPORT int vpncore_pipeline_load(struct vpncore_pipeline **ret, const char *file,
				     const char *text, size_t len,
				     const struct vpncore_callbacks *callbacks,
				     struct vpn_error *err);

/* Opens devices and sockets, starts the lanes. On failure everything is undone. Once for each pipeline:
 * a second call is VPN_EINVAL. [main] */
VPN_EXPORT int vpncore_pipeline_start(struct vpncore_pipeline *p, struct vpn_error *err);

/* Takes it down; undoes everything that it did to the system. Idempotent. [main] */
VPN_EXPORT int vpncore_pipeline_stop(struct vpncore_pipeline *p, struct vpn_error *err);

/* Stops and frees; accepts NULL; returns NULL. [main] */
VPN_EXPORT struct vpncore_pipeline *vpncore_pipeline_free(struct vpncore_pipeline *p);

/* Why it failed: VPN_OK when it has not. [any] */
VPN_EXPORT int vpncore_pipeline_error(struct vpncore_pipeline *p, struct vpn_error *err);

/* The device, from start to stop. The caller sets out->size. [main] */
VPN_EXPORT int vpncore_pipeline_device(struct vpncore_pipeline *p, struct vpn_device_info *out);

/*
 * Components that change routes and name resolution watch the system from the thread that owns the pipeline.
 * From start to stop that thread waits for `fd` to be readable, with poll(2) or the like, but no longer
 * than the timeout, and then calls dispatch; a pipeline without such components needs none of this.
 *
 * The descriptor is the pipeline's, the same for as long as it exists. The timeout is in milliseconds, -1 =
 * none, and may be another one after each call of dispatch. [main]
 */
VPN_EXPORT int vpncore_pipeline_fd(struct vpncore_pipeline *p);
VPN_EXPORT int vpncore_pipeline_timeout_ms(struct vpncore_pipeline *p);
VPN_EXPORT void vpncore_pipeline_dispatch(struct vpncore_pipeline *p);

/* Calls `line` for every lane and stage with its counters as text. [main] */
VPN_EXPORT void vpncore_pipeline_counters(struct vpncore_pipeline *p,
					  void (*line)(void *ctx, const char *text), void *ctx);

#ifdef __cplusplus
}
#endif
#endif
