/* SPDX-License-Identifier: BSD-2-Clause */
#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"

#define UNITS_TRIED 256u /* for a free number */

/* What open() of a device is made from. */
struct opening {
	struct bsd_device *d;
	const struct bsd_options *o;
	const struct bsd_control *c;
	const struct bsd_journal *j;
	struct vpn_error *err;
};

static vpn_status exists(const struct opening *q, const char *ifname, bool *ret)
{
	uint32_t flags;
	int e = bsd_request_get_flags(q->c, ifname, &flags);
	*ret = e == 0;
	if (e == 0 || e == ENXIO)
		return VPN_OK;
	return bsd_fault(q->err, bsd_status(e), e, NULL,
			 "cannot ask whether there is a device %s: %s", ifname, strerror(e));
}

/* ---- nodes ---- */

static int open_node(const struct opening *q, const char *node)
{
	char path[32];
	snprintf(path, sizeof(path), "/dev/%.20s", node);
	q->d->fd = q->c->ops->open(path);
	return q->d->fd < 0 ? -q->d->fd : 0;
}

static vpn_status node_fault(const struct opening *q, const char *node, int e)
{
	switch (e) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return bsd_fault(q->err, VPN_ENOENT, e, NULL, "/dev/%s is not there: %s", node,
				 q->c->kernel->nodes);
	case EBUSY:
		return bsd_fault(q->err, VPN_EBUSY, e, "/name",
				 "%s is in use by another program: stop that, or choose another "
				 "name",
				 node);
	case EPERM:
	case EACCES:
		return bsd_fault(q->err, VPN_EPERM, e, NULL, "may not open /dev/%s: run as root",
				 node);
	default:
		return bsd_fault(q->err, bsd_status(e), e, NULL, "cannot open /dev/%s: %s", node,
				 strerror(e));
	}
}

/* ---- making a new one ---- */

static vpn_status create_fault(const struct opening *q, const char *name, int e)
{
	if (e == EEXIST)
		return bsd_fault(q->err, VPN_EBUSY, e, "/name",
				 "%s is there already: choose another name", name);
	if (e == EPERM || e == EACCES)
		return bsd_fault(q->err, VPN_EPERM, e, NULL,
				 "making %s needs root: run as root, in a jail with vnet", name);
	return bsd_fault(q->err, bsd_status(e), e, NULL, "cannot make %s: %s", name, strerror(e));
}

/* Takes back what create() has done so far. */
static void uncreate(const struct opening *q, const char *name)
{
	if (bsd_request_destroy(q->c, name) == 0)
		bsd_record_forget(q->j, q->d->record);
	q->d->record = 0;
}

/*
 * SIOCIFCREATE says EEXIST for a device of somebody else, which opening its node would not. Returns
 * VPN_EBUSY, with the reason in err, when this number is taken.
 */
static vpn_status create(const struct opening *q, uint32_t unit)
{
	struct bsd_device *d = q->d;
	char name[BSD_IFNAMSIZ];
	bsd_name_make(name, d->layer->word, unit);
	vpn_status status = bsd_record_add(q->j, d->kind, unit, &d->record, q->err);
	if (status != VPN_OK)
		return status;
	int e = bsd_request_create(q->c, name);
	if (e != 0) {
		bsd_record_forget(q->j, d->record);
		d->record = 0;
		return create_fault(q, name, e);
	}
	e = open_node(q, name);
	if (e == EBUSY) {
		/* another program was quicker, and to destroy it now would wait for that one: the
		 * record stays, for when it is free again */
		d->record = 0;
		return node_fault(q, name, e);
	}
	if (e != 0) {
		uncreate(q, name);
		return node_fault(q, name, e);
	}
	d->destroy = true;
	memcpy(d->name, name, sizeof(name));
	return VPN_OK;
}

static vpn_status open_unit(const struct opening *q, uint32_t unit)
{
	char name[BSD_IFNAMSIZ];
	bsd_name_make(name, q->d->layer->word, unit);
	int e = open_node(q, name);
	if (e != 0)
		return node_fault(q, name, e);
	memcpy(q->d->name, name, sizeof(name));
	return VPN_OK;
}

