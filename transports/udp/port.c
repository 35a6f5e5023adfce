/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port: which local port and mark the sockets have.
 *
 * A change may come on any thread, and a lane's sockets are its own thread's. So set_port() opens new
 * sockets for all lanes, leaves each lane its pair and wakes it; the lane reads the old ones empty,
 * closes them and goes on with the new. Until then it uses the old ones: nothing stands still, and
 * the caller waits for no lane, which may be halted.
 *
 * port_lock guards the port, the mark, the pairs that wait and the descriptors of those in use (the
 * lane alone writes these, so it reads them without). A lane only ever tries the lock.
 */
#include "port.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "receive.h"
#include "socket.h"
#include "sockopt.h"

#define MOST_DRAINS 256u /* calls of udp_receive(), so that a flood cannot hold the old port */

static struct udp_pair *new_pairs(const struct udp *u, struct vpn_error *err)
{
	struct udp_pair *pairs = calloc(u->n_lanes, sizeof(*pairs));
	if (pairs == NULL)
		udp_fault(err, VPN_ENOMEM, 0, "", "out of memory for %u lanes", u->n_lanes);
	return pairs;
}

/* ---- life ---- */

vpn_status udp_port_start(struct udp *u, struct vpn_error *err)
{
	uint16_t port = u->options->listen.port;
	struct udp_pair *pairs = new_pairs(u, err);
	if (pairs == NULL)
		return VPN_ENOMEM;
	pthread_mutex_lock(&u->port_lock);
	vpn_status status = udp_socket_open_pairs(u, pairs, &port, err);
	for (uint32_t i = 0; status == VPN_OK && i < u->n_lanes; i++) {
		memcpy(u->lanes[i].sockets, pairs[i].sockets, sizeof(pairs[i].sockets));
		u->lanes[i].port = port;
	}
	if (status == VPN_OK) {
		u->port = port;
		u->open = true;
		udp_socket_tell(u, &pairs[0], port);
	}
	pthread_mutex_unlock(&u->port_lock);
	free(pairs);
	return status;
}

static void close_lane(struct udp_lane *l)
{
	for (uint32_t k = 0; k < UDP_SOCKETS; k++) {
		if (l->sockets[k].fd >= 0)
			close(l->sockets[k].fd);
		l->sockets[k] = (struct udp_socket){.fd = -1};
	}
	udp_socket_close_pair(&l->next);
	atomic_store(&l->has_next, false);
	l->port = 0;
}

void udp_port_stop(struct udp *u)
{
	pthread_mutex_lock(&u->port_lock);
	for (uint32_t i = 0; i < u->n_lanes; i++)
		close_lane(&u->lanes[i]);
	u->open = false;
	u->port = 0;
	pthread_mutex_unlock(&u->port_lock);
}

/* ---- the lane's side ---- */

static uint32_t drain(struct udp_lane *l)
{
	uint32_t more = VPN_IDLE;
	for (uint32_t k = 0; k < UDP_SOCKETS; k++)
		if (l->sockets[k].fd >= 0)
			more |= udp_receive(l, &l->sockets[k]);
	return more;
}

static vpn_status exchange(struct udp_lane *l)
{
	vpn_status status = VPN_OK;
	for (uint32_t k = 0; k < UDP_SOCKETS; k++) {
		struct udp_socket *s = &l->sockets[k];
		if (s->fd >= 0) {
			l->host->watch(l->pub, s->fd, 0, k);
			close(s->fd);
		}
		*s = l->next.sockets[k];
		if (s->fd >= 0 && status == VPN_OK)
			status = udp_watch(l, s);
	}
	udp_socket_init_pair(&l->next);
	l->port = l->udp->port;
	l->drained = 0;
	atomic_store(&l->has_next, false);
	return status;
}

static void unblock(struct udp_lane *l)
{
	if (!l->blocked)
		return;
	l->blocked = false; /* it was an old socket that was full */
	l->host->writable(l->pub, VPN_DOWN);
}

uint32_t udp_port_pick_up(struct udp_lane *l)
{
	struct udp *u = l->udp;
	vpn_status status = VPN_OK;
	if (!atomic_load(&l->has_next)) {
		l->drained = 0;
		return VPN_IDLE;
	}
	if (l->drained++ < MOST_DRAINS) {
		if (drain(l) != VPN_IDLE)
			return VPN_MORE;
		if (l->resume_ns != 0)
			return VPN_IDLE; /* udp_receive_resume() wakes us */
	}
	if (pthread_mutex_trylock(&u->port_lock) != 0) {
		u->host->wake(u->host, l->pub->index);
		return VPN_IDLE;
	}
	if (atomic_load(&l->has_next))
		status = exchange(l);
	pthread_mutex_unlock(&u->port_lock);
	if (status != VPN_OK) {
		struct vpn_error err = {.size = sizeof(err)};
		udp_fault(&err, status, 0, "", "cannot watch the socket of lane %u", l->pub->index);
		l->host->fail(l->host, &err);
	}
	unblock(l);
	return VPN_IDLE;
}

