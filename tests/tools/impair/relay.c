/* SPDX-License-Identifier: BSD-2-Clause */
#include "relay.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"

#ifndef UDP_GRO
#define UDP_GRO 104 /* linux/udp.h, Linux 5.0 */
#endif

#define MESSAGES    64u
#define BUFFER_SIZE 65536u
#define ROUNDS      4u /* of receiving, before what is due is looked after */
#define EVENTS      64
#define LISTENER    UINT32_MAX
#define TOLD        (UINT32_MAX - 1) /* the file that ends relay_run() */
#define RETRY_NS    100000u          /* after a socket's buffer was full */
#define IPV4_UDP    28u
#define IPV6_UDP    48u

/* What recvmmsg(2) fills. */
struct receiver {
	struct mmsghdr headers[MESSAGES];
	struct iovec iovecs[MESSAGES];
	union endpoint names[MESSAGES];
	struct {
		_Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct timespec)) +
						    CMSG_SPACE(sizeof(int)) +
						    CMSG_SPACE(sizeof(uint32_t))];
	} controls[MESSAGES];
	uint8_t buffers[MESSAGES][BUFFER_SIZE];
};

/* What stands beside a message. */
struct beside {
	uint64_t arrived_ns;
	uint32_t segment; /* size of the datagrams in it; 0: it is one */
	uint32_t missed;
};

/* ---- one datagram ---- */

/* One datagram more is under way; false: no room. */
static bool admit(struct relay *r, enum way way, const struct departure *d, const uint8_t *bytes)
{
	struct departure kept = *d;
	kept.first = store_put(&r->store, bytes, d->len);
	if (kept.first == STORE_NONE)
		return false;
	/* as many as there are blocks have room in the schedule */
	return schedule_add(&r->ways[way].schedule, &kept);
}

/* The link and the delay, for the original or its copy. */
static void travel(struct relay *r, enum way way, struct departure *d, const uint8_t *bytes,
		   uint64_t jitter_ns, uint64_t hold_ns)
{
	struct relay_way *w = &r->ways[way];
	struct flow *flow = &r->flows.flows[d->flow];
	uint32_t overhead = way == WAY_UP ? r->to_overhead : r->listen_overhead;
	uint64_t left_ns;
	if (!line_enter(&w->line, d->arrived_ns, d->len + overhead, &left_ns)) {
		w->counts.lost[LOST_QUEUE]++;
		return;
	}
	d->at_ns = line_depart(&w->line, left_ns, jitter_ns, hold_ns, &flow->latest[way]);
	if (!admit(r, way, d, bytes))
		w->counts.lost[LOST_MEMORY]++;
}

/* `bytes` may be changed. */
static void take_datagram(struct relay *r, enum way way, uint32_t flow, uint64_t arrived_ns,
			  uint8_t *bytes, uint32_t len)
{
	struct relay_way *w = &r->ways[way];
	struct departure d = {.flow = flow, .arrived_ns = arrived_ns, .len = len};
	struct fate fate;
	w->counts.in++;
	w->counts.in_bytes += len;
	if (flow == FLOWS_NONE) {
		w->counts.lost[LOST_FLOWS]++;
		return;
	}
	fates_next(&w->fates, &fate);
	if (fate.end != FATE_PASSES) {
		w->counts.lost[fate.end == FATE_LOST ? LOST_AT_RANDOM : LOST_IN_BURST]++;
		return;
	}
	if (fate.corrupted) {
		fates_corrupt(&w->fates, bytes, len);
		w->counts.corrupted++;
	}
	if (fate.reordered)
		w->counts.reordered++;
	travel(r, way, &d, bytes, fate.jitter_ns, fate.reordered ? w->fates.model.hold_ns : 0);
	if (fate.duplicated) {
		w->counts.duplicated++;
		travel(r, way, &d, bytes, fate.copy_jitter_ns, 0);
	}
}

/* ---- receiving ---- */

