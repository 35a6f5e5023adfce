/* SPDX-License-Identifier: BSD-2-Clause */
/* crc32: CRC-32 of IEEE 802.3 (reflected, polynomial 0xedb88320), as in kcp-go's crypt header. */
#ifndef KCP_CRC32_H
#define KCP_CRC32_H

#include <stdint.h>

/* Of len bytes, which may be 0. By ISA-L, which picks what the processor has. [any] */
uint32_t kcp_crc32(const uint8_t *data, uint32_t len);

#endif
