/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handshake_flood: how many handshakes a second a WireGuard responder accepts, in a closed loop: a window
 * of initiations is under way, and each answer lets the next one go.
 *
 *	bench_handshakes keys N
 *		prints the public keys of N initiators, which the responder has to have as peers
 *	bench_handshakes flood N WINDOW SECONDS ADDRESS PORT PUBLIC_KEY
 *		sends to the responder with that key (base64) and prints a line of JSON
 *
 * Every initiator has a socket, and so a port, of its own. They take turns, so that each comes again only
 * after all others: a responder takes 50 initiations a second of one peer. A window below 128 keeps
 * wireguard-go, Linux and us out of the state "under load"; a responder that answers with a cookie gets it
 * back in the next initiation. All initiations are made beforehand: while the clock runs this program only
 * adds the MACs, so that it takes little of the processor that it shares with the responder. An answer is
 * accepted when its index and its mac1 are right; a few handshakes before the clock starts are opened
 * completely.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "blake2s.h"
#include "cookie.h"
#include "noise.h"

#define PEERS_MAX   10000u
#define WINDOW_MAX  127u
#define SECONDS_MAX 60u
#define PROBES      8u /* handshakes that are opened completely */
#define PROBE_TRIES 10
#define RATE_MAX    15000u       /* initiations made beforehand for each second */
#define LOST_AFTER  WG_SECOND    /* without an answer */
#define APART       (50 * WG_MS) /* the timestamps of one initiator's messages */

struct initiator {
	struct wg_identity id;
	struct wg_noise noise;
	struct wg_cookie_maker maker;
	struct wg_cookie_checker checker;
	int fd;
};

/* What a responder may send. */
union answer {
	uint8_t type;
	struct wg_msg_response response;
	struct wg_msg_cookie cookie;
	uint8_t bytes[2048];
};

/* A place in the window. */
struct slot {
	bool busy;
	uint32_t message;
	uint64_t sent_ns;
};

struct flood {
	struct initiator *initiators;
	uint32_t n, window;
	uint64_t duration_ns;
	uint8_t responder[WG_KEY_LEN];
	int epoll;
	struct wg_msg_initiation *messages; /* number k is initiator k % n's; its index is k + 1 */
	uint32_t n_messages, next;
	struct slot slots[WINDOW_MAX];
	uint64_t accepted, cookies, lost, wrong;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * WG_SECOND + (uint64_t)t.tv_nsec;
}

static uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Initiator i always has the same key: nothing has to be kept between the two uses of the program. */
static void derive_identity(struct wg_identity *id, uint32_t i)
{
	static const char label[] = "handshake_flood";
	uint8_t number[4], key[WG_HASH_LEN];
	wg_store_le32(number, i);
	wg_hash(key, label, sizeof(label), number, sizeof(number));
	wg_identity_set(id, key);
}

static int print_keys(uint32_t n)
{
	char text[sodium_base64_ENCODED_LEN(WG_KEY_LEN, sodium_base64_VARIANT_ORIGINAL)];
	for (uint32_t i = 0; i < n; i++) {
		struct wg_identity id;
		derive_identity(&id, i);
		puts(sodium_bin2base64(text, sizeof(text), id.public_key, WG_KEY_LEN,
				       sodium_base64_VARIANT_ORIGINAL));
	}
	return 0;
}

/* ---- before the clock runs ---- */

static bool open_socket(struct flood *f, uint32_t i, const struct sockaddr_in *to)
{
	struct initiator *in = &f->initiators[i];
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
	in->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return in->fd >= 0 && connect(in->fd, (const struct sockaddr *)to, sizeof(*to)) == 0 &&
	       epoll_ctl(f->epoll, EPOLL_CTL_ADD, in->fd, &event) == 0;
}

static bool open_initiators(struct flood *f, const struct sockaddr_in *to)
{
	for (uint32_t i = 0; i < f->n; i++) {
		struct initiator *in = &f->initiators[i];
		derive_identity(&in->id, i);
		wg_noise_init(&in->noise, &in->id, f->responder, NULL);
		wg_cookie_maker_init(&in->maker, f->responder);
		wg_cookie_checker_init(&in->checker, in->id.public_key);
		if (!open_socket(f, i, to)) {
			fprintf(stderr, "bench_handshakes: socket %u: %s\n", i, strerror(errno));
			return false;
		}
	}
	return true;
}

