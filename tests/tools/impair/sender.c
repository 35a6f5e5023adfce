/* SPDX-License-Identifier: BSD-2-Clause */
#include "sender.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "clock.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h, Linux 4.18 */
#endif

#define SEGMENTS_MAX  64u /* UDP_MAX_SEGMENTS of older kernels */
#define MESSAGE_BYTES 65000u
#define ROUNDS        8
#define TRIES         3 /* an error of an earlier datagram is told by the next call, which sends nothing */

void sender_init(struct sender *s, enum way way, struct schedule *schedule, struct store *store,
		 struct flows *flows, struct counts *counts, int listen_fd)
{
	memset(s, 0, sizeof(*s));
	s->way = way;
	s->schedule = schedule;
	s->store = store;
	s->flows = flows;
	s->counts = counts;
	s->listen_fd = listen_fd;
}

static const struct departure *first_of(const struct sender *s, const struct message *m)
{
	return &s->departures[m->first];
}

static int socket_of(const struct sender *s, const struct message *m)
{
	return s->way == WAY_DOWN ? s->listen_fd : s->flows->flows[first_of(s, m)->flow].fd;
}

/* ---- messages out of what is due ---- */

static bool joins(const struct sender *s, const struct message *m, const struct departure *d)
{
	const struct departure *first = first_of(s, m);
	return !m->closed && d->flow == first->flow && d->len > 0 && d->len <= first->len &&
	       m->n < SEGMENTS_MAX && m->bytes + d->len <= MESSAGE_BYTES &&
	       first->len <= s->flows->flows[d->flow].segment_max[s->way];
}

static void begin_message(struct sender *s)
{
	s->messages[s->n_messages++] = (struct message){.first = s->n_departures};
}

static void add(struct sender *s, const struct departure *d)
{
	struct message *m = &s->messages[s->n_messages - 1];
	s->departures[s->n_departures++] = *d;
	m->n++;
	m->bytes += d->len;
	m->closed = d->len < first_of(s, m)->len;
}

/* Takes from the schedule what is due and has room in the tables. */
static void collect(struct sender *s, uint64_t now_ns)
{
	uint32_t n_iovecs = 0;
	s->n_messages = s->n_departures = s->n_iovecs = 0;
	for (;;) {
		const struct departure *d = schedule_first(s->schedule);
		struct departure taken;
		if (d == NULL || d->at_ns > now_ns || s->n_departures == SENDER_DEPARTURES ||
		    n_iovecs + STORE_IOVEC_MAX > SENDER_IOVECS)
			return;
		if (s->n_messages == 0 || !joins(s, &s->messages[s->n_messages - 1], d)) {
			if (s->n_messages == SENDER_MESSAGES)
				return;
			begin_message(s);
		}
		n_iovecs += d->len / STORE_BLOCK + 1;
		schedule_take(s->schedule, &taken);
		add(s, &taken);
	}
}

static void set_segment(struct sender *s, uint32_t i, struct msghdr *h)
{
	uint16_t size = (uint16_t)first_of(s, &s->messages[i])->len;
	h->msg_control = s->controls[i].bytes;
	h->msg_controllen = sizeof(s->controls[i].bytes);
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(c), &size, sizeof(size));
}

static void address(struct sender *s, const struct departure *d, struct msghdr *h)
{
	union endpoint *client = &s->flows->flows[d->flow].client;
	if (s->way != WAY_DOWN)
		return;
	h->msg_name = client;
	h->msg_namelen = quantity_name_len(client);
}

static void fill_header(struct sender *s, uint32_t i)
{
	const struct message *m = &s->messages[i];
	struct msghdr *h = &s->headers[i].msg_hdr;
	memset(h, 0, sizeof(*h));
	address(s, first_of(s, m), h);
	h->msg_iov = &s->iovecs[s->n_iovecs];
	for (uint32_t k = 0; k < m->n; k++) {
		const struct departure *d = &s->departures[m->first + k];
		uint32_t n = store_gather(s->store, d->first, d->len, &s->iovecs[s->n_iovecs]);
		s->n_iovecs += n;
		h->msg_iovlen += n;
	}
	if (m->n > 1)
		set_segment(s, i, h);
}

