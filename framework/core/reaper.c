/* SPDX-License-Identifier: BSD-2-Clause */
#include "reaper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "fault.h"
#include "log.h"
#include "platform.h"
#include "undo.h"

static const char *program;

void reaper_set_program(const char *path)
{
	program = path;
}

static int start(const char *key, int fd, pid_t *ret_pid)
{
	char level[2] = {(char)('0' + log_level()), '\0'};
	const char *form = log_is_json() ? "json" : "text";
	const char *const argv[] = {"vpncore", REAPER_COMMAND, key, level, form, NULL};
	const struct child child = {
		.program = program, .argv = argv, .in = fd, .out = -1, .err = -1, .session = true};
	return child_start(&child, ret_pid);
}

/* The child forks and ends, so that the reaper is nobody's child. */
static vpn_status wait_for_child(pid_t pid, struct vpn_error *err)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return VPN_OK; /* the program that embeds us takes all children's statuses */
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return VPN_OK;
	return fault(err, VPN_EIO, 0, "%s " REAPER_COMMAND " ended with status %d", program,
		     WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

vpn_status reaper_start(struct reaper *r, const char *key, struct vpn_error *err)
{
	int ends[2];
	pid_t pid;
	r->fd = -1;
	if (program == NULL)
		return fault(err, VPN_ENOTSUP, 0, "no program is known that could wait");
	if (platform_pipe(ends) != 0)
		return fault(err, VPN_EIO, errno, "a pipe cannot be made");
	int e = start(key, ends[0], &pid);
	close(ends[0]);
	vpn_status status = e != 0 ? fault(err, VPN_EIO, e, "%s cannot be run", program)
				   : wait_for_child(pid, err);
	if (status == VPN_OK)
		r->fd = ends[1];
	else
		close(ends[1]);
	return status;
}

void reaper_dismiss(struct reaper *r)
{
	if (r->fd < 0)
		return;
	ssize_t n;
	do {
		n = write(r->fd, "q", 1); /* when it is gone there is nobody to tell */
	} while (n < 0 && errno == EINTR);
	close(r->fd);
	r->fd = -1;
}

/* ---- the other process --------------------------------------------------------------------------- */

/* It ends when its work is done, and not with the session, the service or the lack of memory that has
 * ended the other one. */
static void stand_firm(void)
{
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ};
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	platform_be_spared();
}

/* Whether the other process has died without saying that all is in order. */
static bool has_died(void)
{
	char byte;
	ssize_t n;
	do {
		n = read(STDIN_FILENO, &byte, 1);
	} while (n < 0 && errno == EINTR);
	return n == 0;
}

static int reap(const char *key)
{
	struct vpn_error err = VPN_ERROR_INIT;
	struct undo_result result = {0};
	struct loader *loader = loader_new(&err);
	if (loader == NULL) {
		log_text(VPN_LOG_ERROR, "", err.text);
		return 1;
	}
	log_printf(VPN_LOG_WARN, "", "%s: its process has died; undoing what it has changed", key);
	undo_instance(key, STATE_ROLE_REAP, UNDO_WAIT_MS, loader, 0, &result);
	log_printf(VPN_LOG_INFO, "", "%s: undid %u change%s", key, result.n_undone,
		   result.n_undone == 1 ? "" : "s");
	loader_free(loader);
	return result.n_failed + result.n_unread > 0 ? 1 : 0;
}

int reaper_run(int argc, char **argv)
{
	if (argc != 4 || !state_dir_key_is_valid(argv[1]) || argv[2][0] < '0' ||
	    argv[2][0] > '0' + (int)VPN_LOG_DEBUG)
		return 2;
	log_configure((uint32_t)(argv[2][0] - '0'), strcmp(argv[3], "json") == 0);
	stand_firm(); /* before who waits for us goes on, and trusts that we do */
	platform_close_from(STDERR_FILENO + 1);
	pid_t pid = fork();
	if (pid != 0)
		return pid > 0 ? 0 : 1;
	if (chdir("/") != 0)
		log_text(VPN_LOG_WARN, "", "the reaper keeps its working directory");
	return has_died() ? reap(argv[1]) : 0;
}
