/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of manifest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "folder.h"
#include "lines.h"
#include "manifest.h"

static struct loader *loader;
static struct lines lines;

static int set_up(void **state)
{
	(void)state;
	struct vpn_error err = VPN_ERROR_INIT;
	setenv("VPNCORE_PLUGIN_PATH", TEST_PLUGINS "/good", 1);
	loader = loader_new(&err);
	return loader == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	loader_free(loader);
	return 0;
}

static struct manifest *parse(const char *text)
{
	struct problems p;
	problems_init(&p, "f");
	struct manifest *m = manifest_parse("/etc/vpn/site a.json", text, strlen(text), loader, &p);
	assert_true((m == NULL) == (p.n_errors > 0));
	lines_of(&lines, &p);
	return m;
}

static void refuse(const char *text, const char *expected)
{
	assert_null(parse(text));
	assert_string_equal(lines.text, expected);
}

#define STAGES "\"pipeline\":[{\"device\":\"test-device\"},{\"transport\":\"test-bottom\"}]"

static void fills_in_defaults(void **state)
{
	(void)state;
	struct manifest *m = parse("{\"vpncore\":1," STAGES "}");
	assert_string_equal(lines.text, "");
	assert_string_equal(m->name, "site-a");
	assert_string_equal(m->file, "/etc/vpn/site a.json");
	assert_int_equal(m->lanes, 1);
	assert_int_equal(m->batch, 128);
	assert_int_equal(m->log_level, VPN_LOG_INFO);
	assert_false(m->log_json);
	assert_false(m->allow_insecure);
	assert_int_equal(m->n_stages, 2);
	assert_string_equal(m->stages[0].loaded->component->id, "test-device");
	assert_string_equal(m->stages[1].pointer, "/pipeline/1");
	assert_int_equal(m->stages[1].line, 1);
	assert_int_equal(m->stages[1].column, 51);
	assert_null(m->routes.loaded);
	assert_null(m->dns.loaded);
	manifest_free(m);
}

static void takes_every_key(void **state)
{
	(void)state;
	struct manifest *m = parse("{\"vpncore\":1,\"name\":\"b.1_x-y\",\"lanes\":4,\"batch\":64,"
				   "\"allow_insecure\":true,"
				   "\"log\":{\"level\":\"debug\",\"format\":\"json\",\"//"
				   "\":\"x\"},\"description\":\"d\","
				   "\"$schema\":\"s\",\"// a\":[1],\"//\":2,\"//\":3," STAGES "}");
	assert_string_equal(lines.text, "");
	assert_string_equal(m->name, "b.1_x-y");
	assert_int_equal(m->lanes, 4);
	assert_int_equal(m->batch, 64);
	assert_int_equal(m->log_level, VPN_LOG_DEBUG);
	assert_true(m->log_json);
	assert_true(m->allow_insecure);
	manifest_free(m);
}

static void numbers_stages_with_the_same_id(void **state)
{
	(void)state;
	struct manifest *m = parse(
		"{\"vpncore\":1,\"pipeline\":[{\"device\":\"test-device\"},{\"transport\":\"test-"
		"middle\"},"
		"{\"transport\":\"test-middle\"},{\"transport\":\"test-bottom\"}]}");
	assert_string_equal(m->stages[1].name, "test-middle");
	assert_string_equal(m->stages[2].name, "test-middle.2");
	assert_string_equal(m->stages[3].name, "test-bottom");
	manifest_free(m);
}

static void chooses_a_device_by_layer(void **state)
{
	(void)state;
	struct manifest *m = parse(
		"{\"vpncore\":1,\"pipeline\":[{\"device\":\"auto\",\"layer\":\"ethernet\"},"
		"{\"transport\":\"test-bottom\"}]}");
	assert_string_equal(lines.text, "");
	assert_string_equal(m->stages[0].loaded->component->id, "test-device");
	manifest_free(m);
}

