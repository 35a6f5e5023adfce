/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vpncore/plugin.h>

#define LINE_MAX_BYTES 1024
#define PATIENCE_MS    1000 /* of the control thread, for an answer that somebody asked for */
#define WHO_END        256  /* what stands in front of the text ends here */

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static struct {
	pthread_mutex_t lock;
	uint32_t level;
	bool json;
	void (*line)(void *ctx, uint32_t level, const char *line);
	void *ctx;
	uint64_t lost; /* lines that nobody took */
} out = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = VPN_LOG_INFO};

static _Thread_local const struct log_sink *current; /* NULL = out */

const struct log_sink *log_use(const struct log_sink *sink)
{
	const struct log_sink *before = current;
	current = sink;
	return before;
}

void log_configure(uint32_t level, bool json)
{
	pthread_mutex_lock(&out.lock);
	out.level = level;
	out.json = json;
	pthread_mutex_unlock(&out.lock);
}

uint32_t log_level(void)
{
	if (current != NULL)
		return current->level;
	pthread_mutex_lock(&out.lock);
	uint32_t level = out.level;
	pthread_mutex_unlock(&out.lock);
	return level;
}

bool log_is_json(void)
{
	if (current != NULL)
		return current->json;
	pthread_mutex_lock(&out.lock);
	bool json = out.json;
	pthread_mutex_unlock(&out.lock);
	return json;
}

void log_redirect(void (*line)(void *ctx, uint32_t level, const char *line), void *ctx)
{
	pthread_mutex_lock(&out.lock);
	out.line = line;
	out.ctx = ctx;
	pthread_mutex_unlock(&out.lock);
}

int log_level_of(const char *name)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
		if (strcmp(name, level_names[i]) == 0)
			return (int)i;
	return -1;
}

/* Length of the well-formed UTF-8 sequence of two bytes or more at s (RFC 3629 section 4), or 0. */
static size_t sequence(const unsigned char *s)
{
	size_t n = s[0] >= 0xc2 && s[0] < 0xe0   ? 2
		   : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		   : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						 : 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
	bool beyond = (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf4 && s[1] > 0x8f);
	return overlong || beyond ? 0 : n;
}

/* Appends s to line, escaped for the format, up to `limit` bytes; returns the new length. */
static size_t append(char *line, size_t at, size_t limit, const char *s, bool json)
{
	for (; *s != '\0' && at + 7 < limit; s++) {
		unsigned char c = (unsigned char)*s;
		size_t n = json && c >= 0x80 ? sequence((const unsigned char *)s) : 1;
		if (n != 1) { /* other bytes, or a text that was cut: they must not break JSON */
			memcpy(line + at, n != 0 ? s : "?", n != 0 ? n : 1);
			at += n != 0 ? n : 1;
			s += n != 0 ? n - 1 : 0;
		} else if (json && (c == '"' || c == '\\')) {
			line[at++] = '\\';
			line[at++] = (char)c;
		} else if (c < 0x20 || c == 0x7f) {
			if (json)
				at += (size_t)snprintf(line + at, 7, "\\u%04x", c);
			else
				line[at++] = '?';
		} else {
			line[at++] = (char)c;
		}
	}
	line[at] = '\0';
	return at;
}

static size_t format_json(char *line, uint32_t level, const char *who, const char *text)
{
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	char when[32];
	size_t n = strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(when + n, sizeof(when) - n, ".%03ldZ", now.tv_nsec / 1000000);
	size_t at = (size_t)snprintf(line, LINE_MAX_BYTES,
				     "{\"time\":\"%s\",\"level\":\"%s\",\"from\":\"", when,
				     level_names[level]);
	at = append(line, at, WHO_END, who, true);
	at += (size_t)snprintf(line + at, LINE_MAX_BYTES - at, "\",\"text\":\"");
	at = append(line, at, LINE_MAX_BYTES, text, true);
	/* append() leaves room for this */
	line[at++] = '"';
	line[at++] = '}';
	line[at] = '\0';
	return at;
}

