/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * embed: a pipeline inside of a program with an event loop of its own, poll(2).
 *
 *   cc -o embed embed.c $(pkg-config --cflags --libs vpncore)
 *   ./embed < site.json
 *
 * The manifest comes from memory: here from standard input, in your program from wherever it has it.
 * SIGINT or SIGTERM end it, SIGUSR1 prints the counters. Exit status 0 after a signal, 1 when the
 * pipeline could not start or has failed, 2 for a manifest with problems. docs/embedding.md explains it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vpncore/vpncore.h>

#define MANIFEST_MAX (1u << 20)

/* Whatever happens on another thread or in a signal handler becomes a byte in here, for the loop. */
static int wake[2];

static void wake_up(char why)
{
	int before = errno;
	ssize_t n = write(wake[1], &why, 1);
	(void)n; /* when the pipe is full, the loop has enough to wake up for */
	errno = before;
}

static void on_signal(int number)
{
	wake_up(number == SIGUSR1 ? 'u' : 's');
}

static void on_problem(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "%s\n", line);
}

static void on_failed(void *ctx)
{
	(void)ctx;
	wake_up('f'); /* a thread of the library: no stop() from here */
}

static void on_event(void *ctx, const char *component, uint32_t event, uint64_t value)
{
	(void)ctx;
	if (event == VPN_EVENT_LINK_UP || event == VPN_EVENT_LINK_DOWN)
		fprintf(stderr, "embed: the link of %s is %s\n", component,
			event == VPN_EVENT_LINK_UP ? "up" : "down");
	else if (event == VPN_EVENT_MTU)
		fprintf(stderr, "embed: %s: the MTU is %llu now\n", component,
			(unsigned long long)value);
}

static void on_log(void *ctx, uint32_t level, const char *component, const char *text)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	(void)ctx;
	fprintf(stderr, "embed: %s: %s%s%s\n", names[level], component,
		component[0] != '\0' ? ": " : "", text);
}

static void print_counters(void *ctx, const char *text)
{
	(void)ctx;
	puts(text);
}

static void say(const char *what, const struct vpn_error *err)
{
	bool os = err->os_errno != 0;
	fprintf(stderr, "embed: %s: %s%s%s%s%s%s\n", what, err->where, err->where[0] ? ": " : "",
		err->text, os ? " (" : "", os ? strerror(err->os_errno) : "", os ? ")" : "");
}

/* The bytes that are waiting in the pipe. Returns whether one of them is an end. */
static bool handle(struct vpncore_pipeline *p)
{
	char bytes[64];
	bool end = false;
	ssize_t n = read(wake[0], bytes, sizeof(bytes));
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == 'u')
			vpncore_pipeline_counters(p, print_counters, NULL);
		else
			end = true;
	}
	fflush(stdout);
	return end;
}

/* The loop of your program: the pipeline's descriptor is one of those that it waits for. */
static void loop(struct vpncore_pipeline *p)
{
	struct pollfd fds[] = {{.fd = wake[0], .events = POLLIN},
			       {.fd = vpncore_pipeline_fd(p), .events = POLLIN}};
	for (;;) {
		vpncore_pipeline_dispatch(p);
		int n = poll(fds, 2, vpncore_pipeline_timeout_ms(p));
		if (n < 0 && errno != EINTR)
			return;
		if (n > 0 && fds[0].revents != 0 && handle(p))
			return;
	}
}

/* From start to stop. Returns the exit status. */
static int run(struct vpncore_pipeline *p)
{
	struct vpn_error err = {.size = sizeof(err)};
	struct vpn_device_info device = {.size = sizeof(device)};
	if (vpncore_pipeline_start(p, &err) != VPN_OK) {
		say("start", &err);
		return 1;
	}
	if (vpncore_pipeline_device(p, &device) == VPN_OK)
		printf("%s is up, MTU %u\n", device.name, (unsigned)device.mtu);
	fflush(stdout);
	loop(p);
	int status = 0;
	if (vpncore_pipeline_error(p, &err) != VPN_OK) {
		say("failed", &err);
		status = 1;
	}
	if (vpncore_pipeline_stop(p, &err) != VPN_OK) {
		say("stop", &err); /* it is down; something of what it changed is still there */
		status = 1;
	}
	vpncore_pipeline_counters(p, print_counters, NULL);
	return status;
}

/* Not by stdio, whose buffer would keep the keys. Bytes, or -1. */
static ssize_t read_manifest(char *text)
{
	size_t len = 0;
	ssize_t n = 1;
	while (n > 0 && len < MANIFEST_MAX) {
		n = read(STDIN_FILENO, text + len, MANIFEST_MAX - len);
		len += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? -1 : (ssize_t)len;
}

static bool prepare(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	if (pipe(wake) != 0)
		return false;
	for (int i = 0; i < 2; i++) {
		fcntl(wake[i], F_SETFD, FD_CLOEXEC);
		fcntl(wake[i], F_SETFL, O_NONBLOCK);
	}
	return sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0 &&
	       sigaction(SIGUSR1, &action, NULL) == 0;
}

int main(void)
{
	const struct vpncore_callbacks callbacks = {.size = sizeof(callbacks),
						    .problem = on_problem,
						    .failed = on_failed,
						    .event = on_event,
						    .log = on_log};
	struct vpn_error err = {.size = sizeof(err)};
	struct vpncore_pipeline *p;
	char *text = malloc(MANIFEST_MAX);
	ssize_t len = text != NULL && prepare() ? read_manifest(text) : -1;
	if (len < 0) {
		perror("embed");
		free(text);
		return 1;
	}
	int status = vpncore_pipeline_load(&p, "standard input", text, (size_t)len, &callbacks,
					   &err);
	explicit_bzero(text, MANIFEST_MAX); /* there may be keys in it */
	free(text);
	if (status != VPN_OK) {
		say("manifest", &err);
		return status == VPN_EINVAL ? 2 : 1;
	}
	status = run(p);
	vpncore_pipeline_free(p);
	return status;
}
