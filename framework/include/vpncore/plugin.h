/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vpncore/plugin.h: the plugin ABI of vpncore, version 1.2.
 *
 * This header is the specification. It needs <stddef.h> and <stdint.h> only, compiles alone as C11
 * and C++17, and refers to no symbol of vpncore: a plugin links with nothing of ours. Read it from
 * top to bottom; every rule that a plugin or a host must keep stands beside what it governs.
 *
 *   1  Versions, and how this ABI grows        8  Links: how packets move
 *   2  Threads                                 9  Lanes
 *   3  Errors                                 10  Host services
 *   4  Addresses and endpoints                11  Components: life and states
 *   5  Packets                                12  The plugin symbol
 *   6  Needs: what a component costs
 *   7  Options and counters
 *
 * The pipeline, in the order of the manifest:
 *
 *   kernel <-> device <-> transport <-> ... <-> bottom transport <-> network
 *                 send direction: down, towards the network  --->
 *                 <---  recv direction: up, towards the device
 *
 * A device hands packets that it read from the kernel down, and writes to the kernel what comes up.
 * The bottom transport owns the sockets. A transport in the middle transforms in both directions.
 * Beside the pipeline stand routes and dns components, which change the system's configuration.
 *
 * 1  VERSIONS, AND HOW THIS ABI GROWS
 *
 * Major: part of the exported symbol's name and of the plugin directory (lib/vpncore/abi-1).
 *   Another major is another ABI.
 * Minor: every struct that may grow begins with `size`, written by the side that allocates it.
 *   Fields are only ever appended. Before reading a field that came after 1.0, ask VPN_HAS(). The
 *   side that writes into a struct never writes past the `size` that it found there. A plugin built
 *   for a newer minor loads in an older host when everything that it marks as needed is known there.
 * Groups: optional functions are found by a string id that ends in a revision,
 *   "vpncore.device/1". NULL means "not here". An id never changes its meaning.
 * Flags: in every `flags` word that a plugin fills, bits 0-15 may be ignored by a host that does not
 *   know them; bits 16-31 must be understood, or the host refuses the component with a message.
 * Fields named `reserved` are written as zero and not read.
 */
#ifndef VPNCORE_PLUGIN_H
#define VPNCORE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VPN_ABI_MAJOR    1u
#define VPN_ABI_MINOR    2u
#define VPN_PLUGIN_MAGIC 0x564e5031u /* "VNP1" */

#if defined(__GNUC__)
#define VPN_EXPORT __attribute__((visibility("default")))
#else
#define VPN_EXPORT
#endif

/* True when the side that filled *p knew field f of its struct. */
#define VPN_HAS(p, type, f) ((p)->size >= offsetof(type, f) + sizeof((p)->f))

#ifdef __cplusplus
#define VPN_STATIC_ASSERT(what, text) static_assert(what, text)
#else
#define VPN_STATIC_ASSERT(what, text) _Static_assert(what, text)
#endif

/* A pointer that takes eight bytes on every machine, so that layouts do not depend on its width. */
#define VPN_PTR64(declaration, name) \
	union { \
		declaration; \
		uint64_t name##_word; \
	}

/*
 * 2  THREADS
 *
 * Each function below carries one of these tags.
 *
 * [main]  The control thread, one for a process. Life-cycle functions of one pipeline are never
 *         called at the same time as each other.
 * [lane]  The thread of the lane that is given. [lane] functions of a given instance and lane never
 *         run on two threads at a time (one may be entered from within a push of another, see 8);
 *         different lanes run at the same time. Must not block, must not allocate or lock per
 *         packet.
 * [any]   Any thread, at any time while the instance exists.
 *
 * A plugin may run threads of its own for work that blocks. They touch no packet and call [any]
 * services only; wake() is how they reach their lane. stop() joins them.
 *
 * [lane] functions are called only between start() and the return of stop(). While start() and
 * stop() run, no [lane] function of that instance runs, so both may touch the state of every lane,
 * and may call the services that are marked [start].
 */

/*
 * 3  ERRORS
 *
 * Fixed numbers; raw errno values never cross this boundary other than in vpn_error.os_errno.
 */
typedef int32_t vpn_status;

#define VPN_OK        0
#define VPN_EAGAIN    (-1)  /* not now; try again when told */
#define VPN_EINVAL    (-2)  /* an argument or option is wrong */
#define VPN_ENOMEM    (-3)  /* out of memory */
#define VPN_EIO       (-4)  /* a system call failed: see os_errno */
#define VPN_ENOTSUP   (-5)  /* this platform or build cannot */
#define VPN_EPERM     (-6)  /* privilege is missing */
#define VPN_EADDR     (-7)  /* an address cannot be used or a name not resolved */
#define VPN_EPROTO    (-8)  /* the other side broke a protocol */
#define VPN_ECLOSED   (-9)  /* the thing is gone, for good */
#define VPN_EBUSY     (-10) /* somebody else holds it */
#define VPN_ENOENT    (-11) /* it does not exist */
#define VPN_ETIMEDOUT (-12) /* no answer in time */
#define VPN_EABI      (-13) /* plugin and host do not fit together */

/*
 * Caller allocates, zeroes, and sets size. The function that fails fills it and returns the status;
 * it does not log what it returns. `text` says what went wrong and how to mend it, without a final
 * full stop; `where` names an option as a JSON pointer relative to the component's object in the
 * manifest ("/peers/0/endpoint"), or is empty.
 */
struct vpn_error {
	uint32_t size;
	vpn_status status;
	int32_t os_errno; /* 0 when no system call is the cause */
	uint32_t reserved;
	char where[96];
	char text[256];
};
VPN_STATIC_ASSERT(sizeof(struct vpn_error) == 368, "vpn_error");
VPN_STATIC_ASSERT(offsetof(struct vpn_error, where) == 16, "vpn_error.where");
VPN_STATIC_ASSERT(offsetof(struct vpn_error, text) == 112, "vpn_error.text");

/*
 * 4  ADDRESSES AND ENDPOINTS
 *
 * Address bytes are in network order; ports and numbers in the machine's order. IPv4 addresses use
 * addr[0..3], the rest is zero. A zeroed struct means "none".
 */
#define VPN_AF_NONE   0u
#define VPN_AF_INET   4u
#define VPN_AF_INET6  6u
#define VPN_AF_OPAQUE 255u /* an endpoint that only its stage understands, named by `id` */

struct vpn_address {
	uint8_t family;
	uint8_t reserved[3];
	uint8_t addr[16];
};
VPN_STATIC_ASSERT(sizeof(struct vpn_address) == 20, "vpn_address");

struct vpn_prefix {
	uint8_t family;
	uint8_t length; /* bits */
	uint8_t reserved[2];
	uint8_t addr[16]; /* host bits are kept: "10.0.0.1/24" is an address with its network */
};
VPN_STATIC_ASSERT(sizeof(struct vpn_prefix) == 20, "vpn_prefix");

/*
 * Where a datagram came from or goes to. Frozen for this major. Two endpoints reach the same peer
 * when family, port, scope, addr and id are equal; the local part says how to reach it.
 */
