/* SPDX-License-Identifier: BSD-2-Clause */
#include "mimic_hold.h"

#include <string.h>

struct vpn_packet *mimic_hold_add(struct mimic_hold *h, struct vpn_packet *p)
{
	struct vpn_packet *gone = NULL;
	if (h->n == MIMIC_HOLD_ROOM) {
		gone = h->pkts[0];
		h->n--;
		memmove(h->pkts, h->pkts + 1, h->n * sizeof(h->pkts[0]));
		memmove(h->endpoints, h->endpoints + 1, h->n * sizeof(h->endpoints[0]));
	}
	h->endpoints[h->n] = p->endpoint != NULL ? *p->endpoint : (struct vpn_endpoint){0};
	p->endpoint = NULL; /* it may be gone by then */
	h->pkts[h->n++] = p;
	return gone;
}

void mimic_hold_sift(struct mimic_hold *h, const bool keep[MIMIC_HOLD_ROOM])
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < h->n; i++) {
		if (!keep[i])
			continue;
		h->pkts[kept] = h->pkts[i];
		h->endpoints[kept++] = h->endpoints[i];
	}
	h->n = kept;
}
