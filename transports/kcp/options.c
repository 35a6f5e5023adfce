/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <stddef.h>

#include "engine.h"
#include "fault.h"
#include "fec.h"
#include "flow.h"
#include "reader.h"
#include "segment.h"

#define NS_PER_US        1000u
#define LEAST_DATAGRAM   256u
#define DEFAULT_DEADLINE UINT64_C(300000) /* us */
#define DEFAULT_FEC_MIN  0u               /* percent */
#define DEFAULT_FEC_MAX  100u

static bool is_reliable(const struct kcp_options *o)
{
	return o->reliability == KCP_RELIABLE;
}

const struct kcp_engine_ops *kcp_options_engine(const struct kcp_options *o)
{
	return is_reliable(o) ? &kcp_arq_ops : &kcp_flow_ops;
}

static bool has_layer_fec(const struct kcp_options *o)
{
	return is_reliable(o) && o->fec != NULL && o->fec->data != 0;
}

uint32_t kcp_options_front(const struct kcp_options *o)
{
	return kcp_crypt_info((enum kcp_crypt_kind)o->crypt)->headroom +
	       (has_layer_fec(o) ? KCP_FEC_HEADER : 0);
}

uint32_t kcp_options_back(const struct kcp_options *o)
{
	return kcp_crypt_info((enum kcp_crypt_kind)o->crypt)->tailroom;
}

/* ---- choices ---- */

/* kcptun's presets: nodelay, interval in ms, resend. All have nc 1. */
static const struct {
	uint32_t nodelay, interval_ms, resend;
} presets[] = {
	[KCP_MODE_NORMAL] = {0, 40, 2},
	[KCP_MODE_FAST] = {0, 30, 2},
	[KCP_MODE_FAST2] = {1, 20, 2},
	[KCP_MODE_FAST3] = {1, 10, 2},
};

static enum kcp_congestion_name congestion_of(const struct kcp_options *o)
{
	if (o->congestion != KCP_CONGESTION_AUTO)
		return (enum kcp_congestion_name)o->congestion;
	if (o->nc < 0)
		return KCP_CONGESTION_RATE;
	return o->nc != 0 ? KCP_CONGESTION_NONE : KCP_CONGESTION_RENO;
}

static void resolve_fec(const struct kcp_options *o, struct kcp_settings *out)
{
	if (has_layer_fec(o)) {
		out->fec_data = (uint32_t)o->fec->data;
		out->fec_parity = (uint32_t)o->fec->parity;
	}
	if (is_reliable(o))
		return;
	out->fec_min = o->fec != NULL ? (uint32_t)o->fec->min : DEFAULT_FEC_MIN;
	out->fec_max = o->fec != NULL ? (uint32_t)o->fec->max : DEFAULT_FEC_MAX;
	if (out->fec_max < out->fec_min) /* max was left out: see check_fec() */
		out->fec_max = out->fec_min > DEFAULT_FEC_MAX ? out->fec_min : DEFAULT_FEC_MAX;
}

void kcp_options_resolve(const struct kcp_options *o, struct kcp_settings *out)
{
	*out = (struct kcp_settings){
		.reliability = (enum kcp_reliability)o->reliability,
		.congestion = congestion_of(o),
		.conv = (uint32_t)o->conv,
		.nodelay = o->nodelay >= 0 ? (uint32_t)o->nodelay : presets[o->mode].nodelay,
		.resend = o->resend >= 0 ? (uint32_t)o->resend : presets[o->mode].resend,
		.stream = o->stream != 0,
		.ack_no_delay = o->ack_no_delay != 0,
		.snd_wnd = (uint32_t)o->snd_wnd,
		.rcv_wnd = (uint32_t)o->rcv_wnd,
		.interval_us = o->interval != 0 ? o->interval / NS_PER_US
						: presets[o->mode].interval_ms * UINT64_C(1000),
		.deadline_us = o->deadline != 0 ? o->deadline / NS_PER_US : DEFAULT_DEADLINE,
		.queue_us = o->queue / NS_PER_US,
		.idle_us = o->idle / NS_PER_US,
		.dead_us = o->dead_after / NS_PER_US,
		.rate_bps = o->rate,
		.accept = (uint32_t)o->accept,
	};
	resolve_fec(o, out);
}

