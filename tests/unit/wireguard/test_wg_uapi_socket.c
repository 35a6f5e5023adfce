/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration socket: its file, its clients, its thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fake_config.h"
#include "uapi.h"

#define DEADLINE_S 60

struct place {
	char base[64];
	char directory[80];
	char path[96];
	struct wg wg;
	struct wg_uapi *uapi;
	int gone_pipe[2]; /* a byte for each call of gone() */
	struct vpn_error err;
};

/* ---- a clock that can be put forward; the linker puts it before the system's ---- */

static atomic_long ahead_s;

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	int result = __real_clock_gettime(id, t);
	t->tv_sec += atomic_load(&ahead_s);
	return result;
}

/* ---- set-up ---- */

static void note_gone(void *ctx)
{
	struct place *p = ctx;
	assert_int_equal(write(p->gone_pipe[1], "", 1), 1);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	assert_non_null(p);
	*state = p;
	snprintf(p->base, sizeof(p->base), "/tmp/wg-uapi-XXXXXX");
	assert_non_null(mkdtemp(p->base));
	snprintf(p->directory, sizeof(p->directory), "%s/dir", p->base);
	snprintf(p->path, sizeof(p->path), "%s/wgt.sock", p->directory);
	assert_int_equal(pipe2(p->gone_pipe, O_NONBLOCK | O_CLOEXEC), 0);
	p->err.size = sizeof(p->err);
	fake_init(&p->wg);
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	p->uapi = wg_uapi_close(p->uapi);
	assert_null(p->uapi);
	assert_int_equal(p->wg.violations, 0);
	fake_clear(&p->wg);
	(void)unlink(p->path);
	(void)rmdir(p->directory);
	assert_int_equal(rmdir(p->base), 0); /* nothing else was left */
	close(p->gone_pipe[0]);
	close(p->gone_pipe[1]);
	free(p);
	return 0;
}

static void open_uapi(struct place *p)
{
	p->uapi = wg_uapi_open_in(p->directory, &p->wg, "wgt", -1, note_gone, p, &p->err);
	if (p->uapi == NULL)
		fail_msg("%s", p->err.text);
}

static void expect_refused(struct place *p, const char *name, vpn_status status)
{
	struct vpn_error err = {.size = sizeof(err)};
	assert_null(wg_uapi_open_in(p->directory, &p->wg, name, -1, NULL, NULL, &err));
	assert_int_equal(err.status, status);
	assert_true(strlen(err.text) > 10);
}

static bool exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

/* ---- clients ---- */

static void to_address(const char *path, struct sockaddr_un *out)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	snprintf(out->sun_path, sizeof(out->sun_path), "%s", path);
}

