/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of options and secret: each type of plugin.h section 7, with what is refused and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fault.h"
#include "folder.h"
#include "lines.h"
#include "options.h"
#include "secret.h"

static struct lines lines;
static const char *folder = "/nonexistent";

/* Fills a struct from JSON text; what is wrong goes to `lines`. */
static void *fill(const struct vpn_option_table *table, const char *text)
{
	static const char *const ignore[] = {"transport", NULL};
	struct problems problems;
	struct positions *positions;
	json_error_t error;
	problems_init(&problems, "f");
	json_t *object = json_loads(text, 0, &error);
	assert_non_null(object);
	assert_int_equal(position_scan(&positions, text, strlen(text), NULL), POSITION_OK);
	struct options_source src = {positions, folder, &problems};
	void *config = options_fill(table, object, "", ignore, &src);
	lines_of(&lines, &problems);
	position_free(positions);
	json_decref(object);
	return config;
}

/* One option of a type, in a struct with room for any. */
struct any {
	uint64_t words[2];
	uint32_t more[2];
};

static const char *const colours[] = {"red", "green", "blue", NULL};

static struct vpn_option_table table_of(struct vpn_option *o)
{
	o->name = "v";
	return (struct vpn_option_table){sizeof(struct vpn_option_table), sizeof(*o), o, 1,
					 sizeof(struct any)};
}

static void accept(struct vpn_option o, const char *json, void (*check)(const void *value))
{
	char text[512];
	struct vpn_option_table table = table_of(&o);
	snprintf(text, sizeof(text), "{\"v\": %s}", json);
	void *config = fill(&table, text);
	assert_string_equal(lines.text, "");
	check(config);
	options_free(&table, config);
}

/* The exact text behind the place and pointer. */
static void refuse(struct vpn_option o, const char *json, const char *message)
{
	char text[512], expected[1024];
	struct vpn_option_table table = table_of(&o);
	snprintf(text, sizeof(text), "{\"v\": %s}", json);
	options_free(&table, fill(&table, text));
	snprintf(expected, sizeof(expected), "f:1:7: /v: %s\n", message);
	assert_string_equal(lines.text, expected);
}

#define CHECK(name, type, condition) \
	static void name(const void *value) \
	{ \
		const type *v = value; \
		assert_true(condition); \
	}

CHECK(is_one32, uint32_t, *v == 1)
CHECK(is_zero32, uint32_t, *v == 0)
CHECK(is_minus_5, int64_t, *v == -5)
CHECK(is_1500, uint64_t, *v == 1500)
CHECK(is_max_int, uint64_t, *v == INT64_MAX)
CHECK(is_65536, uint64_t, *v == 65536)
CHECK(is_7mib, uint64_t, *v == 7u << 20)
CHECK(is_250ms, uint64_t, *v == 250000000)
CHECK(is_2min, uint64_t, *v == 120000000000)
CHECK(is_1h, uint64_t, *v == 3600000000000)
CHECK(is_word, char *const, strcmp(*v, "w\xc3\xb6rd") == 0)
CHECK(is_blue, uint32_t, *v == 2)

static void takes_booleans(void **state)
{
	(void)state;
	const struct vpn_option o = {.type = VPN_OPT_BOOL};
	accept(o, "true", is_one32);
	accept(o, "false", is_zero32);
	refuse(o, "1", "must be true or false, not 1");
	refuse(o, "\"true\"", "must be true or false, not \"true\"; without quotes");
	refuse(o, "null", "must be true or false, not null");
}

static void takes_whole_numbers(void **state)
{
	(void)state;
	const struct vpn_option any = {.type = VPN_OPT_INT}, from_0 = {.type = VPN_OPT_UINT},
				mtu = {.type = VPN_OPT_UINT,
				       .min = 576,
				       .max = 65535,
				       .unit = "bytes"},
				from_10 = {.type = VPN_OPT_INT, .min = 10, .max = INT64_MAX};
	accept(any, "-5", is_minus_5);
	accept(from_0, "9223372036854775807", is_max_int);
	accept(mtu, "1500", is_1500);
	refuse(mtu, "575", "must be a whole number of bytes from 576 to 65535, not 575");
	refuse(mtu, "65536", "must be a whole number of bytes from 576 to 65535, not 65536");
	refuse(mtu, "1500.0",
	       "must be a whole number of bytes from 576 to 65535, not a number with a fraction");
	refuse(mtu, "\"1500\"",
	       "must be a whole number of bytes from 576 to 65535, not \"1500\"; without quotes");
	refuse(mtu, "[]", "must be a whole number of bytes from 576 to 65535, not an empty array");
	refuse(from_0, "-1", "must be a whole number from 0 on, not -1");
	refuse(from_10, "9", "must be a whole number from 10 on, not 9");
}

