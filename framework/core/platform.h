/* SPDX-License-Identifier: BSD-2-Clause */
/* platform: small things for which each system has its own call. One file per family of systems. */
#ifndef VPNCORE_CORE_PLATFORM_H
#define VPNCORE_CORE_PLATFORM_H

/* pipe(2), both ends closed on exec. 0, or -1 with errno. [any] */
int platform_pipe(int ends[2]);

/* getenv(3), but NULL in a program that has more rights than who started it. [main] */
const char *platform_getenv(const char *name);

/* Closes each descriptor from `lowest` on. Safe between fork() and exec(). [main] */
void platform_close_from(int lowest);

/* Has a file's data, and what is needed to read it again, on the disk. 0, or -1 with errno. [main] */
int platform_sync(int fd);

/* The file of the program that runs, to run it once more; NULL when the system does not tell. The text
 * stays. [main] */
const char *platform_program(void);

/* Asks that this process be the last to be ended for lack of memory, where there is such a choice.
 * [main] */
void platform_be_spared(void);

#endif
