/* SPDX-License-Identifier: BSD-2-Clause */
/* bad_plugin: breaks rules on purpose; shows that the conformance test sees it. */
#include <stdlib.h>
#include <unistd.h>
#include <vpncore/plugin.h>

struct bad_config {
	uint64_t number;
};

static const struct vpn_option options[] = {
	{.name = "Number", .dflt = "7", .doc = "A name with a capital.", .type = VPN_OPT_UINT},
};
static const struct vpn_option_table table = VPN_OPTION_TABLE(options, struct bad_config);

static const struct vpn_option default_options[] = {
	{.name = "number",
	 .dflt = "11",
	 .doc = "At most 10.",
	 .min = 1,
	 .max = 10,
	 .type = VPN_OPT_UINT},
};
static const struct vpn_option_table default_table = VPN_OPTION_TABLE(default_options,
								      struct bad_config);

static const struct vpn_counter counters[] = {
	{"drop_silently", "a drop that is not marked", 0, 0},
	{"packets", NULL, 0, 0},
};

static uint32_t calls;

static void needs(const void *config, struct vpn_needs *out)
{
	(void)config;
	out->flags = VPN_L3;
	out->headroom = ++calls; /* not pure */
	out->overhead = 100;
	out->align = 3;
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	(void)host;
	(void)config;
	(void)err;
	*inst = malloc(1);
	return dup(0) < 0 ? VPN_EIO : VPN_OK; /* touches the world */
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	(void)inst;
	(void)lanes;
	(void)err;
	return VPN_OK;
}

static void stop(void *inst)
{
	(void)inst;
}

static const void *get_extension(void *inst, const char *id)
{
	(void)id;
	return inst; /* knows everything */
}

static uint32_t send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	return vpn_push(lane->down, pkts, n);
}

static const struct vpn_flow flow = {.size = sizeof(flow), .send = send};

static const struct vpn_lifecycle with_bad_tables = {
	.size = sizeof(with_bad_tables),
	.options = &table,
	.counters = counters,
	.n_counters = 2,
	.needs = needs,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = free,
};

static const struct vpn_lifecycle with_bad_manners = {
	.size = sizeof(with_bad_manners),
	.needs = needs,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = free,
	.get_extension = get_extension,
};

static const struct vpn_lifecycle with_bad_default = {
	.size = sizeof(with_bad_default),
	.options = &default_table,
	.needs = needs,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = free,
};

static const struct vpn_component first = {
	.size = sizeof(first),
	.kind = VPN_KIND_TRANSPORT,
	.id = "bad-tables",
	.summary = "two\nlines",
	.lifecycle = &with_bad_tables,
	.flow = &flow,
};

static const struct vpn_component second = {
	.size = sizeof(second),
	.kind = VPN_KIND_TRANSPORT,
	.id = "bad-manners",
	.summary = "breaks rules at run time",
	.lifecycle = &with_bad_manners,
	.flow = &flow,
};

static const struct vpn_component third = {
	.size = sizeof(third),
	.kind = VPN_KIND_TRANSPORT,
	.id = "bad-default",
	.summary = "has a default that its own range refuses",
	.lifecycle = &with_bad_default,
	.flow = &flow,
};

static const struct vpn_component *const components[] = {&first, &second, &third, NULL};

VPN_PLUGIN(bad, "bad", "", "BSD-2-Clause", "", NULL, components);
