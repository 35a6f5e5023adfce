/* SPDX-License-Identifier: BSD-2-Clause */
#include "io.h"

#include <errno.h>
#include <string.h>

#include "fault.h"

/* ---- batch calls ---- */

vpn_status utun_io_probe(struct utun_io *io, const struct utun_options *o, struct vpn_error *err)
{
	bool must = o->batch == UTUN_BATCH_READ || o->batch == UTUN_BATCH_ON;
	io->receive = NULL;
	io->send = NULL;
	if (o->batch == UTUN_BATCH_OFF)
		return VPN_OK;
	io->receive = (darwin_recvmsg_x)darwin_ops.symbol("recvmsg_x");
	if (o->batch == UTUN_BATCH_ON)
		io->send = (darwin_sendmsg_x)darwin_ops.symbol("sendmsg_x");
	if (must && (io->receive == NULL || (o->batch == UTUN_BATCH_ON && io->send == NULL)))
		return darwin_fault(err, VPN_ENOTSUP, 0, "/batch",
				    "this system has no recvmsg_x() and sendmsg_x(): write "
				    "\"batch\": \"auto\"");
	return VPN_OK;
}

/* Whether an errno says that the kernel does not take such calls at all. */
static bool refuses_batches(int e)
{
	return e == ENOSYS || e == EINVAL || e == EOPNOTSUPP || e == EFAULT;
}

static void tell_refusal(const struct utun_io *io, const char *call, int e)
{
	darwin_log(io->queue.host, VPN_LOG_WARN,
		   "%s: the system refuses %s() (%s): packets go one by one",
		   io->queue.device->link.name, call, strerror(e));
}

/* ---- down ---- */

/* Sets what one read has brought: got bytes, header and spill included. */
static void accept_read(struct utun_io *io, struct vpn_packet *p, size_t got)
{
	p->len = 0;
	if (got <= UTUN_HEADER)
		return;
	if (got - UTUN_HEADER > io->queue.room)
		vpn_count(io->queue.lane, DARWIN_DROP_TOO_BIG, 1);
	else
		p->len = (uint32_t)(got - UTUN_HEADER);
}

static void aim(struct utun_io *io, struct iovec iov[3], uint8_t *header,
		const struct vpn_packet *p)
{
	iov[0] = (struct iovec){header, UTUN_HEADER};
	iov[1] = (struct iovec){vpn_packet_data(p), io->queue.room};
	iov[2] = (struct iovec){io->spill, sizeof(io->spill)};
}

static int read_one(struct utun_io *io, struct vpn_packet *p)
{
	struct iovec iov[3];
	uint8_t header[UTUN_HEADER];
	aim(io, iov, header, p);
	ssize_t n = darwin_ops.readv(io->fd, iov, 3);
	if (n < 0)
		return darwin_queue_read_failed(&io->queue, errno);
	if (n == 0)
		return -ENXIO; /* the other end, the kernel's, has closed */
	accept_read(io, p, (size_t)n);
	return 1;
}

static int read_batch(struct utun_io *io, struct vpn_packet **pkts, uint32_t n)
{
	struct utun_batch_room *r = &io->in;
	if (n > DARWIN_QUEUE_READ)
		n = DARWIN_QUEUE_READ;
	/* all of it is zero on the way in: some kernels look at every field */
	memset(r->msgs, 0, n * sizeof(r->msgs[0]));
	for (uint32_t i = 0; i < n; i++) {
		aim(io, r->iov[i], r->header[i], pkts[i]);
		r->msgs[i].iov = r->iov[i];
		r->msgs[i].iovlen = 3;
	}
	ssize_t got = io->receive(io->fd, r->msgs, n, 0);
	if (got < 0 && !io->received && refuses_batches(errno)) {
		tell_refusal(io, "recvmsg_x", errno);
		io->receive = NULL;
		return read_one(io, pkts[0]);
	}
	if (got < 0)
		return darwin_queue_read_failed(&io->queue, errno);
	if (got == 0) /* closed, or nothing there: a plain read tells them apart */
		return read_one(io, pkts[0]);
	io->received = true;
	if (got > (ssize_t)n)
		got = (ssize_t)n;
	for (ssize_t i = 0; i < got; i++)
		accept_read(io, pkts[i], r->msgs[i].datalen);
	return (int)got;
}

