/* SPDX-License-Identifier: BSD-2-Clause */
#include "aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"
#include "log.h"

void aside_adopt_files(struct journal *j)
{
	if (strchr(j->key, '@') == NULL && origin_is_first_netns(false))
		j->files[STATE_LIB].origin.netns = j->here.netns;
}

/* Who has the lock of that journal puts nothing there meanwhile. */
static vpn_status move_file(struct journal *j, enum state_place place, const char *key,
			    struct vpn_error *err)
{
	struct stat st;
	struct journal_file *f = &j->files[place];
	int folder = state_dir_open(place, key, true, err);
	if (folder < 0)
		return err->status;
	vpn_status status = VPN_OK;
	if (fstatat(folder, JOURNAL_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0)
		status = fault(err, VPN_EBUSY, 0,
			       "%s/%s holds changes of another network namespace already: run "
			       "vpncore cleanup there, or forget them: vpncore cleanup --forget",
			       state_dir_path(place), key);
	else if (renameat(f->folder, JOURNAL_FILE, folder, JOURNAL_FILE) != 0 ||
		 fsync(folder) != 0 || fsync(f->folder) != 0)
		status = fault(err, VPN_EIO, errno, "%s/%s cannot be written",
			       state_dir_path(place), key);
	else
		journal_drop_file(j, place);
	close(folder);
	return status;
}

static vpn_status put_file_aside(struct journal *j, enum state_place place, uint64_t *ret_netns,
				 struct vpn_error *err)
{
	char name[STATE_KEY_MAX], key[STATE_KEY_MAX];
	uint64_t netns = j->files[place].origin.netns;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(j->key, "@"), j->key);
	state_dir_key_of(name, netns, key);
	int folder = state_dir_open(STATE_RUN, key, true, err);
	if (folder < 0)
		return err->status;
	int lock = state_dir_lock(folder, key, STATE_ROLE_UNDO, 0, err);
	vpn_status status = lock >= 0 ? move_file(j, place, key, err) : err->status;
	state_dir_unlock(folder, lock);
	close(folder);
	state_dir_remove(STATE_RUN, key); /* when it is empty */
	if (status == VPN_OK)
		*ret_netns = netns;
	return status;
}

vpn_status aside_put(struct journal *j, uint64_t *ret_netns, struct vpn_error *err)
{
	*ret_netns = 0;
	for (size_t i = 0; i < STATE_PLACES; i++) {
		if (!journal_file_is_elsewhere(j, (enum state_place)i))
			continue;
		vpn_status status = put_file_aside(j, (enum state_place)i, ret_netns, err);
		if (status != VPN_OK)
			return status;
	}
	return VPN_OK;
}

struct count {
	const char *pipeline;
	unsigned n;
	uint64_t oldest; /* network namespace: their numbers grow */
};

static void count_one(void *ctx, const char *key)
{
	struct count *a = ctx;
	size_t n = strlen(a->pipeline);
	if (strncmp(key, a->pipeline, n) != 0 || key[n] != '@')
		return;
	uint64_t netns = strtoull(key + n + 1, NULL, 10);
	if (a->n++ == 0 || netns < a->oldest)
		a->oldest = netns;
}

void aside_forget_oldest(const char *pipeline)
{
	struct count a = {.pipeline = pipeline};
	struct vpn_error err = VPN_ERROR_INIT; /* what cannot be looked at is left */
	char key[STATE_KEY_MAX];
	if (state_dir_each(count_one, &a, &err) != VPN_OK || a.n <= ASIDE_MOST)
		return;
	state_dir_key_of(pipeline, a.oldest, key);
	struct journal *j = journal_open(key, STATE_ROLE_UNDO, 0, &err);
	bool away = j != NULL && journal_is_elsewhere(j);
	while (away && j->n_entries > 0)
		journal_forget(j, j->entries[j->n_entries - 1]->number);
	if (away)
		log_printf(VPN_LOG_WARN, "", "%s: forgotten, as the oldest of more than %u", key,
			   ASIDE_MOST);
	journal_close(j);
}
