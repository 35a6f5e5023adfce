/* SPDX-License-Identifier: BSD-2-Clause */
#include "holder.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Whether an fdinfo file says that the descriptor is a queue of the device. */
static bool is_queue_of(const char *path, const char *device)
{
	char line[128], name[32];
	bool found = false;
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL)
		found = sscanf(line, "iff: %31s", name) == 1 && strcmp(name, device) == 0;
	fclose(file);
	return found;
}

static bool has_device(const char *pid, const char *device)
{
	char path[600];
	bool found = false;
	snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	DIR *dir = opendir(path);
	if (dir == NULL)
		return false;
	struct dirent *entry;
	while (!found && (entry = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, entry->d_name);
		found = is_queue_of(path, device);
	}
	closedir(dir);
	return found;
}

static void describe(const char *pid, char *buf, size_t cap)
{
	char path[300], name[64] = "";
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	FILE *file = fopen(path, "re");
	if (file != NULL) {
		if (fgets(name, sizeof(name), file) != NULL)
			name[strcspn(name, "\n")] = '\0';
		fclose(file);
	}
	snprintf(buf, cap, "process %s (%s)", pid, name);
}

void tuntap_holder_find(const char *device, char *buf, size_t cap)
{
	snprintf(buf, cap, "another process");
	DIR *dir = opendir("/proc");
	if (dir == NULL)
		return;
	struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]) || !has_device(entry->d_name, device))
			continue;
		describe(entry->d_name, buf, cap);
		break;
	}
	closedir(dir);
}