static void prepare(struct receiver *v)
{
	for (uint32_t i = 0; i < MESSAGES; i++) {
		struct msghdr *h = &v->headers[i].msg_hdr;
		h->msg_name = &v->names[i];
		h->msg_namelen = sizeof(v->names[i]);
		h->msg_iov = &v->iovecs[i];
		h->msg_iovlen = 1;
		h->msg_control = v->controls[i].bytes;
		h->msg_controllen = sizeof(v->controls[i].bytes);
		h->msg_flags = 0;
		v->iovecs[i].iov_base = v->buffers[i];
		v->iovecs[i].iov_len = BUFFER_SIZE;
	}
}

/* The kernel's stamp is of CLOCK_REALTIME; `lead_ns` is what that is ahead. */
static uint64_t arrival(const struct timespec *stamp, uint64_t lead_ns, uint64_t now_ns)
{
	uint64_t at = (uint64_t)stamp->tv_sec * 1000000000u + (uint64_t)stamp->tv_nsec - lead_ns;
	/* a stamp from the future, or from long ago: the clock was set meanwhile */
	return at > now_ns || now_ns - at > 1000000000u ? now_ns : at;
}

static void look_beside(struct msghdr *h, uint64_t lead_ns, uint64_t now_ns, struct beside *b)
{
	struct timespec stamp;
	int segment;
	b->arrived_ns = now_ns;
	b->segment = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
			memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
			b->arrived_ns = arrival(&stamp, lead_ns, now_ns);
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&b->missed, CMSG_DATA(c), sizeof(b->missed));
		} else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&segment, CMSG_DATA(c), sizeof(segment));
			b->segment = segment > 0 ? (uint32_t)segment : 0;
		}
	}
}

static bool watch(struct relay *r, int fd, uint32_t what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = what};
	return epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static uint32_t flow_of(struct relay *r, const union endpoint *client)
{
	bool is_new;
	uint32_t flow = flows_find(&r->flows, client, &is_new);
	if (is_new && !watch(r, r->flows.flows[flow].fd, flow)) {
		fprintf(stderr, "impair: no answers for a client: %s\n", strerror(errno));
		return FLOWS_NONE;
	}
	return flow;
}

static void take_message(struct relay *r, enum way way, uint32_t flow, const struct beside *b,
			 uint8_t *bytes, uint32_t len)
{
	uint32_t segment = b->segment > 0 && b->segment < len ? b->segment : len;
	do {
		uint32_t part = segment < len ? segment : len;
		take_datagram(r, way, flow, b->arrived_ns, bytes, part);
		bytes += part;
		len -= part;
	} while (len > 0);
}

/* One call's. Returns how many messages came. */
static uint32_t receive_batch(struct relay *r, int fd, uint32_t flow, uint32_t *missed)
{
	struct receiver *v = r->receiver;
	enum way way = flow == LISTENER ? WAY_UP : WAY_DOWN;
	struct beside b = {.missed = *missed};
	prepare(v);
	int n = recvmmsg(fd, v->headers, MESSAGES, MSG_DONTWAIT, NULL);
	uint64_t now = clock_now_ns(), lead = clock_read_ns(CLOCK_REALTIME) - now;
	for (int i = 0; i < n; i++) {
		look_beside(&v->headers[i].msg_hdr, lead, now, &b);
		take_message(r, way, way == WAY_UP ? flow_of(r, &v->names[i]) : flow, &b,
			     v->buffers[i], v->headers[i].msg_len);
	}
	r->ways[way].counts.missed += b.missed - *missed;
	*missed = b.missed;
	return n > 0 ? (uint32_t)n : 0;
}

static void receive(struct relay *r, uint32_t what)
{
	struct flow *f = what == LISTENER ? NULL : &r->flows.flows[what];
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t n = f == NULL ? receive_batch(r, r->listen_fd, what, &r->listen_missed)
				       : receive_batch(r, f->fd, what, &f->missed);
		if (n < MESSAGES)
			return;
	}
}

