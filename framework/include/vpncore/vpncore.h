/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vpncore/vpncore.h: runs a pipeline inside your own program, and tells how the system routes and which
 * name servers it asks (library vpncore).
 *
 * Threads. [main] functions may be called from any thread; while one of them runs, in whatever object,
 * another thread that calls one waits: components are promised that there is one control thread in a
 * process. So hold no lock across a [main] function that a callback of yours takes. [any] ones never wait. No object is used by anybody while it is freed.
 *
 * Signals. The library changes no handler. Its threads take no signals. A pipe without a reader or a
 * limit of files' sizes that it meets in a [main] function is an error, and no SIGPIPE or SIGXFSZ.
 *
 * Processes. Commands (on_up, on_down) and the process that undoes changes after a crash are children
 * of your program: do not ignore SIGCHLD, and wait for no child that you have not made. Descriptors 0
 * to 2 stay open, be it to /dev/null.
 *
 * Errors. Every function that can fail returns 0 or a negative VPN_E* number of vpncore/plugin.h, and
 * fills *err then, which may be NULL; the caller sets err->size. The library logs what its components
 * say, and nothing that it returns. Words like "struct vpn_error" mean those of vpncore/plugin.h, and
 * keep the rules of its section 1: of a struct that has `size` the library writes no more than that.
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
struct vpncore_system;

/* What the owner of a pipeline wants to hear. Caller allocates and sets size; unused ones are NULL.
 * They are called on threads of the library, several at a time, and within [main] functions: do little,
 * and call no [main] function from there. None is called after vpncore_pipeline_free(). Texts are good
 * during the call. */
struct vpncore_callbacks {
	uint32_t size;
	uint32_t reserved;
	void *ctx;
	/* A problem of the manifest as `file:line:column: /pointer: text`. Called by
	 * vpncore_pipeline_load() on the caller's own thread. */
	void (*problem)(void *ctx, const char *line);
	/* The pipeline cannot go on; vpncore_pipeline_error() says why. Call vpncore_pipeline_stop(),
	 * later and elsewhere. [any] */
	void (*failed)(void *ctx);
	/* VPN_EVENT_* of a component. [any] */
	void (*event)(void *ctx, const char *component, uint32_t event, uint64_t value);
	/* A line of the log in place of stderr: `level` is VPN_LOG_*, up to the one in the manifest
	 * ("log"); `component` is "" where the library itself speaks. No control characters are in it, and
	 * no secrets. [any] */
	void (*log)(void *ctx, uint32_t level, const char *component, const char *text);
};

/* Version of the library, "0.1.0". [any] */
VPN_EXPORT const char *vpncore_version(void);

/* ---- a pipeline ---------------------------------------------------------------------------------- */

/*
 * Reads and checks a manifest and makes its components; nothing outside of memory changes. `text` of
 * `len` bytes is the manifest, or NULL to read `file`; `file` is used for messages and as the place
 * that paths of secrets are relative to (the working directory when it is NULL, which it may be beside a
 * text). The text is not needed afterwards; wipe it when it holds secrets. The callbacks are copied.
 * *ret is NULL on failure. [main]
 *
 * Errors: VPN_EINVAL when the manifest has problems (each went to callbacks->problem), VPN_ENOMEM,
 * and what a component's create() returned.
 */
VPN_EXPORT int vpncore_pipeline_load(struct vpncore_pipeline **ret, const char *file,
				     const char *text, size_t len,
				     const struct vpncore_callbacks *callbacks,
				     struct vpn_error *err);

/* Opens devices and sockets, starts the lanes, applies routes and dns, runs on_up. On failure everything
 * is undone. Once for each pipeline: a second call is VPN_EINVAL. [main] */
VPN_EXPORT int vpncore_pipeline_start(struct vpncore_pipeline *p, struct vpn_error *err);

/* Takes it down; undoes everything that it did to the system. Idempotent. An error says what could not
 * be undone: it is down all the same. [main] */
