/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_plugins: whether a plugin file keeps the rules of plugin.h, as far as that can be seen
 * without privileges and without a network.
 *
 * usage: test_plugins FILE.so [OPTIONS.json]
 *
 * OPTIONS.json holds the options that the component needs, as in a manifest. Prints each rule that
 * is broken; exit status 1 when there is one.
 */
#include <dlfcn.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static bool is_id(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
	return id != NULL && id[0] != '\0' && strlen(id) <= 64 && id[strspn(id, allowed)] == '\0';
}

static bool check_plugin(const struct vpn_plugin *p)
{
	check(p->magic == VPN_PLUGIN_MAGIC, "magic is %08x", (unsigned)p->magic);
	check(p->size == sizeof(*p), "size of vpn_plugin is %u", (unsigned)p->size);
	check(p->abi_major == VPN_ABI_MAJOR, "ABI major is %u", (unsigned)p->abi_major);
	check(p->abi_minor <= VPN_ABI_MINOR, "ABI minor is %u", (unsigned)p->abi_minor);
	check(p->flags == 0, "flags are %08x", (unsigned)p->flags);
	check(is_one_line(p->name), "the plugin has no name");
	check(is_one_line(p->version), "the plugin has no version");
	check(is_one_line(p->license), "the plugin has no license");
	check(p->url != NULL, "the plugin's url is NULL, not empty");
	check(p->build != NULL, "the plugin's build is NULL, not empty");
	return check(p->components != NULL && p->components[0] != NULL,
		     "the plugin has no component");
}

static bool check_lifecycle(const struct vpn_component *c)
{
	const struct vpn_lifecycle *life = c->lifecycle;
	if (!check(life != NULL, "%s: no lifecycle", c->id) ||
	    !check(life->size == sizeof(*life), "%s: size of vpn_lifecycle is %u", c->id,
		   (unsigned)life->size))
		return false;
	check((life->flags >> 16) == 0, "%s: lifecycle flags of a newer ABI", c->id);
	bool beside = c->kind == VPN_KIND_ROUTES || c->kind == VPN_KIND_DNS;
	check((life->flags & VPN_AUTO) == 0 || beside || c->kind == VPN_KIND_DEVICE,
	      "%s: VPN_AUTO is for devices, routes and dns", c->id);
	check((life->needs != NULL) != beside,
	      beside ? "%s: needs, which is for the pipeline" : "%s: needs is NULL", c->id);
	return check(life->create != NULL && life->start != NULL && life->stop != NULL &&
			     life->destroy != NULL,
		     "%s: one of create, start, stop, destroy is NULL", c->id);
}

static void check_functions(const struct vpn_component *c)
{
	const struct vpn_flow *flow = c->flow;
	const struct vpn_plan *plan = c->plan;
	if (c->kind == VPN_KIND_ROUTES || c->kind == VPN_KIND_DNS) {
		check(plan != NULL && plan->size == sizeof(*plan) && plan->apply != NULL &&
			      plan->revert != NULL,
		      "%s: no whole vpn_plan", c->id);
		return;
	}
	if (!check(flow != NULL && flow->size == sizeof(*flow), "%s: no whole vpn_flow", c->id))
		return;
	if (c->kind == VPN_KIND_DEVICE)
		check(flow->send == NULL && flow->recv != NULL,
		      "%s: a device has recv() and no send()", c->id);
	else
		check(flow->send != NULL, "%s: a transport without send()", c->id);
}

static const char *word_of(uint32_t kind)
{
	static const char *const words[] = {"?", "driver", "transport", "routes", "dns"};
	return kind <= VPN_KIND_DNS ? words[kind] : words[0];
}

static bool check_component(const struct vpn_component *c)
{
	if (!check(is_id(c->id),
		   "a component's id is not lower-case letters, digits, '.', '-', '_'"))
		return false;
	check(c->size == sizeof(*c), "%s: size of vpn_component is %u", c->id, (unsigned)c->size);
	check(is_one_line(c->summary), "%s: no summary of one line", c->id);
	if (!check(c->kind >= VPN_KIND_DEVICE && c->kind <= VPN_KIND_DNS, "%s: kind %u", c->id,
		   (unsigned)c->kind) ||
	    !check_lifecycle(c))
		return false;
	check_functions(c);
	check_counters(c);
	unsigned before = check_failures();
	check_options(c->id, c->lifecycle->options);
	return check_failures() == before;
}

/* The loader finds a component by its file's name before it looks into the others. */
static void check_file_name(const char *file, const struct vpn_plugin *p)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash != NULL ? slash + 1 : file;
	bool found = false;
	for (size_t i = 0; p->components[i] != NULL; i++) {
		char want[128];
		snprintf(want, sizeof(want), "%s-%s.so", word_of(p->components[i]->kind),
			 p->components[i]->id);
		found |= strcmp(want, base) == 0;
	}
	check(found, "the file is named for none of its components: %s", base);
}

static char *options_text(const char *file)
{
	json_t *object = file != NULL ? json_load_file(file, 0, NULL) : json_object();
	char *text = json_dumps(object, 0);
	json_decref(object);
	check(text != NULL, "%s: cannot be read as JSON", file != NULL ? file : "options");
	return text;
}

static const struct vpn_plugin *load(const char *file)
{
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!check(handle != NULL, "%s", handle == NULL ? dlerror() : ""))
		return NULL;
	const struct vpn_plugin *p = dlsym(handle, "vpncore_plugin_v1");
	check(p != NULL, "the symbol vpncore_plugin_v1 is missing");
	return p;
}

static void check_file(const char *file, const char *json)
{
	const struct vpn_plugin *p = load(file);
	if (p == NULL || !check_plugin(p))
		return;
	for (size_t i = 0; p->components[i] != NULL; i++) {
		const struct vpn_component *c = p->components[i];
		bool sound = check_component(c);
		for (size_t j = 0; sound && j < i; j++)
			check(strcmp(p->components[j]->id, c->id) != 0 ||
				      p->components[j]->kind != c->kind,
			      "%s: stands twice", c->id);
		if (sound)
			check_life(c, json);
	}
	check_file_name(file, p);
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: test_plugins FILE.so [OPTIONS.json]\n");
		return 2;
	}
	char *json = options_text(argc == 3 ? argv[2] : NULL);
	if (json != NULL)
		check_file(argv[1], json);
	free(json);
	printf("%u rules kept, %u broken\n", check_count() - check_failures(), check_failures());
	return check_failures() != 0;
}
