/* SPDX-License-Identifier: BSD-2-Clause */
/* manifest: a pipeline's JSON file, read, checked and turned into components with their options. */
#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog.h"
#include "fault.h"
#include "graph.h"
#include "options.h"
#include "suggest.h"
#include "wipe.h"

static const char no_memory[] = "out of memory";

/* What one parse needs to have at hand. */
struct reader {
	struct manifest *m;
	struct loader *loader;
	struct options_source src;
	char *folder;
	json_t *root;
	bool incomplete; /* a stage could not be made: the graph cannot be checked */
};

/* ---- top level ---------------------------------------------------------------------------------- */

struct log_options {
	uint32_t level;
	uint32_t format;
};

struct top_options {
	const char *name;
	uint32_t allow_insecure;
	uint64_t lanes;
	uint64_t batch;
	const struct log_options *log;
	uint64_t hook_timeout;
	const char *description;
	const char *schema;
};

static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const formats[] = {"text", "json", NULL};

static const struct vpn_option log_table_options[] = {
	{.name = "level",
	 .dflt = "info",
	 .type = VPN_OPT_ENUM,
	 .choices = levels,
	 .offset = offsetof(struct log_options, level)},
	{.name = "format",
	 .dflt = "text",
	 .type = VPN_OPT_ENUM,
	 .choices = formats,
	 .offset = offsetof(struct log_options, format)},
};

static const struct vpn_option_table log_table = VPN_OPTION_TABLE(log_table_options,
								  struct log_options);

static const struct vpn_option top_table_options[] = {
	{.name = "name",
	 .min = 1,
	 .max = 64,
	 .type = VPN_OPT_STRING,
	 .offset = offsetof(struct top_options, name)},
	{.name = "allow_insecure",
	 .type = VPN_OPT_BOOL,
	 .offset = offsetof(struct top_options, allow_insecure)},
	{.name = "lanes",
	 .dflt = "1",
	 .min = 1,
	 .max = MANIFEST_LANES_MAX,
	 .type = VPN_OPT_UINT,
	 .offset = offsetof(struct top_options, lanes)},
	{.name = "batch",
	 .dflt = "128",
	 .min = 1,
	 .max = VPN_BATCH_MAX,
	 .type = VPN_OPT_UINT,
	 .offset = offsetof(struct top_options, batch)},
	{.name = "log",
	 .dflt = "{}",
	 .table = &log_table,
	 .type = VPN_OPT_OBJECT,
	 .offset = offsetof(struct top_options, log)},
	{.name = "hook_timeout",
	 .dflt = "30s",
	 .min = 100,
	 .max = 600000,
	 .type = VPN_OPT_DURATION,
	 .offset = offsetof(struct top_options, hook_timeout)},
	{.name = "description",
	 .type = VPN_OPT_STRING,
	 .offset = offsetof(struct top_options, description)},
	{.name = "$schema", .type = VPN_OPT_STRING, .offset = offsetof(struct top_options, schema)},
};

static const struct vpn_option_table top_table = VPN_OPTION_TABLE(top_table_options,
								  struct top_options);

static const char *const top_elsewhere[] = {"vpncore", "pipeline", "routes", "dns",
					    "on_up",   "on_down",  NULL};

static void check_version(struct reader *r)
{
	json_t *v = json_object_get(r->root, "vpncore");
	if (v == NULL)
		options_problem(&r->src, "", "\"vpncore\" is missing: write \"vpncore\": 1");
	else if (!json_is_integer(v))
		options_problem(&r->src, "/vpncore",
				"must be 1, the version of the manifest's form");
	else if (json_integer_value(v) != 1)
		options_problem(
			&r->src, "/vpncore",
			"this vpncore reads manifests of version 1, not %" JSON_INTEGER_FORMAT,
			json_integer_value(v));
}

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');
	return slash != NULL ? slash + 1 : file;
}

/* "/etc/vpn/site a.json" makes "site-a". */
static char *name_from_file(const char *file)
{
	char *name = strndup(base_name(file), 64);
	if (name == NULL)
		return NULL;
	char *dot = strrchr(name, '.');
	if (dot != NULL && dot > name)
		*dot = '\0';
	for (char *c = name; *c != '\0'; c++) {
		char one[2] = {*c, '\0'};
		if (*c != '.' && !loader_id_is_valid(one))
			*c = '-';
	}
	if (!loader_id_is_valid(name)) {
		free(name);
		return strdup("pipeline");
	}
	return name;
}