/* ---- checks ---- */

/* Options of the wire of KCP beside one of our own. */
static vpn_status check_own_wire(const struct kcp_options *o, struct vpn_error *err)
{
	static const char only[] = "is for \"reliability\": \"reliable\", which speaks plain KCP";
	if (is_reliable(o))
		return VPN_OK;
	if (o->conv != 0)
		return kcp_fault(err, VPN_EINVAL, 0, "/conv", "conv %s", only);
	if (o->stream != 0)
		return kcp_fault(err, VPN_EINVAL, 0, "/stream", "stream %s", only);
	if (o->nodelay >= 0)
		return kcp_fault(err, VPN_EINVAL, 0, "/nodelay", "nodelay %s", only);
	if (o->resend >= 0)
		return kcp_fault(err, VPN_EINVAL, 0, "/resend", "resend %s", only);
	return VPN_OK;
}

static vpn_status check_congestion(const struct kcp_options *o, struct vpn_error *err)
{
	if (o->nc < 0 || o->congestion == KCP_CONGESTION_AUTO)
		return VPN_OK;
	if ((o->nc != 0) == (o->congestion == KCP_CONGESTION_NONE))
		return VPN_OK;
	return kcp_fault(err, VPN_EINVAL, 0, "/nc",
			 "nc 1 is congestion \"none\", nc 0 is one of the others: leave nc out");
}

static vpn_status check_deadline(const struct kcp_options *o, struct vpn_error *err)
{
	if (o->deadline == 0 || o->reliability == KCP_DEADLINE)
		return VPN_OK;
	return kcp_fault(err, VPN_EINVAL, 0, "/deadline",
			 "deadline is for \"reliability\": \"deadline\"");
}

static vpn_status check_fec(const struct kcp_options *o, struct vpn_error *err)
{
	const struct kcp_fec_options *f = o->fec;
	if (f == NULL)
		return VPN_OK;
	if (is_reliable(o)) {
		if (f->min != 0 || f->max != 0)
			return kcp_fault(err, VPN_EINVAL, 0, "/fec",
					 "min and max are for \"datagram\" and \"deadline\": "
					 "\"reliable\" has \"data\" and \"parity\"");
		if (f->data == 0 || f->parity == 0)
			return kcp_fault(err, VPN_EINVAL, 0, "/fec",
					 "give both \"data\" and \"parity\", as in 10 and 3");
		if (f->data + f->parity > 256)
			return kcp_fault(err, VPN_EINVAL, 0, "/fec/parity",
					 "data and parity are at most 256 together");
		return VPN_OK;
	}
	if (f->data != 0 || f->parity != 0)
		return kcp_fault(err, VPN_EINVAL, 0, "/fec",
				 "data and parity are kcp-go's, for \"reliable\": here redundancy "
				 "follows the loss, between \"min\" and \"max\" percent");
	if (f->max != 0 && f->min > f->max)
		return kcp_fault(err, VPN_EINVAL, 0, "/fec/min", "min is larger than max");
	return VPN_OK;
}

static vpn_status check_crypt(const struct kcp_options *o, struct vpn_error *err)
{
	const struct kcp_crypt_info *info = kcp_crypt_info((enum kcp_crypt_kind)o->crypt);
	if (o->password != NULL && o->key.data != NULL)
		return kcp_fault(err, VPN_EINVAL, 0, "/key", "give a password or a key, not both");
	if (info->key_len == 0) {
		if (o->password != NULL || o->key.data != NULL)
			return kcp_fault(err, VPN_EINVAL, 0, "/crypt",
					 "crypt \"%s\" uses no key: choose a cipher, as in "
					 "\"aes-128-gcm\"",
					 info->name);
		return VPN_OK;
	}
	if (o->password == NULL && o->key.data == NULL)
		return kcp_fault(err, VPN_EINVAL, 0, "/crypt",
				 "crypt \"%s\" needs a \"password\" or a \"key\"", info->name);
	if (o->key.data != NULL && o->key.len < info->key_len)
		return kcp_fault(err, VPN_EINVAL, 0, "/key", "crypt \"%s\" takes a key of %u bytes",
				 info->name, info->key_len);
	return VPN_OK;
}