static void takes_strings(void **state)
{
	(void)state;
	const struct vpn_option any = {.type = VPN_OPT_STRING},
				name = {.type = VPN_OPT_STRING, .min = 1, .max = 5};
	accept(any, "\"w\xc3\xb6rd\"", is_word);
	accept(name, "\"w\xc3\xb6rd\"", is_word);
	refuse(name, "\"\"", "must be a string of 1 to 5 bytes, not \"\"");
	refuse(name, "\"sixsix\"", "must be a string of 1 to 5 bytes, not \"sixsix\"");
	refuse(any, "{}", "must be a string, not an object");
}

static void takes_choices(void **state)
{
	(void)state;
	const struct vpn_option o = {.type = VPN_OPT_ENUM, .choices = colours};
	accept(o, "\"blue\"", is_blue);
	refuse(o, "\"bleu\"",
	       "must be one of \"red\", \"green\", \"blue\", not \"bleu\"; did you mean \"blue\"?");
	refuse(o, "\"black\"", "must be one of \"red\", \"green\", \"blue\", not \"black\"");
	refuse(o, "2", "must be one of \"red\", \"green\", \"blue\", not 2");
}

#define DURATION "must be a duration such as \"250ms\", \"25s\", \"2m\" or \"1h\""

static void takes_durations(void **state)
{
	(void)state;
	const struct vpn_option any = {.type = VPN_OPT_DURATION},
				some = {.type = VPN_OPT_DURATION, .min = 10, .max = 3600000};
	accept(any, "\"250ms\"", is_250ms);
	accept(some, "\"2m\"", is_2min);
	accept(some, "\"1h\"", is_1h);
	refuse(some, "\"5ms\"", DURATION " from 10ms to 1h, not \"5ms\"");
	refuse(some, "\"3601s\"", DURATION " from 10ms to 1h, not \"3601s\"");
	refuse(any, "\"25\"", DURATION ", not \"25\"");
	refuse(any, "\"-1s\"", DURATION ", not \"-1s\"");
	refuse(any, "\"1.5s\"", DURATION ", not \"1.5s\"");
	refuse(any, "\"1s \"", DURATION ", not \"1s \"");
	refuse(any, "\"99999999999999999999s\"", DURATION ", not \"99999999999999999999s\"");
	refuse(any, "\"9223372036854775807h\"", DURATION ", not \"9223372036854775807h\"");
	refuse(any, "25", DURATION ", not 25");
}

#define SIZE "must be a number of bytes such as 4096, \"64KiB\" or \"7MiB\""

static void takes_sizes(void **state)
{
	(void)state;
	const struct vpn_option any = {.type = VPN_OPT_SIZE},
				some = {.type = VPN_OPT_SIZE, .min = 4096, .max = 1 << 30};
	accept(any, "65536", is_65536);
	accept(some, "\"64KiB\"", is_65536);
	accept(some, "\"7MiB\"", is_7mib);
	refuse(some, "4095", SIZE " from 4KiB to 1GiB, not 4095");
	refuse(some, "\"2GiB\"", SIZE " from 4KiB to 1GiB, not \"2GiB\"");
	refuse(any, "\"7MB\"", SIZE ", not \"7MB\"");
	refuse(any, "-1", SIZE ", not -1");
	refuse(any, "\"9223372036854775807KiB\"", SIZE ", not \"9223372036854775807KiB\"");
}

CHECK(is_192_0_2_1, struct vpn_address,
      v->family == VPN_AF_INET && memcmp(v->addr, "\xc0\0\2\1\0", 5) == 0)
CHECK(is_v6_db8, struct vpn_address,
      v->family == VPN_AF_INET6 && memcmp(v->addr, "\x20\1\xd\xb8", 4) == 0 && v->addr[15] == 1)