struct vpn_endpoint {
	uint8_t family;
	uint8_t reserved0;
	uint16_t port;
	uint32_t scope; /* IPv6 zone: interface index, 0 = none */
	uint8_t addr[16];
	uint8_t local[16];   /* our own address (same family), zero = the system chooses */
	uint32_t ifindex;    /* our own interface, 0 = the system chooses */
	uint16_t local_port; /* our own port where a stage owns several, else 0 */
	uint16_t reserved1;
	uint64_t id; /* for VPN_AF_OPAQUE */
	uint64_t reserved2;
};
VPN_STATIC_ASSERT(sizeof(struct vpn_endpoint) == 64, "vpn_endpoint");
VPN_STATIC_ASSERT(offsetof(struct vpn_endpoint, addr) == 8, "vpn_endpoint.addr");
VPN_STATIC_ASSERT(offsetof(struct vpn_endpoint, local) == 24, "vpn_endpoint.local");
VPN_STATIC_ASSERT(offsetof(struct vpn_endpoint, ifindex) == 40, "vpn_endpoint.ifindex");
VPN_STATIC_ASSERT(offsetof(struct vpn_endpoint, id) == 48, "vpn_endpoint.id");

/*
 * 5  PACKETS
 *
 * A descriptor of 64 bytes over storage:
 *
 *   buf                off                    off+len                cap
 *    |---- headroom ----|-------- data --------|------ tailroom ------|
 *
 * Frozen for this major.
 *
 * Ownership. A packet has one owner. alloc() and split() make the caller the owner. Handing it to
 * vpn_push() makes the stage behind that link the owner of those packets that were taken; the others
 * stay with the caller. Who owns a packet may change every byte of its storage between buf and
 * buf+cap and every field but buf, cap and host_private. Who owns it last gives it to release().
 *
 * A stage that needs room in front of or behind the data declares it (vpn_needs); the host sums the
 * needs of the stack, so that on the way down the room is always there: nothing is ever moved to
 * make room. On the way up stages take headers away and need none. A packet made by split() shares
 * its storage with its neighbours; its buf and cap span its own bytes only.
 *
 * `endpoint`: on the way up, where the packet came from; on the way down, where it goes to, or NULL
 * for the bottom stage's own choice. It points to memory of the stage that pushed, valid until that
 * push returns. A stage that keeps the packet longer copies it.
 */
struct vpn_packet {
	VPN_PTR64(uint8_t *buf, buf);
	uint32_t cap;
	uint32_t off;
	uint32_t len;
	uint32_t flags; /* VPN_PACKET_* */
	VPN_PTR64(const struct vpn_endpoint *endpoint, endpoint);
	uint64_t stamp_ns;   /* vpn_lane.now_ns when the packet entered the pipeline */
	uint64_t scratch[2]; /* for the stage that owns the packet; not kept across a push */
	uint64_t host_private;
};
VPN_STATIC_ASSERT(sizeof(struct vpn_packet) == 64, "vpn_packet");
VPN_STATIC_ASSERT(offsetof(struct vpn_packet, cap) == 8, "vpn_packet.cap");
VPN_STATIC_ASSERT(offsetof(struct vpn_packet, off) == 12, "vpn_packet.off");
VPN_STATIC_ASSERT(offsetof(struct vpn_packet, len) == 16, "vpn_packet.len");
VPN_STATIC_ASSERT(offsetof(struct vpn_packet, flags) == 20, "vpn_packet.flags");
VPN_STATIC_ASSERT(offsetof(struct vpn_packet, endpoint) == 24, "vpn_packet.endpoint");
VPN_STATIC_ASSERT(offsetof(struct vpn_packet, stamp_ns) == 32, "vpn_packet.stamp_ns");
VPN_STATIC_ASSERT(offsetof(struct vpn_packet, scratch) == 40, "vpn_packet.scratch");
VPN_STATIC_ASSERT(offsetof(struct vpn_packet, host_private) == 56, "vpn_packet.host_private");

/* On the way up: an authenticating stage has verified every byte of the data, so that checksums
 * inside it need not be verified again. Cleared by a stage that changes the data. */
#define VPN_PACKET_VERIFIED 0x0001u
/* Bits 24-31 hold a traffic class (DSCP << 2 | ECN, RFC 2474 and RFC 3168). On the way down the
 * device writes that of the inner packet; on the way up the bottom stage writes that of the outer. */
#define VPN_PACKET_HAS_CLASS 0x0002u

static inline uint8_t *vpn_packet_data(const struct vpn_packet *p)
{
	return p->buf + p->off;
}

static inline uint32_t vpn_packet_tailroom(const struct vpn_packet *p)
{
	return p->cap - p->off - p->len;
}

static inline uint8_t vpn_packet_class(const struct vpn_packet *p)
{
	return (uint8_t)(p->flags >> 24);
}

static inline void vpn_packet_set_class(struct vpn_packet *p, uint8_t traffic_class)
{
	p->flags = (p->flags & 0x00ffffffu) | (uint32_t)traffic_class << 24 | VPN_PACKET_HAS_CLASS;
}

/*
 * 6  NEEDS: WHAT A COMPONENT COSTS
 *
 * Filled by needs(). The host sums these over the stack and builds the graph from them.
 */

/* Properties under this configuration. */
#define VPN_ENCRYPTS      0x00000001u /* nobody on the wire below can read what came from above */
#define VPN_AUTHENTICATES 0x00000002u /* what goes up has proved who sent it, and is no replay */
#define VPN_RELIABLE      0x00000004u /* what is taken arrives or the link is declared dead */
#define VPN_L2            0x00000008u /* device: makes Ethernet frames; transport: can carry them */
#define VPN_L3            0x00000010u /* device: makes IP packets; transport: can carry them */
#define VPN_BOTTOM        0x00000020u /* owns sockets; nothing may stand below */
#define VPN_LANE_AWARE    0x00000040u /* serves several lanes at the same time */
#define VPN_SETS_ENDPOINT 0x00000080u /* chooses the endpoint of what it pushes down */
#define VPN_NEEDS_REMOTE  0x00000100u /* has no endpoint of its own: some stage above must set it */
/* What it is given from above should look random already: the host warns where the stage above does
 * not have VPN_ENCRYPTS. Since 1.2. */
#define VPN_WANTS_CIPHERTEXT 0x00000200u

struct vpn_needs {
	uint32_t size;
	uint32_t flags;     /* properties, as above */
	uint32_t headroom;  /* bytes written in front of the data on the way down */
	uint32_t tailroom;  /* bytes written behind it */
	uint32_t overhead;  /* largest growth of a packet on the wire, headers below included
	                     * where this stage is the one that causes them (udp: 28 or 48) */
	uint32_t align;     /* of the data that this stage is given on the way down, if those above
	                     * move it by their headroom alone: 0 or a power of two <= 64 */
	uint32_t max_batch; /* most packets in one push that it takes, 0 = any */
	uint32_t mtu; /* device: its MTU, bytes of IP packet, 0 = the most that the stack carries
	                     * bottom: the path's MTU in bytes of IP packet
	                     * others: the largest packet accepted from above, 0 = any */
};
VPN_STATIC_ASSERT(sizeof(struct vpn_needs) == 32, "vpn_needs");
VPN_STATIC_ASSERT(offsetof(struct vpn_needs, mtu) == 28, "vpn_needs.mtu");

