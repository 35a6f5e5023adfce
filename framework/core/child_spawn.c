/* SPDX-License-Identifier: BSD-2-Clause */
#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <unistd.h>

static void plan_files(const struct child *c, posix_spawn_file_actions_t *files)
{
	if (c->in >= 0)
		posix_spawn_file_actions_adddup2(files, c->in, STDIN_FILENO);
	else
		posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (c->out >= 0)
		posix_spawn_file_actions_adddup2(files, c->out, STDOUT_FILENO);
	else
		posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (c->err >= 0)
		posix_spawn_file_actions_adddup2(files, c->err, STDERR_FILENO);
	if (!c->bare)
		return;
	posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
	posix_spawn_file_actions_addchdir_np(files, "/");
}

int child_start(const struct child *c, pid_t *ret_pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t all, none;
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	plan_files(c, &files);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr,
				 (short)((c->session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP) |
					 POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
	int e = posix_spawn(ret_pid, c->program, &files, &attr, (char *const *)(uintptr_t)c->argv,
			    c->env != NULL ? c->env : environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return e;
}
