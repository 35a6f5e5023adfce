/* SPDX-License-Identifier: BSD-2-Clause */
#include "mimic_dtls.h"

#include <stddef.h>
#include <string.h>

#include "mimic_bytes.h"

/* RFC 6347 section 4.1 and RFC 5246 section 6.2.1: record types */
#define CHANGE_CIPHER_SPEC 20u
#define HANDSHAKE          22u
#define DATA               23u
/* versions, as one's complement of 1.0 and 1.2; the first record of a client says the lower one, for servers
 * that know no other (RFC 6347 section 4.1) */
#define DTLS_1_0 0xfeffu
#define DTLS_1_2 0xfefdu
/* RFC 5246 section 7.4 */
#define CLIENT_HELLO 1u
#define SERVER_HELLO 2u

/* RFC 7905: ECDHE_RSA with ChaCha20-Poly1305 */
#define CHACHA20_POLY1305 0xcca8u

/* Where the random bytes of a hello are: behind the headers of record (13) and handshake (12) and the
 * version (2); a byte between them says how long the session's id is. */
#define RANDOM_AT  27u
#define SESSION_AT (RANDOM_AT + MIMIC_DTLS_RANDOM + 1)

/* What a ClientHello has behind the session's id. */
static const uint8_t client_tail[] = {
	0x00, /* no cookie */
	/* ciphers: ChaCha20-Poly1305 first, as clients without AES instructions ask, then AES-GCM
	 * (RFC 7905, RFC 5289); with ECDSA and with RSA */
	0x00, 0x0c, 0xcc, 0xa9, 0xcc, 0xa8, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30,
	/* no compression */
	0x01, 0x00,
	/* extensions: 51 bytes */
	0x00, 0x33,
	/* extended_master_secret (RFC 7627) */
	0x00, 0x17, 0x00, 0x00,
	/* renegotiation_info (RFC 5746) */
	0xff, 0x01, 0x00, 0x01, 0x00,
	/* supported_groups: X25519, P-256, P-384 (RFC 8422) */
	0x00, 0x0a, 0x00, 0x08, 0x00, 0x06, 0x00, 0x1d, 0x00, 0x17, 0x00, 0x18,
	/* ec_point_formats: uncompressed */
	0x00, 0x0b, 0x00, 0x02, 0x01, 0x00,
	/* signature_algorithms: ECDSA, RSA-PSS and RSA with SHA-256, then SHA-384 and SHA-512
	 * (RFC 8446 section 4.2.3) */
	0x00, 0x0d, 0x00, 0x14, 0x00, 0x12, 0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x05, 0x03, 0x08,
	0x05, 0x05, 0x01, 0x08, 0x06, 0x06, 0x01, 0x02, 0x01};

/* What a ServerHello has behind it. */
static const uint8_t server_tail[] = {CHACHA20_POLY1305 >> 8,
				      CHACHA20_POLY1305 & 0xff,
				      0x00, /* no compression */
				      0x00,
				      0x09,
				      0xff,
				      0x01,
				      0x00,
				      0x01,
				      0x00,
				      0x00,
				      0x17,
				      0x00,
				      0x00};

#define CLIENT_HELLO_LEN (SESSION_AT + MIMIC_DTLS_SESSION + (uint32_t)sizeof(client_tail))
#define SERVER_HELLO_LEN (SESSION_AT + MIMIC_DTLS_SESSION + (uint32_t)sizeof(server_tail))
#define CHANGE_LEN       (MIMIC_DTLS_HEADER + 1u)
#define SEALED_LEN       (MIMIC_DTLS_HEADER + MIMIC_DTLS_FINISHED)
#define HANDSHAKE_HEADER 12u

_Static_assert(sizeof(client_tail) == 1 + 14 + 2 + 2 + 51, "the lengths that are written in it");
_Static_assert(SERVER_HELLO_LEN + CHANGE_LEN + SEALED_LEN <= MIMIC_DTLS_FLIGHT, "room");
_Static_assert(CLIENT_HELLO_LEN <= MIMIC_DTLS_FLIGHT, "room");

static void record(uint8_t *at, uint8_t type, uint32_t version, uint32_t epoch, uint64_t number,
		   uint32_t len)
{
	at[0] = type;
	be_store(at + 1, version, 2);
	be_store(at + 3, epoch, 2);
	be_store(at + 5, number, 6);
	be_store(at + 11, len, 2);
}

void mimic_dtls_put(uint8_t *at, uint64_t number, uint32_t len)
{
	record(at, DATA, DTLS_1_2, 1, number, len);
}

bool mimic_dtls_is_data(const uint8_t *datagram, uint32_t len)
{
	return len > MIMIC_DTLS_HEADER && datagram[0] == DATA &&
	       be_load(datagram + 1, 2) == DTLS_1_2 && be_load(datagram + 3, 2) == 1 &&
	       be_load(datagram + 11, 2) == len - MIMIC_DTLS_HEADER;
}

