/* SPDX-License-Identifier: BSD-2-Clause */
#include "watch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/fault.h"
#include "place.h"
#include "resolvconf.h"

#define EVENTS \
	(IN_CREATE | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | \
	 IN_MOVE_SELF | IN_ONLYDIR)

/* Keys of others come and go, and each call makes files of its own. */
static bool concerns(const struct resolvconf *r, const struct inotify_event *e)
{
	return e->len == 0 || (e->mask & (IN_ISDIR | IN_Q_OVERFLOW)) != 0 ||
	       strcmp(e->name, r->key) == 0;
}

static void on_event(void *ctx, int fd, uint32_t events)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct resolvconf *r = ctx;
	bool concerned = false;
	(void)events;
	ssize_t n = read(fd, buf, sizeof(buf));
	for (char *at = buf; n > 0 && at < buf + n;) {
		const struct inotify_event *e = (const void *)at;
		concerned |= concerns(r, e);
		at += sizeof(*e) + e->len;
	}
	if (concerned)
		dns_stir(&r->dns);
}

void resolvconf_watch_follow(struct resolvconf *r)
{
	char path[RESOLVCONF_PLACE_MAX];
	/* adding one that is there already changes nothing */
	(void)inotify_add_watch(r->watch, RESOLVCONF_STATE, EVENTS);
	for (size_t i = 0; i < RESOLVCONF_PLACES; i++)
		if (resolvconf_place(i, r->program.kind, NULL, path))
			(void)inotify_add_watch(r->watch, path, EVENTS);
}

vpn_status resolvconf_watch_open(struct resolvconf *r, struct vpn_error *err)
{
	r->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	r->has_watch = r->watch >= 0;
	if (!r->has_watch)
		return dns_fault(err, dns_status(errno), errno, NULL, "cannot watch files: %s",
				 strerror(errno));
	vpn_status status = r->dns.loop->watch(r->dns.loop_inst, r->watch, VPN_POLLIN, on_event, r);
	if (status != VPN_OK)
		return dns_fault(err, status, 0, NULL, "cannot watch files");
	resolvconf_watch_follow(r);
	return VPN_OK;
}

void resolvconf_watch_close(struct resolvconf *r)
{
	if (!r->has_watch)
		return;
	(void)r->dns.loop->watch(r->dns.loop_inst, r->watch, 0, NULL, NULL);
	close(r->watch);
	r->has_watch = false;
}
