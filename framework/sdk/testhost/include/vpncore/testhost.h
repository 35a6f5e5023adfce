/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vpncore/testhost.h: a host for the unit tests of plugins.
 *
 * It makes instances of a component as vpncore does, and plays the rest of the pipeline: no root,
 * no network, no threads, no waiting. Time stands still until the test moves it; randomness comes
 * from a seed; what the component pushes is recorded; two instances can be joined by a wire that
 * delays, loses, reorders and duplicates the same way in every run.
 *
 * It also watches the component. Whatever breaks a rule of plugin.h is reported at once: writing
 * outside of a packet, using a packet after it was pushed, releasing it twice, keeping one for
 * ever, calling a service in a state where it is not legal, leaving a descriptor watched after
 * stop(). Every packet has storage of its own with exactly the room that needs() asked for,
 * between guards; under AddressSanitizer the faulty access itself is shown.
 *
 *	struct testhost *h = testhost_new(1);
 *	struct testhost_setup setup = {.config = &config};
 *	struct testhost_stage *s = testhost_add(h, &component, &setup, NULL);
 *	testhost_start(s, NULL);
 *	testhost_send(s, 0, "hello", 5);                    a packet from above
 *	r = testhost_next(s, 0, VPN_DOWN);                  what came out below
 *	TESTHOST_SAME_BYTES(r->data, r->len, expected, n);
 *	testhost_free(h);                                   stops, destroys, reports leaks
 *
 * A report stops the program, or fails the cmocka test when <cmocka.h> was included before this
 * header and the test calls TESTHOST_USE_CMOCKA().
 *
 * All functions here are for one thread, the test's. The [any] services of struct vpn_host may be
 * called by threads of the component. Times are nanoseconds, lengths bytes. `lane` is an index
 * below the stage's number of lanes; `direction` is VPN_UP or VPN_DOWN: where a packet goes to.
 */
#ifndef VPNCORE_TESTHOST_H
#define VPNCORE_TESTHOST_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Reports --------------------------------------------------------------------------------- */

/* Gets every report. May return: the test host then goes on as well as it can. */
typedef void (*testhost_report_fn)(void *ctx, const char *file, int line, const char *text);

/* NULL brings back the default, which prints the text and calls abort(). For all hosts. */
void testhost_on_report(testhost_report_fn fn, void *ctx);

#ifdef CMOCKA_H_
static inline void testhost_cmocka_report(void *ctx, const char *file, int line, const char *text)
{
	(void)ctx;
	print_error("%s\n", text);
	_fail(file, line);
}
#define TESTHOST_USE_CMOCKA() testhost_on_report(testhost_cmocka_report, NULL)
#endif

/* Reports a difference as hex dumps of the lines that differ. Returns whether the bytes are the same. */
#define TESTHOST_SAME_BYTES(got, got_len, want, want_len) \
	testhost_same_bytes((got), (got_len), (want), (want_len), __FILE__, __LINE__)
bool testhost_same_bytes(const void *got, size_t got_len, const void *want, size_t want_len,
			 const char *file, int line);

/* ---- The host -------------------------------------------------------------------------------- */

struct testhost;
struct testhost_stage;
struct testhost_wire;

/* Equal seeds give equal runs. NULL when memory is short. */
struct testhost *testhost_new(uint64_t seed);

/* Stops and destroys every stage, newest first, reports what leaked, frees all. Accepts NULL,
 * returns NULL. */
struct testhost *testhost_free(struct testhost *h);

/* Both clocks start at a fixed value that is not 0. */
uint64_t testhost_now(const struct testhost *h);
void testhost_set_wall(struct testhost *h, uint64_t ns_since_1970);

/* Does everything that is due now: wakes, answers of the resolver, timers, deliveries of wires.
 * Reports a component that never comes to rest. */
void testhost_run(struct testhost *h);

/* Moves both clocks on, stopping at each deadline on the way to do what is due. */
void testhost_advance(struct testhost *h, uint64_t ns);

