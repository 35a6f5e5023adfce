/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state_dir: the folders in which vpncore keeps what it must not forget, and the lock of an instance.
 *
 *   /run/vpncore/KEY/       kernel state: gone when the machine starts again; holds the lock
 *   /var/lib/vpncore/KEY/   changes of files: stays
 *
 * KEY is the pipeline's name, with "@" and the number of its network namespace behind it where that is
 * not the machine's first one. Folders belong to root (or to who runs us) and nobody else can write or
 * look into them; one that does not is refused, never used.
 */
#ifndef VPNCORE_CORE_STATE_DIR_H
#define VPNCORE_CORE_STATE_DIR_H

#include <stdbool.h>
#include <stdint.h>
#include <vpncore/plugin.h>

#define STATE_KEY_MAX 96u

enum state_place { STATE_RUN, STATE_LIB, STATE_PLACES };

/* Uses other folders from now on; they are not copied. NULL = as built. [main] */
void state_dir_set(const char *run, const char *lib);
const char *state_dir_path(enum state_place place);

/* The key of a pipeline in this process's network namespace. [main] */
void state_dir_key(const char *pipeline, char key[STATE_KEY_MAX]);
bool state_dir_key_is_valid(const char *key);

/* The key of a pipeline in a network namespace that is not the machine's first one. */
void state_dir_key_of(const char *pipeline, uint64_t netns, char key[STATE_KEY_MAX]);

/* Opens the folder of an instance, -1 with *err. VPN_ENOENT when it is not there and `create` is false.
 * [main] */
int state_dir_open(enum state_place place, const char *key, bool create, struct vpn_error *err);

/* Removes the folder when it is empty. */
void state_dir_remove(enum state_place place, const char *key);

/* Calls fn for the key of each folder that is there in either place, each once, in the order of their
 * names. VPN_OK also when there are none. [main] */
vpn_status state_dir_each(void (*fn)(void *ctx, const char *key), void *ctx, struct vpn_error *err);

/* Refuses a file that is not regular, not ours, or open to others. */
vpn_status state_dir_vet_file(int fd, const char *path, struct vpn_error *err);

/* Who wants it. A reaper waits for a pipeline as well: the one that holds the lock is about to be gone. */
enum state_role { STATE_ROLE_RUN, STATE_ROLE_UNDO, STATE_ROLE_REAP };

/*
 * Takes the lock of an instance: a descriptor, or -1 with *err: VPN_EBUSY when a pipeline of this name
 * runs, or when somebody who undoes is not ready within wait_ms; VPN_ENOENT when the folder was removed
 * meanwhile: open it again. The lock ends with the process. [main]
 */
int state_dir_lock(int folder, const char *key, enum state_role role, unsigned wait_ms,
		   struct vpn_error *err);

/* Removes the lock's file and gives the lock back. */
void state_dir_unlock(int folder, int lock);

#endif
