/* SPDX-License-Identifier: BSD-2-Clause */
/* socket: opening and closing sockets, a pair for each lane. */
#include "socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sockopt.h"

#define PORT_TRIES 100 /* when the system chooses the port and the other family has it in use */

static const uint8_t families[UDP_SOCKETS] = {VPN_AF_INET, VPN_AF_INET6};

static void local_of(const struct udp_options *o, uint8_t family, uint16_t port,
		     struct vpn_endpoint *out)
{
	if (udp_options_any(o) || !udp_address_parse(o->listen.host, out)) {
		memset(out, 0, sizeof(*out));
		out->family = family;
	}
	out->port = port;
}

static vpn_status bind_fault(int why, const struct vpn_endpoint *at, struct vpn_error *err)
{
	char text[UDP_ADDRESS_TEXT];
	udp_address_text(at, text);
	switch (why) {
	case EADDRINUSE:
		return udp_fault(
			err, VPN_EBUSY, why, "/listen",
			"UDP port %u is in use by another program (%s): see who with `ss -lunp "
			"'sport = :%u'`, stop it or choose another port",
			at->port, text, at->port);
	case EADDRNOTAVAIL:
		return udp_fault(err, VPN_EADDR, why, "/listen",
				 "%s is not an address of this machine: `ip address` lists them",
				 text);
	case EACCES:
		return udp_fault(err, VPN_EPERM, why, "/listen",
				 "no permission to bind %s: low ports need CAP_NET_BIND_SERVICE",
				 text);
	default:
		return udp_fault(err, VPN_EIO, why, "/listen", "cannot bind %s: %s", text,
				 strerror(why));
	}
}

static vpn_status open_fault(int why, uint8_t family, struct vpn_error *err)
{
	if (why == EAFNOSUPPORT)
		return udp_fault(err, VPN_ENOTSUP, why, "/listen", "this system has no IPv%c",
				 family == VPN_AF_INET ? '4' : '6');
	return udp_fault(err, VPN_EIO, why, "", "cannot open a UDP socket: %s", strerror(why));
}

static uint16_t port_of(int fd)
{
	union udp_name name = {.any = {.sa_family = AF_UNSPEC}};
	struct vpn_endpoint e;
	socklen_t len = sizeof(name);
	if (getsockname(fd, &name.any, &len) != 0)
		return 0;
	udp_address_from_name(&name, &e);
	return e.port;
}

vpn_status udp_socket_protect(const struct udp *u, int fd, uint8_t family, struct vpn_error *err)
{
	return u->protect != NULL ? u->protect->protect(u->protector, fd, family, err) : VPN_OK;
}

/* A bound socket into *ret_fd; the port is chosen into *port where that is 0. */
static vpn_status open_bound(const struct udp *u, uint8_t family, bool shared, uint16_t *port,
			     int *ret_fd, struct vpn_error *err)
{
	struct vpn_endpoint at;
	union udp_name name;
	vpn_status status = VPN_OK;
	int fd = udp_sockopt_open(family);
	if (fd < 0)
		return open_fault(-fd, family, err);
	if (u->fwmark != 0)
		status = udp_sockopt_set_mark(fd, u->fwmark, err);
	if (status == VPN_OK)
		status = udp_socket_protect(u, fd, family, err);
	if (status == VPN_OK)
		status = udp_sockopt_before_bind(fd, family, u->options, shared, err);
	if (status != VPN_OK)
		goto close_fd;
	local_of(u->options, family, *port, &at);
	socklen_t len = udp_address_to_name(&at, &name);
	if (bind(fd, &name.any, len) != 0) {
		status = bind_fault(errno, &at, err);
		goto close_fd;
	}
	if (*port == 0)
		*port = port_of(fd);
	*ret_fd = fd;
	return VPN_OK;

close_fd:
	close(fd);
	return status;
}

static vpn_status set_offload(struct udp_socket *s, const struct udp_options *o,
			      struct vpn_error *err)
{
	if (o->offload == UDP_OFFLOAD_OFF)
		return VPN_OK;
	s->segments = udp_sockopt_has_segmentation(s->fd);
	s->coalesces = udp_sockopt_set_coalescing(s->fd);
	if (o->offload == UDP_OFFLOAD_ON && !(s->segments && s->coalesces))
		return udp_fault(
			err, VPN_ENOTSUP, 0, "/offload",
			"this kernel lacks UDP_SEGMENT or UDP_GRO (Linux 5.0): use \"auto\"");
	return VPN_OK;
}

static vpn_status open_socket(const struct udp *u, struct udp_socket *s, uint8_t family,
			      uint16_t *port, struct vpn_error *err)
{
	const struct udp_options *o = u->options;
	vpn_status status = open_bound(u, family, u->n_lanes > 1, port, &s->fd, err);
	if (status != VPN_OK)
		return status;
	s->family = family;
	status = udp_sockopt_after_bind(s->fd, family, o, err);
	if (status != VPN_OK)
		return status;
	uint64_t got = udp_sockopt_set_buffers(s->fd, o->buffer);
	if (got < o->buffer)
		udp_log(u->host, VPN_LOG_DEBUG,
			"receive buffer is %llu bytes, not %llu: raise net.core.rmem_max",
			(unsigned long long)got, (unsigned long long)o->buffer);
	return set_offload(s, o, err);
}