/* The next moment at which something is due; UINT64_MAX when nothing is. */
uint64_t testhost_next_event(const struct testhost *h);

/* Waits with poll(2) up to timeout_ms of real time for watched descriptors and calls ready(), once
 * for each that has events. For components with real sockets. Returns how many were called. */
uint32_t testhost_poll(struct testhost *h, int timeout_ms);

/* Seeded random numbers, from the same source as the component's. */
uint64_t testhost_random(struct testhost *h);

/* Whether any log line so far contains `text`; level VPN_LOG_*, UINT32_MAX for any. */
bool testhost_logged(const struct testhost *h, uint32_t level, const char *text);

/* ---- Stages ---------------------------------------------------------------------------------- */

struct testhost_setup {
	const void *config; /* struct of the option table; lives as long as the stage */
	const char *name;   /* NULL = the component's id */
	uint32_t n_lanes;   /* 0 = 1 */
	uint32_t layer;     /* VPN_L2 or VPN_L3; 0 = VPN_L3 */
	uint32_t mtu_above; /* 0 = 1420 */
	uint32_t mtu_below; /* 0 = mtu_above + overhead; always 0 in a bottom transport */
	uint32_t headroom;  /* room in front of the data; 0 = exactly what needs() says */
	uint32_t tailroom;  /* likewise behind it */
	uint32_t max_batch; /* 0 = 64 */
	uint32_t pool_size; /* packets of each pool and lane; 0 = 1024 */
	uint32_t log_level; /* 0 = VPN_LOG_DEBUG */
	const char *above;  /* id of the component above, for vpn_host.above; NULL = none */
};

/* validate, needs, create. NULL and *err (may be NULL) when the component refuses. */
struct testhost_stage *testhost_add(struct testhost *h, const struct vpn_component *component,
				    const struct testhost_setup *setup, struct vpn_error *err);

/* On failure stop() has been called, as the host does. */
vpn_status testhost_start(struct testhost_stage *s, struct vpn_error *err);

/* Calls stop() in any state, then reports packets that are still held and descriptors still
 * watched. */
void testhost_stop(struct testhost_stage *s);

vpn_status testhost_reload(struct testhost_stage *s, const void *config, struct vpn_error *err);

/* stop() unless stopped, destroy(). Accepts NULL, returns NULL. The wires of the stage go too. */
struct testhost_stage *testhost_remove(struct testhost_stage *s);

struct vpn_lane *testhost_lane(struct testhost_stage *s, uint32_t lane);
const struct vpn_host *testhost_services(const struct testhost_stage *s);
const struct vpn_needs *testhost_needs(const struct testhost_stage *s);
void *testhost_instance(const struct testhost_stage *s);

/* A counter by its name, summed over the lanes. Reports a name that the component does not have. */
uint64_t testhost_counter(const struct testhost_stage *s, const char *name);

/* The sum of all counters that are marked as drops. */
uint64_t testhost_drops(const struct testhost_stage *s);

/* ---- Packets in ------------------------------------------------------------------------------ */

/* A packet that the test owns. Downwards it has the room that needs() asked for and no byte more,
 * upwards none. Does not count against the pools. */
struct vpn_packet *testhost_packet(struct testhost_stage *s, uint32_t lane, uint32_t direction,
				   const void *data, uint32_t len);

/* Gives it an endpoint, which lives until the push in which it is offered has returned. */
void testhost_packet_from(struct testhost_stage *s, struct vpn_packet *p,
			  const struct vpn_endpoint *endpoint);

/* Frees a packet that the test owns. */
void testhost_drop(struct testhost_stage *s, struct vpn_packet *p);

/* Calls send() (VPN_DOWN) or recv() (VPN_UP). Returns how many were taken; the rest are the
 * test's. */
uint32_t testhost_offer(struct testhost_stage *s, uint32_t lane, uint32_t direction,
			struct vpn_packet **pkts, uint32_t n);