static vpn_status check_mtu(const struct kcp_options *o, struct vpn_error *err)
{
	if (o->mtu != 0 && o->mtu < LEAST_DATAGRAM)
		return kcp_fault(err, VPN_EINVAL, 0, "/mtu", "mtu is 0 or at least %u bytes",
				 LEAST_DATAGRAM);
	return VPN_OK;
}

vpn_status kcp_options_validate(const void *config, struct vpn_error *err)
{
	static vpn_status (*const checks[])(const struct kcp_options *o, struct vpn_error *err) = {
		check_own_wire, check_congestion, check_deadline, check_fec, check_crypt, check_mtu,
	};
	vpn_status status = VPN_OK;
	for (uint32_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && status == VPN_OK; i++)
		status = checks[i](config, err);
	return status;
}

static uint32_t engine_overhead(const struct kcp_options *o)
{
	if (!is_reliable(o))
		return KCP_FLOW_OVERHEAD;
	return KCP_SEGMENT_BYTES + (o->stream != 0 ? KCP_STREAM_PREFIX : 0);
}

void kcp_options_needs(const void *config, struct vpn_needs *out)
{
	const struct kcp_options *o = config;
	const struct kcp_engine_ops *ops = kcp_options_engine(o);
	out->headroom = kcp_options_front(o) + ops->headroom;
	out->tailroom = kcp_options_back(o) + ops->tailroom;
	out->overhead = kcp_options_front(o) + kcp_options_back(o) + engine_overhead(o);
	out->flags = VPN_L2 | VPN_L3;
	if (kcp_crypt_info((enum kcp_crypt_kind)o->crypt)->key_len != 0)
		out->flags |= VPN_ENCRYPTS;
	if (o->accept != 0)
		out->flags |= VPN_SETS_ENDPOINT;
	if (is_reliable(o) && o->queue == 0)
		out->flags |= VPN_RELIABLE;
	if (o->mtu != 0)
		out->mtu = (uint32_t)o->mtu - out->overhead;
}

/* ---- the table ---- */

static const char *const reliability_choices[] = {"reliable", "datagram", "deadline", NULL};
static const char *const mode_choices[] = {"normal", "fast", "fast2", "fast3", NULL};
static const char *const congestion_choices[] = {"auto", "none", "reno", "rate", NULL};
/* in the order of enum kcp_crypt_kind */
static const char *const crypt_choices[] = {"null",    "none",        "salsa20", "aes", "aes-192",
					    "aes-128", "aes-128-gcm", "sm4",     NULL};

_Static_assert(sizeof(crypt_choices) / sizeof(crypt_choices[0]) == KCP_CRYPT_KINDS + 1,
	       "a name for each cipher");

#define AT_FEC(field) (uint32_t) offsetof(struct kcp_fec_options, field)

static const struct vpn_option fec_options[] = {
	{.name = "data",
	 .type = VPN_OPT_UINT,
	 .offset = AT_FEC(data),
	 .min = 1,
	 .max = 255,
	 .unit = "datagrams",
	 .doc = "With \"reliable\": data datagrams of a group, as kcptun's datashard."},
	{.name = "parity",
	 .type = VPN_OPT_UINT,
	 .offset = AT_FEC(parity),
	 .min = 1,
	 .max = 255,
	 .unit = "datagrams",
	 .doc = "With \"reliable\": parity datagrams of a group, as kcptun's parityshard."},
	{.name = "min",
	 .type = VPN_OPT_UINT,
	 .offset = AT_FEC(min),
	 .min = 0,
	 .max = 200,
	 .unit = "percent",
	 .doc = "With \"datagram\" and \"deadline\": parity to send also where nothing is lost."},
	{.name = "max",
	 .type = VPN_OPT_UINT,
	 .offset = AT_FEC(max),
	 .min = 0,
	 .max = 200,
	 .unit = "percent",
	 .doc = "With \"datagram\" and \"deadline\": the most parity, whatever is lost; 100 when "
		"only min "
		"is given. 0 without min sends none."},
};

