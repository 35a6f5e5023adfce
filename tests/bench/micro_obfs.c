/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * micro_obfs: what the modes of the obfs transport cost for a batch of WireGuard's data messages, sealed and
 * opened in place. A new mode is a row of `setups`.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mode.h"
#include "stages.h"

#define PACKETS 64u
#define ROOM    512u /* in front of and behind a message */
#define LONGEST 1460u
#define HEADER  16u /* of a data message: type, receiver, counter */

static const uint8_t key[32] = {1, 2, 3};

static const struct obfs_options setups[] = {
	{.mode = OBFS_SALAMANDER, .key = {.data = key, .len = sizeof(key)}},
	{.mode = OBFS_VEIL, .key = {.data = key, .len = sizeof(key)}},
};

struct fixture {
	const struct obfs_mode *mode;
	struct vpn_host host;
	struct vpn_lane lane;
	struct obfs_lane sides[2]; /* one seals, the other opens: a mode may refuse its own */
	uint64_t counters[OBFS_N_COUNTS];
	uint32_t len;
	uint64_t round; /* makes messages differ, for modes that refuse what comes again */
	struct vpn_packet packets[PACKETS], *pkts[PACKETS];
	uint8_t fates[PACKETS];
	uint8_t slots[PACKETS][LONGEST + 2 * ROOM];
};

static void host_random(const struct vpn_host *host, void *buf, size_t len)
{
	(void)host;
	randombytes_buf(buf, len);
}

static uint64_t host_wall(const struct vpn_host *host)
{
	struct timespec now;
	(void)host;
	timespec_get(&now, TIME_UTC);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static uint64_t host_now(const struct vpn_host *host)
{
	(void)host;
	return measure_now_ns();
}

static void host_log(const struct vpn_host *host, uint32_t level, const char *text)
{
	(void)host;
	(void)level;
	fprintf(stderr, "obfs: %s\n", text);
}

static void host_arm(struct vpn_lane *lane, uint64_t deadline_ns)
{
	(void)lane;
	(void)deadline_ns;
}

static uint8_t pattern(const struct fixture *f, uint32_t packet, uint32_t at)
{
	return (uint8_t)(packet * 7 + at * 31 + (at >> 8) * 3 + f->round * 13);
}

static void write_message(const struct fixture *f, uint32_t i, uint8_t *out)
{
	static const uint8_t type[4] = {4, 0, 0, 0};
	uint64_t counter = f->round * PACKETS + i;
	for (uint32_t k = 0; k < f->len; k++)
		out[k] = pattern(f, i, k);
	memcpy(out, type, sizeof(type));
	memcpy(out + 8, &counter, sizeof(counter));
}

static void fill(void *ctx)
{
	struct fixture *f = ctx;
	f->round++;
	for (uint32_t i = 0; i < PACKETS; i++) {
		f->packets[i] = (struct vpn_packet){
			.buf = f->slots[i], .cap = sizeof(f->slots[i]), .off = ROOM, .len = f->len};
		f->pkts[i] = &f->packets[i];
		write_message(f, i, vpn_packet_data(&f->packets[i]));
	}
	memset(f->fates, OBFS_PASS, sizeof(f->fates));
}

static uint32_t seal(void *ctx)
{
	struct fixture *f = ctx;
	f->mode->seal(&f->sides[0], f->pkts, PACKETS, f->fates);
	return PACKETS;
}

static uint32_t open_sealed(void *ctx)
{
	struct fixture *f = ctx;
	f->mode->open(&f->sides[1], f->pkts, PACKETS, f->fates);
	return PACKETS;
}

static void seal_again(void *ctx)
{
	fill(ctx);
	seal(ctx);
}

/* All of them are as they were before they were sealed. */
static bool is_open(void *ctx)
{
	struct fixture *f = ctx;
	uint8_t message[LONGEST];
	for (uint32_t i = 0; i < PACKETS; i++) {
		write_message(f, i, message);
		if (f->fates[i] != OBFS_PASS || f->packets[i].len != f->len ||
		    memcmp(vpn_packet_data(&f->packets[i]), message, f->len) != 0)
			return false;
	}
	return true;
}

static bool check_sealing(void *ctx)
{
	seal_again(ctx);
	if (is_open(ctx))
		return false;
	open_sealed(ctx);
	return is_open(ctx);
}

static void measure(struct measure *m, struct fixture *f)
{
	static const uint32_t lens[] = {96, 512, 1452}; /* of messages */
	for (uint32_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		f->len = lens[i];
		measure_run(m, &(struct measure_case){.stage = "obfs-seal",
						      .variant = f->mode->name,
						      .bytes = f->len,
						      .work = seal,
						      .prepare = fill,
						      .check = check_sealing,
						      .ctx = f});
		measure_run(m, &(struct measure_case){.stage = "obfs-open",
						      .variant = f->mode->name,
						      .bytes = f->len,
						      .work = open_sealed,
						      .prepare = seal_again,
						      .check = is_open,
						      .ctx = f});
	}
}

static void start(struct fixture *f, struct obfs_lane *l, const struct obfs_options *o)
{
	struct vpn_error err = {.size = sizeof(err)};
	*l = (struct obfs_lane){.host = &f->host, .lane = &f->lane};
	obfs_random_init(&l->random, &f->host);
	if (f->mode->create(&f->host, o, &l->mode, &err) != VPN_OK) {
		fprintf(stderr, "%s: %s\n", f->mode->name, err.text);
		abort();
	}
	if (f->mode->lane_size != 0 && (l->own = calloc(1, f->mode->lane_size)) == NULL)
		abort();
	if (f->mode->lane_start != NULL)
		f->mode->lane_start(l);
}

static void set_up(struct fixture *f, const struct obfs_options *o)
{
	f->mode = obfs_modes[o->mode];
	f->host = (struct vpn_host){.size = sizeof(f->host),
				    .n_lanes = 1,
				    .log_level = VPN_LOG_WARN,
				    .mtu_above = LONGEST,
				    .mtu_below = LONGEST + ROOM,
				    .flags = VPN_L3,
				    .name = "obfs",
				    .log = host_log,
				    .now_ns = host_now,
				    .wall_ns = host_wall,
				    .random = host_random,
				    .arm = host_arm,
				    .above = "wireguard"};
	f->lane = (struct vpn_lane){.size = sizeof(f->lane),
				    .counters = f->counters,
				    .now_ns = measure_now_ns(),
				    .max_batch = PACKETS};
	start(f, &f->sides[0], o);
	start(f, &f->sides[1], o);
}

static void clear(struct fixture *f)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct obfs_lane *l = &f->sides[i];
		if (f->mode->lane_stop != NULL)
			f->mode->lane_stop(l);
		free(l->own);
		f->mode->destroy(l->mode);
	}
}

void stages_obfs(struct measure *m)
{
	struct fixture *f;
	if (!measure_wants(m, "obfs-seal") && !measure_wants(m, "obfs-open"))
		return;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		abort();
	for (uint32_t i = 0; i < sizeof(setups) / sizeof(setups[0]); i++) {
		set_up(f, &setups[i]);
		measure(m, f);
		clear(f);
	}
	free(f);
}