CHECK(is_10_78_24, struct vpn_prefix,
      v->family == VPN_AF_INET && v->length == 24 && memcmp(v->addr, "\x0a\x4e\0\1", 4) == 0)
CHECK(is_fd78_64, struct vpn_prefix,
      v->family == VPN_AF_INET6 && v->length == 64 && v->addr[0] == 0xfd)
CHECK(is_mac, struct vpn_mac, v->is_set == 1 && memcmp(v->addr, "\2\0\x5e\x10\0\1", 6) == 0)

#define ADDRESS "must be an address such as \"192.0.2.1\" or \"2001:db8::1\""
#define PREFIX \
	"must be an address with its prefix length such as \"10.78.0.1/24\" or \"fd78::1/64\""
#define NETWORK "must be a network such as \"10.78.0.0/24\" or \"fd78::/64\""

static void takes_addresses(void **state)
{
	(void)state;
	const struct vpn_option address = {.type = VPN_OPT_ADDRESS}, mac = {.type = VPN_OPT_MAC},
				prefix = {.type = VPN_OPT_PREFIX},
				network = {.type = VPN_OPT_PREFIX, .flags = VPN_OPT_NETWORK};
	accept(address, "\"192.0.2.1\"", is_192_0_2_1);
	accept(address, "\"2001:db8::1\"", is_v6_db8);
	refuse(address, "\"192.0.2\"", ADDRESS ", not \"192.0.2\"");
	refuse(address, "\"192.0.2.1/24\"",
	       ADDRESS ", not \"192.0.2.1/24\"; without a prefix length");
	accept(prefix, "\"10.78.0.1/24\"", is_10_78_24);
	accept(network, "\"fd78::/64\"", is_fd78_64);
	refuse(prefix, "\"10.78.0.1\"",
	       PREFIX ", not \"10.78.0.1\"; one address alone is written with \"/32\"");
	refuse(prefix, "\"fd78::1\"",
	       PREFIX ", not \"fd78::1\"; one address alone is written with \"/128\"");
	refuse(prefix, "\"10.78.0.1/33\"", PREFIX ", not \"10.78.0.1/33\"");
	refuse(prefix, "\"10.78.0.1/024x\"", PREFIX ", not \"10.78.0.1/024x\"");
	refuse(network, "\"10.78.0.1/24\"",
	       NETWORK ", not \"10.78.0.1/24\"; the bits behind the prefix must be zero");
	accept(mac, "\"02:00:5e:10:00:01\"", is_mac);
	refuse(mac, "\"02:00:5e:10:00\"",
	       "must be a MAC address such as \"02:00:5e:10:00:01\", not \"02:00:5e:10:00\"");
}

CHECK(is_name_port, struct vpn_hostport,
      strcmp(v->host, "vpn.example") == 0 && v->port == 51820 && v->port_last == 51820)
CHECK(is_any_7, struct vpn_hostport, strcmp(v->host, "*") == 0 && v->port == 7)
CHECK(is_empty_7, struct vpn_hostport, strcmp(v->host, "") == 0 && v->port == 7)
CHECK(is_v6_7, struct vpn_hostport, strcmp(v->host, "2001:db8::1") == 0 && v->port == 7)
CHECK(is_zone, struct vpn_hostport, strcmp(v->host, "fe80::1%eth0") == 0 && v->port == 0)
CHECK(is_range, struct vpn_hostport,
      strcmp(v->host, "192.0.2.1") == 0 && v->port == 4000 && v->port_last == 4100)

#define HOSTPORT \
	"must be host and port such as \"vpn.example:51820\", \"192.0.2.1:51820\" or " \
	"\"[2001:db8::1]:51820\""

