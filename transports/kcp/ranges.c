/* SPDX-License-Identifier: BSD-2-Clause */
/* ranges: which datagram numbers have come. */
#include "ranges.h"

#include <string.h>

#define MASK       (KCP_RANGES_WINDOW - 1)
#define VALUE_MOST 3u /* bytes: 2^21 */

void kcp_ranges_init(struct kcp_ranges *r, uint64_t first)
{
	*r = (struct kcp_ranges){.largest = first - 1, .first = first};
}

static bool is_set(const struct kcp_ranges *r, uint64_t n)
{
	return (r->bits[(n & MASK) / 64] >> (n % 64) & 1) != 0;
}

static void set(struct kcp_ranges *r, uint64_t n)
{
	r->bits[(n & MASK) / 64] |= UINT64_C(1) << (n % 64);
}

/* The numbers largest+1 .. n take the place of those a window before. */
static void advance(struct kcp_ranges *r, uint64_t n)
{
	if (n - r->largest >= KCP_RANGES_WINDOW) {
		memset(r->bits, 0, sizeof(r->bits));
		r->largest = n;
		return;
	}
	uint64_t from = r->largest + 1;
	while (from <= n) {
		uint64_t end = (from | 63) < n ? (from | 63) : n;
		uint64_t count = end - from + 1;
		uint64_t mask = count == 64 ? UINT64_MAX
					    : ((UINT64_C(1) << count) - 1) << (from % 64);
		r->bits[(from & MASK) / 64] &= ~mask;
		from = end + 1;
	}
	r->largest = n;
}

enum kcp_ranges_result kcp_ranges_add(struct kcp_ranges *r, uint64_t n, uint32_t ahead)
{
	if (n > r->largest) {
		uint64_t step = n - r->largest;
		if (step > ahead)
			return KCP_RANGES_OUTSIDE;
		advance(r, n);
		set(r, n);
		return step == 1 ? KCP_RANGES_NEXT : KCP_RANGES_AHEAD;
	}
	if (n < r->first || r->largest - n >= KCP_RANGES_WINDOW)
		return KCP_RANGES_OUTSIDE;
	if (is_set(r, n))
		return KCP_RANGES_REPEATED;
	set(r, n);
	return KCP_RANGES_BETWEEN;
}

/* How many numbers from n downwards are (`want`: not) missing, at most `most`. */
static uint32_t stretch(const struct kcp_ranges *r, uint64_t n, bool want, uint32_t most)
{
	uint32_t count = 0;
	while (count < most) {
		uint32_t have = (uint32_t)(n % 64) + 1; /* numbers of this word at and below n */
		uint64_t word = r->bits[(n & MASK) / 64];
		uint64_t others = (want ? ~word : word) << (64 - have);
		if (others != 0) {
			count += (uint32_t)__builtin_clzll(others);
			break;
		}
		count += have;
		n -= have;
	}
	return count < most ? count : most;
}

static uint32_t write_value(uint8_t *data, uint32_t value)
{
	uint32_t n = 0;
	while (value >= 0x80) {
		data[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	data[n++] = (uint8_t)value;
	return n;
}

uint32_t kcp_ranges_write(const struct kcp_ranges *r, uint8_t *data, uint32_t cap, uint32_t most)
{
	uint64_t seen = r->largest - r->first + 1;
	uint32_t left = seen < KCP_RANGES_WINDOW ? (uint32_t)seen : KCP_RANGES_WINDOW;
	uint64_t n = r->largest;
	uint32_t at = 0;
	uint32_t gap = 0;
	for (uint32_t i = 0; i < most && left != 0 && at + 2 * VALUE_MOST <= cap; i++) {
		if (i != 0) {
			gap = stretch(r, n, false, left);
			if (gap == left)
				break; /* nothing more has come */
			at += write_value(data + at, gap - 1);
			n -= gap;
			left -= gap;
		}
		uint32_t run = stretch(r, n, true, left);
		at += write_value(data + at, run - 1);
		n -= run;
		left -= run;
	}
	return at;
}

static bool read_value(struct kcp_runs *it, uint64_t *ret)
{
	uint64_t value = 0;
	for (uint32_t i = 0; i < VALUE_MOST && i < it->len; i++) {
		value |= (uint64_t)(it->data[i] & 0x7f) << (7 * i);
		if ((it->data[i] & 0x80) != 0)
			continue;
		if (i != 0 && it->data[i] == 0)
			return false; /* there is a shorter form */
		it->data += i + 1;
		it->len -= i + 1;
		*ret = value + 1;
		return true;
	}
	return false;
}

bool kcp_runs_next(struct kcp_runs *it, uint64_t *ret_low, uint64_t *ret_high)
{
	uint64_t gap = 0;
	uint64_t run;
	if (it->len == 0 && !it->is_first)
		return false;
	it->is_bad = true;
	if (!it->is_first && !read_value(it, &gap))
		return false;
	if (!read_value(it, &run) || gap + run > it->next)
		return false;
	it->is_bad = false;
	it->is_first = false;
	*ret_high = it->next - gap;
	*ret_low = *ret_high - run + 1;
	it->next = *ret_low - 1;
	return true;
}
