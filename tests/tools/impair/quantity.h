/* SPDX-License-Identifier: BSD-2-Clause */
/* quantity: amounts and addresses as they are written on a command line. All return false for anything else. */
#ifndef IMPAIR_QUANTITY_H
#define IMPAIR_QUANTITY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* A socket's name of either family. */
union endpoint {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* "5%", "0.1%", from 0% to 100%; *ret is from 0 to 1. */
bool quantity_share(const char *text, double *ret);

/* "30ms", "2.5us", "1s", "100ns", "0"; up to an hour. */
bool quantity_time(const char *text, uint64_t *ret_ns);

/* "100mbit", "1gbit", "64kbit", "9600bit", of 1000 each; from 1 bit/s to 1 Tbit/s. */
bool quantity_rate(const char *text, uint64_t *ret);

/* "64kB", "1MB", "1500B" of 1000 each, "64KiB", "1MiB", "1GiB" of 1024; up to 64 GiB. */
bool quantity_bytes(const char *text, uint64_t *ret);

/* A decimal number from min to max. */
bool quantity_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/* "192.0.2.1:7000", "[2001:db8::1]:7000", "[fe80::1%eth0]:7000"; the port may be 0. */
bool quantity_endpoint(const char *text, union endpoint *ret);

/* The length of a name, for the system's calls. */
socklen_t quantity_name_len(const union endpoint *e);

/* Writes what quantity_endpoint() reads; returns text. */
#define QUANTITY_TEXT 80
const char *quantity_endpoint_text(const union endpoint *e, char text[QUANTITY_TEXT]);

#endif
