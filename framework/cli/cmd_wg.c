/* SPDX-License-Identifier: BSD-2-Clause */
/* vpncore wg, vpncore-wg: a WireGuard interface that wg(8) configures, as wireguard-go makes one. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "daemonize.h"
#include "fault.h"
#include "graph.h"
#include "link_mtu.h"
#include "log.h"
#include "output.h"
#include "serve.h"
#include "wg_options.h"

struct session {
	const struct wg_options *options;
	struct daemon_child *child; /* NULL in the foreground */
};

/* The manifest as JSON text, to be freed; NULL without memory. No secret is in it. The device gets
 * the largest MTU that the path leaves: packet buffers are made for it, so that it can be set to
 * anything up to that later. */
static char *manifest_text(const struct wg_options *o)
{
	json_t *root = json_pack("{s:i, s:s, s:[{s:s, s:s, s:s, s:b, s:i}, {s:s, s:s, s:i}, "
				 "{s:s, s:s, s:b, s:I}]}",
				 "vpncore", 1, "name", "wg", "pipeline", "device", "auto", "name",
				 o->name, "layer", "ip", "up", 0, "fd", o->tun_fd, "transport",
				 "wireguard", "uapi", "on", "uapi_fd", o->uapi_fd, "transport",
				 "udp", "listen", "*:0", "carry_ecn", 1, "path_mtu",
				 (json_int_t)o->path_mtu);
	char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	return text;
}

static void discard(void *ctx, uint32_t level, const char *line)
{
	(void)ctx;
	(void)level;
	(void)line;
}

/* Writes the device's real name where WG_TUN_NAME_FILE says. */
static bool write_name(const char *file, const char *name)
{
	FILE *out = fopen(file, "we");
	int why = out != NULL && fprintf(out, "%s\n", name) > 0 ? 0 : errno;
	if (out != NULL && fclose(out) != 0 && why == 0)
		why = errno;
	if (why != 0)
		log_printf(VPN_LOG_ERROR, "", "cannot write WG_TUN_NAME_FILE %s: %s", file,
			   strerror(why));
	return why == 0;
}

static bool on_up(void *ctx, struct pipeline *p)
{
	const struct session *s = ctx;
	const struct wg_options *o = s->options;
	struct vpn_device_info device;
	const char *name = pipeline_device(p, &device) ? device.name : o->name;
	if (o->mtu != 0 && o->tun_fd < 0) {
		int e = link_mtu_set(name, o->mtu);
		if (e != 0)
			log_printf(VPN_LOG_WARN, "", "cannot set the MTU of %s to %u: %s", name,
				   o->mtu, strerror(-e));
	}
	if (o->name_file != NULL && !write_name(o->name_file, name))
		return false;
	if (o->silent)
		log_redirect(discard, NULL);
	if (s->child == NULL)
		return true;
	int e = daemonize_ready(s->child, o->keep_output);
	if (e != 0)
		log_printf(VPN_LOG_ERROR, "", "whoever started this is gone: %s", strerror(-e));
	return e == 0;
}

/* Deleting the interface or its socket is how such a program is told to end. */
static int on_failed(void *ctx, const struct vpn_error *err)
{
	(void)ctx;
	return err->status == VPN_ECLOSED ? STATUS_OK : STATUS_FAILED;
}

/* Nobody has written this manifest, so that lines and columns in it tell nothing. */
static void print_problems(struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++)
		problems->items[i].line = 0;
	problems_print(problems, output_line, stderr);
}

static int run_text(struct session *s, struct loader *loader, const char *text)
{
	const struct serve_hooks hooks = {.up = on_up, .failed = on_failed, .ctx = s};
	struct problems problems;
	struct graph graph;
	int status = STATUS_FAILED;
	problems_init(&problems, "vpncore wg");
	struct manifest *m = manifest_parse("wg", text, strlen(text), loader, &problems);
	bool good = m != NULL && graph_build(&graph, m, &problems);
	print_problems(&problems);
	if (good) {
		log_configure(s->options->level, false);
		status = serve_graph(&graph, &hooks);
	}
	manifest_free(m);
	problems_clear(&problems);
	return status;
}

static int run(const struct wg_options *o, struct daemon_child *child)
{
	struct session s = {.options = o, .child = child};
	struct vpn_error err = VPN_ERROR_INIT;
	signal(SIGPIPE, SIG_IGN);
	char *text = manifest_text(o);
	struct loader *loader = text != NULL ? loader_new(&err) : NULL;
	int status = STATUS_FAILED;
	if (loader != NULL)
		status = run_text(&s, loader, text);
	else
		fprintf(stderr, "vpncore wg: %s\n", text == NULL ? "out of memory" : err.text);
	loader_free(loader);
	free(text);
	return status;
}

int cmd_wg(int argc, char **argv)
{
	struct wg_options o;
	struct daemon_child child;
	int status = 0;
	int stop = wg_options_read(&o, argc, argv);
	if (stop != 0)
		return stop - 1;
	if (o.foreground)
		return run(&o, NULL);
	/* before any thread and any loop: a fork has the calling thread only */
	switch (daemonize_fork(&child, &status)) {
	case DAEMON_CHILD:
		return run(&o, &child);
	case DAEMON_PARENT:
		return status;
	default:
		fprintf(stderr, "vpncore wg: cannot start a process: %s\n", strerror(-status));
		return STATUS_FAILED;
	}
}