static void loads_a_plugin_by_its_path(void **state)
{
	(void)state;
	struct manifest *m = parse("{\"vpncore\":1,\"pipeline\":[{\"device\":\"test-device\"},"
				   "{\"transport\":\"test-twice\",\"plugin\":\"" TEST_PLUGINS
				   "/bad/twice.so\"}]}");
	assert_string_equal(lines.text, "");
	assert_string_equal(m->stages[1].loaded->path, TEST_PLUGINS "/bad/twice.so");
	manifest_free(m);
	refuse("{\"vpncore\":1,\"pipeline\":[{\"device\":\"test-device\"},"
	       "{\"transport\":\"x\",\"plugin\":\"lib/x.so\"}]}",
	       "f:1:77: /pipeline/1/plugin: must be the absolute path of a plugin file, such as "
	       "\"/opt/x/transport-x.so\", not \"lib/x.so\"\n");
	refuse("{\"vpncore\":1,\"pipeline\":[{\"device\":\"auto\",\"plugin\":\"/x.so\"},"
	       "{\"transport\":\"test-bottom\"}]}",
	       "f:1:36: /pipeline/0/device: with \"plugin\" the component must be named, not "
	       "\"auto\"\n");
	refuse("{\"vpncore\":1,\"pipeline\":[{\"device\":\"test-device\"},"
	       "{\"transport\":\"x\",\"plugin\":\"" TEST_PLUGINS "/bad/symbol_v2.so\"}]}",
	       "f:1:77: /pipeline/1/plugin: " TEST_PLUGINS
	       "/bad/symbol_v2.so: made for plugin ABI 2, newer than ABI 1 of this vpncore; update "
	       "vpncore\n");
}