/* One packet; true when it was taken. Not taken, it is freed. `endpoint` may be NULL. */
bool testhost_send(struct testhost_stage *s, uint32_t lane, const void *data, uint32_t len);
bool testhost_recv(struct testhost_stage *s, uint32_t lane, const void *data, uint32_t len,
		   const struct vpn_endpoint *endpoint);

/* ---- Packets out ----------------------------------------------------------------------------- */

struct testhost_record {
	const uint8_t *data;
	uint32_t len;
	uint32_t flags; /* VPN_PACKET_*, traffic class included */
	uint64_t at_ns;
	uint64_t stamp_ns;
	uint64_t push;     /* number of the push that it came in, from 1, on this link */
	uint32_t headroom; /* that was left in front of the data */
	bool has_endpoint;
	struct vpn_endpoint endpoint;
};

/* The oldest packet that the stage pushed in this direction; NULL when there is none. Valid until
 * the next call for this link. Empty while a wire is attached. */
const struct testhost_record *testhost_next(struct testhost_stage *s, uint32_t lane,
					    uint32_t direction);

uint32_t testhost_waiting(const struct testhost_stage *s, uint32_t lane, uint32_t direction);
void testhost_clear(struct testhost_stage *s, uint32_t lane, uint32_t direction);

/* From now on the link takes this many packets and then no more; UINT32_MAX = any number. */
void testhost_limit(struct testhost_stage *s, uint32_t lane, uint32_t direction, uint32_t packets);

/* ---- Events ---------------------------------------------------------------------------------- */

struct testhost_watch {
	int fd;
	uint32_t events;
	uint64_t token;
};

/* Copies up to max watches; returns how many there are. */
uint32_t testhost_watches(const struct testhost_stage *s, uint32_t lane, struct testhost_watch *out,
			  uint32_t max);

/* Calls ready() once and returns what it returned. */
uint32_t testhost_ready(struct testhost_stage *s, uint32_t lane, uint64_t token, uint32_t events);

/* Calls writable(): the neighbour in `direction` takes packets again. */
uint32_t testhost_writable(struct testhost_stage *s, uint32_t lane, uint32_t direction);

/* How often the stage has called the service writable() itself. */
uint32_t testhost_writable_calls(const struct testhost_stage *s, uint32_t lane, uint32_t direction);

/* The armed deadline; 0 = none. */
uint64_t testhost_deadline(const struct testhost_stage *s, uint32_t lane);

/* Scripts the answer to resolve() of `name`: copied; a port of 0 becomes that of the question. The
 * last script counts. Names without a script are not resolved (VPN_EADDR). Answers come in
 * testhost_run(). */
void testhost_answer(struct testhost *h, const char *name, vpn_status status,
		     const struct vpn_endpoint *endpoints, uint32_t n);
uint32_t testhost_resolve_calls(const struct testhost *h, const char *name);

/* How often notify() was called with this event, and with which value last. */
uint32_t testhost_notified(const struct testhost_stage *s, uint32_t event, uint64_t *ret_value);

/* What fail() was called with first; NULL when it was not. */
const struct vpn_error *testhost_failed(const struct testhost_stage *s);

/* Lets get_service() find a group of functions. Pointers are kept. Later ones come first. */
void testhost_serve(struct testhost *h, const char *id, const void *functions, void *inst);

/* ---- Faults ---------------------------------------------------------------------------------- */

/* The n-th call of alloc() or split() from now gives nothing (1 = the next); 0 = none fails. With
 * `again`, every n-th call. */
void testhost_fail_alloc(struct testhost *h, uint32_t n, bool again);

/* The n-th call of watch() or resolve() from now returns `status`. 0 = none. */
void testhost_fail_service(struct testhost *h, uint32_t n, vpn_status status);

/*
 * The n-th call of malloc, calloc, realloc, aligned_alloc or posix_memalign that the component
 * itself makes from now on returns NULL; 0 = none. Works in programs linked with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=posix_memalign
 * (CMake: vpncore::testhost_memory); others do not link.
 */
