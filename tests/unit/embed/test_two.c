/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two pipelines in one process, which is somebody else's: they have nothing to fight over. In a network and
 * mount namespace of its own, so as root.
 *
 *   one: vpn1 10.78.0.1/24, udp 127.0.0.1:5001 <----> 127.0.0.1:5002 udp, vpn2 10.79.0.1/24 :two
 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <arpa/inet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <vpncore/vpncore.h>

#define FOLDER "/run/marks"

/* One of the two, and what it has said. */
struct side {
	unsigned number; /* 1 or 2 */
	const char *level;
	const char *more; /* of the manifest */
	struct vpncore_pipeline *p;
	pthread_mutex_t lock;
	char log[8192];
	char problems[512];
	unsigned long carried;
};

static void hear(void *ctx, uint32_t level, const char *component, const char *text)
{
	struct side *s = ctx;
	(void)level;
	pthread_mutex_lock(&s->lock);
	size_t n = strlen(s->log);
	snprintf(s->log + n, sizeof(s->log) - n, "%s: %s\n", component, text);
	pthread_mutex_unlock(&s->lock);
}

static void hear_problem(void *ctx, const char *line)
{
	struct side *s = ctx;
	snprintf(s->problems, sizeof(s->problems), "%s", line);
}

static int load(struct side *s, struct vpn_error *err)
{
	const struct vpncore_callbacks callbacks = {
		.size = sizeof(callbacks), .ctx = s, .problem = hear_problem, .log = hear};
	char text[2048];
	unsigned n = s->number;
	int len = snprintf(
		text, sizeof(text),
		"{ \"vpncore\": 1, \"name\": \"side%u\", \"allow_insecure\": true, \"log\": {"
		"\"level\": \"%s\"}, \"pipeline\": [ { \"device\": \"tuntap-linux\", \"name\": "
		"\"vpn%u\", \"addresses\": [\"10.%u.0.1/24\"], \"plugin\": \"" TREE_PLUGINS
		"/driver-tuntap-linux.so\" }, { \"transport\": \"udp\", \"plugin\": \"" TREE_PLUGINS
		"/transport-udp.so\", \"listen\": \"127.0.0.1:%u\", \"remote\": \"127.0.0.1:%u\" "
		"} ] %s }",
		n, s->level, n, 77 + n, 5000 + n, 5003 - n, s->more != NULL ? s->more : "");
	return vpncore_pipeline_load(&s->p, NULL, text, (size_t)len, &callbacks, err);
}

static int bring_up(struct side *s, struct vpn_error *err)
{
	int status = load(s, err);
	if (status == VPN_OK)
		status = vpncore_pipeline_start(s->p, err);
	return status;
}

static void must_come_up(struct side *s)
{
	struct vpn_error err = {.size = sizeof(err)};
	if (bring_up(s, &err) != VPN_OK)
		fail_msg("%s %s", err.text, s->problems);
}

static struct side make_side(unsigned number, const char *level)
{
	return (struct side){.number = number, .level = level, .lock = PTHREAD_MUTEX_INITIALIZER};
}

/* A component whose one change is the file FOLDER/routes.0. */
static const char *const with_marks =
	", \"routes\": { \"backend\": \"test-marks\", \"plugin\": \"" MARKS
	"\", \"folder\": \"" FOLDER "\", \"changes\": 1 }";

static int enter(void **state)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", "/run", "tmpfs", 0, "mode=755"), 0);
	assert_int_equal(mount("none", "/var/lib", "tmpfs", 0, "mode=755"), 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	close(fd);
	return mkdir(FOLDER, 0755);
}

static void take_counters(void *ctx, const char *text)
{
	struct side *s = ctx;
	const char *udp = strstr(text, " udp:"),
		   *up = udp != NULL ? strstr(udp, " up packets=") : NULL;
	if (up != NULL)
		sscanf(up, " up packets=%lu", &s->carried);
}

/* Datagrams for a machine behind the device of `from`, until they have come out at the other side. */
static void carry(const struct side *from, struct side *to)
{
	struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(9)};
	char text[32];
	snprintf(text, sizeof(text), "10.%u.0.9", 77 + from->number);
	assert_int_equal(inet_pton(AF_INET, text, &there.sin_addr), 1);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	to->carried = 0;
	for (int i = 0; i < 2000 && to->carried == 0; i++) {
		(void)sendto(fd, "hello", 5, 0, (struct sockaddr *)&there, sizeof(there));
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		vpncore_pipeline_counters(to->p, take_counters, to);
	}
	close(fd);
	assert_true(to->carried > 0);
}

static void both_carry_and_one_goes_on_alone(void **state)
{
	struct side one = make_side(1, "info"), two = make_side(2, "info");
	struct vpn_device_info device = {.size = sizeof(device)};
	(void)state;
	must_come_up(&one);
	must_come_up(&two);
	carry(&one, &two);
	carry(&two, &one);
	assert_null(vpncore_pipeline_free(two.p));
	assert_int_equal(vpncore_pipeline_device(one.p, &device), VPN_OK);
	assert_string_equal(device.name, "vpn1");
	two = make_side(2, "info");
	must_come_up(&two);
	carry(&one, &two);
	assert_null(vpncore_pipeline_free(one.p));
	assert_null(vpncore_pipeline_free(two.p));
}

static void each_has_the_log_of_its_manifest(void **state)
{
	struct side one = make_side(1, "debug"), two = make_side(2, "error");
	(void)state;
	must_come_up(&one);
	must_come_up(&two);
	carry(&one, &two);
	vpncore_pipeline_free(one.p);
	vpncore_pipeline_free(two.p);
	assert_non_null(strstr(one.log, "vpn1"));
	assert_null(strstr(one.log, "vpn2"));
	assert_string_equal(two.log, "");
}

