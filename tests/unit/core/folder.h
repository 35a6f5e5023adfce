/* SPDX-License-Identifier: BSD-2-Clause */
/* folder: a folder of its own for a test, with files of given contents and modes. */
#ifndef VPNCORE_TEST_FOLDER_H
#define VPNCORE_TEST_FOLDER_H

#include <stddef.h>
#include <sys/types.h>

/* Each of these ends the test program when it cannot do its work. */
char *folder_new(void);         /* an absolute path, mode 0755; for folder_free() */
void folder_free(char *folder); /* removes it with everything in it */
void folder_write(const char *folder, const char *name, const void *data, size_t len, mode_t mode);
void folder_copy(const char *folder, const char *name, const char *from, mode_t mode);
char *folder_path(const char *folder, const char *name); /* for free() */

#endif
