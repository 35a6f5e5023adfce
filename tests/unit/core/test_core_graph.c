/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of graph: sums, MTU, and stacks that cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "graph.h"
#include "lines.h"

static struct loader *loader;
static struct lines lines;
static struct graph graph;

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

/* Builds the graph of a pipeline with these options; problems go to `lines`. */
static struct manifest *build(bool good, const char *top, const char *device, const char *middle,
			      const char *bottom)
{
	char text[2048];
	struct problems p;
	snprintf(text, sizeof(text),
		 "{\"vpncore\":1,\"name\":\"a\"%s,\n\"pipeline\":[\n{\"device\":\"test-device\"%s},"
		 "\n%s%s%s"
		 "{\"transport\":\"test-bottom\",\"remote\":\"192.0.2.1:5\"%s}]}",
		 top, device, middle != NULL ? "{\"transport\":\"test-middle\"" : "",
		 middle != NULL ? middle : "", middle != NULL ? "},\n" : "", bottom);
	problems_init(&p, "f");
	struct manifest *m = manifest_parse("f", text, strlen(text), loader, &p);
	if (m == NULL)
		fail_msg("%s", lines_of(&lines, &p));
	bool built = graph_build(&graph, m, &p);
	lines_of(&lines, &p);
	if (built != good)
		fail_msg("%s: %s", good ? "refused" : "accepted", lines.text);
	return m;
}

#define SAFE ",\"authenticates\":true,\"encrypts\":true"

static void refuse(const char *top, const char *device, const char *middle, const char *bottom,
		   const char *expected)
{
	manifest_free(build(false, top, device, middle, bottom));
	assert_string_equal(lines.text, expected);
}

static void sums_room_and_overhead(void **state)
{
	(void)state;
	struct manifest *m = build(true, ",\"batch\":100", ",\"headroom\":2",
				   SAFE
				   ",\"headroom\":16,\"tailroom\":16,\"overhead\":32,\"batch\":64",
				   ",\"overhead\":28,\"headroom\":8,\"tailroom\":1");
	assert_string_equal(lines.text, "");
	assert_int_equal(graph.headroom, 32); /* 26, and the device's data at a multiple of 16 */
	assert_int_equal(graph.tailroom, 17);
	assert_int_equal(graph.overhead, 60);
	assert_int_equal(graph.max_batch, 64);
	assert_int_equal(graph.layer, VPN_L3);
	assert_int_equal(graph.n_lanes, 1);
	assert_true(graph.authenticated);
	assert_true(graph.encrypted);
	manifest_free(m);
}

static void gives_the_device_what_the_stack_carries(void **state)
{
	(void)state;
	struct manifest *m = build(true, "", "", SAFE ",\"overhead\":32", ",\"overhead\":28");
	assert_int_equal(graph.mtu, 1440);
	assert_int_equal(graph.mtu_max, 1440);
	assert_int_equal(graph.stages[0].mtu_above, 1440);
	assert_int_equal(graph.stages[1].mtu_above, 1440);
	assert_int_equal(graph.stages[1].mtu_below, 1472);
	assert_int_equal(graph.stages[2].mtu_above, 1472);
	assert_int_equal(graph.stages[2].mtu_below, 0);
	manifest_free(m);
}

static void leaves_a_smaller_mtu_alone(void **state)
{
	(void)state;
	struct manifest *m = build(true, "", ",\"mtu\":1280", SAFE, ",\"overhead\":28");
	assert_int_equal(graph.mtu, 1280);
	assert_int_equal(graph.mtu_max, 1472);
	assert_int_equal(graph.stages[0].mtu_above, 1280);
	manifest_free(m);
}

static void heeds_what_a_stage_in_the_middle_takes(void **state)
{
	(void)state;
	struct manifest *m = build(true, "", "", SAFE ",\"mtu\":1000", "");
	assert_int_equal(graph.mtu, 1000);
	manifest_free(m);
}

