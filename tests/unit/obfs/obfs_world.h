/* SPDX-License-Identifier: BSD-2-Clause */
/* obfs_world: two instances of the component on the test host, joined by a wire or alone. */
#ifndef OBFS_WORLD_H
#define OBFS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>
#include <vpncore/testhost.h>

#include "mode.h"

struct world {
	struct testhost *host;
	struct obfs_options options[2];
	struct testhost_setup setup[2];
	struct testhost_stage *stage[2];
	struct testhost_wire *wire;
};

const struct vpn_component *world_component(void);

/* Both sides alike, with a password; the test changes options and setups before world_start(). */
void world_init(struct world *w, enum obfs_mode_id mode);
struct testhost_stage *world_start(struct world *w, uint32_t side);
void world_join(struct world *w);
void world_end(struct world *w);

/* The next packet of a side in a direction; fails the test when there is none. */
const struct testhost_record *world_next(struct world *w, uint32_t side, uint32_t direction);

/* Reads hex into out[]; returns how many bytes. */
uint32_t world_hex(const char *hex, uint8_t *out);

#endif
