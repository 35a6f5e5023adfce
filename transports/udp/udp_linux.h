/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of linux/udp.h and its kin that older C libraries do not have. */
#ifndef UDP_LINUX_H
#define UDP_LINUX_H

#include <netinet/udp.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* Linux 4.18 */
#endif
#ifndef UDP_GRO
#define UDP_GRO 104 /* Linux 5.0 */
#endif

#endif
