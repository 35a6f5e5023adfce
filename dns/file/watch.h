/* SPDX-License-Identifier: BSD-2-Clause */
/* watch: notices that somebody changes the file. */
#ifndef DNS_FILE_WATCH_H
#define DNS_FILE_WATCH_H

#include "file.h"

/* Has dns_stir() called when the file may have changed. Without inotify it says so in the log, and the file
 * is not put back. [main] */
void dns_file_watch_open(struct dns_file *f);

/* Idempotent. [main] */
void dns_file_watch_close(struct dns_file *f);

#endif
