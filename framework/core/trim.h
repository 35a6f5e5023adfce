/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trim: gives back memory that is not needed at present: the allocator's free pages, and the code and
 * constants of the program and its libraries. What runs comes back from the page cache at once, and what
 * only parsed, checked, linked and tested itself stays away. On systems where that cannot be done, nothing
 * happens.
 */
#ifndef VPNCORE_CORE_TRIM_H
#define VPNCORE_CORE_TRIM_H

/* While other threads run, if there are any. [main] */
void trim_memory(void);

#endif
