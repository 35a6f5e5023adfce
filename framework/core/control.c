/* SPDX-License-Identifier: BSD-2-Clause */
#include "control.h"

#include <pthread.h>
#include <stdlib.h>
#include <uv.h>

static const int write_signals[] = {SIGPIPE, SIGXFSZ};

#define N_WRITE_SIGNALS (sizeof(write_signals) / sizeof(write_signals[0]))

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t lock; /* recursive: a callback may ask something of another object */

static void make_lock(void)
{
	if (uv_mutex_init_recursive(&lock) != 0)
		abort(); /* as out of memory at the start of a process */
}

static void block_signals(struct control *c)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < N_WRITE_SIGNALS; i++)
		sigaddset(&set, write_signals[i]);
	sigpending(&c->pending);
	pthread_sigmask(SIG_BLOCK, &set, &c->mask);
}

/* Those that came meanwhile are ours, and the error that came with each has been seen. */
static void restore_signals(const struct control *c)
{
	for (size_t i = 0; i < N_WRITE_SIGNALS; i++) {
		sigset_t now, one;
		int taken;
		sigpending(&now);
		if (sigismember(&now, write_signals[i]) != 1 ||
		    sigismember(&c->pending, write_signals[i]) == 1)
			continue;
		sigemptyset(&one);
		sigaddset(&one, write_signals[i]);
		(void)sigwait(&one, &taken);
	}
	pthread_sigmask(SIG_SETMASK, &c->mask, NULL);
}

void control_enter(struct control *c, const struct log_sink *log)
{
	uv_once(&once, make_lock);
	uv_mutex_lock(&lock);
	block_signals(c);
	c->log = log_use(log);
}

void control_leave(const struct control *c)
{
	(void)log_use(c->log);
	restore_signals(c);
	uv_mutex_unlock(&lock);
}
