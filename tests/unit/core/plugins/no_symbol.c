/* SPDX-License-Identifier: BSD-2-Clause */
/* no_symbol: a library that is no plugin. */
extern __attribute__((visibility("default"))) int something_else;
int something_else = 1;