static void one_name_is_for_one_pipeline_of_those_that_keep_a_journal(void **state)
{
	struct side one = make_side(1, "info"), same = make_side(1, "info");
	struct vpn_error err = {.size = sizeof(err)};
	(void)state;
	one.more = same.more = with_marks;
	must_come_up(&one);
	assert_int_equal(bring_up(&same, &err), VPN_EBUSY);
	assert_non_null(strstr(err.text, "runs already"));
	vpncore_pipeline_free(same.p);
	assert_int_equal(access(FOLDER "/routes.0", F_OK), 0); /* of the first one: left alone */
	assert_int_equal(vpncore_pipeline_stop(one.p, &err), VPN_OK);
	assert_int_equal(access(FOLDER "/routes.0", F_OK), -1);
	vpncore_pipeline_free(one.p);
}

/* What one has changed is neither undone nor swept away by another one that starts or ends. */
static void one_that_starts_and_ends_leaves_the_changes_of_the_other(void **state)
{
	struct side one = make_side(1, "info"), two = make_side(2, "info");
	(void)state;
	one.more = with_marks;
	must_come_up(&one);
	must_come_up(&two);
	assert_null(vpncore_pipeline_free(two.p));
	assert_int_equal(access(FOLDER "/routes.0", F_OK), 0);
	assert_null(vpncore_pipeline_free(one.p));
	assert_int_equal(access(FOLDER "/routes.0", F_OK), -1);
}

/* A program that wants no statuses of children takes those of our commands as well. */
static void a_command_of_unknown_end_has_failed(void **state)
{
	struct side one = make_side(1, "info");
	struct vpn_error err = {.size = sizeof(err)};
	(void)state;
	one.more = ", \"on_up\": [\"/bin/true\"]";
	must_come_up(&one);
	vpncore_pipeline_free(one.p);
	one = make_side(1, "info");
	one.more = ", \"on_up\": [\"/bin/true\"]";
	signal(SIGCHLD, SIG_IGN);
	int status = bring_up(&one, &err);
	signal(SIGCHLD, SIG_DFL);
	assert_int_equal(status, VPN_EIO);
	assert_non_null(strstr(err.text, "ignores SIGCHLD"));
	vpncore_pipeline_free(one.p);
}

static void says_what_is_wrong_whatever_the_caller_gives(void **state)
{
	static const char bad[] = "{ \"vpncore\": 1, \"pipelin\": [] }";
	struct side s = make_side(1, "info");
	struct vpncore_callbacks callbacks = {
		.size = sizeof(callbacks), .ctx = &s, .problem = hear_problem};
	struct vpn_error err = {.size = sizeof(err), .text = "old", .os_errno = 5};
	struct vpncore_pipeline *p;
	(void)state;
	assert_int_equal(vpncore_pipeline_load(&p, NULL, NULL, 0, &callbacks, &err), VPN_EINVAL);
	assert_null(p);
	assert_int_equal(vpncore_pipeline_load(&p, NULL, bad, sizeof(bad) - 1, &callbacks, &err),
			 VPN_EINVAL);
	assert_null(p);
	assert_int_equal(err.os_errno, 0);
	assert_non_null(strstr(err.text, "manifest has "));
	assert_non_null(strstr(s.problems, "manifest:1:"));
	callbacks.size = offsetof(struct vpncore_callbacks, problem); /* of an older program */
	s.problems[0] = '\0';
	assert_int_equal(vpncore_pipeline_load(&p, "x", bad, sizeof(bad) - 1, &callbacks, NULL),
			 VPN_EINVAL);
	assert_string_equal(s.problems, "");
	assert_null(vpncore_pipeline_free(NULL));
}

#define ROUNDS 10

static atomic_int failures;

static void *come_and_go(void *arg)
{
	struct side *s = arg;
	struct vpn_error err = {.size = sizeof(err)};
	for (int i = 0; i < ROUNDS; i++) {
		s->log[0] = '\0';
		if (bring_up(s, &err) != VPN_OK) {
			fprintf(stderr, "side %u: %s\n", s->number, err.text);
			atomic_fetch_add(&failures, 1);
		} else {
			vpncore_pipeline_dispatch(s->p);
			(void)vpncore_pipeline_timeout_ms(s->p);
			if (vpncore_pipeline_error(s->p, &err) != VPN_OK)
				atomic_fetch_add(&failures, 1);
		}
		vpncore_pipeline_free(s->p);
		if (strstr(s->log, s->number == 1 ? "vpn1" : "vpn2") == NULL ||
		    strstr(s->log, s->number == 1 ? "vpn2" : "vpn1") != NULL)
			atomic_fetch_add(&failures, 1);
	}
	return NULL;
}

static void two_threads_may_drive_two_pipelines(void **state)
{
	struct side one = make_side(1, "info"), two = make_side(2, "debug");
	pthread_t thread;
	(void)state;
	one.more = with_marks;
	assert_int_equal(pthread_create(&thread, NULL, come_and_go, &two), 0);
	come_and_go(&one);
	pthread_join(thread, NULL);
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_carry_and_one_goes_on_alone),
		cmocka_unit_test(each_has_the_log_of_its_manifest),
		cmocka_unit_test(one_name_is_for_one_pipeline_of_those_that_keep_a_journal),
		cmocka_unit_test(one_that_starts_and_ends_leaves_the_changes_of_the_other),
		cmocka_unit_test(a_command_of_unknown_end_has_failed),
		cmocka_unit_test(says_what_is_wrong_whatever_the_caller_gives),
		cmocka_unit_test(two_threads_may_drive_two_pipelines),
	};
	return cmocka_run_group_tests_name("two", tests, enter, NULL);
}
