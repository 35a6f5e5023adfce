/* SPDX-License-Identifier: BSD-2-Clause */
/* link_mtu: MTUs of the network interfaces of this machine. [main] */
#ifndef VPNCORE_CLI_LINK_MTU_H
#define VPNCORE_CLI_LINK_MTU_H

#include <stdint.h>

/* The largest of all interfaces that are up and lead elsewhere; 0 when there is none. ioctl SIOCGIFMTU,
 * netdevice(7). */
uint32_t link_mtu_largest(void);

/* Sets an interface's MTU in bytes. Returns 0 or a negative errno. ioctl SIOCSIFMTU. */
int link_mtu_set(const char *name, uint32_t mtu);

#endif
