/* SPDX-License-Identifier: BSD-2-Clause */
/* holder: which process has a TUN or TAP device open, for error messages. */
#ifndef TUNTAP_HOLDER_H
#define TUNTAP_HOLDER_H

#include <stddef.h>

/* Writes "process 123 (name)" or, where that cannot be seen, "another process". Facts: proc(5), the
 * line "iff:" that the kernel's tun_chr_show_fdinfo() puts into fdinfo. [main] */
void tuntap_holder_find(const char *device, char *buf, size_t cap);

#endif
