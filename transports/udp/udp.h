/* SPDX-License-Identifier: BSD-2-Clause */
/* udp: the instance, its lanes and what it counts. */
#ifndef UDP_UDP_H
#define UDP_UDP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <vpncore/plugin.h>

#include "address.h"
#include "control.h"
#include "memo.h"
#include "options.h"
#include "wire.h"

#define UDP_SECOND UINT64_C(1000000000) /* ns */

/* In the order of udp_counters[] in udp.c. */
enum udp_count {
	DROP_NO_ENDPOINT,
	DROP_NO_SOCKET,
	DROP_TOO_BIG,
	DROP_REFUSED,
	DROP_UNREACHABLE,
	DROP_FILTERED,
	DROP_NO_BUFFERS,
	DROP_SEND_ERROR,
	DROP_UNEXPECTED_SOURCE,
	DROP_TRUNCATED,
	DROP_EMPTY,
	DROP_NO_PIECES,
	DROP_ABOVE_FULL,
	DROP_SOCKET_FULL,
	SEND_BLOCKED,
	RECEIVE_PAUSED,
	SEGMENTATION_OFF,
	SOURCE_CLEARED,
	ICMP_ERRORS,
	LOOKUPS,
	REMOTE_CHANGED,
	HOPS,
	HOPS_AFTER_SILENCE,
	UDP_COUNTERS
};

struct udp_socket {
	int fd; /* -1 = not open */
	uint8_t family;
	bool segments;     /* UDP_SEGMENT works */
	bool coalesces;    /* UDP_GRO is on */
	bool wants_out;    /* POLLOUT is watched */
	bool muted;        /* POLLIN is not, while reading is paused */
	uint32_t token;    /* of its watch */
	uint32_t overflow; /* last value of SO_RXQ_OVFL */
};

/* Sockets of one port; udp_socket_index() gives a family's place among them. */
#define UDP_SOCKETS 2u

/* Tokens: a place in udp_lane.sockets, or from here on one in udp_lane.old. */
#define UDP_OLD_TOKEN 0x10000u

/* The sockets of one lane on one port. */
struct udp_pair {
	struct udp_socket sockets[UDP_SOCKETS];
};

/* Sockets of a port that a hop has left: what is on its way to it still arrives. */
#define UDP_OLD_PAIRS 4u

struct udp_old {
	struct udp_pair pair;
	uint64_t until_ns; /* 0 = empty */
	uint16_t port;     /* port_lock */
};

static inline uint32_t udp_socket_index(uint8_t family)
{
	return family == VPN_AF_INET6 ? 1u : 0u;
}

/* Consecutive packets of one batch that go in one message. */
struct udp_group {
	uint16_t first;
	uint16_t count;
	uint16_t socket; /* place in udp_lane.sockets */
	uint8_t drop;    /* reason why it cannot be sent, UDP_COUNTERS = can */
	bool segmented;  /* UDP_SEGMENT is used */
	bool has_local;  /* the local address is given */
};

struct udp_tx {
	uint32_t n_groups;
	uint64_t hinted_ns;    /* when the log last spoke of datagrams that are too big */
	struct udp_memo plain; /* destinations that take no segmentation */
	struct udp_memo stale; /* local addresses that do not work any more */
	struct udp_group groups[VPN_BATCH_MAX];
	struct udp_message msgs[VPN_BATCH_MAX];
	struct iovec iov[VPN_BATCH_MAX];
	union udp_name names[VPN_BATCH_MAX];
	_Alignas(16) uint8_t control[VPN_BATCH_MAX][UDP_CONTROL_SPACE];
};

#define UDP_LARGE_SLOTS 4u   /* messages of up to 64 KiB in one recvmmsg() */
#define UDP_SMALL_SLOTS 64u  /* datagrams in one recvmmsg() where each is a message */
#define UDP_ARRIVALS    512u /* datagrams of one recvmmsg() */

/* Packets to receive into, kept from one call to the next. */
struct udp_slots {
	uint32_t pool;
	uint32_t size;
	uint32_t n;
	struct vpn_packet *packets[UDP_SMALL_SLOTS];
};

struct udp_rx {
	struct udp_slots large;
	struct udp_slots small;
	struct udp_message msgs[UDP_SMALL_SLOTS];
	struct iovec iov[UDP_SMALL_SLOTS];
	union udp_name names[UDP_SMALL_SLOTS];
	struct vpn_endpoint from[UDP_SMALL_SLOTS];
	_Alignas(16) uint8_t control[UDP_SMALL_SLOTS][UDP_CONTROL_SPACE];
	struct vpn_packet *arrivals[UDP_ARRIVALS];
	bool answered; /* some of them came from the far port in use; for hops alone */
};

