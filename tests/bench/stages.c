/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_stages: what each stage of a packet's way costs by itself, in nanoseconds per packet.
 *
 *	bench_stages [--json] [--only STAGE]
 *	bench_stages --self-check
 *		does each piece of work a few times only, and says whether it was done rightly
 *
 * "cold": what the work reads was thrown out of the first two levels of cache before.
 */
#include "stages.h"

#include <sodium.h>

int main(int argc, char **argv)
{
	struct measure m = {.rows = NULL};
	if (!measure_arguments(&m.options, argc, argv)) {
		fprintf(stderr, "usage: bench_stages [--json] [--self-check] [--only STAGE]\n");
		return 2;
	}
	if (sodium_init() < 0)
		return 1;
	stages_push(&m);
	stages_tcpip(&m);
	stages_session(&m);
	stages_aead(&m);
	stages_obfs(&m);
	return measure_finish(&m);
}