/* A hello of `len` bytes in all, with its headers; the first and only fragment. */
static void hello(uint8_t *at, uint8_t type, uint32_t version, uint32_t number, uint32_t len,
		  const uint8_t *random, const uint8_t *session)
{
	uint32_t body = len - MIMIC_DTLS_HEADER - HANDSHAKE_HEADER;
	record(at, HANDSHAKE, version, 0, number, len - MIMIC_DTLS_HEADER);
	at += MIMIC_DTLS_HEADER;
	at[0] = type;
	be_store(at + 1, body, 3);
	be_store(at + 4, 0, 2); /* message 0 */
	be_store(at + 6, 0, 3);
	be_store(at + 9, body, 3);
	at += HANDSHAKE_HEADER;
	be_store(at, DTLS_1_2, 2);
	memcpy(at + 2, random, MIMIC_DTLS_RANDOM);
	at[2 + MIMIC_DTLS_RANDOM] = MIMIC_DTLS_SESSION;
	memcpy(at + 3 + MIMIC_DTLS_RANDOM, session, MIMIC_DTLS_SESSION);
}

/* ChangeCipherSpec, and Finished as the first record of epoch 1. */
static uint32_t change(uint8_t *at, uint32_t number, const uint8_t *finished)
{
	record(at, CHANGE_CIPHER_SPEC, DTLS_1_2, 0, number, 1);
	at[MIMIC_DTLS_HEADER] = 1;
	at += CHANGE_LEN;
	record(at, HANDSHAKE, DTLS_1_2, 1, 0, MIMIC_DTLS_FINISHED);
	memcpy(at + MIMIC_DTLS_HEADER, finished, MIMIC_DTLS_FINISHED);
	return CHANGE_LEN + SEALED_LEN;
}

uint32_t mimic_dtls_client_hello(uint8_t out[MIMIC_DTLS_FLIGHT],
				 const uint8_t both[MIMIC_DTLS_HELLO], uint32_t number)
{
	hello(out, CLIENT_HELLO, DTLS_1_0, number, CLIENT_HELLO_LEN, both,
	      both + MIMIC_DTLS_RANDOM);
	memcpy(out + CLIENT_HELLO_LEN - sizeof(client_tail), client_tail, sizeof(client_tail));
	return CLIENT_HELLO_LEN;
}

uint32_t mimic_dtls_server_hello(uint8_t out[MIMIC_DTLS_FLIGHT],
				 const uint8_t random[MIMIC_DTLS_RANDOM],
				 const uint8_t session[MIMIC_DTLS_SESSION],
				 const uint8_t finished[MIMIC_DTLS_FINISHED])
{
	hello(out, SERVER_HELLO, DTLS_1_2, 0, SERVER_HELLO_LEN, random, session);
	memcpy(out + SERVER_HELLO_LEN - sizeof(server_tail), server_tail, sizeof(server_tail));
	return SERVER_HELLO_LEN + change(out + SERVER_HELLO_LEN, 1, finished);
}

uint32_t mimic_dtls_client_finished(uint8_t out[MIMIC_DTLS_FLIGHT],
				    const uint8_t finished[MIMIC_DTLS_FINISHED], uint32_t number)
{
	return change(out, number, finished);
}

void mimic_dtls_parse(const uint8_t *datagram, uint32_t len, struct mimic_dtls_flight *out)
{
	uint8_t same[MIMIC_DTLS_FLIGHT];
	uint32_t expected = 0;
	struct mimic_dtls_flight f = {.kind = MIMIC_DTLS_OTHER};
	/* The number of a record is the sender's to choose. */
	uint32_t number = len >= MIMIC_DTLS_HEADER ? (uint32_t)be_load(datagram + 7, 4) : 0;
	if (len == CLIENT_HELLO_LEN || len == SERVER_HELLO_LEN + CHANGE_LEN + SEALED_LEN) {
		f.random = datagram + RANDOM_AT;
		f.session = datagram + SESSION_AT;
	}
	if (len == CLIENT_HELLO_LEN) {
		uint8_t both[MIMIC_DTLS_HELLO];
		f.kind = MIMIC_DTLS_CLIENT_HELLO;
		memcpy(both, f.random, MIMIC_DTLS_RANDOM);
		memcpy(both + MIMIC_DTLS_RANDOM, f.session, MIMIC_DTLS_SESSION);
		expected = mimic_dtls_client_hello(same, both, number);
	} else if (len == SERVER_HELLO_LEN + CHANGE_LEN + SEALED_LEN) {
		f.kind = MIMIC_DTLS_SERVER_HELLO;
		f.finished = datagram + len - MIMIC_DTLS_FINISHED;
		expected = mimic_dtls_server_hello(same, f.random, f.session, f.finished);
	} else if (len == CHANGE_LEN + SEALED_LEN) {
		f.kind = MIMIC_DTLS_CLIENT_FINISHED;
		f.finished = datagram + len - MIMIC_DTLS_FINISHED;
		expected = mimic_dtls_client_finished(same, f.finished, number);
	}
	if (expected != len || memcmp(same, datagram, len) != 0)
		f = (struct mimic_dtls_flight){.kind = MIMIC_DTLS_OTHER};
	*out = f;
}
