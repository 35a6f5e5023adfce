/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port: which local port or ports and mark the sockets have.
 *
 * A change may come on any thread, and a lane's sockets are its own thread's. So set_port() opens new
 * sockets for all lanes, leaves each lane its pair and wakes it; the lane reads the old ones empty,
 * closes them and goes on with the new. Until then it uses the old ones: nothing stands still, and
 * the caller waits for no lane, which may be halted. A hop to another far port does the same, but its
 * old sockets stay open until `until_ns`. Both leave one port where there was a range.
 *
 * port_lock guards the port, the mark, the pairs that wait and the descriptors of those in use (the
 * lane alone writes these, so it reads them without). A lane only ever tries the lock.
 */
#include "port.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hop.h"
#include "receive.h"
#include "socket.h"
#include "sockopt.h"

#define MOST_DRAINS 256u /* calls of udp_receive(), so that a flood cannot hold the old port */
#define IN_FLIGHT   (5 * UDP_SECOND) /* as long may a packet to an old port be on its way */
#define TRY_AGAIN   (UDP_SECOND / 100)
#define SPARE_FILES 64u /* that the rest of the process may open, when there is a range */

static struct udp_pair *new_pairs(const struct udp *u, struct vpn_error *err)
{
	struct udp_pair *pairs = calloc(u->n_lanes, sizeof(*pairs));
	if (pairs == NULL)
		udp_fault(err, VPN_ENOMEM, 0, "", "out of memory for %u lanes", u->n_lanes);
	return pairs;
}

/* ---- life ---- */

/* A range may want more sockets than the process may have: said before a thousand are open. */
static vpn_status check_files(const struct udp *u, struct vpn_error *err)
{
	uint32_t ports = udp_options_ports(u->options);
	uint32_t families = udp_options_families(u->options) == (UDP_IPV4 | UDP_IPV6) ? 2 : 1;
	uint64_t need = (uint64_t)ports * families * u->n_lanes + SPARE_FILES;
	struct rlimit limit;
	if (ports == 1 || getrlimit(RLIMIT_NOFILE, &limit) != 0 || need <= (uint64_t)limit.rlim_cur)
		return VPN_OK;
	return udp_fault(
		err, VPN_EINVAL, 0, "/listen",
		"%u ports, %u address famil%s and %u lane%s take %llu open files, but the limit "
		"is %llu: raise it (`ulimit -n`, LimitNOFILE= of systemd) or choose a narrower "
		"range",
		ports, families, families == 1 ? "y" : "ies", u->n_lanes,
		u->n_lanes == 1 ? "" : "s", (unsigned long long)need,
		(unsigned long long)limit.rlim_cur);
}

static void place(struct udp_socket *at, const struct udp_socket *from, uint32_t token)
{
	*at = *from;
	at->token = token;
}

/* Opens port first + i for all lanes; 0 in *port has the system choose. */
static vpn_status open_port(struct udp *u, struct udp_pair *pairs, uint32_t i, uint16_t *port,
			    struct vpn_error *err)
{
	vpn_status status = udp_socket_open_pairs(u, pairs, port, err);
	for (uint32_t lane = 0; status == VPN_OK && lane < u->n_lanes; lane++) {
		for (uint32_t k = 0; k < UDP_SOCKETS; k++) {
			uint32_t at = i * UDP_SOCKETS + k;
			place(&u->lanes[lane].sockets[at], &pairs[lane].sockets[k], at);
		}
	}
	return status;
}