static void takes_the_ethernet_header_off(void **state)
{
	(void)state;
	struct manifest *m = build(true, "", ",\"layer\":\"ethernet\"", SAFE, ",\"overhead\":28");
	assert_int_equal(graph.layer, VPN_L2);
	assert_int_equal(graph.mtu_max, 1458);
	assert_int_equal(graph.mtu, 1458 - 8); /* two VLAN tags fit */
	assert_int_equal(graph.stages[0].mtu_above, 1458 + 14);
	assert_int_equal(graph.stages[0].mtu_below, graph.stages[0].mtu_above);
	manifest_free(m);
	m = build(true, "", ",\"layer\":\"ethernet\",\"mtu\":1458", SAFE, ",\"overhead\":28");
	assert_int_equal(graph.mtu, 1458); /* as asked, and no room for tags on full frames */
	assert_int_equal(graph.stages[0].mtu_above, 1458 + 14);
	manifest_free(m);
	refuse("", ",\"layer\":\"ethernet\",\"mtu\":1459", SAFE, ",\"overhead\":28",
	       "f:3:50: /pipeline/0/mtu: MTU 1459 does not fit: the stack carries 1458 (path MTU "
	       "1500 less "
	       "test-bottom 28 less Ethernet 14); lower it, or raise /pipeline/2/path_mtu if the "
	       "path carries "
	       "more\n");
}

static void refuses_an_mtu_that_does_not_fit(void **state)
{
	(void)state;
	manifest_free(
		build(true, "", ",\"mtu\":1440", SAFE ",\"overhead\":32", ",\"overhead\":28"));
	refuse("", ",\"mtu\":1441", SAFE ",\"overhead\":32", ",\"overhead\":28",
	       "f:3:31: /pipeline/0/mtu: MTU 1441 does not fit: the stack carries 1440 (path MTU "
	       "1500 less "
	       "test-bottom 28 less test-middle 32); lower it, or raise /pipeline/2/path_mtu if "
	       "the path carries "
	       "more\n");
	refuse("", "", SAFE ",\"overhead\":50", ",\"overhead\":28,\"path_mtu\":100",
	       "f:3:1: /pipeline/0: nothing is left for packets: the stack carries 22 bytes (path "
	       "MTU 100 less "
	       "test-bottom 28 less test-middle 50)\n");
}

static void aligns_the_data_of_every_stage(void **state)
{
	(void)state;
	struct manifest *m = build(true, "", ",\"align\":4", SAFE ",\"headroom\":20",
				   ",\"align\":16,\"headroom\":12");
	assert_int_equal(graph.align, 16);
	assert_int_equal(graph.headroom, 36); /* 16 are left for the bottom, at a multiple of 16 */
	manifest_free(m);
	refuse("", "", SAFE ",\"headroom\":20,\"align\":16", ",\"align\":8",
	       "f:5:1: /pipeline/2: the stages ask for alignments that cannot be had together in "
	       "this order\n");
}

static void refuses_lanes_where_a_stage_serves_one(void **state)
{
	(void)state;
	struct manifest *m = build(true, ",\"lanes\":4", "", SAFE, "");
	assert_int_equal(graph.n_lanes, 4);
	assert_int_equal(graph.stages[1].n_lanes, 4);
	manifest_free(m);
	refuse(",\"lanes\":4", "", SAFE ",\"one_lane\":true", "",
	       "f:4:1: /pipeline/1: \"test-middle\" works on one lane only, and \"lanes\" is 4: "
	       "set \"lanes\" to "
	       "1\n");
}

static void refuses_layers_that_do_not_fit(void **state)
{
	(void)state;
	refuse("", ",\"layer\":\"ethernet\"", SAFE ",\"ip_only\":true", "",
	       "f:4:1: /pipeline/1: the device makes Ethernet frames, and \"test-middle\" cannot "
	       "carry them\n");
}

#define OPEN \
	"no stage authenticates: whoever reaches the port could send into this network; add a " \
	"secure " \
	"session such as \"wireguard\", or say \"allow_insecure\": true\n"

