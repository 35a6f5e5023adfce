/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device: one TUN or TAP device, from its making to its end.
 *
 *   BSD_CREATED   record -> SIOCIFCREATE -> open -> ... -> close -> SIOCIFDESTROY -> forget
 *   BSD_CLONED    open /dev/tun  -> ... -> close
 *   BSD_OPENED    open /dev/tunN -> ... -> close
 *
 * A device is opened by one process at a time and destroyed by nobody who has it open: on FreeBSD that
 * would wait for its own close.
 */
#ifndef BSD_DEVICE_H
#define BSD_DEVICE_H

#include "name.h"
#include "options.h"
#include "record.h"

struct bsd_device {
	const struct bsd_layer *layer;
	enum bsd_layer_kind kind;
	int fd;         /* -1 = closed */
	bool existed;   /* was there before us */
	bool destroy;   /* has to be destroyed after the close */
	bool lasts;     /* stays behind us */
	bool wish_lost; /* the name that was asked for could not be given */
	uint64_t record;
	char name[BSD_IFNAMSIZ];
};

/* Opens the device that the options describe and sets its mode of framing; `point_to_point` is that of
 * struct bsd_addresses, `has_addresses` whether there are any. On failure nothing is left but, where
 * it could not be destroyed, the journal's record. [main] */
vpn_status bsd_device_open(struct bsd_device *d, const struct bsd_options *o,
			   const struct bsd_control *c, const struct bsd_journal *j,
			   bool has_addresses, bool point_to_point, struct vpn_error *err);

/* Makes it stay or go as "persist" says: the last step, so that a start that fails neither leaves a new
 * device nor takes away one that was there. [main] */
void bsd_device_settle(struct bsd_device *d, const struct bsd_options *o,
		       const struct bsd_journal *j);

/* Closes it, and destroys it where that is due. Returns 0 or the errno of a destruction that failed:
 * the journal's record stays then. Also after a failed open, and again. [main] */
int bsd_device_close(struct bsd_device *d, const struct bsd_control *c,
		     const struct bsd_journal *j);

/* Keeps `name` up to date where the kernel can rename. 0 or an errno. [main], lane 0 */
int bsd_device_follow_name(struct bsd_device *d, const struct bsd_control *c);

#endif
