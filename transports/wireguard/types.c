/* SPDX-License-Identifier: BSD-2-Clause */
#include "types.h"

#include "text.h"

void wg_types_init(struct wg_types *t)
{
	*t = (struct wg_types){.disguised = false};
	for (uint32_t type = WG_TYPE_INITIATION; type <= WG_TYPE_DATA; type++)
		t->of[type].first = type;
}

static bool overlap(const struct vpn_word_range *a, const struct vpn_word_range *b)
{
	return a->first <= b->last && b->first <= a->last;
}

vpn_status wg_types_set(struct wg_types *t, const struct vpn_wireguard_types *from,
			struct vpn_error *err)
{
	const struct vpn_word_range *ranges[] = {NULL, &from->initiation, &from->response,
						 &from->cookie, &from->data};
	for (uint32_t i = WG_TYPE_INITIATION; i <= WG_TYPE_DATA; i++) {
		if (ranges[i]->first > ranges[i]->last)
			return wg_fault(err, VPN_EINVAL, 0, "",
					"the range of type %u is turned round", i);
		for (uint32_t k = WG_TYPE_INITIATION; k < i; k++)
			if (overlap(ranges[i], ranges[k]))
				return wg_fault(err, VPN_EINVAL, 0, "",
						"the ranges of types %u and %u overlap", k, i);
	}
	for (uint32_t i = WG_TYPE_INITIATION; i <= WG_TYPE_DATA; i++)
		t->of[i] = (struct wg_type){ranges[i]->first, ranges[i]->last - ranges[i]->first};
	t->disguised = true;
	return VPN_OK;
}

uint32_t wg_types_find(const struct wg_types *t, uint32_t word)
{
	for (uint32_t type = WG_TYPE_INITIATION; type < WG_TYPE_DATA; type++)
		if (wg_types_has(t, type, word))
			return type;
	return 0;
}

void wg_types_write(const struct wg_types *t, const struct vpn_host *host, uint32_t type,
		    uint8_t out[4])
{
	const struct wg_type *of = &t->of[type];
	uint64_t draw = 0;
	/* 64 bits over a range of at most 2^32: uneven by less than one in 2^32 */
	if (of->span != 0)
		host->random(host, &draw, sizeof(draw));
	wg_store_le32(out, of->first + (uint32_t)(draw % ((uint64_t)of->span + 1)));
}