static bool make_message(struct initiator *in, uint32_t index, uint64_t wall_ns,
			 struct wg_msg_initiation *msg)
{
	uint8_t ephemeral[WG_KEY_LEN], timestamp[WG_TIMESTAMP_LEN];
	randombytes_buf(ephemeral, sizeof(ephemeral));
	wg_timestamp(timestamp, wall_ns);
	return wg_noise_create_initiation(&in->noise, &in->id, ephemeral, timestamp, index, msg);
}

static bool send_message(struct initiator *in, struct wg_msg_initiation *msg)
{
	wg_cookie_add_macs(&in->maker, msg, sizeof(*msg), now_ns());
	return send(in->fd, msg, sizeof(*msg), 0) == (ssize_t)sizeof(*msg);
}

/* One whole handshake. A responder that is still under load from before answers with a cookie first, or
 * not at all; then it is asked once more. */
static bool probe(struct initiator *in)
{
	struct wg_msg_initiation msg;
	union answer answer;
	struct pollfd readable = {.fd = in->fd, .events = POLLIN};
	for (int i = 0; i < PROBE_TRIES; i++) {
		if (!make_message(in, 1, clock_ns(CLOCK_REALTIME), &msg) || !send_message(in, &msg))
			return false;
		if (poll(&readable, 1, 1000) != 1)
			continue;
		ssize_t len = recv(in->fd, &answer, sizeof(answer), 0);
		if (len == (ssize_t)sizeof(answer.response))
			return wg_noise_consume_response(&in->noise, &in->id, &answer.response) ==
			       WG_NOISE_OK;
		if (len != (ssize_t)sizeof(answer.cookie) ||
		    !wg_cookie_consume(&in->maker, &answer.cookie, now_ns()))
			return false;
	}
	return false;
}

/* The messages' timestamps begin after those of the probes. */
static bool prepare(struct flood *f)
{
	for (uint32_t i = 0; i < f->n && i < PROBES; i++) {
		if (!probe(&f->initiators[i])) {
			fprintf(stderr, "bench_handshakes: initiator %u has got no handshake\n", i);
			return false;
		}
	}
	uint64_t wall_ns = clock_ns(CLOCK_REALTIME);
	for (uint32_t k = 0; k < f->n_messages; k++) {
		struct initiator *in = &f->initiators[k % f->n];
		if (!make_message(in, k + 1, wall_ns + (1 + k / f->n) * APART, &f->messages[k]))
			return false;
	}
	return true;
}

/* ---- while it runs ---- */

/* The next message goes into the slot, or nothing when there is none. */
static void fill(struct flood *f, struct slot *s)
{
	s->busy = f->next < f->n_messages;
	if (!s->busy)
		return;
	s->message = f->next++;
	s->sent_ns = now_ns();
	/* A failure to send is a loss like any other: the slot waits for LOST_AFTER. */
	send_message(&f->initiators[s->message % f->n], &f->messages[s->message]);
}

static struct slot *find_slot(struct flood *f, uint32_t index)
{
	for (uint32_t i = 0; i < f->window; i++)
		if (f->slots[i].busy && f->slots[i].message + 1 == index)
			return &f->slots[i];
	return NULL;
}

static void take_response(struct flood *f, struct initiator *in, const struct wg_msg_response *msg)
{
	struct slot *s = find_slot(f, wg_load_le32(msg->receiver));
	if (s == NULL || &f->initiators[s->message % f->n] != in ||
	    wg_cookie_check(&in->checker, msg, sizeof(*msg), NULL, now_ns(), false) ==
		    WG_COOKIE_BAD_MAC1) {
		f->wrong++;
		return;
	}
	f->accepted++;
	fill(f, s);
}

/* The same initiation, which has not been looked at, goes once more with the cookie. */
static void take_cookie(struct flood *f, struct initiator *in, const struct wg_msg_cookie *msg)
{
	struct slot *s = find_slot(f, wg_load_le32(msg->receiver));
	if (s == NULL || &f->initiators[s->message % f->n] != in ||
	    !wg_cookie_consume(&in->maker, msg, now_ns())) {
		f->wrong++;
		return;
	}
	f->cookies++;
	s->sent_ns = now_ns();
	send_message(in, &f->messages[s->message]);
}

static void receive(struct flood *f, struct initiator *in)
{
	union answer msg;
	ssize_t len = recv(in->fd, &msg, sizeof(msg), 0);
	if (len == (ssize_t)sizeof(msg.response) && msg.type == WG_TYPE_RESPONSE)
		take_response(f, in, &msg.response);
	else if (len == (ssize_t)sizeof(msg.cookie) && msg.type == WG_TYPE_COOKIE)
		take_cookie(f, in, &msg.cookie);
}

