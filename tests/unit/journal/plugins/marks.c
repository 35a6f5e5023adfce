/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * marks: a routes and a dns component whose changes are files in a folder: change i writes "ours" into
 * FOLDER/KIND.i, whatever was there before comes back when it is undone. They die, fail and linger where
 * they are told to, so that a test can look at what is left.
 *
 * Each of these is one step, counted from 1 over the life of the process:
 *   apply:   before a record is written, between record and change, behind the change
 *   revert:  before a change is undone, between undoing and forgetting
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vpncore/plugin.h>

#define CONTENT_MAX 64u
#define PATH_ROOM   256u
#define TICK_NS     UINT64_C(20000000)
#define ABSENT      "\x01" /* there was no such file */

struct config {
	const char *folder;
	uint64_t changes;
	uint64_t kill_at; /* step */
	uint64_t fail_at; /* change that apply() cannot make */
	uint32_t keep;
	uint32_t leave; /* revert() does nothing: the host undoes */
	uint32_t files;
	uint32_t repair;    /* looks every 20 ms whether the files are as they shall be */
	uint32_t no_reaper; /* dies with its reaper */
};

struct marks {
	const struct vpn_host *host;
	const struct config *config;
	const char *kind;
	const struct vpn_journal_ext *journal;
	void *journal_inst;
	uint64_t *ids;
	uint64_t n;
	const struct vpn_loop_ext *loop;
	void *loop_inst;
	const struct vpn_reconcile_ext *reconcile;
	struct vpn_reconciler *reconciler;
};

/* How to undo one change. */
struct note {
	char path[PATH_ROOM];
	char before[CONTENT_MAX];
};

static uint64_t steps;

/* Kills "vpncore reap PIPELINE ..." before it can do anything. */
static void kill_reaper(const char *pipeline)
{
	char wanted[128], path[300], line[128];
	int n = snprintf(wanted, sizeof(wanted), "vpncore%creap%c%.64s", 0, 0, pipeline);
	DIR *proc = opendir("/proc");
	for (const struct dirent *e = proc != NULL ? readdir(proc) : NULL; e != NULL;
	     e = readdir(proc)) {
		snprintf(path, sizeof(path), "/proc/%.200s/cmdline", e->d_name);
		FILE *f = fopen(path, "re");
		size_t len = f != NULL ? fread(line, 1, sizeof(line), f) : 0;
		if (len > (size_t)n && memcmp(line, wanted, (size_t)n) == 0)
			kill((pid_t)strtol(e->d_name, NULL, 10), SIGKILL);
		if (f != NULL)
			fclose(f);
	}
	if (proc != NULL)
		closedir(proc);
}

static void step(const struct marks *m)
{
	if (++steps != m->config->kill_at)
		return;
	if (m->config->no_reaper != 0)
		kill_reaper(m->host->pipeline);
	raise(SIGKILL);
}

/* The content of a file, or ABSENT. */
static void look(const char *path, char content[CONTENT_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, content, CONTENT_MAX - 1) : -1;
	if (fd >= 0)
		close(fd);
	if (n < 0)
		snprintf(content, CONTENT_MAX, "%s", ABSENT);
	else
		content[n] = '\0';
}

static vpn_status set(const char *path, const char *content, struct vpn_error *err)
{
	if (strcmp(content, ABSENT) == 0 && (unlink(path) == 0 || errno == ENOENT))
		return VPN_OK;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t len = strlen(content);
	bool good = fd >= 0 && write(fd, content, len) == (ssize_t)len;
	int e = errno;
	if (fd >= 0)
		close(fd);
	if (good)
		return VPN_OK;
	err->os_errno = e;
	snprintf(err->text, sizeof(err->text), "%.200s cannot be written", path);
	return err->status = VPN_EIO;
}

/* FOLDER/die has the number of a call of undo() in one process that is its last. */
static void die_when_told(const char *path)
{
	static unsigned long calls;
	char die[PATH_ROOM + 8], content[CONTENT_MAX];
	const char *slash = strrchr(path, '/');
	snprintf(die, sizeof(die), "%.*s/die", (int)(slash - path), path);
	look(die, content);
	if (strtoul(content, NULL, 10) != ++calls)
		return;
	unlink(die);
	raise(SIGKILL);
}

