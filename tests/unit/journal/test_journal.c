/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal's files: what was written is found again, whatever happened to them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aside.h"
#include "fault.h"
#include "journal.h"
#include "record.h"

#define KEY "site"

static char top[] = "/tmp/vpncore-journal-XXXXXX";
static char run_dir[64], lib_dir[64], run_file[96], lib_file[96];

static int set_up(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/tmp/vpncore-journal-XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(run_dir, sizeof(run_dir), "%s/run", top);
	snprintf(lib_dir, sizeof(lib_dir), "%s/lib", top);
	snprintf(run_file, sizeof(run_file), "%s/" KEY "/" JOURNAL_FILE, run_dir);
	snprintf(lib_file, sizeof(lib_file), "%s/" KEY "/" JOURNAL_FILE, lib_dir);
	state_dir_set(run_dir, lib_dir);
	return 0;
}

static int tear_down(void **state)
{
	char command[96];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static struct journal *open_journal(void)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct journal *j = journal_open(KEY, STATE_ROLE_RUN, 0, &err);
	if (j == NULL)
		fail_msg("%s", err.text);
	return j;
}

static vpn_status try_add(struct journal *j, uint32_t flags, const char *text, uint64_t *ret)
{
	struct vpn_error err = VPN_ERROR_INIT;
	char id[] = "linux", path[] = "/x/routes-linux.so", copy[64];
	snprintf(copy, sizeof(copy), "%s", text);
	const struct journal_entry e = {.flags = flags,
					.kind = VPN_KIND_ROUTES,
					.id = id,
					.path = path,
					.data = copy,
					.len = (uint32_t)strlen(copy) + 1};
	return journal_add(j, &e, ret, &err);
}

static uint64_t add(struct journal *j, uint32_t flags, const char *text)
{
	uint64_t number = 0;
	assert_int_equal(try_add(j, flags, text, &number), VPN_OK);
	return number;
}

/* Ends without undoing, as a process that dies. */
static void abandon(struct journal *j)
{
	j->unread = true; /* the files stay */
	journal_close(j);
}

