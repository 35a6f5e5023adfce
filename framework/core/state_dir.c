/* SPDX-License-Identifier: BSD-2-Clause */
#include "state_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "array.h"
#include "fault.h"
#include "loader.h"
#include "origin.h"

#define LOCK        "lock"
#define RETRY_MS    20u
#define FAR_LOOKS   5u /* a holder writes right after it has the lock */
#define PATH_ROOM   512u
#define FOLDER_MODE 0700
#define BASE_MODE   0755 /* names of pipelines are no secret; what they did is */

static const char *places[STATE_PLACES] = {VPNCORE_RUN_DIR, VPNCORE_STATE_DIR};

void state_dir_set(const char *run, const char *lib)
{
	places[STATE_RUN] = run != NULL ? run : VPNCORE_RUN_DIR;
	places[STATE_LIB] = lib != NULL ? lib : VPNCORE_STATE_DIR;
}

const char *state_dir_path(enum state_place place)
{
	return places[place];
}

void state_dir_key(const char *pipeline, char key[STATE_KEY_MAX])
{
	struct origin here;
	if (origin_is_first_netns(true)) {
		snprintf(key, STATE_KEY_MAX, "%s", pipeline);
		return;
	}
	origin_here(&here);
	state_dir_key_of(pipeline, here.netns, key);
}

void state_dir_key_of(const char *pipeline, uint64_t netns, char key[STATE_KEY_MAX])
{
	snprintf(key, STATE_KEY_MAX, "%s@%" PRIu64, pipeline, netns);
}

bool state_dir_key_is_valid(const char *key)
{
	char name[STATE_KEY_MAX];
	size_t n = strcspn(key, "@");
	if (strlen(key) >= sizeof(name))
		return false;
	memcpy(name, key, n);
	name[n] = '\0';
	const char *number = key[n] == '@' ? key + n + 1 : "0";
	return loader_id_is_valid(name) && *number != '\0' &&
	       strspn(number, "0123456789") == strlen(number);
}

static vpn_status vet_folder(int fd, const char *path, mode_t forbidden, struct vpn_error *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return fault(err, VPN_EIO, errno, "%s cannot be looked at", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fault(
			err, VPN_EPERM, 0,
			"%s belongs to user %u, who is neither root nor you: find out who made "
			"it, then remove it",
			path, (unsigned)st.st_uid);
	if ((st.st_mode & forbidden) != 0)
		return fault(err, VPN_EPERM, 0, "%s is open to others (mode %04o); chmod %s %s",
			     path, (unsigned)(st.st_mode & 07777),
			     forbidden == (S_IWGRP | S_IWOTH) ? "go-w" : "go-rwx", path);
	return VPN_OK;
}

vpn_status state_dir_vet_file(int fd, const char *path, struct vpn_error *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return fault(err, VPN_EIO, errno, "%s cannot be looked at", path);
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
		return fault(err, VPN_EPERM, 0,
			     "%s is not a regular file with one name: find out who made it, then "
			     "remove it",
			     path);
	return vet_folder(fd, path, S_IRWXG | S_IRWXO, err);
}

/* A folder below `base` (or AT_FDCWD), made when it is not there and `create` says so. */
static int open_folder(int base, const char *name, const char *path, bool create, mode_t mode,
		       struct vpn_error *err)
{
	bool made = create && mkdirat(base, name, mode) == 0;
	if (create && !made && errno != EEXIST) {
		bool barred = errno == EACCES || errno == EPERM;
		fault(err,
		      barred            ? VPN_EPERM
		      : errno == ENOENT ? VPN_ENOENT
					: VPN_EIO,
		      errno, "%s cannot be made%s", path,
		      barred ? ": what changes the system's configuration needs root" : "");
		return -1;
	}
	int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		fault(err,
		      errno == ENOENT   ? VPN_ENOENT
		      : errno == EACCES ? VPN_EPERM
					: VPN_EIO,
		      errno, "%s cannot be opened%s", path,
		      errno == EACCES ? ", which needs root" : "");
		return -1;
	}
	mode_t forbidden = mode == BASE_MODE ? S_IWGRP | S_IWOTH : S_IRWXG | S_IRWXO;
	if (made && base != AT_FDCWD && fsync(base) != 0)
		fault(err, VPN_EIO, errno, "%s cannot be written", path);
	else if (vet_folder(fd, path, forbidden, err) == VPN_OK)
		return fd;
	close(fd);
	return -1;
}

static int open_base(enum state_place place, bool create, struct vpn_error *err)
{
	return open_folder(AT_FDCWD, places[place], places[place], create, BASE_MODE, err);
}

int state_dir_open(enum state_place place, const char *key, bool create, struct vpn_error *err)
{
	char path[PATH_ROOM];
	int base = open_base(place, create, err);
	if (base < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", places[place], key);
	int fd = open_folder(base, key, path, create, FOLDER_MODE, err);
	close(base);
	return fd;
}

void state_dir_remove(enum state_place place, const char *key)
{
	struct vpn_error ignored = VPN_ERROR_INIT; /* it stays, empty: nothing is lost */
	int base = open_base(place, false, &ignored);
	if (base < 0)
		return;
	(void)unlinkat(base, key, AT_REMOVEDIR);
	close(base);
}

/* ---- all instances ------------------------------------------------------------------------------- */

struct keys {
	char **list;
	size_t n;
};

static bool add_key(struct keys *k, const char *name)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->list[i], name) == 0)
			return true;
	char **grown = array_resize(k->list, k->n + 1, sizeof(*grown));
	if (grown == NULL)
		return false;
	k->list = grown;
	k->list[k->n] = strdup(name);
	k->n += k->list[k->n] != NULL;
	return k->list[k->n - 1] != NULL;
}