/*
 * 7  OPTIONS AND COUNTERS
 *
 * A component describes its options in a table. The host reads the manifest, checks it against the
 * table, and fills a plain struct of the component's at the given offsets; the component never sees
 * JSON. The same table makes the reference, the man pages and `vpncore plugin show`.
 *
 * The struct and everything it points to belong to the host and live until destroy() returns. The
 * host wipes SECRET values then; a component that copies one wipes its copy.
 *
 * type       in the manifest                              in the struct
 * BOOL       true, false                                  uint32_t, 0 or 1
 * INT        integer, min..max                            int64_t
 * UINT       integer, min..max                            uint64_t
 * STRING     string, min..max bytes of UTF-8              const char *, NULL when absent
 * ENUM       one of `choices`                             uint32_t, its index
 * DURATION   "250ms" "25s" "2m" "1h", min..max ms         uint64_t, nanoseconds
 * SIZE       integer of bytes, or "64KiB" "7MiB" "1GiB"   uint64_t, bytes
 * ADDRESS    "192.0.2.1", "2001:db8::1"                   struct vpn_address
 * PREFIX     "192.0.2.1/24", "2001:db8::/64"              struct vpn_prefix
 * HOSTPORT   "name:port" "192.0.2.1:7" "[2001:db8::1]:7"  struct vpn_hostport
 * MAC        "02:00:5e:10:00:01"                          struct vpn_mac
 * BYTES      base64 or hex text, min..max bytes           struct vpn_bytes
 * OBJECT     object, described by `table`                 const void *, to a struct; NULL when absent
 * LIST       array of item_type, min..max items           struct vpn_list
 *
 * min and max apply when they differ from each other or from 0. Both are inclusive; a max of
 * INT64_MAX is no limit.
 *
 * Each option has its bytes of the struct to itself. The keys "device", "transport", "backend",
 * "plugin" and all that begin with "//" are the host's: no option of a component's own table has such
 * a name. A device that makes both kinds of packets takes "layer", an ENUM of "ip" and "ethernet";
 * for one that has no such option the host compares the key with the device's needs().
 */
#define VPN_OPT_BOOL     1u
#define VPN_OPT_INT      2u
#define VPN_OPT_UINT     3u
#define VPN_OPT_STRING   4u
#define VPN_OPT_ENUM     5u
#define VPN_OPT_DURATION 6u
#define VPN_OPT_SIZE     7u
#define VPN_OPT_ADDRESS  8u
#define VPN_OPT_PREFIX   9u
#define VPN_OPT_HOSTPORT 10u
#define VPN_OPT_MAC      11u
#define VPN_OPT_BYTES    12u
#define VPN_OPT_OBJECT   13u
#define VPN_OPT_LIST     14u

#define VPN_OPT_REQUIRED   0x0001u
#define VPN_OPT_SECRET     0x0002u /* may be {"file": path} or {"env": NAME}; never shown */
#define VPN_OPT_RELOADABLE 0x0004u /* reload() takes a new value without a restart */
#define VPN_OPT_NETWORK    0x0008u /* PREFIX: bits behind the prefix must be zero */
#define VPN_OPT_PORT_RANGE 0x0010u /* HOSTPORT: "host:first-last" is accepted */

struct vpn_option_table;

struct vpn_option {
	const char *name;
	const char *dflt; /* as in the manifest, without quotes; NULL = zero or absent */
	const char *doc;  /* one or two sentences */
	const char *unit; /* "bytes", "seconds", ... or NULL */
	int64_t min, max;
	const char *const *choices;           /* ENUM: NULL-terminated */
	const struct vpn_option_table *table; /* OBJECT, and LIST of OBJECT */
	uint32_t type;
	uint32_t flags;
	uint32_t offset;
	uint32_t item_type; /* LIST; ENUM items use choices; min and max are the list's own */
};

/* `option_size` is the stride of the array, so that vpn_option can grow. */
struct vpn_option_table {
	uint32_t size;
	uint32_t option_size;
	const struct vpn_option *options;
	uint32_t n_options;
	uint32_t config_size; /* sizeof the struct that the offsets refer to */
};

#define VPN_OPTION_TABLE(array, type) \
	{ \
		(uint32_t)sizeof(struct vpn_option_table), (uint32_t)sizeof(struct vpn_option), \
			(array), (uint32_t)(sizeof(array) / sizeof((array)[0])), \
			(uint32_t)sizeof(type) \
	}

struct vpn_hostport {
	const char *host; /* name or literal without brackets; "" or "*" = any; NULL when absent */
	uint16_t port;
	uint16_t port_last; /* last of a range; equal to port otherwise */
	uint32_t reserved;
};

struct vpn_mac {
	uint8_t addr[6];
	uint8_t is_set;
	uint8_t reserved;
};
VPN_STATIC_ASSERT(sizeof(struct vpn_mac) == 8, "vpn_mac");

struct vpn_bytes {
	const uint8_t *data; /* NULL when absent */
	uint32_t len;
	uint32_t reserved;
};

struct vpn_list {
	const void *items; /* packed: item i at (const char *)items + i * item_size */
	uint32_t count;
	uint32_t item_size;
};

/*
 * Counters. A component lists what it counts; the host gives each lane of each instance an array of
 * as many words, in the same order, and shows them by name. Packets, bytes and batches of every link
 * are counted by the host: a component counts what only it can know, drops above all. Each dropped
 * packet is counted once, by the stage that drops it, under its reason.
 */
#define VPN_COUNTER_DROP 0x0001u /* packets that end here */

struct vpn_counter {
	const char *name; /* "drop_no_endpoint" */
	const char *doc;
	uint32_t flags;
	uint32_t reserved;
};

/*
 * 8  LINKS: HOW PACKETS MOVE
 *
 * A link leads from one stage to its neighbour. vpn_push() offers pkts[0..n) and returns k <= n:
 * pkts[0..k) were taken and have another owner now; pkts[k..n) still belong to the caller, unchanged.
 * k < n means "full": the caller keeps the rest in a bounded queue, or drops and counts it, and
 * stops reading its source until its writable() is called. 1 <= n <= vpn_lane.max_batch.
 *
 * Everything runs to completion: a batch goes down (or up) the whole stack inside one call, on the
 * lane's thread. No stage may wait for more packets to fill a batch, and none splits a batch that it
 * can pass on whole: batches are what makes packets cheap.
 *
 * A stage may be entered again while it is inside of vpn_push(): a stage further on may answer with a
 * push in the other direction on the same lane, so that send() runs within recv() or ready(), and
 * recv() within send(). A stage has its state in order before it pushes, and keeps no array that one
 * of them is at work on where another one would write. What one arrival makes a stage send is
 * bounded.
 *
 * The array belongs to the caller and may be overwritten by it as soon as the push returns; a stage
 * may permute or overwrite its elements below k while the call lasts.
 */
struct vpn_link {
	uint32_t size;
	uint32_t reserved;
	void *ctx;
	uint32_t (*push)(void *ctx, struct vpn_packet **pkts, uint32_t n); /* [lane] */
};

static inline uint32_t vpn_push(const struct vpn_link *link, struct vpn_packet **pkts, uint32_t n)
{
	return link->push(link->ctx, pkts, n);
}

/*
 * 9  LANES
 *
 * A lane is one thread with its own event loop, packet pools and, in a lane-aware component, its own
 * device queue and sockets. A component that is not lane-aware gets exactly one lane. One struct per
 * instance and lane, filled by the host; `user` alone is the component's to write.
 */
#define VPN_BATCH_MAX 256u /* no host offers more packets in one push */

struct vpn_lane {
	uint32_t size;
	uint32_t index;              /* 0 .. n_lanes-1 */
	const struct vpn_link *up;   /* towards the device; NULL in a device */
	const struct vpn_link *down; /* towards the network; NULL in a bottom transport */
	uint64_t *counters;          /* as listed by the component; use vpn_count() */
	void *user;                  /* state of this instance on this lane */
	uint64_t now_ns;             /* monotonic clock, read once per turn of the loop */
	uint32_t max_batch;          /* most packets to offer in one push, <= VPN_BATCH_MAX */
	uint32_t reserved;
	void *host_private;
};

