/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wgquick_awg: the keys that AmneziaWG's configuration files have besides those of wg-quick(8):
 * README.md of amneziawg-go 0.2.19 and 3.1. They become an obfs stage.
 */
#ifndef VPNCORE_CLI_WGQUICK_AWG_H
#define VPNCORE_CLI_WGQUICK_AWG_H

#include "wgquick_read.h"

#define WGQUICK_AWG_KEYS 29u

extern const struct wgquick_key wgquick_awg_keys[WGQUICK_AWG_KEYS];

/* Bytes that are put in front of each packet of data (S4). [any] */
uint32_t wgquick_awg_overhead(const struct wgquick_awg *awg);

/* Frees what it holds; the key is wiped with the rest of struct wgquick. [any] */
void wgquick_awg_clear(struct wgquick_awg *awg);

#endif
