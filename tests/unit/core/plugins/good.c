/* SPDX-License-Identifier: BSD-2-Clause */
/* good: a device and transports of every sort, that only say what they need. For tests of the core. */
#include <string.h>
#include <vpncore/plugin.h>

struct config {
	uint64_t mtu;
	uint32_t layer;
	uint32_t is_bottom;
	uint64_t headroom, tailroom, overhead, align, batch, path_mtu;
	uint32_t flags[7]; /* one per property below */
	const char *word;
	struct vpn_bytes key;
	struct vpn_hostport remote;
	struct vpn_list peers;
};

struct peer {
	struct vpn_prefix allowed;
	struct vpn_hostport endpoint;
};

static const char *const layers[] = {"ip", "ethernet", NULL};

#define AT(f) offsetof(struct config, f)

static const struct vpn_option peer_options[] = {
	{.name = "allowed",
	 .type = VPN_OPT_PREFIX,
	 .flags = VPN_OPT_REQUIRED | VPN_OPT_NETWORK,
	 .offset = offsetof(struct peer, allowed)},
	{.name = "endpoint", .type = VPN_OPT_HOSTPORT, .offset = offsetof(struct peer, endpoint)},
};

static const struct vpn_option_table peer_table = VPN_OPTION_TABLE(peer_options, struct peer);

static const struct vpn_option options[] = {
	{.name = "mtu", .type = VPN_OPT_UINT, .max = 65535, .unit = "bytes", .offset = AT(mtu)},
	{.name = "layer", .type = VPN_OPT_ENUM, .choices = layers, .offset = AT(layer)},
	{.name = "headroom", .type = VPN_OPT_UINT, .offset = AT(headroom)},
	{.name = "tailroom", .type = VPN_OPT_UINT, .offset = AT(tailroom)},
	{.name = "overhead", .type = VPN_OPT_UINT, .offset = AT(overhead)},
	{.name = "align", .type = VPN_OPT_UINT, .offset = AT(align)},
	{.name = "batch", .type = VPN_OPT_UINT, .offset = AT(batch)},
	{.name = "path_mtu", .type = VPN_OPT_UINT, .dflt = "1500", .offset = AT(path_mtu)},
	{.name = "encrypts", .type = VPN_OPT_BOOL, .offset = AT(flags[0])},
	{.name = "authenticates", .type = VPN_OPT_BOOL, .offset = AT(flags[1])},
	{.name = "one_lane", .type = VPN_OPT_BOOL, .offset = AT(flags[2])},
	{.name = "ip_only", .type = VPN_OPT_BOOL, .offset = AT(flags[3])},
	{.name = "sets_endpoint", .type = VPN_OPT_BOOL, .offset = AT(flags[4])},
	{.name = "from_the_future", .type = VPN_OPT_BOOL, .offset = AT(flags[5])},
	{.name = "wants_ciphertext", .type = VPN_OPT_BOOL, .offset = AT(flags[6])},
	{.name = "word", .type = VPN_OPT_STRING, .min = 1, .max = 8, .offset = AT(word)},
	{.name = "key",
	 .type = VPN_OPT_BYTES,
	 .flags = VPN_OPT_SECRET,
	 .min = 4,
	 .max = 4,
	 .offset = AT(key)},
	{.name = "remote", .type = VPN_OPT_HOSTPORT, .offset = AT(remote)},
	{.name = "peers",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_OBJECT,
	 .table = &peer_table,
	 .offset = AT(peers)},
};

static const struct vpn_option_table table = VPN_OPTION_TABLE(options, struct config);

static vpn_status refuse_word(const void *config, struct vpn_error *err)
{
	const struct config *c = config;
	if (c->word == NULL || strcmp(c->word, "refused") != 0)
		return VPN_OK;
	err->status = VPN_EINVAL;
	strcpy(err->where, "/word");
	strcpy(err->text, "this word is not liked");
	return VPN_EINVAL;
}

