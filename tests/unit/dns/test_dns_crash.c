/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of dns/file: the process dies in front of each system call that changes a file, on the way there, in
 * a repair and on the way back; and whoever undoes it dies at each of its own. Afterwards the folder is byte
 * for byte as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "place.h"
#include "record.h"
#include "world.h"

#define ALIVE   0
#define DEAD    42
#define PICTURE 16384

/* Calls until the end; counted in the child. `in_place` has the calls fail that a mounted file refuses. */
static int left = INT_MAX;
static bool in_place;
static size_t tear; /* pwrite() writes so many bytes first, and dies */

int __real_open(const char *path, int flags, ...);
int __real_link(const char *from, const char *to);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
ssize_t __real_pwrite(int fd, const void *buf, size_t n, off_t at);
int __real_ftruncate(int fd, off_t n);
int __real_fchmod(int fd, mode_t mode);
int __real_fsync(int fd);
int __wrap_open(const char *path, int flags, ...);
int __wrap_link(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t n, off_t at);
int __wrap_ftruncate(int fd, off_t n);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fsync(int fd);

static void step(void)
{
	if (left-- == 0)
		_exit(DEAD);
}

int __wrap_open(const char *path, int flags, ...)
{
	if ((flags & O_CREAT) != 0)
		step();
	return __real_open(path, flags, 0644);
}

int __wrap_link(const char *from, const char *to)
{
	step();
	if (!in_place)
		return __real_link(from, to);
	errno = EXDEV;
	return -1;
}

int __wrap_rename(const char *from, const char *to)
{
	step();
	return __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
	step();
	return __real_unlink(path);
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	if (left == 0 && tear > 0)
		(void)!__real_pwrite(fd, buf, tear < n ? tear : n, at);
	step();
	return __real_pwrite(fd, buf, n, at);
}

int __wrap_ftruncate(int fd, off_t n)
{
	step();
	return __real_ftruncate(fd, n);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	step();
	return __real_fchmod(fd, mode);
}

int __wrap_fsync(int fd)
{
	step();
	return __real_fsync(fd);
}

/* ---- lives ---- */

static const char before_text[] = "# of my provider\nnameserver 192.0.2.53\n";
static const char long_text[] =
	"# a long one, so that what we write does not cover it: .................................\n"
	"# ....................................................................................\n"
	"# ....................................................................................\n"
	"# ....................................................................................\n"
	"nameserver 192.0.2.53\nsearch home.example\n";
static const char dhcp_text[] = "# of a DHCP client\nnameserver 198.51.100.53\n";

static void *start(void)
{
	const struct vpn_component *c = world_component();
	const struct vpn_device_info device = {.size = sizeof(device), .name = "wg0"};
	struct vpn_error err = {.size = sizeof(err)};
	void *inst;
	if (c->lifecycle->create(world_host(), world_options(), &inst, &err) != VPN_OK ||
	    c->lifecycle->start(inst, NULL, &err) != VPN_OK ||
	    c->plan->apply(inst, &device, &err) != VPN_OK)
		_exit(1);
	return inst;
}

static void live(void)
{
	start();
}

/* A DHCP client has written its file in place of ours. */
static void live_and_repair(void)
{
	struct vpn_error err = {.size = sizeof(err)};
	bool changed;
	int kept = left;
	left = INT_MAX;
	struct dns_file *f = start();
	world_write("other", dhcp_text);
	char other[128];
	snprintf(other, sizeof(other), "%s/other", world_folder);
	if (in_place)
		world_write("resolv.conf", dhcp_text);
	else if (__real_rename(other, world_path) != 0)
		_exit(1);
	__real_unlink(other);
	left = kept;
	if (dns_file_place(f, &changed, &err) != VPN_OK || !changed)
		_exit(1);
}

static void live_and_stop(void)
{
	const struct vpn_component *c = world_component();
	struct vpn_error err = {.size = sizeof(err)};
	int kept = left;
	left = INT_MAX;
	void *inst = start();
	left = kept;
	if (c->plan->revert(inst, &err) != VPN_OK)
		_exit(1);
	c->lifecycle->stop(inst);
	c->lifecycle->destroy(inst);
}

static void undo(void)
{
	if (world_undo_all() != 0)
		_exit(1);
}