static void check_texts(const struct journal *j, const char *const *texts)
{
	size_t n = 0;
	for (; texts[n] != NULL; n++) {
		assert_true(n < j->n_entries);
		assert_string_equal(j->entries[n]->data, texts[n]);
		assert_string_equal(j->entries[n]->id, "linux");
		assert_string_equal(j->entries[n]->path, "/x/routes-linux.so");
		assert_int_equal(j->entries[n]->kind, VPN_KIND_ROUTES);
	}
	assert_int_equal(j->n_entries, n);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static off_t size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* ---- what was written is found ------------------------------------------------------------------- */

static void finds_changes_of_both_files_in_their_order(void **state)
{
	struct journal *j = open_journal();
	(void)state;
	add(j, 0, "one");
	add(j, VPN_JOURNAL_FILES, "two");
	uint64_t three = add(j, 0, "three");
	add(j, VPN_JOURNAL_FILES | VPN_JOURNAL_KEEP, "four");
	journal_forget(j, three);
	abandon(j);
	j = open_journal();
	check_texts(j, (const char *const[]){"one", "two", "four", NULL});
	assert_int_equal(j->entries[2]->flags, VPN_JOURNAL_FILES | VPN_JOURNAL_KEEP);
	assert_false(journal_is_elsewhere(j));
	/* a second process goes on where the first one has ended */
	add(j, 0, "five");
	abandon(j);
	j = open_journal();
	check_texts(j, (const char *const[]){"one", "two", "four", "five", NULL});
	journal_close(j);
}

static void leaves_nothing_when_nothing_is_left_to_undo(void **state)
{
	struct journal *j = open_journal();
	(void)state;
	uint64_t one = add(j, 0, "one"), two = add(j, VPN_JOURNAL_FILES, "two");
	assert_true(exists(run_file) && exists(lib_file));
	journal_forget(j, two);
	journal_forget(j, one);
	journal_forget(j, 12345);
	journal_close(j);
	assert_false(exists(run_file) || exists(lib_file));
	assert_int_equal(rmdir(run_dir), 0);
	assert_int_equal(rmdir(lib_dir), 0);
}

static void files_are_ours_alone(void **state)
{
	struct stat st;
	struct journal *j = open_journal();
	(void)state;
	add(j, 0, "one");
	assert_int_equal(stat(run_file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	*strrchr(run_file, '/') = '\0';
	assert_int_equal(stat(run_file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	journal_close(j);
}

static void a_file_does_not_grow_for_ever(void **state)
{
	struct journal *j = open_journal();
	(void)state;
	uint64_t kept = add(j, 0, "kept");
	for (unsigned i = 0; i < 4000; i++)
		journal_forget(j, add(j, 0, "comes and goes"));
	assert_true(size_of(run_file) < (512 << 10));
	assert_non_null(journal_find(j, kept));
	abandon(j);
	j = open_journal();
	check_texts(j, (const char *const[]){"kept", NULL});
	journal_close(j);
}

/* ---- torn, stale, hostile ------------------------------------------------------------------------ */

static uint8_t *slurp(const char *path, size_t *ret_size)
{
	int fd = open(path, O_RDONLY);
	*ret_size = (size_t)size_of(path);
	uint8_t *all = malloc(*ret_size);
	assert_non_null(all);
	assert_int_equal(read(fd, all, *ret_size), *ret_size);
	close(fd);
	return all;
}

static void spill(const char *path, const uint8_t *at, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, at, n), n);
	close(fd);
}

/* How many whole records stand in at[0..n). */
static size_t whole_records(const uint8_t *at, size_t n)
{
	struct record r;
	size_t count = 0, used = 0;
	for (size_t size; (size = record_read(at + used, n - used, &r)) != 0; used += size)
		count++;
	return count;
}

static void a_file_torn_at_any_byte_gives_what_stands_before(void **state)
{
	struct journal *j = open_journal();
	size_t size;
	(void)state;
	add(j, 0, "one");
	add(j, 0, "two");
	add(j, 0, "three");
	abandon(j);
	uint8_t *all = slurp(run_file, &size);
	for (size_t n = 0; n <= size; n++) {
		size_t whole = whole_records(all, n);
		spill(run_file, all, n);
		j = open_journal();
		assert_int_equal(j->n_entries, whole > 0 ? whole - 1 : 0);
		/* what is written behind a tear is found as well */
		add(j, 0, "behind");
		abandon(j);
		j = open_journal();
		assert_int_equal(j->n_entries, whole > 0 ? whole : 1);
		assert_string_equal(j->entries[j->n_entries - 1]->data, "behind");
		abandon(j);
	}
	free(all);
}

static void rubbish_in_the_middle_hides_what_comes_behind(void **state)
{
	struct journal *j = open_journal();
	size_t size;
	(void)state;
	add(j, 0, "one");
	off_t first = size_of(run_file);
	add(j, 0, "two");
	abandon(j);
	uint8_t *all = slurp(run_file, &size);
	all[first + 30] ^= 1;
	spill(run_file, all, size);
	free(all);
	j = open_journal();
	check_texts(j, (const char *const[]){"one", NULL});
	journal_close(j);
}

static void write_stranger(const char *path, const struct origin *o)
{
	size_t n = 0, m = 0;
	const struct record_change c = {.kind = VPN_KIND_ROUTES,
					.data = "old",
					.len = 4,
					.id = "linux",
					.id_len = 5,
					.path = "/x/routes-linux.so",
					.path_len = 18};
	uint8_t *origin = record_make_origin(o, 1, &n);
	uint32_t flags = strcmp(path, lib_file) == 0 ? VPN_JOURNAL_FILES : 0;
	uint8_t *change = record_make_change(&c, (uint16_t)flags, 2, &m);
	uint8_t *all = malloc(n + m);
	assert_non_null(all);
	memcpy(all, origin, n);
	memcpy(all + n, change, m);
	spill(path, all, n + m);
	free(origin);
	free(change);
	free(all);
}

/* Makes the folders as a process that died has left them. */
static void make_folders(void)
{
	char path[96];
	assert_int_equal(mkdir(run_dir, 0755), 0);
	assert_int_equal(mkdir(lib_dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/" KEY, run_dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/" KEY, lib_dir);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void kernel_state_of_another_boot_is_dropped_and_files_are_not(void **state)
{
	struct origin before;
	(void)state;
	origin_here(&before);
	before.boot[3] ^= 1;
	before.netns++;
	make_folders();
	write_stranger(run_file, &before);
	write_stranger(lib_file, &before);
	struct journal *j = open_journal();
	check_texts(j, (const char *const[]){"old", NULL});
	assert_int_equal(j->entries[0]->flags, VPN_JOURNAL_FILES);
	assert_false(journal_is_elsewhere(j)); /* its namespace is gone with its boot */
	journal_close(j);
	assert_false(exists(run_file));
	assert_true(exists(lib_file));
}

static void changes_in_another_network_namespace_are_told(void **state)
{
	struct origin there;
	(void)state;
	origin_here(&there);
	there.netns++;
	make_folders();
	write_stranger(run_file, &there);
	struct journal *j = open_journal();
	assert_true(journal_is_elsewhere(j));
	abandon(j);
}

/* ---- another network namespace ------------------------------------------------------------------- */

/* As a container that was here before has left it. */
static uint64_t write_predecessor(void)
{
	struct origin there;
	origin_here(&there);
	there.netns += 1000;
	make_folders();
	write_stranger(run_file, &there);
	write_stranger(lib_file, &there);
	return there.netns;
}

static struct journal *open_key(const char *key)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct journal *j = journal_open(key, STATE_ROLE_UNDO, 0, &err);
	if (j == NULL)
		fail_msg("%s: %s", key, err.text);
	return j;
}

static void changes_of_another_network_namespace_are_put_aside_for_it(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	char key[STATE_KEY_MAX];
	uint64_t there = write_predecessor(), netns = 0;
	(void)state;
	struct journal *j = open_journal();
	assert_int_equal(aside_put(j, &netns, &err), VPN_OK);
	assert_int_equal(netns, there);
	assert_int_equal(j->n_entries, 0);
	assert_false(journal_is_elsewhere(j));
	add(j, 0, "ours");
	add(j, VPN_JOURNAL_FILES, "ours too");
	assert_int_equal(aside_put(j, &netns, &err), VPN_OK); /* again: there is nothing to move */
	assert_int_equal(netns, 0);
	abandon(j);
	j = open_journal();
	check_texts(j, (const char *const[]){"ours", "ours too", NULL});
	abandon(j);
	state_dir_key_of(KEY, there, key);
	j = open_key(key);
	check_texts(j, (const char *const[]){"old", "old", NULL});
	assert_true(journal_is_elsewhere(j));
	abandon(j);
}

static void nothing_is_moved_into_a_journal_that_is_in_use_or_not_empty(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	char key[STATE_KEY_MAX];
	uint64_t netns = 0;
	state_dir_key_of(KEY, write_predecessor(), key);
	(void)state;
	struct journal *owner = open_key(key), *j = open_journal();
	assert_int_equal(aside_put(j, &netns, &err), VPN_EBUSY);
	check_texts(j, (const char *const[]){"old", "old", NULL});
	add(owner, 0, "theirs");
	abandon(owner);
	assert_int_equal(aside_put(j, &netns, &err), VPN_EBUSY);
	assert_non_null(strstr(err.text, "holds changes of another network namespace already"));
	assert_true(exists(run_file) && exists(lib_file));
	abandon(j);
	owner = open_key(key);
	check_texts(owner, (const char *const[]){"theirs", NULL});
	journal_close(owner);
}

/* A container's files are there when it is started again; a namespace beside the first one has others. */
static void files_go_to_the_successor_of_the_first_namespace(void **state)
{
	write_predecessor();
	(void)state;
	struct journal *j = open_journal();
	aside_adopt_files(j);
	assert_true(journal_file_is_elsewhere(j, STATE_RUN));
	assert_int_equal(journal_file_is_elsewhere(j, STATE_LIB), !origin_is_first_netns(false));
	abandon(j);
	char from[96], to[96];
	snprintf(from, sizeof(from), "%s/" KEY, lib_dir);
	snprintf(to, sizeof(to), "%s/" KEY "@7", lib_dir);
	assert_int_equal(rename(from, to), 0);
	j = open_key(KEY "@7");
	aside_adopt_files(j);
	assert_true(journal_file_is_elsewhere(j, STATE_LIB));
	abandon(j);
}

static void the_oldest_that_were_put_aside_go(void **state)
{
	char path[128];
	struct origin there;
	(void)state;
	origin_here(&there);
	make_folders();
	for (unsigned i = 0; i <= ASIDE_MOST; i++) {
		there.netns = 5000000000u + i;
		snprintf(path, sizeof(path), "%s/" KEY "@%u", run_dir, 95 + i);
		assert_int_equal(mkdir(path, 0700), 0);
		snprintf(path, sizeof(path), "%s/" KEY "@%u/" JOURNAL_FILE, run_dir, 95 + i);
		write_stranger(path, &there);
	}
	aside_forget_oldest(KEY);
	aside_forget_oldest(KEY); /* there are as many as there may be */
	aside_forget_oldest("sit");
	for (unsigned i = 0; i <= ASIDE_MOST; i++) {
		snprintf(path, sizeof(path), "%s/" KEY "@%u", run_dir, 95 + i);
		assert_int_equal(exists(path), i > 0);
	}
}

static void check_refused(vpn_status status, const char *text)
{
	struct vpn_error err = VPN_ERROR_INIT;
	assert_null(journal_open(KEY, STATE_ROLE_RUN, 0, &err));
	assert_int_equal(err.status, status);
	assert_non_null(strstr(err.text, text));
}

static void refuses_files_and_folders_that_are_not_ours_alone(void **state)
{
	char key_dir[96], other[96];
	struct origin here;
	(void)state;
	origin_here(&here);
	make_folders();
	write_stranger(run_file, &here);
	chmod(run_file, 0640);
	check_refused(VPN_EPERM, "open to others (mode 0640); chmod go-rwx");
	chmod(run_file, 0600);
	snprintf(other, sizeof(other), "%s/other", top);
	assert_int_equal(link(run_file, other), 0);
	check_refused(VPN_EPERM, "not a regular file with one name");
	unlink(run_file);
	assert_int_equal(symlink(other, run_file), 0);
	check_refused(VPN_EIO, "cannot be opened");
	unlink(run_file);
	assert_int_equal(mkfifo(run_file, 0600), 0);
	check_refused(VPN_EPERM, "not a regular file");
	assert_true(exists(run_file)); /* nothing of it was thrown away */
	unlink(run_file);
	snprintf(key_dir, sizeof(key_dir), "%s/" KEY, run_dir);
	chmod(key_dir, 0750);
	check_refused(VPN_EPERM, "open to others");
	chmod(key_dir, 0700);
	if (geteuid() == 0) {
		assert_int_equal(chown(key_dir, 1234, 0), 0);
		check_refused(VPN_EPERM, "belongs to user 1234");
		assert_int_equal(chown(key_dir, 0, 0), 0);
	}
	chmod(lib_dir, 0757);
	check_refused(VPN_EPERM, "chmod go-w");
}

/* ---- no room ------------------------------------------------------------------------------------- */

/* In a child, whose files may not be longer than `limit`: how many changes it could write, each of which
 * it would then make. */
static int add_with_limit(rlim_t limit)
{
	uint64_t number;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, limit});
	struct vpn_error err = VPN_ERROR_INIT;
	struct journal *j = journal_open(KEY, STATE_ROLE_RUN, 0, &err);
	int made = 0;
	while (j != NULL && made < 100 && try_add(j, 0, "a change", &number) == VPN_OK)
		made++;
	return made;
}

static void a_full_disk_loses_no_change_that_was_made(void **state)
{
	(void)state;
	for (rlim_t limit = 0; limit < 700; limit += 7) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			_exit(add_with_limit(limit));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		struct journal *j = open_journal();
		assert_int_equal(j->n_entries, WEXITSTATUS(status));
		while (j->n_entries > 0)
			journal_forget(j, j->entries[0]->number);
		journal_close(j);
		assert_false(exists(run_file));
	}
}

/* ---- the lock ------------------------------------------------------------------------------------ */

static void one_at_a_time(void **state)
{
	struct journal *j = open_journal();
	(void)state;
	check_refused(VPN_EBUSY, "\"" KEY "\" runs already");
	journal_close(j);
	j = open_journal();
	journal_close(j);
}

/* Holds the journal in a child as `role` until it is killed; returns when it has it. */
static pid_t hold(enum state_role role)
{
	int ends[2];
	char byte;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct vpn_error err = VPN_ERROR_INIT;
		struct journal *j = journal_open(KEY, role, 0, &err);
		if (j != NULL && write(ends[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void waits_for_one_who_undoes_and_not_for_a_pipeline(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	(void)state;
	pid_t pid = hold(STATE_ROLE_UNDO);
	assert_null(journal_open(KEY, STATE_ROLE_RUN, 60, &err));
	assert_int_equal(err.status, VPN_EBUSY);
	assert_non_null(strstr(err.text, "is undoing"));
	end(pid);
	pid = hold(STATE_ROLE_RUN);
	assert_null(
		journal_open(KEY, STATE_ROLE_UNDO, 60000, &err)); /* or this test does not end */
	assert_int_equal(err.status, VPN_EBUSY);
	end(pid);
	journal_close(open_journal());
}

static void write_lock(const char *text)
{
	char path[96];
	snprintf(path, sizeof(path), "%s/" KEY "/lock", run_dir);
	spill(path, (const uint8_t *)text, strlen(text));
}

/* Numbers of processes mean nothing across containers; the lock does. */
static void a_pipeline_of_another_container_runs_while_it_has_the_lock(void **state)
{
	struct vpn_error err = VPN_ERROR_INIT;
	char text[64];
	(void)state;
	pid_t pid = hold(STATE_ROLE_RUN);
	write_lock("4194304 run 7\n"); /* no such process here: pid_max of the kernel is 2^22 */
	assert_null(
		journal_open(KEY, STATE_ROLE_UNDO, 60000, &err)); /* or this test does not end */
	assert_int_equal(err.status, VPN_EBUSY);
	assert_non_null(strstr(err.text, "runs already (process 4194304 of another container)"));
	write_lock("4194304 undo 7\n");
	assert_null(journal_open(KEY, STATE_ROLE_RUN, 60, &err));
	assert_non_null(strstr(err.text, "process 4194304 of another container is undoing"));
	end(pid);
	/* nobody has it, whoever lives under that number now */
	snprintf(text, sizeof(text), "%ld run %llu\n", (long)getpid(),
		 (unsigned long long)origin_pid_namespace());
	write_lock(text);
	journal_close(open_journal());
}

static void key_names(void **state)
{
	char key[STATE_KEY_MAX];
	(void)state;
	state_dir_key("a.b-c_1", key);
	assert_true(state_dir_key_is_valid(key));
	assert_true(state_dir_key_is_valid("site@12"));
	assert_false(state_dir_key_is_valid(""));
	assert_false(state_dir_key_is_valid("site@"));
	assert_false(state_dir_key_is_valid("site@1x"));
	assert_false(state_dir_key_is_valid("@1"));
	assert_false(state_dir_key_is_valid("../etc"));
	assert_false(state_dir_key_is_valid(".."));
	assert_false(state_dir_key_is_valid("a/b"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_changes_of_both_files_in_their_order),
		TEST(leaves_nothing_when_nothing_is_left_to_undo),
		TEST(files_are_ours_alone),
		TEST(a_file_does_not_grow_for_ever),
		TEST(a_file_torn_at_any_byte_gives_what_stands_before),
		TEST(rubbish_in_the_middle_hides_what_comes_behind),
		TEST(kernel_state_of_another_boot_is_dropped_and_files_are_not),
		TEST(changes_in_another_network_namespace_are_told),
		TEST(changes_of_another_network_namespace_are_put_aside_for_it),
		TEST(nothing_is_moved_into_a_journal_that_is_in_use_or_not_empty),
		TEST(files_go_to_the_successor_of_the_first_namespace),
		TEST(the_oldest_that_were_put_aside_go),
		TEST(refuses_files_and_folders_that_are_not_ours_alone),
		TEST(a_full_disk_loses_no_change_that_was_made),
		TEST(one_at_a_time),
		TEST(waits_for_one_who_undoes_and_not_for_a_pipeline),
		TEST(a_pipeline_of_another_container_runs_while_it_has_the_lock),
		TEST(key_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