static void take_top(struct reader *r, const struct top_options *top)
{
	struct manifest *m = r->m;
	if (top->name != NULL && !loader_id_is_valid(top->name))
		options_problem(&r->src, "/name",
				"has other characters than A-Z a-z 0-9 . _ - or begins with a dot");
	m->name = top->name != NULL ? strdup(top->name) : name_from_file(m->file);
	if (m->name == NULL)
		options_problem(&r->src, "", "%s", no_memory);
	m->allow_insecure = top->allow_insecure != 0;
	m->hook_timeout_ns = top->hook_timeout;
	m->lanes = (uint32_t)top->lanes;
	m->batch = (uint32_t)top->batch;
	if (top->log != NULL) {
		m->log_level = top->log->level;
		m->log_json = top->log->format != 0;
	}
}

static void read_top(struct reader *r)
{
	check_version(r);
	void *top = options_fill(&top_table, r->root, "", top_elsewhere, &r->src);
	if (top != NULL)
		take_top(r, top);
	options_free(&top_table, top);
	hook_list_read(&r->m->on_up, json_object_get(r->root, "on_up"), "/on_up", &r->src);
	hook_list_read(&r->m->on_down, json_object_get(r->root, "on_down"), "/on_down", &r->src);
}

/* ---- finding a component ------------------------------------------------------------------------ */

static size_t count_errors(const struct reader *r)
{
	return r->src.problems->n_errors;
}

/* Appends to a text in memory; on lack of memory the text becomes NULL. */
static void append(char **text, const char *format, ...) PROBLEMS_PRINTF(2, 3);

static void append(char **text, const char *format, ...)
{
	char *more = NULL, *joined = NULL;
	va_list args;
	if (*text == NULL)
		return;
	va_start(args, format);
	if (vasprintf(&more, format, args) < 0)
		more = NULL;
	va_end(args);
	if (more == NULL || asprintf(&joined, "%s%s", *text, more) < 0)
		joined = NULL;
	free(more);
	free(*text);
	*text = joined;
}

/* Says what else there is: the nearest name, all names of this kind, and every file that was refused. */
static void append_offers(char **text, const struct reader *r, uint32_t kind, const char *id)
{
	struct suggest s;
	suggest_init(&s, id);
	bool any = false;
	for (size_t i = 0; i < loader_count(r->loader); i++) {
		const struct vpn_component *c = loader_at(r->loader, i)->component;
		if (c->kind != kind || !loader_is_searched(r->loader, i))
			continue;
		suggest_offer(&s, c->id);
		append(text, "%s%s", any ? ", " : "; available: ", c->id);
		any = true;
	}
	if (!any)
		append(text, "; no %s at all is", loader_kind_name(kind));
	if (s.best != NULL)
		append(text, "; did you mean \"%s\"?", s.best);
	for (size_t i = 0; i < loader_refused_count(r->loader); i++) {
		const struct refused *f = loader_refused_at(r->loader, i);
		append(text, "; refused %s: %s", f->path, f->text);
	}
}

static const struct loaded *find_component(struct reader *r, uint32_t kind, const char *id,
					   const char *file, const char *pointer, const char *key)
{
	struct vpn_error err = VPN_ERROR_INIT;
	const struct loaded *found = loader_find(r->loader, kind, id, file, &err);
	if (found != NULL && loader_serves(r->loader, found))
		return found;
	if (found != NULL)
		fault(&err, VPN_ENOTSUP, 0, "\"%s\" is not for %s, but for %s", id,
		      loader_platform(r->loader), catalog_platforms_of(kind, id));
	char *text = strdup(err.text);
	if (err.status == VPN_ENOENT && file == NULL)
		append_offers(&text, r, kind, id);
	char *where = position_join(pointer, err.status == VPN_EABI ? "plugin" : key);
	options_problem(&r->src, where != NULL ? where : pointer, "%s",
			text != NULL ? text : no_memory);
	free(where);
	free(text);
	return NULL;
}

/* ---- one part ----------------------------------------------------------------------------------- */

static const struct vpn_option_table *table_of(const struct loaded *loaded)
{
	return loaded->component->lifecycle->options;
}

static bool has_option(const struct vpn_option_table *table, const char *name)
{
	for (uint32_t i = 0; table != NULL && i < table->n_options; i++)
		if (strcmp(options_at(table, i)->name, name) == 0)
			return true;
	return false;
}

