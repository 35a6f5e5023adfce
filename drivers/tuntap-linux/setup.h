/* SPDX-License-Identifier: BSD-2-Clause */
/* setup: brings the link of an open device to what the options say, changing only what differs, so
 * that a device which somebody with privilege has prepared needs none. */
#ifndef TUNTAP_SETUP_H
#define TUNTAP_SETUP_H

#include "device.h"

/* The addresses that the options ask for. */
struct tuntap_setup {
	struct tuntap_address *wanted;
	bool *added; /* by us */
	uint32_t n;
};

/* [main] */
vpn_status tuntap_setup_init(struct tuntap_setup *s, const struct tuntap_options *o,
			     struct vpn_error *err);
void tuntap_setup_clear(struct tuntap_setup *s);

/* Does all of it; *ret_link is the link afterwards. `mtu` is that of the device, in bytes of IP
 * packet. Stops at the first thing that cannot be done. [main] */
vpn_status tuntap_setup_apply(struct tuntap_setup *s, const struct tuntap_options *o,
			      const struct tuntap_device *d, struct tuntap_netlink *nl,
			      uint32_t mtu, struct tuntap_link *ret_link, struct vpn_error *err);

/* Adds the addresses that are missing, as after the link was down, which costs it those of IPv6.
 * Returns how many, or a negative errno. [lane] */
int tuntap_setup_restore(struct tuntap_setup *s, const struct tuntap_device *d,
			 struct tuntap_netlink *nl, uint32_t index);

/* Removes the addresses that were added. [main] */
void tuntap_setup_undo(struct tuntap_setup *s, struct tuntap_netlink *nl, uint32_t index);

/* Whether an address is one of those that the options ask for. [any] */
bool tuntap_setup_wants(const struct tuntap_setup *s, const struct tuntap_address *a);

#endif
