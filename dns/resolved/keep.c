/* SPDX-License-Identifier: BSD-2-Clause */
#include "keep.h"

#include <string.h>

#include "common/fault.h"
#include "trouble.h"

#define FIRST_PAUSE_NS UINT64_C(250000000)
#define LAST_PAUSE_NS  UINT64_C(60000000000)

#define OWNER_CHANGED \
	"type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus'," \
	"interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" RESOLVED_NAME "'"

static void try_again(void *ctx);

static void wait_a_while(struct resolved *r)
{
	const struct vpn_host *host = r->dns.host;
	r->pause_ns = r->pause_ns == 0 ? FIRST_PAUSE_NS : r->pause_ns * 2;
	if (r->pause_ns > LAST_PAUSE_NS)
		r->pause_ns = LAST_PAUSE_NS;
	r->is_waiting = true;
	(void)r->dns.loop->arm(r->dns.loop_inst, host->now_ns(host) + r->pause_ns, try_again, r);
}

static void complain(struct resolved *r, const struct vpn_error *err)
{
	if (strcmp(r->complaint, err->text) == 0)
		return;
	memcpy(r->complaint, err->text, sizeof(r->complaint));
	dns_log(r->dns.host, VPN_LOG_WARN, "%s", err->text);
}

/* ---- telling it anew ---- */

static void on_pushed(void *ctx)
{
	struct resolved *r = ctx;
	struct vpn_error err = {.size = sizeof(err)};
	if (r->push.error == 0) {
		dns_log(r->dns.host, VPN_LOG_INFO,
			"systemd-resolved has the name servers of %s again", r->settings.ifname);
		r->pause_ns = 0;
		r->complaint[0] = '\0';
		return;
	}
	if (resolved_trouble_is_absence(&r->push.said))
		return; /* it will be told when it has come */
	(void)resolved_trouble(&err, r->push.error, &r->push.said, r->settings.ifname);
	complain(r, &err);
	wait_a_while(r);
}

static void push(struct resolved *r)
{
	struct vpn_error err = {.size = sizeof(err)};
	sd_bus_error nothing = SD_BUS_ERROR_NULL;
	r->push.ended = on_pushed;
	r->push.ctx = r;
	int e = resolved_push_begin(&r->push, &r->bus, &r->settings);
	if (e == 0)
		return;
	(void)resolved_trouble(&err, e, &nothing, NULL);
	complain(r, &err);
	wait_a_while(r);
}

static int on_owner(sd_bus_message *m, void *ctx, sd_bus_error *ret_error)
{
	struct resolved *r = ctx;
	const char *name, *before, *now;
	(void)ret_error;
	if (sd_bus_message_read(m, "sss", &name, &before, &now) < 0)
		return 0;
	if (now[0] != '\0') {
		r->pause_ns = 0;
		push(r);
		return 0;
	}
	dns_log(r->dns.host, VPN_LOG_WARN,
		"systemd-resolved has ended: until it is back, its names are not resolved");
	return 0;
}

int resolved_keep_watch(struct resolved *r)
{
	int e = sd_bus_add_match_async(r->bus.bus, &r->watcher, OWNER_CHANGED, on_owner, NULL, r);
	return e < 0 ? -e : 0;
}

/* ---- the bus itself ---- */

static void leave_bus(struct resolved *r)
{
	resolved_push_clear(&r->push);
	r->watcher = sd_bus_slot_unref(r->watcher);
	resolved_bus_close(&r->bus);
}

static void on_lost(void *ctx, int error)
{
	struct resolved *r = ctx;
	dns_log(r->dns.host, VPN_LOG_WARN, "the connection to the system bus has broken: %s",
		strerror(error));
	leave_bus(r);
	wait_a_while(r);
}

static bool come_back(struct resolved *r)
{
	struct vpn_error err = {.size = sizeof(err)};
	int e = resolved_bus_open(&r->bus, &err);
	if (e == 0)
		e = resolved_keep_watch(r);
	if (e == 0 && resolved_keep_begin(r, &err) == VPN_OK)
		return true;
	if (err.text[0] == '\0')
		(void)resolved_trouble_no_bus(&err, e);
	complain(r, &err);
	leave_bus(r);
	return false;
}

static void try_again(void *ctx)
{
	struct resolved *r = ctx;
	r->is_waiting = false;
	if (r->bus.bus == NULL && !come_back(r)) {
		wait_a_while(r);
		return;
	}
	push(r);
	resolved_bus_update(&r->bus);
}

vpn_status resolved_keep_begin(struct resolved *r, struct vpn_error *err)
{
	const struct dns *d = &r->dns;
	vpn_status status = resolved_bus_attach(&r->bus, d->host, d->loop, d->loop_inst, on_lost,
						r);
	if (status != VPN_OK)
		return dns_fault(err, status, 0, NULL,
				 "cannot watch the connection to the system bus");
	return VPN_OK;
}

void resolved_keep_end(struct resolved *r)
{
	if (r->is_waiting)
		(void)r->dns.loop->arm(r->dns.loop_inst, 0, try_again, r);
	r->is_waiting = false;
	leave_bus(r);
}