/* "layer" belongs to every device; one that makes packets of one kind only has no option for it. */
static void *fill(const struct loaded *loaded, json_t *object, const char *pointer,
		  struct options_source *src)
{
	static const char *const stage[] = {"device", "transport", "plugin", NULL};
	static const char *const device[] = {"device", "transport", "plugin", "layer", NULL};
	static const char *const beside[] = {"backend", "plugin", NULL};
	const struct vpn_option_table *table = table_of(loaded);
	uint32_t kind = loaded->component->kind;
	const char *const *ignore = stage;
	if (kind == VPN_KIND_ROUTES || kind == VPN_KIND_DNS)
		ignore = beside;
	else if (kind == VPN_KIND_DEVICE && !has_option(table, "layer"))
		ignore = device;
	return options_fill(table, object, pointer, ignore, src);
}

/* The component's own check. */
static void validate(const struct loaded *loaded, const void *config, const char *pointer,
		     struct options_source *src)
{
	struct vpn_error err = VPN_ERROR_INIT;
	const struct vpn_lifecycle *life = loaded->component->lifecycle;
	if (life->validate == NULL || life->validate(config, &err) == VPN_OK)
		return;
	err.where[sizeof(err.where) - 1] = '\0';
	err.text[sizeof(err.text) - 1] = '\0';
	char *where = NULL;
	if (asprintf(&where, "%s%s", pointer, err.where) < 0)
		where = NULL;
	options_problem(src, where != NULL ? where : pointer, "%s",
			err.text[0] != '\0' ? err.text : "refused by its component");
	free(where);
}

/* "layer" of a device; 0 when it is neither "ip" nor "ethernet". */
static uint32_t layer_of(json_t *object)
{
	json_t *v = json_object_get(object, "layer");
	const char *text = v != NULL ? json_string_value(v) : "ip";
	if (text == NULL)
		return 0;
	return strcmp(text, "ip") == 0 ? VPN_L3 : strcmp(text, "ethernet") == 0 ? VPN_L2 : 0;
}

static uint32_t flags_with(const struct loaded *loaded, const void *config)
{
	struct vpn_needs needs = {.size = sizeof(needs)};
	const struct vpn_lifecycle *life = loaded->component->lifecycle;
	if (life->needs != NULL)
		life->needs(config, &needs);
	return needs.flags;
}

/* A device must make what "layer" asks for. */
static void check_layer(struct reader *r, const struct manifest_part *part, json_t *object)
{
	uint32_t layer = layer_of(object);
	uint32_t flags = flags_with(part->loaded, part->config);
	if (layer == 0 || (flags & (VPN_L2 | VPN_L3)) == 0 || (flags & layer) != 0)
		return;
	char *where = position_join(part->pointer, "layer");
	options_problem(&r->src, where != NULL ? where : part->pointer,
			"%s makes %s only; \"%s\" needs another device", part->name,
			layer == VPN_L2 ? "IP packets" : "Ethernet frames",
			layer == VPN_L2 ? "ethernet" : "ip");
	free(where);
}

/* Names the part: "udp", and "udp.2" when the id stands above already. */
static char *name_part(const struct manifest *m, const char *id)
{
	unsigned n = 1;
	char *name = NULL;
	for (size_t i = 0; i < m->n_stages; i++)
		if (m->stages[i].loaded != NULL &&
		    strcmp(m->stages[i].loaded->component->id, id) == 0)
			n++;
	if (n == 1)
		return strdup(id);
	return asprintf(&name, "%s.%u", id, n) >= 0 ? name : NULL;
}

static void complete(struct reader *r, struct manifest_part *part, const struct loaded *loaded,
		     json_t *object, const char *pointer)
{
	struct place at = position_of_value(r->m->positions, pointer);
	size_t before = count_errors(r);
	part->name = name_part(r->m, loaded->component->id);
	part->pointer = strdup(pointer);
	part->loaded = loaded;
	part->line = at.line;
	part->column = at.column;
	part->config = fill(loaded, object, pointer, &r->src);
	if (part->name == NULL || part->pointer == NULL)
		options_problem(&r->src, pointer, "%s", no_memory);
	if (count_errors(r) == before)
		validate(loaded, part->config, pointer, &r->src);
	if (count_errors(r) == before && loaded->component->kind == VPN_KIND_DEVICE)
		check_layer(r, part, object);
	if (count_errors(r) != before)
		r->incomplete = true;
}