/* Adds n to counter i. [lane] Others may read the word at the same time. */
static inline void vpn_count(struct vpn_lane *lane, uint32_t i, uint64_t n)
{
#if defined(__GNUC__)
	__atomic_store_n(&lane->counters[i], lane->counters[i] + n, __ATOMIC_RELAXED);
#else
	lane->counters[i] += n;
#endif
}

/*
 * 10  HOST SERVICES
 *
 * The table is given to create() and stays valid until destroy() returns.
 */
#define VPN_LOG_ERROR 0u
#define VPN_LOG_WARN  1u
#define VPN_LOG_INFO  2u
#define VPN_LOG_DEBUG 3u

/* Pools. RX also serves what an arrival makes a stage send (acks), so that a full send side never
 * starves the receive side; RX_LARGE is for reads that return many packets at once. */
#define VPN_POOL_TX       0u /* on the way down: headroom and tailroom of the stack */
#define VPN_POOL_RX       1u /* on the way up */
#define VPN_POOL_RX_LARGE 2u /* on the way up, 64 KiB of data each */

#define VPN_POLLIN  1u
#define VPN_POLLOUT 2u
#define VPN_POLLERR 4u /* always reported, need not be asked for */

#define VPN_TOKEN_WAKE UINT64_MAX /* the token that ready() gets after wake() */

#define VPN_UP   0u /* direction: towards the device */
#define VPN_DOWN 1u /* direction: towards the network */

/* Events that a component tells the pipeline, see notify(). */
#define VPN_EVENT_LINK_UP   1u
#define VPN_EVENT_LINK_DOWN 2u /* packets are being dropped; may come back */
#define VPN_EVENT_MTU       3u /* value = the new MTU */
#define VPN_EVENT_PEER_DEAD 4u

struct vpn_host {
	uint32_t size;
	uint32_t abi_major;
	uint32_t abi_minor;
	uint32_t n_lanes;   /* lanes that this instance will have */
	uint32_t log_level; /* messages above this level are thrown away: do not format them */
	uint32_t mtu_above; /* largest packet that comes from above (or the kernel), bytes */
	uint32_t mtu_below; /* largest packet that this stage may push down, bytes; 0 in a bottom */
	uint32_t flags;     /* VPN_L2 or VPN_L3: what the pipeline carries */
	const char *name;   /* instance, for messages: "udp", "wireguard.2" */
	const char *pipeline;
	void *ctx;

	/* Logs one line. `text` needs no newline and holds no secret. Not per packet. [any] */
	void (*log)(const struct vpn_host *host, uint32_t level, const char *text);

	/* Monotonic clock in nanoseconds; on the data path use vpn_lane.now_ns. [any] */
	uint64_t (*now_ns)(const struct vpn_host *host);

	/* Wall clock, nanoseconds since 1970-01-01 UTC. [any] */
	uint64_t (*wall_ns)(const struct vpn_host *host);

	/* Fills buf with len bytes fit for keys. [any] */
	void (*random)(const struct vpn_host *host, void *buf, size_t len);

	/* Takes up to n packets of a pool; returns how many. Each has len 0 and flags 0, no endpoint,
	 * and off such that the stack's headroom stands in front. [lane] */
	uint32_t (*alloc)(struct vpn_lane *lane, uint32_t pool, struct vpn_packet **out,
			  uint32_t n);

	/* Gives packets back. [lane] [start] */
	void (*release)(struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n);

	/* Cuts the data of *parent into pieces of piece_len bytes (the last may be shorter) without
	 * copying: out[0..k) share its storage, have its endpoint, flags and stamp, and own it
	 * together; *parent must not be used any more. Returns k, or 0 and leaves *parent alone when
	 * more than n pieces would be needed or descriptors have run out. [lane] */
	uint32_t (*split)(struct vpn_lane *lane, struct vpn_packet *parent, uint32_t piece_len,
			  struct vpn_packet **out, uint32_t n);

	/* Has ready() called while fd has one of `events` (VPN_POLL*), level-triggered. Calling again
	 * replaces the events and token; events 0 ends the watch, which must happen before the fd is
	 * closed. The host keeps no fd open, and may make it non-blocking. An fd is watched by one
	 * instance on one lane. [lane] [start] */
	vpn_status (*watch)(struct vpn_lane *lane, int fd, uint32_t events, uint64_t token);

	/* Has timer() called once at deadline_ns (now_ns' clock) or soon after. One deadline per instance
	 * and lane: a new one replaces the old, 0 removes it. [lane] [start] */
	void (*arm)(struct vpn_lane *lane, uint64_t deadline_ns);

	/* Has ready(VPN_TOKEN_WAKE) called on lane `index` soon; several calls may become one. [any] */
	void (*wake)(const struct vpn_host *host, uint32_t index);

	/* Resolves a name (or literal) of a vpn_hostport for `family` (0 = both) without blocking; the
	 * answer comes to resolved() with this token. [lane] [start] */
	vpn_status (*resolve)(struct vpn_lane *lane, const char *name, uint16_t port,
			      uint32_t family, uint64_t token);

	/* "I have returned less than n from send (VPN_DOWN) or recv (VPN_UP) and can take more": has
	 * writable() of the neighbour on the other side called. [lane] */
	void (*writable)(struct vpn_lane *lane, uint32_t direction);

	/* Tells the pipeline of an event (VPN_EVENT_*). [any] */
	void (*notify)(const struct vpn_host *host, uint32_t event, uint64_t value);

	/* "I cannot go on": the pipeline is stopped in good order and ends with this error. [any] */
	void (*fail)(const struct vpn_host *host, const struct vpn_error *err);

	/* Finds a group of functions by id, of the host or of another component in this pipeline
	 * (its get_extension(); the first one from the device on); NULL when nobody has it.
	 * *ret_inst gets what to pass as its first argument; both are good until stop() returns. The
	 * other may not have been started yet: its functions say when they may be called.
	 * [main], from start() on. */
	const void *(*get_service)(const struct vpn_host *host, const char *id, void **ret_inst);

	/* since 1.2; ask VPN_HAS() */
	const char *above; /* id of the component whose packets come from above; NULL when there is
			    * none: in a device, and in routes and dns */
};

/*
 * 11  COMPONENTS: LIFE AND STATES
 *
 *              validate  needs     (pure: no effect, no system call that changes anything)
 *                  |
 *   (nothing) --create--> CREATED --start--> RUNNING --stop--> STOPPED --destroy--> (nothing)
 *                            |                  |                 |
 *                            |                  +-- send recv ready timer writable resolved
 *                            +--------------------------------------destroy
 *
 *   function       legal in                        on failure
 *   validate       any time, config filled         err filled; the manifest is refused
 *   needs          after validate                  cannot fail
 *   create         once per instance               *inst NULL, or half-built: then destroy is called
 *   start          CREATED                         stop and destroy are called
 *   send .. resolved  RUNNING                      counted, or fail()
 *   reload         RUNNING                         nothing has changed, err filled
 *   stop           CREATED, RUNNING, STOPPED       cannot fail; idempotent
 *   destroy        any, also NULL and half-built   cannot fail
 *   get_extension  from create on                  NULL
 *
 * Components start from the network to the device and stop from the device to the network. Within
 * stop() a component gives up everything it holds outside of memory: sockets, devices, watches, and
 * releases packets that it queued. Afterwards the host frees the pools.
 * Code is never unloaded. A plugin runs nothing when it is loaded: no constructors.
 */