static vpn_status clone_one(const struct opening *q)
{
	struct bsd_device *d = q->d;
	int e = open_node(q, d->layer->word);
	if (e != 0)
		return node_fault(q, d->layer->word, e);
	if (d->layer->get_name != 0)
		e = bsd_request_name_of(q->c->ops, d->fd, d->layer->get_name, d->name);
	else
		e = -q->c->ops->device_name(d->fd, d->name, sizeof(d->name));
	if (e != 0)
		return bsd_fault(q->err, bsd_status(e), e, NULL,
				 "cannot ask for the name of the new device: %s", strerror(e));
	return VPN_OK;
}

/* The first number that is free. A device that ifconfig has made without opening it is somebody's, so
 * it is passed over. */
static vpn_status make_any(const struct opening *q)
{
	enum bsd_birth birth = q->o->persist == BSD_PERSIST_ON ? BSD_CREATED : q->d->layer->fresh;
	char name[BSD_IFNAMSIZ];
	if (birth == BSD_CLONED)
		return clone_one(q);
	for (uint32_t unit = 0; unit < UNITS_TRIED; unit++) {
		bool there;
		bsd_name_make(name, q->d->layer->word, unit);
		vpn_status status = exists(q, name, &there);
		if (status == VPN_OK && there)
			continue;
		if (status == VPN_OK)
			status = birth == BSD_CREATED ? create(q, unit) : open_unit(q, unit);
		if (status != VPN_EBUSY)
			return status;
	}
	return bsd_fault(q->err, VPN_EBUSY, 0, "/name", "the devices %s0 to %s%u are all taken",
			 q->d->layer->word, q->d->layer->word, UNITS_TRIED - 1);
}

static vpn_status make_numbered(const struct opening *q, uint32_t unit)
{
	bool opened = q->d->layer->numbered == BSD_OPENED || unit < q->d->layer->opened_below;
	if (opened && q->o->persist != BSD_PERSIST_ON)
		return open_unit(q, unit);
	return create(q, unit);
}

/* ---- one that is there ---- */

static vpn_status refuse_existing(const struct opening *q, const char *name)
{
	return bsd_fault(q->err, VPN_EBUSY, 0, "/exclusive",
			 "%s is there already, and \"exclusive\" asks for a new device", name);
}

static void keep_existing(const struct opening *q)
{
	q->d->existed = q->d->lasts = true;
}

static vpn_status attach_numbered(const struct opening *q, uint32_t unit)
{
	char name[BSD_IFNAMSIZ];
	bsd_name_make(name, q->d->layer->word, unit);
	if (q->o->exclusive)
		return refuse_existing(q, name);
	vpn_status status = open_unit(q, unit);
	if (status == VPN_OK)
		keep_existing(q);
	return status;
}

/* The name of the device behind the descriptor, and whether it is of this layer: FreeBSD answers the
 * request for either, so there the node tells. 0 or an errno; ENOTTY for another layer or no device. */
static int identify(const struct opening *q)
{
	struct bsd_device *d = q->d;
	const struct bsd_ops *ops = q->c->ops;
	char node[BSD_IFNAMSIZ];
	int e = d->layer->get_name != 0
			? bsd_request_name_of(ops, d->fd, d->layer->get_name, d->name)
			: -ops->device_name(d->fd, d->name, sizeof(d->name));
	memcpy(node, d->name, sizeof(node));
	if (e == 0 && q->c->kernel->renamed_has_node)
		e = -ops->device_name(d->fd, node, sizeof(node));
	if (e == 0 && strncmp(node, d->layer->word, strlen(d->layer->word)) != 0)
		e = ENOTTY;
	return e;
}

/* An interface of this name is there: where a renamed device has a node of its new name, and the
 * node is that of a device of this layer, it is taken. */
static vpn_status attach_named(const struct opening *q, const char *name)
{
	if (q->o->exclusive)
		return refuse_existing(q, name);
	int e = q->c->kernel->renamed_has_node ? open_node(q, name) : ENOENT;
	if (e == EBUSY)
		return node_fault(q, name, e);
	if (e == 0)
		e = identify(q);
	if (e != 0)
		return bsd_fault(q->err, VPN_EBUSY, e, "/name",
				 "%s is there already, and cannot be opened as a %s device: choose "
				 "another name",
				 name, q->d->layer->word);
	keep_existing(q);
	return VPN_OK;
}

/* ---- names ---- */

