/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mimic_dtls: what a session of DTLS 1.2 looks like from outside (RFC 6347): the record that carries data,
 * and a handshake that resumes an earlier session, which shows no certificate (RFC 5246 section 7.3).
 *
 *	client                                      server
 *	ClientHello                          ---->
 *	                                     <----  ServerHello, ChangeCipherSpec, Finished
 *	ChangeCipherSpec, Finished           ---->
 *	data                                 <--->  data
 *
 * The cipher that they "agree" on is ChaCha20-Poly1305 (RFC 7905): its records have no nonce of their own in
 * front, so all that is behind a header has to look random. What "Finished" holds here is a MAC.
 * Functions are pure. [any]
 */
#ifndef MIMIC_DTLS_H
#define MIMIC_DTLS_H

#include <stdbool.h>
#include <stdint.h>

#define MIMIC_DTLS_HEADER 13u

/* The last number of an epoch (RFC 6347 section 4.1): a record behind it would need a new handshake. */
#define MIMIC_DTLS_LAST ((UINT64_C(1) << 48) - 1)

#define MIMIC_DTLS_RANDOM   32u
#define MIMIC_DTLS_SESSION  32u
#define MIMIC_DTLS_HELLO    (MIMIC_DTLS_RANDOM + MIMIC_DTLS_SESSION)
#define MIMIC_DTLS_FINISHED 40u /* handshake header, verify_data and tag, sealed */

/* No flight is longer. */
#define MIMIC_DTLS_FLIGHT 256u

/* A record of data: 13 bytes in front of `len` bytes. */
void mimic_dtls_put(uint8_t *at, uint64_t number, uint32_t len);

/* Whether a datagram is one record of data, of epoch 1, with its true length, and something in it. */
bool mimic_dtls_is_data(const uint8_t *datagram, uint32_t len);

/* Flights; each returns its length. `hello` is the client's random and its session's id; `number` counts
 * the client's attempts from 0 and is the record's number. */
uint32_t mimic_dtls_client_hello(uint8_t out[MIMIC_DTLS_FLIGHT],
				 const uint8_t hello[MIMIC_DTLS_HELLO], uint32_t number);
uint32_t mimic_dtls_server_hello(uint8_t out[MIMIC_DTLS_FLIGHT],
				 const uint8_t random[MIMIC_DTLS_RANDOM],
				 const uint8_t session[MIMIC_DTLS_SESSION],
				 const uint8_t finished[MIMIC_DTLS_FINISHED]);
uint32_t mimic_dtls_client_finished(uint8_t out[MIMIC_DTLS_FLIGHT],
				    const uint8_t finished[MIMIC_DTLS_FINISHED], uint32_t number);

enum mimic_dtls_kind {
	MIMIC_DTLS_OTHER, /* none of those that the other side makes */
	MIMIC_DTLS_CLIENT_HELLO,
	MIMIC_DTLS_SERVER_HELLO,
	MIMIC_DTLS_CLIENT_FINISHED,
};

/* Where in a datagram the parts of a flight are; those that its kind does not have are NULL. */
struct mimic_dtls_flight {
	enum mimic_dtls_kind kind;
	const uint8_t *random;   /* MIMIC_DTLS_RANDOM bytes */
	const uint8_t *session;  /* MIMIC_DTLS_SESSION bytes, right behind random but for a byte */
	const uint8_t *finished; /* MIMIC_DTLS_FINISHED bytes */
};

/* Every byte that is not random has to be what the functions above write. */
void mimic_dtls_parse(const uint8_t *datagram, uint32_t len, struct mimic_dtls_flight *out);

#endif
