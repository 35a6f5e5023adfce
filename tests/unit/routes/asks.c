/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asks: a dns component that has no servers, and wants of the routes what it is told by lines in a named pipe
 * (option "orders"), so that a test can see what comes of it:
 *
 *   "block 10.0.0.53/32 fd00::53/128"   queries blocked, two networks in the tunnel
 *   "10.0.0.53/32"                      one network
 *   "nothing"                           what was wanted is taken back
 *
 * Each answer is a line of the log: "N: wanted", or "N: STATUS TEXT", N counting from 1. What stands in option
 * "first" it wants in apply(), and fails with it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vpncore/plugin.h>

#define NETWORKS_MOST 16u
#define LINE_BYTES    512

struct config {
	const char *orders;
	const char *first;
};

struct asks {
	const struct vpn_host *host;
	const struct config *config;
	const struct vpn_routes_ext *routes;
	void *routes_inst;
	const struct vpn_loop_ext *loop;
	void *loop_inst;
	int fd;
	unsigned n;
};

static int read_prefix(char *word, struct vpn_prefix *ret)
{
	char *slash = strchr(word, '/');
	int six = strchr(word, ':') != NULL;
	*ret = (struct vpn_prefix){.family = six ? VPN_AF_INET6 : VPN_AF_INET};
	if (slash == NULL)
		return 0;
	*slash = '\0';
	ret->length = (uint8_t)strtoul(slash + 1, NULL, 10);
	return inet_pton(six ? AF_INET6 : AF_INET, word, ret->addr) == 1;
}

static vpn_status ask(struct asks *a, const char *order, struct vpn_error *err)
{
	struct vpn_prefix networks[NETWORKS_MOST];
	struct vpn_routes_wanted wanted = {.size = sizeof(wanted), .in_tunnel = networks};
	char words[LINE_BYTES];
	snprintf(words, sizeof(words), "%s", order);
	for (char *w = strtok(words, " \n"); w != NULL; w = strtok(NULL, " \n")) {
		if (strcmp(w, "nothing") == 0)
			continue;
		if (strcmp(w, "block") == 0)
			wanted.flags |= VPN_ROUTES_BLOCK_DNS;
		else if (wanted.n_in_tunnel < NETWORKS_MOST &&
			 read_prefix(w, &networks[wanted.n_in_tunnel]))
			wanted.n_in_tunnel++;
	}
	return a->routes->want(a->routes_inst, &wanted, err);
}

static void on_order(void *ctx, int fd, uint32_t events)
{
	struct asks *a = ctx;
	struct vpn_error err = {.size = sizeof(err)};
	char line[LINE_BYTES], text[400];
	(void)events;
	ssize_t n = read(fd, line, sizeof(line) - 1);
	if (n <= 0)
		return;
	line[n] = '\0';
	vpn_status status = ask(a, line, &err);
	if (status == VPN_OK)
		snprintf(text, sizeof(text), "%u: wanted", ++a->n);
	else
		snprintf(text, sizeof(text), "%u: %d %.300s", ++a->n, status, err.text);
	a->host->log(a->host, VPN_LOG_INFO, text);
}

static vpn_status fail(struct vpn_error *err, vpn_status status, const char *text)
{
	snprintf(err->text, sizeof(err->text), "%s", text);
	return err->status = status;
}

static vpn_status apply(void *inst, const struct vpn_device_info *device, struct vpn_error *err)
{
	struct asks *a = inst;
	(void)device;
	a->routes = a->host->get_service(a->host, VPN_EXT_ROUTES, &a->routes_inst);
	if (a->routes == NULL)
		return fail(err, VPN_ENOTSUP, "the routes component takes no wishes");
	vpn_status status = a->config->first != NULL ? ask(a, a->config->first, err) : VPN_OK;
	if (status != VPN_OK || a->config->orders == NULL)
		return status;
	/* for writing too: the pipe has no end then */
	a->fd = open(a->config->orders, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (a->fd < 0)
		return fail(err, VPN_EIO, "the pipe for orders cannot be opened");
	return a->loop->watch(a->loop_inst, a->fd, VPN_POLLIN, on_order, a);
}

static vpn_status revert(void *inst, struct vpn_error *err)
{
	struct asks *a = inst;
	if (a->fd >= 0) {
		a->loop->watch(a->loop_inst, a->fd, 0, NULL, NULL);
		close(a->fd);
	}
	a->fd = -1;
	return a->routes != NULL ? ask(a, "nothing", err) : VPN_OK;
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	struct asks *a = calloc(1, sizeof(*a));
	*inst = a;
	if (a == NULL)
		return fail(err, VPN_ENOMEM, "out of memory");
	a->host = host;
	a->config = config;
	a->fd = -1;
	return VPN_OK;
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct asks *a = inst;
	(void)lanes;
	a->loop = a->host->get_service(a->host, VPN_EXT_LOOP, &a->loop_inst);
	return a->loop != NULL ? VPN_OK : fail(err, VPN_ENOTSUP, "needs a host with an event loop");
}

static void stop(void *inst)
{
	(void)inst;
}

static void destroy(void *inst)
{
	free(inst);
}

static const struct vpn_option options[] = {
	{.name = "orders", .type = VPN_OPT_STRING, .offset = offsetof(struct config, orders)},
	{.name = "first", .type = VPN_OPT_STRING, .offset = offsetof(struct config, first)},
};
static const struct vpn_option_table table = VPN_OPTION_TABLE(options, struct config);

static const struct vpn_lifecycle life = {.size = sizeof(life),
					  .options = &table,
					  .create = create,
					  .start = start,
					  .stop = stop,
					  .destroy = destroy};
static const struct vpn_plan plan = {.size = sizeof(plan), .apply = apply, .revert = revert};

static const struct vpn_component component = {.size = sizeof(component),
					       .kind = VPN_KIND_DNS,
					       .id = "test-asks",
					       .summary = "wants of the routes what it is told",
					       .lifecycle = &life,
					       .plan = &plan};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(test_asks, "test-asks", "1.0", "BSD-2-Clause", "", "", components);