static int read_packets(struct darwin_queue *q, struct vpn_packet **pkts, uint32_t n)
{
	struct utun_io *io = (struct utun_io *)q;
	return io->receive != NULL ? read_batch(io, pkts, n) : read_one(io, pkts[0]);
}

/* ---- up ---- */

static void put_header(uint8_t header[UTUN_HEADER], const struct vpn_packet *p)
{
	memset(header, 0, UTUN_HEADER);
	header[3] = vpn_packet_data(p)[0] >> 4 == 6 ? DARWIN_AF_INET6 : DARWIN_AF_INET;
}

/* Returns 0 or an errno. */
static int write_one(struct utun_io *io, const struct vpn_packet *p)
{
	uint8_t header[UTUN_HEADER];
	struct iovec iov[2] = {{header, UTUN_HEADER}, {vpn_packet_data(p), p->len}};
	ssize_t n;
	put_header(header, p);
	do
		n = darwin_ops.writev(io->fd, iov, 2);
	while (n < 0 && errno == EINTR);
	return n < 0 ? errno : 0;
}

static void write_singly(struct utun_io *io, struct vpn_packet **pkts, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		int e = write_one(io, pkts[i]);
		if (e != 0)
			darwin_queue_count(&io->queue, e, 1);
	}
}

/* An errno that the next packet would get as well. */
static bool holds_for_all(int e)
{
	return e == EAGAIN || e == ENOBUFS || e == ENOMEM || e == EBADF || e == ENXIO ||
	       e == ENOTCONN || e == EPIPE;
}

/* One call for up to 64 packets; the kernel may take a part. Returns how many are done with, counted
 * or written; 0: the calls are refused. */
static uint32_t send_some(struct utun_io *io, struct vpn_packet **pkts, uint32_t n)
{
	struct utun_batch_room *r = &io->out;
	uint32_t all = n;
	if (n > DARWIN_QUEUE_READ)
		n = DARWIN_QUEUE_READ;
	memset(r->msgs, 0, n * sizeof(r->msgs[0]));
	for (uint32_t i = 0; i < n; i++) {
		put_header(r->header[i], pkts[i]);
		r->iov[i][0] = (struct iovec){r->header[i], UTUN_HEADER};
		r->iov[i][1] = (struct iovec){vpn_packet_data(pkts[i]), pkts[i]->len};
		r->msgs[i].iov = r->iov[i];
		r->msgs[i].iovlen = 2;
	}
	ssize_t done;
	do
		done = io->send(io->fd, r->msgs, n, 0);
	while (done < 0 && errno == EINTR);
	if (done > 0) {
		io->sent = true;
		return done < (ssize_t)n ? (uint32_t)done : n;
	}
	int e = done < 0 ? errno : EAGAIN;
	if (!io->sent && refuses_batches(e)) {
		tell_refusal(io, "sendmsg_x", e);
		io->send = NULL;
		return 0;
	}
	uint32_t lost = holds_for_all(e) ? all : 1;
	darwin_queue_count(&io->queue, e, lost);
	return lost;
}

static void write_packets(struct darwin_queue *q, struct vpn_packet **pkts, uint32_t n)
{
	struct utun_io *io = (struct utun_io *)q;
	uint32_t at = 0;
	while (at < n && io->send != NULL && n - at > 1)
		at += send_some(io, pkts + at, n - at);
	write_singly(io, pkts + at, n - at);
}

static vpn_status watch(struct darwin_queue *q, bool on)
{
	const struct utun_io *io = (const struct utun_io *)q;
	return q->host->watch(q->lane, io->fd, on ? VPN_POLLIN : 0, DARWIN_TOKEN_QUEUE);
}

const struct darwin_port utun_port = {
	.read = read_packets,
	.write = write_packets,
	.watch = watch,
};
