/* SPDX-License-Identifier: BSD-2-Clause */
/* Where there is no systemd nobody listens. */
#include "notify.h"

int notify_send(const char *state)
{
	(void)state;
	return 0;
}