/* ---- the caller's side ---- */

static vpn_status check_open(const struct udp *u, struct vpn_error *err)
{
	return u->open ? VPN_OK : udp_fault(err, VPN_ECLOSED, 0, "", "the sockets are closed");
}

/* Leaves lane i its new pair, in place of one that it has not taken yet. */
static void offer(struct udp *u, uint32_t i, const struct udp_pair *pair)
{
	struct udp_lane *l = &u->lanes[i];
	bool stays = l->port == u->port;
	udp_socket_close_pair(&l->next);
	l->next = *pair;
	atomic_store(&l->has_next, !stays);
	if (!stays)
		u->host->wake(u->host, i);
}

static vpn_status change_port(struct udp *u, uint16_t port, struct vpn_error *err)
{
	struct udp_pair *pairs = new_pairs(u, err);
	if (pairs == NULL)
		return VPN_ENOMEM;
	vpn_status status = udp_socket_open_pairs(u, pairs, &port, err);
	if (status == VPN_OK) {
		u->port = port;
		if (u->lanes[0].port != port)
			udp_socket_tell(u, &pairs[0], port);
		else
			udp_log(u->host, VPN_LOG_INFO, "port %u again", port);
		for (uint32_t i = 0; i < u->n_lanes; i++)
			offer(u, i, &pairs[i]);
	}
	free(pairs);
	return status;
}

static vpn_status set_port(void *inst, uint32_t port, struct vpn_error *err)
{
	struct udp *u = inst;
	if (port > UINT16_MAX)
		return udp_fault(err, VPN_EINVAL, 0, "/listen",
				 "a port is a number from 0 to 65535, not %u", port);
	pthread_mutex_lock(&u->port_lock);
	vpn_status status = check_open(u, err);
	if (status == VPN_OK && (port == 0 || port != u->port))
		status = change_port(u, (uint16_t)port, err);
	pthread_mutex_unlock(&u->port_lock);
	return status;
}

static vpn_status mark_pair(const struct udp_socket *s, uint32_t mark, struct vpn_error *err)
{
	vpn_status status = VPN_OK;
	for (uint32_t k = 0; k < UDP_SOCKETS && status == VPN_OK; k++)
		if (s[k].fd >= 0)
			status = udp_sockopt_set_mark(s[k].fd, mark, err);
	return status;
}

static vpn_status mark_all(struct udp *u, uint32_t mark, struct vpn_error *err)
{
	vpn_status status = VPN_OK;
	for (uint32_t i = 0; i < u->n_lanes && status == VPN_OK; i++) {
		status = mark_pair(u->lanes[i].sockets, mark, err);
		if (status == VPN_OK)
			status = mark_pair(u->lanes[i].next.sockets, mark, err);
	}
	return status;
}

static vpn_status set_fwmark(void *inst, uint32_t fwmark, struct vpn_error *err)
{
	struct udp *u = inst;
	pthread_mutex_lock(&u->port_lock);
	vpn_status status = check_open(u, err);
	if (status == VPN_OK && fwmark != u->fwmark) {
		struct vpn_error ignored = {.size = sizeof(ignored)};
		status = mark_all(u, fwmark, err);
		if (status == VPN_OK)
			u->fwmark = fwmark;
		else
			(void)mark_all(u, u->fwmark, &ignored);
	}
	pthread_mutex_unlock(&u->port_lock);
	return status;
}

static vpn_status info(void *inst, struct vpn_socket_info *out)
{
	struct udp *u = inst;
	struct vpn_socket_info now = {.size = out->size};
	if (u->options->remote.host != NULL || u->options->learn != 0)
		now.flags |= VPN_SOCKET_HAS_REMOTE;
	pthread_mutex_lock(&u->port_lock);
	now.port = u->port;
	now.fwmark = u->fwmark;
	pthread_mutex_unlock(&u->port_lock);
	memcpy(out, &now, out->size < sizeof(now) ? out->size : sizeof(now));
	return VPN_OK;
}

const struct vpn_socket_ext udp_port_ext = {
	.size = sizeof(udp_port_ext),
	.info = info,
	.set_port = set_port,
	.set_fwmark = set_fwmark,
};
