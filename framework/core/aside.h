/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aside: journals of network namespaces that are not ours. A container that is started again finds the journal
 * of the one before it, whose network namespace is gone; one that shares its folders with another finds
 * what that one has left, whose network namespace lives. Which of them it is nobody can tell, so what
 * was changed in another one is neither undone here nor forgotten, and keeps nobody from starting. All
 * functions are [main].
 */
#ifndef VPNCORE_CORE_ASIDE_H
#define VPNCORE_CORE_ASIDE_H

#include "journal.h"

#define ASIDE_MOST 16u

/*
 * For the journal of the network namespace that a machine or container began with: changes of files are
 * there as long as the file system is, and are to be undone here from now on. Does nothing where this
 * process has no such namespace, or is not told.
 */
void aside_adopt_files(struct journal *j);

/*
 * Moves changes of another network namespace into the journal of that namespace, "NAME@NUMBER": who
 * still has it, if anybody has, finds them there, and this one is free. *ret_netns gets its number, 0 when
 * there was nothing to move. VPN_EBUSY when that journal is in use or not empty: nothing was moved.
 */
vpn_status aside_put(struct journal *j, uint64_t *ret_netns, struct vpn_error *err);

/* Of a pipeline's journals that were put aside keeps the newest ASIDE_MOST, so that a container that crashes
 * again and again does not fill the disk. Takes one away at most. */
void aside_forget_oldest(const char *pipeline);

#endif
