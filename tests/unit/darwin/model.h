/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model: the kernel of macOS as the drivers see it, in place of drivers/darwin/ops_darwin.c: utun
 * control sockets, /dev/tapN, interfaces, route(4), kqueue, and the programs that load extensions.
 * What it refuses is what xnu and tuntaposx refuse. Descriptors are real ones (eventfd), so that they
 * can be polled; each call can be made to fail once.
 */
#ifndef TEST_DARWIN_MODEL_H
#define TEST_DARWIN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ops.h"

#define MODEL_INTERFACES 24u
#define MODEL_ADDRESSES  8u
#define MODEL_PACKETS    256u
#define MODEL_PACKET     4096u
#define MODEL_ROUTES     8u
#define MODEL_UNITS      40

struct model_packet {
	uint32_t len;
	uint8_t data[MODEL_PACKET];
};

struct model_interface {
	char name[16]; /* "" = none */
	uint32_t index, flags, mtu;
	int owner; /* descriptor */
	bool tap, nonblock;
	bool gone; /* reads and writes fail with ENXIO */
	uint32_t pending;
	uint8_t mac[6];
	uint32_t n_addresses;
	char addresses[MODEL_ADDRESSES][96]; /* "10.0.0.1 10.0.0.1 255.255.255.0" */
	uint32_t n_routes;
	uint8_t routes[MODEL_ROUTES][192]; /* messages of RTM_ADD */
	uint32_t head, tail;               /* of queue: from the kernel to the driver */
	struct model_packet queue[MODEL_PACKETS];
	uint32_t n_received;
	struct model_packet received[MODEL_PACKETS]; /* from the driver */
};

struct model {
	struct model_interface interfaces[MODEL_INTERFACES];
	bool is_root;
	bool no_utun;
	bool no_pending;         /* older than UTUN_OPT_MAX_PENDING_PACKETS */
	bool taken[MODEL_UNITS]; /* utun units of other programs */

	/* batch calls */
	bool has_recvmsg_x, has_sendmsg_x;
	int batch_errno;       /* they fail with this */
	uint32_t send_at_most; /* messages of one sendmsg_x, 0 = all */
	uint32_t receive_calls, send_calls, read_calls, write_calls;
	int write_errno; /* writes fail with this */
	bool eof;        /* reads return 0 */

	/* extensions */
	const char *loaded[4]; /* bundle ids */
	bool no_nodes;         /* loaded, and has made none */
	bool tap_taken[16];    /* open by process 4711 */
	int open_errno;
	bool kqueue_refuses;
	const char *files[8]; /* paths that exist */
	const char *plist;    /* the text of each Info.plist */
	const char *product, *release;
	bool apple_silicon;
	/* what a run of a program does; NULL: kextload and the like work */
	int (*on_run)(const char *const *argv, char *out, size_t cap);
	uint32_t n_runs;
	char runs[16][320];  /* the commands, words with a blank between them */
	bool lying;          /* kextload says yes and does nothing */
	uint32_t load_after; /* runs of kextload that do nothing first */
	bool unload_fails;
	uint32_t slept_ms;

	/* faults */
	uint32_t calls, fail_at; /* 0 = none */
	int fail_errno;
};

extern struct model model;

/* A machine on which everything works, root, macOS 14 on Intel. */
void model_reset(void);

uint32_t model_open_descriptors(void);
uint32_t model_count_interfaces(void);
struct model_interface *model_find(const char *name); /* NULL when there is none */

/* The kernel sends a packet out of the interface. False: it has no room or is down. */
bool model_send(const char *name, const void *data, uint32_t len);

/* Another program changes the interface; route sockets hear of it. */
void model_set_up(const char *name, bool up);
void model_set_mtu(const char *name, uint32_t mtu);
void model_lose_ipv4(const char *name, const uint8_t addr[4]);
void model_lose_ipv6(const char *name, const uint8_t addr[16]);

/* Puts a message into every route socket. */
void model_route_message(const void *message, uint32_t len);

bool model_has_address(const char *name, const char *text);

#endif
