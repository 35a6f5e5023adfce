/* SPDX-License-Identifier: BSD-2-Clause */
/* describe_text: the page of a component for people. */
#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "options.h"
#include "output.h"

#define NAME_COLUMNS_MAX 20u
#define DEPTH_MAX        8u /* of nested tables: one that names itself ends here */

static void put_field(const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		output_entry(stdout, 2, 12, name, text);
}

/* Properties and costs, which may depend on the options. */
static void put_needs(const struct loaded *c)
{
	char text[512];
	struct vpn_needs needs;
	if (!describe_needs(c, &needs)) {
		if (c->component->lifecycle->needs != NULL)
			put_field("properties", "depend on options that must be set");
		return;
	}
	size_t len = 0, i = 0;
	text[0] = '\0';
	for (const char *p; (p = describe_property(&needs, &i)) != NULL && len < sizeof(text);)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
					len == 0 ? "" : ", ", p);
	put_field("properties", text);
	snprintf(text, sizeof(text), "headroom %u, tailroom %u, overhead %u bytes", needs.headroom,
		 needs.tailroom, needs.overhead);
	put_field("costs", text);
	put_field("", "(both as they are when no option is set)");
}

static void put_header(const struct loaded *c)
{
	char text[256];
	const struct vpn_plugin *p = c->plugin;
	const struct vpn_lifecycle *life = c->component->lifecycle;
	output_plain(stdout, c->component->id);
	fputs(": ", stdout);
	output_line(stdout, c->component->summary != NULL ? c->component->summary : "");
	put_field("kind", loader_kind_name(c->component->kind));
	snprintf(text, sizeof(text), "%s %s", p->name != NULL ? p->name : "-",
		 p->version != NULL ? p->version : "-");
	put_field("plugin", text);
	put_field("file", c->path);
	put_field("license", p->license);
	put_field("url", p->url);
	snprintf(text, sizeof(text), "%u.%u", p->abi_major, p->abi_minor);
	put_field("ABI", text);
	put_field("build", p->build);
	if (life->flags & VPN_AUTO)
		put_field("auto", c->component->kind == VPN_KIND_DEVICE
					  ? "may be chosen by \"device\": \"auto\""
					  : "may be chosen by \"backend\": \"auto\"");
	put_field("reload", life->reload != NULL ? "takes some options while it runs" : "no");
	put_needs(c);
}

/* Whether a default is written with quotes in the manifest. */
static bool is_quoted(const struct vpn_option *o)
{
	switch (o->type) {
	case VPN_OPT_BOOL:
	case VPN_OPT_INT:
	case VPN_OPT_UINT:
	case VPN_OPT_OBJECT:
	case VPN_OPT_LIST:
		return false;
	case VPN_OPT_SIZE:
		return strspn(o->dflt, "0123456789") != strlen(o->dflt);
	default:
		return true;
	}
}

static void value_line(const struct vpn_option *o, char *text, size_t size)
{
	describe_value(o, text, size);
	size_t len = strlen(text);
	const char *quote = o->dflt != NULL && is_quoted(o) ? "\"" : "";
	if (o->dflt != NULL && (o->flags & VPN_OPT_SECRET) == 0)
		snprintf(text + len, size - len, "; default %s%s%s", quote, o->dflt, quote);
	else if ((o->flags & VPN_OPT_REQUIRED) != 0)
		snprintf(text + len, size - len, "; required");
	len = strlen(text);
	snprintf(text + len, size - len, "%s%s",
		 o->flags & VPN_OPT_SECRET ? "; secret: also {\"file\": path} or {\"env\": name}"
					   : "",
		 o->flags & VPN_OPT_RELOADABLE ? "; reloadable" : "");
}

static unsigned name_columns(const struct vpn_option_table *table)
{
	size_t most = 0;
	for (uint32_t i = 0; i < table->n_options; i++) {
		size_t len = strlen(options_at(table, i)->name);
		if (len > most)
			most = len;
	}
	return most < NAME_COLUMNS_MAX ? (unsigned)most + 2 : NAME_COLUMNS_MAX + 2;
}

static void put_options(const struct vpn_option_table *table, unsigned indent)
{
	char line[1024];
	unsigned width = name_columns(table);
	for (uint32_t i = 0; i < table->n_options; i++) {
		const struct vpn_option *o = options_at(table, i);
		value_line(o, line, sizeof(line));
		output_entry(stdout, indent, width, o->name, line);
		if (o->doc != NULL)
			output_paragraph(stdout, indent + width, o->doc);
		if (o->table != NULL && indent < 2 + 4 * DEPTH_MAX)
			put_options(o->table, indent + 4);
	}
}

static void put_counters(const struct vpn_lifecycle *life)
{
	char line[1024];
	unsigned width = 2;
	for (uint32_t i = 0; i < life->n_counters; i++)
		if (strlen(life->counters[i].name) + 2 > width)
			width = (unsigned)strlen(life->counters[i].name) + 2;
	for (uint32_t i = 0; i < life->n_counters; i++) {
		const struct vpn_counter *k = &life->counters[i];
		snprintf(line, sizeof(line), "%s%s", k->flags & VPN_COUNTER_DROP ? "dropped: " : "",
			 k->doc != NULL ? k->doc : "");
		output_entry(stdout, 2, width, k->name, line);
	}
}

void describe_text(const struct loaded *c)
{
	const struct vpn_lifecycle *life = c->component->lifecycle;
	put_header(c);
	puts("\nOptions:");
	if (life->options != NULL && life->options->n_options != 0)
		put_options(life->options, 2);
	else
		puts("  none");
	puts("\nCounters:");
	if (life->n_counters != 0)
		put_counters(life);
	else
		puts("  none");
}
