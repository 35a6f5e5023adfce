/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_kcp_fec: what strangers may send to the receiver of kcp-go's FEC, between packets of a real sender.
 * An input is the sender's shape, the receiver's shape and its memory, then a row of steps: a byte that
 * says what, a byte of length, and so many bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "fec_decode.h"
#include "fec_encode.h"

#define PAYLOAD_MAX 300u
#define PACKET_MAX  (KCP_FEC_HEADER + PAYLOAD_MAX)
#define STEPS_MAX   2000u
#define PARITY_MAX  256u

enum step {
	STEP_RAW, /* a packet, as it is */
	STEP_SHAPED, /* likewise, but of a type and of a size that are right; seqid near the last one */
	STEP_DATA,    /* the sender's next packet, and parity; the bytes say what is lost or bent */
	STEP_RESTART, /* the sender begins anew with another shape */
	STEPS
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct kcp_fec_encoder *e;
	struct kcp_fec_decoder *d;
	uint32_t seqid; /* of the sender's last packet */
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void give(struct world *w, const uint8_t *packet, uint32_t len)
{
	struct kcp_fec_input in;
	uint8_t *exact = malloc(len + 1u);
	check(exact != NULL);
	memcpy(exact, packet, len);
	bool sound = kcp_fec_decode(w->d, exact, len, &in);
	check(sound || (in.n_recovered == 0 && in.payload == NULL));
	if (in.payload != NULL)
		check(in.payload == exact + KCP_FEC_HEADER && in.len == len - KCP_FEC_HEADER);
	for (uint32_t i = 0; i < in.n_recovered; i++) {
		uint8_t copy[PAYLOAD_MAX];
		uint32_t n;
		const uint8_t *p = kcp_fec_recovered(w->d, i, &n);
		check(n > 0 && n <= PAYLOAD_MAX);
		memcpy(copy, p, n);
	}
	free(exact);
}

static void shaped(struct world *w, uint8_t *packet, uint32_t len)
{
	if (len <= KCP_FEC_HEADER)
		return;
	uint32_t seqid = w->seqid + packet[0] - 128u;
	enum kcp_fec_type type = (enum kcp_fec_type)(KCP_FEC_DATA + packet[1] % 3);
	kcp_fec_store(packet, seqid, type, len - KCP_FEC_HEADER);
	give(w, packet, len);
}

/* A bit for each packet that says whether it gets lost, and one whether a byte of it is turned. */
static void sent(struct world *w, uint8_t *packet, uint32_t len, const uint8_t *how, uint32_t n,
		 uint32_t i)
{
	uint32_t bits = n > 0 ? how[i % n] : 0;
	memcpy(&w->seqid, packet, sizeof(w->seqid));
	if ((bits & 1u) != 0)
		return;
	if ((bits & 2u) != 0)
		packet[bits % len] ^= (uint8_t)bits;
	give(w, packet, len);
}

static void data(struct world *w, const uint8_t *how, uint32_t n)
{
	uint8_t packet[PACKET_MAX] = {0};
	uint32_t len = 1 + n * 7u % PAYLOAD_MAX;
	uint32_t n_parity = kcp_fec_encode(w->e, packet + KCP_FEC_HEADER, len, n);
	sent(w, packet, KCP_FEC_HEADER + len, how, n, 0);
	for (uint32_t i = 0; i < n_parity; i++) {
		kcp_fec_parity(w->e, i, packet);
		sent(w, packet, kcp_fec_parity_len(w->e), how, n, i + 1);
	}
}

static void restart(struct world *w, uint32_t n_data, uint32_t n_parity)
{
	kcp_fec_encoder_destroy(w->e);
	w->e = kcp_fec_encoder_create(1 + n_data % 40u, 1 + n_parity % 20u, PAYLOAD_MAX);
	check(w->e != NULL);
}

static void take_step(struct world *w, enum step step, uint8_t *b, uint32_t len)
{
	switch (step) {
	case STEP_RAW:
		give(w, b, len);
		break;
	case STEP_SHAPED:
		shaped(w, b, len);
		break;
	case STEP_RESTART:
		if (len >= 2)
			restart(w, b[0], b[1]);
		break;
	default:
		data(w, b, len);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct world w = {0};
	if (size < 5)
		return 0;
	restart(&w, input[0], input[1]);
	w.d = kcp_fec_decoder_create(input[2], input[3], PAYLOAD_MAX, input[4]);
	if (w.d == NULL)
		w.d = kcp_fec_decoder_create(0, 0, PAYLOAD_MAX, input[4]);
	check(w.d != NULL);
	input += 5;
	size -= 5;
	for (uint32_t i = 0; i < STEPS_MAX && size >= 2; i++) {
		uint8_t b[PACKET_MAX];
		uint32_t len = input[1];
		enum step step = (enum step)(input[0] % STEPS);
		input += 2;
		size -= 2;
		if (len > size)
			len = (uint32_t)size;
		memcpy(b, input, len);
		input += len;
		size -= len;
		take_step(&w, step, b, len);
	}
	kcp_fec_encoder_destroy(w.e);
	kcp_fec_decoder_destroy(w.d);
	return 0;
}
