/* SPDX-License-Identifier: BSD-2-Clause */
/* udp: the bottom transport. Each packet is a datagram over UDP (RFC 768) on IPv4 or IPv6. */
#include "udp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hop.h"
#include "port.h"
#include "receive.h"
#include "remote.h"
#include "send.h"
#include "socket.h"

#ifndef VPNCORE_VERSION
#define VPNCORE_VERSION "0"
#endif

void udp_log(const struct vpn_host *host, uint32_t level, const char *format, ...)
{
	char text[256];
	va_list args;
	if (level > host->log_level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	host->log(host, level, text);
}

vpn_status udp_watch(struct udp_lane *l, struct udp_socket *s)
{
	uint32_t events = l->resume_ns == 0 ? VPN_POLLIN : 0;
	s->muted = events == 0;
	if (s->wants_out)
		events |= VPN_POLLOUT;
	return l->host->watch(l->pub, s->fd, events, s->token);
}

struct udp_socket *udp_socket_of(struct udp_lane *l, uint64_t token)
{
	if (token < UDP_OLD_TOKEN)
		return &l->sockets[token];
	uint64_t at = token - UDP_OLD_TOKEN;
	return &l->old[at / UDP_SOCKETS].pair.sockets[at % UDP_SOCKETS];
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

void udp_arm(struct udp_lane *l)
{
	uint64_t at = l->resume_ns;
	if (l->pub->index == 0)
		at = sooner(at, l->udp->lookup.due_ns);
	for (uint32_t i = 0; i < UDP_OLD_PAIRS; i++)
		at = sooner(at, l->old[i].until_ns);
	l->host->arm(l->pub, at);
}

/* ---- life ---- */

static bool init_lane(struct udp *u, struct udp_lane *l)
{
	l->udp = u;
	l->host = u->host;
	l->options = u->options;
	l->n_sockets = UDP_SOCKETS * udp_options_ports(u->options);
	l->sockets = calloc(l->n_sockets, sizeof(*l->sockets));
	if (l->sockets == NULL)
		return false;
	for (uint32_t i = 0; i < l->n_sockets; i++)
		l->sockets[i] = (struct udp_socket){.fd = -1, .token = i};
	udp_socket_init_pair(&l->next);
	for (uint32_t i = 0; i < UDP_OLD_PAIRS; i++)
		udp_socket_init_pair(&l->old[i].pair);
	udp_receive_init(l);
	return true;
}

static struct udp_lane *new_lanes(uint32_t n)
{
	void *lanes = NULL;
	if (posix_memalign(&lanes, _Alignof(struct udp_lane), n * sizeof(struct udp_lane)) != 0)
		return NULL;
	memset(lanes, 0, n * sizeof(struct udp_lane));
	return lanes;
}

static vpn_status udp_create(const struct vpn_host *host, const void *config, void **inst,
			     struct vpn_error *err)
{
	struct udp *u = calloc(1, sizeof(*u));
	*inst = u;
	if (u == NULL)
		return udp_fault(err, VPN_ENOMEM, 0, "", "out of memory");
	u->host = host;
	u->options = config;
	u->lanes = new_lanes(host->n_lanes);
	if (u->lanes == NULL)
		return udp_fault(err, VPN_ENOMEM, 0, "", "out of memory for %u lanes",
				 host->n_lanes);
	u->n_lanes = host->n_lanes;
	for (uint32_t i = 0; i < u->n_lanes; i++)
		if (!init_lane(u, &u->lanes[i]))
			return udp_fault(err, VPN_ENOMEM, 0, "", "out of memory for sockets");
	u->fwmark = (uint32_t)u->options->fwmark;
	u->has_lock = pthread_mutex_init(&u->lock, NULL) == 0;
	u->has_port_lock = pthread_mutex_init(&u->port_lock, NULL) == 0;
	u->has_subscriber_lock = pthread_mutex_init(&u->subscriber_lock, NULL) == 0;
	if (!u->has_lock || !u->has_port_lock || !u->has_subscriber_lock)
		return udp_fault(err, VPN_ENOMEM, 0, "", "cannot make a lock");
	return VPN_OK;
}

static vpn_status watch_all(struct udp *u, struct vpn_error *err)
{
	for (uint32_t i = 0; i < u->n_lanes; i++) {
		for (uint32_t k = 0; k < u->lanes[i].n_sockets; k++) {
			struct udp_socket *s = &u->lanes[i].sockets[k];
			vpn_status status = s->fd >= 0 ? udp_watch(&u->lanes[i], s) : VPN_OK;
			if (status != VPN_OK)
				return udp_fault(err, status, 0, "",
						 "cannot watch the socket of lane %u", i);
		}
	}
	return VPN_OK;
}

static vpn_status udp_start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct udp *u = inst;
	for (uint32_t i = 0; i < u->n_lanes; i++) {
		u->lanes[i].pub = lanes[i];
		lanes[i]->user = &u->lanes[i];
	}
	u->protect = u->host->get_service(u->host, VPN_EXT_PROTECT, &u->protector);
	vpn_status status = udp_port_start(u, err);
	if (status == VPN_OK)
		status = watch_all(u, err);
	if (status == VPN_OK)
		status = udp_remote_start(u, err);
	if (status == VPN_OK)
		udp_hop_start(u);
	return status;
}

static void stop_lane(struct udp_lane *l)
{
	if (l->pub == NULL)
		return;
	for (uint32_t i = 0; i < l->n_sockets; i++)
		if (l->sockets[i].fd >= 0)
			l->host->watch(l->pub, l->sockets[i].fd, 0, i);
	for (uint32_t i = 0; i < UDP_OLD_PAIRS; i++)
		udp_port_unwatch(l, l->old[i].pair.sockets);
	l->host->arm(l->pub, 0);
	udp_receive_clear(l);
	l->pub->user = NULL;
	l->pub = NULL;
}

static void udp_stop(void *inst)
{
	struct udp *u = inst;
	for (uint32_t i = 0; i < u->n_lanes; i++)
		stop_lane(&u->lanes[i]);
	if (u->has_port_lock)
		udp_port_stop(u);
}

static void udp_destroy(void *inst)
{
	struct udp *u = inst;
	if (u == NULL)
		return;
	udp_stop(u);
	if (u->has_lock)
		pthread_mutex_destroy(&u->lock);
	if (u->has_port_lock)
		pthread_mutex_destroy(&u->port_lock);
	if (u->has_subscriber_lock)
		pthread_mutex_destroy(&u->subscriber_lock);
	for (uint32_t i = 0; u->lanes != NULL && i < u->n_lanes; i++)
		free(u->lanes[i].sockets);
	free(u->lanes);
	free(u);
}

/* ---- flow ---- */

static uint32_t flow_send(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	(void)inst;
	return udp_send(lane->user, pkts, n);
}

static uint32_t flow_ready(void *inst, struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	struct udp_lane *l = lane->user;
	uint32_t more = VPN_IDLE;
	(void)inst;
	if (token == VPN_TOKEN_WAKE) {
		udp_remote_wake(l);
		udp_hop_wake(l);
		return udp_port_pick_up(l);
	}
	struct udp_socket *s = udp_socket_of(l, token);
	if ((events & VPN_POLLERR) != 0)
		more |= udp_receive_errors(l, s);
	if ((events & VPN_POLLOUT) != 0)
		udp_send_resume(l, s);
	return more | udp_receive(l, s);
}

static void flow_timer(void *inst, struct vpn_lane *lane, uint64_t now_ns)
{
	struct udp_lane *l = lane->user;
	(void)inst;
	if (l->resume_ns != 0 && now_ns >= l->resume_ns)
		udp_receive_resume(l);
	udp_remote_timer(l, now_ns);
	udp_port_expire(l, now_ns);
	udp_arm(l);
}

static uint32_t flow_writable(void *inst, struct vpn_lane *lane, uint32_t direction)
{
	(void)inst;
	if (direction == VPN_UP)
		udp_receive_resume(lane->user);
	return VPN_IDLE;
}

static void flow_resolved(void *inst, struct vpn_lane *lane, uint64_t token, vpn_status status,
			  const struct vpn_endpoint *endpoints, uint32_t n)
{
	(void)inst;
	(void)token; /* there is one look-up at a time */
	udp_remote_resolved(lane->user, status, endpoints, n);
}

static const void *get_extension(void *inst, const char *id)
{
	(void)inst;
	return strcmp(id, VPN_EXT_SOCKET) == 0 ? &udp_port_ext : NULL;
}

/* ---- the component ---- */

#define DROP(name_, doc_) \
	{ \
		.name = (name_), .doc = (doc_), .flags = VPN_COUNTER_DROP \
	}
#define EVENT(name_, doc_) \
	{ \
		.name = (name_), .doc = (doc_) \
	}

static const struct vpn_counter udp_counters[UDP_COUNTERS] = {
	[DROP_NO_ENDPOINT] = DROP("drop_no_endpoint", "nobody to send to: no remote is known"),
	[DROP_NO_SOCKET] = DROP("drop_no_socket",
				"the endpoint's address family has no socket here"),
	[DROP_TOO_BIG] = DROP("drop_too_big", "larger than the path or a datagram can be"),
	[DROP_REFUSED] = DROP("drop_refused", "the peer's machine has nobody at the port"),
	[DROP_UNREACHABLE] = DROP("drop_unreachable", "there is no way to the peer"),
	[DROP_FILTERED] = DROP("drop_filtered", "a firewall of this machine refused to send"),
	[DROP_NO_BUFFERS] = DROP("drop_no_buffers",
				 "the system had no memory or queue space to send"),
	[DROP_SEND_ERROR] = DROP("drop_send_error", "sending failed for another reason"),
	[DROP_UNEXPECTED_SOURCE] = DROP("drop_unexpected_source",
					"came from somebody else than remote"),
	[DROP_TRUNCATED] = DROP("drop_truncated", "arrived larger than path_mtu provides for"),
	[DROP_EMPTY] = DROP("drop_empty", "arrived without data"),
	[DROP_NO_PIECES] = DROP("drop_no_pieces", "no descriptors to cut a coalesced message"),
	[DROP_ABOVE_FULL] = DROP("drop_above_full", "the stage above took no more"),
	[DROP_SOCKET_FULL] = DROP("drop_socket_full", "the receive buffer was full: see buffer"),
	[SEND_BLOCKED] = EVENT("send_blocked", "times that a full send buffer held sending up"),
	[RECEIVE_PAUSED] = EVENT("receive_paused", "times that reading was paused"),
	[SEGMENTATION_OFF] = EVENT("segmentation_off", "times that UDP_SEGMENT was given up"),
	[SOURCE_CLEARED] = EVENT("source_cleared", "local addresses that stopped working"),
	[ICMP_ERRORS] = EVENT("icmp_errors", "errors that the network reported"),
	[LOOKUPS] = EVENT("lookups", "times that remote's name was looked up"),
	[REMOTE_CHANGED] = EVENT("remote_changed", "times that remote got another address"),
	[HOPS] = EVENT("hops", "moves to another of the peer's ports"),
	[HOPS_AFTER_SILENCE] = EVENT("hops_after_silence",
				     "of these, because nothing came back from the port"),
};

static const struct vpn_lifecycle udp_lifecycle = {
	.size = sizeof(udp_lifecycle),
	.options = &udp_option_table,
	.counters = udp_counters,
	.n_counters = UDP_COUNTERS,
	.validate = udp_options_validate,
	.needs = udp_options_needs,
	.create = udp_create,
	.start = udp_start,
	.stop = udp_stop,
	.destroy = udp_destroy,
	.get_extension = get_extension,
};

static const struct vpn_flow udp_flow = {
	.size = sizeof(udp_flow),
	.send = flow_send,
	.ready = flow_ready,
	.timer = flow_timer,
	.writable = flow_writable,
	.resolved = flow_resolved,
};

static const struct vpn_component udp_component = {
	.size = sizeof(udp_component),
	.kind = VPN_KIND_TRANSPORT,
	.id = "udp",
	.summary = "datagrams over UDP, IPv4 and IPv6, with segmentation offload",
	.lifecycle = &udp_lifecycle,
	.flow = &udp_flow,
};

static const struct vpn_component *const components[] = {&udp_component, NULL};

VPN_PLUGIN(transport_udp, "udp", VPNCORE_VERSION, "BSD-2-Clause", "", "", components);