#define VPN_KIND_DEVICE    1u
#define VPN_KIND_TRANSPORT 2u
#define VPN_KIND_ROUTES    3u
#define VPN_KIND_DNS       4u

/* ready() and writable() return: */
#define VPN_IDLE 0u /* nothing left: wait for the next event */
#define VPN_MORE 1u /* stopped after a batch, more is there: call me again soon */

/* vpn_lifecycle.flags */
/* `"device": "auto"`, and `"backend": "auto"` of routes and dns, may choose it on this platform. */
#define VPN_AUTO 0x0001u

struct vpn_lifecycle {
	uint32_t size;
	uint32_t flags;                         /* VPN_AUTO */
	const struct vpn_option_table *options; /* NULL = no options */
	const struct vpn_counter *counters;
	uint32_t n_counters;
	uint32_t reserved;

	/* Checks what the option table cannot say. Pure. May be NULL. [main] */
	vpn_status (*validate)(const void *config, struct vpn_error *err);

	/* Fills *out; the host has zeroed it and set size. Pure. NULL in routes and dns. [main] */
	void (*needs)(const void *config, struct vpn_needs *out);

	/* Makes an instance; touches nothing outside of memory. [main] */
	vpn_status (*create)(const struct vpn_host *host, const void *config, void **inst,
			     struct vpn_error *err);

	/* Opens what it needs, for all lanes. lanes[0..host->n_lanes) stay valid until stop()
	 * returns; routes and dns have no lanes: n_lanes is 0, lanes NULL. [main] */
	vpn_status (*start)(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err);

	/* Takes changed RELOADABLE options. May be NULL. [main], lanes running */
	vpn_status (*reload)(void *inst, const void *config, struct vpn_error *err);

	void (*stop)(void *inst);    /* [main] */
	void (*destroy)(void *inst); /* [main] */

	/* Optional groups of functions by id. May be NULL. [any] */
	const void *(*get_extension)(void *inst, const char *id);
};

/* The data path of devices and transports. What a component does not have stays NULL. */
struct vpn_flow {
	uint32_t size;
	uint32_t reserved;

	/* Packets from above, towards the network. NULL in a device. Returns how many it took, as
	 * section 8 says. [lane] */
	uint32_t (*send)(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n);

	/* Packets from below, towards the device; in a device: write them to the kernel. NULL in a
	 * bottom transport. [lane] */
	uint32_t (*recv)(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n);

	/* A watched fd has events, or wake() was called. Handles about one batch and returns VPN_MORE
	 * if more may be waiting: the host calls it again, in turn with others, before it polls.
	 * [lane] */
	uint32_t (*ready)(void *inst, struct vpn_lane *lane, uint64_t token, uint32_t events);

	/* The deadline has passed. [lane] */
	void (*timer)(void *inst, struct vpn_lane *lane, uint64_t now_ns);

	/* The neighbour in `direction` takes packets again. [lane] */
	uint32_t (*writable)(void *inst, struct vpn_lane *lane, uint32_t direction);

	/* An answer to resolve(): addresses in the resolver's order, valid during the call; n is 0 and
	 * status negative when there are none. [lane] */
	void (*resolved)(void *inst, struct vpn_lane *lane, uint64_t token, vpn_status status,
			 const struct vpn_endpoint *endpoints, uint32_t n);
};

/* What a device tells about itself: extension VPN_EXT_DEVICE, struct
 * vpn_device_ext. Every device has it. */
#define VPN_EXT_DEVICE "vpncore.device/1"

struct vpn_device_info {
	uint32_t size;
	uint32_t ifindex;
	uint32_t mtu;
	uint32_t layer; /* VPN_L2 or VPN_L3 */
	char name[64];  /* as the system shows it */
	/* since 1.1 */
	uint32_t flags; /* VPN_DEVICE_* */
	uint32_t reserved;
};

#define VPN_DEVICE_UP 0x0001u /* the system sends and takes packets; set where that is not known */

struct vpn_device_ext {
	uint32_t size;
	uint32_t reserved;
	vpn_status (*info)(void *inst, struct vpn_device_info *out); /* [any], from start on */
	/* since 1.1; ask VPN_HAS() */
	/* Has changed(ctx) called when info() has something new to tell: once within the device's
	 * start(), when its name is known, then after each change. One subscriber: a later one takes
	 * the place of an earlier; NULL ends it, and once that call has returned changed() does not
	 * run any more. changed() may run on any thread of the pipeline: it takes note, calls info()
	 * if it wants, and returns. [main], from create on */
	void (*subscribe)(void *inst, void (*changed)(void *ctx), void *ctx);
};

/* The sockets at the bottom: extension VPN_EXT_SOCKET, struct vpn_socket_ext, of a transport that
 * owns some. Since 1.1. */
#define VPN_EXT_SOCKET "vpncore.socket/1"

#define VPN_SOCKET_HAS_REMOTE 0x0001u /* sends packets that have no endpoint to a peer of its own */

struct vpn_socket_info {
	uint32_t size;
	uint32_t flags;  /* VPN_SOCKET_* */
	uint32_t port;   /* local port that is bound, first of a range; 0 = none */
	uint32_t fwmark; /* 0 = none */
	/* since 1.2; ask VPN_HAS() */
	uint16_t port_last; /* last of a range; 0 = there is none */
	/* What is for a peer's port of this range is sent to any other of it, from a port that may
	 * not be `port` any more; far_last 0 = there is none */
	uint16_t far_first, far_last;
	uint16_t reserved;
};

struct vpn_socket_ext {
	uint32_t size;
	uint32_t reserved;
	vpn_status (*info)(void *inst, struct vpn_socket_info *out); /* [any], from start on */
	/* Moves to another local port, 0 = one that the system chooses; traffic goes on. A range
	 * becomes that one port, but the port of info() changes nothing. When it fails (VPN_EBUSY,
	 * VPN_EPERM, ...) the old port stays. [any], from start to stop; blocks shortly, so not on
	 * the data path */
	vpn_status (*set_port)(void *inst, uint32_t port, struct vpn_error *err);
	/* Changes the mark of what is sent, 0 = none. [any], likewise */
	vpn_status (*set_fwmark)(void *inst, uint32_t fwmark, struct vpn_error *err);
	/* since 1.2; ask VPN_HAS() */
	/* Like vpn_device_ext.subscribe, for a change of what info() tells. [main], from create on */
	void (*subscribe)(void *inst, void (*changed)(void *ctx), void *ctx);
};

/* The peers of a secure session and which addresses are theirs: extension VPN_EXT_PEERS, struct
 * vpn_peers_ext. Routes components ask it what to route into the tunnel, and which endpoints must
 * not go there. Since 1.1. */
#define VPN_EXT_PEERS "vpncore.peers/1"

struct vpn_peer_info {
	uint32_t size;
	uint32_t n_allowed;
	const struct vpn_prefix *allowed; /* networks, host bits zero */
	struct vpn_endpoint endpoint;     /* family VPN_AF_NONE while it is not known */
	uint8_t id[32];                   /* its public key */
};

