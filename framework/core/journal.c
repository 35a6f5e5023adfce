/* SPDX-License-Identifier: BSD-2-Clause */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "fault.h"
#include "platform.h"
#include "record.h"

#define NEW_FILE    JOURNAL_FILE ".new"
#define FILE_MAX    (64u << 20)  /* a journal is that long only when it is none */
#define SHRINK_FROM (256u << 10) /* bytes, and a quarter or less of it alive: written anew */
#define PATH_ROOM   512u

static void file_path(const struct journal *j, enum state_place place, char path[PATH_ROOM])
{
	snprintf(path, PATH_ROOM, "%s/%s/" JOURNAL_FILE, state_dir_path(place), j->key);
}

enum state_place journal_place_of(uint32_t flags)
{
	return (flags & VPN_JOURNAL_FILES) != 0 ? STATE_LIB : STATE_RUN;
}

/* ---- entries ------------------------------------------------------------------------------------- */

static struct journal_entry *free_entry(struct journal_entry *e)
{
	if (e == NULL)
		return NULL;
	free(e->id);
	free(e->path);
	free(e->data);
	free(e);
	return NULL;
}

static struct journal_entry *copy_entry(const struct record_change *c, uint32_t flags,
					uint64_t number)
{
	struct journal_entry *e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->number = number;
	e->flags = flags;
	e->kind = c->kind;
	e->len = c->len;
	e->id = strndup(c->id, c->id_len);
	e->path = strndup(c->path, c->path_len);
	e->data = malloc(c->len > 0 ? c->len : 1);
	if (e->id == NULL || e->path == NULL || e->data == NULL)
		return free_entry(e);
	if (c->len > 0)
		memcpy(e->data, c->data, c->len);
	return e;
}

/* Puts an entry in its place by number. Those of two files come one file after the other. */
static bool insert(struct journal *j, struct journal_entry *e)
{
	struct journal_entry **grown = array_resize(j->entries, j->n_entries + 1,
						    sizeof(struct journal_entry *));
	if (grown == NULL)
		return false;
	size_t i = j->n_entries++;
	j->entries = grown;
	for (; i > 0 && grown[i - 1]->number > e->number; i--)
		grown[i] = grown[i - 1];
	grown[i] = e;
	return true;
}

static void drop(struct journal *j, size_t i)
{
	free_entry(j->entries[i]);
	j->n_entries--;
	memmove(&j->entries[i], &j->entries[i + 1],
		(j->n_entries - i) * sizeof(struct journal_entry *));
}

