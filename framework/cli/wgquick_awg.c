/* SPDX-License-Identifier: BSD-2-Clause */
#include "wgquick_awg.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 32767u /* no message could be so long, and sums stay small */
#define PACKET_TEXT_MAX \
	16384u /* more than hexadecimal digits of the largest datagram that is whole */

/* The row of the key that is being read, counted from `first`. */
static size_t row_from(const struct wgquick_reader *r, const char *first)
{
	size_t row = 0, begin = 0;
	while (strcmp(wgquick_awg_keys[begin].name, first) != 0)
		begin++;
	while (strcmp(wgquick_awg_keys[begin + row].name, r->key) != 0)
		row++;
	return row;
}

static void read_number(struct wgquick_reader *r, struct wgquick_piece v)
{
	struct wgquick_awg *awg = &r->w->awg;
	size_t row = row_from(r, "Jc");
	awg->used = true;
	awg->given |= UINT32_C(1) << row;
	if (!wgquick_number(v, false, NUMBER_MAX, &awg->numbers[row]))
		wgquick_refuse_value(r, v, "is no number from 0 to 32767");
}

static void read_header(struct wgquick_reader *r, struct wgquick_piece v)
{
	struct wgquick_awg *awg = &r->w->awg;
	size_t row = row_from(r, "H1");
	uint32_t *range = awg->headers[row];
	awg->used = true;
	awg->hidden |= UINT32_C(1) << row;
	if (!wgquick_range(v, UINT32_MAX, &range[0], &range[1]))
		wgquick_refuse_value(r, v,
				     "is neither a number up to 4294967295 nor a range of "
				     "them, such as 5-1000");
}

static bool is_printable(struct wgquick_piece v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.text[i] < ' ' || v.text[i] > '~')
			return false;
	return true;
}

static void read_packet(struct wgquick_reader *r, struct wgquick_piece v)
{
	struct wgquick_awg *awg = &r->w->awg;
	char **packet = &awg->packets[row_from(r, "I1")];
	awg->used = true;
	if (v.len > PACKET_TEXT_MAX || !is_printable(v)) {
		wgquick_refuse(r, v.text,
			       "%s is longer than %u characters, or has some that are no "
			       "printable ASCII",
			       r->key, PACKET_TEXT_MAX);
		return;
	}
	free(*packet);
	*packet = strndup(v.text, v.len);
	r->no_memory |= *packet == NULL;
}

static void read_header_key(struct wgquick_reader *r, struct wgquick_piece v)
{
	r->w->awg.used = true;
	wgquick_secret(r, v, r->w->awg.header_key, NULL);
}

/* awg-tools writes on and off; its configuration protocol has 1 and 0. */
static void read_flag(struct wgquick_reader *r, struct wgquick_piece v)
{
	struct wgquick_awg *awg = &r->w->awg;
	bool *flag = row_from(r, "RandomTrailers") == 0 ? &awg->random_trailers
							: &awg->disable_cookies;
	*flag = wgquick_is(v, "on") || wgquick_is(v, "true") || wgquick_is(v, "1");
	awg->used = true;
	if (!*flag && !wgquick_is(v, "off") && !wgquick_is(v, "false") && !wgquick_is(v, "0"))
		wgquick_refuse_value(r, v, "is neither on nor off");
}

static void ignore(struct wgquick_reader *r, struct wgquick_piece v)
{
	r->w->awg.used = true;
	wgquick_warn(r, v.text,
		     "%s is left out: vpncore has nothing like it; it concerns one side only, and "
		     "both go on understanding each other",
		     r->key);
}

#define ROW(name, read) \
	{ \
		name, WGQUICK_INTERFACE, WGQUICK_ONCE, read \
	}
const struct wgquick_key wgquick_awg_keys[WGQUICK_AWG_KEYS] = {
	ROW("Jc", read_number),
	ROW("Jmin", read_number),
	ROW("Jmax", read_number),
	ROW("S1", read_number),
	ROW("S2", read_number),
	ROW("S3", read_number),
	ROW("S4", read_number),
	ROW("H1", read_header),
	ROW("H2", read_header),
	ROW("H3", read_header),
	ROW("H4", read_header),
	ROW("I1", read_packet),
	ROW("I2", read_packet),
	ROW("I3", read_packet),
	ROW("I4", read_packet),
	ROW("I5", read_packet),
	ROW("HeaderProtectionKey", read_header_key),
	ROW("RandomTrailers", read_flag),
	ROW("DisableCookies", read_flag),
	ROW("ContentPaddingAddition", ignore),
	ROW("RekeyAfterTime", ignore),
	ROW("RekeyTimeout", ignore),
	ROW("RejectAfterTime", ignore),
	ROW("KeepaliveTimeout", ignore),
	ROW("MaxHandshakeAttempts", ignore),
	/* of AmneziaWG 1.5 alone */
	ROW("J1", ignore),
	ROW("J2", ignore),
	ROW("J3", ignore),
	ROW("Itime", ignore),
};

uint32_t wgquick_awg_overhead(const struct wgquick_awg *awg)
{
	return awg->numbers[WGQUICK_S4];
}

void wgquick_awg_clear(struct wgquick_awg *awg)
{
	for (size_t i = 0; i < sizeof(awg->packets) / sizeof(awg->packets[0]); i++)
		free(awg->packets[i]);
}
