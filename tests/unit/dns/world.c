/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "record.h"

extern const struct vpn_plugin vpncore_plugin_v1;

static struct world *world;
char world_folder[64];
char world_path[96];

static void host_log(const struct vpn_host *host, uint32_t level, const char *text)
{
	size_t at = strlen(world->logged);
	(void)host;
	(void)level;
	snprintf(world->logged + at, sizeof(world->logged) - at, "%s\n", text);
}

static void host_random(const struct vpn_host *host, void *buf, size_t len)
{
	static unsigned char next;
	(void)host;
	memset(buf, ++next, len);
}

static vpn_status journal_add(void *inst, uint32_t flags, const void *data, uint32_t len,
			      uint64_t *ret_id, struct vpn_error *err)
{
	(void)inst;
	if (world->journal_fails) {
		strcpy(err->text, "the journal is full");
		err->status = VPN_EIO;
		return VPN_EIO;
	}
	assert_true(world->n < WORLD_RECORDS && len <= VPN_JOURNAL_BYTES_MAX);
	struct world_record *r = &world->records[world->n];
	r->flags = flags;
	r->len = len;
	memcpy(r->data, data, len);
	r->is_there = true;
	*ret_id = world->n++;
	return VPN_OK;
}

static void journal_forget(void *inst, uint64_t id)
{
	(void)inst;
	world->records[id].is_there = false;
}

static vpn_status journal_undo(void *inst, uint64_t id, struct vpn_error *err)
{
	struct world_record *r = &world->records[id];
	(void)inst;
	vpn_status status = dns_file_record_undo(world_host(), r->flags, r->data, r->len, err);
	if (status == VPN_OK)
		r->is_there = false;
	return status;
}

static const struct vpn_journal_ext journal = {.size = sizeof(journal),
					       .add = journal_add,
					       .forget = journal_forget,
					       .undo = journal_undo};

static vpn_status loop_watch(void *inst, int fd, uint32_t events,
			     void (*ready)(void *ctx, int fd, uint32_t events), void *ctx)
{
	(void)inst;
	(void)fd;
	(void)events;
	(void)ready;
	(void)ctx;
	return VPN_OK;
}

static const struct vpn_loop_ext loop = {.size = sizeof(loop), .watch = loop_watch};

static struct vpn_reconciler *reconcile_open(void *inst, const struct vpn_reconcile *spec)
{
	static struct vpn_reconcile copy;
	(void)inst;
	copy = *spec;
	return (void *)&copy;
}

static void reconcile_nothing(struct vpn_reconciler *r)
{
	(void)r;
}

static const struct vpn_reconcile_ext reconcile = {.size = sizeof(reconcile),
						   .open = reconcile_open,
						   .stir = reconcile_nothing,
						   .close = reconcile_nothing};

static const void *get_service(const struct vpn_host *host, const char *id, void **ret_inst)
{
	(void)host;
	*ret_inst = NULL;
	if (strcmp(id, VPN_EXT_JOURNAL) == 0)
		return &journal;
	if (strcmp(id, VPN_EXT_LOOP) == 0)
		return &loop;
	return strcmp(id, VPN_EXT_RECONCILE) == 0 ? &reconcile : NULL;
}

const struct vpn_host *world_host(void)
{
	static const struct vpn_host host = {.size = sizeof(host),
					     .log_level = VPN_LOG_DEBUG,
					     .name = "file",
					     .pipeline = "a",
					     .log = host_log,
					     .random = host_random,
					     .get_service = get_service};
	return &host;
}

const struct vpn_component *world_component(void)
{
	return vpncore_plugin_v1.components[0];
}

struct world *world_new(void)
{
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert_true(world != MAP_FAILED);
	strcpy(world_folder, "/tmp/vpncore-dns-XXXXXX");
	assert_non_null(mkdtemp(world_folder));
	snprintf(world_path, sizeof(world_path), "%s/resolv.conf", world_folder);
	return world;
}

static void join(const char *name, char path[512])
{
	snprintf(path, 512, "%s/%s", world_folder, name);
}

void world_free(struct world *w)
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(world_folder);
	while (d != NULL && (e = readdir(d)) != NULL) {
		join(e->d_name, path);
		unlink(path);
	}
	closedir(d);
	rmdir(world_folder);
	munmap(w, sizeof(*w));
}

const struct dns_file_options *world_options(void)
{
	static const struct vpn_address server = {.family = VPN_AF_INET, .addr = {10, 78, 0, 1}};
	static const char *const search[] = {"corp.example"};
	static struct dns_file_options o;
	o = (struct dns_file_options){
		.common = {.servers = {&server, 1, sizeof(server)},
			   .search = {search, 1, sizeof(search[0])},
			   .server_routes = 1},
		.path = world_path,
	};
	return &o;
}

void world_write(const char *name, const char *text)
{
	char path[512];
	join(name, path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

void world_read(const char *name, char *buf, size_t cap)
{
	char path[512];
	join(name, path);
	FILE *f = fopen(path, "r");
	buf[0] = '\0';
	if (f == NULL)
		return;
	buf[fread(buf, 1, cap - 1, f)] = '\0';
	fclose(f);
}

static int add_entry(const char *name, char *buf, size_t cap)
{
	char path[512], text[4096];
	struct stat st;
	join(name, path);
	assert_int_equal(lstat(path, &st), 0);
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(path, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
	} else {
		world_read(name, text, sizeof(text));
	}
	return snprintf(buf, cap, "%s %o:\n%s\n", name, st.st_mode, text);
}

void world_picture(char *buf, size_t cap)
{
	struct dirent **names;
	int n = scandir(world_folder, &names, NULL, alphasort);
	size_t at = 0;
	buf[0] = '\0';
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.')
			at += (size_t)add_entry(names[i]->d_name, buf + at, cap - at);
		free(names[i]);
	}
	free(names);
	assert_true(at < cap);
}

uint32_t world_undo_all(void)
{
	uint32_t failed = 0;
	for (uint32_t i = world->n; i-- > 0;) {
		struct vpn_error err = {.size = sizeof(err)};
		if (world->records[i].is_there && journal_undo(NULL, i, &err) != VPN_OK)
			failed++;
	}
	return failed;
}

uint32_t world_count(void)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < world->n; i++)
		n += world->records[i].is_there;
	return n;
}
