/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uapi: the thread that serves the configuration socket.
 *
 * One poll() over all clients; nothing waits for one of them. A client is read a piece at a time and
 * only while it has taken all our answers: so one answer at most waits in memory for each, and who
 * does not read stops nobody but itself. A client that takes nothing of a waiting answer for
 * PATIENCE_MS is let go. One that is silent may stay, until all places are taken and somebody else
 * needs one.
 */
#include "uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "text.h"
#include "uapi_socket.h"
#include "uapi_text.h"

#define PATIENCE_MS 5000
#define TICK_MS     1000                /* how often patience is looked at */
#define OUTPUT_MAX  ((size_t)256 << 20) /* bytes of one answer: far over 100,000 peers */
#define INPUT_MAX   16384u              /* bytes that are read at once */

struct client {
	int fd;       /* -1 = free place */
	bool closing; /* once its answer is gone */
	int64_t progress_ms;
	struct wg_uapi_session *session;
	char *out;
	size_t out_len, out_sent;
	size_t in_len, in_fed;
	char in[INPUT_MAX];
};

enum { WAKE, WATCH, LISTEN, CLIENTS }; /* places in the poll set */

struct wg_uapi {
	struct wg *wg;
	void (*gone)(void *ctx);
	void *ctx;
	struct wg_uapi_socket socket;
	int wake[2]; /* pipe: bytes end the thread */
	pthread_t thread;
	int64_t accept_ms; /* not before: the system has no descriptors left */
	struct client clients[WG_UAPI_CLIENTS];
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- a client ---- */

static bool has_output(const struct client *c)
{
	return c->out_sent < c->out_len;
}

static bool has_input(const struct client *c)
{
	return c->in_fed < c->in_len;
}

static void clear_output(struct client *c)
{
	if (c->out != NULL)
		sodium_memzero(c->out, c->out_len);
	free(c->out);
	c->out = NULL;
	c->out_len = 0;
	c->out_sent = 0;
}

static void clear_input(struct client *c)
{
	sodium_memzero(c->in, c->in_len);
	c->in_len = 0;
	c->in_fed = 0;
}

static void drop(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->session = wg_uapi_session_free(c->session);
	clear_output(c);
	clear_input(c);
}

/* For the session. Appends; not realloc(), which would leave a copy of secrets behind. */
static bool write_answer(void *ctx, const char *text, size_t len)
{
	struct client *c = ctx;
	if (len > OUTPUT_MAX - c->out_len)
		return false;
	char *out = malloc(c->out_len + len);
	if (out == NULL)
		return false;
	size_t before = c->out_len, sent = c->out_sent;
	if (before > 0)
		memcpy(out, c->out, before);
	memcpy(out + before, text, len);
	clear_output(c);
	c->out = out;
	c->out_len = before + len;
	c->out_sent = sent;
	return true;
}

/* As much as goes. False: the client is gone. */
static bool flush(struct client *c)
{
	while (has_output(c)) {
		ssize_t n = wg_uapi_system_send(c->fd, c->out + c->out_sent,
						c->out_len - c->out_sent);
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
		c->out_sent += (size_t)n;
		c->progress_ms = now_ms();
	}
	clear_output(c);
	return true;
}

/* Gives the session lines until it answers. */
static void feed(struct client *c)
{
	while (has_input(c) && !has_output(c) && !c->closing) {
		const char *from = c->in + c->in_fed;
		const char *end = memchr(from, '\n', c->in_len - c->in_fed);
		size_t n = end != NULL ? (size_t)(end - from) + 1 : c->in_len - c->in_fed;
		c->closing = !wg_uapi_session_feed(c->session, from, n);
		c->in_fed += n;
	}
	if (!has_input(c) || c->closing)
		clear_input(c);
}

/* False: the client is gone. */
static bool fill(struct client *c)
{
	ssize_t n = recv(c->fd, c->in, sizeof(c->in), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
	if (n == 0) {
		wg_uapi_session_end(c->session);
		c->closing = true;
		return true;
	}
	c->in_len = (size_t)n;
	c->progress_ms = now_ms();
	return true;
}

static void serve(struct client *c)
{
	bool ok = flush(c);
	if (ok && !has_output(c)) {
		ok = has_input(c) || fill(c);
		if (ok) {
			feed(c);
			ok = flush(c);
		}
	}
	if (!ok || (c->closing && !has_output(c)))
		drop(c);
}

/* ---- all clients ---- */

static struct client *free_place(struct wg_uapi *u)
{
	for (size_t i = 0; i < WG_UAPI_CLIENTS; i++)
		if (u->clients[i].fd < 0)
			return &u->clients[i];
	return NULL;
}

static void accept_clients(struct wg_uapi *u)
{
	for (struct client *c = free_place(u); c != NULL; c = free_place(u)) {
		int fd = wg_uapi_socket_accept(&u->socket);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS)
				u->accept_ms = now_ms() + TICK_MS;
			return;
		}
		c->fd = fd;
		c->closing = false;
		c->progress_ms = now_ms();
		c->session = wg_uapi_session_new(u->wg, write_answer, c);
		if (c->session == NULL)
			drop(c);
	}
}

static bool somebody_waits(struct wg_uapi *u)
{
	struct pollfd f = {.fd = u->socket.fd, .events = POLLIN};
	return free_place(u) == NULL && poll(&f, 1, 0) == 1;
}

