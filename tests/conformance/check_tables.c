/* SPDX-License-Identifier: BSD-2-Clause */
/* check_tables: option tables and counters. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "options.h"

static const struct vpn_option *find(const struct vpn_option_table *table, const char *name,
				     uint32_t below)
{
	for (uint32_t i = 0; i < below; i++)
		if (strcmp(options_at(table, i)->name, name) == 0)
			return options_at(table, i);
	return NULL;
}

static bool has_range(const struct vpn_option *o)
{
	return o->min != o->max || o->min != 0;
}

static bool is_object(const struct vpn_option *o)
{
	return o->type == VPN_OPT_OBJECT ||
	       (o->type == VPN_OPT_LIST && o->item_type == VPN_OPT_OBJECT);
}

static void check_option(const char *where, const struct vpn_option_table *table, uint32_t i)
{
	const struct vpn_option *o = options_at(table, i);
	char inner[256];
	if (!check(is_snake_case(o->name), "%s: option %u: its name is not snake_case", where,
		   (unsigned)i))
		return;
	snprintf(inner, sizeof(inner), "%s.%s", where, o->name);
	check(find(table, o->name, i) == NULL, "%s: stands twice in its table", inner);
	check(is_one_line(o->doc), "%s: has no doc of one line", inner);
	check(!has_range(o) || o->min <= o->max, "%s: min is above max", inner);
	check(o->dflt == NULL || (o->flags & VPN_OPT_REQUIRED) == 0,
	      "%s: is required and has a default", inner);
	check(o->dflt == NULL || (o->flags & VPN_OPT_SECRET) == 0,
	      "%s: a secret with a default is none", inner);
	check((o->flags >> 16) == 0, "%s: flags of a newer ABI", inner);
	if (is_object(o))
		check_options(inner, o->table);
}

void check_options(const char *where, const struct vpn_option_table *table)
{
	struct vpn_error err = {.size = sizeof(err)};
	if (table == NULL)
		return;
	/* sizes, types, offsets, choices, and every default read by its own type and range */
	vpn_status status = options_vet(table, &err);
	if (!check(status == VPN_OK, "%s: option table: %s: %s", where, err.where, err.text))
		return;
	for (uint32_t i = 0; i < table->n_options; i++)
		check_option(where, table, i);
}

void check_counters(const struct vpn_component *c)
{
	const struct vpn_lifecycle *life = c->lifecycle;
	check(life->n_counters == 0 || life->counters != NULL,
	      "%s: counters are announced, not there", c->id);
	for (uint32_t i = 0; life->counters != NULL && i < life->n_counters; i++) {
		const struct vpn_counter *k = &life->counters[i];
		if (!check(is_snake_case(k->name), "%s: counter %u: its name is not snake_case",
			   c->id, (unsigned)i))
			continue;
		bool drop = strncmp(k->name, "drop_", 5) == 0;
		check(is_one_line(k->doc), "%s: counter %s has no doc of one line", c->id, k->name);
		check(drop == ((k->flags & VPN_COUNTER_DROP) != 0),
		      "%s: counter %s: \"drop_\" and VPN_COUNTER_DROP go together", c->id, k->name);
		for (uint32_t j = 0; j < i; j++)
			check(life->counters[j].name == NULL ||
				      strcmp(life->counters[j].name, k->name) != 0,
			      "%s: counter %s stands twice", c->id, k->name);
	}
}
