/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world: a small host for tests of the udp transport, and a network namespace of their own:
 *
 *   instance under test --- lo: 127.0.0.0/8, ::1, 10.9.0.1/32, fd09::1/128 --- plain socket or
 *                                                                             another instance
 *
 * Every packet has storage of its own, so that sanitizers see overruns; what is owned is counted.
 */
#ifndef TEST_UDP_WORLD_H
#define TEST_UDP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "remote.h"
#include "udp.h"

#define WORLD_LANES   2u
#define WORLD_WATCHES 64u /* of a lane */
#define WORLD_ARRIVED 4096u
#define WORLD_MTU     1500u

struct arrival {
	uint8_t *data;
	uint32_t len;
	uint32_t flags;
	struct vpn_endpoint from;
};

struct world_lane {
	struct vpn_lane pub;
	struct vpn_link up;
	uint64_t counters[UDP_COUNTERS];
	struct {
		int fd;
		uint32_t events;
		uint64_t token;
	} watches[WORLD_WATCHES];
	uint64_t deadline_ns;
	uint32_t writable_down; /* calls of writable(VPN_DOWN) */
	uint32_t pushes;
	uint32_t largest_push;
	uint32_t room; /* packets that the stage above takes, in all */
};

struct world {
	struct vpn_host host;
	struct vpn_error err;
	struct udp_options options;
	struct udp *udp;
	bool started;
	uint64_t now_ns;
	uint64_t random;
	struct world_lane lanes[WORLD_LANES];
	struct arrival arrived[WORLD_ARRIVED];
	uint32_t n_arrived;
	uint32_t owned;  /* packets that the component or the test owns */
	bool no_packets; /* alloc() gives none */
	bool no_pieces;  /* split() cannot */
	uint32_t asked;  /* calls of resolve() */
	uint32_t asked_family;
	char asked_name[64];
	vpn_status resolve_status;
	_Atomic uint32_t woken[WORLD_LANES];
	uint32_t failures;                     /* calls of fail() */
	const struct vpn_protect_ext *protect; /* of a routes component; NULL = there is none */
	uint32_t warnings;                     /* lines logged as warning or error */
	char said[256];                        /* last line logged */
};

const struct vpn_component *world_component(void);

/* A group's set-up: enters a network namespace with lo up. Fails without root. */
int world_enter(void **state);

/* The defaults of the option table; then the test changes what it wants. */
void world_init(struct world *w);

/* Adds host and port to an option; host must outlive the world. */
struct vpn_hostport world_at(const char *host, uint16_t port);

vpn_status world_start(struct world *w, uint32_t n_lanes);
void world_must_start(struct world *w);

/* Stops and destroys; fails the test when a packet or watch is left. */
void world_end(struct world *w);

/* The port that was bound last. */
uint16_t world_port(const struct world *w);

/* The extension VPN_EXT_SOCKET of the component. */
const struct vpn_socket_ext *world_socket(const struct world *w);

/* Gives lanes that were woken their call, to the end. */
void world_wake(struct world *w);

uint64_t world_counted(const struct world *w, enum udp_count what);

/* Serves events of all lanes for up to ms milliseconds; returns at once after one round with some. */
void world_serve(struct world *w, int ms);

/* Serves until n packets have arrived in all, or fails the test after five seconds. */
void world_await(struct world *w, uint32_t n);

/* Serves until a counter has reached n, or fails the test after five seconds. */
void world_await_count(struct world *w, enum udp_count what, uint64_t n);

/* Gives the lane's deadline its call if it is due at now_ns. */
void world_tick(struct world *w, uint64_t now_ns);

/* A packet of len bytes whose content depends on seed. */
struct vpn_packet *world_packet(struct world *w, uint32_t len, uint8_t seed,
				const struct vpn_endpoint *to);

/* Sends on lane 0 and expects all to be taken. */
void world_send(struct world *w, struct vpn_packet **pkts, uint32_t n);
void world_release(struct world *w, struct vpn_packet **pkts, uint32_t n);

/* Fails the test unless arrival i has this length and seed's content. */
void world_check(const struct world *w, uint32_t i, uint32_t len, uint8_t seed);

/* The content that a seed gives. */
uint8_t content_byte(uint32_t i, uint8_t seed);
void content_check(const uint8_t *data, uint32_t got, uint32_t len, uint8_t seed);

/* A plain socket bound to an address of lo; port 0 = any. */
int peer_open(const char *host, uint16_t port);
uint16_t peer_port(int fd);
void peer_send(int fd, const char *host, uint16_t port, uint32_t len, uint8_t seed);

/* Waits up to five seconds for a datagram; returns its length and from where, and checks content. */
uint32_t peer_expect(int fd, uint32_t len, uint8_t seed, struct vpn_endpoint *from);
bool peer_is_silent(int fd);

struct vpn_endpoint endpoint_at(const char *host, uint16_t port);

#endif