/* Lets go who takes no answer, and the one that is silent for longest if its place is needed. */
static void lose_patience(struct wg_uapi *u)
{
	int64_t limit = now_ms() - PATIENCE_MS;
	struct client *longest = NULL;
	for (size_t i = 0; i < WG_UAPI_CLIENTS; i++) {
		struct client *c = &u->clients[i];
		if (c->fd < 0 || c->progress_ms > limit)
			continue;
		if (has_output(c))
			drop(c);
		else if (longest == NULL || c->progress_ms < longest->progress_ms)
			longest = c;
	}
	if (longest != NULL && somebody_waits(u))
		drop(longest);
}

/* ---- the thread ---- */

/* Fills the set and returns the timeout of poll(). */
static int prepare(struct wg_uapi *u, struct pollfd set[CLIENTS + WG_UAPI_CLIENTS])
{
	int timeout = -1;
	bool accepting = free_place(u) != NULL && now_ms() >= u->accept_ms;
	set[WAKE] = (struct pollfd){.fd = u->wake[0], .events = POLLIN};
	set[WATCH] = (struct pollfd){.fd = u->gone != NULL ? u->socket.watch.fd : -1,
				     .events = POLLIN};
	set[LISTEN] = (struct pollfd){.fd = accepting ? u->socket.fd : -1, .events = POLLIN};
	if (!accepting)
		timeout = TICK_MS;
	for (size_t i = 0; i < WG_UAPI_CLIENTS; i++) {
		const struct client *c = &u->clients[i];
		short events = has_output(c) ? POLLOUT : POLLIN;
		set[CLIENTS + i] = (struct pollfd){.fd = c->fd, .events = events};
		if (c->fd < 0)
			continue;
		if (has_output(c) && timeout != 0)
			timeout = TICK_MS;
		else if (has_input(c))
			timeout = 0; /* the rest of what was read waits */
	}
	return timeout;
}

static void look_at_file(struct wg_uapi *u)
{
	void (*gone)(void *ctx) = u->gone;
	if (!wg_uapi_socket_is_gone(&u->socket))
		return;
	u->gone = NULL; /* once */
	gone(u->ctx);
}

static void *run(void *arg)
{
	struct wg_uapi *u = arg;
	struct pollfd set[CLIENTS + WG_UAPI_CLIENTS];
	for (;;) {
		int timeout = prepare(u, set);
		if (poll(set, CLIENTS + WG_UAPI_CLIENTS, timeout) < 0)
			continue; /* nothing but a passing lack of memory: the set is sound */
		if (set[WAKE].revents != 0)
			return NULL;
		if (set[WATCH].revents != 0)
			look_at_file(u);
		for (size_t i = 0; i < WG_UAPI_CLIENTS; i++) {
			struct client *c = &u->clients[i];
			bool rest = c->fd >= 0 && has_input(c) && !has_output(c);
			if (set[CLIENTS + i].revents != 0 || rest)
				serve(c);
		}
		if (set[LISTEN].revents != 0)
			accept_clients(u);
		lose_patience(u);
	}
}

/* Signals are the main thread's. */
static int start_thread(struct wg_uapi *u)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int e = pthread_create(&u->thread, NULL, run, u);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e;
}

/* ---- life ---- */

static struct wg_uapi *new_uapi(struct wg *wg, void (*gone)(void *ctx), void *ctx)
{
	struct wg_uapi *u = calloc(1, sizeof(*u));
	if (u == NULL)
		return NULL;
	u->wg = wg;
	u->gone = gone;
	u->ctx = ctx;
	for (size_t i = 0; i < WG_UAPI_CLIENTS; i++)
		u->clients[i].fd = -1;
	if (wg_uapi_system_pipe(u->wake) == 0)
		return u;
	free(u);
	return NULL;
}

static void free_uapi(struct wg_uapi *u)
{
	close(u->wake[0]);
	close(u->wake[1]);
	free(u);
}

struct wg_uapi *wg_uapi_open_in(const char *directory, struct wg *wg, const char *name, int fd,
				void (*gone)(void *ctx), void *ctx, struct vpn_error *err)
{
	struct wg_uapi *u = new_uapi(wg, gone, ctx);
	if (u == NULL) {
		(void)wg_fault(err, VPN_ENOMEM, 0, "", "out of memory or descriptors");
		return NULL;
	}
	if (wg_uapi_socket_open(&u->socket, directory, name, fd, err) != VPN_OK) {
		free_uapi(u);
		return NULL;
	}
	int e = start_thread(u);
	if (e == 0)
		return u;
	(void)wg_fault(err, VPN_EIO, e, "", "cannot start a thread for %s", u->socket.path);
	if (fd >= 0)
		u->socket.fd = -1; /* the caller's */
	wg_uapi_socket_close(&u->socket);
	free_uapi(u);
	return NULL;
}

struct wg_uapi *wg_uapi_open(struct wg *wg, const char *name, int fd, void (*gone)(void *ctx),
			     void *ctx, struct vpn_error *err)
{
	return wg_uapi_open_in(WG_UAPI_DIRECTORY, wg, name, fd, gone, ctx, err);
}

struct wg_uapi *wg_uapi_close(struct wg_uapi *u)
{
	if (u == NULL)
		return NULL;
	/* an empty pipe takes a byte */
	while (write(u->wake[1], "", 1) < 0 && errno == EINTR)
		continue;
	pthread_join(u->thread, NULL);
	for (size_t i = 0; i < WG_UAPI_CLIENTS; i++)
		drop(&u->clients[i]);
	wg_uapi_socket_close(&u->socket);
	free_uapi(u);
	return NULL;
}
