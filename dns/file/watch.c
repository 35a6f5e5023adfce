/* SPDX-License-Identifier: BSD-2-Clause */
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/fault.h"

#define READS 16 /* of one call: the rest is polled for again */

/* Of the folder: names that are given, taken and written to. A file that is mounted is none of its names:
 * that one is watched itself. */
#define IN_FOLDER \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR)
#define IN_FILE (IN_MODIFY | IN_CLOSE_WRITE | IN_DONT_FOLLOW)

static bool concerns(const struct dns_file *f, const struct inotify_event *event)
{
	const char *path = dns_file_options(f)->path;
	return event->len == 0 || strcmp(event->name, strrchr(path, '/') + 1) == 0;
}

static void on_event(void *ctx, int fd, uint32_t events)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct dns_file *f = ctx;
	bool concerned = false;
	(void)events;
	for (int i = 0; i < READS; i++) {
		ssize_t n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buf + at);
			concerned |= concerns(f, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	if (concerned)
		dns_stir(&f->dns);
}

static bool watch_folder(const struct dns_file *f)
{
	const char *path = dns_file_options(f)->path;
	const char *slash = strrchr(path, '/');
	char folder[DNS_FILE_PATH_MAX + 1u];
	snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return inotify_add_watch(f->notify, folder, IN_FOLDER) >= 0;
}

void dns_file_watch_open(struct dns_file *f)
{
	struct dns *d = &f->dns;
	f->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	bool good = f->notify >= 0 && watch_folder(f);
	if (good && f->way == DNS_FILE_WAY_PLACE)
		good = inotify_add_watch(f->notify, dns_file_options(f)->path, IN_FILE) >= 0;
	int e = errno;
	if (good && d->loop->watch(d->loop_inst, f->notify, VPN_POLLIN, on_event, f) != VPN_OK) {
		good = false;
		e = ENOMEM;
	}
	if (good)
		return;
	dns_log(d->host, VPN_LOG_WARN,
		"%s cannot be watched (%s): it is not put back when another program changes it",
		dns_file_options(f)->path, strerror(e));
	if (f->notify >= 0)
		close(f->notify);
	f->notify = -1;
}

void dns_file_watch_close(struct dns_file *f)
{
	if (f->notify < 0)
		return;
	f->dns.loop->watch(f->dns.loop_inst, f->notify, 0, NULL, NULL);
	close(f->notify);
	f->notify = -1;
}
