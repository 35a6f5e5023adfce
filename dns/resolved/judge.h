/* SPDX-License-Identifier: BSD-2-Clause */
/* judge: whether systemd-resolved is in charge of the names of this machine. */
#ifndef RESOLVED_JUDGE_H
#define RESOLVED_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <vpncore/plugin.h>

/* What there is to see. */
struct resolved_signs {
	bool has_bus;
	bool runs;        /* its name has an owner on the bus */
	bool elsewhere;   /* in another network namespace */
	bool activatable; /* the bus starts it when it is called */
	bool nss;         /* programs ask it first, by nsswitch.conf */
	bool stub;        /* every server of resolv.conf is itself */
};

/* Whether the text of nsswitch.conf(5) has `resolve` (nss-resolve(8)) for hosts, and no `dns` before. */
bool resolved_judge_nss(const char *text, size_t len);

/* The figure of probe(), and why->text. */
uint32_t resolved_judge(const struct resolved_signs *signs, struct vpn_error *why);

#endif
