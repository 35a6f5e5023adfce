/* SPDX-License-Identifier: BSD-2-Clause */
#include "place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "disk.h"
#include "record.h"

/* One putting into place. */
struct placing {
	struct dns_file *f;
	const char *path;
	enum dns_file_kind kind; /* of what is there */
	bool mounted;
	char *now; /* what it says: of a regular file, its first bytes */
	size_t n_now;
	bool whole; /* now has all of it */
	char temp[DNS_FILE_NAME_MAX], backup[DNS_FILE_NAME_MAX];
};

/* EXDEV and EBUSY tell of a mounted file where statx() does not. */
static bool is_mounted(int e)
{
	return e == EXDEV || e == EBUSY;
}

static vpn_status cannot_write(const struct placing *p, int e, struct vpn_error *err)
{
	const char *mend = "";
	if (e == EROFS)
		mend = ": its file system is read-only";
	else if (e == EPERM || e == EACCES)
		mend = geteuid() != 0 ? ": run as root" : ": is it immutable (lsattr)?";
	return dns_fault(err, dns_status(e), e, "/path", "cannot write %s: %s%s", p->path,
			 strerror(e), mend);
}

/* ---- what is there ---- */

static vpn_status look(struct placing *p, struct vpn_error *err)
{
	int e = dns_file_disk_kind(p->path, &p->kind, &p->mounted);
	if (e == 0 && p->kind == DNS_FILE_OTHER)
		return dns_fault(err, VPN_EINVAL, 0, "/path", "%s is no file", p->path);
	if (e == 0 && p->kind == DNS_FILE_REGULAR)
		e = dns_file_disk_read(p->path, p->now, DNS_FILE_BEFORE_MAX, &p->n_now);
	p->whole = e == 0;
	if (e == ENOENT) /* meanwhile */
		p->kind = DNS_FILE_NONE;
	if (e == 0 || e == ENOENT || e == EFBIG)
		return VPN_OK;
	return dns_fault(err, dns_status(e), e, "/path", "cannot read %s: %s", p->path,
			 strerror(e));
}

static bool is_ours(const struct placing *p)
{
	return p->kind == DNS_FILE_REGULAR && p->whole && p->n_now == p->f->n_text &&
	       memcmp(p->now, p->f->text, p->n_now) == 0;
}

static vpn_status refuse_second(const struct placing *p, const char *name, struct vpn_error *err)
{
	return dns_fault(err, VPN_EBUSY, 0, NULL,
			 "%s has the name servers of pipeline \"%s\" in it: one pipeline at a time "
			 "can write this file. Stop that one, or use \"backend\": \"resolved\" or "
			 "\"resolvconf\"; if it is gone: vpncore cleanup, or write the file anew",
			 p->path, name);
}

/* Another pipeline's, when ours does not stand there yet. */
static vpn_status check_free(const struct placing *p, struct vpn_error *err)
{
	char name[65];
	if (p->kind != DNS_FILE_REGULAR)
		return VPN_OK;
	dns_file_text_owner(p->now, p->n_now, name);
	return name[0] == '\0' ? VPN_OK : refuse_second(p, name, err);
}

/* ---- the journal ---- */

/* Writes down what is about to be done. What is in the journal of an earlier time is of no more use: what
 * stands there is not ours. Only what we have made below a mount stays. */
static vpn_status note(struct placing *p, enum dns_file_way way, uint64_t temp,
		       struct vpn_error *err)
{
	struct dns_file *f = p->f;
	struct dns_file_record head = {
		.version = DNS_FILE_RECORD_VERSION,
		.way = way,
		.temp = temp,
		.n_text = (uint32_t)f->n_text,
		.n_before = way == DNS_FILE_WAY_PLACE ? (uint32_t)p->n_now : 0,
	};
	size_t len = sizeof(head) + head.n_text + head.n_before;
	uint64_t id;
	snprintf(head.path, sizeof(head.path), "%s", p->path);
	char *record = malloc(len);
	if (record == NULL)
		return dns_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	memcpy(record, &head, sizeof(head));
	memcpy(record + sizeof(head), f->text, head.n_text);
	memcpy(record + sizeof(head) + head.n_text, p->now, head.n_before);
	vpn_status status = dns_note(&f->dns, VPN_JOURNAL_FILES, record, len, &id, err);
	free(record);
	if (status != VPN_OK)
		return status;
	if (f->has_record && (way != DNS_FILE_WAY_PLACE || f->way == DNS_FILE_WAY_PLACE))
		f->dns.journal->forget(f->dns.journal_inst, f->record);
	f->record = id;
	f->way = way;
	f->has_record = true;
	return VPN_OK;
}

