/* SPDX-License-Identifier: BSD-2-Clause */
/* The sender of kcp-go's FEC: byte for byte what kcp-go sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crc32.h"
/* for the seqid to begin near the end of all seqids */
#include "fec_encode.c"
#include "le.h"

#define PAYLOAD_MAX 1400u
#define STREAM_MAX  (400u * 1024u)

struct stream {
	uint8_t bytes[STREAM_MAX];
	uint32_t len;
	uint32_t n;
	uint32_t n_parity;
};

/* As the vectors have it. */
static uint32_t len_of(uint32_t i)
{
	return 25 + i * 37 % 200;
}

static void append(struct stream *s, const uint8_t *packet, uint32_t len)
{
	assert_in_range(s->len + len, 1, STREAM_MAX);
	memcpy(s->bytes + s->len, packet, len);
	s->len += len;
	s->n++;
}

/* Data packet i and what follows it. */
static void send(struct kcp_fec_encoder *e, struct stream *s, uint32_t i, uint32_t len,
		 uint64_t now_us)
{
	uint8_t packet[KCP_FEC_HEADER + PAYLOAD_MAX];
	for (uint32_t k = 0; k < len; k++)
		packet[KCP_FEC_HEADER + k] = (uint8_t)(k * 7 + 3 + i * 31);
	uint32_t n_parity = kcp_fec_encode(e, packet + KCP_FEC_HEADER, len, now_us);
	append(s, packet, KCP_FEC_HEADER + len);
	for (uint32_t p = 0; p < n_parity; p++) {
		uint8_t parity[KCP_FEC_HEADER + PAYLOAD_MAX];
		kcp_fec_parity(e, p, parity);
		append(s, parity, kcp_fec_parity_len(e));
		s->n_parity++;
	}
}

/* By a test put into the package of kcp-go 5.6.72, the same with Debian's 5.6.1: five groups of packets
 * as above, the CRC-32 of all packets one behind the other. `late`: the second group is the last one
 * before seqids begin anew with 0. */
static void sends_what_kcp_go_sends(void **state)
{
	static const struct {
		uint32_t n_data, n_parity;
		bool late;
		uint32_t n, crc;
	} vectors[] = {
		{3, 1, false, 20, 0xde4edbea},    {10, 3, false, 65, 0x93f94a89},
		{20, 10, false, 150, 0x08d9274d}, {4, 2, false, 30, 0xe753d921},
		{1, 1, false, 10, 0xf542d423},    {255, 1, false, 1280, 0xdf5e69bc},
		{10, 3, true, 65, 0x4d6746bf},    {20, 10, true, 150, 0xc366708d},
	};
	(void)state;
	for (uint32_t v = 0; v < sizeof(vectors) / sizeof(vectors[0]); v++) {
		struct stream *s = calloc(1, sizeof(*s));
		uint32_t n_data = vectors[v].n_data, n_parity = vectors[v].n_parity;
		struct kcp_fec_encoder *e = kcp_fec_encoder_create(n_data, n_parity, PAYLOAD_MAX);
		assert_non_null(s);
		assert_non_null(e);
		if (vectors[v].late)
			e->next = kcp_fec_end(n_data + n_parity) - 2 * (n_data + n_parity);
		e->begun = true; /* kcp-go was told that there had been a packet before */
		for (uint32_t i = 0; i < 5 * n_data; i++)
			send(e, s, i, len_of(i), i * 1000);
		assert_int_equal(s->n, vectors[v].n);
		assert_int_equal(kcp_crc32(s->bytes, s->len), vectors[v].crc);
		kcp_fec_encoder_destroy(e);
		free(s);
	}
}

/* The first parity packet of the 3/1 above. */
static void makes_the_parity_that_is_known(void **state)
{
	static const uint8_t head[] = {0x03, 0x00, 0x00, 0x00, 0xf2, 0x00, 0x3e, 0x00,
				       0x60, 0x6b, 0x6e, 0x79, 0x7c, 0x07, 0x0a, 0x15};
	struct kcp_fec_encoder *e = kcp_fec_encoder_create(3, 1, PAYLOAD_MAX);
	struct stream *s = calloc(1, sizeof(*s));
	(void)state;
	assert_non_null(e);
	assert_non_null(s);
	for (uint32_t i = 0; i < 3; i++)
		send(e, s, i, len_of(i), 0);
	assert_int_equal(s->n, 4);
	const uint8_t *parity = s->bytes + s->len - kcp_fec_parity_len(e);
	assert_int_equal(kcp_fec_parity_len(e), KCP_FEC_HEADER + len_of(2));
	assert_memory_equal(parity, head, sizeof(head));
	kcp_fec_encoder_destroy(e);
	free(s);
}

