/* SPDX-License-Identifier: BSD-2-Clause */
#include "ready.h"

#include <errno.h>
#include <string.h>

#include "device.h"
#include "fault.h"

void tap_ready_init(struct tap_ready *r)
{
	memset(r, 0, sizeof(*r));
	r->fd = r->kq = r->pipe[0] = r->pipe[1] = -1;
}

/* ---- kqueue ---- */

static void close_kqueue(struct tap_ready *r)
{
	darwin_ops.close(r->kq);
	r->kq = -1;
}

/* Returns 0 or an errno. */
static int open_kqueue(struct tap_ready *r)
{
	const struct darwin_kevent want = {.ident = (uintptr_t)r->fd,
					   .filter = DARWIN_EVFILT_READ,
					   .flags = DARWIN_EV_ADD,
					   .fflags = DARWIN_NOTE_LOWAT,
					   .data = 1};
	int e = 0;
	r->kq = darwin_ops.kqueue();
	if (r->kq < 0)
		return errno;
	/* for event loops that want it so, and ask before they set it: xnu keeps the flag of a kqueue
	 * and says ENOTTY all the same */
	(void)darwin_ops.set_nonblock(r->kq);
	if (darwin_ops.kevent(r->kq, &want, 1, NULL, 0) != 0)
		e = errno;
	else if (r->host->watch(r->lane, r->kq, VPN_POLLIN, DARWIN_TOKEN_QUEUE) != VPN_OK)
		e = EOPNOTSUPP;
	if (e != 0)
		close_kqueue(r);
	return e;
}

/* Takes the event out, which also lets the kernel look whether it still holds. */
static int check_kqueue(struct tap_ready *r)
{
	struct darwin_kevent event;
	int n = darwin_ops.kevent(r->kq, NULL, 0, &event, 1);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		return 0;
	if ((event.flags & DARWIN_EV_ERROR) != 0 && event.data != 0)
		return -(int)event.data;
	return (event.flags & DARWIN_EV_EOF) != 0 ? -ENXIO : 1;
}

/* ---- thread ---- */

static bool receive(int fd, char *ret)
{
	struct iovec iov = {ret, 1};
	ssize_t n;
	do
		n = darwin_ops.readv(fd, &iov, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static void tell(const struct tap_ready *r, char what)
{
	struct iovec iov = {&what, 1};
	ssize_t n;
	do
		n = darwin_ops.writev(r->pipe[1], &iov, 1);
	while (n < 0 && errno == EINTR);
}

static void *wait_for_frames(void *ctx)
{
	struct tap_ready *r = ctx;
	char what = 0;
	while (receive(r->pipe[0], &what) && what == 'g') {
		int which = darwin_ops.select(r->fd, r->pipe[0]);
		if (which < 0 && errno != EINTR)
			atomic_store(&r->failed, errno);
		if (which < 0 || (which & 1) != 0)
			r->host->wake(r->host, r->lane->index);
	}
	return NULL;
}

static vpn_status open_thread(struct tap_ready *r, struct vpn_error *err)
{
	if (darwin_ops.pipe(r->pipe) != 0)
		return darwin_fault(err, darwin_status(errno), errno, NULL,
				    "cannot make a pipe: %s", strerror(errno));
	int e = pthread_create(&r->thread, NULL, wait_for_frames, r);
	if (e != 0)
		return darwin_fault(err, darwin_status(e), e, NULL, "cannot start a thread: %s",
				    strerror(e));
	r->has_thread = true;
	return VPN_OK;
}

/* ---- both ---- */

vpn_status tap_ready_open(struct tap_ready *r, int fd, enum tap_readiness how,
			  const struct vpn_host *host, struct vpn_lane *lane, struct vpn_error *err)
{
	tap_ready_init(r);
	r->fd = fd;
	r->host = host;
	r->lane = lane;
	int e = how != TAP_READY_SELECT ? open_kqueue(r) : EINVAL;
	if (e == 0)
		return VPN_OK;
	if (how == TAP_READY_KEVENT)
		return darwin_fault(err, VPN_ENOTSUP, e, "/readiness",
				    "this system's kqueue refuses the device (%s): write \"auto\"",
				    strerror(e));
	return open_thread(r, err);
}

void tap_ready_close(struct tap_ready *r)
{
	if (r->has_thread) {
		tell(r, 'q');
		pthread_join(r->thread, NULL);
	}
	for (int i = 0; i < 2; i++)
		if (r->pipe[i] >= 0)
			darwin_ops.close(r->pipe[i]);
	if (r->kq >= 0) {
		r->host->watch(r->lane, r->kq, 0, DARWIN_TOKEN_QUEUE);
		close_kqueue(r);
	}
	tap_ready_init(r);
}

vpn_status tap_ready_watch(struct tap_ready *r, bool on)
{
	if (r->kq >= 0)
		return r->host->watch(r->lane, r->kq, on ? VPN_POLLIN : 0, DARWIN_TOKEN_QUEUE);
	if (on && r->has_thread && !r->selecting) {
		r->selecting = true;
		tell(r, 'g');
	}
	return VPN_OK;
}

int tap_ready_check(struct tap_ready *r)
{
	if (r->kq >= 0)
		return check_kqueue(r);
	r->selecting = false;
	int e = atomic_load(&r->failed);
	return e != 0 ? -e : 1;
}
