/* SPDX-License-Identifier: BSD-2-Clause */
#include "route.h"

#include <string.h>

#include "arq.h"
#include "flow.h"

#define SECOND    UINT64_C(1000000)
#define SILENT_US (1 * SECOND) /* an endpoint that was silent for so long may be another's now */
#define ALONE_US  (3 * SECOND) /* nobody has answered the session that we began */
#define SWEEP_US  (SECOND / 10)
#define OPENING   64u /* a conversation begins with one of its first segments */

static bool is_reliable(const struct kcp *k)
{
	return k->settings.reliability == KCP_RELIABLE;
}

uint32_t kcp_route_number(struct kcp *k)
{
	uint32_t number = is_reliable(k) ? k->settings.conv : 0;
	while (number == 0 ||
	       (k->settings.conv == 0 && kcp_sessions_number(&k->sessions, number) != NULL))
		k->host->random(k->host, &number, sizeof(number));
	return number;
}

static struct kcp_session *begin(struct kcp *k, const struct vpn_endpoint *endpoint,
				 uint32_t number, bool initiator, bool accepted)
{
	struct kcp_session *s = kcp_session_new(k, endpoint, number, initiator);
	if (s == NULL)
		return NULL;
	s->accepted = accepted;
	kcp_sessions_add(&k->sessions, s);
	kcp_count(k, KCP_SESSIONS_BEGUN, 1);
	return s;
}

/* ---- down ---- */

/* The stage above sends to where a session's peer seems to have moved. */
static struct kcp_session *follow(struct kcp *k, const struct vpn_endpoint *to)
{
	struct kcp_session *s = kcp_sessions_candidate(&k->sessions, to);
	if (s == NULL)
		return NULL;
	kcp_sessions_set_candidate(&k->sessions, s, NULL);
	kcp_sessions_set_endpoint(&k->sessions, s, to);
	kcp_count(k, KCP_ROAMED, 1);
	return s;
}

/* Whether the peer may have left a conversation of plain KCP, which has no word for that: we have begun it, it
 * had no data for so long that we have stopped asking, and the stage below knows the peer, so that the session
 * has stayed. Until we speak the peer may: it may have something to say in that conversation. */
static bool is_left(const struct kcp *k, const struct kcp_session *s)
{
	const struct kcp_settings *o = &k->settings;
	return is_reliable(k) && s->by_default && s->initiator && o->conv == 0 && o->idle_us != 0 &&
	       kcp_now_us(k) - s->data_us >= o->idle_us;
}

static struct kcp_session *begin_again(struct kcp *k, struct kcp_session *s,
				       enum kcp_count *ret_reason)
{
	kcp_count(k, KCP_SESSIONS_IDLE, 1);
	if (!kcp_session_renew(s, kcp_route_number(k))) {
		*ret_reason = KCP_DROP_NO_MEMORY;
		kcp_end_session(k, s, KCP_SESSION_CLOSED);
		return NULL;
	}
	kcp_count(k, KCP_SESSIONS_BEGUN, 1);
	return s;
}

static struct kcp_session *find_or_begin(struct kcp *k, const struct vpn_endpoint *to,
					 enum kcp_count *ret_reason)
{
	struct kcp_session *s;
	*ret_reason = KCP_DROP_NO_SESSION;
	k->above_chooses |= to != NULL;
	if (to == NULL) {
		s = kcp_sessions_primary(&k->sessions);
		if (s != NULL || !k->below_chooses)
			return s;
		*ret_reason = KCP_DROP_NO_MEMORY;
		return begin(k, NULL, kcp_route_number(k), true, false);
	}
	s = kcp_sessions_find(&k->sessions, to);
	if (s == NULL)
		s = follow(k, to);
	if (s != NULL) {
		if (!s->by_default)
			s->endpoint = *to; /* its local part may be another one */
		return s;
	}
	if (!kcp_sessions_has_room(&k->sessions, k->settings.accept, false))
		return NULL;
	*ret_reason = KCP_DROP_NO_MEMORY;
	return begin(k, to, kcp_route_number(k), true, false);
}