static void takes_host_and_port(void **state)
{
	(void)state;
	const struct vpn_option o = {.type = VPN_OPT_HOSTPORT},
				range = {.type = VPN_OPT_HOSTPORT, .flags = VPN_OPT_PORT_RANGE};
	accept(o, "\"vpn.example:51820\"", is_name_port);
	accept(o, "\"*:7\"", is_any_7);
	accept(o, "\":7\"", is_empty_7);
	accept(o, "\"[2001:db8::1]:7\"", is_v6_7);
	accept(o, "\"[fe80::1%eth0]:0\"", is_zone);
	accept(range, "\"192.0.2.1:4000-4100\"", is_range);
	refuse(o, "\"vpn.example\"", HOSTPORT ", not \"vpn.example\"; the port is missing");
	refuse(o, "\"[2001:db8::1]\"", HOSTPORT ", not \"[2001:db8::1]\"; the port is missing");
	refuse(o, "\"2001:db8::1:7\"",
	       HOSTPORT ", not \"2001:db8::1:7\"; an IPv6 address stands in brackets");
	refuse(o, "\"[2001:db8:1]:7\"",
	       HOSTPORT ", not \"[2001:db8:1]:7\"; that is no IPv6 address");
	refuse(o, "\"[]:7\"", HOSTPORT ", not \"[]:7\"; that is no IPv6 address");
	refuse(o, "\"[:7\"", HOSTPORT ", not \"[:7\"");
	refuse(o, "\"x:65536\"", HOSTPORT ", not \"x:65536\"; a port is a number from 0 to 65535");
	refuse(o, "\"x:1-2\"",
	       HOSTPORT ", not \"x:1-2\"; a range of ports cannot stand here, one port can");
	refuse(range, "\"x:9-2\"",
	       HOSTPORT
	       ", or with a range of ports such as \"192.0.2.1:4000-4100\", not \"x:9-2\"; a "
	       "range of ports begins with the lower one");
	refuse(range, "\"x:9-65536\"",
	       HOSTPORT
	       ", or with a range of ports such as \"192.0.2.1:4000-4100\", not \"x:9-65536\"; a "
	       "port is a number from 0 to 65535");
	refuse(o, "\"999.1.1.1:7\"", HOSTPORT ", not \"999.1.1.1:7\"");
	refuse(o, "\"a b:7\"", HOSTPORT ", not \"a b:7\"");
	refuse(o, "\"\"", HOSTPORT ", not \"\"; the port is missing");
}

CHECK(is_0102, struct vpn_bytes, v->len == 4 && memcmp(v->data, "\1\2\xfe\xff", 4) == 0)
CHECK(is_three_dead, struct vpn_bytes, v->len == 3 && memcmp(v->data, "\x75\xe6\x9d", 3) == 0)
CHECK(is_empty_bytes, struct vpn_bytes, v->len == 0 && v->data != NULL)

static void takes_bytes(void **state)
{
	(void)state;
	const struct vpn_option any = {.type = VPN_OPT_BYTES},
				four = {.type = VPN_OPT_BYTES, .min = 4, .max = 4},
				three = {.type = VPN_OPT_BYTES, .min = 3, .max = 3};
	accept(any, "\"0102fEff\"", is_0102);
	accept(four, "\"AQL+/w==\"", is_0102);
	accept(three, "\"dead\"", is_three_dead); /* as hexadecimal it would have two bytes */
	accept(any, "\"\"", is_empty_bytes);
	refuse(four, "\"010203\"", "must be base64 or hexadecimal text of 4 bytes, not \"010203\"");
	refuse(four, "\"AQL+\"",
	       "must be base64 or hexadecimal text of 4 bytes, not \"AQL+\"; the length is wrong");
	refuse(any, "\"AQL+/x==\"", "must be base64 or hexadecimal text, not \"AQL+/x==\"");
	refuse(any, "\"AQL=/w==\"", "must be base64 or hexadecimal text, not \"AQL=/w==\"");
	refuse(any, "\"AQL+/w\"", "must be base64 or hexadecimal text, not \"AQL+/w\"");
	refuse(any, "\"====\"", "must be base64 or hexadecimal text, not \"====\"");
}

/* ---- objects, lists, defaults ------------------------------------------------------------------ */

struct inner {
	const char *name;
	uint64_t number;
};

struct outer {
	const struct inner *object;
	struct vpn_list list;
	struct vpn_list numbers;
	struct vpn_list words;
	uint64_t size;
	uint64_t wait;
	uint32_t flag;
	const char *must;
};

