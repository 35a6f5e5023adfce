/* SPDX-License-Identifier: BSD-2-Clause */
/* private_file: files for their owner alone, several written together or none. */
#ifndef VPNCORE_CLI_PRIVATE_FILE_H
#define VPNCORE_CLI_PRIVATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct private_file {
	char *path;
	char *temporary; /* where it stands until private_files_keep(); NULL: at its path already */
	bool exists;     /* it is on disk and not yet kept */
};

struct private_files {
	bool replace; /* files that exist may be replaced */
	struct private_file *items;
	size_t n;
};

/* Writes one file of mode 0600; the data is copied by nobody but the kernel. A file that exists is
 * refused, or with `replace` left as it is until private_files_keep(). Returns 0 or a negative errno;
 * what was written before stays until one of the two calls below. [main] */
int private_files_write(struct private_files *f, const char *path, const char *data, size_t len);

/* Everything is there: makes it final. Returns 0, or a negative errno with the path that refused in
 * *ret_path; what had not been final then is gone. Frees. [main] */
int private_files_keep(struct private_files *f, char **ret_path);

/* Removes what was written, and frees. [main] */
void private_files_drop(struct private_files *f);

/* Warns when standard output is a file that others can open, because a secret is about to go there.
 * `command` is its name. [main] */
void private_warn_stdout(const char *command);

#endif