/* ---- the ways ---- */

static bool is_there(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

/* Gives what stands at the path its second name, in place of an earlier one of ours. An errno. */
static int keep(const struct placing *p, bool again)
{
	if (!again)
		return link(p->path, p->backup) == 0 ? 0 : errno;
	if (link(p->path, p->temp) != 0)
		return errno;
	return rename(p->temp, p->backup) == 0 ? 0 : errno;
}

static vpn_status refuse_backup(const struct placing *p, struct vpn_error *err)
{
	return dns_fault(err, VPN_EBUSY, EEXIST, "/path",
			 "%s exists already: another pipeline is just writing this file, or one "
			 "has died and its journal is gone; then: mv %s %s",
			 p->backup, p->backup, p->path);
}

/* A new file takes the name of what is there, or a free one. *ret_errno is of the call that failed. */
static vpn_status replace(struct placing *p, int *ret_errno, struct vpn_error *err)
{
	struct dns_file *f = p->f;
	bool again = f->has_record && is_there(p->backup);
	bool fresh = p->kind == DNS_FILE_NONE;
	uint64_t temp;
	if (!f->has_record && is_there(p->backup))
		return refuse_backup(p, err);
	f->dns.host->random(f->dns.host, &temp, sizeof(temp));
	dns_file_name_temp(p->path, temp, p->temp);
	/* a second name that was given once is what comes back, whoever has removed the first since */
	vpn_status status = note(p, fresh && !again ? DNS_FILE_WAY_NEW : DNS_FILE_WAY_REPLACE, temp,
				 err);
	if (status != VPN_OK)
		return status;
	int e = fresh ? 0 : keep(p, again);
	if (e == EEXIST && !again) { /* another one's: our record must not touch it */
		f->dns.journal->forget(f->dns.journal_inst, f->record);
		f->has_record = false;
		return refuse_backup(p, err);
	}
	if (e == 0)
		e = dns_file_disk_create(p->temp, p->path, f->text, f->n_text);
	if (e == 0 && rename(p->temp, p->path) != 0) {
		e = errno;
		unlink(p->temp);
	}
	*ret_errno = e;
	dns_file_disk_sync_folder(p->path);
	return e == 0 ? VPN_OK : cannot_write(p, e, err);
}

static vpn_status overwrite(struct placing *p, struct vpn_error *err)
{
	struct dns_file *f = p->f;
	if (!p->whole)
		return dns_fault(err, VPN_ENOTSUP, 0, "/path",
				 "%s is mounted where it is, and has more than %u bytes", p->path,
				 DNS_FILE_BEFORE_MAX);
	vpn_status status = note(p, DNS_FILE_WAY_PLACE, 0, err);
	if (status != VPN_OK)
		return status;
	int e = dns_file_disk_overwrite(p->path, f->text, f->n_text, p->now, p->n_now);
	return e == 0 ? VPN_OK : cannot_write(p, e, err);
}

static vpn_status put(struct placing *p, struct vpn_error *err)
{
	struct dns_file *f = p->f;
	int e = 0;
	if (p->mounted)
		return overwrite(p, err);
	vpn_status status = replace(p, &e, err);
	if (status == VPN_OK || p->kind != DNS_FILE_REGULAR || !is_mounted(e))
		return status;
	/* nothing was replaced: the record goes, with what it had made */
	f->has_record = false;
	status = f->dns.journal->undo(f->dns.journal_inst, f->record, err);
	return status == VPN_OK ? overwrite(p, err) : status;
}

vpn_status dns_file_place(struct dns_file *f, bool *ret_changed, struct vpn_error *err)
{
	struct placing p = {.f = f, .path = dns_file_options(f)->path};
	*ret_changed = false;
	p.now = malloc(DNS_FILE_BEFORE_MAX);
	if (p.now == NULL)
		return dns_fault(err, VPN_ENOMEM, 0, NULL, "out of memory");
	dns_file_name_backup(p.path, p.backup);
	vpn_status status = look(&p, err);
	if (status == VPN_OK && !(f->has_record && is_ours(&p))) {
		*ret_changed = true;
		status = check_free(&p, err);
		if (status == VPN_OK)
			status = put(&p, err);
	}
	free(p.now);
	return status;
}