static const struct vpn_option inner_options[] = {
	{.name = "name",
	 .type = VPN_OPT_STRING,
	 .flags = VPN_OPT_REQUIRED,
	 .offset = offsetof(struct inner, name)},
	{.name = "number",
	 .type = VPN_OPT_UINT,
	 .dflt = "42",
	 .offset = offsetof(struct inner, number)},
};
static const struct vpn_option_table inner_table = VPN_OPTION_TABLE(inner_options, struct inner);
static const struct vpn_option outer_options[] = {
	{.name = "object",
	 .type = VPN_OPT_OBJECT,
	 .table = &inner_table,
	 .offset = offsetof(struct outer, object)},
	{.name = "list",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_OBJECT,
	 .table = &inner_table,
	 .offset = offsetof(struct outer, list)},
	{.name = "numbers",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_INT,
	 .dflt = "[3, 4]",
	 .min = 1,
	 .max = 3,
	 .offset = offsetof(struct outer, numbers)},
	{.name = "words",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_STRING,
	 .offset = offsetof(struct outer, words)},
	{.name = "size",
	 .type = VPN_OPT_SIZE,
	 .dflt = "7MiB",
	 .offset = offsetof(struct outer, size)},
	{.name = "wait",
	 .type = VPN_OPT_DURATION,
	 .dflt = "2m",
	 .offset = offsetof(struct outer, wait)},
	{.name = "flag",
	 .type = VPN_OPT_BOOL,
	 .dflt = "true",
	 .offset = offsetof(struct outer, flag)},
	{.name = "must",
	 .type = VPN_OPT_STRING,
	 .flags = VPN_OPT_REQUIRED,
	 .offset = offsetof(struct outer, must)},
};
static const struct vpn_option_table outer_table = VPN_OPTION_TABLE(outer_options, struct outer);

static void fills_what_is_absent_with_defaults(void **state)
{
	(void)state;
	struct outer *o = fill(&outer_table,
			       "{\"must\": \"x\", \"transport\": \"ignored\", \"// note\": 7}");
	assert_string_equal(lines.text, "");
	assert_null(o->object);
	assert_int_equal(o->list.count, 0);
	assert_int_equal(o->numbers.count, 2);
	assert_int_equal(((const int64_t *)o->numbers.items)[1], 4);
	assert_int_equal(o->size, 7 << 20);
	assert_int_equal(o->wait, 120000000000);
	assert_int_equal(o->flag, 1);
	options_free(&outer_table, o);
}

static void fills_what_is_inside(void **state)
{
	(void)state;
	struct outer *o = fill(
		&outer_table,
		"{\"must\": \"x\", \"object\": {\"name\": \"a\"}, \"list\": [{\"name\": \"b\", "
		"\"number\": 1}, {\"name\": \"c\"}], \"words\": [\"p\", \"q\"]}");
	assert_string_equal(lines.text, "");
	assert_string_equal(o->object->name, "a");
	assert_int_equal(o->object->number, 42);
	assert_int_equal(o->list.count, 2);
	assert_int_equal(o->list.item_size, sizeof(struct inner));
	const struct inner *items = o->list.items;
	assert_string_equal(items[0].name, "b");
	assert_string_equal(items[1].name, "c");
	assert_int_equal(items[0].number, 1);
	assert_int_equal(items[1].number, 42);
	assert_string_equal(((char *const *)o->words.items)[1], "q");
	options_free(&outer_table, o);
}

static void names_everything_that_is_wrong_at_once(void **state)
{
	(void)state;
	options_free(&outer_table,
		     fill(&outer_table,
			  "{\"object\": {\"nam\": \"a\"},\n \"list\": [1, {\"name\": 2}],\n"
			  " \"numbers\": [1, \"2\", 3],\n \"words\": \"p\",\n \"flg\": true}"));
	assert_string_equal(
		lines.text,
		"f:1:1: \"must\" is missing: a string\n"
		"f:1:12: /object: \"name\" is missing: a string\n"
		"f:1:13: /object/nam: unknown key \"nam\"; did you mean \"name\"?\n"
		"f:2:11: /list/0: must be an object, not 1\n"
		"f:2:23: /list/1/name: must be a string, not 2\n"
		"f:3:17: /numbers/1: must be a whole number, not \"2\"; without quotes\n"
		"f:4:11: /words: must be an array, not \"p\"\n"
		"f:5:2: /flg: unknown key \"flg\"; did you mean \"flag\"?\n");
}