/* ---- "auto" ------------------------------------------------------------------------------------- */

/* What a component is asked to serve. */
struct wish {
	const struct reader *r;
	json_t *object;
	const char *pointer;
	uint32_t layer; /* 0: it does not matter */
};

static void tell_first(const struct problems *p, char *why, size_t cap)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->items[i].warning && p->items[i].text != NULL) {
			snprintf(why, cap, "%s: %s",
				 p->items[i].pointer != NULL ? p->items[i].pointer : "",
				 p->items[i].text);
			return;
		}
}

/* Whether a component takes these options without a complaint and then makes what is asked. */
static bool serves(void *ctx, const struct loaded *c, char *why, size_t cap)
{
	const struct wish *w = ctx;
	struct problems scratch;
	struct options_source src = w->r->src;
	problems_init(&scratch, "");
	src.problems = &scratch;
	void *config = fill(c, w->object, w->pointer, &src);
	if (scratch.n_errors == 0)
		validate(c, config, w->pointer, &src);
	bool good = scratch.n_errors == 0;
	if (!good)
		tell_first(&scratch, why, cap);
	if (good && w->layer != 0 && (flags_with(c, config) & w->layer) == 0) {
		good = false;
		snprintf(why, cap, "it does not make %s",
			 w->layer == VPN_L2 ? "Ethernet frames" : "IP packets");
	}
	options_free(table_of(c), config);
	problems_clear(&scratch);
	return good;
}

static void refuse_choice(struct reader *r, const char *pointer, const char *key, const char *text)
{
	char *where = position_join(pointer, key);
	options_problem(&r->src, where != NULL ? where : pointer, "%s",
			text != NULL ? text : no_memory);
	free(where);
}

static void refuse_absent(struct reader *r, uint32_t kind, const char *pointer, const char *key)
{
	char *text = NULL;
	const char *platform = loader_platform(r->loader);
	if (asprintf(&text, "no %s for %s is installed", loader_kind_name(kind),
		     platform != NULL ? platform : "this platform") < 0)
		text = NULL;
	append_offers(&text, r, kind, "");
	refuse_choice(r, pointer, key, text);
	free(text);
}

/* Each of them, with its reason. */
static void refuse_unfit(struct reader *r, const struct choice *c, uint32_t kind,
			 const char *pointer, const char *key)
{
	char line[512];
	char *text = NULL;
	if (asprintf(&text, "no %s can do its work on this machine", loader_kind_name(kind)) < 0)
		text = NULL;
	for (size_t i = 0; i < c->n; i++) {
		choice_text(&c->items[i], line, sizeof(line));
		append(&text, "; %s", line);
	}
	append(&text, "; naming one as \"%s\" takes it all the same", key);
	refuse_choice(r, pointer, key, text);
	free(text);
}

/* When none takes the options: the first that makes what is asked stands for all, so that its problems are
 * told and not those of a device for the other layer. */
static const struct loaded *stand_in(const struct wish *w, const struct choice *c)
{
	json_t *bare = json_object(), *layer = json_object_get(w->object, "layer");
	struct wish plain = {w->r, bare, w->pointer, w->layer};
	const struct loaded *found = c->items[0].loaded;
	char why[256];
	bool made = bare != NULL && (layer == NULL || json_object_set(bare, "layer", layer) == 0);
	for (size_t i = 0; made && i < c->n; i++)
		if (serves(&plain, c->items[i].loaded, why, sizeof(why))) {
			found = c->items[i].loaded;
			break;
		}
	json_decref(bare);
	return found;
}

static const struct loaded *choose(struct reader *r, uint32_t kind, json_t *object,
				   const char *pointer, const char *key, struct choice *out)
{
	struct wish w = {r, object, pointer, kind == VPN_KIND_DEVICE ? layer_of(object) : 0};
	loader_scan_kind(r->loader, kind);
	bool made = choice_make(out, r->loader, kind, serves, &w);
	if (made && out->taken == NULL) {
		choice_clear(out);
		loader_scan(r->loader);
		made = choice_make(out, r->loader, kind, serves, &w);
	}
	if (!made)
		refuse_choice(r, pointer, key, NULL);
	else if (out->taken != NULL)
		return out->taken->loaded;
	else if (out->n == 0)
		refuse_absent(r, kind, pointer, key);
	else if (!choice_has_takers(out))
		return stand_in(&w, out);
	else
		refuse_unfit(r, out, kind, pointer, key);
	return NULL;
}

