/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * impair: a UDP relay that delays, loses, reorders, doubles and corrupts datagrams by a seed. See options.c for
 * what it can be told.
 *
 *	client --> [listen]  loss, burst, corruption, doubling; link with a queue; delay  [its socket] --> to
 *	       <--                              the same, backwards                                     <--
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "options.h"
#include "relay.h"

static void report(const struct relay *r, uint64_t begun_ns, uint64_t seed)
{
	static const char *const names[WAYS] = {"up", "down"};
	printf("{\"seconds\": %.6f, \"seed\": %" PRIu64 ", \"flows\": %" PRIu32,
	       (double)(clock_now_ns() - begun_ns) / 1e9, seed, r->flows.n);
	for (int i = 0; i < WAYS; i++) {
		printf(", \"%s\": ", names[i]);
		counts_print(&r->ways[i].counts, r->ways[i].schedule.n, stdout);
	}
	printf("}\n");
	fflush(stdout);
}

/*
 * The signals that mean something here, as a file: they are seen under any load, which epoll_pwait() does not
 * promise, and by a ThreadSanitizer, which holds a handler back until a call that it knows.
 */
static int open_signals(void)
{
	sigset_t wanted;
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &wanted, NULL) != 0)
		return -1;
	return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool go_first(void)
{
	struct sched_param param = {.sched_priority = 1};
	return sched_setscheduler(0, SCHED_FIFO, &param) == 0;
}

static void raise_file_limit(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE,
		  &files); /* without it there may be fewer flows, which is told then */
}

/* Until a signal says to end. False: errno says what failed. */
static bool work(struct relay *r, const struct options *o, int signals)
{
	struct signalfd_siginfo got;
	uint64_t begun = clock_now_ns();
	do {
		if (!relay_run(r))
			return false;
		if (read(signals, &got, sizeof(got)) != (ssize_t)sizeof(got))
			return false;
		report(r, begun, o->seed);
	} while (got.ssi_signo == SIGUSR1);
	return true;
}

static int relay_until_told(struct relay *r, const struct options *o)
{
	char listen[QUANTITY_TEXT], to[QUANTITY_TEXT];
	int signals = open_signals();
	bool good = signals >= 0 && relay_watch(r, signals);
	if (good) {
		fprintf(stderr, "impair: relays from %s to %s\n",
			quantity_endpoint_text(&o->listen, listen),
			quantity_endpoint_text(&o->to, to));
		good = work(r, o, signals);
	}
	if (!good)
		fprintf(stderr, "impair: %s\n", strerror(errno));
	if (signals >= 0)
		close(signals);
	return good ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct relay relay;
	struct options o;
	char error[OPTIONS_ERROR];
	switch (options_read(&o, argc, argv, error)) {
	case OPTIONS_HELP:
		fputs(options_help, stdout);
		return 0;
	case OPTIONS_BAD:
		fprintf(stderr, "impair: %s\n", error);
		return 2;
	case OPTIONS_OK:
		break;
	}
	if (o.realtime && !go_first()) {
		fprintf(stderr, "impair: --realtime: %s\n", strerror(errno));
		return 1;
	}
	raise_file_limit();
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	if (!relay_init(&relay, &o, error)) {
		fprintf(stderr, "impair: %s\n", error);
		return 1;
	}
	int status = relay_until_told(&relay, &o);
	relay_done(&relay);
	return status;
}