static void holds_lists_to_their_length(void **state)
{
	(void)state;
	options_free(&outer_table, fill(&outer_table, "{\"must\": \"x\", \"numbers\": []}"));
	assert_string_equal(
		lines.text,
		"f:1:26: /numbers: must be an array of 1 to 3 items, not an empty array\n");
	options_free(&outer_table, fill(&outer_table, "{\"must\": \"x\", \"numbers\": [1,2,3,4]}"));
	assert_string_equal(lines.text,
			    "f:1:26: /numbers: must be an array of 1 to 3 items, not an array\n");
}

static void accepts_no_keys_where_there_are_no_options(void **state)
{
	(void)state;
	assert_null(fill(NULL, "{\"transport\": \"x\"}"));
	assert_string_equal(lines.text, "");
	assert_null(fill(NULL, "{\"transprt\": \"x\"}"));
	assert_string_equal(
		lines.text,
		"f:1:2: /transprt: unknown key \"transprt\"; did you mean \"transport\"?\n");
}

/* ---- secrets ------------------------------------------------------------------------------------ */

static const struct vpn_option secret = {
	.type = VPN_OPT_STRING, .flags = VPN_OPT_SECRET, .min = 3, .max = 8};

CHECK(is_hunter2, char *const, strcmp(*v, "hunter2") == 0)

static void reads_secrets_from_everywhere(void **state)
{
	(void)state;
	char *own = folder_new();
	folder = own;
	folder_write(own, "a.key", "hunter2\n", 8, 0600);
	folder_write(own, "b.key", "hunter2\r\n", 9, 0400);
	folder_write(own, "c.key", "hunter2", 7, 0600);
	setenv("VPNCORE_TEST_SECRET", "hunter2", 1);
	accept(secret, "\"hunter2\"", is_hunter2);
	accept(secret, "{\"file\": \"a.key\"}", is_hunter2);
	accept(secret, "{\"file\": \"b.key\", \"//\": \"on windows\"}", is_hunter2);
	char json[256], *absolute = folder_path(own, "c.key");
	snprintf(json, sizeof(json), "{\"file\": \"%s\"}", absolute);
	folder = "/nonexistent";
	accept(secret, json, is_hunter2);
	accept(secret, "{\"env\": \"VPNCORE_TEST_SECRET\"}", is_hunter2);
	free(absolute);
	folder_free(own);
}

/* A problem that contains `part` and not the secret. */
static void refuse_secret(const char *json, const char *part)
{
	char text[512];
	struct vpn_option o = secret;
	struct vpn_option_table table = table_of(&o);
	snprintf(text, sizeof(text), "{\"v\": %s}", json);
	options_free(&table, fill(&table, text));
	if (!lines_have(&lines, part))
		fail_msg("expected \"%s\" in: %s", part, lines.text);
	assert_false(lines_have(&lines, "hunter2"));
}

static void refuses_secrets_that_others_can_read(void **state)
{
	(void)state;
	char *own = folder_new();
	folder = own;
	folder_write(own, "world", "hunter2", 7, 0604);
	folder_write(own, "group", "hunter2", 7, 0640);
	folder_write(own, "theirs", "hunter2", 7, 0600);
	char *theirs = folder_path(own, "theirs");
	refuse_secret("{\"file\": \"world\"}", "is open to others (mode 0604); chmod 600 ");
	refuse_secret("{\"file\": \"group\"}", "is open to others (mode 0640); chmod 600 ");
	if (chown(theirs, 12345, (gid_t)-1) != 0)
		fail_msg("this test gives a file away: run it as root");
	refuse_secret("{\"file\": \"theirs\"}",
		      "belongs to user 12345, who is neither root nor you");
	free(theirs);
	folder_free(own);
	folder = "/nonexistent";
}

static void refuses_files_that_hold_no_secret(void **state)
{
	(void)state;
	char *own = folder_new();
	folder = own;
	static char large[SECRET_MAX + 10];
	memset(large, 'x', sizeof(large));
	folder_write(own, "empty", "", 0, 0600);
	folder_write(own, "newline", "\n", 1, 0600);
	folder_write(own, "nul", "hun\0ter2", 8, 0600);
	folder_write(own, "large", large, sizeof(large), 0600);
	folder_write(own, "long", "hunter2hunter2", 14, 0600);
	refuse_secret("{\"file\": \"missing\"}", "missing: No such file or directory");
	refuse_secret("{\"file\": \".\"}", "is not a regular file");
	refuse_secret("{\"file\": \"empty\"}", "empty is empty");
	refuse_secret("{\"file\": \"newline\"}", "newline is empty");
	refuse_secret("{\"file\": \"nul\"}", "has a NUL byte");
	refuse_secret("{\"file\": \"large\"}", "is longer than 65536 bytes");
	refuse_secret("{\"file\": \"long\"}", "what file long holds is not");
	folder_free(own);
	folder = "/nonexistent";
}

