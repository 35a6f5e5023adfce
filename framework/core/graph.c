/* SPDX-License-Identifier: BSD-2-Clause */
/* graph: what a stack of components costs and whether it can work: room, overhead, MTU, layers. */
#include "graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

#define ETHERNET_HEADER 14u /* IEEE 802.3 */
#define VLAN_TAGS       8u  /* two tags, IEEE 802.1ad */
#define MTU_MIN         68u /* RFC 791 */
#define MTU_MAX         65535u
#define ALIGN_MAX       64u
#define ALIGN_NICE      16u   /* of the device's data where nobody asks for more */
#define ROOM_MAX        4096u /* bytes in front, behind or on the wire that one stage can ask for */

static const struct vpn_component *component_of(const struct graph_stage *s)
{
	return s->part->loaded->component;
}

static bool has(const struct graph_stage *s, uint32_t flag)
{
	return (s->needs.flags & flag) != 0;
}

/* The place of a JSON pointer; that of the stage's object when the manifest was not parsed from text. */
static struct place place_of(const struct graph *g, const struct graph_stage *s,
			     const char *pointer)
{
	if (g->manifest->positions == NULL)
		return (struct place){s->part->line, s->part->column};
	return position_of_value(g->manifest->positions, pointer);
}

static void complain(const struct graph *g, struct problems *problems, const struct graph_stage *s,
		     const char *key, const char *format, ...) PROBLEMS_PRINTF(5, 6);

/* Adds a problem at a stage's object, or at one of its keys. */
static void complain(const struct graph *g, struct problems *problems, const struct graph_stage *s,
		     const char *key, const char *format, ...)
{
	char pointer[128], text[1024];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	snprintf(pointer, sizeof(pointer), "%s%s", s->part->pointer, key);
	struct place at = place_of(g, s, pointer);
	problems_add(problems, at.line, at.column, pointer, "%s", text);
}

/* What no component may answer, NULL when all is well. */
static const char *bug_in(const struct graph_stage *s, bool last)
{
	const struct vpn_needs *n = &s->needs;
	if (n->size != sizeof(*n))
		return "it has changed the size of the struct that it was given";
	if (n->flags >> 16 != 0)
		return "it needs a feature that this vpncore does not know; update vpncore";
	if (n->headroom > ROOM_MAX || n->tailroom > ROOM_MAX || n->overhead > ROOM_MAX)
		return "it asks for more than 4096 bytes of room or overhead";
	if (n->align > ALIGN_MAX || (n->align & (n->align - 1)) != 0)
		return "its alignment is not a power of two up to 64";
	if (n->mtu > MTU_MAX)
		return "its MTU is greater than 65535";
	bool device = component_of(s)->kind == VPN_KIND_DEVICE;
	if (device && has(s, VPN_L2) == has(s, VPN_L3))
		return "it must make either IP packets or Ethernet frames";
	if (!last && component_of(s)->flow->recv == NULL)
		return "it owns no sockets and takes nothing from below";
	return NULL;
}

static void check_needs(const struct graph *g, struct problems *problems)
{
	for (size_t i = 0; i < g->n_stages; i++) {
		const struct graph_stage *s = &g->stages[i];
		const char *bug = bug_in(s, has(s, VPN_BOTTOM));
		if (bug != NULL)
			complain(g, problems, s, "", "the plugin \"%s\" is wrong: %s",
				 component_of(s)->id, bug);
	}
}

static void take_stages(struct graph *g, const struct manifest *m)
{
	for (size_t i = 0; i < m->n_stages; i++) {
		struct graph_stage *s = &g->stages[g->n_stages++];
		s->part = &m->stages[i];
		s->needs.size = sizeof(s->needs);
		component_of(s)->lifecycle->needs(s->part->config, &s->needs);
	}
}

/* ---- the order of the stack ---- */