/* What one lane knows of the peer; see remote.c for how it is shared. */
struct udp_peer {
	struct vpn_endpoint endpoint; /* family VPN_AF_NONE = not known yet */
	uint32_t generation;
};

struct udp;

struct udp_lane {
	_Alignas(64) struct udp *udp;
	struct vpn_lane *pub;
	const struct vpn_host *host;
	const struct udp_options *options;
	/* The lane's own thread writes them, and their fd under udp.port_lock alone: see port.c. */
	struct udp_socket *sockets; /* UDP_SOCKETS for each port */
	uint32_t n_sockets;
	uint16_t port;          /* the first that they are bound to; port_lock */
	struct udp_pair next;   /* that the lane is to take instead; port_lock */
	_Atomic bool has_next;  /* written under port_lock */
	_Atomic bool keeps_old; /* a hop: what next replaces goes to `old`; likewise */
	uint32_t drained;       /* calls of udp_receive() since it was asked to */
	struct udp_old old[UDP_OLD_PAIRS];
	struct udp_peer peer;
	uint16_t far_port;  /* of the range that is hopped over, where this lane sends to */
	bool blocked;       /* a send buffer is full: writable() is owed */
	uint64_t resume_ns; /* reading is paused until then; 0 = it is not */
	struct udp_tx tx;
	struct udp_rx rx;
};

/* The look-up of the peer's name, done by lane 0. */
struct udp_lookup {
	bool running;
	uint64_t interval_ns; /* least time between two look-ups; grows while they change nothing */
	uint64_t answered_ns; /* when the last answer came; 0 = none has */
	uint64_t allowed_ns;  /* not before */
	uint64_t due_ns;      /* deadline; 0 = none */
};

/* Where in the range of the peer's ports we are; see hop.c. */
struct udp_hop {
	struct udp_hop_plan plan;  /* its last port is 0 where nothing hops */
	bool renews;               /* our own port changes as well; port_lock */
	bool was_silent;           /* the last move was for silence; port_lock */
	_Atomic uint32_t port;     /* the far port */
	_Atomic uint64_t due_ns;   /* of the next move */
	_Atomic uint64_t asked_ns; /* the first sending since something was heard */
	_Atomic uint64_t heard_ns; /* not before asked_ns: nothing is owed */
	_Atomic uint64_t sent_ns;  /* when the range was last sent to, to about a second */
	_Atomic bool wanted;       /* a move is due */
};

struct udp {
	const struct vpn_host *host;
	const struct udp_options *options;
	struct udp_lane *lanes;
	uint32_t n_lanes;
	bool has_lock;
	bool has_port_lock;
	bool has_subscriber_lock;

	/* The sockets' port and mark, and their change while lanes run; lanes never wait for it. */
	pthread_mutex_t port_lock;
	bool open;       /* from start to stop */
	bool ranges;     /* the ports of listen are in use, several */
	uint16_t port;   /* that was bound last, first of a range: lanes have it, or are about to */
	uint32_t fwmark; /* 0 = none */
	const struct vpn_protect_ext
		*protect; /* keeps sockets out of the tunnel; NULL = nobody does */
	void *protector;  /* its instance */

	/* Who wants to know of changes. The lock is held while it is told, and never asked for under
	 * port_lock: it asks back. */
	pthread_mutex_t subscriber_lock;
	void (*changed)(void *ctx); /* NULL = nobody */
	void *changed_ctx;

	struct udp_hop hop;

	/* The peer as all lanes see it. The lock guards `remote`; `generation` tells that it changed. */
	pthread_mutex_t lock;
	struct vpn_endpoint remote;
	_Atomic uint32_t generation;
	_Atomic uint64_t heard_ns; /* when something last came from it, to about a second */
	_Atomic bool wanted;       /* a lane asks for a new look-up */
	struct udp_lookup lookup;  /* lane 0 */
};

/* Sets the lane's deadline to the earliest of its purposes. [lane] [start] */
void udp_arm(struct udp_lane *l);

/* Tells the host which events of a socket matter now. [lane] [start] */
vpn_status udp_watch(struct udp_lane *l, struct udp_socket *s);

/* The socket of a token. [lane] */
struct udp_socket *udp_socket_of(struct udp_lane *l, uint64_t token);

/* Logs one line; nothing is formatted when the level is not wanted. [any] */
void udp_log(const struct vpn_host *host, uint32_t level, const char *format, ...)
#if defined(__GNUC__)
	__attribute__((format(printf, 3, 4)))
#endif
	;

#endif