static vpn_status rename_fault(const struct opening *q, const char *to, int e)
{
	if (e == EEXIST)
		return bsd_fault(q->err, VPN_EBUSY, e, "/name",
				 "%s is there already: choose another name", to);
	return bsd_fault(q->err, bsd_status(e), e, "/name", "cannot rename %s to %s: %s",
			 q->d->name, to, strerror(e));
}

static vpn_status give_name(const struct opening *q, const struct bsd_name *n)
{
	struct bsd_device *d = q->d;
	char to[BSD_IFNAMSIZ + 8];
	int e = EEXIST;
	for (uint32_t i = 0; i < UNITS_TRIED && e == EEXIST; i++) {
		snprintf(to, sizeof(to), "%s", n->text);
		if (n->kind == BSD_NAME_PATTERN)
			snprintf(to, sizeof(to), "%s%u", n->text, i);
		if (strlen(to) >= BSD_IFNAMSIZ)
			return bsd_fault(q->err, VPN_EINVAL, 0, "/name",
					 "\"%s\" is too long a name for a device", to);
		e = bsd_request_rename(q->c, d->name, to);
		if (n->kind == BSD_NAME_GIVEN)
			break;
	}
	if (e != 0)
		return rename_fault(q, to, e);
	memcpy(d->name, to, BSD_IFNAMSIZ);
	return VPN_OK;
}

static vpn_status open_named(const struct opening *q, const struct bsd_name *n)
{
	bool there = false;
	vpn_status status = n->kind == BSD_NAME_GIVEN ? exists(q, n->text, &there) : VPN_OK;
	if (status == VPN_OK && there)
		return attach_named(q, n->text);
	if (status == VPN_OK)
		status = make_any(q);
	if (status != VPN_OK)
		return status;
	if (q->c->kernel->set_name != 0)
		return give_name(q, n);
	q->d->wish_lost = true;
	return VPN_OK;
}

static vpn_status open_by_name(const struct opening *q)
{
	struct bsd_name n = bsd_name_parse(q->o->name, q->d->layer->word);
	char name[BSD_IFNAMSIZ];
	vpn_status status;
	bool there;
	switch (n.kind) {
	case BSD_NAME_NUMBERED:
		bsd_name_make(name, q->d->layer->word, n.unit);
		status = exists(q, name, &there);
		if (status != VPN_OK)
			return status;
		return there ? attach_numbered(q, n.unit) : make_numbered(q, n.unit);
	case BSD_NAME_GIVEN:
	case BSD_NAME_PATTERN:
		return open_named(q, &n);
	case BSD_NAME_ANY:
		break;
	}
	return make_any(q);
}

/* ---- a descriptor that was handed in ---- */

static vpn_status adopt(const struct opening *q)
{
	struct bsd_device *d = q->d;
	const struct bsd_ops *ops = q->c->ops;
	int given = (int)q->o->fd;
	int fd = ops->take(given);
	if (fd < 0)
		return bsd_fault(q->err, VPN_EINVAL, -fd, "/fd",
				 "cannot take descriptor %d over: %s", given, strerror(-fd));
	d->fd = fd;
	d->existed = d->lasts = true;
	int e = identify(q);
	if (e != 0)
		return bsd_fault(q->err, VPN_EINVAL, e, "/fd",
				 "descriptor %d is no %s device: hand one in, or write the "
				 "\"layer\" that it has",
				 given, d->layer->word);
	if (d->layer->set_pid != 0)
		(void)ops->ioctl(fd, d->layer->set_pid, NULL);
	return VPN_OK;
}

/* ---- what an open device is told ---- */

static int set_int(const struct opening *q, unsigned long request, int value)
{
	int r = q->c->ops->ioctl(q->d->fd, request, &value);
	return r < 0 ? -r : 0;
}

static vpn_status set_fault(const struct opening *q, int e, const char *what)
{
	return bsd_fault(q->err, bsd_status(e), e, NULL, "%s: cannot %s: %s", q->d->name, what,
			 strerror(e));
}

static vpn_status set_framing(const struct opening *q)
{
	int e = q->d->layer->set_head != 0 ? set_int(q, q->d->layer->set_head, 1) : 0;
	if (e != 0)
		return set_fault(q, e, "have each packet begin with its family");
	/* NetBSD does not see the O_NONBLOCK of open() */
	e = set_int(q, BSD_FIONBIO, 1);
	return e != 0 ? set_fault(q, e, "make its descriptor non-blocking") : VPN_OK;
}

