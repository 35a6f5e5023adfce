/* SPDX-License-Identifier: BSD-2-Clause */
/* harmless: one transport that does nothing, for plugins that are wrong in some other way. */
#ifndef VPNCORE_TEST_HARMLESS_H
#define VPNCORE_TEST_HARMLESS_H

#include <vpncore/plugin.h>

#ifndef HARMLESS_ID
#define HARMLESS_ID "test-harmless"
#endif
#ifndef HARMLESS_OPTIONS
#define HARMLESS_OPTIONS NULL
#endif

static void harmless_needs(const void *config, struct vpn_needs *out)
{
	(void)config;
	out->flags = VPN_L3 | VPN_BOTTOM;
	out->mtu = 1500;
}

static vpn_status harmless_create(const struct vpn_host *host, const void *config, void **inst,
				  struct vpn_error *err)
{
	(void)host;
	(void)config;
	(void)inst;
	(void)err;
	return VPN_ENOTSUP;
}

static vpn_status harmless_start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	(void)inst;
	(void)lanes;
	(void)err;
	return VPN_ENOTSUP;
}

static void harmless_stop(void *inst)
{
	(void)inst;
}

static uint32_t harmless_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts,
			      uint32_t n)
{
	(void)inst;
	(void)lane;
	(void)pkts;
	(void)n;
	return 0;
}

#define HARMLESS_LIFE \
	{ \
		.size = sizeof(struct vpn_lifecycle), .options = HARMLESS_OPTIONS, \
		.needs = harmless_needs, .create = harmless_create, .start = harmless_start, \
		.stop = harmless_stop, .destroy = harmless_stop, \
	}

static const struct vpn_lifecycle harmless_life = HARMLESS_LIFE;
static const struct vpn_flow harmless_flow = {.size = sizeof(harmless_flow), .send = harmless_send};
static const struct vpn_component harmless = {sizeof(harmless),
					      VPN_KIND_TRANSPORT,
					      HARMLESS_ID,
					      "does nothing",
					      &harmless_life,
					      &harmless_flow,
					      NULL,
					      NULL,
					      NULL};
static const struct vpn_component *const harmless_list[] = {&harmless, NULL};

/* A descriptor with everything as it should be, under another symbol or with other fields. */
#define HARMLESS_PLUGIN(symbol, magic, size, major, minor, flags, list) \
	extern VPN_EXPORT const struct vpn_plugin symbol; \
	const struct vpn_plugin symbol = {magic, size,           major, minor, flags, "harmless", \
					  "1.0", "BSD-2-Clause", "",    "",    list}

#endif
