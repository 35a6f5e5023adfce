/* SPDX-License-Identifier: BSD-2-Clause */
#include "mode.h"

const struct obfs_mode *const obfs_modes[OBFS_N_MODES] = {
	[OBFS_SALAMANDER] = &obfs_salamander,
	[OBFS_VEIL] = &obfs_veil,
	[OBFS_MIMIC] = &obfs_mimic,
	[OBFS_AWG] = &obfs_awg,
};