static void never_shows_a_secret(void **state)
{
	(void)state;
	unsetenv("VPNCORE_TEST_NOT_SET");
	setenv("VPNCORE_TEST_EMPTY", "", 1);
	refuse_secret("\"hunter2hunter2\"", "not the text that stands there");
	refuse_secret("{\"env\": \"VPNCORE_TEST_NOT_SET\"}", "VPNCORE_TEST_NOT_SET is not set");
	refuse_secret("{\"env\": \"VPNCORE_TEST_EMPTY\"}", "VPNCORE_TEST_EMPTY is empty");
	refuse_secret("{\"fil\": \"hunter2\"}", "a secret is a string, or {\"file\": path}");
	refuse_secret("{\"file\": \"a\", \"env\": \"b\"}", "a secret is a string, or");
	refuse_secret("{\"file\": 7}", "a secret is a string, or");
	refuse_secret("{}", "a secret is a string, or");
	refuse_secret("71", "or {\"env\": NAME}, not a number");
}

/* ---- tables of plugins -------------------------------------------------------------------------- */

static void reject_table(const struct vpn_option *options, uint32_t n, const char *text)
{
	struct vpn_error err = VPN_ERROR_INIT;
	const struct vpn_option_table table = {sizeof(table), sizeof(options[0]), options, n, 16};
	assert_int_equal(options_vet(&table, &err), VPN_EABI);
	assert_string_equal(err.text, text);
}