struct kcp_session *kcp_route_down(struct kcp *k, const struct vpn_endpoint *to,
				   enum kcp_count *ret_reason)
{
	struct kcp_session *s = find_or_begin(k, to, ret_reason);
	return s != NULL && is_left(k, s) ? begin_again(k, s, ret_reason) : s;
}

/* ---- up: who may begin ---- */

/* Ends the session that has never been answered and was silent longest, if there is one. */
static bool make_room(struct kcp *k)
{
	struct kcp_session *worst = NULL;
	uint64_t now = kcp_now_us(k);
	if (now - k->swept_us < SWEEP_US)
		return false;
	k->swept_us = now;
	for (struct kcp_session *s = k->sessions.first; s != NULL; s = s->after) {
		if (!s->accepted || s->proven || kcp_session_silence(s) < SILENT_US)
			continue;
		if (worst == NULL || kcp_session_silence(s) > kcp_session_silence(worst))
			worst = s;
	}
	if (worst == NULL)
		return false;
	kcp_end_session(k, worst, KCP_SESSION_IDLE);
	return true;
}

/* Begins a session that a peer asks for. NULL: not one more, counted. */
static struct kcp_session *admit(struct kcp *k, const struct vpn_endpoint *from, uint32_t number)
{
	struct kcp_session *s = NULL;
	bool accepted = !k->below_chooses && from != NULL;
	if (accepted && !kcp_sessions_has_room(&k->sessions, k->settings.accept, true) &&
	    (k->settings.accept == 0 || !make_room(k))) {
		kcp_count(k, KCP_DROP_ACCEPT, 1);
		return NULL;
	}
	s = begin(k, accepted ? from : NULL, number, false, accepted);
	if (s == NULL)
		kcp_count(k, KCP_DROP_NO_MEMORY, 1);
	return s;
}

/* The session that a peer at this endpoint has: the default one stands for all where below chooses. */
static struct kcp_session *of_endpoint(struct kcp *k, const struct vpn_endpoint *from)
{
	struct kcp_session *s = from != NULL ? kcp_sessions_find(&k->sessions, from) : NULL;
	return s != NULL ? s : k->sessions.by_default;
}

static void learn_from(struct kcp *k, struct kcp_session *s, const struct vpn_endpoint *from)
{
	if (from == NULL || memcmp(&s->from, from, sizeof(*from)) == 0)
		return;
	kcp_batch_push_up(k); /* what is there still bears the address before */
	kcp_sessions_set_from(&k->sessions, s, from);
	if (!s->by_default && kcp_endpoint_is_peer(&s->endpoint, from))
		s->endpoint = *from; /* the local part: answers leave where questions came in */
}

/* ---- up: the wire of KCP ---- */

/* Whether a datagram may be the beginning of a conversation. */
static bool is_opening(const struct kcp *k, const struct kcp_arq_peek *first)
{
	if (k->settings.conv != 0 && first->conv != k->settings.conv)
		return false;
	if (first->una != 0)
		return false;
	return first->cmd == KCP_CMD_WASK || (first->cmd == KCP_CMD_PUSH && first->sn < OPENING);
}

/* Whether a peer that was heard before leaves a question unanswered. Silence alone says nothing of a tunnel
 * that nobody uses: then it is asked, and who begins anew comes again. */
static bool is_deaf(struct kcp *k, struct kcp_session *s)
{
	struct kcp_engine_state state;
	if (kcp_session_silence(s) < SILENT_US)
		return false;
	k->ops->state(s->engine, &state);
	if (state.unheard_us == 0) {
		k->ops->probe(s->engine, kcp_now_us(k));
		kcp_sessions_touch(&k->sessions, s);
		return false;
	}
	uint64_t since = state.unheard_us > s->heard_us ? state.unheard_us : s->heard_us;
	return kcp_now_us(k) - since >= SILENT_US;
}

