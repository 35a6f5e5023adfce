/* SPDX-License-Identifier: BSD-2-Clause */
/* describe_needs: what a component is and costs when no option is set. */
#include "describe.h"
#include "fault.h"
#include "options.h"

static const struct {
	uint32_t flag;
	const char *name;
} properties[] = {
	{VPN_L3, "ip"},
	{VPN_L2, "ethernet"},
	{VPN_BOTTOM, "bottom"},
	{VPN_ENCRYPTS, "encrypts"},
	{VPN_AUTHENTICATES, "authenticates"},
	{VPN_RELIABLE, "reliable"},
	{VPN_LANE_AWARE, "lane-aware"},
	{VPN_SETS_ENDPOINT, "sets-endpoint"},
	{VPN_NEEDS_REMOTE, "needs-remote"},
	{VPN_WANTS_CIPHERTEXT, "wants-ciphertext"},
};

const char *describe_property(const struct vpn_needs *needs, size_t *i)
{
	while (*i < sizeof(properties) / sizeof(properties[0])) {
		size_t k = (*i)++;
		if ((needs->flags & properties[k].flag) != 0)
			return properties[k].name;
	}
	return NULL;
}

bool describe_needs(const struct loaded *c, struct vpn_needs *out)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct problems problems;
	struct options_source source = {.folder = ".", .problems = &problems};
	const struct vpn_lifecycle *life = c->component->lifecycle;
	json_t *empty = json_object();
	*out = (struct vpn_needs){.size = sizeof(*out)};
	if (empty == NULL || life->needs == NULL) {
		json_decref(empty);
		return false;
	}
	problems_init(&problems, "");
	void *config = options_fill(life->options, empty, "", NULL, &source);
	bool good = problems.n_errors == 0 &&
		    (life->validate == NULL || life->validate(config, &err) == VPN_OK);
	if (good)
		life->needs(config, out);
	if (life->options != NULL)
		options_free(life->options, config);
	problems_clear(&problems);
	json_decref(empty);
	return good;
}