static size_t index_of(const struct journal *j, uint64_t number)
{
	size_t low = 0, high = j->n_entries;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (j->entries[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < j->n_entries && j->entries[low]->number == number ? low : SIZE_MAX;
}

struct journal_entry *journal_find(struct journal *j, uint64_t number)
{
	size_t i = index_of(j, number);
	return i != SIZE_MAX ? j->entries[i] : NULL;
}

/* ---- reading ------------------------------------------------------------------------------------- */

static vpn_status take_record(struct journal *j, enum state_place place, const struct record *r,
			      struct vpn_error *err)
{
	struct record_change c;
	uint64_t done;
	if (record_read_change(r, &c) && journal_place_of(r->flags) == place) {
		struct journal_entry *e = copy_entry(&c, r->flags, r->number);
		if (e == NULL || !insert(j, e)) {
			free_entry(e);
			return fault(err, VPN_ENOMEM, 0, "out of memory");
		}
	} else if (record_read_done(r, &done)) {
		size_t i = index_of(j, done);
		if (i != SIZE_MAX && journal_place_of(j->entries[i]->flags) == place)
			drop(j, i);
	}
	return VPN_OK;
}

/* Reads records until one is torn; *ret_whole gets the bytes in front of it. */
static vpn_status take_records(struct journal *j, enum state_place place, const uint8_t *at,
			       size_t n, size_t *ret_whole, struct vpn_error *err)
{
	struct record r;
	uint64_t last = 0;
	size_t size = record_read(at, n, &r);
	*ret_whole = 0;
	if (size == 0 || !record_read_origin(&r, &j->files[place].origin))
		return VPN_OK;
	/* rules and routes of a machine that has started anew are gone */
	bool stale = place == STATE_RUN && origin_is_other_boot(&j->files[place].origin, &j->here);
	for (; size != 0 && r.number > last;
	     size = record_read(at + *ret_whole, n - *ret_whole, &r)) {
		vpn_status status = stale ? VPN_OK : take_record(j, place, &r, err);
		if (status != VPN_OK)
			return status;
		last = r.number;
		*ret_whole += size;
	}
	if (last > j->last)
		j->last = last;
	return VPN_OK;
}

static uint8_t *read_all(int fd, size_t n)
{
	uint8_t *buf = malloc(n > 0 ? n : 1);
	size_t len = 0;
	while (buf != NULL && len < n) {
		ssize_t got = pread(fd, buf + len, n - len, (off_t)len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			free(buf);
			return NULL;
		}
		len += (size_t)got;
	}
	return buf;
}

static vpn_status read_fd(struct journal *j, enum state_place place, const char *path,
			  struct vpn_error *err)
{
	struct journal_file *f = &j->files[place];
	struct stat st;
	vpn_status status = state_dir_vet_file(f->fd, path, err);
	if (status != VPN_OK)
		return status;
	if (fstat(f->fd, &st) != 0 || st.st_size > FILE_MAX)
		return fault(err, VPN_EIO, 0, "%s is longer than a journal can be; remove it",
			     path);
	uint8_t *buf = read_all(f->fd, (size_t)st.st_size);
	if (buf == NULL)
		return fault(err, VPN_EIO, errno, "%s cannot be read", path);
	size_t before = j->n_entries;
	status = take_records(j, place, buf, (size_t)st.st_size, &f->size, err);
	f->found = j->n_entries > before;
	free(buf);
	return status;
}

static vpn_status read_file(struct journal *j, enum state_place place, struct vpn_error *err)
{
	char path[PATH_ROOM];
	struct journal_file *f = &j->files[place];
	file_path(j, place, path);
	if (f->folder < 0)
		return VPN_OK;
	f->fd = openat(f->folder, JOURNAL_FILE,
		       O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (f->fd < 0 && errno == ENOENT)
		return VPN_OK;
	if (f->fd < 0)
		return fault(err, VPN_EIO, errno, "%s cannot be opened", path);
	return read_fd(j, place, path, err);
}

/* ---- writing ------------------------------------------------------------------------------------- */

static bool write_all(int fd, const uint8_t *at, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, at, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += put;
		n -= (size_t)put;
	}
	return true;
}

/* Appends a record and waits until the disk has it. What was written in part is taken back. */
static vpn_status append(struct journal *j, enum state_place place, const uint8_t *record,
			 size_t size, struct vpn_error *err)
{
	char path[PATH_ROOM];
	struct journal_file *f = &j->files[place];
	file_path(j, place, path);
	if (f->broken)
		return fault(err, VPN_EIO, 0, "%s could not be written before", path);
	if (write_all(f->fd, record, size) && platform_sync(f->fd) == 0) {
		f->size += size;
		return VPN_OK;
	}
	int e = errno;
	f->broken = ftruncate(f->fd, (off_t)f->size) != 0;
	return fault(err, VPN_EIO, e, "%s cannot be written, so the change was not made", path);
}

static bool write_entry(int fd, const struct journal_entry *e, uint64_t number, size_t *size)
{
	const struct record_change c = {.kind = e->kind,
					.data = e->data,
					.len = e->len,
					.id = e->id,
					.id_len = (uint16_t)strlen(e->id),
					.path = e->path,
					.path_len = (uint16_t)strlen(e->path)};
	size_t n;
	uint8_t *record = record_make_change(&c, (uint16_t)e->flags, number, &n);
	bool good = record != NULL && write_all(fd, record, n);
	*size += n;
	free(record);
	return good;
}

/* Writes the file anew: our origin and what is not undone. `fd` is the new file's. */
static bool fill_new(struct journal *j, enum state_place place, int fd, size_t *ret_size)
{
	/* below all numbers that are there: an origin stands before them */
	uint64_t first = j->n_entries > 0 ? j->entries[0]->number - 1 : j->last + 1;
	uint8_t *record = record_make_origin(&j->here, first, ret_size);
	bool good = record != NULL && write_all(fd, record, *ret_size);
	free(record);
	for (size_t i = 0; i < j->n_entries && good; i++)
		if (journal_place_of(j->entries[i]->flags) == place)
			good = write_entry(fd, j->entries[i], j->entries[i]->number, ret_size);
	return good && platform_sync(fd) == 0;
}

static vpn_status rewrite(struct journal *j, enum state_place place, struct vpn_error *err)
{
	char path[PATH_ROOM];
	struct journal_file *f = &j->files[place];
	size_t size = 0;
	file_path(j, place, path);
	if (f->folder < 0)
		f->folder = state_dir_open(place, j->key, true, err);
	if (f->folder < 0)
		return err->status;
	(void)unlinkat(f->folder, NEW_FILE, 0);
	int fd = openat(f->folder, NEW_FILE, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC,
			0600);
	if (fd >= 0 && fill_new(j, place, fd, &size) &&
	    renameat(f->folder, NEW_FILE, f->folder, JOURNAL_FILE) == 0 && fsync(f->folder) == 0) {
		if (f->fd >= 0)
			close(f->fd);
		*f = (struct journal_file){
			.folder = f->folder, .fd = fd, .size = size, .ours = true};
		if (j->n_entries == 0)
			j->last++;
		return VPN_OK;
	}
	int e = errno;
	if (fd >= 0)
		close(fd);
	(void)unlinkat(f->folder, NEW_FILE, 0);
	return fault(err, VPN_EIO, e, "%s cannot be written, so the change was not made", path);
}

/* A file in order, begun by this process, to append to. */
static vpn_status make_ready(struct journal *j, enum state_place place, struct vpn_error *err)
{
	struct journal_file *f = &j->files[place];
	return f->ours ? VPN_OK : rewrite(j, place, err);
}

vpn_status journal_add(struct journal *j, const struct journal_entry *e, uint64_t *ret_number,
		       struct vpn_error *err)
{
	enum state_place place = journal_place_of(e->flags);
	const struct record_change c = {.kind = e->kind,
					.data = e->data,
					.len = e->len,
					.id = e->id,
					.id_len = (uint16_t)strlen(e->id),
					.path = e->path,
					.path_len = (uint16_t)strlen(e->path)};
	size_t size = 0;
	vpn_status status = make_ready(j, place, err);
	if (status != VPN_OK)
		return status;
	struct journal_entry *copy = copy_entry(&c, e->flags, j->last + 1);
	uint8_t *record = record_make_change(&c, (uint16_t)e->flags, j->last + 1, &size);
	if (copy == NULL || record == NULL || !insert(j, copy)) {
		free_entry(copy);
		free(record);
		return fault(err, VPN_ENOMEM, 0, "out of memory");
	}
	status = append(j, place, record, size, err);
	free(record);
	if (status == VPN_OK)
		*ret_number = ++j->last;
	else
		drop(j, j->n_entries - 1);
	return status;
}

static void shrink(struct journal *j, enum state_place place)
{
	struct vpn_error ignored = VPN_ERROR_INIT; /* then it stays as long as it is */
	size_t alive = 0;
	if (j->files[place].size < SHRINK_FROM)
		return;
	for (size_t i = 0; i < j->n_entries; i++)
		if (journal_place_of(j->entries[i]->flags) == place)
			alive += RECORD_HEAD + j->entries[i]->len + strlen(j->entries[i]->path);
	if (alive <= j->files[place].size / 4)
		(void)rewrite(j, place, &ignored);
}

void journal_forget(struct journal *j, uint64_t number)
{
	struct vpn_error ignored = VPN_ERROR_INIT;
	size_t i = index_of(j, number), size = 0;
	if (i == SIZE_MAX)
		return;
	enum state_place place = journal_place_of(j->entries[i]->flags);
	drop(j, i);
	if (make_ready(j, place, &ignored) != VPN_OK)
		return;
	uint8_t *record = record_make_done(number, j->last + 1, &size);
	if (record != NULL && append(j, place, record, size, &ignored) == VPN_OK)
		j->last++;
	free(record);
	shrink(j, place);
}

/* ---- the whole ----------------------------------------------------------------------------------- */

bool journal_file_is_elsewhere(const struct journal *j, enum state_place place)
{
	const struct origin *o = &j->files[place].origin;
	return j->files[place].found && o->netns != j->here.netns &&
	       !origin_is_other_boot(o, &j->here);
}

bool journal_is_elsewhere(const struct journal *j)
{
	return journal_file_is_elsewhere(j, STATE_RUN) || journal_file_is_elsewhere(j, STATE_LIB);
}

void journal_drop_file(struct journal *j, enum state_place place)
{
	struct journal_file *f = &j->files[place];
	for (size_t i = j->n_entries; i-- > 0;)
		if (journal_place_of(j->entries[i]->flags) == place)
			drop(j, i);
	if (f->fd >= 0)
		close(f->fd);
	*f = (struct journal_file){.folder = f->folder, .fd = -1};
}

/* Opens what is there and takes the lock, which is always in the folder in /run. */
static vpn_status open_folders(struct journal *j, enum state_role role, unsigned wait_ms,
			       struct vpn_error *err)
{
	struct journal_file *run = &j->files[STATE_RUN], *lib = &j->files[STATE_LIB];
	do {
		if (run->folder >= 0)
			close(run->folder);
		run->folder = state_dir_open(STATE_RUN, j->key, true, err);
		if (run->folder < 0)
			return err->status;
		j->lock = state_dir_lock(run->folder, j->key, role, wait_ms, err);
	} while (j->lock < 0 && err->status == VPN_ENOENT);
	if (j->lock < 0)
		return err->status;
	lib->folder = state_dir_open(STATE_LIB, j->key, false, err);
	return lib->folder < 0 && err->status != VPN_ENOENT ? err->status : VPN_OK;
}

struct journal *journal_open(const char *key, enum state_role role, unsigned wait_ms,
			     struct vpn_error *err)
{
	struct journal *j = calloc(1, sizeof(*j));
	if (j == NULL) {
		fault(err, VPN_ENOMEM, 0, "out of memory");
		return NULL;
	}
	snprintf(j->key, sizeof(j->key), "%s", key);
	origin_here(&j->here);
	j->lock = -1;
	for (size_t i = 0; i < STATE_PLACES; i++)
		j->files[i] = (struct journal_file){.folder = -1, .fd = -1};
	vpn_status status = open_folders(j, role, wait_ms, err);
	if (status == VPN_OK)
		status = read_file(j, STATE_RUN, err);
	if (status == VPN_OK)
		status = read_file(j, STATE_LIB, err);
	if (status == VPN_OK)
		return j;
	j->unread = true;
	return journal_close(j);
}

static void close_file(struct journal *j, enum state_place place)
{
	struct journal_file *f = &j->files[place];
	size_t left = 0;
	for (size_t i = 0; i < j->n_entries; i++)
		left += journal_place_of(j->entries[i]->flags) == place;
	/* what could not be read is not thrown away */
	if (f->folder >= 0 && left == 0 && j->lock >= 0 && !j->unread) {
		(void)unlinkat(f->folder, JOURNAL_FILE, 0);
		(void)unlinkat(f->folder, NEW_FILE, 0);
	}
	if (f->fd >= 0)
		close(f->fd);
}

struct journal *journal_close(struct journal *j)
{
	if (j == NULL)
		return NULL;
	close_file(j, STATE_LIB);
	close_file(j, STATE_RUN);
	if (j->files[STATE_RUN].folder >= 0)
		state_dir_unlock(j->files[STATE_RUN].folder, j->lock);
	for (size_t i = 0; i < STATE_PLACES; i++) {
		if (j->files[i].folder < 0)
			continue;
		close(j->files[i].folder);
		state_dir_remove((enum state_place)i, j->key); /* when it is empty */
	}
	for (size_t i = 0; i < j->n_entries; i++)
		free_entry(j->entries[i]);
	free(j->entries);
	free(j);
	return NULL;
}
