/* SPDX-License-Identifier: BSD-2-Clause */
/* log: one line per message on stderr, as text or JSON, from any thread. */
#ifndef VPNCORE_CORE_LOG_H
#define VPNCORE_CORE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Level is one of VPN_LOG_*. Set before any thread is started. [main] */
void log_configure(uint32_t level, bool json);
uint32_t log_level(void);
bool log_is_json(void);

/* Sends lines elsewhere than to stderr; NULL restores. The line has no newline. [main] */
void log_redirect(void (*line)(void *ctx, uint32_t level, const char *line), void *ctx);

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