/* ---- stages ------------------------------------------------------------------------------------- */

/* A text at a key of a stage. NULL, with a problem, when it is none. */
static const char *text_at(struct reader *r, json_t *object, const char *pointer, const char *key,
			   const char *expected)
{
	json_t *v = json_object_get(object, key);
	const char *text = json_string_value(v);
	char *where = position_join(pointer, key);
	if (text == NULL || *text == '\0') {
		options_problem(&r->src, where != NULL ? where : pointer, "must be %s", expected);
		text = NULL;
	}
	free(where);
	return text;
}

/* The path at "plugin"; false, with a problem, when it cannot be one. */
static bool plugin_path(struct reader *r, json_t *object, const char *pointer, const char **ret)
{
	static const char expected[] =
		"the absolute path of a plugin file, such as \"/opt/x/transport-x.so\"";
	*ret = NULL;
	if (json_object_get(object, "plugin") == NULL)
		return true;
	*ret = text_at(r, object, pointer, "plugin", expected);
	if (*ret == NULL || (*ret)[0] == '/')
		return *ret != NULL;
	char *where = position_join(pointer, "plugin");
	options_problem(&r->src, where != NULL ? where : pointer, "must be %s, not \"%.60s\"",
			expected, *ret);
	free(where);
	return false;
}

/* Finds the component that stands at `key` of an object, by name or by "auto", then with *choice. */
static const struct loaded *resolve(struct reader *r, uint32_t kind, json_t *object,
				    const char *pointer, const char *key, struct choice *choice)
{
	const char *file;
	bool beside = kind == VPN_KIND_ROUTES || kind == VPN_KIND_DNS;
	const char *id = "auto";
	if (!beside || json_object_get(object, key) != NULL)
		id = text_at(r, object, pointer, key, "the name of a component");
	if (!plugin_path(r, object, pointer, &file) || id == NULL)
		return NULL;
	bool is_auto = kind != VPN_KIND_TRANSPORT && strcmp(id, "auto") == 0;
	char *where = position_join(pointer, key);
	const struct loaded *found = NULL;
	if (is_auto && file != NULL)
		options_problem(&r->src, where != NULL ? where : pointer,
				"with \"plugin\" the component must be named, not \"auto\"");
	else if (is_auto)
		found = choose(r, kind, object, pointer, key, choice);
	else
		found = find_component(r, kind, id, file, pointer, key);
	free(where);
	return found;
}

/* The kind of a stage by its key; 0 with a problem when it has none or two. */
static uint32_t stage_kind(struct reader *r, json_t *stage, const char *pointer)
{
	if (!json_is_object(stage)) {
		options_problem(&r->src, pointer,
				"must be an object with \"device\" or \"transport\"");
		return 0;
	}
	bool device = json_object_get(stage, "device") != NULL;
	bool transport = json_object_get(stage, "transport") != NULL;
	if (device == transport)
		options_problem(
			&r->src, pointer,
			device ? "has both \"device\" and \"transport\": a stage is one of them"
			       : "has neither \"device\" nor \"transport\"");
	if (device == transport)
		return 0;
	return device ? VPN_KIND_DEVICE : VPN_KIND_TRANSPORT;
}

/* The device stands first, and once. Said here, where nothing but the keys need be right. */
static void check_order(struct reader *r, size_t i, uint32_t kind, const char *pointer)
{
	if ((i == 0) == (kind == VPN_KIND_DEVICE))
		return;
	r->incomplete = true;
	options_problem(
		&r->src, pointer, "%s",
		i == 0 ? "a pipeline begins with a device: put { \"device\": \"auto\" } first"
		       : "a pipeline has one device, and it stands first; run a second pipeline "
			 "for a second device");
}

static void read_stage(struct reader *r, json_t *stage, size_t i)
{
	char pointer[32];
	snprintf(pointer, sizeof(pointer), "/pipeline/%zu", i);
	uint32_t kind = stage_kind(r, stage, pointer);
	const struct loaded *loaded = NULL;
	struct manifest_part *part = &r->m->stages[r->m->n_stages];
	if (kind != 0) {
		check_order(r, i, kind, pointer);
		loaded = resolve(r, kind, stage, pointer, loader_kind_name(kind), &part->choice);
	}
	if (loaded != NULL)
		complete(r, part, loaded, stage, pointer);
	else
		r->incomplete = true;
	r->m->n_stages++;
}

