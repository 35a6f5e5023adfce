/* SPDX-License-Identifier: BSD-2-Clause */
#include "awg_options.h"

#include <stddef.h>
#include <string.h>

#include "awg_tags.h"
#include "fault.h"

#define TEXT_MOST 16384 /* of i1 to i5 */

static const char *const kind_names[AWG_KINDS] = {"initiations", "responses", "cookie replies",
						  "data"};

/* ---- ranges ---- */

/* Decimal digits up to `end`. */
static bool parse_word(const char *text, const char *end, uint32_t *ret)
{
	uint64_t n = 0;
	if (text == end)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
		if (n > UINT32_MAX)
			return false;
	}
	*ret = (uint32_t)n;
	return true;
}

bool awg_range_parse(const char *text, struct awg_range *out)
{
	const char *end = text + strlen(text);
	const char *dash = strchr(text, '-');
	if (!parse_word(text, dash != NULL ? dash : end, &out->first))
		return false;
	out->last = out->first;
	return dash == NULL || (parse_word(dash + 1, end, &out->last) && out->first <= out->last);
}

/* ---- checks ---- */

static vpn_status check_headers(const struct awg_options *o, struct vpn_error *err)
{
	struct awg_range h[AWG_KINDS];
	char where[16] = "/awg/h1";
	for (uint32_t i = 0; i < AWG_KINDS; i++) {
		where[6] = (char)('1' + i);
		if (!awg_range_parse(o->h[i], &h[i]))
			return obfs_fault(
				err, VPN_EINVAL, where,
				"is neither a number up to 4294967295 nor a range of them "
				"such as \"5-1000\"");
		for (uint32_t k = 0; k < i; k++)
			if (h[i].first <= h[k].last && h[k].first <= h[i].last)
				return obfs_fault(
					err, VPN_EINVAL, where,
					"overlaps h%u: a message is known by its word, so "
					"h1 to h4 have no word in common",
					k + 1);
	}
	return VPN_OK;
}

static vpn_status check_sizes(const struct awg_options *o, struct vpn_error *err)
{
	char where[16] = "/awg/s1";
	for (uint32_t i = 0; i < AWG_KINDS; i++) {
		uint64_t len = o->s[i] + awg_frame_size[i];
		where[6] = (char)('1' + i);
		if (o->header_protection_key.data != NULL && o->s[i] < AWG_NONCE_LEN)
			return obfs_fault(
				err, VPN_EINVAL, where,
				"header protection takes its nonce from these bytes: %u or "
				"more, in each of s1 to s4",
				AWG_NONCE_LEN);
		for (uint32_t k = 0; k < i && i < AWG_DATA; k++)
			if (len == o->s[k] + awg_frame_size[k])
				return obfs_fault(err, VPN_EINVAL, where,
						  "makes %s (s%u + %u) as long as %s (s%u + %u), "
						  "which AmneziaWG forbids",
						  kind_names[i], i + 1, awg_frame_size[i],
						  kind_names[k], k + 1, awg_frame_size[k]);
	}
	return VPN_OK;
}

static vpn_status check_junk(const struct awg_options *o, struct vpn_error *err)
{
	if (o->jc != 0 && o->jmin == 0)
		return obfs_fault(err, VPN_EINVAL, "/awg/jmin",
				  "jc asks for junk: give its least size in bytes, from 1");
	if (o->jmin > o->jmax)
		return obfs_fault(err, VPN_EINVAL, "/awg/jmax", "is less than jmin");
	return VPN_OK;
}

static vpn_status check_packets(const struct awg_options *o, struct vpn_error *err)
{
	struct awg_tags_fault fault;
	char where[16] = "/awg/i1";
	for (uint32_t i = 0; i < AWG_PACKETS; i++) {
		where[6] = (char)('1' + i);
		if (o->i[i] != NULL && awg_tags_measure(o->i[i], &fault) == 0)
			return obfs_fault(err, VPN_EINVAL, where, "character %u: %s", fault.at + 1,
					  fault.why);
	}
	return VPN_OK;
}

vpn_status awg_options_check(const struct awg_options *o, struct vpn_error *err)
{
	vpn_status status = check_junk(o, err);
	if (status == VPN_OK)
		status = check_sizes(o, err);
	if (status == VPN_OK)
		status = check_headers(o, err);
	if (status == VPN_OK)
		status = check_packets(o, err);
	return status;
}

vpn_status awg_options_fit(const struct awg_options *o, uint32_t mtu, struct vpn_error *err)
{
	char where[16] = "/awg/s1";
	for (uint32_t i = 0; i < AWG_KINDS; i++)
		if (where[6] = (char)('1' + i), o->s[i] + awg_frame_size[i] > mtu)
			return obfs_fault(
				err, VPN_EINVAL, where,
				"makes %s longer than the %u bytes that the stack carries",
				kind_names[i], mtu);
	if (o->jc != 0 && o->jmax > mtu)
		return obfs_fault(err, VPN_EINVAL, "/awg/jmax",
				  "makes junk longer than the %u bytes that the stack carries",
				  mtu);
	where[5] = 'i';
	for (uint32_t i = 0; i < AWG_PACKETS; i++)
		if (where[6] = (char)('1' + i),
		    o->i[i] != NULL && awg_tags_measure(o->i[i], NULL) > mtu)
			return obfs_fault(err, VPN_EINVAL, where,
					  "is longer than the %u bytes that the stack carries",
					  mtu);
	return VPN_OK;
}