static vpn_status undo(const struct vpn_host *host, uint32_t flags, const void *data, uint32_t len,
		       struct vpn_error *err)
{
	const struct note *n = data;
	char now[CONTENT_MAX];
	(void)flags;
	if (len != sizeof(*n) || memchr(n->path, '\0', sizeof(n->path)) == NULL ||
	    memchr(n->before, '\0', sizeof(n->before)) == NULL || n->path[0] != '/') {
		snprintf(err->text, sizeof(err->text), "not a note of this plugin");
		return err->status = VPN_EINVAL;
	}
	die_when_told(n->path);
	look(n->path, now);
	if (strcmp(now, "refuse") == 0) {
		snprintf(err->text, sizeof(err->text), "%.200s refuses", n->path);
		return err->status = VPN_EBUSY;
	}
	if (strcmp(now, "ours") == 0)
		return set(n->path, n->before, err);
	if (strcmp(now, n->before) != 0)
		host->log(host, VPN_LOG_WARN, "changed by somebody else: left alone");
	return VPN_OK;
}

static void path_of(const struct marks *m, uint64_t i, char path[PATH_ROOM])
{
	snprintf(path, PATH_ROOM, "%.200s/%s.%llu", m->config->folder, m->kind,
		 (unsigned long long)i);
}

static vpn_status change(struct marks *m, uint64_t i, struct vpn_error *err)
{
	struct note n = {.path = ""};
	uint32_t flags = m->config->keep != 0 ? VPN_JOURNAL_KEEP : 0;
	if (m->config->files != 0)
		flags |= VPN_JOURNAL_FILES;
	path_of(m, i, n.path);
	look(n.path, n.before);
	step(m);
	vpn_status status = m->journal->add(m->journal_inst, flags, &n, sizeof(n), &m->ids[i], err);
	if (status != VPN_OK)
		return status;
	m->n = i + 1;
	step(m);
	if (i + 1 == m->config->fail_at) {
		snprintf(err->text, sizeof(err->text), "told to fail at change %llu",
			 (unsigned long long)m->config->fail_at);
		return err->status = VPN_EBUSY;
	}
	status = set(n.path, "ours", err);
	step(m);
	return status;
}

static int count_one(void *ctx, uint64_t id, uint32_t flags, const void *data, uint32_t len)
{
	(void)id;
	(void)flags;
	(void)data;
	(void)len;
	++*(unsigned *)ctx;
	return 0;
}

/* What the reconciler runs: no record is needed for a change that has one already. */
static int32_t repair(void *ctx)
{
	struct marks *m = ctx;
	struct vpn_error err = {.size = sizeof(err)};
	char path[PATH_ROOM], now[CONTENT_MAX];
	int32_t repairs = 0;
	for (uint64_t i = 0; i < m->n; i++) {
		path_of(m, i, path);
		look(path, now);
		if (strcmp(now, "ours") == 0)
			continue;
		if (set(path, "ours", &err) != VPN_OK)
			return err.status;
		repairs++;
	}
	return repairs;
}

static void fight(void *ctx, uint32_t repairs)
{
	const struct marks *m = ctx;
	(void)repairs;
	m->host->log(m->host, VPN_LOG_WARN, "somebody else undoes what is done here");
}

static void on_tick(void *ctx)
{
	struct marks *m = ctx;
	m->reconcile->stir(m->reconciler);
	m->loop->arm(m->loop_inst, m->host->now_ns(m->host) + TICK_NS, on_tick, m);
}

static vpn_status begin_repairs(struct marks *m)
{
	void *inst;
	const struct vpn_reconcile spec = {.size = sizeof(spec),
					   .settle_ms = 5,
					   .most = 3,
					   .window_ms = 60000,
					   .ctx = m,
					   .run = repair,
					   .fight = fight};
	m->loop = m->host->get_service(m->host, VPN_EXT_LOOP, &m->loop_inst);
	m->reconcile = m->host->get_service(m->host, VPN_EXT_RECONCILE, &inst);
	if (m->loop == NULL || m->reconcile == NULL)
		return VPN_ENOTSUP;
	m->reconciler = m->reconcile->open(inst, &spec);
	if (m->reconciler == NULL)
		return VPN_ENOMEM;
	on_tick(m);
	return VPN_OK;
}

static vpn_status apply(void *inst, const struct vpn_device_info *device, struct vpn_error *err)
{
	struct marks *m = inst;
	char text[96];
	unsigned n = 0;
	vpn_status status = VPN_OK;
	for (uint64_t i = 0; i < m->config->changes && status == VPN_OK; i++)
		status = change(m, i, err);
	m->journal->each(m->journal_inst, count_one, &n);
	snprintf(text, sizeof(text), "on %.32s, %u records", device->name, n);
	m->host->log(m->host, VPN_LOG_INFO, text);
	return status == VPN_OK && m->config->repair != 0 ? begin_repairs(m) : status;
}

