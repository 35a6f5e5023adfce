/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static unsigned count, failures;

bool check(bool holds, const char *format, ...)
{
	count++;
	if (holds)
		return true;
	failures++;
	va_list args;
	va_start(args, format);
	printf("not ok - ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	return false;
}

unsigned check_count(void)
{
	return count;
}

unsigned check_failures(void)
{
	return failures;
}

bool is_snake_case(const char *name)
{
	if (name == NULL || name[0] < 'a' || name[0] > 'z')
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

bool is_one_line(const char *text)
{
	return text != NULL && text[0] != '\0' && strpbrk(text, "\r\n") == NULL;
}
