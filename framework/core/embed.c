/* SPDX-License-Identifier: BSD-2-Clause */
/* embed: the embedding API of vpncore/vpncore.h over manifest, graph and pipeline. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include <vpncore/vpncore.h>

#include "fault.h"
#include "pipeline.h"
#include "reaper.h"

struct vpncore_pipeline {
	struct loader *loader;
	struct manifest *manifest;
	struct graph graph;
	struct pipeline *pipeline;
	struct vpncore_callbacks callbacks;
	uv_loop_t loop; /* of [main] */
	/* libuv neither looks for posts nor gives a timeout when a loop has nothing to wait for */
	uv_async_t awaited;
	bool has_loop;
};

const char *vpncore_version(void)
{
	return VPNCORE_VERSION;
}

static void on_problem(void *ctx, const char *line)
{
	struct vpncore_pipeline *p = ctx;
	if (p->callbacks.problem != NULL)
		p->callbacks.problem(p->callbacks.ctx, line);
}

static int read_manifest(struct vpncore_pipeline *p, const char *file, const char *text, size_t len,
			 struct vpn_error *err)
{
	struct problems problems;
	problems_init(&problems, file);
	p->manifest = text != NULL ? manifest_parse(file, text, len, p->loader, &problems)
				   : manifest_load(file, p->loader, &problems);
	bool good = p->manifest != NULL && graph_build(&p->graph, p->manifest, &problems);
	problems_print(&problems, on_problem, p);
	size_t n = problems.n_errors;
	problems_clear(&problems);
	return good ? VPN_OK
		    : fault(err, VPN_EINVAL, 0, "%s has %zu problem%s", file, n, n == 1 ? "" : "s");
}

/* The program of this installation is the one that waits for our death, where it is installed. */
static vpn_status prepare(struct vpncore_pipeline *p, struct vpn_error *err)
{
	if (access(VPNCORE_PROGRAM, X_OK) == 0)
		reaper_set_program(VPNCORE_PROGRAM);
	int e = uv_loop_init(&p->loop);
	p->has_loop = e == 0;
	if (e == 0)
		e = uv_async_init(&p->loop, &p->awaited, NULL);
	if (e != 0)
		return fault(err, VPN_EIO, -e, "an event loop cannot be made");
	p->loader = loader_new(err);
	return p->loader != NULL ? VPN_OK : err->status;
}

int vpncore_pipeline_load(struct vpncore_pipeline **ret, const char *file, const char *text,
			  size_t len, const struct vpncore_callbacks *callbacks,
			  struct vpn_error *err)
{
	struct vpn_error local = VPN_ERROR_INIT;
	struct vpncore_pipeline *p = calloc(1, sizeof(*p));
	*ret = NULL;
	if (p == NULL)
		return fault(err, VPN_ENOMEM, 0, "out of memory");
	if (err == NULL)
		err = &local;
	if (callbacks != NULL)
		memcpy(&p->callbacks, callbacks,
		       callbacks->size < sizeof(p->callbacks) ? callbacks->size
							      : sizeof(p->callbacks));
	int status = prepare(p, err);
	if (status == VPN_OK)
		status = read_manifest(p, file, text, len, err);
	if (status == VPN_OK) {
		const struct pipeline_events events = {
			.failed = p->callbacks.failed,
			.event = p->callbacks.event,
			.ctx = p->callbacks.ctx,
			.loop = &p->loop,
		};
		p->pipeline = pipeline_new(&p->graph, &events, err);
		status = p->pipeline != NULL ? VPN_OK : err->status;
	}
	if (status != VPN_OK)
		p = vpncore_pipeline_free(p);
	*ret = p;
	return status;
}

int vpncore_pipeline_start(struct vpncore_pipeline *p, struct vpn_error *err)
{
	struct vpn_error local = VPN_ERROR_INIT;
	return pipeline_start(p->pipeline, err != NULL ? err : &local);
}

int vpncore_pipeline_stop(struct vpncore_pipeline *p, struct vpn_error *err)
{
	struct vpn_error local = VPN_ERROR_INIT;
	return pipeline_stop(p->pipeline, err != NULL ? err : &local);
}

/* What components had on it has been taken away; libuv gives the memory back in its next turn. */
static void close_loop(struct vpncore_pipeline *p)
{
	if (!p->has_loop)
		return;
	if (p->awaited.loop != NULL)
		uv_close((uv_handle_t *)&p->awaited, NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	uv_loop_close(&p->loop);
}

struct vpncore_pipeline *vpncore_pipeline_free(struct vpncore_pipeline *p)
{
	if (p == NULL)
		return NULL;
	pipeline_free(p->pipeline, NULL);
	close_loop(p);
	manifest_free(p->manifest);
	loader_free(p->loader);
	free(p);
	return NULL;
}

int vpncore_pipeline_error(struct vpncore_pipeline *p, struct vpn_error *err)
{
	struct vpn_error why = VPN_ERROR_INIT;
	if (!pipeline_error(p->pipeline, &why))
		return VPN_OK;
	if (err != NULL)
		*err = why;
	return why.status != VPN_OK ? why.status : VPN_EIO;
}

int vpncore_pipeline_device(struct vpncore_pipeline *p, struct vpn_device_info *out)
{
	struct vpn_device_info info;
	if (!pipeline_device(p->pipeline, &info))
		return VPN_ENOENT;
	/* the caller may have been built when the struct was shorter */
	info.size = out->size;
	memcpy(out, &info, info.size < sizeof(info) ? info.size : sizeof(info));
	return VPN_OK;
}

int vpncore_pipeline_fd(struct vpncore_pipeline *p)
{
	return uv_backend_fd(&p->loop);
}

int vpncore_pipeline_timeout_ms(struct vpncore_pipeline *p)
{
	uv_update_time(&p->loop);
	return uv_backend_timeout(&p->loop);
}

void vpncore_pipeline_dispatch(struct vpncore_pipeline *p)
{
	uv_run(&p->loop, UV_RUN_NOWAIT);
}

void vpncore_pipeline_counters(struct vpncore_pipeline *p,
			       void (*line)(void *ctx, const char *text), void *ctx)
{
	pipeline_counters(p->pipeline, line, ctx);
}