/* Gives up what has not been answered. False: nothing is under way any more. */
static bool expire(struct flood *f, uint64_t now)
{
	bool any = false;
	for (uint32_t i = 0; i < f->window; i++) {
		struct slot *s = &f->slots[i];
		if (s->busy && now - s->sent_ns > LOST_AFTER) {
			f->lost++;
			fill(f, s);
		}
		any |= s->busy;
	}
	return any;
}

/* What the clock showed, and what this program took of the processors meanwhile, in ns. */
struct took {
	uint64_t time, cpu;
};

static struct took run(struct flood *f)
{
	uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct epoll_event events[WINDOW_MAX];
	uint64_t begin = now_ns(), now = begin, looked = begin;
	for (uint32_t i = 0; i < f->window; i++)
		fill(f, &f->slots[i]);
	while (now - begin < f->duration_ns) {
		int n = epoll_wait(f->epoll, events, WINDOW_MAX, 100);
		for (int i = 0; i < n; i++)
			receive(f, &f->initiators[events[i].data.u32]);
		now = now_ns();
		if (now - looked < 100 * WG_MS)
			continue;
		looked = now;
		if (!expire(f, now))
			break; /* faster than was thought possible: all messages are used up */
	}
	return (struct took){now - begin, clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu};
}

static void report(const struct flood *f, struct took took)
{
	double seconds = (double)took.time / (double)WG_SECOND;
	printf("{\"accepted_per_second\": %.1f, \"seconds\": %.3f, \"cpu_seconds\": %.3f, "
	       "\"accepted\": %llu, "
	       "\"cookies\": %llu, \"lost\": %llu, \"wrong\": %llu}\n",
	       (double)f->accepted / seconds, seconds, (double)took.cpu / (double)WG_SECOND,
	       (unsigned long long)f->accepted, (unsigned long long)f->cookies,
	       (unsigned long long)f->lost, (unsigned long long)f->wrong);
}

/* ---- */

static bool allocate(struct flood *f)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	f->n_messages = (uint32_t)(f->duration_ns / WG_SECOND) * RATE_MAX;
	f->initiators = calloc(f->n, sizeof(*f->initiators));
	f->messages = calloc(f->n_messages, sizeof(*f->messages));
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	return f->initiators != NULL && f->messages != NULL && f->epoll >= 0;
}

static int flood(struct flood *f, const struct sockaddr_in *to)
{
	int status = 1;
	if (!allocate(f))
		perror("bench_handshakes");
	else if (open_initiators(f, to) && prepare(f)) {
		report(f, run(f));
		status = 0;
	}
	free(f->messages);
	free(f->initiators);
	return status;
}

/* A number from 1 to max, or 0. */
static uint32_t number(const char *text, uint32_t max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	return *end == '\0' && n >= 1 && n <= max ? (uint32_t)n : 0;
}

static bool read_key(uint8_t key[WG_KEY_LEN], const char *text)
{
	size_t len = 0;
	return sodium_base642bin(key, WG_KEY_LEN, text, strlen(text), NULL, &len, NULL,
				 sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       len == WG_KEY_LEN;
}

static int usage(void)
{
	fprintf(stderr, "usage: bench_handshakes keys N\n"
			"       bench_handshakes flood N WINDOW SECONDS ADDRESS PORT PUBLIC_KEY\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct flood f = {.epoll = -1};
	struct sockaddr_in to = {.sin_family = AF_INET};
	if (sodium_init() < 0)
		return 1;
	f.n = argc > 2 ? number(argv[2], PEERS_MAX) : 0;
	if (argc == 3 && strcmp(argv[1], "keys") == 0 && f.n > 0)
		return print_keys(f.n);
	if (argc != 8 || strcmp(argv[1], "flood") != 0)
		return usage();
	f.window = number(argv[3], WINDOW_MAX);
	f.duration_ns = number(argv[4], SECONDS_MAX) * WG_SECOND;
	to.sin_port = htons((uint16_t)number(argv[6], 65535));
	if (f.n == 0 || f.window == 0 || f.window > f.n || f.duration_ns == 0 || to.sin_port == 0 ||
	    inet_pton(AF_INET, argv[5], &to.sin_addr) != 1 || !read_key(f.responder, argv[7]))
		return usage();
	return flood(&f, &to);
}