static void refuses_an_open_stack(void **state)
{
	(void)state;
	refuse("", "", NULL, "", "f:2:12: /pipeline: " OPEN);
	refuse("", "", ",\"encrypts\":true", "", "f:2:12: /pipeline: " OPEN);
	manifest_free(build(true, "", "", ",\"authenticates\":true", ""));
	assert_false(graph.encrypted);
}

static void warns_once_of_an_open_stack_that_is_wanted(void **state)
{
	(void)state;
	manifest_free(build(true, ",\"allow_insecure\":true", "", NULL, ""));
	assert_string_equal(lines.text,
			    "f:1:42: /allow_insecure: warning: no stage authenticates: whoever "
			    "reaches the port can "
			    "send into this network, and whoever is on the way can read it\n");
	manifest_free(build(true, ",\"allow_insecure\":true", "", SAFE, ""));
	assert_string_equal(lines.text, "");
}

static void warns_where_ciphertext_is_wanted_and_nobody_encrypts(void **state)
{
	(void)state;
	manifest_free(build(true, "", "", SAFE, ",\"wants_ciphertext\":true"));
	assert_string_equal(lines.text, "");
	manifest_free(build(true, "", "", ",\"authenticates\":true", ",\"wants_ciphertext\":true"));
	assert_string_equal(lines.text, "f:5:1: /pipeline/2: warning: \"test-bottom\" expects what "
					"looks random already, and "
					"\"test-middle\" above it does not encrypt: its packets "
					"can still be recognised; put "
					"a stage that encrypts above, such as \"wireguard\"\n");
}

static void refuses_needs_that_no_plugin_may_have(void **state)
{
	(void)state;
	refuse("", "", SAFE ",\"align\":3", "",
	       "f:4:1: /pipeline/1: the plugin \"test-middle\" is wrong: its alignment is not a "
	       "power of two up to "
	       "64\n");
	refuse("", "", SAFE ",\"headroom\":5000", "",
	       "f:4:1: /pipeline/1: the plugin \"test-middle\" is wrong: it asks for more than "
	       "4096 bytes of room "
	       "or overhead\n");
	refuse("", "", SAFE ",\"from_the_future\":true", "",
	       "f:4:1: /pipeline/1: the plugin \"test-middle\" is wrong: it needs a feature that "
	       "this vpncore does "
	       "not know; update vpncore\n");
}

/* Pipelines of a shape of their own. */
static void refuse_shape(const char *pipeline, const char *expected)
{
	char text[1024];
	struct problems p;
	snprintf(text, sizeof(text), "{\"vpncore\":1,\"allow_insecure\":false,\n\"pipeline\":[%s]}",
		 pipeline);
	problems_init(&p, "f");
	struct manifest *m = manifest_parse("f", text, strlen(text), loader, &p);
	if (m != NULL)
		assert_false(graph_build(&graph, m, &p));
	manifest_free(m);
	assert_string_equal(lines_of(&lines, &p), expected);
}

#define DEVICE "{\"device\":\"test-device\"}"
#define SECURE "{\"transport\":\"test-middle\",\"authenticates\":true}"
#define BOTTOM "{\"transport\":\"test-bottom\",\"remote\":\"192.0.2.1:5\"}"

static void refuses_shapes_that_lead_nowhere(void **state)
{
	(void)state;
	refuse_shape(DEVICE, "f:2:12: /pipeline: " OPEN "f:2:13: /pipeline/0: a device alone leads "
			     "nowhere: add a transport such as \"udp\" "
			     "below it\n");
	refuse_shape(DEVICE ",\n" SECURE, "f:3:1: /pipeline/1: the last stage must be a transport "
					  "that owns sockets, such as \"udp\"; "
					  "\"test-middle\" does not\n");
	refuse_shape(DEVICE ",\n" BOTTOM ",\n" SECURE ",\n" BOTTOM,
		     "f:3:1: /pipeline/1: \"test-bottom\" owns sockets, so nothing can stand below "
		     "it; make it the "
		     "last stage\n");
	refuse_shape(DEVICE ",\n" SECURE ",\n{\"transport\":\"test-bottom\"}",
		     "f:4:1: /pipeline/2: nobody says where to send: give \"test-bottom\" a "
		     "\"remote\", or put a "
		     "transport that chooses peers above it\n");
}