/* Facts of the wire: the header in front of a PUSH of 29 bytes. */
static void writes_the_header_that_is_known(void **state)
{
	static const uint8_t header[] = {0, 0, 0, 0, 0xf1, 0, 0x1f, 0};
	uint8_t packet[KCP_FEC_HEADER + 29] = {0};
	struct kcp_fec_encoder *e = kcp_fec_encoder_create(10, 3, PAYLOAD_MAX);
	(void)state;
	assert_non_null(e);
	assert_int_equal(kcp_fec_encode(e, packet + KCP_FEC_HEADER, 29, 0), 0);
	assert_memory_equal(packet, header, sizeof(header));
	assert_int_equal(kcp_fec_type(packet, sizeof(packet)), KCP_FEC_DATA);
	kcp_fec_encoder_destroy(e);
}

static void tells_fec_from_plain_kcp(void **state)
{
	uint8_t packet[24] = {0};
	(void)state;
	for (uint32_t command = 0; command < 0x10000; command++) {
		kcp_store_le16(packet + 4, command);
		enum kcp_fec_type type = kcp_fec_type(packet, sizeof(packet));
		bool fec = command >= 0xf1 && command <= 0xf3;
		assert_int_equal(type, fec ? command : KCP_FEC_NOT);
		assert_int_equal(kcp_fec_type(packet, KCP_FEC_HEADER - 1), KCP_FEC_NOT);
	}
}

static void leaves_parity_out_after_half_a_second(void **state)
{
	(void)state;
	for (uint32_t late = 0; late < 2; late++) {
		struct kcp_fec_encoder *e = kcp_fec_encoder_create(3, 2, PAYLOAD_MAX);
		struct stream *s = calloc(1, sizeof(*s));
		uint64_t gap = late != 0 ? 500000 : 499999;
		assert_non_null(e);
		assert_non_null(s);
		/* gaps elsewhere in the group do not matter */
		send(e, s, 0, 100, 7000000);
		send(e, s, 1, 100, 9000000);
		send(e, s, 2, 100, 9000000 + gap);
		assert_int_equal(s->n_parity, late != 0 ? 0 : 2);
		/* its seqids are left out, the next group has its parity */
		uint32_t at = s->len;
		send(e, s, 3, 30, 10000000);
		assert_int_equal(kcp_load_le32(s->bytes + at), 5);
		send(e, s, 4, 30, 10000000);
		send(e, s, 5, 30, 10000000);
		assert_int_equal(s->n_parity, late != 0 ? 2 : 4);
		/* nothing of the group before is in it */
		assert_int_equal(kcp_fec_parity_len(e), KCP_FEC_HEADER + 30);
		kcp_fec_encoder_destroy(e);
		free(s);
	}
}

static void refuses_shapes_that_cannot_be(void **state)
{
	static const uint32_t bad[][3] = {
		{0, 1, 1400},   {1, 0, 1400},         {0, 0, 1400},         {255, 2, 1400},
		{256, 1, 1400}, {1, 256, 1400},       {10, 3, 0},           {10, 3, 65534},
		{128, 129, 9},  {UINT32_MAX, 2, 100}, {2, UINT32_MAX, 100},
	};
	(void)state;
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(kcp_fec_encoder_create(bad[i][0], bad[i][1], bad[i][2]));
	kcp_fec_encoder_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_what_kcp_go_sends),
		cmocka_unit_test(makes_the_parity_that_is_known),
		cmocka_unit_test(writes_the_header_that_is_known),
		cmocka_unit_test(tells_fec_from_plain_kcp),
		cmocka_unit_test(leaves_parity_out_after_half_a_second),
		cmocka_unit_test(refuses_shapes_that_cannot_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