static void check_devices(const struct graph *g, struct problems *problems)
{
	if (component_of(&g->stages[0])->kind != VPN_KIND_DEVICE)
		complain(g, problems, &g->stages[0], "",
			 "a pipeline begins with a device: put { \"device\": \"auto\" } first");
	for (size_t i = 1; i < g->n_stages; i++)
		if (component_of(&g->stages[i])->kind == VPN_KIND_DEVICE)
			complain(g, problems, &g->stages[i], "",
				 "a pipeline has one device, and it stands first; run a second "
				 "pipeline for a "
				 "second device");
}

static void check_bottom(const struct graph *g, struct problems *problems)
{
	const struct graph_stage *last = &g->stages[g->n_stages - 1];
	for (size_t i = 0; i + 1 < g->n_stages; i++)
		if (has(&g->stages[i], VPN_BOTTOM))
			complain(g, problems, &g->stages[i], "",
				 "\"%s\" owns sockets, so nothing can stand below it; make it the "
				 "last stage",
				 component_of(&g->stages[i])->id);
	if (!has(last, VPN_BOTTOM))
		complain(g, problems, last, "",
			 "the last stage must be a transport that owns sockets, such as \"udp\"; "
			 "\"%s\" does not",
			 component_of(last)->id);
}

static void check_endpoint(const struct graph *g, struct problems *problems)
{
	const struct graph_stage *last = &g->stages[g->n_stages - 1];
	if (!has(last, VPN_NEEDS_REMOTE))
		return;
	for (size_t i = 0; i + 1 < g->n_stages; i++)
		if (has(&g->stages[i], VPN_SETS_ENDPOINT))
			return;
	complain(g, problems, last, "",
		 "nobody says where to send: give \"%s\" a \"remote\", or put a transport that "
		 "chooses peers "
		 "above it",
		 component_of(last)->id);
}

static const char *layer_name(uint32_t layer)
{
	return layer == VPN_L2 ? "Ethernet frames" : "IP packets";
}

static void check_layers(struct graph *g, struct problems *problems)
{
	g->layer = g->stages[0].needs.flags & (VPN_L2 | VPN_L3);
	if (g->layer != VPN_L2 && g->layer != VPN_L3)
		return; /* no device; said already */
	for (size_t i = 1; i < g->n_stages; i++)
		if (!has(&g->stages[i], g->layer))
			complain(g, problems, &g->stages[i], "",
				 "the device makes %s, and \"%s\" cannot carry them",
				 layer_name(g->layer), component_of(&g->stages[i])->id);
}

static void check_lanes(struct graph *g, struct problems *problems)
{
	g->n_lanes = g->manifest->lanes;
	for (size_t i = 0; i < g->n_stages; i++) {
		struct graph_stage *s = &g->stages[i];
		s->n_lanes = g->n_lanes;
		if (g->n_lanes > 1 && !has(s, VPN_LANE_AWARE))
			complain(g, problems, s, "",
				 "\"%s\" works on one lane only, and \"lanes\" is %u: set "
				 "\"lanes\" to 1",
				 component_of(s)->id, g->n_lanes);
	}
}

/* ---- security ---- */

static void check_security(struct graph *g, struct problems *problems)
{
	for (size_t i = 1; i < g->n_stages; i++) {
		g->authenticated |= has(&g->stages[i], VPN_AUTHENTICATES);
		g->encrypted |= has(&g->stages[i], VPN_ENCRYPTS);
	}
	if (g->authenticated)
		return;
	const char *pointer = g->manifest->allow_insecure ? "/allow_insecure" : "/pipeline";
	struct place at = place_of(g, &g->stages[g->n_stages - 1], pointer);
	if (g->manifest->allow_insecure)
		problems_warn(problems, at.line, at.column, pointer,
			      "no stage authenticates: whoever reaches the port can send into this "
			      "network%s",
			      g->encrypted ? "" : ", and whoever is on the way can read it");
	else
		problems_add(
			problems, at.line, at.column, pointer,
			"no stage authenticates: whoever reaches the port could send into this "
			"network; add a secure session such as \"wireguard\", or say "
			"\"allow_insecure\": true");
}