/* Another conversation from an endpoint that has one. */
static bool may_replace(struct kcp *k, struct kcp_session *s, const struct kcp_arq_peek *first)
{
	if (k->settings.conv != 0)
		return false;
	if (s->heard_us != 0)
		return is_deaf(k, s);
	/* both have begun at once: the larger number stays, unless the other one never yields */
	return first->conv > s->number || kcp_session_silence(s) >= ALONE_US;
}

static struct kcp_session *replace(struct kcp *k, struct kcp_session *s, uint32_t conv)
{
	s->initiator = false;
	if (s->heard_us == 0) {
		/* nobody has taken what we said: it goes again, in the peer's conversation */
		kcp_arq_renumber(s->engine, conv);
		kcp_sessions_set_number(&k->sessions, s, conv);
		return s;
	}
	if (!kcp_session_renew(s, conv)) {
		kcp_count(k, KCP_DROP_NO_MEMORY, 1);
		kcp_end_session(k, s, KCP_SESSION_CLOSED);
		return NULL;
	}
	kcp_count(k, KCP_PEER_RESTARTS, 1);
	return s;
}

/* The first segment of a packet, behind a FEC header if there is one. False: it has none to see. */
static bool peek(const struct vpn_packet *p, struct kcp_arq_peek *out, const uint8_t **ret_data,
		 uint32_t *ret_len)
{
	uint32_t skip = kcp_fec_type(vpn_packet_data(p), p->len) == KCP_FEC_DATA ? KCP_FEC_HEADER
										 : 0;
	*ret_data = vpn_packet_data(p) + skip;
	*ret_len = p->len - skip;
	return kcp_arq_peek(*ret_data, *ret_len, out);
}

static struct kcp_session *refuse(struct kcp *k, struct vpn_packet *p, enum kcp_count reason)
{
	kcp_drop(k, p, reason);
	return NULL;
}

static struct kcp_session *route_kcp(struct kcp *k, struct vpn_packet *p)
{
	const struct vpn_endpoint *from = p->endpoint;
	struct kcp_session *s = of_endpoint(k, from);
	struct kcp_arq_peek first;
	const uint8_t *data;
	uint32_t len;
	if (!peek(p, &first, &data, &len)) {
		/* parity belongs to who has the endpoint; the engine says what is wrong with others */
		if (s != NULL)
			return s;
		if (kcp_fec_type(vpn_packet_data(p), p->len) != KCP_FEC_NOT)
			return refuse(k, p, KCP_DROP_FEC); /* parity that overtook all data */
		return refuse(k, p, p->len < KCP_SEGMENT_BYTES ? KCP_DROP_SHORT : KCP_DROP_COMMAND);
	}
	if (s != NULL && s->number == first.conv)
		return s;
	if (s == NULL && from != NULL) {
		struct kcp_session *moved = kcp_sessions_number(&k->sessions, first.conv);
		if (moved != NULL && kcp_arq_fits(moved->engine, data, len))
			return moved;
	}
	if (!is_opening(k, &first) || (s != NULL && !may_replace(k, s, &first)))
		return refuse(k, p, KCP_DROP_CONV);
	s = s != NULL ? replace(k, s, first.conv) : admit(k, from, first.conv);
	if (s == NULL)
		k->host->release(k->lane, &p, 1);
	return s;
}

/* ---- up: our own wire ---- */

/* Sends one of the door's datagrams back to where p came from, in p itself. */
static void answer(struct kcp *k, struct vpn_packet *p, const uint8_t *data, uint32_t len)
{
	struct vpn_packet *out = NULL;
	if (k->host->alloc(k->lane, VPN_POOL_RX, &out, 1) != 1) {
		kcp_drop(k, p, KCP_DROP_NO_MEMORY);
		return;
	}
	memcpy(vpn_packet_data(out), data, len);
	out->len = len;
	kcp_batch_answer(k, out, k->below_chooses ? NULL : p->endpoint);
	k->host->release(k->lane, &p, 1);
}

