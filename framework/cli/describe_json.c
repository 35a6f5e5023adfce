/* SPDX-License-Identifier: BSD-2-Clause */
/* describe_json: the page of a component for programs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "options.h"
#include "output.h"

#define DEPTH_MAX 8u

/* The default as the value that would stand in the manifest. */
static json_t *default_json(const struct vpn_option *o)
{
	char *end;
	if (o->dflt == NULL || (o->flags & VPN_OPT_SECRET) != 0)
		return json_null();
	if (o->type == VPN_OPT_BOOL)
		return json_boolean(strcmp(o->dflt, "true") == 0);
	if (o->type == VPN_OPT_INT || o->type == VPN_OPT_UINT || o->type == VPN_OPT_SIZE) {
		errno = 0;
		long long value = strtoll(o->dflt, &end, 10);
		if (errno == 0 && end != o->dflt && *end == '\0')
			return json_integer(value);
	}
	if (o->type == VPN_OPT_LIST || o->type == VPN_OPT_OBJECT) {
		json_t *value = json_loads(o->dflt, 0, NULL);
		if (value != NULL)
			return value;
	}
	return output_json_string(o->dflt);
}

static json_t *choices_json(const char *const *choices)
{
	json_t *list = json_array();
	for (size_t i = 0; choices[i] != NULL; i++)
		if (json_array_append_new(list, output_json_string(choices[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *options_json(const struct vpn_option_table *table, unsigned depth);

/* What only some options have. Returns non-zero without memory. */
static int add_details(json_t *object, const struct vpn_option *o, unsigned depth)
{
	int failed = 0;
	if (describe_has_range(o)) {
		failed |= json_object_set_new(object, "min", json_integer(o->min));
		failed |= json_object_set_new(object, "max", json_integer(o->max));
	}
	if (o->unit != NULL)
		failed |= json_object_set_new(object, "unit", output_json_string(o->unit));
	if (o->type == VPN_OPT_LIST)
		failed |= json_object_set_new(object, "item_type",
					      json_string(options_type_name(o->item_type)));
	if (o->choices != NULL)
		failed |= json_object_set_new(object, "choices", choices_json(o->choices));
	if (o->table != NULL && depth < DEPTH_MAX)
		failed |= json_object_set_new(object, "options", options_json(o->table, depth + 1));
	return failed;
}

static json_t *option_json(const struct vpn_option *o, unsigned depth)
{
	json_t *object = json_pack("{s:o, s:s, s:b, s:b, s:b, s:o, s:o}", "name",
				   output_json_string(o->name), "type", options_type_name(o->type),
				   "required", (o->flags & VPN_OPT_REQUIRED) != 0, "secret",
				   (o->flags & VPN_OPT_SECRET) != 0, "reloadable",
				   (o->flags & VPN_OPT_RELOADABLE) != 0, "default", default_json(o),
				   "doc", output_json_string(o->doc));
	if (object != NULL && add_details(object, o, depth) != 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *options_json(const struct vpn_option_table *table, unsigned depth)
{
	json_t *list = json_array();
	for (uint32_t i = 0; table != NULL && i < table->n_options; i++)
		if (json_array_append_new(list, option_json(options_at(table, i), depth)) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *counters_json(const struct vpn_lifecycle *life)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < life->n_counters; i++) {
		const struct vpn_counter *k = &life->counters[i];
		json_t *object = json_pack("{s:o, s:b, s:o}", "name", output_json_string(k->name),
					   "drop", (k->flags & VPN_COUNTER_DROP) != 0, "doc",
					   output_json_string(k->doc));
		if (json_array_append_new(list, object) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *plugin_json(const struct vpn_plugin *p)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:[i, i]}", "name", output_json_string(p->name),
			 "version", output_json_string(p->version), "license",
			 output_json_string(p->license), "url", output_json_string(p->url), "build",
			 output_json_string(p->build), "abi", (int)p->abi_major, (int)p->abi_minor);
}

/* What the component is and costs with no option set, or null. */
static json_t *needs_json(const struct loaded *c)
{
	struct vpn_needs needs;
	size_t i = 0;
	if (!describe_needs(c, &needs))
		return json_null();
	json_t *list = json_array();
	for (const char *p; (p = describe_property(&needs, &i)) != NULL;)
		if (json_array_append_new(list, json_string(p)) != 0) {
			json_decref(list);
			return NULL;
		}
	return json_pack("{s:o, s:I, s:I, s:I}", "properties", list, "headroom",
			 (json_int_t)needs.headroom, "tailroom", (json_int_t)needs.tailroom,
			 "overhead", (json_int_t)needs.overhead);
}

json_t *describe_json(const struct loaded *c)
{
	const struct vpn_lifecycle *life = c->component->lifecycle;
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o}", "id",
			 output_json_string(c->component->id), "kind",
			 loader_kind_name(c->component->kind), "summary",
			 output_json_string(c->component->summary), "path",
			 output_json_string(c->path), "plugin", plugin_json(c->plugin), "auto",
			 (life->flags & VPN_AUTO) != 0, "reload", life->reload != NULL, "needs",
			 needs_json(c), "options", options_json(life->options, 0), "counters",
			 counters_json(life));
}
