/* SPDX-License-Identifier: BSD-2-Clause */
/* options: what the manifest says about a kcp stage, and what follows from it. */
#ifndef KCP_OPTIONS_H
#define KCP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <vpncore/plugin.h>

#include "crypt.h"

enum kcp_reliability { KCP_RELIABLE, KCP_DATAGRAM, KCP_DEADLINE };
enum kcp_mode { KCP_MODE_NORMAL, KCP_MODE_FAST, KCP_MODE_FAST2, KCP_MODE_FAST3 };
enum kcp_congestion_name {
	KCP_CONGESTION_AUTO, /* none or reno where "nc" says so, else rate */
	KCP_CONGESTION_NONE,
	KCP_CONGESTION_RENO,
	KCP_CONGESTION_RATE
};

#define KCP_WINDOW_MOST 32768u /* segments; the wire's field has 16 bits */
#define KCP_RESEND_MOST 32u

struct kcp_fec_options {
	uint64_t data, parity; /* kcp-go's groups, with "reliable"; 0 = absent */
	uint64_t min, max;     /* percent of redundancy, with our own wire; max 0 = absent */
};

/* As the manifest gives it. Times in nanoseconds. */
struct kcp_options {
	uint64_t conv;                     /* 0 = chosen by who begins */
	int64_t nodelay, resend, nc;       /* -1 = as mode says */
	uint64_t interval;                 /* 0 = as mode says */
	uint64_t snd_wnd, rcv_wnd;         /* segments */
	uint64_t mtu;                      /* bytes of datagram, 0 = what the stack carries */
	uint64_t deadline;                 /* 0 = absent */
	uint64_t queue;                    /* that a message may wait to be sent; 0 = any time */
	uint64_t rate;                     /* bit/s, 0 = no cap */
	uint64_t memory;                   /* bytes */
	uint64_t accept;                   /* sessions that unknown peers may begin */
	uint64_t idle, dead_after;         /* 0 = never */
	const struct kcp_fec_options *fec; /* NULL = absent */
	const char *password;              /* secret */
	struct vpn_bytes key;              /* secret */
	uint32_t reliability, mode, congestion, crypt; /* the enums; enum kcp_crypt_kind */
	uint32_t stream, ack_no_delay;
};

/* The same with every choice made: what engines read. Times in microseconds. */
struct kcp_settings {
	enum kcp_reliability reliability;
	enum kcp_congestion_name congestion; /* not AUTO */
	uint32_t conv;                       /* 0 = none is prescribed */
	uint32_t nodelay;                    /* 0..2 */
	uint32_t resend;                     /* 0 = no fast resend */
	bool stream, ack_no_delay;
	uint32_t snd_wnd, rcv_wnd; /* segments */
	uint64_t interval_us, deadline_us;
	uint64_t queue_us;             /* 0 = any time */
	uint64_t idle_us, dead_us;     /* 0 = never */
	uint64_t rate_bps;             /* 0 = no cap */
	uint32_t fec_data, fec_parity; /* kcp-go's layer; 0 = none */
	uint32_t fec_min, fec_max;     /* percent, own wire */
	uint32_t accept;
};

struct kcp_engine_ops;

extern const struct vpn_option_table kcp_option_table;

/* The engine for the reliability. [any] */
const struct kcp_engine_ops *kcp_options_engine(const struct kcp_options *o);

/* Makes every choice that the manifest left open. [any] */
void kcp_options_resolve(const struct kcp_options *o, struct kcp_settings *out);

/* Bytes that the layers around the engine's datagram take in front and behind. [any] */
uint32_t kcp_options_front(const struct kcp_options *o);
uint32_t kcp_options_back(const struct kcp_options *o);

/* The lifecycle's functions, see plugin.h section 11. [main] */
vpn_status kcp_options_validate(const void *config, struct vpn_error *err);
void kcp_options_needs(const void *config, struct vpn_needs *out);

#endif
