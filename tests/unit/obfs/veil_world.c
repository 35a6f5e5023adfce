/* SPDX-License-Identifier: BSD-2-Clause */
#include "veil_world.h"

#include <string.h>

void veil_world_init(struct veil_world *v)
{
	memset(v, 0, sizeof(*v));
	world_init(&v->w, OBFS_VEIL);
	for (uint32_t side = 0; side < 2; side++) {
		for (uint32_t i = 0; i < OBFS_KEY_LEN; i++)
			v->key[side][i] = (uint8_t)i;
		v->veil[side] = (struct veil_options){
			.window = UINT64_C(60000000000), .junk_min = 64, .junk_max = 512};
		v->w.options[side].password = NULL;
		v->w.options[side].key = (struct vpn_bytes){v->key[side], OBFS_KEY_LEN, 0};
		v->w.options[side].veil = &v->veil[side];
		v->w.setup[side].mtu_above = MTU_ABOVE;
	}
}

void veil_world_start(struct veil_world *v)
{
	world_start(&v->w, 0);
	world_start(&v->w, 1);
}

void veil_world_end(struct veil_world *v)
{
	world_end(&v->w);
}

void veil_world_message(struct veil_world *v, uint8_t *out, uint32_t type, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		out[i] = (uint8_t)testhost_random(v->w.host);
	memset(out, 0, 4);
	out[0] = (uint8_t)type;
}

uint32_t veil_world_seal(struct veil_world *v, uint32_t side, const uint8_t *data, uint32_t len,
			 uint8_t *wire)
{
	assert_true(testhost_send(v->w.stage[side], 0, data, len));
	const struct testhost_record *r = world_next(&v->w, side, VPN_DOWN);
	memcpy(wire, r->data, r->len);
	return r->len;
}

uint32_t veil_world_sealed(struct veil_world *v, uint32_t side, uint32_t type, uint32_t len,
			   uint8_t *wire)
{
	uint8_t message[MTU_ABOVE];
	veil_world_message(v, message, type, len);
	return veil_world_seal(v, side, message, len, wire);
}
