/* SPDX-License-Identifier: BSD-2-Clause */
/* stages: the parts of bench_stages, each of which measures one component's work. */
#ifndef BENCH_STAGES_H
#define BENCH_STAGES_H

#include "measure.h"

void stages_tcpip(struct measure *m);   /* segment, coalesce, checksums: framework/tcpip */
void stages_aead(struct measure *m);    /* seal, open: the engines of transports/wireguard */
void stages_session(struct measure *m); /* lookup, index, replay: likewise */
void stages_obfs(struct measure *m);    /* seal, open: the modes of transports/obfs */
void stages_push(struct measure *m);    /* links and pools: framework/core */

#endif
