/* SPDX-License-Identifier: BSD-2-Clause */
#include "mimic_rtp.h"

#include "mimic_bytes.h"

#define MARK     0x80u
#define VERSION2 0x80u /* without padding, extension and contributing sources */

#define NS_PER_MS     UINT64_C(1000000)
#define SOUND_NS      (20 * NS_PER_MS) /* of sound in a packet: Opus' default (RFC 7587 section 4.2) */
#define SOUND_TICKS   960u             /* at 48 kHz */
#define SOUND_MOST    400u             /* bytes: more than Opus makes of 20 ms at 128 kb/s */
#define SILENCE_NS    (200 * NS_PER_MS)
#define FRAME_NS      (16 * NS_PER_MS) /* 60 frames a second */
#define FRAME_LATE_NS (40 * NS_PER_MS) /* 25 frames a second */

static void begin(struct mimic_rtp_stream *s, struct obfs_random *random)
{
	uint64_t drawn = obfs_random_u64(random);
	*s = (struct mimic_rtp_stream){.ssrc = (uint32_t)drawn, .number = (uint16_t)(drawn >> 32)};
	s->timestamp = (uint32_t)obfs_random_u64(random);
}

void mimic_rtp_init(struct mimic_rtp *r, struct obfs_random *random)
{
	*r = (struct mimic_rtp){0};
	begin(&r->sound, random);
	begin(&r->picture, random);
	/* two sources of one sender differ (RFC 3550 section 8.1) */
	if (r->picture.ssrc == r->sound.ssrc)
		r->picture.ssrc++;
}

static void write(struct mimic_rtp_stream *s, uint8_t *at, uint32_t type, bool mark)
{
	at[0] = VERSION2;
	at[1] = (uint8_t)(type | (mark ? MARK : 0));
	be_store(at + 2, s->number++, 2);
	be_store(at + 4, s->timestamp, 4);
	be_store(at + 8, s->ssrc, 4);
}

static void sound(struct mimic_rtp_stream *s, uint8_t *at, uint64_t now_ns)
{
	uint64_t passed = now_ns - s->at_ns;
	bool mark = !s->begun || passed >= SILENCE_NS;
	if (s->begun) /* silence takes its time as well */
		s->timestamp += (uint32_t)(passed / SOUND_NS) * SOUND_TICKS;
	s->begun = true;
	s->at_ns = now_ns;
	write(s, at, MIMIC_RTP_SOUND, mark);
}

static uint32_t picture_ticks(uint64_t ns)
{
	return (uint32_t)(ns * 9 / 100000); /* 90 kHz */
}

/* The timestamp is when the picture was taken: it moves with the clock, at least by one. */
static void next_frame(struct mimic_rtp *r, uint64_t now_ns)
{
	struct mimic_rtp_stream *s = &r->picture;
	uint64_t passed = now_ns - s->at_ns;
	if (s->begun)
		s->timestamp += picture_ticks(passed) + 1;
	r->sparse = !s->begun || passed >= FRAME_LATE_NS;
	r->open = true;
	s->begun = true;
	s->at_ns = now_ns;
}

void mimic_rtp_put(struct mimic_rtp *r, uint8_t *at, uint32_t len, bool last, uint64_t now_ns)
{
	struct mimic_rtp_stream *s = &r->picture;
	if (len <= SOUND_MOST && (!r->sound.begun || now_ns - r->sound.at_ns >= SOUND_NS)) {
		sound(&r->sound, at, now_ns);
		return;
	}
	if (!r->open || now_ns - s->at_ns >= FRAME_LATE_NS)
		next_frame(r, now_ns);
	bool mark = last && (r->sparse || now_ns - s->at_ns >= FRAME_NS);
	write(s, at, MIMIC_RTP_PICTURE, mark);
	r->open = !mark;
}

bool mimic_rtp_is_data(const uint8_t *datagram, uint32_t len)
{
	if (len <= MIMIC_RTP_HEADER || datagram[0] != VERSION2)
		return false;
	uint32_t type = datagram[1] & ~MARK;
	return type == MIMIC_RTP_SOUND || type == MIMIC_RTP_PICTURE;
}
