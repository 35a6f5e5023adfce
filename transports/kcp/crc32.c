/* SPDX-License-Identifier: BSD-2-Clause */
#include "crc32.h"

#include <isa-l/crc.h>

uint32_t kcp_crc32(const uint8_t *data, uint32_t len)
{
	/* the library's "crc32_ieee" is not reflected; this one is */
	return crc32_gzip_refl(0, data, len);
}
