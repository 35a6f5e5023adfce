/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <stddef.h>

#include "awg_options.h"
#include "fault.h"
#include "key.h"
#include "mimic_options.h"
#include "mode.h"
#include "veil_options.h"

vpn_status obfs_options_validate(const void *config, struct vpn_error *err)
{
	const struct obfs_options *o = config;
	if (o->password != NULL && o->key.data != NULL)
		return obfs_fault(err, VPN_EINVAL, "/key", "give a password or a key, not both");
	if (o->veil != NULL && o->mode != OBFS_VEIL && o->mode != OBFS_MIMIC)
		return obfs_fault(err, VPN_EINVAL, "/veil",
				  "belongs to modes \"veil\" and \"mimic\" alone");
	if (o->mimic != NULL && o->mode != OBFS_MIMIC)
		return obfs_fault(err, VPN_EINVAL, "/mimic", "belongs to mode \"mimic\" alone");
	if (o->awg != NULL && o->mode != OBFS_AWG)
		return obfs_fault(err, VPN_EINVAL, "/awg", "belongs to mode \"awg\" alone");
	return obfs_modes[o->mode]->check(o, err);
}

void obfs_options_needs(const void *config, struct vpn_needs *out)
{
	const struct obfs_options *o = config;
	out->flags = VPN_L2 | VPN_L3 | VPN_LANE_AWARE;
	obfs_modes[o->mode]->needs(o, out);
}

/* ---- the table ---- */

/* in the order of enum obfs_mode_id */
static const char *const mode_choices[] = {"salamander", "veil", "mimic", "awg", NULL};

_Static_assert(sizeof(mode_choices) / sizeof(mode_choices[0]) == OBFS_N_MODES + 1,
	       "a name for each mode");

#define AT(field) (uint32_t) offsetof(struct obfs_options, field)

static const struct vpn_option options[] = {
	{.name = "mode",
	 .type = VPN_OPT_ENUM,
	 .offset = AT(mode),
	 .flags = VPN_OPT_REQUIRED,
	 .choices = mode_choices,
	 .doc = "What datagrams look like on the wire, the same on both sides. salamander: random "
		"bytes, as Hysteria 2 makes them. veil: random bytes of random lengths, and "
		"silence "
		"to strangers. mimic: veil's packets with the headers of another protocol. "
		"awg: WireGuard in the disguise of AmneziaWG."},
	{.name = "password",
	 .type = VPN_OPT_STRING,
	 .offset = AT(password),
	 .min = 1,
	 .max = 1024,
	 .flags = VPN_OPT_SECRET,
	 .doc = "What both sides share. salamander takes it as it is, at least 4 bytes; veil "
		"and mimic stretch it, at least 8."},
	{.name = "key",
	 .type = VPN_OPT_BYTES,
	 .offset = AT(key),
	 .min = OBFS_KEY_LEN,
	 .max = OBFS_KEY_LEN,
	 .flags = VPN_OPT_SECRET,
	 .doc = "Instead of a password: 32 random bytes, base64 or hex."},
	{.name = "veil",
	 .type = VPN_OPT_OBJECT,
	 .offset = AT(veil),
	 .table = &veil_option_table,
	 .doc = "How mode veil works, also within mimic."},
	{.name = "mimic",
	 .type = VPN_OPT_OBJECT,
	 .offset = AT(mimic),
	 .table = &mimic_option_table,
	 .doc = "What mode mimic claims to be."},
	{.name = "awg",
	 .type = VPN_OPT_OBJECT,
	 .offset = AT(awg),
	 .table = &awg_option_table,
	 .doc = "The parameters of mode awg, by the names that AmneziaWG has for them."},
};

const struct vpn_option_table obfs_option_table = VPN_OPTION_TABLE(options, struct obfs_options);