static size_t format_text(char *line, uint32_t level, const char *who, const char *text)
{
	size_t at = (size_t)snprintf(line, LINE_MAX_BYTES, "%s: ", level_names[level]);
	at = append(line, at, WHO_END, who, false);
	if (*who != '\0')
		at = append(line, at, LINE_MAX_BYTES, ": ", false);
	return append(line, at, LINE_MAX_BYTES, text, false);
}

/* Writes a line with its newline if stderr takes it within patience_ms: a pipe that says it is
 * writable takes PIPE_BUF bytes at once, and a line has fewer (pipe(7)). */
static bool put(const char *line, size_t n, int patience_ms)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (poll(&p, 1, patience_ms) != 1 || (p.revents & POLLOUT) == 0)
		return false;
	return write(STDERR_FILENO, line, n) == (ssize_t)n;
}

/* Whoever reads the log may be slow or gone: no lane waits for it. What is lost is counted, and
 * said as soon as there is room again. */
static void put_or_lose(const char *line, size_t n, bool json, int patience_ms)
{
	if (out.lost != 0) {
		char text[64];
		int k = snprintf(text, sizeof(text), "%llu lines of the log were lost",
				 (unsigned long long)out.lost);
		char said[LINE_MAX_BYTES + 2];
		if (k > 0) {
			size_t m = json ? format_json(said, VPN_LOG_WARN, "log", text)
					: format_text(said, VPN_LOG_WARN, "log", text);
			said[m++] = '\n';
			if (put(said, m, patience_ms))
				out.lost = 0;
		}
	}
	if (!put(line, n, patience_ms))
		out.lost++;
}

void log_plain(const char *text)
{
	char line[LINE_MAX_BYTES + 2];
	size_t n = strnlen(text, LINE_MAX_BYTES);
	memcpy(line, text, n);
	line[n++] = '\n';
	pthread_mutex_lock(&out.lock);
	put_or_lose(line, n, out.json, PATIENCE_MS);
	pthread_mutex_unlock(&out.lock);
}

/* To stderr, or where the process's own log goes. Under the lock. */
static void say(uint32_t level, bool json, const char *who, const char *text,
		void (*line_to)(void *ctx, uint32_t level, const char *line))
{
	char line[LINE_MAX_BYTES + 2];
	size_t n = json ? format_json(line, level, who, text) : format_text(line, level, who, text);
	if (line_to != NULL) {
		line_to(out.ctx, level, line);
		return;
	}
	line[n++] = '\n';
	put_or_lose(line, n, json, 0);
}

static void say_to(const struct log_sink *sink, uint32_t level, const char *who, const char *text)
{
	char plain[LINE_MAX_BYTES];
	if (level > sink->level)
		return;
	if (sink->line != NULL) {
		append(plain, 0, sizeof(plain), text, false);
		sink->line(sink->ctx, level, who, plain);
		return;
	}
	pthread_mutex_lock(&out.lock);
	say(level, sink->json, who, text, NULL);
	pthread_mutex_unlock(&out.lock);
}

void log_to(const struct log_sink *sink, uint32_t level, const char *who, const char *text)
{
	if (level > VPN_LOG_DEBUG)
		level = VPN_LOG_DEBUG;
	if (sink == NULL)
		sink = current;
	if (sink != NULL) {
		say_to(sink, level, who, text);
		return;
	}
	pthread_mutex_lock(&out.lock);
	if (level <= out.level)
		say(level, out.json, who, text, out.line);
	pthread_mutex_unlock(&out.lock);
}

void log_text(uint32_t level, const char *who, const char *text)
{
	log_to(NULL, level, who, text);
}

void log_printf(uint32_t level, const char *who, const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;
	if (level > log_level())
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	log_text(level, who, text);
}