static void check_ciphertext(const struct graph *g, struct problems *problems)
{
	for (size_t i = 1; i < g->n_stages; i++) {
		const struct graph_stage *s = &g->stages[i];
		if (!has(s, VPN_WANTS_CIPHERTEXT) || has(&g->stages[i - 1], VPN_ENCRYPTS))
			continue;
		struct place at = place_of(g, s, s->part->pointer);
		problems_warn(
			problems, at.line, at.column, s->part->pointer,
			"\"%s\" expects what looks random already, and \"%s\" above it does not "
			"encrypt: its packets can still be recognised; put a stage that encrypts "
			"above, such as \"wireguard\"",
			component_of(s)->id, component_of(&g->stages[i - 1])->id);
	}
}

/* ---- sums ---- */

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return b != 0 && b < a ? b : a;
}

/* Whether every stage gets its data aligned when the device's begins at `headroom`. */
static bool is_aligned(const struct graph *g, uint32_t headroom)
{
	for (size_t i = 0; i < g->n_stages; i++) {
		uint32_t align = g->stages[i].needs.align;
		if (align > 1 && headroom % align != 0)
			return false;
		headroom -= g->stages[i].needs.headroom;
	}
	return true;
}

/* The least headroom from `least` on that serves all; 0 when none does. */
static uint32_t find_headroom(const struct graph *g, uint32_t least, uint32_t step)
{
	uint32_t from = (least + step - 1) / step * step;
	for (uint32_t h = from; h < from + ALIGN_MAX * step; h += step)
		if (is_aligned(g, h))
			return h;
	return 0;
}

static void place_data(struct graph *g, struct problems *problems)
{
	uint32_t least = g->headroom;
	g->headroom = find_headroom(g, least, ALIGN_NICE);
	if (g->headroom == 0 && !is_aligned(g, 0))
		g->headroom = find_headroom(g, least, 1);
	if (g->headroom == 0 && !is_aligned(g, 0))
		complain(g, problems, &g->stages[g->n_stages - 1], "",
			 "the stages ask for alignments that cannot be had together in this order");
}

static void sum(struct graph *g)
{
	g->align = 1;
	g->max_batch = g->manifest->batch;
	if (g->max_batch > VPN_BATCH_MAX)
		g->max_batch = VPN_BATCH_MAX;
	for (size_t i = 0; i < g->n_stages; i++) {
		const struct vpn_needs *n = &g->stages[i].needs;
		g->headroom += n->headroom;
		g->tailroom += n->tailroom;
		g->overhead += n->overhead;
		g->max_batch = smaller(g->max_batch, n->max_batch);
		if (n->align > g->align)
			g->align = n->align;
	}
}

/* The largest packet that stage i may be handed, from what fits below it. */
static void limit_stages(struct graph *g)
{
	uint32_t room = g->stages[g->n_stages - 1].needs.mtu;
	for (size_t i = g->n_stages; i-- > 1;) {
		struct graph_stage *s = &g->stages[i];
		uint32_t cost = s->needs.overhead;
		s->mtu_below = i + 1 == g->n_stages ? 0 : room;
		room = room > cost ? room - cost : 0;
		if (i + 1 != g->n_stages)
			room = smaller(room, s->needs.mtu);
		s->mtu_above = room;
	}
	g->stages[0].mtu_below = room;
}

