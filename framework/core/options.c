/* SPDX-License-Identifier: BSD-2-Clause */
/* options: fills a component's plain struct from JSON by its option table (plugin.h section 7). */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "option_type.h"
#include "option_words.h"
#include "secret.h"
#include "suggest.h"
#include "wipe.h"

#define DEPTH_MAX   8u /* of tables inside tables */
#define OPTIONS_MAX 256u
#define CONFIG_MAX  (1u << 20)

/* ---- problems ----------------------------------------------------------------------------------- */

static void add_problem(struct options_source *src, struct place at, const char *pointer,
			const char *format, va_list args) PROBLEMS_PRINTF(4, 0);

static void add_problem(struct options_source *src, struct place at, const char *pointer,
			const char *format, va_list args)
{
	char *text = NULL;
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	problems_add(src->problems, at.line, at.column, pointer, "%s",
		     text != NULL ? text : "out of memory");
	free(text);
}

void options_problem(struct options_source *src, const char *pointer, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_problem(src, position_of_value(src->positions, pointer), pointer, format, args);
	va_end(args);
}

void options_problem_at_key(struct options_source *src, const char *pointer, const char *format,
			    ...)
{
	va_list args;
	va_start(args, format);
	add_problem(src, position_of_key(src->positions, pointer), pointer, format, args);
	va_end(args);
}

/* ---- filling ------------------------------------------------------------------------------------ */

static void fill_table(const struct vpn_option_table *table, json_t *object, const char *pointer,
		       const char *const *ignore, struct options_source *src, void *config);

static const char *const nothing[] = {NULL};

static void put_number(const struct vpn_option *o, json_t *v, const char *pointer,
		       struct options_source *src, void *dst)
{
	int64_t n = json_integer_value(v);
	if (!json_is_integer(v) || !option_in_range(o, n) || (o->type != VPN_OPT_INT && n < 0))
		option_refuse(src, o, pointer, v,
			      json_is_string(v) && o->type != VPN_OPT_SIZE ? "without quotes"
									   : NULL);
	else
		memcpy(dst, &n, sizeof(n));
}

static void put_bool(const struct vpn_option *o, json_t *v, const char *pointer,
		     struct options_source *src, void *dst)
{
	uint32_t is = json_is_true(v);
	if (!json_is_boolean(v))
		option_refuse(src, o, pointer, v, json_is_string(v) ? "without quotes" : NULL);
	else
		memcpy(dst, &is, sizeof(is));
}

static void put_text(const struct vpn_option *o, json_t *v, const char *pointer,
		     struct options_source *src, void *dst)
{
	if (!json_is_string(v)) {
		option_refuse(src, o, pointer, v, NULL);
		return;
	}
	const char *hint = option_type_of(o->type)->parse(o, json_string_value(v), dst);
	if (hint == option_no_memory)
		options_problem(src, pointer, "%s", hint);
	else if (hint != NULL)
		option_refuse(src, o, pointer, v, hint);
}

static bool is_comment(const char *key)
{
	return strncmp(key, "//", 2) == 0;
}

/* The only key of {"file": path} or {"env": NAME}, with its value; false when it is not like that. */
static bool secret_key(json_t *object, const char **key, const char **value)
{
	const char *k;
	json_t *v;
	*key = NULL;
	*value = "";
	json_object_foreach(object, k, v)
	{
		if (is_comment(k))
			continue;
		if (*key != NULL || !json_is_string(v) ||
		    (strcmp(k, "file") != 0 && strcmp(k, "env") != 0))
			return false;
		*key = k;
		*value = json_string_value(v);
	}
	return *key != NULL && **value != '\0';
}

