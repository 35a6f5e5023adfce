/* SPDX-License-Identifier: BSD-2-Clause */
/* cases: cmocka with what it needs before it. */
#ifndef IMPAIR_CASES_H
#define IMPAIR_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