static struct kcp_session *route_hello(struct kcp *k, struct vpn_packet *p)
{
	static const struct vpn_endpoint nobody;
	const struct vpn_endpoint *from = p->endpoint != NULL ? p->endpoint : &nobody;
	uint8_t reply[KCP_FRAME_HELLO_LEN];
	uint32_t len = 0;
	struct kcp_frame_hello hello;
	enum kcp_flow_verdict verdict = kcp_flow_door_hello(
		&k->door, from, vpn_packet_data(p), p->len, kcp_now_us(k), reply, &len, &hello);
	if (verdict == KCP_DOOR_IGNORE)
		return refuse(k, p, KCP_DROP_HELLO);
	if (verdict == KCP_DOOR_ANSWER) {
		answer(k, p, reply, len);
		return NULL;
	}
	struct kcp_session *s = of_endpoint(k, p->endpoint);
	if (s == NULL)
		s = admit(k, p->endpoint, kcp_route_number(k));
	if (s != NULL && kcp_flow_adopt(s->engine, &hello, kcp_now_us(k))) {
		s->heard_us = kcp_now_us(k);
		learn_from(k, s, p->endpoint);
		kcp_sessions_touch(&k->sessions, s);
	}
	k->host->release(k->lane, &p, 1);
	return NULL;
}

static struct kcp_session *route_stray(struct kcp *k, struct vpn_packet *p)
{
	uint8_t reply[KCP_FRAME_HELLO_LEN];
	uint32_t len = 0;
	enum kcp_flow_verdict verdict = kcp_flow_door_stray(&k->door, vpn_packet_data(p), p->len,
							    kcp_now_us(k), reply, &len);
	if (verdict != KCP_DOOR_ANSWER)
		return refuse(k, p, KCP_DROP_STRAY);
	kcp_count(k, KCP_DROP_STRAY, 1);
	answer(k, p, reply, len);
	return NULL;
}

static struct kcp_session *route_flow(struct kcp *k, struct vpn_packet *p)
{
	uint32_t number = 0;
	struct kcp_session *s;
	switch (kcp_flow_peek(vpn_packet_data(p), p->len, &number)) {
	case KCP_FLOW_HELLO:
		return route_hello(k, p);
	case KCP_FLOW_SESSION:
		s = kcp_sessions_number(&k->sessions, number);
		return s != NULL ? s : route_stray(k, p);
	case KCP_FLOW_RESET:
		s = of_endpoint(k, p->endpoint);
		return s != NULL ? s : refuse(k, p, KCP_DROP_STRAY);
	default:
		return refuse(k, p, KCP_DROP_FRAME);
	}
}

struct kcp_session *kcp_route_up(struct kcp *k, struct vpn_packet *p,
				 struct kcp_route_before *before)
{
	struct kcp_session *s = is_reliable(k) ? route_kcp(k, p) : route_flow(k, p);
	if (s == NULL)
		return NULL;
	*before = (struct kcp_route_before){s->from, s->endpoint};
	learn_from(k, s, p->endpoint);
	return s;
}

void kcp_route_refused(struct kcp *k, struct kcp_session *s, const struct kcp_route_before *before)
{
	if (s->is_gone || before->from.family == VPN_AF_NONE)
		return;
	if (!s->by_default && kcp_endpoint_is_peer(&s->endpoint, &before->endpoint))
		s->endpoint = before->endpoint;
	learn_from(k, s, &before->from);
}

/* Where nobody above would move it, the session follows when its old place has been silent. */
void kcp_route_heard(struct kcp *k, struct kcp_session *s, const struct vpn_endpoint *from)
{
	s->heard_us = kcp_now_us(k);
	if (from == NULL || s->by_default || s->is_gone)
		return;
	if (kcp_endpoint_is_peer(&s->endpoint, from)) {
		s->here_us = s->heard_us;
		return;
	}
	if (k->above_chooses || s->heard_us - s->here_us < SILENT_US) {
		kcp_sessions_set_candidate(&k->sessions, s, from);
		return;
	}
	kcp_sessions_set_candidate(&k->sessions, s, NULL);
	kcp_sessions_set_endpoint(&k->sessions, s, from);
	s->here_us = s->heard_us;
	kcp_count(k, KCP_ROAMED, 1);
}