static void put_secret_elsewhere(const struct vpn_option *o, json_t *v, const char *pointer,
				 struct options_source *src, void *dst)
{
	const char *key, *value;
	struct vpn_error err = VPN_ERROR_INIT;
	if (!secret_key(v, &key, &value)) {
		options_problem(src, pointer,
				"a secret is a string, or {\"file\": path}, or {\"env\": NAME}");
		return;
	}
	bool is_file = strcmp(key, "file") == 0;
	char *text = is_file ? secret_read(src->folder, value, &err) : secret_from_env(value, &err);
	if (text == NULL) {
		options_problem(src, pointer, "%s", err.text);
		return;
	}
	const char *hint = option_type_of(o->type)->parse(o, text, dst);
	struct option_words w = {.len = 0};
	option_say_expected(&w, o);
	if (hint == option_no_memory)
		options_problem(src, pointer, "%s", hint);
	else if (hint != NULL)
		options_problem(src, pointer, "must be %s; what %s %s holds is not%s%s", w.text,
				is_file ? "file" : "environment variable", value,
				*hint != '\0' ? ": " : "", hint);
	secret_free(text);
}

static void put_object(const struct vpn_option *o, json_t *v, const char *pointer,
		       struct options_source *src, void *dst)
{
	if (!json_is_object(v)) {
		option_refuse(src, o, pointer, v, NULL);
		return;
	}
	void *inner = calloc(1, o->table->config_size);
	memcpy(dst, &inner, sizeof(inner));
	if (inner == NULL)
		options_problem(src, pointer, "%s", option_no_memory);
	else
		fill_table(o->table, v, pointer, nothing, src, inner);
}

static void put_value(const struct vpn_option *o, json_t *v, const char *pointer,
		      struct options_source *src, void *dst);

static void put_item(const struct vpn_option *item, json_t *v, const char *pointer,
		     struct options_source *src, void *dst)
{
	if (item->type == VPN_OPT_OBJECT && json_is_object(v))
		fill_table(item->table, v, pointer, nothing, src, dst);
	else
		put_value(item, v, pointer, src, dst);
}

static void put_list(const struct vpn_option *o, json_t *v, const char *pointer,
		     struct options_source *src, void *dst)
{
	if (!json_is_array(v) || !option_in_range(o, (int64_t)json_array_size(v))) {
		option_refuse(src, o, pointer, v, NULL);
		return;
	}
	struct vpn_option item = option_item(o);
	struct vpn_list list = {.item_size = option_item_size(o)};
	size_t n = json_array_size(v);
	char *items = n > 0 ? calloc(n, list.item_size) : NULL;
	list.items = items;
	list.count = items != NULL ? (uint32_t)n : 0;
	memcpy(dst, &list, sizeof(list));
	if (n > 0 && items == NULL)
		options_problem(src, pointer, "%s", option_no_memory);
	for (size_t i = 0; i < list.count; i++) {
		char number[24];
		snprintf(number, sizeof(number), "%zu", i);
		char *inner = position_join(pointer, number);
		if (inner == NULL)
			options_problem(src, pointer, "%s", option_no_memory);
		else
			put_item(&item, json_array_get(v, i), inner, src,
				 items + i * list.item_size);
		free(inner);
	}
}

static void put_value(const struct vpn_option *o, json_t *v, const char *pointer,
		      struct options_source *src, void *dst)
{
	switch (o->type) {
	case VPN_OPT_BOOL:
		put_bool(o, v, pointer, src, dst);
		break;
	case VPN_OPT_INT:
	case VPN_OPT_UINT:
		put_number(o, v, pointer, src, dst);
		break;
	case VPN_OPT_OBJECT:
		put_object(o, v, pointer, src, dst);
		break;
	case VPN_OPT_LIST:
		put_list(o, v, pointer, src, dst);
		break;
	default:
		if (o->type == VPN_OPT_SIZE && !json_is_string(v))
			put_number(o, v, pointer, src, dst);
		else if (json_is_object(v) && (o->flags & VPN_OPT_SECRET) != 0)
			put_secret_elsewhere(o, v, pointer, src, dst);
		else
			put_text(o, v, pointer, src, dst);
	}
}