static void lets_a_stage_above_choose_the_endpoint(void **state)
{
	(void)state;
	static const char text[] = "{\"vpncore\":1,\"pipeline\":[" DEVICE
				   ",{\"transport\":\"test-middle\",\"authenticates\":true,"
				   "\"sets_endpoint\":true},{\"transport\":\"test-bottom\"}]}";
	struct problems p;
	problems_init(&p, "f");
	struct manifest *m = manifest_parse("f", text, sizeof(text) - 1, loader, &p);
	assert_non_null(m);
	assert_true(graph_build(&graph, m, &p));
	assert_string_equal(lines_of(&lines, &p), "");
	manifest_free(m);
}

static void refuses_an_empty_manifest(void **state)
{
	(void)state;
	struct manifest m = {.lanes = 1};
	struct problems p;
	problems_init(&p, "f");
	assert_false(graph_build(&graph, &m, &p));
	assert_string_equal(lines_of(&lines, &p), "f: /pipeline: no stages\n");
}

static void draws_every_stage(void **state)
{
	(void)state;
	struct manifest *m = build(true, "", ",\"mtu\":1400", SAFE ",\"overhead\":32",
				   ",\"overhead\":28");
	lines.len = 0;
	graph_text(&graph, lines_add, &lines);
	static const char *const parts[] = {"kernel",      "test-device",
					    "test-middle", "test-bottom",
					    "network",     "MTU 1400 of at most 1440",
					    "overhead 32", "authenticated, encrypted"};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_true(lines_have(&lines, parts[i]));
	assert_true(strstr(lines.text, "test-device") < strstr(lines.text, "test-bottom"));
	manifest_free(m);
}

static void draws_dot_with_quotes_escaped(void **state)
{
	(void)state;
	struct manifest *m = build(true, "", "", SAFE, "");
	static char name[] = "a\"b\\c\nd";
	char *kept = m->name;
	m->name = name;
	lines.len = 0;
	graph_dot(&graph, lines_add, &lines);
	m->name = kept;
	assert_memory_equal(lines.text, "digraph \"a\\\"b\\\\c d\" {\n", 22);
	assert_true(lines_have(&lines, "kernel -> stage0"));
	assert_true(lines_have(&lines, "stage0 -> stage1"));
	assert_true(lines_have(&lines, "stage2 -> network"));
	assert_string_equal(lines.text + lines.len - 2, "}\n");
	manifest_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_room_and_overhead),
		cmocka_unit_test(gives_the_device_what_the_stack_carries),
		cmocka_unit_test(leaves_a_smaller_mtu_alone),
		cmocka_unit_test(heeds_what_a_stage_in_the_middle_takes),
		cmocka_unit_test(takes_the_ethernet_header_off),
		cmocka_unit_test(refuses_an_mtu_that_does_not_fit),
		cmocka_unit_test(aligns_the_data_of_every_stage),
		cmocka_unit_test(refuses_lanes_where_a_stage_serves_one),
		cmocka_unit_test(refuses_layers_that_do_not_fit),
		cmocka_unit_test(refuses_an_open_stack),
		cmocka_unit_test(warns_once_of_an_open_stack_that_is_wanted),
		cmocka_unit_test(warns_where_ciphertext_is_wanted_and_nobody_encrypts),
		cmocka_unit_test(refuses_needs_that_no_plugin_may_have),
		cmocka_unit_test(refuses_shapes_that_lead_nowhere),
		cmocka_unit_test(lets_a_stage_above_choose_the_endpoint),
		cmocka_unit_test(refuses_an_empty_manifest),
		cmocka_unit_test(draws_every_stage),
		cmocka_unit_test(draws_dot_with_quotes_escaped),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
