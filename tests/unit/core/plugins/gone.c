/* SPDX-License-Identifier: BSD-2-Clause */
/* gone: stands in for a library that is not there when its user is loaded. */
int gone_function(void);

__attribute__((visibility("default"))) int gone_function(void)
{
	return 1;
}