/* A default, which is text, as JSON; NULL when it cannot be. */
static json_t *default_value(const struct vpn_option *o)
{
	const char *at = o->dflt;
	uint64_t number;
	switch (o->type) {
	case VPN_OPT_SIZE:
		if (!option_parse_digits(&at, &number) || *at != '\0')
			return json_string(o->dflt);
		return json_integer((json_int_t)number);
	case VPN_OPT_BOOL:
	case VPN_OPT_INT:
	case VPN_OPT_UINT:
	case VPN_OPT_OBJECT:
	case VPN_OPT_LIST:
		return json_loads(o->dflt, JSON_DECODE_ANY, NULL);
	default:
		return json_string(o->dflt);
	}
}

static void put_default(const struct vpn_option *o, const char *pointer, struct options_source *src,
			void *dst)
{
	if (o->dflt == NULL)
		return;
	json_t *v = default_value(o);
	if (v == NULL)
		options_problem(src, pointer, "the default cannot be used, or memory has run out");
	else
		put_value(o, v, pointer, src, dst);
	json_decref(v);
}

static void put_option(const struct vpn_option *o, json_t *object, const char *pointer,
		       struct options_source *src, void *config)
{
	char *dst = (char *)config + o->offset;
	json_t *v = json_object_get(object, o->name);
	char *inner = position_join(pointer, o->name);
	if (inner == NULL) {
		options_problem(src, pointer, "%s", option_no_memory);
	} else if (v != NULL) {
		put_value(o, v, inner, src, dst);
	} else if ((o->flags & VPN_OPT_REQUIRED) != 0) {
		struct option_words w = {.len = 0};
		option_say_expected(&w, o);
		options_problem(src, pointer, "\"%s\" is missing: %s", o->name, w.text);
	} else {
		put_default(o, inner, src, dst);
	}
	free(inner);
}

static bool is_known(const struct vpn_option_table *table, const char *const *ignore,
		     const char *key)
{
	for (; *ignore != NULL; ignore++)
		if (strcmp(*ignore, key) == 0)
			return true;
	for (uint32_t i = 0; table != NULL && i < table->n_options; i++)
		if (strcmp(options_at(table, i)->name, key) == 0)
			return true;
	return is_comment(key);
}

static void refuse_key(const struct vpn_option_table *table, const char *const *ignore,
		       const char *key, const char *pointer, struct options_source *src)
{
	struct suggest s;
	suggest_init(&s, key);
	for (uint32_t i = 0; table != NULL && i < table->n_options; i++)
		suggest_offer(&s, options_at(table, i)->name);
	for (; *ignore != NULL; ignore++)
		suggest_offer(&s, *ignore);
	char *inner = position_join(pointer, key);
	if (s.best != NULL)
		options_problem_at_key(src, inner != NULL ? inner : pointer,
				       "unknown key \"%.64s\"; did you mean \"%s\"?", key, s.best);
	else
		options_problem_at_key(src, inner != NULL ? inner : pointer,
				       "unknown key \"%.64s\"", key);
	free(inner);
}

static void fill_table(const struct vpn_option_table *table, json_t *object, const char *pointer,
		       const char *const *ignore, struct options_source *src, void *config)
{
	const char *key;
	json_t *v;
	for (uint32_t i = 0; table != NULL && i < table->n_options; i++)
		put_option(options_at(table, i), object, pointer, src, config);
	json_object_foreach(object, key, v)
	{
		if (!is_known(table, ignore, key))
			refuse_key(table, ignore, key, pointer, src);
	}
}

void *options_fill(const struct vpn_option_table *table, json_t *object, const char *pointer,
		   const char *const *ignore, struct options_source *src)
{
	void *config = table != NULL ? calloc(1, table->config_size) : NULL;
	if (table != NULL && config == NULL)
		options_problem(src, pointer, "%s", option_no_memory);
	else
		fill_table(table, object, pointer, ignore != NULL ? ignore : nothing, src, config);
	return config;
}