struct vpn_peers_ext {
	uint32_t size;
	uint32_t reserved;
	/* A number that is another one after each change of peers, prefixes or endpoints. [any] */
	uint64_t (*generation)(void *inst);
	/* Calls fn for each peer until it returns non-zero. What *peer points to is good during the
	 * call; fn calls nothing of this component. VPN_ENOMEM when there is no memory to make the
	 * list. [any], from create on; not on the data path */
	vpn_status (*each)(void *inst, int (*fn)(void *ctx, const struct vpn_peer_info *peer),
			   void *ctx);
	/* Like vpn_device_ext.subscribe, for a change of generation(). [main], from create on */
	void (*subscribe)(void *inst, void (*changed)(void *ctx), void *ctx);
	/* since 1.2; ask VPN_HAS() */
	/* The way out of this machine has changed: forgets by which of our addresses and interfaces the
	 * peers were reached, so that the system chooses them anew. [any], from start to stop; not on
	 * the data path */
	void (*reroute)(void *inst);
};

/* The words that messages of a WireGuard session begin with, where they are not 1 to 4: extension
 * VPN_EXT_WIREGUARD_TYPES, struct vpn_wireguard_types_ext, of a stage that speaks that protocol.
 * The MACs of a handshake cover the word, and the stage below has no keys to make them anew: so a
 * stage that disguises messages says here which words are to be used. Since 1.2. */
#define VPN_EXT_WIREGUARD_TYPES "vpncore.wireguard.types/1"

struct vpn_word_range {
	uint32_t first, last; /* both inclusive, first <= last; little-endian on the wire */
};

struct vpn_wireguard_types {
	uint32_t size;
	uint32_t reserved;
	/* No two overlap. A message that is sent begins with a word drawn evenly from its range, data
	 * with the range's first: no MAC covers that one, and the stage below may draw another. Of
	 * what arrives each word of a range is accepted, and no other. */
	struct vpn_word_range initiation, response, cookie, data;
};

struct vpn_wireguard_types_ext {
	uint32_t size;
	uint32_t reserved;
	/* Copies *types. VPN_EINVAL: ranges that overlap or are turned round; VPN_EBUSY: started
	 * already. [main], from create on, before its start(): from the start() of a stage below */
	vpn_status (*set)(void *inst, const struct vpn_wireguard_types *types,
			  struct vpn_error *err);
};

/* Keeps a transport's sockets out of the tunnel: extension VPN_EXT_PROTECT, struct vpn_protect_ext, of
 * a routes component. A transport asks for it in start(), and does without when there is none.
 * Since 1.2. */
#define VPN_EXT_PROTECT "vpncore.protect/1"

struct vpn_protect_ext {
	uint32_t size;
	uint32_t reserved;
	/* From now on what this socket sends leaves by the routes that hold outside of the tunnel.
	 * For each socket before its first packet, and again after the transport changed its mark: the
	 * bits of a mark that protect() does not need stay as they are. `family` is VPN_AF_*. The fd
	 * stays the caller's. [any], from create on */
	vpn_status (*protect)(void *inst, int fd, uint32_t family, struct vpn_error *err);
};

/* What another component wants of the routes component: extension VPN_EXT_ROUTES, struct vpn_routes_ext.
 * A dns component asks for it in apply(), when routes have been applied. Since 1.2. */
#define VPN_EXT_ROUTES "vpncore.routes/1"

/* vpn_routes_wanted.flags */
/* Queries to name servers (port 53 and 853, UDP and TCP) leave through the tunnel or stay on the
 * machine; those that would go elsewhere, also of other programs, fail at once. */
#define VPN_ROUTES_BLOCK_DNS 0x0001u

struct vpn_routes_wanted {
	uint32_t size;
	uint32_t flags;                     /* VPN_ROUTES_* */
	const struct vpn_prefix *in_tunnel; /* networks whose packets enter the tunnel */
	uint32_t n_in_tunnel;
	uint32_t reserved;
};

struct vpn_routes_ext {
	uint32_t size;
	uint32_t reserved;
	/* Has it so when it returns VPN_OK, in place of what was wanted before, and until it is taken
	 * back (*wanted of zeros and size) or revert(). *wanted is copied. After a failure what was
	 * wanted before holds. [main] */
	vpn_status (*want)(void *inst, const struct vpn_routes_wanted *wanted,
			   struct vpn_error *err);
};

/*
 * Extensions of a component that need no instance of it, by vpn_component.get_static(). Of `host` there
 * are log, now_ns, wall_ns and random; the rest is NULL. They change nothing. All [main]. Since 1.2.
 *
 * VPN_EXT_PROBE: whether it can do its work on this machine; `"backend": "auto"` takes the component
 * with the highest figure.
 */
#define VPN_EXT_PROBE "vpncore.probe/1"

struct vpn_probe_ext {
	uint32_t size;
	uint32_t reserved;
	/* 0 = it cannot, to 100 = it is what this machine is made for. why->text says why so, in one
	 * line, in both cases. At most a second. */
	uint32_t (*probe)(const struct vpn_host *host, struct vpn_error *why);
};

/* VPN_EXT_ROUTE_QUERY of a routes component: how the system routes now. */
#define VPN_EXT_ROUTE_QUERY "vpncore.route-query/1"

/* vpn_route.flags */
#define VPN_ROUTE_LOCAL   0x0001u /* an address of this machine */
#define VPN_ROUTE_BLOCKED 0x0002u /* unreachable, prohibit or blackhole; there is no interface */

struct vpn_route {
	uint32_t size;
	uint32_t flags; /* VPN_ROUTE_* */
	uint32_t ifindex;
	uint32_t metric; /* of default_route() */
	uint32_t mtu;    /* bytes of an IP packet: the route's, or else the interface's */
	struct vpn_address gateway; /* family VPN_AF_NONE: directly attached */
	struct vpn_address source;  /* that the system would choose; VPN_AF_NONE when not known */
	char ifname[64];
};

struct vpn_route_query_ext {
	uint32_t size;
	uint32_t reserved;
	/* The default route that holds outside of every tunnel: of the system's main table, the one
	 * with the lowest metric. VPN_ENOENT when there is none. `family` is VPN_AF_*. */
	vpn_status (*default_route)(const struct vpn_host *host, uint32_t family,
				    struct vpn_route *out, struct vpn_error *err);
	/* The way that a packet of an ordinary program to this address takes. VPN_ENOENT when there
	 * is no route to it. */
	vpn_status (*route_to)(const struct vpn_host *host, const struct vpn_address *to,
			       struct vpn_route *out, struct vpn_error *err);
};

/* VPN_EXT_DNS_QUERY of a dns component: which name servers the system asks now. */
#define VPN_EXT_DNS_QUERY "vpncore.dns-query/1"

/* vpn_dns_info.flags */
#define VPN_DNS_DEFAULT 0x0001u /* names that no domain of another entry covers are asked there */

struct vpn_dns_info {
	uint32_t size;
	uint32_t flags;   /* VPN_DNS_* */
	uint32_t ifindex; /* 0 = not of one interface */
	uint32_t n_servers;
	uint32_t n_domains;
	uint32_t reserved;
	const struct vpn_endpoint *servers; /* address, port (53 when none is said), scope */
	const char *const *domains;         /* searched; with a "~" in front only routed there */
};

struct vpn_dns_query_ext {
	uint32_t size;
	uint32_t reserved;
	/* Calls fn for each set of servers until it returns non-zero; what it is given is good during
	 * the call. */
	vpn_status (*read)(const struct vpn_host *host,
			   int (*fn)(void *ctx, const struct vpn_dns_info *info), void *ctx,
			   struct vpn_error *err);
};