static vpn_status revert(void *inst, struct vpn_error *err)
{
	struct marks *m = inst;
	vpn_status worst = VPN_OK;
	if (m->reconciler != NULL) {
		m->reconcile->close(m->reconciler);
		m->loop->arm(m->loop_inst, 0, on_tick, m);
		m->reconciler = NULL;
	}
	if (m->config->keep != 0 || m->config->leave != 0)
		return VPN_OK;
	while (m->n > 0) {
		step(m);
		vpn_status status = m->journal->undo(m->journal_inst, m->ids[--m->n], err);
		if (status != VPN_OK)
			worst = status;
		step(m);
	}
	return worst;
}

static vpn_status create_of(const char *kind, const struct vpn_host *host, const void *config,
			    void **inst)
{
	struct marks *m = calloc(1, sizeof(*m));
	const struct config *c = config;
	*inst = m;
	if (m == NULL || (m->ids = calloc(c->changes + 1, sizeof(*m->ids))) == NULL)
		return VPN_ENOMEM;
	m->host = host;
	m->config = c;
	m->kind = kind;
	return VPN_OK;
}

static vpn_status create_routes(const struct vpn_host *host, const void *config, void **inst,
				struct vpn_error *err)
{
	(void)err;
	return create_of("routes", host, config, inst);
}

static vpn_status create_dns(const struct vpn_host *host, const void *config, void **inst,
			     struct vpn_error *err)
{
	(void)err;
	return create_of("dns", host, config, inst);
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct marks *m = inst;
	(void)lanes;
	m->journal = m->host->get_service(m->host, VPN_EXT_JOURNAL, &m->journal_inst);
	if (m->journal != NULL)
		return VPN_OK;
	snprintf(err->text, sizeof(err->text), "needs a vpncore with a journal (ABI 1.2)");
	return err->status = VPN_ENOTSUP;
}

static void stop(void *inst)
{
	(void)inst;
}

static void destroy(void *inst)
{
	struct marks *m = inst;
	if (m != NULL)
		free(m->ids);
	free(m);
}

static const struct vpn_option options[] = {
	{.name = "folder",
	 .min = 2,
	 .max = 200,
	 .type = VPN_OPT_STRING,
	 .flags = VPN_OPT_REQUIRED,
	 .offset = offsetof(struct config, folder)},
	{.name = "changes",
	 .dflt = "3",
	 .max = 100,
	 .type = VPN_OPT_UINT,
	 .offset = offsetof(struct config, changes)},
	{.name = "kill_at", .type = VPN_OPT_UINT, .offset = offsetof(struct config, kill_at)},
	{.name = "fail_at", .type = VPN_OPT_UINT, .offset = offsetof(struct config, fail_at)},
	{.name = "keep", .type = VPN_OPT_BOOL, .offset = offsetof(struct config, keep)},
	{.name = "leave", .type = VPN_OPT_BOOL, .offset = offsetof(struct config, leave)},
	{.name = "no_reaper", .type = VPN_OPT_BOOL, .offset = offsetof(struct config, no_reaper)},
	{.name = "repair", .type = VPN_OPT_BOOL, .offset = offsetof(struct config, repair)},
	{.name = "files", .type = VPN_OPT_BOOL, .offset = offsetof(struct config, files)},
};

static const struct vpn_option_table table = VPN_OPTION_TABLE(options, struct config);

static const struct vpn_lifecycle routes_life = {.size = sizeof(routes_life),
						 .options = &table,
						 .create = create_routes,
						 .start = start,
						 .stop = stop,
						 .destroy = destroy};
static const struct vpn_lifecycle dns_life = {.size = sizeof(dns_life),
					      .options = &table,
					      .create = create_dns,
					      .start = start,
					      .stop = stop,
					      .destroy = destroy};
static const struct vpn_plan plan = {.size = sizeof(plan), .apply = apply, .revert = revert};

static const struct vpn_component routes = {.size = sizeof(routes),
					    .kind = VPN_KIND_ROUTES,
					    .id = "test-marks",
					    .summary = "writes files",
					    .lifecycle = &routes_life,
					    .plan = &plan,
					    .undo = undo};
static const struct vpn_component dns = {.size = sizeof(dns),
					 .kind = VPN_KIND_DNS,
					 .id = "test-marks",
					 .summary = "writes files",
					 .lifecycle = &dns_life,
					 .plan = &plan,
					 .undo = undo};

static const struct vpn_component *const components[] = {&routes, &dns, NULL};

VPN_PLUGIN(test_marks, "test-marks", "1.0", "BSD-2-Clause", "", "", components);