static void read_pipeline(struct reader *r)
{
	json_t *list = json_object_get(r->root, "pipeline");
	size_t n = json_array_size(list);
	if (list == NULL)
		options_problem(&r->src, "",
				"\"pipeline\" is missing: an array of stages from the device to "
				"the network");
	else if (!json_is_array(list) || n == 0)
		options_problem(&r->src, "/pipeline",
				"must be an array of stages from the device to the network");
	else if (n > MANIFEST_STAGES_MAX)
		options_problem(&r->src, "/pipeline", "has %zu stages; %u are the most", n,
				MANIFEST_STAGES_MAX);
	for (size_t i = 0; i < n && i < MANIFEST_STAGES_MAX; i++)
		read_stage(r, json_array_get(list, i), i);
	if (n == 0)
		r->incomplete = true;
}

/* "routes" and "dns". */
static void read_beside(struct reader *r, uint32_t kind, struct manifest_part *part)
{
	char pointer[16];
	json_t *object = json_object_get(r->root, loader_kind_name(kind));
	if (object == NULL)
		return;
	snprintf(pointer, sizeof(pointer), "/%s", loader_kind_name(kind));
	if (!json_is_object(object)) {
		options_problem(&r->src, pointer, "must be an object");
		return;
	}
	bool incomplete = r->incomplete; /* these are not in the graph */
	const struct loaded *loaded = resolve(r, kind, object, pointer, "backend", &part->choice);
	if (loaded != NULL)
		complete(r, part, loaded, object, pointer);
	r->incomplete = incomplete;
}

/* ---- the text ----------------------------------------------------------------------------------- */

/* The parser's text without the piece of the file that it quotes: that may be a secret. Of a lack of
 * memory jansson says nothing at all. */
static void report_syntax(struct reader *r, const json_error_t *error)
{
	const char *near = strstr(error->text, " near '");
	int n = near != NULL ? (int)(near - error->text) : (int)strlen(error->text);
	struct problems *p = r->src.problems;
	int column = error->column > 0 ? error->column : 1;
	if (n == 0)
		problems_add(p, 0, 0, "", "%s", no_memory);
	else if (json_error_code(error) == json_error_premature_end_of_input)
		problems_add(p, error->line, column, "",
			     "not JSON: the text ends too early: a bracket or quote is not closed");
	else
		problems_add(p, error->line, column, "", "not JSON: %.*s", n, error->text);
}

static bool find_positions(struct reader *r, const char *text, size_t len)
{
	struct place at = {0, 0};
	struct problems *p = r->src.problems;
	switch (position_scan(&r->m->positions, text, len, &at)) {
	case POSITION_TOO_DEEP:
		problems_add(p, at.line, at.column, "",
			     "more than %d arrays and objects inside each other",
			     POSITION_DEPTH_MAX);
		return false;
	case POSITION_TOO_LARGE:
		problems_add(p, at.line, at.column, "",
			     "more keys and values than a manifest can have");
		return false;
	case POSITION_NO_MEMORY:
		problems_add(p, 0, 0, "", "%s", no_memory);
		return false;
	default:
		r->src.positions = r->m->positions;
		return true;
	}
}

static void report_duplicates(struct reader *r)
{
	for (size_t i = 0; i < position_duplicates(r->m->positions); i++) {
		struct duplicate d = position_duplicate(r->m->positions, i);
		problems_add(r->src.problems, d.place.line, d.place.column, d.pointer,
			     "key \"%.64s\" stands twice; the first is at %d:%d", d.key,
			     d.first.line, d.first.column);
	}
}

static bool parse_text(struct reader *r, const char *text, size_t len)
{
	json_error_t error = {.line = 0};
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		problems_add(r->src.problems, 1, 1, "",
			     "not JSON: begins with a byte order mark; save it without");
		return false;
	}
	if (!find_positions(r, text, len))
		return false;
	r->root = json_loadb(text, len, 0, &error);
	if (r->root == NULL)
		report_syntax(r, &error);
	else if (!json_is_object(r->root))
		options_problem(&r->src, "",
				"must be an object: { \"vpncore\": 1, \"pipeline\": [...] }");
	return json_is_object(r->root);
}

