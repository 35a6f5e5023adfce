/* SPDX-License-Identifier: BSD-2-Clause */
/* xor.h: the options of the transport, for xor.c and its test. */
#ifndef XOR_H
#define XOR_H

#include <vpncore/plugin.h>

/* The host fills this in from the manifest, by the option table at the end of xor.c. */
struct xor_config {
	struct vpn_bytes key;
	uint32_t rotate;
};

#endif
