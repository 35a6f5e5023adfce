/* SPDX-License-Identifier: BSD-2-Clause */
#include "tap_options.h"

#include <string.h>

#include "fault.h"

int tap_options_unit(const struct tap_options *o)
{
	return darwin_options_unit(o->common.name, "tap", TAP_NODES - 1);
}

static vpn_status check_mac(const struct tap_options *o, struct vpn_error *err)
{
	static const uint8_t zero[6];
	if (!o->mac.is_set)
		return VPN_OK;
	if ((o->mac.addr[0] & 1) != 0)
		return darwin_fault(err, VPN_EINVAL, 0, "/mac",
				    "this is a multicast address: the first byte of a device's own "
				    "is even, 02 for example");
	if (memcmp(o->mac.addr, zero, sizeof(zero)) == 0)
		return darwin_fault(err, VPN_EINVAL, 0, "/mac", "all zero is no device's address");
	return VPN_OK;
}

static vpn_status check_kext(const struct tap_options *o, struct vpn_error *err)
{
	size_t n = o->kext != NULL ? strlen(o->kext) : 0;
	if (o->unload && !o->load)
		return darwin_fault(err, VPN_EINVAL, 0, "/unload",
				    "only what was loaded by \"load\": true is unloaded again");
	if (n == 0)
		return VPN_OK;
	if (!o->load)
		return darwin_fault(err, VPN_EINVAL, 0, "/kext",
				    "this says what to load: write \"load\": true with it");
	if (o->kext[0] != '/' || n < 6 || strcmp(o->kext + n - 5, ".kext") != 0)
		return darwin_fault(err, VPN_EINVAL, 0, "/kext",
				    "write the absolute path of a folder that ends in .kext");
	return VPN_OK;
}

vpn_status tap_options_validate(const void *config, struct vpn_error *err)
{
	const struct tap_options *o = config;
	if (tap_options_unit(o) == -2)
		return darwin_fault(
			err, VPN_EINVAL, 0, "/name",
			"\"%s\": the kernel extensions make tap0 to tap%d, and no other "
			"names: write one of them, or \"tap%%d\" for a free one",
			o->common.name, TAP_NODES - 1);
	vpn_status status = darwin_options_check(&o->common, TAP_MTU_MAX, err);
	if (status == VPN_OK)
		status = check_mac(o, err);
	return status == VPN_OK ? check_kext(o, err) : status;
}

static const char *const readiness_choices[] = {"auto", "kevent", "select", NULL};

#define AT(field) ((uint32_t)offsetof(struct tap_options, field))

static const struct vpn_option options[] = {
	{.name = "name",
	 .type = VPN_OPT_STRING,
	 .dflt = "tap%d",
	 .offset = AT(common.name),
	 .doc = "Name of the device: tap0 to tap15 is what you get or an error; tap%d, or nothing, "
		"is the first that is free."},
	DARWIN_OPTION_MTU(struct tap_options, common),
	DARWIN_OPTION_ADDRESSES(struct tap_options, common),
	{.name = "mac",
	 .type = VPN_OPT_MAC,
	 .offset = AT(mac),
	 .doc = "MAC address. Without it the extension makes one."},
	{.name = "up",
	 .type = VPN_OPT_BOOL,
	 .dflt = "true",
	 .offset = AT(common.up),
	 .doc = "Bring the device up; before that nothing can be read or written."},
	{.name = "load",
	 .type = VPN_OPT_BOOL,
	 .dflt = "false",
	 .offset = AT(load),
	 .doc = "Load the kernel extension when none is loaded. macOS may want to be asked in its "
		"settings, and to be restarted."},
	{.name = "unload",
	 .type = VPN_OPT_BOOL,
	 .dflt = "false",
	 .offset = AT(unload),
	 .doc = "Unload at the end what load has loaded, also after a crash."},
	{.name = "kext",
	 .type = VPN_OPT_STRING,
	 .max = 200,
	 .offset = AT(kext),
	 .doc = "What to load. Without it the places of Tunnelblick and tuntaposx are searched."},
	{.name = "readiness",
	 .type = VPN_OPT_ENUM,
	 .dflt = "auto",
	 .choices = readiness_choices,
	 .offset = AT(readiness),
	 .doc = "How to learn that a frame is there. kevent: by kqueue; select: by a thread, for "
		"systems whose kqueue refuses such devices; auto: whichever works."},
};

const struct vpn_option_table tap_option_table = VPN_OPTION_TABLE(options, struct tap_options);
