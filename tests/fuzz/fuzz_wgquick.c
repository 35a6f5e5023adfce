/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wg-quick file that comes from anywhere: it is parsed, and when it is good, its manifest is written
 * in both forms and has to be JSON that names the same peers.
 */
#include <jansson.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wgquick.h"
#include "wgquick_manifest.h"

#define MANIFEST_ROOM 262144u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore_line(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static void check(int holds)
{
	if (!holds)
		abort();
}

static void check_manifest(const struct wgquick *w, const char *stem)
{
	const struct wgquick_form form = {.device = "wg0", .stem = stem};
	char *buf = malloc(MANIFEST_ROOM);
	check(buf != NULL);
	size_t len = wgquick_manifest(w, &form, buf, MANIFEST_ROOM);
	if (len != 0) {
		json_t *root = json_loadb(buf, len, JSON_REJECT_DUPLICATES, NULL);
		json_t *stages = json_object_get(root, "pipeline");
		json_t *peers = json_object_get(json_array_get(stages, 1), "peers");
		check(json_array_size(stages) == (w->awg.used ? 4 : 3));
		check(json_array_size(peers) == w->n_peers);
		json_decref(root);
	}
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problems problems;
	char name[WGQUICK_DEVICE_MAX + 1];
	if (sodium_init() < 0)
		abort();
	/* a copy of its own size: a sanitizer sees a read behind its end */
	char *text = malloc(size + 1);
	check(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	(void)wgquick_device(text, name);
	check(strlen(name) > 0 && strlen(name) <= WGQUICK_DEVICE_MAX);
	char *exact = realloc(text, size > 0 ? size : 1);
	text = exact != NULL ? exact : text;
	problems_init(&problems, "fuzz");
	struct wgquick *w = wgquick_parse(text, size, &problems);
	check((w == NULL) == (problems.n_errors > 0));
	if (w != NULL) {
		check_manifest(w, NULL);
		check_manifest(w, "wg0");
	}
	problems_print(&problems, ignore_line, NULL);
	wgquick_free(w);
	problems_clear(&problems);
	free(text);
	return 0;
}
