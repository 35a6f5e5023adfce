/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x25519_edwards: the base point's multiple by way of the Edwards form of the curve.
 *
 * For the base point alone libsodium's X25519, where it has code for AVX, climbs the same ladder as for any point. Its Ed25519 has tables
 * of that point's multiples and needs less than half the time (13 instead of 31 us on the machine of
 * docs/performance.md). The two curves are the same one in other coordinates, and so are their base
 * points: RFC 7748 section 4.1 has the map, u = (1 + y) / (1 - y). What is computed here is that map, of a
 * point that is public; the private key is touched by libsodium only.
 *
 * Numbers modulo p = 2^255 - 19 are five limbs of 51 bits, the least significant first. The limbs that a
 * function takes and returns are below 2^52.
 */
#include "x25519.h"

#include <sodium.h>

#define LIMBS 5
#define MASK  ((UINT64_C(1) << 51) - 1)

struct number {
	uint64_t limb[LIMBS];
};

__extension__ typedef unsigned __int128 wide;

/* Brings limbs below 2^63 below 2^51, but for the second, which may pass it by little. */
static struct number carry(struct number a)
{
	for (int i = 0; i < LIMBS - 1; i++) {
		a.limb[i + 1] += a.limb[i] >> 51;
		a.limb[i] &= MASK;
	}
	a.limb[0] += 19 * (a.limb[4] >> 51); /* 2^255 is 19 */
	a.limb[4] &= MASK;
	a.limb[1] += a.limb[0] >> 51;
	a.limb[0] &= MASK;
	return a;
}

/* From little endian; the highest bit, the sign of x in Ed25519, is not part of it. */
static struct number load(const uint8_t in[32])
{
	struct number a;
	uint64_t word[4];
	for (int i = 0; i < 4; i++)
		word[i] = wg_load_le64(in + 8 * i);
	a.limb[0] = word[0] & MASK;
	a.limb[1] = (word[0] >> 51 | word[1] << 13) & MASK;
	a.limb[2] = (word[1] >> 38 | word[2] << 26) & MASK;
	a.limb[3] = (word[2] >> 25 | word[3] << 39) & MASK;
	a.limb[4] = word[3] >> 12 & MASK;
	return a;
}

/* To little endian, reduced. */
static void store(uint8_t out[32], struct number a)
{
	a = carry(carry(a));
	/* now below 2^255: p or more than that exactly when 19 more pass 2^255, which then go away */
	uint64_t over = a.limb[0] + 19;
	for (int i = 1; i < LIMBS; i++)
		over = a.limb[i] + (over >> 51);
	a.limb[0] += 19 * (over >> 51);
	for (int i = 0; i < LIMBS - 1; i++) {
		a.limb[i + 1] += a.limb[i] >> 51;
		a.limb[i] &= MASK;
	}
	a.limb[4] &= MASK;
	wg_store_le64(out, a.limb[0] | a.limb[1] << 51);
	wg_store_le64(out + 8, a.limb[1] >> 13 | a.limb[2] << 38);
	wg_store_le64(out + 16, a.limb[2] >> 26 | a.limb[3] << 25);
	wg_store_le64(out + 24, a.limb[3] >> 39 | a.limb[4] << 12);
}

/* Products of limbs below 2^52 and 19 * 2^52: five of them stay below 2^111. */
static struct number reduce(const wide sum[LIMBS])
{
	struct number r;
	wide rest = 0;
	for (int i = 0; i < LIMBS; i++) {
		rest += sum[i];
		r.limb[i] = (uint64_t)rest & MASK;
		rest >>= 51;
	}
	rest = rest * 19 + r.limb[0];
	r.limb[0] = (uint64_t)rest & MASK;
	r.limb[1] += (uint64_t)(rest >> 51);
	r.limb[2] += r.limb[1] >> 51;
	r.limb[1] &= MASK;
	return r;
}