static const struct vpn_option_table fec_table = VPN_OPTION_TABLE(fec_options,
								  struct kcp_fec_options);

#define AT(field) (uint32_t) offsetof(struct kcp_options, field)

static const struct vpn_option options[] = {
	{.name = "reliability",
	 .type = VPN_OPT_ENUM,
	 .offset = AT(reliability),
	 .dflt = "deadline",
	 .choices = reliability_choices,
	 .doc = "reliable is plain KCP: everything arrives, in order. datagram sends nothing "
		"again, "
		"parity brings back what is lost. deadline sends again what can still arrive "
		"within \"deadline\". Both sides have reliable, or neither."},
	{.name = "deadline",
	 .type = VPN_OPT_DURATION,
	 .offset = AT(deadline),
	 .min = 1,
	 .max = 10000,
	 .doc = "With \"deadline\": how old a packet may become; then it is given up. 300ms when "
		"left out."},
	{.name = "mode",
	 .type = VPN_OPT_ENUM,
	 .offset = AT(mode),
	 .dflt = "fast3",
	 .choices = mode_choices,
	 .doc = "kcptun's presets of nodelay, interval and resend: normal 0, 40ms, 2; fast 0, "
		"30ms, "
		"2; fast2 1, 20ms, 2; fast3 1, 10ms, 2."},
	{.name = "nodelay",
	 .type = VPN_OPT_INT,
	 .offset = AT(nodelay),
	 .dflt = "-1",
	 .min = -1,
	 .max = 2,
	 .doc = "How a segment's timeout grows when it passes: 0 doubles it, 1 adds half of it, 2 "
		"adds half of the path's. -1: as mode says."},
	{.name = "interval",
	 .type = VPN_OPT_DURATION,
	 .offset = AT(interval),
	 .min = 1,
	 .max = 5000,
	 .doc = "Least distance of the timeout from the round trip, and the longest that an "
		"acknowledgement waits without ack_no_delay. As mode says when left out."},
	{.name = "resend",
	 .type = VPN_OPT_INT,
	 .offset = AT(resend),
	 .dflt = "-1",
	 .min = -1,
	 .max = KCP_RESEND_MOST,
	 .doc = "Acknowledgements of later data after which a segment is sent again; 0: only after "
		"its timeout. -1: as mode says."},
	{.name = "nc",
	 .type = VPN_OPT_INT,
	 .offset = AT(nc),
	 .dflt = "-1",
	 .min = -1,
	 .max = 1,
	 .doc = "KCP's word for congestion: 1 is none, 0 is reno. -1: see congestion."},
	{.name = "congestion",
	 .type = VPN_OPT_ENUM,
	 .offset = AT(congestion),
	 .dflt = "auto",
	 .choices = congestion_choices,
	 .doc = "How much is under way: none fills the windows, reno halves at each loss, rate "
		"follows the rate at which data arrives and is hardly moved by loss. auto: as nc "
		"says, else rate. Sending is paced with each."},
	{.name = "rate",
	 .type = VPN_OPT_UINT,
	 .offset = AT(rate),
	 .dflt = "0",
	 .min = 0,
	 .max = INT64_C(1000000000000),
	 .unit = "bit/s",
	 .doc = "Sends no faster than this; 0 sets no limit."},
	{.name = "snd_wnd",
	 .type = VPN_OPT_UINT,
	 .offset = AT(snd_wnd),
	 .dflt = "4096",
	 .min = 4,
	 .max = KCP_WINDOW_MOST,
	 .unit = "segments",
	 .doc = "The most that is under way and not acknowledged."},
	{.name = "rcv_wnd",
	 .type = VPN_OPT_UINT,
	 .offset = AT(rcv_wnd),
	 .dflt = "4096",
	 .min = 16,
	 .max = KCP_WINDOW_MOST,
	 .unit = "segments",
	 .doc = "The most that the peer may have under way to us."},
	{.name = "mtu",
	 .type = VPN_OPT_UINT,
	 .offset = AT(mtu),
	 .dflt = "0",
	 .min = 0,
	 .max = 65507,
	 .unit = "bytes",
	 .doc = "Largest datagram to send, with all headers of this stage; 0: what the stage below "
		"carries."},
	{.name = "stream",
	 .type = VPN_OPT_BOOL,
	 .offset = AT(stream),
	 .dflt = "false",
	 .doc = "KCP's stream mode, for peers that need it: a stream of bytes in which each packet "
		"stands behind its length, 16 bits, little-endian."},
	{.name = "ack_no_delay",
	 .type = VPN_OPT_BOOL,
	 .offset = AT(ack_no_delay),
	 .dflt = "true",
	 .doc = "Acknowledges each batch of datagrams at once."},
	{.name = "conv",
	 .type = VPN_OPT_UINT,
	 .offset = AT(conv),
	 .dflt = "0",
	 .min = 0,
	 .max = UINT32_MAX,
	 .doc = "Number of the conversation, where the peer expects a certain one. 0: who begins "
		"chooses, so that a restart is noticed."},
	{.name = "queue",
	 .type = VPN_OPT_DURATION,
	 .offset = AT(queue),
	 .dflt = "20ms",
	 .min = 0,
	 .max = 10000,
	 .doc = "How long packets may wait to be sent on average; then some are dropped, which "
		"tells their senders. 0s with \"reliable\" drops none, and the device waits."},
	{.name = "fec",
	 .type = VPN_OPT_OBJECT,
	 .offset = AT(fec),
	 .table = &fec_table,
	 .doc = "Forward error correction. kcp-go's for \"reliable\", by default none; for the "
		"others following the measured loss."},
	{.name = "crypt",
	 .type = VPN_OPT_ENUM,
	 .offset = AT(crypt),
	 .dflt = "null",
	 .choices = crypt_choices,
	 .doc = "kcp-go's cipher, for peers that have one. null: no header; none: a checksum, in "
		"clear. None of them keeps replays out: put wireguard above where security "
		"matters."},
	{.name = "password",
	 .type = VPN_OPT_STRING,
	 .offset = AT(password),
	 .min = 1,
	 .max = 1024,
	 .flags = VPN_OPT_SECRET,
	 .doc = "The key is made from this as kcptun makes it from its own."},
	{.name = "key",
	 .type = VPN_OPT_BYTES,
	 .offset = AT(key),
	 .min = 16,
	 .max = KCP_KEY_LEN,
	 .flags = VPN_OPT_SECRET,
	 .doc = "The key itself, base64 or hex."},
	{.name = "accept",
	 .type = VPN_OPT_UINT,
	 .offset = AT(accept),
	 .dflt = "0",
	 .min = 0,
	 .max = 4096,
	 .doc = "Sessions that peers may begin whose address is not known before. 0: only the "
		"remote of the stage below."},
	{.name = "idle",
	 .type = VPN_OPT_DURATION,
	 .offset = AT(idle),
	 .dflt = "5m",
	 .min = 0,
	 .max = 86400000,
	 .doc = "A session that an unknown peer began ends after this time without data, and so "
		"does, with our next data, a conversation of plain KCP that we began. 0s: never."},
	{.name = "dead_after",
	 .type = VPN_OPT_DURATION,
	 .offset = AT(dead_after),
	 .dflt = "20s",
	 .min = 0,
	 .max = 3600000,
	 .doc = "A peer that has answered nothing for so long is dead, and the session begins "
		"anew. 0s: never."},
	{.name = "memory",
	 .type = VPN_OPT_SIZE,
	 .offset = AT(memory),
	 .dflt = "64MiB",
	 .min = 1 << 20,
	 .max = INT64_C(1) << 34,
	 .unit = "bytes",
	 .doc = "The most that all sessions keep: data that is not acknowledged, and data that "
		"came "
		"out of order."},
};

const struct vpn_option_table kcp_option_table = VPN_OPTION_TABLE(options, struct kcp_options);
