/* SPDX-License-Identifier: BSD-2-Clause */
/* libvpncore with a component that watches the system: fd, timeout and dispatch are its control thread.
 * In a network and mount namespace of its own, so as root. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <vpncore/vpncore.h>

#define FOLDER   "/run/marks"
#define FILE_ONE FOLDER "/routes.0"

static const char manifest[] =
	"{ \"vpncore\": 1, \"name\": \"embedded\", \"allow_insecure\": true, \"pipeline\": ["
	"  { \"device\": \"tuntap-linux\", \"plugin\": \"" TREE_PLUGINS
	"/driver-tuntap-linux.so\" },"
	"  { \"transport\": \"udp\", \"plugin\": \"" TREE_PLUGINS "/transport-udp.so\","
	"    \"listen\": \"127.0.0.1:5000\", \"remote\": \"127.0.0.1:9\" } ],"
	"  \"routes\": { \"backend\": \"test-marks\", \"plugin\": \"" MARKS "\","
	"    \"folder\": \"" FOLDER "\", \"changes\": 1, \"repair\": true } }";

static int enter(void **state)
{
	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", "/run", "tmpfs", 0, "mode=755"), 0);
	assert_int_equal(mount("none", "/var/lib", "tmpfs", 0, "mode=755"), 0);
	return mkdir(FOLDER, 0755);
}

static bool is_ours(void)
{
	char text[8] = "";
	int fd = open(FILE_ONE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (fd >= 0)
		close(fd);
	return n == 4 && strcmp(text, "ours") == 0;
}

static time_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void a_component_repairs_while_its_owner_dispatches(void **state)
{
	struct vpn_error err = {.size = sizeof(err)};
	struct vpncore_pipeline *p;
	(void)state;
	int status = vpncore_pipeline_load(&p, "embedded.json", manifest, sizeof(manifest) - 1,
					   NULL, &err);
	if (status != 0)
		fail_msg("%s", err.text);
	if (vpncore_pipeline_start(p, &err) != 0)
		fail_msg("%s", err.text);
	assert_true(is_ours());
	assert_int_equal(unlink(FILE_ONE), 0);
	struct pollfd fd = {.fd = vpncore_pipeline_fd(p), .events = POLLIN};
	time_t end = now() + 30;
	while (!is_ours() && now() < end) {
		int timeout = vpncore_pipeline_timeout_ms(p);
		assert_true(timeout >= 0); /* the component's next look */
		assert_true(poll(&fd, 1, timeout) >= 0);
		vpncore_pipeline_dispatch(p);
	}
	assert_true(is_ours());
	assert_int_equal(vpncore_pipeline_stop(p, &err), 0);
	assert_int_equal(access(FILE_ONE, F_OK), -1);
	assert_null(vpncore_pipeline_free(p));
}

/* A pipeline with nothing to watch: its owner may wait for it all the same, and is not kept busy. */
static void a_pipeline_without_such_components_has_no_timeout(void **state)
{
	static const char plain[] =
		"{ \"vpncore\": 1, \"name\": \"plain\", \"allow_insecure\": true, \"pipeline\": ["
		"  { \"device\": \"tuntap-linux\", \"plugin\": \"" TREE_PLUGINS
		"/driver-tuntap-linux.so\" },"
		"  { \"transport\": \"udp\", \"plugin\": \"" TREE_PLUGINS "/transport-udp.so\","
		"    \"listen\": \"127.0.0.1:5001\", \"remote\": \"127.0.0.1:9\" } ] }";
	struct vpn_error err = {.size = sizeof(err)};
	struct vpncore_pipeline *p;
	(void)state;
	if (vpncore_pipeline_load(&p, "plain.json", plain, sizeof(plain) - 1, NULL, &err) != 0 ||
	    vpncore_pipeline_start(p, &err) != 0)
		fail_msg("%s", err.text);
	/* the first dispatch gives the descriptor what it waits for */
	for (int i = 0; i < 2; i++) {
		vpncore_pipeline_dispatch(p);
		assert_int_equal(vpncore_pipeline_timeout_ms(p), -1);
	}
	assert_int_equal(vpncore_pipeline_stop(p, &err), 0);
	assert_null(vpncore_pipeline_free(p));
}

#define NOTES "/run/notes"

static void run_a_keeper(const char *leave)
{
	char text[1024];
	struct vpn_error err = {.size = sizeof(err)};
	struct vpncore_pipeline *p;
	(void)unlink(NOTES);
	int n = snprintf(text, sizeof(text),
			 "{ \"vpncore\": 1, \"name\": \"keeper\", \"allow_insecure\": true, "
			 "\"pipeline\": [ { \"device\": \"test-keeper\", \"plugin\": \"" KEEPER
			 "\", \"file\": \"" NOTES "\", \"leave\": %s },"
			 "  { \"transport\": \"udp\", \"plugin\": \"" TREE_PLUGINS
			 "/transport-udp.so\","
			 "    \"listen\": \"127.0.0.1:5002\", \"remote\": \"127.0.0.1:9\" } ] }",
			 leave);
	if (vpncore_pipeline_load(&p, "keeper.json", text, (size_t)n, NULL, &err) != 0 ||
	    vpncore_pipeline_start(p, &err) != 0)
		fail_msg("%s: %s", err.where, err.text);
	assert_int_equal(vpncore_pipeline_stop(p, &err), 0);
	assert_null(vpncore_pipeline_free(p));
}

static void must_have_happened(const char *want)
{
	char text[64] = "";
	int fd = open(NOTES, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, want);
}

/* A device that is still open cannot be undone, so the journal's turn is behind its stop(). */
static void what_a_device_has_written_down_it_undoes_itself(void **state)
{
	(void)state;
	run_a_keeper("false");
	must_have_happened("start\nstop\n");
	run_a_keeper("true");
	must_have_happened("start\nstop\nundo\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_component_repairs_while_its_owner_dispatches),
		cmocka_unit_test(a_pipeline_without_such_components_has_no_timeout),
		cmocka_unit_test(what_a_device_has_written_down_it_undoes_itself),
	};
	return cmocka_run_group_tests(tests, enter, NULL);
}
