/* SPDX-License-Identifier: BSD-2-Clause */
/* choice: dns components that "auto" chooses among. How well test-a and test-b fit is in the environment,
 * TEST_FIT_A and TEST_FIT_B; test-c, of an older ABI, has no say. They do nothing. */
#include <stdlib.h>
#include <string.h>
#include <vpncore/plugin.h>

struct config {
	const char *word;
};

static const struct vpn_option options[] = {
	{.name = "word", .type = VPN_OPT_STRING, .offset = offsetof(struct config, word)},
};

static const struct vpn_option_table table = VPN_OPTION_TABLE(options, struct config);

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

static vpn_status apply(void *inst, const struct vpn_device_info *device, struct vpn_error *err)
{
	(void)inst;
	(void)device;
	(void)err;
	return VPN_ENOTSUP;
}

static vpn_status revert(void *inst, struct vpn_error *err)
{
	(void)inst;
	(void)err;
	return VPN_OK;
}

static uint32_t fit(const char *variable)
{
	const char *text = getenv(variable);
	return text != NULL ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

static uint32_t probe_a(const struct vpn_host *host, struct vpn_error *why)
{
	host->log(host, VPN_LOG_DEBUG, "a is asked");
	strcpy(why->text, "of a");
	return fit("TEST_FIT_A");
}

/* Leaves no room for the text's end. */
static uint32_t probe_b(const struct vpn_host *host, struct vpn_error *why)
{
	(void)host;
	memset(why->text, 'x', sizeof(why->text));
	memcpy(why->text, "of b", 4);
	return fit("TEST_FIT_B");
}

static const struct vpn_probe_ext ext_a = {.size = sizeof(ext_a), .probe = probe_a};
static const struct vpn_probe_ext ext_b = {.size = sizeof(ext_b), .probe = probe_b};

static const void *static_a(const char *id)
{
	return strcmp(id, VPN_EXT_PROBE) == 0 ? &ext_a : NULL;
}

static const void *static_b(const char *id)
{
	return strcmp(id, VPN_EXT_PROBE) == 0 ? &ext_b : NULL;
}

#define LIFE(name, its_flags, its_options) \
	static const struct vpn_lifecycle name = {.size = sizeof(name), \
						  .flags = (its_flags), \
						  .options = (its_options), \
						  .create = create, \
						  .start = start, \
						  .stop = stop, \
						  .destroy = stop, \
						  .get_extension = get_extension}

LIFE(with_word, VPN_AUTO, &table);
LIFE(without, VPN_AUTO, NULL);
LIFE(by_name, 0, &table);

static const struct vpn_plan plan = {.size = sizeof(plan), .apply = apply, .revert = revert};

#define COMPONENT(name, its_id, life, its_static, its_size) \
	static const struct vpn_component name = {.size = (its_size), \
						  .kind = VPN_KIND_DNS, \
						  .id = (its_id), \
						  .summary = "sets nothing", \
						  .lifecycle = &(life), \
						  .plan = &plan, \
						  .get_static = (its_static)}

COMPONENT(c, "test-c", without, static_a, offsetof(struct vpn_component, get_static));
COMPONENT(b, "test-b", with_word, static_b, sizeof(b));
COMPONENT(a, "test-a", with_word, static_a, sizeof(a));
COMPONENT(d, "test-d", by_name, static_a, sizeof(d));

static const struct vpn_component *const components[] = {&c, &b, &a, &d, NULL};

VPN_PLUGIN(test_choice, "test-choice", "1.0", "BSD-2-Clause", "", "", components);
