/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A transport of the name "wireguard" with the options that `vpncore wg` gives it. It carries nothing.
 * VPNCORE_TEST_FAIL in the environment makes its start fail. VPNCORE_TEST_DIE makes it fail, with the
 * status -4, while it starts ("now") or when there is a file of that name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vpncore/plugin.h>

struct config {
	uint32_t uapi;
	uint32_t unused;
	int64_t uapi_fd;
};

struct stub {
	const struct vpn_host *host;
	const struct config *config;
};

static void needs(const void *config, struct vpn_needs *out)
{
	(void)config;
	out->flags = VPN_L3 | VPN_LANE_AWARE | VPN_ENCRYPTS | VPN_AUTHENTICATES | VPN_SETS_ENDPOINT;
	out->headroom = 16;
	out->tailroom = 16;
	out->overhead = 32;
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	struct stub *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err->status = VPN_ENOMEM;
	s->host = host;
	s->config = config;
	*inst = s;
	return VPN_OK;
}

static void die(const struct stub *s)
{
	struct vpn_error err = {.size = sizeof(err), .status = VPN_EIO};
	strcpy(err.text, "the test wants it to die");
	s->host->fail(s->host, &err);
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct stub *s = inst;
	char text[64];
	if (getenv("VPNCORE_TEST_FAIL") != NULL) {
		strcpy(err->text, "the test wants it to fail");
		return err->status = VPN_EBUSY;
	}
	snprintf(text, sizeof(text), "uapi=%u uapi_fd=%d", s->config->uapi,
		 (int)s->config->uapi_fd);
	s->host->log(s->host, VPN_LOG_DEBUG, text);
	const char *when = getenv("VPNCORE_TEST_DIE");
	if (when != NULL && strcmp(when, "now") == 0)
		die(s);
	else if (when != NULL)
		s->host->arm(lanes[0], 1);
	return VPN_OK;
}

static void stop(void *inst)
{
	(void)inst;
}

static uint32_t drop(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct stub *s = inst;
	s->host->release(lane, pkts, n);
	return n;
}

static void timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	struct stub *s = inst;
	if (access(getenv("VPNCORE_TEST_DIE"), F_OK) == 0)
		die(s);
	else
		s->host->arm(lane, now_ns + 10000000);
}

static const char *const switches[] = {"auto", "on", "off", NULL};

static const struct vpn_option options[] = {
	{.name = "uapi",
	 .type = VPN_OPT_ENUM,
	 .dflt = "auto",
	 .choices = switches,
	 .offset = offsetof(struct config, uapi),
	 .doc = "As the real one has it."},
	{.name = "uapi_fd",
	 .type = VPN_OPT_INT,
	 .dflt = "-1",
	 .min = -1,
	 .max = INT32_MAX,
	 .offset = offsetof(struct config, uapi_fd),
	 .doc = "As the real one has it."},
};

static const struct vpn_option_table table = VPN_OPTION_TABLE(options, struct config);

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.options = &table,
	.needs = needs,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = free,
};

static const struct vpn_flow flow = {
	.size = sizeof(flow),
	.send = drop,
	.recv = drop,
	.timer = timer,
};

static const struct vpn_component component = {
	.size = sizeof(component),
	.kind = VPN_KIND_TRANSPORT,
	.id = "wireguard",
	.summary = "a stub for tests: carries nothing",
	.lifecycle = &lifecycle,
	.flow = &flow,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(transport_wireguard, "wireguard", "1.0.0", "BSD-2-Clause", "https://example.org/stub",
	   "", components);