/* ---- sending ---- */

static void done(struct sender *s, const struct departure *d, bool delivered, uint64_t now_ns)
{
	if (delivered)
		counts_deliver(s->counts, d->len, d->arrived_ns, d->at_ns, now_ns);
	else
		s->counts->lost[LOST_REFUSED]++;
	store_drop(s->store, d->first);
}

static void done_message(struct sender *s, const struct message *m, bool delivered, uint64_t now_ns)
{
	for (uint32_t i = 0; i < m->n; i++)
		done(s, &s->departures[m->first + i], delivered, now_ns);
}

/* From message i on everything goes back. */
static void give_back(struct sender *s, uint32_t i)
{
	for (uint32_t k = s->messages[i].first; k < s->n_departures; k++)
		schedule_return(s->schedule, &s->departures[k]);
}

static bool is_full(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == EINTR;
}

/* One at a time. Returns how many are done with; fewer than all: the buffer is full. */
static uint32_t send_singly(struct sender *s, const struct message *m, int fd)
{
	for (uint32_t i = 0; i < m->n; i++) {
		struct departure *d = &s->departures[m->first + i];
		struct iovec iov[STORE_IOVEC_MAX];
		struct msghdr h = {.msg_iov = iov};
		h.msg_iovlen = store_gather(s->store, d->first, d->len, iov);
		address(s, d, &h);
		ssize_t sent = -1;
		for (int k = 0; k < TRIES && sent < 0; k++) {
			sent = sendmsg(fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
			if (sent < 0 && is_full(errno))
				return i;
		}
		done(s, d, sent >= 0, clock_now_ns());
	}
	return m->n;
}

/* A message that the system did not take as it was. False: the buffer is full. */
static bool mend(struct sender *s, uint32_t i, int error)
{
	struct message *m = &s->messages[i];
	struct flow *f = &s->flows->flows[first_of(s, m)->flow];
	if (is_full(error))
		return false;
	/* EINVAL, EMSGSIZE: segments that do not fit into the path's MTU are not cut up */
	if (m->n > 1 && (error == EINVAL || error == EMSGSIZE || error == EIO))
		f->segment_max[s->way] = first_of(s, m)->len - 1;
	uint32_t gone = send_singly(s, m, socket_of(s, m));
	m->first += gone;
	return gone == m->n;
}

/* The messages from i on that leave by one socket. */
static uint32_t same_socket(const struct sender *s, uint32_t i)
{
	uint32_t end = i + 1;
	while (end < s->n_messages &&
	       socket_of(s, &s->messages[end]) == socket_of(s, &s->messages[i]))
		end++;
	return end - i;
}

static bool send_all(struct sender *s)
{
	for (uint32_t i = 0; i < s->n_messages;) {
		int n = sendmmsg(socket_of(s, &s->messages[i]), &s->headers[i], same_socket(s, i),
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		int error = errno;
		uint64_t now = clock_now_ns();
		for (int k = 0; k < n; k++)
			done_message(s, &s->messages[i++], true, now);
		if (n > 0)
			continue;
		if (!mend(s, i, error)) {
			give_back(s, i);
			return false;
		}
		i++;
	}
	return true;
}

/* Several rounds, but not without end: somebody has to receive, too. */
bool sender_send(struct sender *s, uint64_t now_ns)
{
	for (int i = 0; i < ROUNDS; i++) {
		collect(s, now_ns);
		if (s->n_messages == 0)
			break;
		for (uint32_t k = 0; k < s->n_messages; k++)
			fill_header(s, k);
		if (!send_all(s))
			return false;
	}
	return true;
}
