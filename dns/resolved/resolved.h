/* SPDX-License-Identifier: BSD-2-Clause */
/* resolved: the instance of the dns component that programs systemd-resolved. */
#ifndef RESOLVED_H
#define RESOLVED_H

#include "bus.h"
#include "common/frame.h"
#include "push.h"
#include "settings.h"

struct resolved {
	struct dns dns; /* first */
	struct resolved_bus bus;
	struct resolved_settings settings;
	struct resolved_push push;
	sd_bus_slot *watcher; /* of systemd-resolved's coming and going */
	uint64_t record;
	bool is_noted;       /* `record` is in the journal */
	bool is_waiting;     /* until another try */
	uint64_t pause_ns;   /* before the next one */
	char complaint[256]; /* what was logged last */
};

#endif