/* Runs it in a child that dies at its n-th call. False when it came to its end alive. */
static bool dies(void (*life)(void), int n)
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		left = n;
		life();
		_exit(ALIVE);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == ALIVE || WEXITSTATUS(status) == DEAD);
	return WEXITSTATUS(status) == DEAD;
}

/* ---- what was there before ---- */

enum scene { SCENE_FILE, SCENE_LINK, SCENE_DANGLING, SCENE_NONE, SCENE_MOUNTED, SCENE_LONG };

static void set_scene(enum scene scene)
{
	in_place = scene == SCENE_MOUNTED || scene == SCENE_LONG;
	if (scene == SCENE_LONG)
		world_write("resolv.conf", long_text);
	else if (scene == SCENE_FILE || scene == SCENE_MOUNTED)
		world_write("resolv.conf", before_text);
	else if (scene == SCENE_LINK)
		world_write("target", before_text);
	if (scene == SCENE_LINK || scene == SCENE_DANGLING)
		assert_int_equal(symlink("target", world_path), 0);
}

/* For each call that life() makes: it dies there; then for each that undoing makes, that dies too. In the
 * end there is what was there before, or `left_behind` and nothing of ours. Returns how many calls life()
 * makes. */
static int try_all(enum scene scene, void (*life)(void), const char *left_behind)
{
	char before[PICTURE], now[PICTURE];
	bool died = true, undo_died;
	int n = 0;
	for (; died; n++) {
		undo_died = true;
		for (int k = 0; undo_died; k++) {
			struct world *w = world_new();
			set_scene(scene);
			world_picture(before, sizeof(before));
			died = dies(life, n);
			undo_died = dies(undo, k);
			if (undo_died)
				assert_false(dies(undo, INT_MAX));
			assert_int_equal(world_count(), 0);
			world_picture(now, sizeof(now));
			if (left_behind == NULL) {
				assert_string_equal(now, before);
			} else {
				assert_non_null(strstr(now, left_behind));
				assert_null(strstr(now, "vpncore"));
			}
			world_free(w);
		}
	}
	return n;
}

static void a_death_on_the_way_there_leaves_nothing(void **state)
{
	(void)state;
	assert_true(try_all(SCENE_FILE, live, NULL) >= 7);
	assert_true(try_all(SCENE_LINK, live, NULL) >= 7);
	assert_true(try_all(SCENE_DANGLING, live, NULL) >= 7);
	assert_true(try_all(SCENE_NONE, live, NULL) >= 6);
	assert_true(try_all(SCENE_MOUNTED, live, NULL) >= 5);
	assert_true(try_all(SCENE_LONG, live, NULL) >= 5);
}

static void a_death_on_the_way_back_leaves_nothing(void **state)
{
	(void)state;
	for (enum scene scene = SCENE_FILE; scene <= SCENE_LONG; scene++)
		assert_true(try_all(scene, live_and_stop, NULL) >= 2);
}

/* What the DHCP client wrote is what has to be there in the end, and no file of ours beside it. */
static void a_death_in_a_repair_leaves_what_the_other_wrote(void **state)
{
	(void)state;
	for (enum scene scene = SCENE_FILE; scene <= SCENE_LONG; scene++)
		assert_true(try_all(scene, live_and_repair, dhcp_text) >= 3);
}

/* A mounted file is overwritten: it may have any part of the new text. */
static void a_torn_write_is_undone(void **state)
{
	(void)state;
	for (enum scene scene = SCENE_MOUNTED; scene <= SCENE_LONG; scene++)
		for (tear = 1; tear < 400; tear += 19)
			for (int n = 0; n < 4; n++) {
				char before[PICTURE], now[PICTURE];
				struct world *w = world_new();
				set_scene(scene);
				world_picture(before, sizeof(before));
				dies(n % 2 == 0 ? live : live_and_stop, n);
				assert_false(dies(undo, INT_MAX));
				world_picture(now, sizeof(now));
				assert_string_equal(now, before);
				world_free(w);
			}
	tear = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_death_on_the_way_there_leaves_nothing),
		cmocka_unit_test(a_death_on_the_way_back_leaves_nothing),
		cmocka_unit_test(a_death_in_a_repair_leaves_what_the_other_wrote),
		cmocka_unit_test(a_torn_write_is_undone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
