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

#include "clock.h"
#include "options.h"
#include "relay.h"

static volatile sig_atomic_t told_to_report, told_to_end;

static void note(int number)
{
	if (number == SIGUSR1)
		told_to_report = 1;
	else
		told_to_end = 1;
}

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

/* Signals are let in only while the relay waits. */
static void catch_signals(sigset_t *ret_wakeful)
{
	static const int wanted[] = {SIGTERM, SIGINT, SIGUSR1};
	struct sigaction action = {.sa_handler = note};
	sigset_t blocked;
	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		sigaddset(&blocked, wanted[i]);
		sigaction(wanted[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, ret_wakeful);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigdelset(ret_wakeful, wanted[i]);
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

static int work(struct relay *r, const struct options *o)
{
	sigset_t wakeful;
	uint64_t begun = clock_now_ns();
	char listen[QUANTITY_TEXT], to[QUANTITY_TEXT];
	catch_signals(&wakeful);
	fprintf(stderr, "impair: relays from %s to %s\n",
		quantity_endpoint_text(&o->listen, listen), quantity_endpoint_text(&o->to, to));
	while (!told_to_end) {
		if (!relay_run(r, &wakeful)) {
			fprintf(stderr, "impair: %s\n", strerror(errno));
			return 1;
		}
		if (told_to_report)
			report(r, begun, o->seed);
		told_to_report = 0;
	}
	report(r, begun, o->seed);
	return 0;
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
	int status = work(&relay, &o);
	relay_done(&relay);
	return status;
}