static int try_connect(const char *path)
{
	struct timeval limit = {.tv_sec = DEADLINE_S};
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
	to_address(path, &address);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int client(const struct place *p)
{
	int fd = try_connect(p->path);
	assert_true(fd >= 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads up to and with the empty line; false at the end of the stream. The answer is cut to fit. */
static bool hear(int fd, char *out, size_t size)
{
	char last[2] = "";
	size_t n = 0;
	for (;;) {
		char c;
		ssize_t got = recv(fd, &c, 1, 0);
		out[n] = '\0';
		if (got != 1)
			return false;
		if (n + 1 < size)
			out[n++] = c;
		out[n] = '\0';
		if (c == '\n' && last[0] == '\n')
			return true;
		last[0] = c;
	}
}

static void expect(int fd, const char *text, const char *answer)
{
	char heard[256];
	say(fd, text);
	assert_true(hear(fd, heard, sizeof(heard)));
	assert_string_equal(heard, answer);
}

static void expect_end(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, 0);
	assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
	close(fd);
}

/* So many that an answer is far larger than the buffer of a socket. */
#define N_PEERS 1500u

static void add_peers(struct place *p)
{
	int fd = client(p);
	say(fd, "set=1\n");
	for (unsigned int i = 1; i <= N_PEERS; i++) {
		char text[128];
		snprintf(text, sizeof(text), "public_key=%064x\n", i);
		say(fd, text);
	}
	expect(fd, "\n", "errno=0\n\n");
	close(fd);
}

/* How many peers an answer has. */
static unsigned int hear_peers(int fd)
{
	static char heard[4u << 20];
	unsigned int n = 0;
	assert_true(hear(fd, heard, sizeof(heard)));
	for (const char *at = strstr(heard, "public_key"); at != NULL;
	     at = strstr(at + 1, "public_key"))
		n++;
	return n;
}

/* ---- the file ---- */

static void serves_and_removes_its_file(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	int fd = client(p);
	expect(fd, "get=1\n\n", "errno=0\n\n");
	expect(fd, "set=1\nlisten_port=7\n\n", "errno=0\n\n");
	expect(fd, "get=1\n\n", "listen_port=7\nerrno=0\n\n");
	p->uapi = wg_uapi_close(p->uapi);
	assert_false(exists(p->path));
	expect_end(fd);
}

static void the_file_is_its_owners_whatever_the_umask(void **state)
{
	struct place *p = *state;
	struct stat st;
	mode_t before = umask(0);
	open_uapi(p);
	umask(before);
	assert_int_equal(lstat(p->path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	assert_int_equal(lstat(p->directory, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
}

static void leaves_no_other_file_behind(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	DIR *d = opendir(p->directory);
	assert_non_null(d);
	for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			assert_string_equal(e->d_name, "wgt.sock");
	closedir(d);
}

static int bind_by_hand(const struct place *p, bool listening)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	(void)mkdir(p->directory, 0755);
	to_address(p->path, &address);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	if (listening)
		assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void replaces_a_socket_that_nobody_answers_on(void **state)
{
	struct place *p = *state;
	close(bind_by_hand(p, true));
	assert_true(exists(p->path));
	open_uapi(p);
	int fd = client(p);
	expect(fd, "get=1\n\n", "errno=0\n\n");
	close(fd);
}

static void leaves_a_live_socket_alone(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	expect_refused(p, "wgt", VPN_EBUSY);
	int fd = client(p);
	expect(fd, "get=1\n\n", "errno=0\n\n");
	close(fd);
}

static void leaves_a_file_that_is_no_socket_alone(void **state)
{
	struct place *p = *state;
	assert_int_equal(mkdir(p->directory, 0755), 0);
	int fd = open(p->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	expect_refused(p, "wgt", VPN_EBUSY);
	assert_true(exists(p->path));
}

static void refuses_names_that_are_none(void **state)
{
	char longest[128];
	struct place *p = *state;
	memset(longest, 'w', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	expect_refused(p, "", VPN_EINVAL);
	expect_refused(p, ".", VPN_EINVAL);
	expect_refused(p, "..", VPN_EINVAL);
	expect_refused(p, "a/b", VPN_EINVAL);
	expect_refused(p, "/", VPN_EINVAL);
	expect_refused(p, longest, VPN_EINVAL);
	assert_false(exists(p->directory));
}

static void a_directory_that_cannot_be_made_is_told(void **state)
{
	struct place *p = *state;
	struct vpn_error err = {.size = sizeof(err)};
	assert_null(wg_uapi_open_in("/proc/none/such", &p->wg, "wgt", -1, NULL, NULL, &err));
	assert_int_equal(err.status, VPN_EIO);
	assert_int_equal(err.os_errno, ENOENT);
}

/* ---- deletion ---- */

static bool was_told(struct place *p, int timeout_ms)
{
	char c;
	struct pollfd f = {.fd = p->gone_pipe[0], .events = POLLIN};
	(void)poll(&f, 1, timeout_ms);
	return read(p->gone_pipe[0], &c, 1) == 1;
}

static void tells_once_that_its_file_was_deleted(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	int fd = client(p);
	expect(fd, "get=1\n\n", "errno=0\n\n");
	assert_int_equal(unlink(p->path), 0);
	assert_true(was_told(p, DEADLINE_S * 1000));
	expect(fd, "get=1\n\n", "errno=0\n\n"); /* who is connected stays so */
	close(fd);
	p->uapi = wg_uapi_close(p->uapi);
	assert_false(was_told(p, 0));
}

static void tells_once_that_its_file_was_renamed(void **state)
{
	struct place *p = *state;
	char other[128];
	open_uapi(p);
	snprintf(other, sizeof(other), "%s.old", p->path);
	assert_int_equal(rename(p->path, other), 0);
	assert_true(was_told(p, DEADLINE_S * 1000));
	int fd = try_connect(other);
	assert_true(fd >= 0);
	assert_int_equal(unlink(other), 0);
	expect(fd, "get=1\n\n", "errno=0\n\n"); /* the thread has seen the deletion by now */
	close(fd);
	assert_false(was_told(p, 0)); /* once is enough */
}

static void a_change_of_mode_is_no_deletion(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	assert_int_equal(chmod(p->path, 0660), 0);
	int fd = client(p);
	expect(fd, "get=1\n\n", "errno=0\n\n"); /* the thread has seen the change by now */
	close(fd);
	assert_false(was_told(p, 0));
}

static void does_not_remove_what_stands_in_its_files_place(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	assert_int_equal(unlink(p->path), 0);
	close(bind_by_hand(p, true));
	p->uapi = wg_uapi_close(p->uapi);
	assert_true(exists(p->path));
}

/* ---- a socket from outside ---- */

static void takes_a_listening_socket(void **state)
{
	struct place *p = *state;
	int listener = bind_by_hand(p, true);
	p->uapi = wg_uapi_open_in(p->directory, &p->wg, "wgt", listener, note_gone, p, &p->err);
	assert_non_null(p->uapi);
	int fd = client(p);
	expect(fd, "get=1\n\n", "errno=0\n\n");
	close(fd);
	p->uapi = wg_uapi_close(p->uapi);
	assert_int_equal(fcntl(listener, F_GETFD), -1);
	assert_false(exists(p->path));
}

static void refuses_a_descriptor_that_does_not_listen(void **state)
{
	struct place *p = *state;
	int bound = bind_by_hand(p, false);
	assert_null(wg_uapi_open_in(p->directory, &p->wg, "wgt", bound, NULL, NULL, &p->err));
	assert_int_equal(p->err.status, VPN_EINVAL);
	assert_null(
		wg_uapi_open_in(p->directory, &p->wg, "wgt", p->gone_pipe[0], NULL, NULL, &p->err));
	assert_int_equal(p->err.status, VPN_EINVAL);
	assert_true(fcntl(bound, F_GETFD) >= 0); /* still the caller's */
	assert_true(exists(p->path));
	close(bound);
}

/* ---- clients that misbehave ---- */

static void garbage_is_answered_and_closed(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	int fd = client(p);
	expect(fd, "GET / HTTP/1.1\r\n\r\n", "errno=-71\n\n");
	expect_end(fd);
}

static void who_shuts_its_side_down_still_gets_the_answer(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	add_peers(p);
	int fd = client(p);
	say(fd, "get=1\n\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(hear_peers(fd), N_PEERS);
	expect_end(fd);
}

static void an_operation_that_is_cut_short_is_closed_without_an_answer(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	int fd = client(p);
	say(fd, "set=1\nlisten_port=7\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect_end(fd);
}

static void who_leaves_in_the_middle_of_an_answer_harms_nobody(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	add_peers(p);
	for (int i = 0; i < 50; i++) {
		int fd = client(p);
		say(fd, "get=1\n\nget=1\n\n");
		close(fd);
	}
	int fd = client(p);
	say(fd, "get=1\n\n");
	assert_int_equal(hear_peers(fd), N_PEERS);
	close(fd);
}

static void a_slow_reader_holds_up_nobody_and_loses_nothing(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	add_peers(p);
	int slow = client(p);
	for (int i = 0; i < 10; i++)
		say(slow, "get=1\n\n");
	for (int i = 0; i < 3; i++) {
		int fd = client(p);
		say(fd, "get=1\n\n");
		assert_int_equal(hear_peers(fd), N_PEERS);
		close(fd);
	}
	for (int i = 0; i < 10; i++)
		assert_int_equal(hear_peers(slow), N_PEERS);
	expect(slow, "set=1\n\n", "errno=0\n\n");
	close(slow);
}

static void a_slow_reader_does_not_hold_up_the_end(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	add_peers(p);
	int slow = client(p);
	say(slow, "get=1\n\n");
	int fd = client(p);
	expect(fd, "set=1\n\n", "errno=0\n\n");
	p->uapi = wg_uapi_close(p->uapi);
	close(slow);
	close(fd);
}

static void who_takes_nothing_for_long_is_let_go(void **state)
{
	struct place *p = *state;
	open_uapi(p);
	add_peers(p);
	int slow = client(p), idle = client(p);
	expect(idle, "set=1\n\n", "errno=0\n\n");
	say(slow, "get=1\n\n");
	expect(idle, "set=1\n\n", "errno=0\n\n"); /* the slow one has been served before */
	atomic_fetch_add(&ahead_s, 10);
	struct pollfd f = {.fd = slow}; /* POLLHUP */
	assert_int_equal(poll(&f, 1, DEADLINE_S * 1000), 1);
	expect(idle, "set=1\n\n", "errno=0\n\n"); /* silence between operations is no fault */
	close(slow);
	close(idle);
}

/* ---- many clients ---- */

static void more_clients_than_places_wait_for_one(void **state)
{
	struct place *p = *state;
	int fds[WG_UAPI_CLIENTS];
	open_uapi(p);
	for (unsigned int i = 0; i < WG_UAPI_CLIENTS; i++) {
		fds[i] = client(p);
		expect(fds[i], "set=1\n\n", "errno=0\n\n");
	}
	int late = client(p);
	say(late, "get=1\n\n");
	close(fds[3]);
	expect(late, "", "errno=0\n\n");
	close(late);
	for (unsigned int i = 0; i < WG_UAPI_CLIENTS; i++)
		if (i != 3)
			close(fds[i]);
}

static bool is_served(int fd)
{
	char heard[64];
	return send(fd, "set=1\n\n", 7, MSG_NOSIGNAL) == 7 && hear(fd, heard, sizeof(heard));
}

static void a_silent_client_gives_way_when_all_places_are_taken(void **state)
{
	struct place *p = *state;
	int fds[WG_UAPI_CLIENTS];
	unsigned int served = 0;
	open_uapi(p);
	for (unsigned int i = 0; i < WG_UAPI_CLIENTS; i++) {
		fds[i] = client(p);
		expect(fds[i], "set=1\n\n", "errno=0\n\n");
	}
	int late = client(p);
	say(late, "get=1\n\n");
	atomic_fetch_add(&ahead_s, 10);
	expect(late, "", "errno=0\n\n");
	close(late);
	for (unsigned int i = 0; i < WG_UAPI_CLIENTS; i++) {
		served += is_served(fds[i]);
		close(fds[i]);
	}
	assert_int_equal(served, WG_UAPI_CLIENTS - 1);
}

#define WORKERS 4
#define ROUNDS  50

struct worker {
	const struct place *place;
	pthread_t thread;
	unsigned int number;
	bool ok;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	char text[256], heard[64];
	w->ok = true;
	for (unsigned int i = 0; i < ROUNDS && w->ok; i++) {
		int fd = try_connect(w->place->path);
		if (fd < 0)
			return NULL;
		snprintf(text, sizeof(text),
			 "set=1\npublic_key=%064x\nallowed_ip=10.%u.0.0/16\nendpoint=[::1]:%u\n"
			 "%s\nget=1\n\n",
			 w->number + 1, w->number, i + 1, i % 2 == 1 ? "remove=true\n" : "");
		w->ok = send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text) &&
			hear(fd, heard, sizeof(heard)) && strcmp(heard, "errno=0\n\n") == 0 &&
			hear(fd, heard, sizeof(heard));
		close(fd);
	}
	return NULL;
}

static void clients_and_the_program_change_peers_at_the_same_time(void **state)
{
	struct place *p = *state;
	struct worker workers[WORKERS];
	open_uapi(p);
	for (unsigned int i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){.place = p, .number = i};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned int i = 0; i < ROUNDS; i++) {
		wg_config_lock(&p->wg);
		wg_config_remove_all_peers(&p->wg);
		wg_config_unlock(&p->wg);
	}
	for (unsigned int i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_true(workers[i].ok);
	}
}

/* ---- others ---- */

/* 0: the stream ended without an answer; 1: could not connect; 2: was served. */
static int try_as_nobody(const struct place *p)
{
	char heard[64];
	if (setgid(65534) != 0 || setuid(65534) != 0)
		return 3;
	int fd = try_connect(p->path);
	if (fd < 0)
		return 1;
	if (send(fd, "get=1\n\n", 7, MSG_NOSIGNAL) < 0)
		return 0;
	return hear(fd, heard, sizeof(heard)) ? 2 : 0;
}

static int outcome_as_nobody(const struct place *p)
{
	int status = 0;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(try_as_nobody(p));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void another_user_is_not_served(void **state)
{
	struct place *p = *state;
	if (geteuid() != 0)
		fail_msg("only root can become somebody else: run the tests as root");
	open_uapi(p);
	assert_int_equal(chmod(p->base, 0755), 0);
	assert_int_equal(outcome_as_nobody(p), 1);
	assert_int_equal(chmod(p->path, 0666), 0);
	assert_int_equal(outcome_as_nobody(p), 0);
	int fd = client(p);
	expect(fd, "get=1\n\n", "errno=0\n\n");
	close(fd);
}

static void closing_nothing_is_allowed(void **state)
{
	(void)state;
	assert_null(wg_uapi_close(NULL));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(serves_and_removes_its_file),
		TEST(the_file_is_its_owners_whatever_the_umask),
		TEST(leaves_no_other_file_behind),
		TEST(replaces_a_socket_that_nobody_answers_on),
		TEST(leaves_a_live_socket_alone),
		TEST(leaves_a_file_that_is_no_socket_alone),
		TEST(refuses_names_that_are_none),
		TEST(a_directory_that_cannot_be_made_is_told),
		TEST(tells_once_that_its_file_was_deleted),
		TEST(tells_once_that_its_file_was_renamed),
		TEST(a_change_of_mode_is_no_deletion),
		TEST(does_not_remove_what_stands_in_its_files_place),
		TEST(takes_a_listening_socket),
		TEST(refuses_a_descriptor_that_does_not_listen),
		TEST(garbage_is_answered_and_closed),
		TEST(who_shuts_its_side_down_still_gets_the_answer),
		TEST(an_operation_that_is_cut_short_is_closed_without_an_answer),
		TEST(who_leaves_in_the_middle_of_an_answer_harms_nobody),
		TEST(a_slow_reader_holds_up_nobody_and_loses_nothing),
		TEST(a_slow_reader_does_not_hold_up_the_end),
		TEST(who_takes_nothing_for_long_is_let_go),
		TEST(more_clients_than_places_wait_for_one),
		TEST(a_silent_client_gives_way_when_all_places_are_taken),
		TEST(clients_and_the_program_change_peers_at_the_same_time),
		TEST(another_user_is_not_served),
		cmocka_unit_test(closing_nothing_is_allowed),
	};
	return cmocka_run_group_tests_name("wireguard uapi socket", tests, NULL, NULL);
}
