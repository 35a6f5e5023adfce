/* SPDX-License-Identifier: BSD-2-Clause */
/* checksum_generic: the choice of engine where no vector code exists. */
#include "checksum.h"

const struct checksum_engine *checksum_best(void)
{
	return &checksum_portable;
}
