/* SPDX-License-Identifier: BSD-2-Clause */
#include "mimic_session.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "veil_replay.h"

#define NS_PER_MS UINT64_C(1000000)

/* RFC 6347 section 4.2.4.1: a second, and twice as long each time. Given up after six tries. */
#define FIRST_TRY_NS UINT64_C(1000000000)
#define TRIES        6u
/* For so long the first answer to a hello is given again; then it is a replay like any other. */
#define AGAIN_NS UINT64_C(10000000000)
/* A client's last flight may be lost: what waits for it goes out by then. */
#define FINISH_NS UINT64_C(3000000000)
/* WireGuard takes a peer for lost that has been silent for so long (whitepaper section 6.5:
 * KEEPALIVE_TIMEOUT and REKEY_TIMEOUT). */
#define SILENT_NS UINT64_C(15000000000)
/* As in veil_packet.c: clocks differ, so a little of what was before our start is heard. */
#define START_GRACE_MS 2000u

struct mimic_session {
	pthread_mutex_t lock;
	enum mimic_claim claim;
	struct mimic_keys keys;
	uint64_t sender; /* of all our hellos */
	uint64_t hellos; /* that we have made */
	struct veil_replay *replay;
	struct mimic_peers *peers;
};

/* ---- life ---- */

struct mimic_session *mimic_session_new(const struct mimic_session_setup *setup)
{
	const struct vpn_host *host = setup->host;
	struct mimic_session *s = calloc(1, sizeof(*s));
	uint64_t now = host->wall_ns(host) / NS_PER_MS;
	uint8_t seed[16];
	if (s == NULL)
		return NULL;
	if (pthread_mutex_init(&s->lock, NULL) != 0) {
		free(s);
		return NULL;
	}
	host->random(host, seed, sizeof(seed));
	host->random(host, &s->sender, sizeof(s->sender));
	s->claim = setup->claim;
	s->peers = mimic_peers_new(seed);
	s->replay = veil_replay_new(VEIL_REPLAY_SENDERS, setup->window_ms,
				    now > START_GRACE_MS ? now - START_GRACE_MS : 0);
	if (s->peers == NULL || s->replay == NULL)
		return mimic_session_free(s);
	mimic_hello_derive(setup->root, &s->keys);
	return s;
}

struct mimic_session *mimic_session_free(struct mimic_session *s)
{
	if (s == NULL)
		return NULL;
	mimic_peers_free(s->peers);
	veil_replay_free(s->replay);
	pthread_mutex_destroy(&s->lock);
	sodium_memzero(s, sizeof(*s));
	free(s);
	return NULL;
}

void mimic_session_lock(struct mimic_session *s)
{
	pthread_mutex_lock(&s->lock);
}

void mimic_session_unlock(struct mimic_session *s)
{
	pthread_mutex_unlock(&s->lock);
}

/* ---- flights ---- */

/* An empty packet for a flight, or NULL. */
static struct vpn_packet *blank(struct obfs_lane *l)
{
	struct vpn_packet *p;
	if (l->host->alloc(l->lane, VPN_POOL_TX, &p, 1) == 1)
		return p;
	obfs_count(l, OBFS_MIMIC_NO_PACKET, 1);
	return NULL;
}

static void emit(struct obfs_lane *l, struct vpn_packet *p, const struct vpn_endpoint *to)
{
	p->stamp_ns = l->lane->now_ns;
	obfs_count(l, OBFS_MIMIC_FLIGHTS, 1);
	obfs_emit(l, p, to != NULL && to->family != VPN_AF_NONE ? to : NULL);
}

static void greet(struct mimic_session *s, struct obfs_lane *l, struct mimic_peer *peer)
{
	struct mimic_greeting g = {.sender = s->sender,
				   .number = s->hellos++,
				   .time_ms = l->host->wall_ns(l->host) / NS_PER_MS};
	struct vpn_packet *p = blank(l);
	peer->due_ns = l->lane->now_ns + (FIRST_TRY_NS << peer->attempts);
	/* A client's second try is the same message again (RFC 6347 section 4.2.4). */
	if (peer->attempts == 0)
		mimic_hello_make(&s->keys, &l->random, &g, peer->hello);
	if (p != NULL) {
		p->len = mimic_dtls_client_hello(vpn_packet_data(p), peer->hello, peer->attempts);
		emit(l, p, &peer->endpoint);
	}
	peer->attempts++;
}

static void begin(struct mimic_session *s, struct obfs_lane *l, struct mimic_peer *peer)
{
	peer->state = MIMIC_GREETING;
	peer->since_ns = l->lane->now_ns;
	peer->attempts = 0;
	greet(s, l, peer);
}

