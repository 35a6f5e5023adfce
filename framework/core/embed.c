/* SPDX-License-Identifier: BSD-2-Clause */
/* embed: the embedding API of vpncore/vpncore.h over manifest, graph and pipeline. */
#include <stdlib.h>
#include <string.h>
#include <vpncore/vpncore.h>

#include "fault.h"
#include "pipeline.h"

struct vpncore_pipeline {
	struct loader *loader;
	struct manifest *manifest;
	struct graph graph;
	struct pipeline *pipeline;
	struct vpncore_callbacks callbacks;
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
	p->loader = loader_new(err);
	int status = p->loader != NULL ? VPN_OK : err->status;
	if (status == VPN_OK)
		status = read_manifest(p, file, text, len, err);
	if (status == VPN_OK) {
		const struct pipeline_events events = {
			.failed = p->callbacks.failed,
			.event = p->callbacks.event,
			.ctx = p->callbacks.ctx,
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

struct vpncore_pipeline *vpncore_pipeline_free(struct vpncore_pipeline *p)
{
	if (p == NULL)
		return NULL;
	pipeline_free(p->pipeline, NULL);
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

void vpncore_pipeline_counters(struct vpncore_pipeline *p,
			       void (*line)(void *ctx, const char *text), void *ctx)
{
	pipeline_counters(p->pipeline, line, ctx);
}
