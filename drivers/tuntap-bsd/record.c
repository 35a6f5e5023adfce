/* SPDX-License-Identifier: BSD-2-Clause */
#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "name.h"

vpn_status bsd_record_add(const struct bsd_journal *j, uint32_t layer, uint32_t unit,
			  uint64_t *ret_id, struct vpn_error *err)
{
	const struct bsd_record r = {.version = BSD_RECORD_VERSION, .layer = layer, .unit = unit};
	*ret_id = 0;
	return j->ext != NULL ? j->ext->add(j->inst, 0, &r, sizeof(r), ret_id, err) : VPN_OK;
}

void bsd_record_forget(const struct bsd_journal *j, uint64_t id)
{
	if (id != 0)
		j->ext->forget(j->inst, id);
}

/*
 * The interface behind a node that nobody has open; its name may have been changed, the node's not.
 * Opening makes a device that is not there where the kernel does so; it is destroyed with the rest.
 * Returns 0 with a name, ENOENT when there is nothing, EBUSY when somebody has it open.
 */
static int find(const struct bsd_control *c, const struct bsd_layer *layer, uint32_t unit,
		char name[BSD_IFNAMSIZ])
{
	char path[32];
	uint32_t ignored;
	bsd_name_make(name, layer->word, unit);
	if (c->kernel->set_name == 0 && bsd_request_get_flags(c, name, &ignored) == ENXIO)
		return ENOENT;
	snprintf(path, sizeof(path), "/dev/%s", name);
	int fd = c->ops->open(path);
	if (fd < 0)
		return fd == -ENXIO ? ENOENT : -fd;
	int e = 0;
	if (c->kernel->set_name != 0 && layer->get_name != 0)
		e = bsd_request_name_of(c->ops, fd, layer->get_name, name);
	c->ops->close(fd);
	return e;
}

static vpn_status destroy(const struct vpn_host *host, const struct bsd_control *c,
			  const struct bsd_record *r, struct vpn_error *err)
{
	char name[BSD_IFNAMSIZ];
	int e = find(c, &c->kernel->layers[r->layer], r->unit, name);
	if (e == EBUSY) {
		bsd_log(host, VPN_LOG_INFO, "%s is in use by another program: it stays", name);
		return VPN_OK;
	}
	if (e == 0)
		e = bsd_request_destroy(c, name);
	if (e == 0 || e == ENOENT || e == ENXIO)
		return VPN_OK;
	return bsd_fault(err, bsd_status(e), e, NULL, "cannot remove the device %s: %s", name,
			 strerror(e));
}

vpn_status bsd_record_undo(const struct vpn_host *host, uint32_t flags, const void *data,
			   uint32_t len, struct vpn_error *err)
{
	struct bsd_control c = {.kernel = bsd_kernel_here(), .ops = bsd_ops_here()};
	const struct bsd_record *r = data;
	(void)flags;
	if (len != sizeof(*r) || r->version != BSD_RECORD_VERSION || r->layer > 1 ||
	    r->unit > BSD_UNIT_MAX)
		return bsd_fault(err, VPN_EINVAL, 0, NULL,
				 "this record is not one of this version of the plugin");
	if (c.kernel == NULL)
		return bsd_fault(err, VPN_ENOTSUP, 0, NULL,
				 "this file was built to check manifests for other systems");
	int e = bsd_control_open(&c);
	if (e != 0)
		return bsd_fault(err, bsd_status(e), e, NULL, "cannot open a socket: %s",
				 strerror(e));
	vpn_status status = destroy(host, &c, r, err);
	bsd_control_close(&c);
	return status;
}