/* Overwrites every string in place: some of them are secrets. */
static void wipe_strings(json_t *v)
{
	const char *key;
	json_t *inner;
	size_t i;
	if (json_is_string(v))
		wipe((char *)(uintptr_t)json_string_value(v), json_string_length(v));
	json_object_foreach(v, key, inner)
	{
		wipe_strings(inner);
	}
	json_array_foreach(v, i, inner)
	{
		wipe_strings(inner);
	}
}

static void read_document(struct reader *r)
{
	struct graph graph;
	report_duplicates(r);
	read_top(r);
	read_pipeline(r);
	read_beside(r, VPN_KIND_ROUTES, &r->m->routes);
	read_beside(r, VPN_KIND_DNS, &r->m->dns);
	/* A good manifest goes to graph_build() next. With one that is refused nobody would call it, and
	 * what is wrong with the stack would be told in the next run only. */
	if (count_errors(r) > 0 && !r->incomplete)
		graph_build(&graph, r->m, r->src.problems);
}

static char *folder_of(const char *file)
{
	size_t n = (size_t)(base_name(file) - file);
	return n == 0 ? strdup(".") : strndup(file, n);
}

struct manifest *manifest_parse(const char *file, const char *text, size_t len,
				struct loader *loader, struct problems *problems)
{
	size_t before = problems->n_errors;
	struct manifest *m = calloc(1, sizeof(*m));
	struct reader r = {.m = m, .loader = loader, .folder = folder_of(file)};
	r.src = (struct options_source){.folder = r.folder, .problems = problems};
	if (m != NULL) {
		m->loader = loader;
		m->file = strdup(file);
	}
	if (m == NULL || m->file == NULL || r.folder == NULL)
		problems_add(problems, 0, 0, "", "%s", no_memory);
	else if (len > MANIFEST_BYTES_MAX)
		problems_add(problems, 0, 0, "", "is larger than %u bytes", MANIFEST_BYTES_MAX);
	else if (parse_text(&r, text, len))
		read_document(&r);
	wipe_strings(r.root);
	json_decref(r.root);
	free(r.folder);
	return problems->n_errors == before ? m : manifest_free(m);
}

/* Reads at most `room` bytes; the length, or -1 with errno. */
static ssize_t read_all(int fd, char *buf, size_t room)
{
	ssize_t n = 1;
	size_t len = 0;
	while (n > 0 && len < room) {
		n = read(fd, buf + len, room - len);
		if (n > 0)
			len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	return n < 0 ? -1 : (ssize_t)len;
}

/* Bytes to read it into, one more than it may have, so that a file that grows meanwhile is noticed. */
static size_t room_for(int fd)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size >= MANIFEST_BYTES_MAX)
		return MANIFEST_BYTES_MAX + 1;
	return (size_t)st.st_size + 1;
}

static struct manifest *load_fd(const char *file, int fd, struct loader *loader,
				struct problems *problems)
{
	struct manifest *m = NULL;
	size_t room = room_for(fd);
	char *buf = malloc(room);
	ssize_t len = buf != NULL ? read_all(fd, buf, room) : 0;
	if (buf == NULL)
		problems_add(problems, 0, 0, "", "%s", no_memory);
	else if (len < 0)
		problems_add(problems, 0, 0, "", "cannot be read: %s", strerror(errno));
	else if ((size_t)len == room && room <= MANIFEST_BYTES_MAX)
		problems_add(problems, 0, 0, "", "has grown while it was read; try again");
	else
		m = manifest_parse(file, buf, (size_t)len, loader, problems);
	if (buf != NULL)
		wipe(buf, room);
	free(buf);
	return m;
}

struct manifest *manifest_load(const char *file, struct loader *loader, struct problems *problems)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		problems_add(problems, 0, 0, "", "cannot be read: %s", strerror(errno));
		return NULL;
	}
	struct manifest *m = load_fd(file, fd, loader, problems);
	close(fd);
	return m;
}

static void clear_part(struct manifest_part *part)
{
	if (part->loaded != NULL)
		options_free(table_of(part->loaded), part->config);
	choice_clear(&part->choice);
	free(part->pointer);
	free(part->name);
}

struct manifest *manifest_free(struct manifest *m)
{
	if (m == NULL)
		return NULL;
	for (size_t i = 0; i < MANIFEST_STAGES_MAX; i++)
		clear_part(&m->stages[i]);
	clear_part(&m->routes);
	clear_part(&m->dns);
	hook_list_clear(&m->on_up);
	hook_list_clear(&m->on_down);
	position_free(m->positions);
	free(m->file);
	free(m->name);
	free(m);
	return NULL;
}