static vpn_status read_keys(enum state_place place, struct keys *k, struct vpn_error *err)
{
	int base = open_base(place, false, err);
	if (base < 0)
		return err->status == VPN_ENOENT ? VPN_OK : err->status;
	DIR *dir = fdopendir(base);
	if (dir == NULL) {
		close(base);
		return fault(err, VPN_ENOMEM, 0, "out of memory");
	}
	vpn_status status = VPN_OK;
	for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
		if (state_dir_key_is_valid(e->d_name) && !add_key(k, e->d_name))
			status = fault(err, VPN_ENOMEM, 0, "out of memory");
	closedir(dir);
	return status;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

vpn_status state_dir_each(void (*fn)(void *ctx, const char *key), void *ctx, struct vpn_error *err)
{
	struct keys k = {0};
	vpn_status status = read_keys(STATE_RUN, &k, err);
	if (status == VPN_OK)
		status = read_keys(STATE_LIB, &k, err);
	if (k.n > 1)
		qsort(k.list, k.n, sizeof(*k.list), compare);
	for (size_t i = 0; i < k.n; i++) {
		if (status == VPN_OK)
			fn(ctx, k.list[i]);
		free(k.list[i]);
	}
	free(k.list);
	return status;
}

/* ---- the lock ------------------------------------------------------------------------------------ */

/* Who has it, as it wrote: "1234 run 4026531836", with the namespace that its number is of. */
struct holder {
	long pid;
	uint64_t space;
	bool runs;
	unsigned looks; /* in a row that have shown the same */
};

static void parse_holder(const char *text, struct holder *h)
{
	char *role, *end;
	long pid = strtol(text, &role, 10);
	size_t n = *role == ' ' ? strcspn(role + 1, " ") : 0;
	if (pid <= 0 || n == 0 || role[1 + n] != ' ')
		return;
	const char *space = role + n + 2;
	h->space = strtoull(space, &end, 10);
	if (end == space)
		return;
	h->pid = pid;
	h->runs = n == 3 && strncmp(role + 1, "run", n) == 0;
}

static void read_holder(int fd, struct holder *h)
{
	char text[64] = "";
	struct holder now = {0};
	if (pread(fd, text, sizeof(text) - 1, 0) > 0)
		parse_holder(text, &now);
	now.looks = now.pid == h->pid && now.space == h->space && now.runs == h->runs ? h->looks + 1
										      : 1;
	*h = now;
}

static bool is_near(const struct holder *h)
{
	return h->space == origin_pid_namespace();
}

/*
 * Whether a running pipeline has it. A holder that has not written yet (what is there is of one that is
 * dead) will soon: in our own namespace of processes the dead one is seen to be dead; a number of another
 * one (a container that shares the folder) says nothing here, and the same for a while is enough. The
 * lock itself is what tells the living from the dead, wherever they are.
 */
static bool is_running(const struct holder *h)
{
	if (!h->runs)
		return false;
	if (!is_near(h))
		return h->looks >= FAR_LOOKS;
	return kill((pid_t)h->pid, 0) == 0 || errno != ESRCH;
}

static void sign(int fd, enum state_role role)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%ld %s %" PRIu64 "\n", (long)getpid(),
			 role == STATE_ROLE_RUN ? "run" : "undo", origin_pid_namespace());
	/* for messages only: a full disk takes nothing from the lock */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) != n)
		(void)ftruncate(fd, 0);
}

/* Whether the file that was locked is still the one that others would find. */
static bool is_current(int folder, int fd)
{
	struct stat ours, there;
	return fstat(fd, &ours) == 0 && fstatat(folder, LOCK, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

static int open_lock(int folder, const char *key, struct vpn_error *err)
{
	char path[PATH_ROOM];
	int fd = openat(folder, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	snprintf(path, sizeof(path), "%s/%s/" LOCK, places[STATE_RUN], key);
	if (fd < 0) {
		fault(err, errno == ENOENT ? VPN_ENOENT : VPN_EIO, errno, "%s cannot be opened",
		      path);
		return -1;
	}
	if (state_dir_vet_file(fd, path, err) == VPN_OK)
		return fd;
	close(fd);
	return -1;
}

static vpn_status busy(const char *key, const struct holder *h, struct vpn_error *err)
{
	const char *where = is_near(h) ? "" : " of another container";
	int n = (int)strcspn(key, "@");
	if (is_running(h))
		return fault(err, VPN_EBUSY, 0,
			     "a pipeline \"%.*s\" runs already (process %ld%s); give this one "
			     "another \"name\"",
			     n, key, h->pid, where);
	return fault(err, VPN_EBUSY, 0,
		     "process %ld%s is undoing what the pipeline \"%.*s\" has left; try again "
		     "when it is ready",
		     h->pid, where, n, key);
}

int state_dir_lock(int folder, const char *key, enum state_role role, unsigned wait_ms,
		   struct vpn_error *err)
{
	const struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};
	struct holder holder = {0};
	for (unsigned waited = 0;; waited += RETRY_MS) {
		int fd = open_lock(folder, key, err);
		if (fd < 0)
			return -1;
		bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
		if (locked && is_current(folder, fd)) {
			sign(fd, role);
			return fd;
		}
		read_holder(fd, &holder);
		close(fd);
		if (locked)
			continue;
		if ((is_running(&holder) && role != STATE_ROLE_REAP) || waited >= wait_ms) {
			busy(key, &holder, err);
			return -1;
		}
		nanosleep(&pause, NULL);
	}
}

void state_dir_unlock(int folder, int lock)
{
	if (lock < 0)
		return;
	(void)unlinkat(folder, LOCK, 0);
	close(lock);
}
