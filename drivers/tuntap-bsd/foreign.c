/* SPDX-License-Identifier: BSD-2-Clause */
/* On another system: there is no kernel here that this driver knows, so that it can check what a manifest
 * says, and do no more. */
#include "kernel.h"
#include "ops.h"

const struct bsd_kernel *bsd_kernel_here(void)
{
	return NULL;
}

const struct bsd_ops *bsd_ops_here(void)
{
	return NULL;
}
