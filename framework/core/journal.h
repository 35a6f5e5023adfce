/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journal: what an instance has changed and how to undo it, in two append-only files:
 *
 *   /run/vpncore/KEY/undo.log      changes of the kernel's state: worth nothing after a restart of the
 *                                  machine, and dropped then
 *   /var/lib/vpncore/KEY/undo.log  changes of files (VPN_JOURNAL_FILES)
 *
 * A change is written before it is made, so a file that was torn anywhere loses at most a change that was
 * never made. Who has a journal open has the lock of the instance. All functions are [main].
 */
#ifndef VPNCORE_CORE_JOURNAL_H
#define VPNCORE_CORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <vpncore/plugin.h>

#include "origin.h"
#include "state_dir.h"

#define JOURNAL_FILE "undo.log"

/* A change that has not been undone. */
struct journal_entry {
	uint64_t number;
	uint32_t flags; /* VPN_JOURNAL_* */
	uint32_t kind;  /* of its component, and its id */
	char *id;
	char *path; /* of the plugin's file; "" = linked in */
	void *data;
	uint32_t len;
	bool failed; /* could not be undone by this process */
};

struct journal_file {
	int folder; /* -1 = not made yet */
	int fd;     /* -1 = there is no file */
	size_t size;
	struct origin origin; /* of what was found in it */
	bool found;           /* changes of an earlier process were found in it */
	bool ours;            /* begun by this process */
	bool broken;          /* its end cannot be put right: nothing more is written */
};

struct journal {
	char key[STATE_KEY_MAX];
	int lock;
	struct origin here;
	struct journal_file files[STATE_PLACES];
	struct journal_entry **entries; /* the oldest first */
	size_t n_entries;
	uint64_t last; /* number */
	bool unread;   /* not all of it could be read */
};

/*
 * Opens the journal of an instance and takes its lock, waiting up to wait_ms for one who undoes. Changes
 * of the kernel's state that another run of the machine has made are dropped. NULL with *err; VPN_EBUSY as
 * state_dir_lock(), VPN_EPERM when a folder or file is not ours alone.
 */
struct journal *journal_open(const char *key, enum state_role role, unsigned wait_ms,
			     struct vpn_error *err);

/* Whether changes were made in another network namespace, where alone they can be undone: any of them, or
 * those of one file. */
bool journal_is_elsewhere(const struct journal *j);
bool journal_file_is_elsewhere(const struct journal *j, enum state_place place);

/* The file that changes with these flags are in. */
enum state_place journal_place_of(uint32_t flags);

/* Forgets, in memory alone, what was read from a file, which was moved elsewhere. */
void journal_drop_file(struct journal *j, enum state_place place);

/* Writes a change down; *e is copied, its number is set. The change may be made when this returns
 * VPN_OK, and must not when it does not. */
vpn_status journal_add(struct journal *j, const struct journal_entry *e, uint64_t *ret_number,
		       struct vpn_error *err);

/* NULL when there is no such change. */
struct journal_entry *journal_find(struct journal *j, uint64_t number);

/* The change is not there any more. That it cannot be written is no harm: undoing twice does nothing. */
void journal_forget(struct journal *j, uint64_t number);

/* Gives the lock back and frees; removes files and folders when nothing is left to undo. Accepts NULL,
 * returns NULL. */
struct journal *journal_close(struct journal *j);

#endif
