/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log: one line per message on stderr, as text or JSON, from any thread. A program that runs several
 * pipelines has a sink for each: their levels differ, and their lines go where each one's owner says.
 */
#ifndef VPNCORE_CORE_LOG_H
#define VPNCORE_CORE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Where the lines of one pipeline go. */
struct log_sink {
	uint32_t level;
	bool json; /* on stderr */
	/* Takes the place of stderr, on whatever thread says something; NULL = stderr. */
	void (*line)(void *ctx, uint32_t level, const char *who, const char *text);
	void *ctx;
};

/* What this thread says goes to *sink from now on; NULL = to the process's own log. The sink is the
 * caller's and outlives its use. Returns what was there before. [any] */
const struct log_sink *log_use(const struct log_sink *sink);

/* Level is one of VPN_LOG_*; of the process's own log. Set before any thread is started. [main] */
void log_configure(uint32_t level, bool json);

/* Of what this thread says. [any] */
uint32_t log_level(void);
bool log_is_json(void);

/* Sends the lines of the process's own log elsewhere than to stderr; NULL restores. The line has no
 * newline. [main] */
void log_redirect(void (*line)(void *ctx, uint32_t level, const char *line), void *ctx);

/* Like log_text(), to *sink; NULL = where this thread's lines go. [any] */
void log_to(const struct log_sink *sink, uint32_t level, const char *who, const char *text);

/* Logs `text` with the name of who says it. Control characters are replaced. Waits for nobody: a line
 * that stderr does not take at once is lost, and the number of lost ones is said later. [any] */
void log_text(uint32_t level, const char *who, const char *text);

void log_printf(uint32_t level, const char *who, const char *format, ...)
	__attribute__((format(printf, 3, 4))); /* [any] */

/* Writes `text` and a newline as they are, at any level; waits a second for a slow reader. [main] */
void log_plain(const char *text);

/* The level of a name, or -1. */
int log_level_of(const char *name);

#endif