/* "path MTU 1500 less udp 28 less wireguard 32" */
static void explain_mtu(const struct graph *g, char *buf, size_t cap)
{
	size_t at = (size_t)snprintf(buf, cap, "path MTU %u", g->stages[g->n_stages - 1].needs.mtu);
	for (size_t i = g->n_stages; i-- > 1 && at < cap;)
		if (g->stages[i].needs.overhead != 0)
			at += (size_t)snprintf(buf + at, cap - at, " less %s %u",
					       component_of(&g->stages[i])->id,
					       g->stages[i].needs.overhead);
	if (g->layer == VPN_L2 && at < cap)
		snprintf(buf + at, cap - at, " less Ethernet %u", ETHERNET_HEADER);
}

/* ", or raise /pipeline/1/path_mtu ...", where the bottom has such an option. */
static void explain_mend(const struct graph *g, char *buf, size_t cap)
{
	const struct graph_stage *last = &g->stages[g->n_stages - 1];
	const struct vpn_option_table *table = component_of(last)->lifecycle->options;
	buf[0] = '\0';
	for (uint32_t i = 0; table != NULL && i < table->n_options; i++)
		if (strcmp(options_at(table, i)->name, "path_mtu") == 0)
			snprintf(buf, cap, ", or raise %s/path_mtu if the path carries more",
				 last->part->pointer);
}

static void check_mtu(struct graph *g, struct problems *problems)
{
	struct graph_stage *device = &g->stages[0];
	uint32_t frame = g->layer == VPN_L2 ? ETHERNET_HEADER : 0;
	uint32_t tags = g->layer == VPN_L2 ? VLAN_TAGS : 0;
	uint32_t asked = device->needs.mtu;
	char why[256], mend[128];
	limit_stages(g);
	g->mtu_max = device->mtu_below > frame ? device->mtu_below - frame : 0;
	/* unless asked for, an Ethernet device leaves room for tags on full frames */
	g->mtu = asked != 0 ? asked : g->mtu_max > tags ? g->mtu_max - tags : 0;
	explain_mtu(g, why, sizeof(why));
	explain_mend(g, mend, sizeof(mend));
	if (g->mtu_max < MTU_MIN)
		complain(g, problems, device, "",
			 "nothing is left for packets: the stack carries %u bytes (%s)", g->mtu_max,
			 why);
	else if (g->mtu > g->mtu_max)
		complain(g, problems, device, "/mtu",
			 "MTU %u does not fit: the stack carries %u (%s); lower it%s", g->mtu,
			 g->mtu_max, why, mend);
	/* frames may carry VLAN tags on top of the MTU, as far as the stack has room for them */
	uint32_t room = device->mtu_below;
	device->mtu_above = g->mtu + frame + tags;
	if (device->mtu_above > room)
		device->mtu_above = room;
	device->mtu_below = device->mtu_above;
}

bool graph_build(struct graph *g, const struct manifest *m, struct problems *problems)
{
	size_t before = problems->n_errors;
	memset(g, 0, sizeof(*g));
	g->manifest = m;
	take_stages(g, m);
	if (g->n_stages == 0) {
		problems_add(problems, 0, 0, "/pipeline", "no stages");
		return false;
	}
	check_needs(g, problems);
	check_devices(g, problems);
	if (g->n_stages < 2)
		complain(g, problems, &g->stages[0], "",
			 "a device alone leads nowhere: add a transport such as \"udp\" below it");
	else
		check_bottom(g, problems);
	bool in_order = problems->n_errors == before;
	check_lanes(g, problems);
	check_security(g, problems);
	check_ciphertext(g, problems);
	if (!in_order)
		return false; /* sums of a stack that cannot be would mislead */
	check_endpoint(g, problems);
	check_layers(g, problems);
	sum(g);
	place_data(g, problems);
	check_mtu(g, problems);
	return problems->n_errors == before;
}

/* ---- drawing ---- */

struct pen {
	void (*line)(void *ctx, const char *text);
	void *ctx;
};

