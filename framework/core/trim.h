/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trim: gives back memory that only the start has needed: the allocator's free pages, and the code and
 * constants of what parsed, checked, linked and tested itself and will not run again. They come back
 * from their files when they are needed. On systems where that cannot be done, nothing happens.
 */
#ifndef VPNCORE_CORE_TRIM_H
#define VPNCORE_CORE_TRIM_H

/* While other threads run, if there are any. [main] */
void trim_memory(void);

#endif
