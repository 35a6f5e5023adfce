/* SPDX-License-Identifier: BSD-2-Clause */
#include "support.h"

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

uint8_t payload_byte(uint32_t k)
{
	return (uint8_t)((k * 2654435761u) >> 13);
}

static uint32_t naive_sum(const uint8_t *data, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

uint16_t naive_checksum(const uint8_t *data, size_t len, uint32_t start)
{
	return (uint16_t)~naive_sum(data, len, start);
}

static bool is6(const struct spec *s)
{
	return s->family == 6;
}

static size_t ip_header_len(const struct spec *s)
{
	return is6(s) ? 40 : 20u + s->ip_options;
}

static size_t l4_header_len(const struct spec *s)
{
	return s->protocol == 6 ? 20u + s->tcp_options : 8;
}

static uint32_t pseudo(const uint8_t *l3, size_t l4_len)
{
	bool v6 = l3[0] >> 4 == 6;
	uint32_t sum = v6 ? naive_sum(l3 + 8, 32, 0) : naive_sum(l3 + 12, 8, 0);

	return sum + (v6 ? l3[6] : l3[9]) + (uint32_t)(l4_len & 0xffff) + (uint32_t)(l4_len >> 16);
}

static size_t csum_field(uint8_t protocol)
{
	return protocol == 6 ? 16 : protocol == 17 ? 6 : 2;
}

void fix_checksums(uint8_t *packet, const struct spec *s, size_t len)
{
	uint8_t *l3 = packet + s->l2_len, *l4 = l3 + ip_header_len(s);
	size_t l4_len = len - (size_t)(l4 - packet);
	uint8_t *field = l4 + csum_field(s->protocol);
	uint16_t csum;

	if (!is6(s)) {
		put16(l3 + 10, 0);
		put16(l3 + 10, naive_checksum(l3, ip_header_len(s), 0));
	}
	put16(field, 0);
	csum = naive_checksum(l4, l4_len, s->protocol == 1 ? 0 : pseudo(l3, l4_len));
	if (!s->no_checksum)
		put16(field, csum || s->protocol != 17 ? csum : 0xffff);
}

bool checksums_right(const uint8_t *l3, size_t len)
{
	bool v6 = l3[0] >> 4 == 6;
	size_t header = v6 ? 40 : (size_t)(l3[0] & 15) * 4;

	if (!v6 && naive_checksum(l3, header, 0) != 0)
		return false;
	return naive_checksum(l3 + header, len - header, pseudo(l3, len - header)) == 0;
}

static void build_l2(uint8_t *out, const struct spec *s)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};

	memcpy(out, macs, sizeof(macs));
	put16(out + 12, is6(s) ? 0x86dd : 0x0800);
}

static void build_l3(uint8_t *l3, const struct spec *s, size_t l3_len)
{
	uint8_t ttl = s->ttl ? s->ttl : 64;

	if (is6(s)) {
		put32(l3, 0x60000000u | (uint32_t)s->tos << 20 | s->flow_label);
		put16(l3 + 4, (uint32_t)(l3_len - 40));
		l3[6] = s->protocol;
		l3[7] = ttl;
		for (uint8_t i = 0; i < 16; i++) {
			l3[8 + i] = (uint8_t)(0xfd ^ i);
			l3[24 + i] = (uint8_t)(0xfd ^ (i * 3));
		}
		return;
	}
	l3[0] = (uint8_t)(0x40 | ip_header_len(s) / 4);
	l3[1] = s->tos;
	put16(l3 + 2, (uint32_t)l3_len);
	put16(l3 + 4, s->id);
	put16(l3 + 6, (s->no_df ? 0u : 0x4000u) | (s->reserved_bit ? 0x8000u : 0u));
	l3[8] = ttl;
	l3[9] = s->protocol;
	memcpy(l3 + 12, (uint8_t[]){10, 78, 0, 1, 10, 78, 0, 2}, 8);
	memset(l3 + 20, 1, s->ip_options);
}

static void build_l4(uint8_t *l4, const struct spec *s)
{
	put16(l4, s->sport ? s->sport : 4000);
	put16(l4 + 2, s->dport ? s->dport : 5000);
	if (s->protocol == 17) {
		put16(l4 + 4, 8 + s->payload_len);
		return;
	}
	if (s->protocol != 6) {
		put16(l4, 0x0800); /* echo request */
		return;
	}
	put32(l4 + 4, s->seq);
	put32(l4 + 8, s->ack);
	l4[12] = (uint8_t)(l4_header_len(s) / 4 << 4 | (s->flags >> 8 & 1));
	l4[13] = (uint8_t)s->flags;
	put16(l4 + 14, s->window);
	memset(l4 + 20, s->option_fill ? s->option_fill : 1, s->tcp_options);
}

size_t build(uint8_t *out, const struct spec *s)
{
	size_t header = s->l2_len + ip_header_len(s) + l4_header_len(s);
	size_t len = header + s->payload_len;

	memset(out, 0, header);
	if (s->l2_len)
		build_l2(out, s);
	build_l3(out + s->l2_len, s, len - s->l2_len);
	build_l4(out + s->l2_len + ip_header_len(s), s);
	for (uint32_t k = 0; k < s->payload_len; k++)
		out[header + k] = payload_byte(s->payload_seed + k);
	fix_checksums(out, s, len);
	return len;
}

uint32_t rng_next(struct rng *rng)
{
	rng->state = rng->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(rng->state >> 33);
}

uint32_t rng_below(struct rng *rng, uint32_t n)
{
	return rng_next(rng) % n;
}

uint8_t *exact_copy(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	return copy;
}
