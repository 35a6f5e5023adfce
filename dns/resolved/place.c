/* SPDX-License-Identifier: BSD-2-Clause */
#include "place.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fault.h"

/* As /proc/PID/comm has it: 15 bytes of the program's name. */
#define COMM "systemd-resolve\n"

/* The bus may count processes otherwise than our /proc does, in a container: then the number is of
 * another program here, or of none. */
static bool is_resolved(uint32_t pid)
{
	char path[48], comm[32] = "";
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return false;
	bool same = fgets(comm, sizeof(comm), f) != NULL && strcmp(comm, COMM) == 0;
	fclose(f);
	return same;
}

static bool is_in_another_namespace(uint32_t pid)
{
	char path[48];
	struct stat theirs, ours;
	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	return stat(path, &theirs) == 0 && stat("/proc/self/ns/net", &ours) == 0 &&
	       (theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino);
}

bool resolved_place_is_elsewhere(struct resolved_bus *b, uint64_t deadline)
{
	sd_bus_message *reply = NULL;
	uint32_t pid = 0;
	if (resolved_bus_ask(b, "GetConnectionUnixProcessID", RESOLVED_NAME, deadline, &reply) ==
		    0 &&
	    sd_bus_message_read(reply, "u", &pid) < 0)
		pid = 0;
	sd_bus_message_unref(reply);
	return pid != 0 && is_resolved(pid) && is_in_another_namespace(pid);
}

vpn_status resolved_place_fault(struct vpn_error *err)
{
	return dns_fault(
		err, VPN_ENOTSUP, 0, NULL,
		"the systemd-resolved of this bus runs in another network namespace, where "
		"our interface is not: choose \"backend\": \"file\"");
}