/*
 * Services of the host, by get_service(). Since 1.2; a plugin that cannot do without one says so in
 * start(). Their functions are [main] where nothing else is said, and may be called from start() on
 * until stop() returns.
 *
 * VPN_EXT_JOURNAL: changes that outlive the process. A component writes down how to undo a change
 * before it makes the change, so that the change can be undone whatever happens to the process:
 *
 *   add(record)  ->  make the change  ->  ...  ->  undo the change  ->  forget(record)
 *
 * Every record that is still there is undone, the newest first, by vpn_component.undo(): when the
 * pipeline stops, behind revert(), and those of devices and transports behind stop(); when the process
 * dies, at once, by a small process that waits for that; by the next start; by `vpncore cleanup`. Things
 * that go with the process (a file descriptor's device, an nftables table with an owner) need no record.
 */
#define VPN_EXT_JOURNAL "vpncore.journal/1"

#define VPN_JOURNAL_FILES \
	0x0001u /* outlives the machine's run, as files do; without: ends with it */
#define VPN_JOURNAL_KEEP 0x0002u /* undone by `vpncore cleanup` only, or by its component */

#define VPN_JOURNAL_BYTES_MAX 65536u /* of one record */

struct vpn_journal_ext {
	uint32_t size;
	uint32_t reserved;
	/* Writes a record and returns when it will survive a crash of the process, with
	 * VPN_JOURNAL_FILES one of the machine. When it fails the change must not be made. `data`
	 * is copied; it holds no secret. VPN_ENOTSUP for a component without undo(). */
	vpn_status (*add)(void *inst, uint32_t flags, const void *data, uint32_t len,
			  uint64_t *ret_id, struct vpn_error *err);
	/* The change of this record is not there any more, or was never made. */
	void (*forget)(void *inst, uint64_t id);
	/* Has undo() called for this record, and forgets it when that has worked. */
	vpn_status (*undo)(void *inst, uint64_t id, struct vpn_error *err);
	/* Calls fn for each record of this component, the oldest first, until it returns non-zero:
	 * its own ones, those to keep of earlier runs, and those that could not be undone. What it is
	 * given is good during the call; fn calls nothing of the journal. */
	void (*each)(void *inst,
		     int (*fn)(void *ctx, uint64_t id, uint32_t flags, const void *data,
			       uint32_t len),
		     void *ctx);
};

/*
 * VPN_EXT_LOOP: the event loop of [main], for components that have no lane and for work that belongs
 * on none. What is called back runs on [main], never inside of another function of the component.
 * What is left of it when stop() returns is taken away by the host.
 */
#define VPN_EXT_LOOP "vpncore.loop/1"

struct vpn_loop_ext {
	uint32_t size;
	uint32_t reserved;
	/* Has ready() called while fd has one of `events` (VPN_POLL*), level-triggered. One watch for
	 * each fd: a new one replaces the old, events 0 ends it, which must happen before the fd is
	 * closed. May make the fd non-blocking. */
	vpn_status (*watch)(void *inst, int fd, uint32_t events,
			    void (*ready)(void *ctx, int fd, uint32_t events), void *ctx);
	/* Has expired(ctx) called once at deadline_ns (vpn_host.now_ns' clock) or soon after. One
	 * deadline for each pair of expired and ctx: a new one replaces the old, 0 removes it. */
	vpn_status (*arm)(void *inst, uint64_t deadline_ns, void (*expired)(void *ctx), void *ctx);
	/* Has fn(ctx) called on [main] soon; several calls with the same pair may become one. This is
	 * how subscribers reach [main]. VPN_ENOMEM when it cannot be. [any] */
	vpn_status (*post)(void *inst, void (*fn)(void *ctx), void *ctx);
};

/*
 * VPN_EXT_RECONCILE: brings the system to what it shall be, and keeps it there without a fight. The
 * component compares what is with what shall be in run(), each time that something may have changed;
 * the host decides when.
 */
#define VPN_EXT_RECONCILE "vpncore.reconcile/1"

struct vpn_reconciler; /* the host's */

struct vpn_reconcile {
	uint32_t size;
	uint32_t settle_ms; /* run() waits until nothing was stirred for so long, and no longer than
			     * ten times that after the first stir; 300 is a good value */
	uint32_t most; /* repairs in one window, then it waits for the window's end; at least 1 */
	uint32_t window_ms;
	void *ctx;
	/* Looks, changes what differs, and returns how many differences it found that were not of
	 * its own doing (repairs), or a negative VPN_E* (tried again after the window). [main] */
	int32_t (*run)(void *ctx);
	/* `most` repairs were made within one window: somebody else undoes them. Called once, and again
	 * only after a window with fewer. May be NULL. [main] */
	void (*fight)(void *ctx, uint32_t repairs);
};

struct vpn_reconcile_ext {
	uint32_t size;
	uint32_t reserved;
	/* *spec is copied. NULL when there is no memory. */
	struct vpn_reconciler *(*open)(void *inst, const struct vpn_reconcile *spec);
	/* Something may have changed. Cheap; for each message of a monitor. */
	void (*stir)(struct vpn_reconciler *r);
	/* Ends it, not from within run() or fight(); NULL is taken. Also done by the host when stop()
	 * returns. */
	void (*close)(struct vpn_reconciler *r);
};

/* The work of routes and dns components, on the started device. revert() undoes every change outside
 * of memory, newest first, and leaves alone what others have changed meanwhile; what it leaves in the
 * journal the host undoes right after it. */
struct vpn_plan {
	uint32_t size;
	uint32_t reserved;
	/* After start(), lanes running. When it fails, revert() is called. [main] */
	vpn_status (*apply)(void *inst, const struct vpn_device_info *device,
			    struct vpn_error *err);
	vpn_status (*revert)(void *inst, struct vpn_error *err); /* [main] */
};

struct vpn_component {
	uint32_t size;
	uint32_t kind;
	const char *id; /* "udp"; third parties use a name under their domain: "org.example.quic" */
	const char *summary; /* one line */
	const struct vpn_lifecycle *lifecycle;
	const struct vpn_flow *flow; /* devices and transports */
	const struct vpn_plan *plan; /* routes and dns */
	/* since 1.2; ask VPN_HAS() */
	/*
	 * Undoes the change of one record of the journal (VPN_EXT_JOURNAL) without an instance: often
	 * in another process, with another version of the plugin, long after. Looks first: when the
	 * thing is not what the record's change made of it, it is somebody else's and stays (a line in
	 * the log says so). VPN_OK when the change is not there any more, whoever undid it, or was
	 * never made; called twice it does nothing the second time. After a failure the record stays,
	 * and is tried again. `data` is aligned to eight bytes and may have been written by any version:
	 * it is checked like a packet. Of `host` there are log, now_ns, wall_ns and random; the rest
	 * is NULL. Takes at most a few seconds. NULL for a component that keeps no journal. [main]
	 */
	vpn_status (*undo)(const struct vpn_host *host, uint32_t flags, const void *data,
			   uint32_t len, struct vpn_error *err);
	/* An extension that needs no instance: a constant, or NULL when the component has none of that
	 * id. May be NULL. [any] */
	const void *(*get_static)(const char *id);
};

/*
 * 12  THE PLUGIN SYMBOL
 *
 * A plugin file exports one symbol, a constant. The host reads magic, size and abi_major from it
 * before it calls anything.
 */
struct vpn_plugin {
	uint32_t magic;
	uint32_t size;
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t flags;
	const char *name;
	const char *version;
	const char *license; /* SPDX */
	const char *url;
	const char *build;                             /* free text: compiler, revision */
	const struct vpn_component *const *components; /* NULL-terminated */
};