static void rejects_tables_that_are_wrong(void **state)
{
	(void)state;
	static const char *const none[] = {NULL};
	const struct {
		struct vpn_option option;
		const char *text;
	} cases[] = {
		{{.type = VPN_OPT_BOOL}, "option 0 has no valid name"},
		{{.name = "", .type = VPN_OPT_BOOL}, "option 0 has no valid name"},
		{{.name = "//a", .type = VPN_OPT_BOOL}, "option 0 has no valid name"},
		{{.name = "a", .type = 0},
		 "option \"a\": a type that this vpncore does not know: the plugin is newer"},
		{{.name = "a", .type = 15},
		 "option \"a\": a type that this vpncore does not know: the plugin is newer"},
		{{.name = "a", .type = VPN_OPT_BOOL, .flags = 1u << 16},
		 "option \"a\": a flag that this vpncore does not know: the plugin is newer"},
		{{.name = "a", .type = VPN_OPT_BOOL, .offset = 13},
		 "option \"a\": its offset is not inside of the struct"},
		{{.name = "a", .type = VPN_OPT_BOOL, .offset = 16},
		 "option \"a\": its offset is not inside of the struct"},
		{{.name = "a", .type = VPN_OPT_PREFIX},
		 "option \"a\": its offset is not inside of the struct"},
		{{.name = "a", .type = VPN_OPT_INT, .offset = 0xfffffff8u},
		 "option \"a\": its offset is not inside of the struct"},
		{{.name = "a", .type = VPN_OPT_ENUM}, "option \"a\": no choices"},
		{{.name = "a", .type = VPN_OPT_ENUM, .choices = none}, "option \"a\": no choices"},
		{{.name = "a", .type = VPN_OPT_OBJECT}, "option \"a\": no table"},
		{{.name = "a", .type = VPN_OPT_LIST, .item_type = VPN_OPT_LIST},
		 "option \"a\": a list of lists"},
		{{.name = "a", .type = VPN_OPT_LIST},
		 "option \"a\": a type that this vpncore does not know: the plugin is newer"},
		{{.name = "a", .type = VPN_OPT_INT, .flags = VPN_OPT_SECRET},
		 "option \"a\": a secret that is neither string nor bytes"},
		{{.name = "a", .type = VPN_OPT_INT, .min = 2, .max = 1},
		 "option \"a\": min is greater than max"},
		{{.name = "a", .type = VPN_OPT_INT, .dflt = "7", .min = 1, .max = 3},
		 "option \"a\": its default does not fit its own type and range"},
		{{.name = "a", .type = VPN_OPT_BOOL, .dflt = "yes"},
		 "option \"a\": its default does not fit its own type and range"},
		{{.name = "a", .type = VPN_OPT_HOSTPORT, .dflt = "nowhere"},
		 "option \"a\": its default does not fit its own type and range"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		reject_table(&cases[i].option, 1, cases[i].text);
	const struct vpn_option twice[] = {{.name = "a", .type = VPN_OPT_BOOL},
					   {.name = "a", .type = VPN_OPT_BOOL, .offset = 4}};
	reject_table(twice, 2, "option \"a\": the name stands twice");
}

static void rejects_tables_without_end(void **state)
{
	(void)state;
	static struct vpn_option_table table;
	static const struct vpn_option self = {
		.name = "a", .type = VPN_OPT_OBJECT, .table = &table};
	struct vpn_error err = VPN_ERROR_INIT;
	table = (struct vpn_option_table){sizeof(table), sizeof(self), &self, 1, 8};
	assert_int_equal(options_vet(&table, &err), VPN_EABI);
	assert_string_equal(err.text, "more than 8 tables inside each other");
	table.option_size = 40;
	assert_int_equal(options_vet(&table, &err), VPN_EABI);
	assert_string_equal(err.text, "a table is shorter than ABI 1.0 has it");
}

/* A plugin of a later minor has a longer vpn_option. */
static void walks_tables_by_their_stride(void **state)
{
	(void)state;
	struct later {
		struct vpn_option now;
		uint64_t more[2];
	};
	static const struct later options[] = {
		{{.name = "a", .type = VPN_OPT_UINT}, {~0ull, ~0ull}},
		{{.name = "b", .type = VPN_OPT_UINT, .offset = 8}, {~0ull, ~0ull}},
	};
	const struct vpn_option_table table = {sizeof(table), sizeof(options[0]), &options[0].now,
					       2, 16};
	struct vpn_error err = VPN_ERROR_INIT;
	assert_int_equal(options_vet(&table, &err), VPN_OK);
	uint64_t *config = fill(&table, "{\"a\": 5, \"b\": 6}");
	assert_string_equal(lines.text, "");
	assert_int_equal(config[0], 5);
	assert_int_equal(config[1], 6);
	options_free(&table, config);
}

static void accepts_good_tables_and_nothing_to_free(void **state)
{
	(void)state;
	struct vpn_error err = VPN_ERROR_INIT;
	assert_int_equal(options_vet(&outer_table, &err), VPN_OK);
	assert_null(options_free(&outer_table, NULL));
	assert_null(secret_free(NULL));
	assert_string_equal(options_type_name(VPN_OPT_HOSTPORT), "hostport");
	assert_string_equal(options_type_name(99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_booleans),
		cmocka_unit_test(takes_whole_numbers),
		cmocka_unit_test(takes_strings),
		cmocka_unit_test(takes_choices),
		cmocka_unit_test(takes_durations),
		cmocka_unit_test(takes_sizes),
		cmocka_unit_test(takes_addresses),
		cmocka_unit_test(takes_host_and_port),
		cmocka_unit_test(takes_bytes),
		cmocka_unit_test(fills_what_is_absent_with_defaults),
		cmocka_unit_test(fills_what_is_inside),
		cmocka_unit_test(names_everything_that_is_wrong_at_once),
		cmocka_unit_test(holds_lists_to_their_length),
		cmocka_unit_test(accepts_no_keys_where_there_are_no_options),
		cmocka_unit_test(reads_secrets_from_everywhere),
		cmocka_unit_test(refuses_secrets_that_others_can_read),
		cmocka_unit_test(refuses_files_that_hold_no_secret),
		cmocka_unit_test(never_shows_a_secret),
		cmocka_unit_test(rejects_tables_that_are_wrong),
		cmocka_unit_test(rejects_tables_without_end),
		cmocka_unit_test(walks_tables_by_their_stride),
		cmocka_unit_test(accepts_good_tables_and_nothing_to_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