/* ---- freeing ------------------------------------------------------------------------------------ */

static void clear_table(const struct vpn_option_table *table, void *config);

static void clear_list(const struct vpn_option *o, struct vpn_list *list);

static void clear_value(const struct vpn_option *o, void *at)
{
	union {
		char *text;
		struct vpn_hostport hostport;
		struct vpn_bytes bytes;
		struct vpn_list list;
		void *object;
	} v;
	memcpy(&v, at,
	       option_type_of(o->type)->size < sizeof(v) ? option_type_of(o->type)->size
							 : sizeof(v));
	switch (o->type) {
	case VPN_OPT_STRING:
		secret_free(v.text);
		break;
	case VPN_OPT_HOSTPORT:
		free((char *)(uintptr_t)v.hostport.host);
		break;
	case VPN_OPT_BYTES:
		if (v.bytes.data != NULL)
			wipe((uint8_t *)(uintptr_t)v.bytes.data, v.bytes.len);
		free((uint8_t *)(uintptr_t)v.bytes.data);
		break;
	case VPN_OPT_OBJECT:
		options_free(o->table, v.object);
		break;
	case VPN_OPT_LIST:
		clear_list(o, &v.list);
		break;
	default:
		break;
	}
}

static void clear_list(const struct vpn_option *o, struct vpn_list *list)
{
	struct vpn_option item = option_item(o);
	char *items = (char *)(uintptr_t)list->items;
	for (uint32_t i = 0; i < list->count; i++) {
		char *at = items + (size_t)i * list->item_size;
		if (item.type == VPN_OPT_OBJECT)
			clear_table(item.table, at);
		else
			clear_value(&item, at);
	}
	free(items);
}

static void clear_table(const struct vpn_option_table *table, void *config)
{
	for (uint32_t i = 0; i < table->n_options; i++) {
		const struct vpn_option *o = options_at(table, i);
		clear_value(o, (char *)config + o->offset);
	}
	wipe(config, table->config_size);
}

void *options_free(const struct vpn_option_table *table, void *config)
{
	if (table != NULL && config != NULL)
		clear_table(table, config);
	free(config);
	return NULL;
}

/* ---- checking a plugin's table ------------------------------------------------------------------ */

static vpn_status vet_table(const struct vpn_option_table *table, unsigned depth,
			    struct vpn_error *err);

static vpn_status wrong(struct vpn_error *err, const struct vpn_option *o, const char *what)
{
	return fault(err, VPN_EABI, 0, "option \"%.40s\": %s", o->name, what);
}

static vpn_status vet_default(const struct vpn_option *o, struct vpn_error *err)
{
	union {
		uint64_t words[4];
		char bytes[32];
	} value = {.words = {0}};
	struct problems problems;
	struct options_source src = {.folder = "/", .problems = &problems};
	if (o->dflt == NULL)
		return VPN_OK;
	problems_init(&problems, "");
	put_default(o, "", &src, value.bytes);
	clear_value(o, value.bytes);
	bool good = problems.n_errors == 0;
	problems_clear(&problems);
	return good ? VPN_OK : wrong(err, o, "its default does not fit its own type and range");
}

/* Keys of a stage, of routes and of dns that are the host's own (plugin.h section 7). */
static bool name_is_taken(const char *name)
{
	static const char *const taken[] = {"device", "transport", "backend", "plugin"};
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (strcmp(taken[i], name) == 0)
			return true;
	return false;
}

static bool name_is_valid(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n <= SUGGEST_MAX && !is_comment(name) &&
	       strpbrk(name, "\"\\/~ \t\n") == NULL;
}

