/* SPDX-License-Identifier: BSD-2-Clause */
#include "veil_options.h"

#include <stdio.h>
#include <string.h>

#include "awg_tags.h"
#include "fault.h"
#include "options.h"
#include "veil_packet.h"

#define PASSWORD_MIN 8u /* bytes: what NIST SP 800-63B section 5.1.1 asks for at least */

#define WINDOW_NS UINT64_C(60000000000)
#define JUNK_MIN  64u
#define JUNK_MAX  512u

_Static_assert(JUNK_MIN == VEIL_OVERHEAD, "the shortest packet that there is");

static const struct veil_options defaults = {
	.cover = VEIL_COVER_HEADERS,
	.window = WINDOW_NS,
	.junk_min = JUNK_MIN,
	.junk_max = JUNK_MAX,
};

const struct veil_options *veil_options_of(const struct obfs_options *o)
{
	return o->veil != NULL ? o->veil : &defaults;
}

const char *veil_options_first(const struct veil_options *v, uint32_t i)
{
	return *(const char *const *)(const void *)((const char *)v->first.items +
						    (size_t)i * v->first.item_size);
}

static vpn_status check_first(const struct veil_options *v, struct vpn_error *err)
{
	for (uint32_t i = 0; i < v->first.count; i++) {
		struct awg_tags_fault fault;
		char where[32];
		if (awg_tags_measure(veil_options_first(v, i), &fault) != 0)
			continue;
		snprintf(where, sizeof(where), "/veil/first/%u", i);
		return obfs_fault(err, VPN_EINVAL, where, "at character %u: %s", fault.at + 1,
				  fault.why);
	}
	return VPN_OK;
}

vpn_status veil_options_check(const struct obfs_options *o, struct vpn_error *err)
{
	const struct veil_options *v = veil_options_of(o);
	if (o->password == NULL && o->key.data == NULL)
		return obfs_fault(err, VPN_EINVAL, "/password",
				  "mode \"veil\" needs a \"password\" or a \"key\"");
	if (o->password != NULL && strlen(o->password) < PASSWORD_MIN)
		return obfs_fault(err, VPN_EINVAL, "/password",
				  "mode \"veil\" takes a password of at least %u bytes",
				  PASSWORD_MIN);
	if (v->junk_min > v->junk_max)
		return obfs_fault(
			err, VPN_EINVAL, "/veil/junk_min",
			"greater than junk_max: give a smaller one, or a greater junk_max");
	if (v->junk != 0 && v->cover == VEIL_COVER_WHOLE)
		return obfs_fault(
			err, VPN_EINVAL, "/veil/junk",
			"goes out before WireGuard's initiations, which cannot be seen under "
			"\"cover\": \"whole\"; leave it out");
	if (v->first.count != 0 && v->cover == VEIL_COVER_WHOLE)
		return obfs_fault(err, VPN_EINVAL, "/veil/first",
				  "goes out before WireGuard's initiations, which cannot be seen "
				  "under \"cover\": \"whole\"; leave it out");
	return check_first(v, err);
}

/* ---- the table ---- */

static const char *const cover_choices[] = {"headers", "whole", NULL};

#define AT(field) (uint32_t) offsetof(struct veil_options, field)

static const struct vpn_option options[] = {
	{.name = "cover",
	 .type = VPN_OPT_ENUM,
	 .offset = AT(cover),
	 .dflt = "headers",
	 .choices = cover_choices,
	 .doc = "headers: right under wireguard; of its data only the header is masked, and no "
		"byte "
		"is added to a full packet. whole: under anything; every packet is encrypted whole "
		"and "
		"grows by 64 bytes. The same on both sides."},
	{.name = "window",
	 .type = VPN_OPT_DURATION,
	 .offset = AT(window),
	 .dflt = "60s",
	 .min = 1000,
	 .max = 86400000,
	 .doc = "How far the other side's clock may be from ours. Sealed packets that are older "
		"are "
		"dropped."},
	{.name = "junk",
	 .type = VPN_OPT_UINT,
	 .offset = AT(junk),
	 .dflt = "0",
	 .max = VEIL_JUNK_MOST,
	 .doc = "Datagrams without meaning before each of WireGuard's initiations. One side alone "
		"may "
		"have them."},
	{.name = "junk_min",
	 .type = VPN_OPT_UINT,
	 .offset = AT(junk_min),
	 .dflt = "64",
	 .unit = "bytes",
	 .min = JUNK_MIN,
	 .max = 65507, /* a UDP datagram over IPv4: 65535 - 20 - 8 */
	 .doc = "Their least size."},
	{.name = "junk_max",
	 .type = VPN_OPT_UINT,
	 .offset = AT(junk_max),
	 .dflt = "512",
	 .unit = "bytes",
	 .min = JUNK_MIN,
	 .max = 65507,
	 .doc = "Their largest size."},
	{.name = "first",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_STRING,
	 .offset = AT(first),
	 .max = VEIL_FIRST_MOST,
	 .doc = "Datagrams of your own design before each initiation and its junk, as tags: "
		"\"<b 0x01ff>\" bytes, \"<r 20>\" random ones, \"<rd 20>\" digits, \"<rc 20>\" "
		"letters, \"<t>\" the time. The other side drops them as foreign."},
};

const struct vpn_option_table veil_option_table = VPN_OPTION_TABLE(options, struct veil_options);
