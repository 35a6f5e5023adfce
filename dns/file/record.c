/* SPDX-License-Identifier: BSD-2-Clause */
#include "record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "disk.h"
#include "text.h"

void dns_file_name_backup(const char *path, char name[DNS_FILE_NAME_MAX])
{
	snprintf(name, DNS_FILE_NAME_MAX, "%s.vpncore-backup", path);
}

void dns_file_name_temp(const char *path, uint64_t number, char name[DNS_FILE_NAME_MAX])
{
	snprintf(name, DNS_FILE_NAME_MAX, "%s.vpncore-%016" PRIx64, path, number);
}

/* A record with what stands behind it. */
struct change {
	struct dns_file_record head;
	const char *text, *before;
	char backup[DNS_FILE_NAME_MAX];
};

static bool is_sound(const struct dns_file_record *r, uint32_t len)
{
	return r->version == DNS_FILE_RECORD_VERSION && r->way >= DNS_FILE_WAY_NEW &&
	       r->way <= DNS_FILE_WAY_PLACE && r->n_text > 0 && r->n_text <= DNS_FILE_TEXT_MAX &&
	       r->n_before <= DNS_FILE_BEFORE_MAX && len == sizeof(*r) + r->n_text + r->n_before &&
	       memchr(r->path, '\0', sizeof(r->path)) != NULL && r->path[0] == '/';
}

static vpn_status cannot(const struct change *c, const char *what, int e, struct vpn_error *err)
{
	return dns_fault(err, dns_status(e), e, NULL, "cannot %s %s: %s", what, c->head.path,
			 strerror(e));
}

/* ---- what is there now ---- */

enum state { STATE_OURS, STATE_MISSING, STATE_OTHER, STATE_TORN };

static enum state state_of(const struct change *c, const char *now, size_t n)
{
	const struct dns_file_record *r = &c->head;
	if (n == r->n_text && memcmp(now, c->text, n) == 0)
		return STATE_OURS;
	if (r->way != DNS_FILE_WAY_PLACE || (n == r->n_before && memcmp(now, c->before, n) == 0))
		return STATE_OTHER;
	/* broken off on the way there, or on the way back */
	bool torn = dns_file_disk_is_between(now, n, c->text, r->n_text, c->before, r->n_before) ||
		    dns_file_disk_is_between(now, n, c->before, r->n_before, c->text, r->n_text);
	return torn ? STATE_TORN : STATE_OTHER;
}

/* An errno. */
static int look(const struct change *c, enum state *ret)
{
	const size_t cap = DNS_FILE_BEFORE_MAX + DNS_FILE_TEXT_MAX;
	size_t n = 0;
	*ret = STATE_OTHER;
	char *now = malloc(cap);
	if (now == NULL)
		return ENOMEM;
	int e = dns_file_disk_read(c->head.path, now, cap, &n);
	if (e == 0)
		*ret = state_of(c, now, n);
	free(now);
	if (e == ENOENT || e == ENOTDIR)
		*ret = STATE_MISSING;
	/* a link, a folder, a large file: not ours */
	return e == ELOOP || e == EINVAL || e == EFBIG || e == ENOENT || e == ENOTDIR ? 0 : e;
}

/* ---- the three ways back ---- */

static vpn_status remove_name(const char *name, struct vpn_error *err)
{
	struct stat st;
	/* looks first: what is not there need not be removed from a read-only file system */
	if (lstat(name, &st) != 0 || unlink(name) == 0)
		return VPN_OK;
	int e = errno;
	return dns_fault(err, dns_status(e), e, NULL, "cannot remove %s: %s", name, strerror(e));
}

static void say_it_stays(const struct vpn_host *host, const struct change *c)
{
	dns_log(host, VPN_LOG_INFO,
		"%s is not as we made it any more: what another program wrote there stays",
		c->head.path);
}

static vpn_status undo_new(const struct vpn_host *host, const struct change *c, enum state now,
			   struct vpn_error *err)
{
	(void)host;
	return now == STATE_OURS ? remove_name(c->head.path, err) : VPN_OK;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;
	return lstat(a, &x) == 0 && lstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static vpn_status undo_replace(const struct vpn_host *host, const struct change *c, enum state now,
			       struct vpn_error *err)
{
	struct stat st;
	bool has_backup = lstat(c->backup, &st) == 0;
	if (!has_backup && now == STATE_OURS)
		dns_log(host, VPN_LOG_WARN,
			"%s is gone: %s stays as it is, with the tunnel's name servers; write "
			"others into it",
			c->backup, c->head.path);
	if (!has_backup)
		return VPN_OK;
	if (now == STATE_OTHER) {
		/* two names of one file: it was not replaced yet */
		if (!is_same_file(c->backup, c->head.path))
			say_it_stays(host, c);
		return remove_name(c->backup, err);
	}
	if (rename(c->backup, c->head.path) != 0)
		return cannot(c, "bring back", errno, err);
	return VPN_OK;
}

static vpn_status undo_place(const struct vpn_host *host, const struct change *c, enum state now,
			     struct vpn_error *err)
{
	const struct dns_file_record *r = &c->head;
	if (now == STATE_OURS || now == STATE_TORN) {
		int e = dns_file_disk_overwrite(r->path, c->before, r->n_before, c->text,
						r->n_text);
		return e == 0 ? VPN_OK : cannot(c, "write back into", e, err);
	}
	(void)host;
	return VPN_OK;
}

static vpn_status undo(const struct vpn_host *host, const struct change *c, struct vpn_error *err)
{
	static vpn_status (*const ways[])(const struct vpn_host *, const struct change *,
					  enum state, struct vpn_error *) = {
		[DNS_FILE_WAY_NEW] = undo_new,
		[DNS_FILE_WAY_REPLACE] = undo_replace,
		[DNS_FILE_WAY_PLACE] = undo_place,
	};
	char temp[DNS_FILE_NAME_MAX];
	enum state now;
	int e = look(c, &now);
	if (e != 0)
		return cannot(c, "read", e, err);
	dns_file_name_temp(c->head.path, c->head.temp, temp);
	vpn_status status = remove_name(temp, err);
	if (status == VPN_OK)
		status = ways[c->head.way](host, c, now, err);
	dns_file_disk_sync_folder(c->head.path);
	return status;
}

vpn_status dns_file_record_undo(const struct vpn_host *host, uint32_t flags, const void *data,
				uint32_t len, struct vpn_error *err)
{
	struct change c;
	(void)flags;
	if (len < sizeof(c.head))
		return dns_fault(err, VPN_EINVAL, 0, NULL, "this record has %u bytes: too few",
				 len);
	memcpy(&c.head, data, sizeof(c.head));
	if (!is_sound(&c.head, len))
		return dns_fault(err, VPN_EINVAL, 0, NULL,
				 "this record makes no sense here (version %u, way %u)",
				 c.head.version, c.head.way);
	c.text = (const char *)data + sizeof(c.head);
	c.before = c.text + c.head.n_text;
	dns_file_name_backup(c.head.path, c.backup);
	return undo(host, &c, err);
}
