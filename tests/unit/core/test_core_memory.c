/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of loading a manifest while memory runs out: the n-th allocation fails, for every n. Whatever
 * n is, the answer is a whole manifest or a refusal with a reason; AddressSanitizer sees to the rest.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "fault.h"
#include "graph.h"
#include "lines.h"

static unsigned long left = ULONG_MAX; /* allocations that succeed */

/* The first failure is followed by others: memory that has run out stays so for a while. */
static unsigned long failures;
static unsigned long fail_count;

static bool fails(void)
{
	if (left > 0) {
		left--;
		return false;
	}
	if (fail_count >= failures)
		return false;
	fail_count++;
	return true;
}

/* Wrappers: the linker sends the core's calls here (see CMakeLists.txt). */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
int __real_vasprintf(char **ret, const char *format, va_list args);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
int __wrap_asprintf(char **ret, const char *format, ...);
json_t *__real_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error);
json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error);
json_t *__wrap_json_loads(const char *text, size_t flags, json_error_t *error);
int __wrap_vasprintf(char **ret, const char *format, va_list args);

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
	return fails() ? NULL : __real_strndup(s, n);
}

int __wrap_vasprintf(char **ret, const char *format, va_list args)
{
	if (!fails())
		return __real_vasprintf(ret, format, args);
	*ret = (char *)(uintptr_t)0xdead; /* undefined after a failure: nobody may look at it */
	return -1;
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = __wrap_vasprintf(ret, format, args);
	va_end(args);
	return n;
}

/*
 * The parser fails as a whole: inside of it jansson 2.14 cannot do without memory. When its buffer for a
 * token cannot grow, lex_scan_string() looks for the closing quote behind the end of it.
 */
json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error)
{
	if (fails())
		return NULL;
	unsigned long kept = left;
	left = ULONG_MAX;
	json_t *v = __real_json_loadb(text, len, flags, error);
	left = kept;
	return v;
}

json_t *__wrap_json_loads(const char *text, size_t flags, json_error_t *error)
{
	return __wrap_json_loadb(text, strlen(text), flags, error);
}

static const char good_text[] = "{\"vpncore\":1,\"name\":\"a\",\"allow_insecure\":true,\"log\":{"
				"\"level\":\"warn\"},\"pipeline\":["
				"{\"device\":\"auto\",\"mtu\":1400,\"word\":\"w\"},"
				"{\"transport\":\"test-middle\",\"key\":\"AQL+/"
				"w==\",\"peers\":[{\"allowed\":\"10.0.0.0/8\",\"endpoint\":"
				"\"[::1]:7\"},{\"allowed\":\"fd00::/8\"}]},"
				"{\"transport\":\"test-bottom\",\"remote\":\"192.0.2.1:5\",\"key\":"
				"{\"env\":\"VPNCORE_TEST_KEY\"}}]}";

static const char bad_text[] =
	"{\"vpncore\":1,\"nam\":\"a\",\"lanes\":\"4\",\"lanes\":5,\"pipeline\":["
	"{\"device\":\"auto\",\"mtu\":99999,\"wrd\":\"w\"},"
	"{\"transport\":\"test-midle\",\"key\":\"x\"},"
	"{\"transport\":\"test-bottom\",\"remote\":\"192.0.2.1\",\"key\":{\"env\":\"VPNCORE_TEST_"
	"NO_KEY\"}}]}";

static void ignore_line(void *ctx, const char *text)
{
	(void)ctx;
	assert_non_null(text);
}

/* One run with a loader of its own; true when the manifest was accepted. */
static bool run(const char *text, size_t len)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct problems p;
	struct graph g;
	bool accepted = false;
	struct loader *l = loader_new(&err);
	if (l == NULL) {
		assert_int_equal(err.status, VPN_ENOMEM);
		return false;
	}
	problems_init(&p, "f");
	struct manifest *m = manifest_parse("dir/f.json", text, len, l, &p);
	assert_true((m == NULL) == (p.n_errors > 0));
	if (m != NULL) {
		accepted = true;
		assert_string_equal(m->name, "a");
		assert_int_equal(m->n_stages, 3);
		for (size_t i = 0; i < 3; i++) {
			assert_non_null(m->stages[i].config);
			assert_non_null(m->stages[i].pointer);
			assert_non_null(m->stages[i].name);
		}
		graph_build(&g, m, &p);
	}
	problems_print(&p, ignore_line, NULL);
	problems_clear(&p);
	manifest_free(m);
	loader_free(l);
	return accepted;
}

/* Fails the n-th allocation (and `burst` - 1 after it) for each n, until a run does not get that far. */
static unsigned long fail_each(const char *text, size_t len, unsigned long burst)
{
	unsigned long n = 0;
	for (;; n++) {
		left = n;
		failures = burst;
		fail_count = 0;
		run(text, len);
		unsigned long hit = fail_count;
		left = ULONG_MAX;
		failures = 0;
		if (hit == 0)
			return n;
	}
}

static void *wrapped_malloc(size_t n)
{
	return __wrap_malloc(n);
}

static int set_up(void **state)
{
	(void)state;
	setenv("VPNCORE_PLUGIN_PATH", TEST_PLUGINS "/good", 1);
	setenv("VPNCORE_TEST_KEY", "01020304", 1);
	unsetenv("VPNCORE_TEST_NO_KEY");
	json_set_alloc_funcs(wrapped_malloc, free);
	return 0;
}

static void loads_when_there_is_memory(void **state)
{
	(void)state;
	assert_true(run(good_text, sizeof(good_text) - 1));
	assert_false(run(bad_text, sizeof(bad_text) - 1));
}

static void survives_one_failure_anywhere(void **state)
{
	(void)state;
	assert_true(fail_each(good_text, sizeof(good_text) - 1, 1) > 200);
	assert_true(fail_each(bad_text, sizeof(bad_text) - 1, 1) > 200);
}

static void survives_failures_that_go_on(void **state)
{
	(void)state;
	fail_each(good_text, sizeof(good_text) - 1, 3);
	fail_each(bad_text, sizeof(bad_text) - 1, ULONG_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_when_there_is_memory),
		cmocka_unit_test(survives_one_failure_anywhere),
		cmocka_unit_test(survives_failures_that_go_on),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
