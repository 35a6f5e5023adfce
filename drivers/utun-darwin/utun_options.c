/* SPDX-License-Identifier: BSD-2-Clause */
#include "utun_options.h"

#include "fault.h"

int utun_options_unit(const struct utun_options *o)
{
	return darwin_options_unit(o->common.name, "utun", UTUN_UNIT_MAX);
}

vpn_status utun_options_validate(const void *config, struct vpn_error *err)
{
	const struct utun_options *o = config;
	if (o->fd < 0 && utun_options_unit(o) == -2)
		return darwin_fault(err, VPN_EINVAL, 0, "/name",
				    "\"%s\": macOS has utun0, utun1 and so on, to utun%d, and no "
				    "other names: write one of them, or \"utun%%d\" for a free one",
				    o->common.name, UTUN_UNIT_MAX);
	return darwin_options_check(&o->common, DARWIN_MTU_MAX, err);
}

static const char *const batch_choices[] = {"auto", "read", "on", "off", NULL};

#define AT(field) ((uint32_t)offsetof(struct utun_options, field))

static const struct vpn_option options[] = {
	{.name = "name",
	 .type = VPN_OPT_STRING,
	 .dflt = "utun%d",
	 .offset = AT(common.name),
	 .doc = "Name of the device: utun0 to utun32766 is what you get or an error; utun%d, or "
		"nothing, is a free one of the system's choice."},
	DARWIN_OPTION_MTU(struct utun_options, common),
	DARWIN_OPTION_ADDRESSES(struct utun_options, common),
	{.name = "peers",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_OBJECT,
	 .table = &darwin_peer_table,
	 .offset = AT(common.peers),
	 .doc = "Point-to-point addresses: an address of the device and the one on the other "
		"side."},
	{.name = "up",
	 .type = VPN_OPT_BOOL,
	 .dflt = "true",
	 .offset = AT(common.up),
	 .doc = "Bring the device up. false leaves it as it is, which is up for a new one."},
	{.name = "txqueuelen",
	 .type = VPN_OPT_UINT,
	 .dflt = "0",
	 .unit = "packets",
	 .max = 65536,
	 .offset = AT(txqueuelen),
	 .doc = "Packets that the system queues for us before it holds back (by itself it would "
		"stop at one). 0: 256, where that can be set."},
	{.name = "batch",
	 .type = VPN_OPT_ENUM,
	 .dflt = "auto",
	 .choices = batch_choices,
	 .offset = AT(batch),
	 .doc = "Several packets in one system call, by calls that macOS 10.10 and newer has and "
		"does not document. auto: for reading, where they are; read: the same, or else "
		"fail; "
		"on: for writing too, which others have seen stop the network; off: one by one."},
	{.name = "fd",
	 .type = VPN_OPT_INT,
	 .dflt = "-1",
	 .min = -1,
	 .max = INT32_MAX,
	 .offset = AT(fd),
	 .doc = "A utun that was opened elsewhere, as an inherited descriptor; name does not "
		"apply. -1: none."},
};

const struct vpn_option_table utun_option_table = VPN_OPTION_TABLE(options, struct utun_options);