static void refuses_what_is_not_json(void **state)
{
	(void)state;
	refuse("", "f:1:1: not JSON: the text ends too early: a bracket or quote is not closed\n");
	refuse("{\"vpncore\": 1,\n  \"name\" \"a\"}", "f:2:12: not JSON: ':' expected\n");
	refuse("\xef\xbb\xbf{}",
	       "f:1:1: not JSON: begins with a byte order mark; save it without\n");
	refuse("[]", "f:1:1: must be an object: { \"vpncore\": 1, \"pipeline\": [...] }\n");
	refuse("{\"a\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	       "f:1:38: more than 32 arrays and objects inside each other\n");
}

/* jansson's own texts quote what they stumbled over. */
static void keeps_secrets_out_of_syntax_errors(void **state)
{
	(void)state;
	assert_null(parse("{\"key\": hunter2}"));
	assert_false(lines_have(&lines, "hunter2"));
	assert_null(parse("{\"key\": \"hunter2"));
	assert_false(lines_have(&lines, "hunter2"));
	assert_null(parse("{\"key\": \"a\" \"hunter2\"}"));
	assert_false(lines_have(&lines, "hunter2"));
}

static void refuses_what_is_missing_or_of_another_version(void **state)
{
	(void)state;
	refuse("{}",
	       "f:1:1: \"pipeline\" is missing: an array of stages from the device to the network\n"
	       "f:1:1: \"vpncore\" is missing: write \"vpncore\": 1\n");
	refuse("{\"vpncore\":2," STAGES ",\"allow_insecure\":true}",
	       "f:1:12: /vpncore: this vpncore reads manifests of version 1, not 2\n"
	       "f:1:51: /pipeline/1: nobody says where to send: give \"test-bottom\" a \"remote\", "
	       "or put a "
	       "transport that chooses peers above it\n"
	       "f:1:97: /allow_insecure: warning: no stage authenticates: whoever reaches the port "
	       "can send into "
	       "this network, and whoever is on the way can read it\n");
	refuse("{\"vpncore\":\"1\",\"pipeline\":[]}",
	       "f:1:12: /vpncore: must be 1, the version of the manifest's form\n"
	       "f:1:27: /pipeline: must be an array of stages from the device to the network\n");
	refuse("{\"vpncore\":1,\"pipeline\":{}}",
	       "f:1:25: /pipeline: must be an array of stages from the device to the network\n");
}

static void refuses_stages_that_are_none(void **state)
{
	(void)state;
	refuse("{\"vpncore\":1,\"pipeline\":[7,\n{},\n{\"device\":\"test-device\",\"transport\":"
	       "\"x\"},\n"
	       "{\"transport\":5},\n{\"transport\":\"a/b\"}]}",
	       "f:1:26: /pipeline/0: must be an object with \"device\" or \"transport\"\n"
	       "f:2:1: /pipeline/1: has neither \"device\" nor \"transport\"\n"
	       "f:3:1: /pipeline/2: has both \"device\" and \"transport\": a stage is one of them\n"
	       "f:4:14: /pipeline/3/transport: must be the name of a component\n"
	       "f:5:14: /pipeline/4/transport: \"a/b\" cannot be the name of a transport\n");
}

static void refuses_stages_out_of_order(void **state)
{
	(void)state;
	refuse("{\"vpncore\":1,\"pipeline\":[{\"transport\":\"test-bottom\"},\n{\"device\":\"test-"
	       "device\"}]}",
	       "f:1:26: /pipeline/0: a pipeline begins with a device: put { \"device\": \"auto\" } "
	       "first\n"
	       "f:2:1: /pipeline/1: a pipeline has one device, and it stands first; run a second "
	       "pipeline for a "
	       "second device\n");
}

static void refuses_more_stages_than_there_is_room_for(void **state)
{
	(void)state;
	char text[2048] = "{\"vpncore\":1,\"pipeline\":[{\"device\":\"test-device\"}";
	for (unsigned i = 0; i < MANIFEST_STAGES_MAX; i++)
		strcat(text, ",{\"transport\":\"test-middle\"}");
	strcat(text, "]}");
	assert_null(parse(text));
	assert_true(lines_have(&lines, "f:1:25: /pipeline: has 17 stages; 16 are the most\n"));
}

static void offers_what_is_installed(void **state)
{
	(void)state;
	assert_null(parse("{\"vpncore\":1,\"pipeline\":[{\"device\":\"test-device\"},{"
			  "\"transport\":\"test-botom\"}]}"));
	assert_true(lines_have(&lines,
			       "/pipeline/1/transport: no transport \"test-botom\" is installed; "
			       "available: "));
	assert_true(lines_have(&lines, "test-middle"));
	assert_true(lines_have(&lines, "did you mean \"test-bottom\"?"));
	assert_null(parse("{\"vpncore\":1," STAGES ",\"routes\":{}}"));
	assert_true(lines_have(
		&lines,
		"/routes/backend: no routes for this platform is installed; no routes at all is"));
}

static void tells_unknown_and_repeated_keys(void **state)
{
	(void)state;
	refuse("{\"vpncore\":1,\"lane\":2,\n\"pipeline\":[{\"device\":\"test-device\",\"mut\":5},\n"
	       "{\"transport\":\"test-bottom\",\"mtu\":1,\"mtu\":1}]}",
	       "f:1:14: /lane: unknown key \"lane\"; did you mean \"lanes\"?\n"
	       "f:2:37: /pipeline/0/mut: unknown key \"mut\"; did you mean \"mtu\"?\n"
	       "f:3:36: /pipeline/1/mtu: key \"mtu\" stands twice; the first is at 3:28\n");
}

/* The stack is checked, too, when something else is wrong: all in one pass. */
static void tells_problems_of_the_stack_in_the_same_pass(void **state)
{
	(void)state;
	refuse("{\"vpncore\":1,\"batch\":0,\"allow_insecure\":false,\n\"pipeline\":["
	       "{\"device\":\"test-device\",\"mtu\":1501},\n{\"transport\":\"test-bottom\"}]}",
	       "f:1:22: /batch: must be a whole number from 1 to 256, not 0\n"
	       "f:2:12: /pipeline: no stage authenticates: whoever reaches the port could send "
	       "into this network; "
	       "add a secure session such as \"wireguard\", or say \"allow_insecure\": true\n"
	       "f:2:43: /pipeline/0/mtu: MTU 1501 does not fit: the stack carries 1500 (path MTU "
	       "1500); lower it, "
	       "or raise /pipeline/1/path_mtu if the path carries more\n"
	       "f:3:1: /pipeline/1: nobody says where to send: give \"test-bottom\" a \"remote\", "
	       "or put a "
	       "transport that chooses peers above it\n");
}

static void tells_what_a_component_does_not_like(void **state)
{
	(void)state;
	refuse("{\"vpncore\":1,\"pipeline\":[{\"device\":\"test-device\",\"word\":\"refused\"},"
	       "{\"transport\":\"test-bottom\"}]}",
	       "f:1:57: /pipeline/0/word: this word is not liked\n");
	refuse("{\"vpncore\":1,\"pipeline\":[{\"device\":\"auto\",\"word\":\"refused\"},"
	       "{\"transport\":\"test-bottom\"}]}",
	       "f:1:50: /pipeline/0/word: this word is not liked\n");
}

static void refuses_names_that_cannot_be_shown(void **state)
{
	(void)state;
	refuse("{\"vpncore\":1,\"name\":\"a b\"," STAGES ",\"lanes\":0}",
	       "f:1:21: /name: has other characters than A-Z a-z 0-9 . _ - or begins with a dot\n"
	       "f:1:38: /pipeline: no stage authenticates: whoever reaches the port could send "
	       "into this network; "
	       "add a secure session such as \"wireguard\", or say \"allow_insecure\": true\n"
	       "f:1:64: /pipeline/1: nobody says where to send: give \"test-bottom\" a \"remote\", "
	       "or put a "
	       "transport that chooses peers above it\n"
	       "f:1:101: /lanes: must be a whole number from 1 to 64, not 0\n");
}

/* ---- files -------------------------------------------------------------------------------------- */

static void loads_a_file_with_a_secret_beside_it(void **state)
{
	(void)state;
	static const char text[] = "{\"vpncore\":1,\"pipeline\":[{\"device\":\"test-device\"},"
				   "{\"transport\":\"test-bottom\",\"key\":{\"file\":\"a.key\"}}]}";
	struct problems p;
	char *folder = folder_new(), *path = folder_path(folder, "home.json");
	folder_write(folder, "home.json", text, sizeof(text) - 1, 0644);
	folder_write(folder, "a.key", "01020304\n", 9, 0600);
	problems_init(&p, "f");
	struct manifest *m = manifest_load(path, loader, &p);
	assert_string_equal(lines_of(&lines, &p), "");
	assert_string_equal(m->name, "home");
	manifest_free(m);
	folder_write(folder, "a.key", "01020304\n", 9, 0644);
	problems_init(&p, "f");
	assert_null(manifest_load(path, loader, &p));
	assert_true(lines_have((lines_of(&lines, &p), &lines),
			       "f:1:84: /pipeline/1/key: secret file "));
	assert_true(lines_have(&lines, "is open to others (mode 0644); chmod 600 "));
	free(path);
	folder_free(folder);
}

static void says_why_a_file_cannot_be_read(void **state)
{
	(void)state;
	struct problems p;
	problems_init(&p, "f");
	assert_null(manifest_load("/nonexistent/x.json", loader, &p));
	assert_string_equal(lines_of(&lines, &p), "f: cannot be read: No such file or directory\n");
	problems_init(&p, "f");
	assert_null(manifest_load("/", loader, &p));
	assert_string_equal(lines_of(&lines, &p), "f: cannot be read: Is a directory\n");
	problems_init(&p, "f");
	assert_null(manifest_load("/dev/zero", loader, &p));
	assert_string_equal(lines_of(&lines, &p), "f: is larger than 16777216 bytes\n");
}

static const char whole[] = "{\"vpncore\":1,\"name\":\"a\",\"allow_insecure\":true,\"log\":{"
			    "\"level\":\"warn\"},\"pipeline\":["
			    "{\"device\":\"auto\",\"mtu\":1400,\"word\":\"w\"},{\"transport\":"
			    "\"test-middle\",\"key\":\"AQL+/w==\",\"peers\":"
			    "[{\"allowed\":\"10.0.0.0/8\",\"endpoint\":\"[::1]:7\"}]},"
			    "{\"transport\":\"test-bottom\",\"remote\":\"192.0.2.1:5\"}]}";

static void refuses_every_truncation(void **state)
{
	(void)state;
	struct manifest *m = parse(whole);
	assert_string_equal(lines.text, "");
	manifest_free(m);
	for (size_t n = 0; n + 1 < sizeof(whole); n++) {
		char *cut = malloc(n + 1); /* exactly as long, so that reading on is found out */
		struct problems p;
		memcpy(cut, whole, n);
		problems_init(&p, "f");
		assert_null(manifest_parse("f", cut, n, loader, &p));
		assert_true(p.n_errors > 0);
		problems_clear(&p);
		free(cut);
	}
}

/* Any byte changed: refused or taken, but never a crash, nor a refusal without a reason. */
static void survives_every_changed_byte(void **state)
{
	(void)state;
	static const char bytes[] = "\"\\{}[],:-1x/\n\xff";
	char text[sizeof(whole)];
	for (size_t i = 0; i + 1 < sizeof(whole); i++)
		for (size_t k = 0; k < sizeof(bytes); k++) {
			struct problems p;
			memcpy(text, whole, sizeof(whole));
			text[i] = bytes[k];
			problems_init(&p, "f");
			struct manifest *m = manifest_parse("f", text, sizeof(whole) - 1, loader,
							    &p);
			assert_true((m == NULL) == (p.n_errors > 0));
			manifest_free(m);
			problems_clear(&p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in_defaults),
		cmocka_unit_test(takes_every_key),
		cmocka_unit_test(numbers_stages_with_the_same_id),
		cmocka_unit_test(chooses_a_device_by_layer),
		cmocka_unit_test(loads_a_plugin_by_its_path),
		cmocka_unit_test(refuses_what_is_not_json),
		cmocka_unit_test(keeps_secrets_out_of_syntax_errors),
		cmocka_unit_test(refuses_what_is_missing_or_of_another_version),
		cmocka_unit_test(refuses_stages_that_are_none),
		cmocka_unit_test(refuses_stages_out_of_order),
		cmocka_unit_test(refuses_more_stages_than_there_is_room_for),
		cmocka_unit_test(offers_what_is_installed),
		cmocka_unit_test(tells_unknown_and_repeated_keys),
		cmocka_unit_test(tells_problems_of_the_stack_in_the_same_pass),
		cmocka_unit_test(tells_what_a_component_does_not_like),
		cmocka_unit_test(refuses_names_that_cannot_be_shown),
		cmocka_unit_test(loads_a_file_with_a_secret_beside_it),
		cmocka_unit_test(says_why_a_file_cannot_be_read),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(survives_every_changed_byte),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