/* With VPNCORE_STATIC_PLUGIN the symbol carries the module's name, the convention of libltdl's
 * preloading, so that many plugins fit into one program. */
#ifdef VPNCORE_STATIC_PLUGIN
#define VPN_PLUGIN_SYMBOL(module) module##_LTX_vpncore_plugin_v1
#else
#define VPN_PLUGIN_SYMBOL(module) vpncore_plugin_v1
#endif

/* VPN_PLUGIN(transport_udp, "udp", "1.0.0", "BSD-2-Clause", "https://...", "", components); */
/* clang-format off */
#define VPN_PLUGIN(module, ...) \
	extern VPN_EXPORT const struct vpn_plugin VPN_PLUGIN_SYMBOL(module); \
	const struct vpn_plugin VPN_PLUGIN_SYMBOL(module) = { \
		VPN_PLUGIN_MAGIC, (uint32_t)sizeof(struct vpn_plugin), VPN_ABI_MAJOR, \
		VPN_ABI_MINOR, 0u, __VA_ARGS__}
/* clang-format on */

/*
 * Sizes and offsets of 1.2 where pointers have eight bytes. They may only ever grow at the end.
 */
#if UINTPTR_MAX == UINT64_MAX
VPN_STATIC_ASSERT(sizeof(struct vpn_option) == 80, "vpn_option");
VPN_STATIC_ASSERT(offsetof(struct vpn_option, min) == 32, "vpn_option.min");
VPN_STATIC_ASSERT(offsetof(struct vpn_option, choices) == 48, "vpn_option.choices");
VPN_STATIC_ASSERT(offsetof(struct vpn_option, type) == 64, "vpn_option.type");
VPN_STATIC_ASSERT(offsetof(struct vpn_option, item_type) == 76, "vpn_option.item_type");
VPN_STATIC_ASSERT(sizeof(struct vpn_option_table) == 24, "vpn_option_table");
VPN_STATIC_ASSERT(sizeof(struct vpn_hostport) == 16, "vpn_hostport");
VPN_STATIC_ASSERT(sizeof(struct vpn_bytes) == 16, "vpn_bytes");
VPN_STATIC_ASSERT(sizeof(struct vpn_list) == 16, "vpn_list");
VPN_STATIC_ASSERT(sizeof(struct vpn_counter) == 24, "vpn_counter");
VPN_STATIC_ASSERT(sizeof(struct vpn_link) == 24, "vpn_link");
VPN_STATIC_ASSERT(sizeof(struct vpn_lane) == 64, "vpn_lane");
VPN_STATIC_ASSERT(offsetof(struct vpn_lane, counters) == 24, "vpn_lane.counters");
VPN_STATIC_ASSERT(offsetof(struct vpn_lane, now_ns) == 40, "vpn_lane.now_ns");
VPN_STATIC_ASSERT(offsetof(struct vpn_lane, host_private) == 56, "vpn_lane.host_private");
VPN_STATIC_ASSERT(sizeof(struct vpn_host) == 184, "vpn_host");
VPN_STATIC_ASSERT(offsetof(struct vpn_host, ctx) == 48, "vpn_host.ctx");
VPN_STATIC_ASSERT(offsetof(struct vpn_host, alloc) == 88, "vpn_host.alloc");
VPN_STATIC_ASSERT(offsetof(struct vpn_host, watch) == 112, "vpn_host.watch");
VPN_STATIC_ASSERT(offsetof(struct vpn_host, get_service) == 168, "vpn_host.get_service");
VPN_STATIC_ASSERT(offsetof(struct vpn_host, above) == 176, "vpn_host.above");
VPN_STATIC_ASSERT(sizeof(struct vpn_lifecycle) == 96, "vpn_lifecycle");
VPN_STATIC_ASSERT(offsetof(struct vpn_lifecycle, create) == 48, "vpn_lifecycle.create");
VPN_STATIC_ASSERT(sizeof(struct vpn_flow) == 56, "vpn_flow");
VPN_STATIC_ASSERT(sizeof(struct vpn_device_info) == 88, "vpn_device_info");
VPN_STATIC_ASSERT(offsetof(struct vpn_device_info, flags) == 80, "vpn_device_info.flags");
VPN_STATIC_ASSERT(sizeof(struct vpn_device_ext) == 24, "vpn_device_ext");
VPN_STATIC_ASSERT(sizeof(struct vpn_socket_info) == 24, "vpn_socket_info");
VPN_STATIC_ASSERT(sizeof(struct vpn_socket_ext) == 40, "vpn_socket_ext");
VPN_STATIC_ASSERT(sizeof(struct vpn_peer_info) == 112, "vpn_peer_info");
VPN_STATIC_ASSERT(offsetof(struct vpn_peer_info, endpoint) == 16, "vpn_peer_info.endpoint");
VPN_STATIC_ASSERT(sizeof(struct vpn_peers_ext) == 40, "vpn_peers_ext");
VPN_STATIC_ASSERT(sizeof(struct vpn_wireguard_types) == 40, "vpn_wireguard_types");
VPN_STATIC_ASSERT(sizeof(struct vpn_wireguard_types_ext) == 16, "vpn_wireguard_types_ext");
VPN_STATIC_ASSERT(sizeof(struct vpn_protect_ext) == 16, "vpn_protect_ext");
VPN_STATIC_ASSERT(sizeof(struct vpn_journal_ext) == 40, "vpn_journal_ext");
VPN_STATIC_ASSERT(sizeof(struct vpn_loop_ext) == 32, "vpn_loop_ext");
VPN_STATIC_ASSERT(sizeof(struct vpn_reconcile) == 40, "vpn_reconcile");
VPN_STATIC_ASSERT(sizeof(struct vpn_reconcile_ext) == 32, "vpn_reconcile_ext");
VPN_STATIC_ASSERT(sizeof(struct vpn_plan) == 24, "vpn_plan");
VPN_STATIC_ASSERT(sizeof(struct vpn_component) == 64, "vpn_component");
VPN_STATIC_ASSERT(offsetof(struct vpn_component, plan) == 40, "vpn_component.plan");
VPN_STATIC_ASSERT(offsetof(struct vpn_component, undo) == 48, "vpn_component.undo");
VPN_STATIC_ASSERT(offsetof(struct vpn_component, get_static) == 56, "vpn_component.get_static");
VPN_STATIC_ASSERT(sizeof(struct vpn_routes_wanted) == 24, "vpn_routes_wanted");
VPN_STATIC_ASSERT(sizeof(struct vpn_routes_ext) == 16, "vpn_routes_ext");
VPN_STATIC_ASSERT(sizeof(struct vpn_probe_ext) == 16, "vpn_probe_ext");
VPN_STATIC_ASSERT(sizeof(struct vpn_route) == 124, "vpn_route");
VPN_STATIC_ASSERT(offsetof(struct vpn_route, ifname) == 60, "vpn_route.ifname");
VPN_STATIC_ASSERT(sizeof(struct vpn_route_query_ext) == 24, "vpn_route_query_ext");
VPN_STATIC_ASSERT(sizeof(struct vpn_dns_info) == 40, "vpn_dns_info");
VPN_STATIC_ASSERT(sizeof(struct vpn_dns_query_ext) == 16, "vpn_dns_query_ext");
VPN_STATIC_ASSERT(sizeof(struct vpn_plugin) == 64, "vpn_plugin");
#endif

#ifdef __cplusplus
}
#endif
#endif