VPN_EXPORT int vpncore_pipeline_stop(struct vpncore_pipeline *p, struct vpn_error *err);

/* Stops and frees; accepts NULL; returns NULL. [main] */
VPN_EXPORT struct vpncore_pipeline *vpncore_pipeline_free(struct vpncore_pipeline *p);

/* Why it failed: VPN_OK when it has not. [any] */
VPN_EXPORT int vpncore_pipeline_error(struct vpncore_pipeline *p, struct vpn_error *err);

/* The device, from start to stop; VPN_ENOENT at other times. The caller sets out->size. [main] */
VPN_EXPORT int vpncore_pipeline_device(struct vpncore_pipeline *p, struct vpn_device_info *out);

/*
 * Components that change routes and name resolution watch the system from the thread that owns the pipeline.
 * From start to stop that thread waits for `fd` to be readable, with poll(2) or the like, but no longer
 * than the timeout, and then calls dispatch; a pipeline without such components needs none of this.
 * Call dispatch once right after start as well: only that makes `fd` wait for what components asked for
 * meanwhile.
 *
 * The descriptor is the pipeline's, the same for as long as it exists. The timeout is in milliseconds, -1 =
 * none, and may be another one after each call of dispatch. dispatch does not block. fd [any], the
 * others [main].
 */
VPN_EXPORT int vpncore_pipeline_fd(struct vpncore_pipeline *p);
VPN_EXPORT int vpncore_pipeline_timeout_ms(struct vpncore_pipeline *p);
VPN_EXPORT void vpncore_pipeline_dispatch(struct vpncore_pipeline *p);

/* Calls `line` for every lane and stage with its counters as text, also after stop. [main] */
VPN_EXPORT void vpncore_pipeline_counters(struct vpncore_pipeline *p,
					  void (*line)(void *ctx, const char *text), void *ctx);

/* ---- the system ---------------------------------------------------------------------------------- */

/*
 * How the system routes and resolves names now, whatever made it so; no pipeline is needed, and nothing is
 * changed. The routes and dns components of this platform answer: they are looked for like those of a
 * manifest with "backend": "auto". Root is not needed.
 *
 * Of `callbacks`, which may be NULL, `ctx` and `log` are used. *ret is NULL on failure: VPN_ENOMEM,
 * VPN_EIO. [main]
 */
VPN_EXPORT int vpncore_system_open(struct vpncore_system **ret,
				   const struct vpncore_callbacks *callbacks,
				   struct vpn_error *err);

/* Accepts NULL; returns NULL. [main] */
VPN_EXPORT struct vpncore_system *vpncore_system_free(struct vpncore_system *s);

/*
 * The default route that holds outside of every tunnel; `family` is VPN_AF_INET or VPN_AF_INET6. The
 * caller sets out->size. [main]
 *
 * Errors: VPN_ENOENT when there is none, VPN_EINVAL for another family, VPN_ENOTSUP when no component
 * that can tell is installed for this platform, VPN_EIO.
 */
VPN_EXPORT int vpncore_system_default_route(struct vpncore_system *s, uint32_t family,
					    struct vpn_route *out, struct vpn_error *err);

/* The way that a packet of an ordinary program to this address takes, through a tunnel where that is so.
 * VPN_ROUTE_BLOCKED in out->flags: the system refuses it on purpose. Errors likewise. [main] */
VPN_EXPORT int vpncore_system_route_to(struct vpncore_system *s, const struct vpn_address *to,
				       struct vpn_route *out, struct vpn_error *err);

/* Calls fn for each set of name servers that the system asks, until it returns non-zero. What *info
 * points to is good during the call; fn calls no function of this library. Errors likewise. [main] */
VPN_EXPORT int vpncore_system_dns(struct vpncore_system *s,
				  int (*fn)(void *ctx, const struct vpn_dns_info *info), void *ctx,
				  struct vpn_error *err);

#ifdef __cplusplus
}
#endif
#endif