static void draw(const struct pen *pen, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void draw(const struct pen *pen, const char *format, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	pen->line(pen->ctx, text);
}

static void properties(const struct graph_stage *s, char *buf, size_t cap)
{
	static const struct {
		uint32_t flag;
		const char *text;
	} names[] = {
		{VPN_ENCRYPTS, "encrypts"},           {VPN_AUTHENTICATES, "authenticates"},
		{VPN_RELIABLE, "reliable"},           {VPN_BOTTOM, "sockets"},
		{VPN_SETS_ENDPOINT, "chooses peers"},
	};
	size_t at = 0;
	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (has(s, names[i].flag) && at < cap)
			at += (size_t)snprintf(buf + at, cap - at, "%s%s", at != 0 ? ", " : "",
					       names[i].text);
}

void graph_text(const struct graph *g, void (*line)(void *ctx, const char *text), void *ctx)
{
	const struct pen pen = {line, ctx};
	char what[128];
	draw(&pen, "pipeline %s: %s, %u lane%s, batches of %u", g->manifest->name,
	     g->layer == VPN_L2 ? "ethernet" : "ip", g->n_lanes, g->n_lanes == 1 ? "" : "s",
	     g->max_batch);
	draw(&pen, "  kernel");
	for (size_t i = 0; i < g->n_stages; i++) {
		const struct graph_stage *s = &g->stages[i];
		draw(&pen, "    |  packets of up to %u bytes", s->mtu_above);
		properties(s, what, sizeof(what));
		draw(&pen, "  %s%s%s%s", s->part->name, what[0] != '\0' ? " (" : "", what,
		     what[0] != '\0' ? ")" : "");
		if (i != 0)
			draw(&pen, "    |    headroom %u, tailroom %u, overhead %u",
			     s->needs.headroom, s->needs.tailroom, s->needs.overhead);
	}
	draw(&pen, "    |  path MTU %u", g->stages[g->n_stages - 1].needs.mtu);
	draw(&pen, "  network");
	draw(&pen, "MTU %u of at most %u; headroom %u, tailroom %u, overhead %u; %s, %s", g->mtu,
	     g->mtu_max, g->headroom, g->tailroom, g->overhead,
	     g->authenticated ? "authenticated" : "NOT authenticated",
	     g->encrypted ? "encrypted" : "NOT encrypted");
}

/* A DOT string: quotes and backslashes escaped. */
static const char *quoted(const char *s, char *buf, size_t cap)
{
	size_t at = 0;
	for (; *s != '\0' && at + 3 < cap; s++) {
		if (*s == '"' || *s == '\\')
			buf[at++] = '\\';
		buf[at++] = (char)((unsigned char)*s < 0x20 ? ' ' : *s);
	}
	buf[at] = '\0';
	return buf;
}

void graph_dot(const struct graph *g, void (*line)(void *ctx, const char *text), void *ctx)
{
	const struct pen pen = {line, ctx};
	char name[256], what[128];
	draw(&pen, "digraph \"%s\" {", quoted(g->manifest->name, name, sizeof(name)));
	draw(&pen, "\trankdir=TB; node [shape=box];");
	draw(&pen, "\tkernel [shape=ellipse]; network [shape=ellipse];");
	for (size_t i = 0; i < g->n_stages; i++) {
		const struct graph_stage *s = &g->stages[i];
		properties(s, what, sizeof(what));
		draw(&pen, "\tstage%zu [label=\"%s\\n%s\"];", i,
		     quoted(s->part->name, name, sizeof(name)), what);
	}
	draw(&pen, "\tkernel -> stage0 [dir=both, label=\"%u\"];", g->stages[0].mtu_above);
	for (size_t i = 1; i < g->n_stages; i++)
		draw(&pen, "\tstage%zu -> stage%zu [dir=both, label=\"%u\"];", i - 1, i,
		     g->stages[i].mtu_above);
	draw(&pen, "\tstage%zu -> network [dir=both, label=\"%u\"];", g->n_stages - 1,
	     g->stages[g->n_stages - 1].needs.mtu);
	draw(&pen, "}");
}
