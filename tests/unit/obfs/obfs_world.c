/* SPDX-License-Identifier: BSD-2-Clause */
#include "obfs_world.h"

#include <string.h>

#include "awg_options.h"

extern const struct vpn_plugin vpncore_plugin_v1;

const struct vpn_component *world_component(void)
{
	return vpncore_plugin_v1.components[0];
}

/* What mode awg needs besides. */
static void make_awg(struct world *w, uint32_t side)
{
	static const struct awg_options awg = {.h = {"1", "2", "3", "4"}, .i = {"<t>"}};
	w->options[side].password = NULL;
	w->options[side].awg = &awg;
	w->setup[side].above = "wireguard";
}

void world_init(struct world *w, enum obfs_mode_id mode)
{
	memset(w, 0, sizeof(*w));
	TESTHOST_USE_CMOCKA();
	w->host = testhost_new(1);
	assert_non_null(w->host);
	for (uint32_t i = 0; i < 2; i++) {
		w->options[i].mode = mode;
		w->options[i].password = "average_password";
		w->setup[i].config = &w->options[i];
		w->setup[i].name = i == 0 ? "obfs.a" : "obfs.b";
		if (mode != OBFS_SALAMANDER) /* carries anything */
			w->setup[i].above = "wireguard";
		if (mode == OBFS_AWG)
			make_awg(w, i);
	}
}

struct testhost_stage *world_start(struct world *w, uint32_t side)
{
	struct vpn_error err = {.size = sizeof(err)};
	w->stage[side] = testhost_add(w->host, world_component(), &w->setup[side], &err);
	if (w->stage[side] == NULL)
		fail_msg("%s: %s", err.where, err.text);
	assert_int_equal(testhost_start(w->stage[side], NULL), VPN_OK);
	return w->stage[side];
}

void world_join(struct world *w)
{
	struct testhost_wire_setup setup = {0};
	w->wire = testhost_join(w->stage[0], w->stage[1], &setup);
	assert_non_null(w->wire);
}

void world_end(struct world *w)
{
	w->host = testhost_free(w->host);
}

const struct testhost_record *world_next(struct world *w, uint32_t side, uint32_t direction)
{
	const struct testhost_record *r = testhost_next(w->stage[side], 0, direction);
	assert_non_null(r);
	return r;
}

static uint8_t digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

uint32_t world_hex(const char *hex, uint8_t *out)
{
	uint32_t n = 0;
	for (; hex[2 * n] != '\0'; n++)
		out[n] = (uint8_t)(digit(hex[2 * n]) << 4 | digit(hex[2 * n + 1]));
	return n;
}