static void ready(struct obfs_lane *l, struct mimic_peer *peer)
{
	peer->state = MIMIC_READY;
	peer->number = 1; /* Finished was the first record of the epoch */
	peer->since_ns = l->lane->now_ns;
	peer->heard_ns = l->lane->now_ns;
	mimic_rtp_init(&peer->rtp, &l->random);
}

static void answer(struct mimic_session *s, struct obfs_lane *l, struct mimic_peer *peer,
		   const struct vpn_endpoint *to)
{
	uint8_t finished[MIMIC_DTLS_FINISHED];
	struct vpn_packet *p = blank(l);
	if (p == NULL)
		return;
	mimic_hello_finish(&s->keys, MIMIC_SERVER, peer->hello, peer->random, finished);
	p->len = mimic_dtls_server_hello(vpn_packet_data(p), peer->random,
					 peer->hello + MIMIC_DTLS_RANDOM, finished);
	emit(l, p, to);
}

/* ---- down ---- */

struct mimic_peer *mimic_session_to(struct mimic_session *s, struct obfs_lane *l,
				    const struct vpn_endpoint *endpoint, bool initiation)
{
	struct mimic_peer *peer = mimic_peers_get(s->peers, endpoint);
	bool silent = initiation && l->lane->now_ns - peer->heard_ns > SILENT_NS;
	if (endpoint != NULL) /* the same, but our own address and device may be others by now */
		peer->endpoint = *endpoint;
	if (s->claim == MIMIC_SRTP) {
		if (peer->state == MIMIC_NEW)
			ready(l, peer);
		return peer;
	}
	if (peer->state == MIMIC_NEW ||
	    (peer->state == MIMIC_READY && (silent || peer->number > MIMIC_DTLS_LAST)))
		begin(s, l, peer);
	return peer->state == MIMIC_READY ? peer : NULL;
}

enum mimic_state mimic_session_wait(struct mimic_session *s, struct obfs_lane *l,
				    const struct vpn_endpoint *endpoint)
{
	struct mimic_peer *peer = mimic_peers_find(s->peers, endpoint);
	uint64_t now = l->lane->now_ns;
	if (peer == NULL)
		return MIMIC_NEW;
	if (peer->state == MIMIC_ANSWERED && now - peer->since_ns >= FINISH_NS)
		ready(l, peer);
	if (peer->state != MIMIC_GREETING || now < peer->due_ns)
		return peer->state;
	if (peer->attempts >= TRIES) {
		mimic_peers_remove(s->peers, peer);
		return MIMIC_NEW;
	}
	greet(s, l, peer);
	return MIMIC_GREETING;
}

/* ---- up ---- */

/* Who sends from there; if we have never sent there, that may be whom the stage below chooses. */
static struct mimic_peer *from(struct mimic_session *s, const struct vpn_endpoint *endpoint)
{
	struct mimic_peer *peer = mimic_peers_find(s->peers, endpoint);
	return peer != NULL || endpoint == NULL ? peer : mimic_peers_find(s->peers, NULL);
}

void mimic_session_heard(struct mimic_session *s, struct obfs_lane *l,
			 const struct vpn_endpoint *endpoint, bool sealed)
{
	struct mimic_peer *peer = from(s, endpoint);
	if (peer == NULL && sealed)
		peer = mimic_peers_get(s->peers, endpoint);
	if (peer == NULL)
		return;
	if (sealed && peer->state != MIMIC_READY)
		ready(l, peer); /* it talks: whatever of the handshake was lost does not matter */
	peer->heard_ns = l->lane->now_ns;
}

static void whole_hello(const struct mimic_dtls_flight *f, uint8_t out[MIMIC_DTLS_HELLO])
{
	memcpy(out, f->random, MIMIC_DTLS_RANDOM);
	memcpy(out + MIMIC_DTLS_RANDOM, f->session, MIMIC_DTLS_SESSION);
}

static enum veil_verdict verdict(struct mimic_session *s, const struct mimic_greeting *g,
				 uint64_t now_ms)
{
	veil_replay_lock(s->replay);
	enum veil_verdict v = veil_replay_check(s->replay, g->sender, g->number, g->time_ms,
						now_ms);
	veil_replay_unlock(s->replay);
	return v;
}

