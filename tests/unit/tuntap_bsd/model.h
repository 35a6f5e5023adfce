/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model: the network devices of the four kernels, as a state machine behind struct bsd_ops. What it knows
 * of requests, structures and behaviour was written down from the kernels' sources a second time, apart
 * from the driver's tables: where the two differ, a request is an unknown one (ENOTTY) here.
 *
 *   driver -> bsd_ops -> model: descriptors, interfaces, addresses, queues
 *                          ^
 *   test: ifconfig, packets, other programs, a fault at the n-th call
 */
#ifndef TEST_BSD_MODEL_H
#define TEST_BSD_MODEL_H

#include "kernel.h"
#include "ops.h"

#define MODEL_IFS       24u
#define MODEL_ADDRESSES 8u
#define MODEL_QUEUE     96u
#define MODEL_FIRST_FD  1000
#define MODEL_FDS       40u

enum model_os { MODEL_FREEBSD, MODEL_OPENBSD, MODEL_NETBSD, MODEL_DRAGONFLY, MODEL_SYSTEMS };

enum model_fd { FREE_FD, DEVICE_FD, INET_FD, INET6_FD, ROUTE_FD };

struct model_address {
	uint8_t family; /* VPN_AF_*, 0 = free */
	uint8_t length;
	uint8_t addr[16];
	uint8_t dst[16]; /* all zero: none */
};

struct model_packet {
	uint32_t len;
	uint8_t data[2048];
};

struct model_if {
	bool used;
	bool ethernet;
	bool kept;      /* made by ifconfig: STAYUP, CLONE */
	bool cloned;    /* of the cloning node */
	bool transient; /* FreeBSD 15 */
	bool head, nonblocking;
	bool dead; /* destroyed under an open descriptor */
	bool mac_set;
	uint32_t unit, index, flags, mtu, nd6;
	int fd; /* that has it open, 0 = none */
	char name[BSD_IFNAMSIZ];
	uint8_t mac[6];
	struct model_address addresses[MODEL_ADDRESSES];
	uint32_t n_in, n_out;
	struct model_packet in[MODEL_QUEUE];  /* for read() */
	struct model_packet out[MODEL_QUEUE]; /* by write(), the head cut off */
	uint32_t out_family[MODEL_QUEUE];
};

struct model {
	enum model_os os;
	bool freebsd15;
	bool no_ipv6;
	bool no_root;
	bool has_clone_nodes;
	uint32_t nodes; /* numbered nodes in /dev, where the kernel does not make them */

	uint32_t calls;
	uint32_t fail_at; /* 0 = never */
	int fail_errno;
	bool failed;
	bool dies; /* at that call and all behind it: the process is gone */

	int read_errno, write_errno; /* of the next calls, 0 = none */
	bool hung;                   /* something was done that would wait for ever */
	bool bad_request;            /* a malformed structure was seen */
	uint32_t route_messages;
	bool closed_badly; /* close() of a descriptor that was not open */

	struct {
		enum model_fd kind;
		uint32_t at; /* of DEVICE_FD */
	} fds[MODEL_FDS];
	struct model_if ifs[MODEL_IFS];
	uint32_t next_index;
};

extern struct model model;

/* A machine that was just started. */
void model_boot(enum model_os os);

uint32_t model_open_fds(void);
uint32_t model_devices(void);
struct model_if *model_find(const char *name);                /* NULL = none */
bool model_has(const struct model_if *i, const char *prefix); /* "10.0.0.1/24" */

/* The process dies: its descriptors are closed. */
void model_kill(void);

/* ---- other programs ---- */

struct model_if *model_create(const char *name); /* ifconfig NAME create; NULL = refused */
int model_destroy(const char *name);             /* ifconfig NAME destroy; errno */
void model_rename(const char *name, const char *to);
int model_open(const char *path); /* a descriptor that is another program's, or -errno */
void model_send(const char *name, const void *data, uint32_t len);

/* One of the system's requests, made from what its header says: _IOW and so on. */
unsigned long model_ioc(unsigned long dir, char group, unsigned long number, size_t size);
#define MODEL_VOID 0x20000000ul
#define MODEL_OUT  0x40000000ul
#define MODEL_IN   0x80000000ul

#endif