void awg_options_frame(const struct awg_options *o, struct awg_frame *out)
{
	*out = (struct awg_frame){
		.protect = o->header_protection_key.data != NULL,
		.trailers = o->random_trailers != 0,
	};
	for (uint32_t i = 0; i < AWG_KINDS; i++) {
		out->s[i] = (uint32_t)o->s[i];
		(void)awg_range_parse(o->h[i], &out->h[i]);
	}
	if (out->protect)
		memcpy(out->key, o->header_protection_key.data, AWG_KEY_LEN);
}

/* ---- the table ---- */

#define AT(field) (uint32_t) offsetof(struct awg_options, field)

#define SIZE_ROW(name_, kind, text) \
	{ \
		.name = (name_), .type = VPN_OPT_UINT, .offset = AT(s) + 8u * (kind), .dflt = "0", \
		.unit = "bytes", .max = 1280, .doc = (text) \
	}
#define WORD_ROW(name_, kind, word, text) \
	{ \
		.name = (name_), .type = VPN_OPT_STRING, \
		.offset = AT(h) + (uint32_t)sizeof(char *) * (kind), .dflt = (word), .min = 1, \
		.max = 21, .doc = (text) \
	}
#define PACKET_ROW(name_, index, text) \
	{ \
		.name = (name_), .type = VPN_OPT_STRING, \
		.offset = AT(i) + (uint32_t)sizeof(char *) * (index), .min = 1, .max = TEXT_MOST, \
		.doc = (text) \
	}

static const struct vpn_option options[] = {
	{.name = "jc",
	 .type = VPN_OPT_UINT,
	 .offset = AT(jc),
	 .dflt = "0",
	 .max = AWG_JUNK_MOST,
	 .doc = "Datagrams of random bytes before each initiation. One side alone may have them."},
	{.name = "jmin",
	 .type = VPN_OPT_UINT,
	 .offset = AT(jmin),
	 .dflt = "0",
	 .unit = "bytes",
	 .max = AWG_PAYLOAD_MOST,
	 .doc = "Their least size."},
	{.name = "jmax",
	 .type = VPN_OPT_UINT,
	 .offset = AT(jmax),
	 .dflt = "0",
	 .unit = "bytes",
	 .max = AWG_PAYLOAD_MOST,
	 .doc = "Their largest size."},
	SIZE_ROW("s1", AWG_INITIATION,
		 "Random bytes in front of initiations. The same on both sides, as s2 to s4."),
	SIZE_ROW("s2", AWG_RESPONSE, "The same in front of responses."),
	SIZE_ROW("s3", AWG_COOKIE, "The same in front of cookie replies."),
	SIZE_ROW("s4", AWG_DATA, "The same in front of data: what each packet grows by."),
	WORD_ROW("h1", AWG_INITIATION, "1",
		 "The word that initiations begin with, or the range that it is drawn from: \"7\" "
		 "or "
		 "\"7-9\". The same on both sides, as h2 to h4; no two may overlap."),
	WORD_ROW("h2", AWG_RESPONSE, "2", "The same of responses."),
	WORD_ROW("h3", AWG_COOKIE, "3", "The same of cookie replies."),
	WORD_ROW("h4", AWG_DATA, "4", "The same of data."),
	PACKET_ROW(
		"i1", 0,
		"A datagram before each initiation and its junk, as tags: <b 0x01ff> bytes, <r 20> "
		"random ones, <rd 20> digits, <rc 20> letters, <t> the time. One side alone may "
		"have it."),
	PACKET_ROW("i2", 1, "The next one."),
	PACKET_ROW("i3", 2, "The next one."),
	PACKET_ROW("i4", 3, "The next one."),
	PACKET_ROW("i5", 4, "The next one."),
	{.name = "header_protection_key",
	 .type = VPN_OPT_BYTES,
	 .offset = AT(header_protection_key),
	 .min = AWG_KEY_LEN,
	 .max = AWG_KEY_LEN,
	 .flags = VPN_OPT_SECRET,
	 .doc = "Hides headers and handshakes under this key, 32 bytes in base64 or hex: AmneziaWG "
		"3.0. The same on both sides; s1 to s4 have to be 12 or more."},
	{.name = "random_trailers",
	 .type = VPN_OPT_BOOL,
	 .offset = AT(random_trailers),
	 .dflt = "false",
	 .doc = "Random bytes behind handshakes, and such are accepted: AmneziaWG 3.1. The same on "
		"both sides."},
	{.name = "disable_cookies",
	 .type = VPN_OPT_BOOL,
	 .offset = AT(disable_cookies),
	 .dflt = "false",
	 .doc = "Under load handshakes are dropped without a cookie in answer: AmneziaWG 3.1."},
};

const struct vpn_option_table awg_option_table = VPN_OPTION_TABLE(options, struct awg_options);