/* ---- the loop ---- */

/* Nanoseconds until something has to be sent, -1: nothing is under way. */
static int64_t send_due(struct relay *r)
{
	uint64_t next = UINT64_MAX;
	bool full = false;
	for (int w = 0; w < WAYS; w++) {
		full |= !sender_send(&r->ways[w].sender, clock_now_ns());
		const struct departure *d = schedule_first(&r->ways[w].schedule);
		if (d != NULL && d->at_ns < next)
			next = d->at_ns;
	}
	if (full)
		return RETRY_NS;
	if (next == UINT64_MAX)
		return -1;
	uint64_t now = clock_now_ns();
	return next > now ? (int64_t)(next - now) : 0;
}

bool relay_watch(struct relay *r, int fd)
{
	return watch(r, fd, TOLD);
}

bool relay_run(struct relay *r)
{
	struct epoll_event events[EVENTS];
	bool told = false;
	while (!told) {
		int64_t wait_ns = send_due(r);
		struct timespec wait = {.tv_sec = wait_ns / 1000000000,
					.tv_nsec = wait_ns % 1000000000};
		int n = epoll_pwait2(r->epoll, events, EVENTS, wait_ns < 0 ? NULL : &wait, NULL);
		if (n < 0 && errno != EINTR)
			return false;
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == TOLD)
				told = true;
			else
				receive(r, events[i].data.u32);
		}
	}
	return true;
}

static uint32_t overhead_of(const union endpoint *e)
{
	return e->any.sa_family == AF_INET6 ? IPV6_UDP : IPV4_UDP;
}

static bool init_ways(struct relay *r, const struct options *o)
{
	for (int i = 0; i < WAYS; i++) {
		struct relay_way *w = &r->ways[i];
		fates_init(&w->fates, &o->fate[i], o->seed, (uint32_t)i);
		line_init(&w->line, &o->line[i]);
		counts_init(&w->counts);
		if (!schedule_init(&w->schedule, r->store.n_blocks))
			return false;
		sender_init(&w->sender, (enum way)i, &w->schedule, &r->store, &r->flows, &w->counts,
			    r->listen_fd);
	}
	return true;
}

static bool fail(struct relay *r, char reterr[OPTIONS_ERROR], const char *what, int error)
{
	snprintf(reterr, OPTIONS_ERROR, "%s: %s", what, strerror(error));
	relay_done(r);
	return false;
}

bool relay_init(struct relay *r, const struct options *o, char reterr[OPTIONS_ERROR])
{
	memset(r, 0, sizeof(*r));
	r->listen_overhead = overhead_of(&o->listen);
	r->to_overhead = overhead_of(&o->to);
	r->listen_fd = flows_socket(&o->listen, NULL, o->listen.any.sa_family);
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->listen_fd < 0)
		return fail(r, reterr, "--listen", -r->listen_fd);
	if (r->epoll < 0)
		return fail(r, reterr, "epoll", errno);
	r->receiver = calloc(1, sizeof(*r->receiver));
	if (r->receiver == NULL || !store_init(&r->store, (uint32_t)(o->memory / STORE_BLOCK)) ||
	    !flows_init(&r->flows, o) || !init_ways(r, o) || !watch(r, r->listen_fd, LISTENER))
		return fail(r, reterr, "beginning", errno);
	if (o->client.any.sa_family != 0 && flow_of(r, &o->client) == FLOWS_NONE)
		return fail(r, reterr, "--client", errno);
	return true;
}

void relay_done(struct relay *r)
{
	for (int i = 0; i < WAYS; i++)
		schedule_done(&r->ways[i].schedule);
	flows_done(&r->flows);
	store_done(&r->store);
	free(r->receiver);
	r->receiver = NULL;
	if (r->epoll >= 0)
		close(r->epoll);
	if (r->listen_fd >= 0)
		close(r->listen_fd);
	r->epoll = r->listen_fd = -1;
}
