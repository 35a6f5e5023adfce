/* SPDX-License-Identifier: BSD-2-Clause */
/* memo: a few things that did not work, remembered for a while. One thread only; constant size. */
#ifndef UDP_MEMO_H
#define UDP_MEMO_H

#include <stdbool.h>
#include <stdint.h>
#include <vpncore/plugin.h>

#define UDP_MEMO_ENTRIES 16u

struct udp_memo {
	uint64_t latest_ns; /* when the last entry ends; 0 = empty */
	struct {
		uint64_t key;
		uint64_t until_ns;
	} entries[UDP_MEMO_ENTRIES];
};

/* Keys: a destination (address without port), and a local address together with a destination. */
uint64_t udp_memo_destination(const struct vpn_endpoint *e);
uint64_t udp_memo_source(const struct vpn_endpoint *e);

/* Remembers key until until_ns, in place of the entry that ends first when all are taken. */
void udp_memo_add(struct udp_memo *m, uint64_t key, uint64_t now_ns, uint64_t until_ns);

bool udp_memo_search(const struct udp_memo *m, uint64_t key, uint64_t now_ns);

/* True while nothing is remembered, so that no key need be made. */
static inline bool udp_memo_is_empty(const struct udp_memo *m, uint64_t now_ns)
{
	return m->latest_ns <= now_ns;
}

#endif
