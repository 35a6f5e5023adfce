/* SPDX-License-Identifier: BSD-2-Clause */
/* device: the descriptors of one TUN or TAP device: opening, flags, offload, persistence. Facts:
 * tuntap.rst of the kernel, linux/if_tun.h. */
#ifndef TUNTAP_DEVICE_H
#define TUNTAP_DEVICE_H

#include <net/if.h>
#include <stdbool.h>

#include "netlink.h"
#include "options.h"

#define TUNTAP_QUEUES_MAX 256u

/* What the kernel may hand over and takes as super-packets. */
enum tuntap_offload { TUNTAP_OFFLOAD_NONE, TUNTAP_OFFLOAD_TCP, TUNTAP_OFFLOAD_TCP_UDP };

struct tuntap_device {
	int *fds; /* one for each queue */
	uint32_t n_queues;
	enum tuntap_offload offload;
	bool ethernet;
	bool multi_queue;
	bool vnet_hdr;   /* each packet has a struct tcpip_vnet_hdr in front */
	bool existed;    /* was there before us */
	bool persistent; /* stays behind us */
	bool elsewhere;  /* in another network namespace than this thread */
	char name[IFNAMSIZ];
};

/*
 * Opens `n_queues` queues of the device that the options describe, or takes a duplicate of the
 * descriptor that was handed in, and settles offload, owner and group. On failure the device is
 * closed. [main]
 */
vpn_status tuntap_device_open(struct tuntap_device *d, const struct tuntap_options *o,
			      struct tuntap_netlink *nl, uint32_t n_queues, struct vpn_error *err);

/* Makes the device stay behind us or not, as the options say. The last step, so that a start that
 * fails leaves no device. [main] */
vpn_status tuntap_device_set_persistence(struct tuntap_device *d, const struct tuntap_options *o,
					 struct vpn_error *err);

/* Closes all queues; a device that does not persist is gone then. Also after a failed open, and
 * again. [main] */
void tuntap_device_close(struct tuntap_device *d);

/* The present name of the device behind a queue: false when the device is gone (EBADFD). [any] */
bool tuntap_device_name(int fd, char name[IFNAMSIZ]);

#endif