static uint8_t client_hello(struct mimic_session *s, struct obfs_lane *l,
			    const struct mimic_dtls_flight *f, const struct vpn_endpoint *endpoint)
{
	uint8_t hello[MIMIC_DTLS_HELLO];
	struct mimic_greeting g;
	whole_hello(f, hello);
	if (!mimic_hello_open(&s->keys, hello, &g))
		return OBFS_DROP(OBFS_DROP_FOREIGN);
	if (g.sender == s->sender)
		return OBFS_DROP(OBFS_DROP_REFLECTED);
	struct mimic_peer *peer = from(s, endpoint);
	if (peer != NULL && peer->state == MIMIC_ANSWERED &&
	    l->lane->now_ns - peer->since_ns < AGAIN_NS &&
	    memcmp(peer->hello, hello, sizeof(hello)) == 0) {
		answer(s, l, peer, endpoint);
		return OBFS_CONSUMED;
	}
	switch (verdict(s, &g, l->host->wall_ns(l->host) / NS_PER_MS)) {
	case VEIL_STALE:
		return OBFS_DROP(OBFS_DROP_STALE);
	case VEIL_REPLAYED:
		return OBFS_DROP(OBFS_DROP_REPLAY);
	case VEIL_NEW:
		break;
	}
	/* Both have greeted at once: the lower hello goes on, and the other side knows that as well. */
	if (peer != NULL && peer->state == MIMIC_GREETING &&
	    memcmp(peer->hello, hello, sizeof(hello)) < 0)
		return OBFS_CONSUMED;
	if (peer == NULL)
		peer = mimic_peers_get(s->peers, endpoint);
	peer->state = MIMIC_ANSWERED;
	peer->since_ns = l->lane->now_ns;
	memcpy(peer->hello, hello, sizeof(hello));
	obfs_random_fill(&l->random, peer->random, sizeof(peer->random));
	answer(s, l, peer, endpoint);
	return OBFS_CONSUMED;
}

static bool is_finished(const struct mimic_session *s, enum mimic_side side,
			const uint8_t hello[MIMIC_DTLS_HELLO], const uint8_t *random,
			const uint8_t *finished)
{
	uint8_t expected[MIMIC_DTLS_FINISHED];
	mimic_hello_finish(&s->keys, side, hello, random, expected);
	return sodium_memcmp(expected, finished, sizeof(expected)) == 0;
}

/* Whose ServerHello this would be. It says which hello it answers, so it may come from elsewhere than that
 * went: from the first port of a range that udp hops over, or another address of the server. */
static struct mimic_peer *answered_by(struct mimic_session *s, const struct mimic_dtls_flight *f,
				      const struct vpn_endpoint *endpoint)
{
	struct mimic_peer *peer = from(s, endpoint);
	if (peer != NULL && peer->state == MIMIC_GREETING &&
	    memcmp(peer->hello + MIMIC_DTLS_RANDOM, f->session, MIMIC_DTLS_SESSION) == 0)
		return peer;
	return mimic_peers_greeted(s->peers, f->session);
}

static uint8_t server_hello(struct mimic_session *s, struct obfs_lane *l,
			    const struct mimic_dtls_flight *f, const struct vpn_endpoint *endpoint)
{
	struct mimic_peer *peer = answered_by(s, f, endpoint);
	uint8_t finished[MIMIC_DTLS_FINISHED];
	if (peer == NULL || !is_finished(s, MIMIC_SERVER, peer->hello, f->random, f->finished))
		return OBFS_DROP(OBFS_DROP_FOREIGN);
	memcpy(peer->random, f->random, sizeof(peer->random));
	struct vpn_packet *p = blank(l);
	if (p != NULL) {
		mimic_hello_finish(&s->keys, MIMIC_CLIENT, peer->hello, peer->random, finished);
		p->len = mimic_dtls_client_finished(vpn_packet_data(p), finished, peer->attempts);
		emit(l, p, &peer->endpoint);
	}
	ready(l, peer);
	return OBFS_CONSUMED;
}

static uint8_t client_finished(struct mimic_session *s, struct obfs_lane *l,
			       const struct mimic_dtls_flight *f,
			       const struct vpn_endpoint *endpoint)
{
	struct mimic_peer *peer = from(s, endpoint);
	if (peer == NULL || peer->state != MIMIC_ANSWERED ||
	    !is_finished(s, MIMIC_CLIENT, peer->hello, peer->random, f->finished))
		return OBFS_DROP(OBFS_DROP_FOREIGN);
	ready(l, peer);
	return OBFS_CONSUMED;
}

uint8_t mimic_session_handshake(struct mimic_session *s, struct obfs_lane *l,
				const struct vpn_packet *p)
{
	struct mimic_dtls_flight f;
	mimic_dtls_parse(vpn_packet_data(p), p->len, &f);
	switch (f.kind) {
	case MIMIC_DTLS_CLIENT_HELLO:
		return client_hello(s, l, &f, p->endpoint);
	case MIMIC_DTLS_SERVER_HELLO:
		return server_hello(s, l, &f, p->endpoint);
	case MIMIC_DTLS_CLIENT_FINISHED:
		return client_finished(s, l, &f, p->endpoint);
	case MIMIC_DTLS_OTHER:
		break;
	}
	return OBFS_DROP(OBFS_DROP_HEADER);
}
