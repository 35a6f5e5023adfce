/* SPDX-License-Identifier: BSD-2-Clause */
#include "mimic_options.h"

#include <stddef.h>
#include <string.h>

#include "fault.h"
#include "options.h"
#include "veil_options.h"

#define PASSWORD_MIN 8u /* bytes, as for mode veil */

enum mimic_claim mimic_claim_of(const struct obfs_options *o)
{
	return o->mimic != NULL ? (enum mimic_claim)o->mimic->as : MIMIC_DTLS;
}

vpn_status mimic_options_check(const struct obfs_options *o, struct vpn_error *err)
{
	if (o->password == NULL && o->key.data == NULL)
		return obfs_fault(err, VPN_EINVAL, "/password",
				  "mode \"mimic\" needs a \"password\" or a \"key\"");
	if (o->password != NULL && strlen(o->password) < PASSWORD_MIN)
		return obfs_fault(err, VPN_EINVAL, "/password",
				  "mode \"mimic\" takes a password of at least %u bytes",
				  PASSWORD_MIN);
	const struct veil_options *v = veil_options_of(o);
	if (v->junk != 0 || v->first.count != 0)
		return obfs_fault(
			err, VPN_EINVAL, v->junk != 0 ? "/veil/junk" : "/veil/first",
			"is nothing that a peer of the claimed protocol would send: leave "
			"it out in mode \"mimic\"");
	return VPN_OK;
}

/* ---- the table ---- */

static const char *const claims[] = {"dtls", "srtp", NULL};

static const struct vpn_option options[] = {
	{.name = "as",
	 .type = VPN_OPT_ENUM,
	 .offset = (uint32_t)offsetof(struct mimic_options, as),
	 .dflt = "dtls",
	 .choices = claims,
	 .doc = "dtls: a session of DTLS 1.2, which begins with a handshake. srtp: a call with "
		"sound "
		"and picture. The same on both sides."},
};

const struct vpn_option_table mimic_option_table = VPN_OPTION_TABLE(options, struct mimic_options);