void testhost_fail_memory(uint32_t n);

/* True when the failure that was asked for has happened: how a test that tries n = 1, 2, 3, ...
 * knows that it has come to the end. */
bool testhost_memory_failed(void);

/* ---- A wire between two stages --------------------------------------------------------------- */

#define TESTHOST_PPM 1000000u /* always */

struct testhost_wire_setup {
	uint64_t delay_ns;  /* of each packet */
	uint64_t jitter_ns; /* 0..jitter more, by chance: packets overtake each other */
	uint32_t loss_ppm;  /* chance of each packet in 1 000 000 */
	uint32_t duplicate_ppm;
	uint32_t reorder_ppm; /* chance to be held back by reorder_ns */
	uint32_t corrupt_ppm; /* chance that one bit is flipped */
	uint64_t reorder_ns;  /* 0 = 1 ms */
	uint32_t mtu;         /* larger packets are lost; 0 = any */
	uint32_t queue;       /* packets under way in one direction, more are lost; 0 = 65536 */
};

struct testhost_wire_stats { /* of one direction */
	uint64_t sent, delivered, lost, duplicated, reordered, corrupted, too_big, overflowed,
		refused;
};

/* Joins what both push down to what both receive, lane i with lane i. The receiver sees the
 * sender's endpoint: 192.0.2.1:1001 for `a`, 192.0.2.2:1002 for `b`. Both have the same number of
 * lanes. */
struct testhost_wire *testhost_join(struct testhost_stage *a, struct testhost_stage *b,
				    const struct testhost_wire_setup *setup);

/* Changes take hold for packets sent from now on. */
void testhost_wire_set(struct testhost_wire *w, const struct testhost_wire_setup *setup);

/* Moves a stage (one of the two) to another address. */
void testhost_wire_move(struct testhost_wire *w, const struct testhost_stage *s,
			const struct vpn_endpoint *endpoint);

/* Of the direction that `from` sends in. */
struct testhost_wire_stats testhost_wire_stats(const struct testhost_wire *w,
					       const struct testhost_stage *from);

/* ---- Packet builders ------------------------------------------------------------------------- */

/* Zero means: ports 0, ttl 64, tcp_flags ACK, window 65535. The family follows from `src`. */
struct testhost_flow {
	const char *src, *dst; /* "192.0.2.1", "2001:db8::1" */
	uint16_t src_port, dst_port;
	uint16_t tcp_flags; /* TCPIP_TCP_* of vpncore/tcpip.h */
	uint16_t window;
	uint32_t seq, ack;
	uint8_t ttl;
	uint8_t tos; /* or IPv6 traffic class */
	uint16_t ip_id;
	uint16_t echo_id, echo_seq;
};

/* Write a whole IP packet with right lengths and checksums. Return its length, 0 when `cap` is too
 * small or an address cannot be read. ICMP is an echo request, in ICMPv6 for an IPv6 flow. */
uint32_t testhost_build_udp(uint8_t *out, uint32_t cap, const struct testhost_flow *f,
			    const void *payload, uint32_t len);
uint32_t testhost_build_tcp(uint8_t *out, uint32_t cap, const struct testhost_flow *f,
			    const void *payload, uint32_t len);
uint32_t testhost_build_echo(uint8_t *out, uint32_t cap, const struct testhost_flow *f,
			     const void *payload, uint32_t len);

/* An Ethernet frame around a payload; tag 0 = untagged, otherwise the 802.1Q tag control field. */
uint32_t testhost_build_frame(uint8_t *out, uint32_t cap, const uint8_t dst[6],
			      const uint8_t src[6], uint16_t tag, uint16_t ethertype,
			      const void *payload, uint32_t len);

/* "192.0.2.1:7", "[2001:db8::1]:7": for tests' constants; reports what it cannot read. */
struct vpn_endpoint testhost_endpoint(const char *text);

#ifdef __cplusplus
}
#endif

#endif