static vpn_status vet_type(const struct vpn_option *o, unsigned depth, struct vpn_error *err)
{
	uint32_t inner = o->type == VPN_OPT_LIST ? o->item_type : o->type;
	if (option_type_of(o->type) == NULL || option_type_of(inner) == NULL)
		return wrong(err, o, "a type that this vpncore does not know: the plugin is newer");
	if (o->type == VPN_OPT_LIST && inner == VPN_OPT_LIST)
		return wrong(err, o, "a list of lists");
	if (inner == VPN_OPT_ENUM && (o->choices == NULL || o->choices[0] == NULL))
		return wrong(err, o, "no choices");
	if ((o->flags & VPN_OPT_SECRET) != 0 && inner != VPN_OPT_STRING && inner != VPN_OPT_BYTES)
		return wrong(err, o, "a secret that is neither string nor bytes");
	if (inner != VPN_OPT_OBJECT)
		return VPN_OK;
	return o->table != NULL ? vet_table(o->table, depth + 1, err) : wrong(err, o, "no table");
}

/* Where option i stands in the struct, known to be inside of it, an earlier option stands as well: its
 * offset was forgotten, and both would own one pointer. */
static bool overlaps(const struct vpn_option_table *table, uint32_t i)
{
	const struct vpn_option *o = options_at(table, i);
	uint32_t end = o->offset + option_type_of(o->type)->size;
	for (uint32_t k = 0; k < i; k++) {
		const struct vpn_option *other = options_at(table, k);
		if (o->offset < other->offset + option_type_of(other->type)->size &&
		    other->offset < end)
			return true;
	}
	return false;
}

static vpn_status vet_option(const struct vpn_option_table *table, uint32_t i, unsigned depth,
			     struct vpn_error *err)
{
	const struct vpn_option *o = options_at(table, i);
	if (o->name == NULL || !name_is_valid(o->name))
		return fault(err, VPN_EABI, 0, "option %u has no valid name", i);
	for (uint32_t k = 0; k < i; k++)
		if (strcmp(options_at(table, k)->name, o->name) == 0)
			return wrong(err, o, "the name stands twice");
	if (depth == 0 && name_is_taken(o->name))
		return wrong(err, o, "the name is a key of the host's own");
	if ((o->flags >> 16) != 0)
		return wrong(err, o, "a flag that this vpncore does not know: the plugin is newer");
	vpn_status status = vet_type(o, depth, err);
	if (status != VPN_OK)
		return status;
	const struct option_type *t = option_type_of(o->type);
	if (o->offset % t->align != 0 || o->offset > table->config_size ||
	    table->config_size - o->offset < t->size)
		return wrong(err, o, "its offset is not inside of the struct");
	if (overlaps(table, i))
		return wrong(err, o, "its offset is that of another option");
	if (o->min > o->max)
		return wrong(err, o, "min is greater than max");
	return vet_default(o, err);
}

static vpn_status vet_table(const struct vpn_option_table *table, unsigned depth,
			    struct vpn_error *err)
{
	if (depth > DEPTH_MAX)
		return fault(err, VPN_EABI, 0, "more than %u tables inside each other", DEPTH_MAX);
	if (table->size < sizeof(*table) || table->option_size < sizeof(struct vpn_option) ||
	    table->option_size % _Alignof(struct vpn_option) != 0)
		return fault(err, VPN_EABI, 0, "a table is shorter than ABI 1.0 has it");
	if (table->n_options > OPTIONS_MAX || (table->n_options > 0 && table->options == NULL) ||
	    table->config_size == 0 || table->config_size > CONFIG_MAX)
		return fault(err, VPN_EABI, 0, "a table has %u options in a struct of %u bytes",
			     table->n_options, table->config_size);
	for (uint32_t i = 0; i < table->n_options; i++) {
		vpn_status status = vet_option(table, i, depth, err);
		if (status != VPN_OK)
			return status;
	}
	return VPN_OK;
}

vpn_status options_vet(const struct vpn_option_table *table, struct vpn_error *err)
{
	return vet_table(table, 0, err);
}