vpn_status udp_port_start(struct udp *u, struct vpn_error *err)
{
	const struct vpn_hostport *listen = &u->options->listen;
	uint16_t port = listen->port;
	struct udp_pair *pairs = new_pairs(u, err);
	if (pairs == NULL)
		return VPN_ENOMEM;
	pthread_mutex_lock(&u->port_lock);
	vpn_status status = check_files(u, err);
	if (status == VPN_OK)
		status = open_port(u, pairs, 0, &port, err);
	for (uint32_t i = 1; status == VPN_OK && i < udp_options_ports(u->options); i++) {
		uint16_t next = (uint16_t)(port + i);
		status = open_port(u, pairs, i, &next, err);
	}
	for (uint32_t i = 0; status == VPN_OK && i < u->n_lanes; i++)
		u->lanes[i].port = port;
	if (status == VPN_OK) {
		u->port = port;
		u->open = true;
		u->ranges = udp_options_ports(u->options) > 1;
		udp_socket_tell(u, VPN_LOG_INFO, u->lanes[0].sockets, port,
				listen->port_last > port ? listen->port_last : port);
	}
	pthread_mutex_unlock(&u->port_lock);
	free(pairs);
	return status;
}

static void close_lane(struct udp_lane *l)
{
	for (uint32_t k = 0; k < l->n_sockets; k++) {
		if (l->sockets[k].fd >= 0)
			close(l->sockets[k].fd);
		l->sockets[k] = (struct udp_socket){.fd = -1, .token = k};
	}
	for (uint32_t i = 0; i < UDP_OLD_PAIRS; i++) {
		udp_socket_close_pair(&l->old[i].pair);
		l->old[i].until_ns = 0;
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
	for (uint32_t k = 0; k < l->n_sockets; k++)
		if (l->sockets[k].fd >= 0)
			more |= udp_receive(l, &l->sockets[k]);
	return more;
}

void udp_port_unwatch(struct udp_lane *l, struct udp_socket *s)
{
	for (uint32_t k = 0; k < UDP_SOCKETS; k++)
		if (s[k].fd >= 0)
			l->host->watch(l->pub, s[k].fd, 0, s[k].token);
}

static void close_old(struct udp_lane *l, struct udp_old *old)
{
	udp_port_unwatch(l, old->pair.sockets);
	udp_socket_close_pair(&old->pair);
	old->until_ns = 0;
}

/* Watches the pair that has just been placed. */
static vpn_status watch_pair(struct udp_lane *l, struct udp_socket *s)
{
	vpn_status status = VPN_OK;
	for (uint32_t k = 0; k < UDP_SOCKETS && status == VPN_OK; k++)
		if (s[k].fd >= 0)
			status = udp_watch(l, &s[k]);
	return status;
}

/* The pair in use, in place of the one that is to go first when there is no room. */
static vpn_status keep(struct udp_lane *l)
{
	uint32_t at = 0;
	for (uint32_t i = 1; i < UDP_OLD_PAIRS; i++)
		if (l->old[i].until_ns < l->old[at].until_ns)
			at = i;
	struct udp_old *old = &l->old[at];
	close_old(l, old);
	old->until_ns = l->pub->now_ns + l->udp->hop.plan.silence_ns + IN_FLIGHT;
	old->port = l->port;
	for (uint32_t k = 0; k < UDP_SOCKETS; k++) {
		place(&old->pair.sockets[k], &l->sockets[k], UDP_OLD_TOKEN + at * UDP_SOCKETS + k);
		old->pair.sockets[k].wants_out = false;
		l->sockets[k].fd = -1;
	}
	udp_arm(l);
	return watch_pair(l, old->pair.sockets);
}

/* What the lane is to have: what was opened for it, or a pair that it has on that port already. */
static struct udp_pair take_next(struct udp_lane *l)
{
	struct udp_pair next = l->next;
	uint16_t port = l->udp->port;
	udp_socket_init_pair(&l->next);
	struct udp_socket *s = udp_socket_on_port(l, port);
	for (uint32_t k = 0; s != NULL && k < UDP_SOCKETS; k++) {
		next.sockets[k] = s[k];
		s[k].fd = -1;
	}
	return next;
}

static vpn_status exchange(struct udp_lane *l)
{
	struct udp_pair next = take_next(l);
	vpn_status status = VPN_OK;
	if (atomic_load(&l->keeps_old) && l->n_sockets == UDP_SOCKETS)
		status = keep(l);
	for (uint32_t k = 0; k < l->n_sockets; k += UDP_SOCKETS)
		udp_port_unwatch(l, &l->sockets[k]);
	for (uint32_t k = 0; k < l->n_sockets; k++)
		if (l->sockets[k].fd >= 0)
			close(l->sockets[k].fd);
	l->n_sockets = UDP_SOCKETS;
	for (uint32_t k = 0; k < UDP_SOCKETS; k++)
		place(&l->sockets[k], &next.sockets[k], k);
	if (status == VPN_OK)
		status = watch_pair(l, l->sockets);
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
	if (!atomic_load(&l->keeps_old) && l->drained++ < MOST_DRAINS) {
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

void udp_port_expire(struct udp_lane *l, uint64_t now_ns)
{
	for (uint32_t i = 0; i < UDP_OLD_PAIRS; i++) {
		struct udp_old *old = &l->old[i];
		if (old->until_ns == 0 || old->until_ns > now_ns)
			continue;
		if (pthread_mutex_trylock(&l->udp->port_lock) != 0) {
			old->until_ns = now_ns + TRY_AGAIN;
			continue;
		}
		if (atomic_load(&l->has_next) && old->port == l->udp->port)
			old->until_ns = now_ns + TRY_AGAIN; /* the lane is about to return to it */
		else
			close_old(l, old);
		pthread_mutex_unlock(&l->udp->port_lock);
	}
}

/* ---- the caller's side ---- */

static vpn_status check_open(const struct udp *u, struct vpn_error *err)
{
	return u->open ? VPN_OK : udp_fault(err, VPN_ECLOSED, 0, "", "the sockets are closed");
}

/* Leaves lane i its new pair, in place of one that it has not taken yet. */
static void offer(struct udp *u, uint32_t i, const struct udp_pair *pair, bool keeps_old)
{
	struct udp_lane *l = &u->lanes[i];
	bool stays = l->port == u->port && l->n_sockets == UDP_SOCKETS;
	udp_socket_close_pair(&l->next);
	l->next = *pair;
	atomic_store(&l->keeps_old, keeps_old);
	atomic_store(&l->has_next, !stays);
	if (!stays)
		u->host->wake(u->host, i);
}

static vpn_status change_port(struct udp *u, uint16_t port, bool keeps_old, struct vpn_error *err)
{
	uint32_t level = keeps_old ? VPN_LOG_DEBUG : VPN_LOG_INFO;
	struct udp_pair *pairs = new_pairs(u, err);
	if (pairs == NULL)
		return VPN_ENOMEM;
	vpn_status status = udp_socket_open_pairs(u, pairs, &port, err);
	if (status == VPN_OK) {
		u->port = port;
		u->ranges = false;
		if (udp_socket_on_port(&u->lanes[0], port) == NULL)
			udp_socket_tell(u, level, pairs[0].sockets, port, port);
		else
			udp_log(u->host, level, "port %u again", port);
		for (uint32_t i = 0; i < u->n_lanes; i++)
			offer(u, i, &pairs[i], keeps_old);
	}
	free(pairs);
	return status;
}

void udp_port_renew(struct udp *u)
{
	struct vpn_error err = {.size = sizeof(err)};
	if (change_port(u, 0, true, &err) != VPN_OK)
		udp_log(u->host, VPN_LOG_WARN, "our own port stays: %s", err.text);
}

void udp_port_tell(struct udp *u)
{
	pthread_mutex_lock(&u->subscriber_lock);
	if (u->changed != NULL)
		u->changed(u->changed_ctx);
	pthread_mutex_unlock(&u->subscriber_lock);
}

static void subscribe(void *inst, void (*changed)(void *ctx), void *ctx)
{
	struct udp *u = inst;
	pthread_mutex_lock(&u->subscriber_lock);
	u->changed = changed;
	u->changed_ctx = ctx;
	pthread_mutex_unlock(&u->subscriber_lock);
}

static vpn_status set_port(void *inst, uint32_t port, struct vpn_error *err)
{
	struct udp *u = inst;
	if (port > UINT16_MAX)
		return udp_fault(err, VPN_EINVAL, 0, "/listen",
				 "a port is a number from 0 to 65535, not %u", port);
	pthread_mutex_lock(&u->port_lock);
	vpn_status status = check_open(u, err);
	bool changes = status == VPN_OK && (port == 0 || port != u->port);
	if (changes)
		status = change_port(u, (uint16_t)port, false, err);
	if (status == VPN_OK)
		u->hop.renews = port == 0;
	pthread_mutex_unlock(&u->port_lock);
	if (changes && status == VPN_OK)
		udp_port_tell(u);
	return status;
}

static vpn_status mark_pair(const struct udp *u, const struct udp_socket *s, uint32_t mark,
			    struct vpn_error *err)
{
	vpn_status status = VPN_OK;
	for (uint32_t k = 0; k < UDP_SOCKETS && status == VPN_OK; k++) {
		if (s[k].fd < 0)
			continue;
		status = udp_sockopt_set_mark(s[k].fd, mark, err);
		if (status == VPN_OK)
			status = udp_socket_protect(u, s[k].fd, s[k].family, err);
	}
	return status;
}

static vpn_status mark_all(struct udp *u, uint32_t mark, struct vpn_error *err)
{
	vpn_status status = VPN_OK;
	for (uint32_t i = 0; i < u->n_lanes && status == VPN_OK; i++) {
		struct udp_lane *l = &u->lanes[i];
		for (uint32_t k = 0; k < l->n_sockets && status == VPN_OK; k += UDP_SOCKETS)
			status = mark_pair(u, &l->sockets[k], mark, err);
		for (uint32_t k = 0; k < UDP_OLD_PAIRS && status == VPN_OK; k++)
			status = mark_pair(u, l->old[k].pair.sockets, mark, err);
		if (status == VPN_OK)
			status = mark_pair(u, l->next.sockets, mark, err);
	}
	return status;
}

static vpn_status set_fwmark(void *inst, uint32_t fwmark, struct vpn_error *err)
{
	struct udp *u = inst;
	pthread_mutex_lock(&u->port_lock);
	vpn_status status = check_open(u, err);
	bool changes = status == VPN_OK && fwmark != u->fwmark;
	if (changes) {
		struct vpn_error ignored = {.size = sizeof(ignored)};
		status = mark_all(u, fwmark, err);
		if (status == VPN_OK)
			u->fwmark = fwmark;
		else
			(void)mark_all(u, u->fwmark, &ignored);
	}
	pthread_mutex_unlock(&u->port_lock);
	if (changes && status == VPN_OK)
		udp_port_tell(u);
	return status;
}

static vpn_status info(void *inst, struct vpn_socket_info *out)
{
	struct udp *u = inst;
	struct vpn_socket_info now = {.size = out->size};
	if (u->options->remote.host != NULL || u->options->learn != 0)
		now.flags |= VPN_SOCKET_HAS_REMOTE;
	if (udp_hop_is_on(u)) {
		now.far_first = u->hop.plan.first;
		now.far_last = u->hop.plan.last;
	}
	pthread_mutex_lock(&u->port_lock);
	now.port = u->port;
	now.fwmark = u->fwmark;
	if (u->ranges)
		now.port_last = u->options->listen.port_last;
	pthread_mutex_unlock(&u->port_lock);
	memcpy(out, &now, out->size < sizeof(now) ? out->size : sizeof(now));
	return VPN_OK;
}

const struct vpn_socket_ext udp_port_ext = {
	.size = sizeof(udp_port_ext),
	.info = info,
	.set_port = set_port,
	.set_fwmark = set_fwmark,
	.subscribe = subscribe,
};
