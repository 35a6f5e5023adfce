/* SPDX-License-Identifier: BSD-2-Clause */
#include "flows.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104 /* linux/udp.h, Linux 5.0 */
#endif

#define SOCKET_BUFFER (16 << 20)
#define SEGMENT_MAX   65000u

static bool set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* As much as asked for needs CAP_NET_ADMIN; without, what the system allows. */
static bool set_buffers(int fd)
{
	return (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER) ||
		set(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER)) &&
	       (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER) ||
		set(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER));
}

static bool set_up(int fd, int family)
{
	bool cut = family == AF_INET6 ? set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT)
				      : set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
	return cut && set_buffers(fd) && set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) &&
	       set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1) && set(fd, IPPROTO_UDP, UDP_GRO, 1);
}

int flows_socket(const union endpoint *own, const union endpoint *to, int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (set_up(fd, family) &&
	    (own == NULL || bind(fd, &own->any, quantity_name_len(own)) == 0) &&
	    (to == NULL || connect(fd, &to->any, quantity_name_len(to)) == 0))
		return fd;
	int saved = errno;
	close(fd);
	return -saved;
}

bool flows_init(struct flows *f, const struct options *o)
{
	uint32_t n_buckets = 16;
	memset(f, 0, sizeof(*f));
	f->max = o->max_flows;
	f->to = o->to;
	f->source = o->source;
	while (n_buckets < 2 * f->max)
		n_buckets *= 2;
	f->mask = n_buckets - 1;
	f->flows = calloc(f->max, sizeof(*f->flows));
	f->buckets = malloc(n_buckets * sizeof(*f->buckets));
	if (f->flows == NULL || f->buckets == NULL) {
		flows_done(f);
		return false;
	}
	memset(f->buckets, 0xff, n_buckets * sizeof(*f->buckets)); /* FLOWS_NONE */
	return true;
}

void flows_done(struct flows *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		close(f->flows[i].fd);
	free(f->flows);
	free(f->buckets);
	memset(f, 0, sizeof(*f));
}

static uint32_t hash(const union endpoint *e)
{
	const uint8_t *bytes = e->any.sa_family == AF_INET6 ? e->v6.sin6_addr.s6_addr
							    : (const uint8_t *)&e->v4.sin_addr;
	size_t n = e->any.sa_family == AF_INET6 ? 16 : 4;
	uint32_t h = 2166136261u ^ e->v4.sin_port; /* FNV-1a */
	for (size_t i = 0; i < n; i++)
		h = (h ^ bytes[i]) * 16777619u;
	return h ^ h >> 15;
}

static bool same(const union endpoint *a, const union endpoint *b)
{
	if (a->any.sa_family != b->any.sa_family || a->v4.sin_port != b->v4.sin_port)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0 &&
	       a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}

static uint32_t make(struct flows *f, const union endpoint *client, uint32_t bucket)
{
	if (f->n == f->max)
		return FLOWS_NONE;
	int fd = flows_socket(f->source.any.sa_family != 0 ? &f->source : NULL, &f->to,
			      f->to.any.sa_family);
	if (fd < 0)
		return FLOWS_NONE;
	struct flow *made = &f->flows[f->n];
	made->client = *client;
	made->fd = fd;
	made->segment_max[WAY_UP] = made->segment_max[WAY_DOWN] = SEGMENT_MAX;
	made->next = f->buckets[bucket];
	f->buckets[bucket] = f->n;
	return f->n++;
}

uint32_t flows_find(struct flows *f, const union endpoint *client, bool *ret_new)
{
	uint32_t bucket = hash(client) & f->mask;
	*ret_new = false;
	for (uint32_t i = f->buckets[bucket]; i != FLOWS_NONE; i = f->flows[i].next)
		if (same(&f->flows[i].client, client))
			return i;
	uint32_t found = make(f, client, bucket);
	*ret_new = found != FLOWS_NONE;
	return found;
}