static struct number multiply(const struct number *a, const struct number *b)
{
	const uint64_t *x = a->limb, *y = b->limb;
	const uint64_t y1 = 19 * y[1], y2 = 19 * y[2], y3 = 19 * y[3], y4 = 19 * y[4];
	const wide sum[LIMBS] = {
		(wide)x[0] * y[0] + (wide)x[1] * y4 + (wide)x[2] * y3 + (wide)x[3] * y2 +
			(wide)x[4] * y1,
		(wide)x[0] * y[1] + (wide)x[1] * y[0] + (wide)x[2] * y4 + (wide)x[3] * y3 +
			(wide)x[4] * y2,
		(wide)x[0] * y[2] + (wide)x[1] * y[1] + (wide)x[2] * y[0] + (wide)x[3] * y4 +
			(wide)x[4] * y3,
		(wide)x[0] * y[3] + (wide)x[1] * y[2] + (wide)x[2] * y[1] + (wide)x[3] * y[0] +
			(wide)x[4] * y4,
		(wide)x[0] * y[4] + (wide)x[1] * y[3] + (wide)x[2] * y[2] + (wide)x[3] * y[1] +
			(wide)x[4] * y[0],
	};
	return reduce(sum);
}

/* a to the power of 2^n */
static struct number square(struct number a, int n)
{
	while (n-- > 0) {
		const uint64_t *x = a.limb;
		const uint64_t x0 = 2 * x[0], x1 = 2 * x[1], x3 = 19 * x[3], x4 = 19 * x[4];
		const wide sum[LIMBS] = {
			(wide)x[0] * x[0] + (wide)x1 * x4 + 2 * ((wide)x[2] * x3),
			(wide)x0 * x[1] + 2 * ((wide)x[2] * x4) + (wide)x[3] * x3,
			(wide)x0 * x[2] + (wide)x[1] * x[1] + 2 * ((wide)x[3] * x4),
			(wide)x0 * x[3] + (wide)x1 * x[2] + (wide)x[4] * x4,
			(wide)x0 * x[4] + (wide)x1 * x[3] + (wide)x[2] * x[2],
		};
		a = reduce(sum);
	}
	return a;
}

/* 1 / a as a^(p - 2), which is 2^255 - 21; 0 gives 0. `rN` is a^(2^N - 1). */
static struct number invert(const struct number *a)
{
	struct number a2 = square(*a, 1);
	struct number a8 = square(a2, 2);
	struct number a9 = multiply(&a8, a);
	struct number a11 = multiply(&a9, &a2);
	struct number t = square(a11, 1);
	struct number r5 = multiply(&t, &a9); /* 22 + 9 = 31 */
	t = square(r5, 5);
	struct number r10 = multiply(&t, &r5);
	t = square(r10, 10);
	struct number r20 = multiply(&t, &r10);
	t = square(r20, 20);
	struct number r40 = multiply(&t, &r20);
	t = square(r40, 10);
	struct number r50 = multiply(&t, &r10);
	t = square(r50, 50);
	struct number r100 = multiply(&t, &r50);
	t = square(r100, 100);
	struct number r200 = multiply(&t, &r100);
	t = square(r200, 50);
	struct number r250 = multiply(&t, &r50);
	t = square(r250, 5);
	return multiply(&t, &a11); /* 2^255 - 32 + 11 */
}

/* u of the point whose y (and sign) this is. */
static void map(uint8_t u[32], const uint8_t point[32])
{
	/* 2p, limb by limb, so that nothing goes below zero */
	static const uint64_t twice_p[LIMBS] = {2 * (MASK - 18), 2 * MASK, 2 * MASK, 2 * MASK,
						2 * MASK};
	struct number y = load(point), above = y, below;
	above.limb[0] += 1;
	for (int i = 0; i < LIMBS; i++)
		below.limb[i] = twice_p[i] - y.limb[i];
	below.limb[0] += 1;
	above = carry(above);
	below = carry(below);
	below = invert(&below);
	store(u, multiply(&above, &below));
}

void wg_x25519_base(uint8_t public_key[WG_KEY_LEN], const uint8_t private_key[WG_KEY_LEN])
{
	uint8_t point[crypto_scalarmult_ed25519_BYTES];
	/* it clamps as X25519 does. A clamped key is a multiple of 8 below 8 times the order, and not 0,
	 * so that the point is not the neutral one, of which this would complain */
	if (crypto_scalarmult_ed25519_base(point, private_key) == 0)
		map(public_key, point);
	else /* it also complains of a key of zeroes, which is one before it is clamped */
		(void)crypto_scalarmult_curve25519_base(public_key, private_key);
}