/* Lanes share their port, and sharing would let another pipeline of this user have it as well: so
 * the port is first taken alone. */
static vpn_status probe_port(const struct udp *u, uint8_t family, uint16_t *port,
			     struct vpn_error *err)
{
	int fd = -1;
	vpn_status status = open_bound(u, family, false, port, &fd, err);
	if (fd >= 0)
		close(fd);
	return status;
}

static bool may_skip(const struct udp *u, const struct vpn_error *err)
{
	return err->os_errno == EAFNOSUPPORT && udp_options_any(u->options);
}

/* A lane that has not yet left the port that the others are to return to, or that still hears it. */
struct udp_socket *udp_socket_on_port(struct udp_lane *l, uint16_t port)
{
	uint32_t beyond = l->port + l->n_sockets / UDP_SOCKETS;
	if (l->port != 0 && port >= l->port && port < beyond)
		return &l->sockets[(port - l->port) * UDP_SOCKETS];
	for (uint32_t i = 0; i < UDP_OLD_PAIRS; i++) {
		struct udp_socket *s = l->old[i].pair.sockets;
		if (port != 0 && l->old[i].port == port && (s[0].fd >= 0 || s[1].fd >= 0))
			return s;
	}
	return NULL;
}

static bool is_ours(const struct udp *u, uint16_t port)
{
	for (uint32_t i = 0; i < u->n_lanes; i++)
		if (udp_socket_on_port(&u->lanes[i], port) != NULL)
			return true;
	return false;
}

static vpn_status open_family(const struct udp *u, struct udp_pair *pairs, uint32_t index,
			      uint16_t *port, struct vpn_error *err)
{
	uint8_t family = families[index];
	vpn_status status = VPN_OK;
	if (u->n_lanes > 1 && !is_ours(u, *port))
		status = probe_port(u, family, port, err);
	for (uint32_t i = 0; status == VPN_OK && i < u->n_lanes; i++)
		if (udp_socket_on_port(&u->lanes[i], *port) == NULL)
			status = open_socket(u, &pairs[i].sockets[index], family, port, err);
	return status;
}

static vpn_status open_once(const struct udp *u, struct udp_pair *pairs, uint16_t *port,
			    struct vpn_error *err)
{
	uint32_t set = udp_options_families(u->options);
	uint32_t opened = 0;
	for (uint32_t i = 0; i < UDP_SOCKETS; i++) {
		if ((set & (i == 0 ? UDP_IPV4 : UDP_IPV6)) == 0)
			continue;
		vpn_status status = open_family(u, pairs, i, port, err);
		if (status == VPN_OK)
			opened++;
		else if (!may_skip(u, err))
			return status;
	}
	if (opened == 0)
		return udp_fault(
			err, VPN_ENOTSUP, 0, "/listen",
			"this system has no socket of the address family that is asked for");
	return VPN_OK;
}

static void close_pairs(struct udp_pair *pairs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		udp_socket_close_pair(&pairs[i]);
}

vpn_status udp_socket_open_pairs(const struct udp *u, struct udp_pair *pairs, uint16_t *port,
				 struct vpn_error *err)
{
	const uint16_t asked = *port;
	vpn_status status = VPN_EBUSY;
	for (uint32_t i = 0; i < u->n_lanes; i++)
		udp_socket_init_pair(&pairs[i]);
	for (int i = 0; i < PORT_TRIES; i++) {
		*port = asked;
		status = open_once(u, pairs, port, err);
		if (status == VPN_OK) {
			memset(err->where, 0, sizeof(err->where));
			return VPN_OK;
		}
		close_pairs(pairs, u->n_lanes);
		if (status != VPN_EBUSY || asked != 0)
			return status;
	}
	return udp_fault(err, status, EADDRINUSE, "/listen",
			 "found no port that is free for IPv4 and IPv6: choose one in \"listen\"");
}

void udp_socket_tell(const struct udp *u, uint32_t level, const struct udp_socket *s, uint16_t port,
		     uint16_t last)
{
	const struct udp_socket *any = s[0].fd >= 0 ? &s[0] : &s[1];
	char range[24];
	if (last == port)
		snprintf(range, sizeof(range), "port %u", port);
	else
		snprintf(range, sizeof(range), "ports %u-%u", port, last);
	udp_log(u->host, level, "%s%s%s, segmentation %s, coalescing %s", range,
		s[0].fd >= 0 ? ", IPv4" : "", s[1].fd >= 0 ? ", IPv6" : "",
		any->segments ? "on" : "off", any->coalesces ? "on" : "off");
}

void udp_socket_init_pair(struct udp_pair *pair)
{
	for (uint32_t k = 0; k < UDP_SOCKETS; k++)
		pair->sockets[k] = (struct udp_socket){.fd = -1};
}

void udp_socket_close_pair(struct udp_pair *pair)
{
	for (uint32_t k = 0; k < UDP_SOCKETS; k++)
		if (pair->sockets[k].fd >= 0)
			close(pair->sockets[k].fd);
	udp_socket_init_pair(pair);
}
