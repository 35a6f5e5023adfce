/* SPDX-License-Identifier: BSD-2-Clause */
/* memo: a few things that did not work, remembered for a while. */
#include "memo.h"

/* FNV-1a. A collision costs another destination its offload for a while, nothing else. */
static uint64_t mix(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

uint64_t udp_memo_destination(const struct vpn_endpoint *e)
{
	uint64_t h = mix(UINT64_C(0xcbf29ce484222325), &e->family, sizeof(e->family));
	h = mix(h, &e->scope, sizeof(e->scope));
	return mix(h, e->addr, sizeof(e->addr));
}

uint64_t udp_memo_source(const struct vpn_endpoint *e)
{
	uint64_t h = mix(udp_memo_destination(e), e->local, sizeof(e->local));
	return mix(h, &e->ifindex, sizeof(e->ifindex));
}

void udp_memo_add(struct udp_memo *m, uint64_t key, uint64_t now_ns, uint64_t until_ns)
{
	uint32_t at = 0;
	for (uint32_t i = 0; i < UDP_MEMO_ENTRIES; i++) {
		if (m->entries[i].key == key && m->entries[i].until_ns > now_ns) {
			at = i;
			break;
		}
		if (m->entries[i].until_ns < m->entries[at].until_ns)
			at = i;
	}
	m->entries[at].key = key;
	m->entries[at].until_ns = until_ns;
	if (until_ns > m->latest_ns)
		m->latest_ns = until_ns;
}

bool udp_memo_search(const struct udp_memo *m, uint64_t key, uint64_t now_ns)
{
	for (uint32_t i = 0; i < UDP_MEMO_ENTRIES; i++)
		if (m->entries[i].key == key && m->entries[i].until_ns > now_ns)
			return true;
	return false;
}