static void common_needs(const struct config *c, struct vpn_needs *out)
{
	out->flags |= c->flags[2] != 0 ? 0 : VPN_LANE_AWARE;
	out->flags |= c->flags[5] != 0 ? 0x00100000u : 0;
	out->headroom = (uint32_t)c->headroom;
	out->tailroom = (uint32_t)c->tailroom;
	out->overhead = (uint32_t)c->overhead;
	out->align = (uint32_t)c->align;
	out->max_batch = (uint32_t)c->batch;
}

static void device_needs(const void *config, struct vpn_needs *out)
{
	const struct config *c = config;
	common_needs(c, out);
	out->flags |= c->layer == 0 ? VPN_L3 : VPN_L2;
	out->mtu = (uint32_t)c->mtu;
}

static void transport_needs(const void *config, struct vpn_needs *out)
{
	const struct config *c = config;
	common_needs(c, out);
	out->flags |= VPN_L3;
	out->flags |= c->flags[0] != 0 ? VPN_ENCRYPTS : 0;
	out->flags |= c->flags[1] != 0 ? VPN_AUTHENTICATES : 0;
	out->flags |= c->flags[3] != 0 ? 0 : VPN_L2;
	out->flags |= c->flags[4] != 0 ? VPN_SETS_ENDPOINT : 0;
	out->flags |= c->flags[6] != 0 ? VPN_WANTS_CIPHERTEXT : 0;
	out->mtu = (uint32_t)c->mtu;
}

static void bottom_needs(const void *config, struct vpn_needs *out)
{
	const struct config *c = config;
	transport_needs(config, out);
	out->flags |= VPN_BOTTOM | (c->remote.host == NULL ? VPN_NEEDS_REMOTE : 0);
	out->mtu = (uint32_t)c->path_mtu;
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	(void)host;
	(void)config;
	(void)err;
	*inst = NULL;
	return VPN_ENOTSUP;
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	(void)inst;
	(void)lanes;
	(void)err;
	return VPN_ENOTSUP;
}

static void stop(void *inst)
{
	(void)inst;
}

static const void *get_extension(void *inst, const char *id)
{
	(void)inst;
	(void)id;
	return NULL;
}

static uint32_t take_none(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	(void)lane;
	(void)pkts;
	(void)n;
	return 0;
}

#define LIFE(name, is_auto, needs_function) \
	static const struct vpn_lifecycle name = { \
		.size = sizeof(name), \
		.flags = (is_auto), \
		.options = &table, \
		.validate = refuse_word, \
		.needs = (needs_function), \
		.create = create, \
		.start = start, \
		.stop = stop, \
		.destroy = stop, \
		.get_extension = get_extension, \
	}

LIFE(device_life, VPN_AUTO, device_needs);
LIFE(transport_life, 0, transport_needs);
LIFE(bottom_life, 0, bottom_needs);

static const struct vpn_flow flow = {.size = sizeof(flow), .send = take_none, .recv = take_none};

static const struct vpn_component device = {sizeof(device),
					    VPN_KIND_DEVICE,
					    "test-device",
					    "makes nothing",
					    &device_life,
					    &flow,
					    NULL,
					    NULL,
					    NULL};
static const struct vpn_component middle = {sizeof(middle),
					    VPN_KIND_TRANSPORT,
					    "test-middle",
					    "passes nothing",
					    &transport_life,
					    &flow,
					    NULL,
					    NULL,
					    NULL};
static const struct vpn_component bottom = {sizeof(bottom),
					    VPN_KIND_TRANSPORT,
					    "test-bottom",
					    "sends nothing",
					    &bottom_life,
					    &flow,
					    NULL,
					    NULL,
					    NULL};

static const struct vpn_component *const components[] = {&device, &middle, &bottom, NULL};

VPN_PLUGIN(test_good, "test-good", "1.0", "BSD-2-Clause", "", "", components);