/* A device without addresses is left as it is: whoever gives it some later chooses the mode. */
static vpn_status set_mode(const struct opening *q, bool point_to_point)
{
	const uint32_t modes = BSD_IFF_BROADCAST | BSD_IFF_POINTOPOINT | BSD_IFF_MULTICAST;
	uint32_t mode = BSD_IFF_MULTICAST |
			(point_to_point ? BSD_IFF_POINTOPOINT : BSD_IFF_BROADCAST);
	uint32_t flags;
	int e = bsd_request_get_flags(q->c, q->d->name, &flags);
	if (e != 0)
		return set_fault(q, e, "read its flags");
	if ((flags & modes) == mode)
		return VPN_OK;
	if (q->d->layer->mode_takes_down)
		mode |= flags & BSD_IFF_UP;
	e = set_int(q, q->d->layer->set_mode, (int)mode);
	if (e == EBUSY)
		return bsd_fault(q->err, VPN_EBUSY, e, "/name",
				 "%s is up in another mode than these addresses need: take it down "
				 "first (ifconfig %s down)",
				 q->d->name, q->d->name);
	return e != 0 ? set_fault(q, e, "set its mode") : VPN_OK;
}

/* From now on the kernel takes it away, and the journal need not. */
static void make_transient(const struct opening *q)
{
	struct bsd_device *d = q->d;
	if (!d->destroy || d->existed || q->o->persist == BSD_PERSIST_ON ||
	    q->c->kernel->set_transient == 0 || set_int(q, q->c->kernel->set_transient, 1) != 0)
		return;
	d->destroy = false;
	bsd_record_forget(q->j, d->record);
	d->record = 0;
}

/* ---- the whole ---- */

vpn_status bsd_device_open(struct bsd_device *d, const struct bsd_options *o,
			   const struct bsd_control *c, const struct bsd_journal *j,
			   bool has_addresses, bool point_to_point, struct vpn_error *err)
{
	const struct opening q = {d, o, c, j, err};
	memset(d, 0, sizeof(*d));
	d->fd = -1;
	d->kind = o->layer == BSD_ETHERNET ? BSD_ETHERNET : BSD_IP;
	d->layer = &c->kernel->layers[d->kind];
	vpn_status status = o->fd >= 0 ? adopt(&q) : open_by_name(&q);
	if (status == VPN_OK) {
		make_transient(&q);
		status = set_framing(&q);
	}
	if (status == VPN_OK && has_addresses && d->layer->set_mode != 0)
		status = set_mode(&q, point_to_point);
	if (status != VPN_OK)
		(void)bsd_device_close(d, c, j);
	return status;
}

void bsd_device_settle(struct bsd_device *d, const struct bsd_options *o,
		       const struct bsd_journal *j)
{
	if (d->existed && o->persist == BSD_PERSIST_OFF) {
		d->destroy = true;
		d->lasts = false;
	} else if (d->destroy && o->persist == BSD_PERSIST_ON) {
		d->destroy = false;
		d->lasts = true;
		bsd_record_forget(j, d->record);
		d->record = 0;
	}
}

int bsd_device_close(struct bsd_device *d, const struct bsd_control *c, const struct bsd_journal *j)
{
	int e = 0;
	if (d->fd < 0)
		return 0;
	if (d->destroy)
		(void)bsd_device_follow_name(d, c);
	c->ops->close(d->fd);
	d->fd = -1;
	if (d->destroy)
		e = bsd_request_destroy(c, d->name);
	if (e == ENXIO)
		e = 0;
	if (e == 0)
		bsd_record_forget(j, d->record);
	d->record = 0;
	d->destroy = false;
	return e;
}

int bsd_device_follow_name(struct bsd_device *d, const struct bsd_control *c)
{
	char name[BSD_IFNAMSIZ];
	if (c->kernel->set_name == 0 || d->layer->get_name == 0)
		return 0;
	int e = bsd_request_name_of(c->ops, d->fd, d->layer->get_name, name);
	if (e == 0)
		memcpy(d->name, name, sizeof(name));
	return e;
}
