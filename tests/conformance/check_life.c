/* SPDX-License-Identifier: BSD-2-Clause */
/* check_life: validate, needs, create, stop and destroy, on the test host. start() is not called:
 * it may need privileges and change the system. */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/testhost.h>

#include "check.h"
#include "options.h"

static const char *current; /* component under test, for reports of the test host */

static void on_report(void *ctx, const char *file, int line, const char *text)
{
	(void)ctx;
	(void)file;
	(void)line;
	check(false, "%s: %s", current, text);
}

/* Open descriptors of this process. */
static unsigned open_descriptors(void)
{
	unsigned n = 0;
	DIR *dir = opendir("/dev/fd");
	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void print_problem(void *ctx, const char *text)
{
	(void)ctx;
	printf("  %s\n", text);
}

/* The component's struct from JSON text; with problems, NULL. */
static void *make_config(const struct vpn_component *c, const char *json)
{
	const struct vpn_option_table *table = c->lifecycle->options;
	const char *const ignore[] = {NULL};
	struct problems problems;
	struct options_source src = {.folder = ".", .problems = &problems};
	json_t *object = json_loads(json, 0, NULL);
	problems_init(&problems, "options");
	void *config = object != NULL ? options_fill(table, object, "", ignore, &src) : NULL;
	if (!check(object != NULL && problems.n_errors == 0,
		   "%s: options %s are refused: give tests/conformance/options a file for this "
		   "plugin",
		   c->id, json)) {
		problems_print(&problems, print_problem, NULL);
		config = options_free(table, config);
	}
	json_decref(object);
	problems_clear(&problems);
	return config;
}

static void check_validate(const struct vpn_component *c, const void *config)
{
	struct vpn_error err = {.size = sizeof(err)};
	if (c->lifecycle->validate == NULL)
		return;
	for (int i = 0; i < 2; i++)
		check(c->lifecycle->validate(config, &err) == VPN_OK,
		      "%s: validate() refuses: %s: %s", c->id, err.where, err.text);
}

static bool is_power_of_two(uint32_t n)
{
	return (n & (n - 1)) == 0;
}

static struct vpn_needs check_needs(const struct vpn_component *c, const void *config)
{
	struct vpn_needs first = {.size = sizeof(first)}, second = {.size = sizeof(second)};
	c->lifecycle->needs(config, &first);
	c->lifecycle->needs(config, &second);
	check(memcmp(&first, &second, sizeof(first)) == 0, "%s: needs() answers two things", c->id);
	check(first.size == sizeof(first), "%s: needs() changes size", c->id);
	check(first.align <= 64 && is_power_of_two(first.align), "%s: needs(): align %u", c->id,
	      (unsigned)first.align);
	check((first.flags >> 16) == 0, "%s: needs(): flags of a newer ABI", c->id);
	check(first.max_batch <= VPN_BATCH_MAX, "%s: needs(): max_batch %u", c->id,
	      (unsigned)first.max_batch);
	check((first.flags & (VPN_L2 | VPN_L3)) != 0, "%s: needs(): neither L2 nor L3", c->id);
	/* room behind the data may serve small packets alone, which are padded */
	if (c->kind == VPN_KIND_TRANSPORT)
		check(first.overhead >= first.headroom || (first.flags & VPN_BOTTOM) != 0,
		      "%s: needs(): more headroom than overhead", c->id);
	return first;
}

/* Groups of functions that the header defines are complete, as far as the plugin's minor has them. */
static void check_groups(const struct vpn_component *c, void *inst)
{
	const struct vpn_lifecycle *life = c->lifecycle;
	if (life->get_extension == NULL) {
		check(c->kind != VPN_KIND_DEVICE, "%s: a device without " VPN_EXT_DEVICE, c->id);
		return;
	}
	const struct vpn_device_ext *device = life->get_extension(inst, VPN_EXT_DEVICE);
	const struct vpn_socket_ext *socket = life->get_extension(inst, VPN_EXT_SOCKET);
	const struct vpn_peers_ext *peers = life->get_extension(inst, VPN_EXT_PEERS);
	check(c->kind != VPN_KIND_DEVICE ||
		      (device != NULL && VPN_HAS(device, struct vpn_device_ext, info) &&
		       device->info != NULL),
	      "%s: a device without " VPN_EXT_DEVICE, c->id);
	check(device == NULL || !VPN_HAS(device, struct vpn_device_ext, subscribe) ||
		      device->subscribe != NULL,
	      "%s: " VPN_EXT_DEVICE " has no subscribe()", c->id);
	check(socket == NULL ||
		      (VPN_HAS(socket, struct vpn_socket_ext, set_fwmark) && socket->info != NULL &&
		       socket->set_port != NULL && socket->set_fwmark != NULL),
	      "%s: " VPN_EXT_SOCKET " is not complete", c->id);
	check(socket == NULL || !VPN_HAS(socket, struct vpn_socket_ext, subscribe) ||
		      socket->subscribe != NULL,
	      "%s: " VPN_EXT_SOCKET " has no subscribe()", c->id);
	check(peers == NULL || (VPN_HAS(peers, struct vpn_peers_ext, subscribe) &&
				peers->generation != NULL && peers->each != NULL &&
				peers->subscribe != NULL),
	      "%s: " VPN_EXT_PEERS " is not complete", c->id);
}

/* create, extensions, stop before start, stop again, destroy. */
static void check_instance(struct testhost *h, const struct vpn_component *c, const void *config,
			   uint32_t n_lanes)
{
	const struct testhost_setup setup = {.config = config, .n_lanes = n_lanes};
	struct vpn_error err;
	struct testhost_stage *s = testhost_add(h, c, &setup, &err);
	if (!check(s != NULL, "%s: create() fails: %s", c->id, err.text))
		return;
	const struct vpn_lifecycle *life = c->lifecycle;
	/* what it gives for an id that it cannot know is no group, and so may be the rest */
	if (check(life->get_extension == NULL ||
			  life->get_extension(testhost_instance(s),
					      "org.example.no-such-extension/1") == NULL,
		  "%s: get_extension() knows an id that nobody has defined", c->id))
		check_groups(c, testhost_instance(s));
	testhost_stop(s);
	testhost_stop(s);
	testhost_remove(s);
}

static void run(struct testhost *h, const struct vpn_component *c, void *config)
{
	uint32_t size = c->lifecycle->options != NULL ? c->lifecycle->options->config_size : 0;
	void *copy = malloc(size + 1);
	unsigned descriptors = open_descriptors();
	if (copy == NULL)
		abort();
	memcpy(copy, size != 0 ? config : "", size);
	check_validate(c, config);
	struct vpn_needs needs = {.size = sizeof(needs)};
	if (c->lifecycle->needs != NULL) /* those beside the pipeline have none */
		needs = check_needs(c, config);
	c->lifecycle->destroy(NULL);
	for (int i = 0; i < 3; i++)
		check_instance(h, c, config, 0);
	if ((needs.flags & VPN_LANE_AWARE) != 0)
		check_instance(h, c, config, 4);
	check(open_descriptors() == descriptors,
	      "%s: validate, needs and create left a descriptor open", c->id);
	check(size == 0 || memcmp(copy, config, size) == 0, "%s: the options were written to",
	      c->id);
	free(copy);
}

void check_life(const struct vpn_component *c, const char *json)
{
	void *config = NULL;
	current = c->id;
	testhost_on_report(on_report, NULL);
	if (c->lifecycle->options != NULL && (config = make_config(c, json)) == NULL)
		return;
	struct testhost *h = testhost_new(1);
	if (check(h != NULL, "%s: no memory for the test host", c->id))
		run(h, c, config);
	testhost_free(h);
	options_free(c->lifecycle->options, config);
}
