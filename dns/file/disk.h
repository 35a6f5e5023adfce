/* SPDX-License-Identifier: BSD-2-Clause */
/* disk: files as a whole: what is at a path, a new one, one that is overwritten where it is. */
#ifndef DNS_FILE_DISK_H
#define DNS_FILE_DISK_H

#include <stdbool.h>
#include <stddef.h>

/* What is at a path. */
enum dns_file_kind {
	DNS_FILE_NONE,
	DNS_FILE_REGULAR,
	DNS_FILE_LINK,
	DNS_FILE_OTHER, /* a folder, a device, ... */
};

/* All of these return an errno, 0 when all is well. [main] */

/* *ret_mounted: something is mounted exactly there, so that the name cannot be given to another file. */
int dns_file_disk_kind(const char *path, enum dns_file_kind *ret, bool *ret_mounted);

/* Reads a regular file, not through a link: ELOOP, EINVAL for what is none, EFBIG when it has more
 * than `cap` bytes. */
int dns_file_disk_read(const char *path, char *buf, size_t cap, size_t *ret_len);

/* Writes a new file of mode 0644, with the security label that the file `like` has, to the disk. EEXIST.
 * After a failure there is none. */
int dns_file_disk_create(const char *path, const char *like, const char *text, size_t len);

/* Overwrites a regular file without ever making it shorter than it must be, to the disk. After a failure
 * it is as it was, `before`, as far as that can be. */
int dns_file_disk_overwrite(const char *path, const char *text, size_t len, const char *before,
			    size_t n_before);

/* Has the folder of a path written to the disk: names that were given and taken. */
void dns_file_disk_sync_folder(const char *path);

/* Whether text is what `now` has, or part of the way to it from `before` by an overwrite() that was broken
 * off. [any] */
bool dns_file_disk_is_between(const char *text, size_t len, const char *now, size_t n_now,
			      const char *before, size_t n_before);

#endif
