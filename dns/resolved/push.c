/* SPDX-License-Identifier: BSD-2-Clause */
#include "push.h"

#include <errno.h>

#include "common/fault.h"
#include "trouble.h"

/* In this order no name is asked in the tunnel that does not belong there: an interface without servers
 * is asked nothing. */
static const struct {
	const char *method;
	int (*append)(const struct resolved_settings *s, sd_bus_message *m);
	bool optional; /* not every version has it */
	const char *without;
} calls[RESOLVED_PUSH_CALLS] = {
	{"SetLinkDomains", resolved_settings_append_domains, false, NULL},
	{"SetLinkDefaultRoute", resolved_settings_append_default_route, true,
	 "it goes by the domains instead"},
	{"SetLinkDNS", resolved_settings_append_servers, false, NULL},
	{"FlushCaches", NULL, true, "answers that it remembers are given until they expire"},
};

static void note(struct resolved_push *p, uint32_t index, sd_bus_message *m)
{
	const sd_bus_error *said = sd_bus_message_get_error(m);
	if (said == NULL)
		return;
	if (calls[index].optional && resolved_trouble_is_old(said)) {
		dns_log(p->host, VPN_LOG_DEBUG, "this systemd-resolved has no %s: %s",
			calls[index].method, calls[index].without);
		return;
	}
	if (p->error != 0)
		return;
	int e = sd_bus_message_get_errno(m);
	p->error = e != 0 ? e : EIO;
	sd_bus_error_copy(&p->said, said);
}

static int on_answer(sd_bus_message *m, void *ctx, sd_bus_error *ret_error)
{
	struct resolved_push_call *call = ctx;
	struct resolved_push *p = call->push;
	(void)ret_error;
	note(p, call->index, m);
	if (--p->left > 0)
		return 0;
	p->done = true;
	if (p->ended != NULL)
		p->ended(p->ctx);
	return 0;
}

static int send(struct resolved_push *p, uint32_t index, struct resolved_bus *b,
		const struct resolved_settings *s)
{
	struct resolved_push_call *call = &p->calls[index];
	sd_bus_message *m = NULL;
	int r = -resolved_bus_method(b, calls[index].method, &m);
	if (r >= 0 && calls[index].append != NULL)
		r = calls[index].append(s, m);
	call->push = p;
	call->index = index;
	if (r >= 0)
		r = sd_bus_call_async(b->bus, &call->slot, m, on_answer, call, RESOLVED_LIMIT_US);
	if (r >= 0)
		p->left++;
	sd_bus_message_unref(m);
	return r < 0 ? -r : 0;
}

int resolved_push_begin(struct resolved_push *p, struct resolved_bus *b,
			const struct resolved_settings *s)
{
	int e = 0;
	resolved_push_clear(p);
	for (uint32_t i = 0; i < RESOLVED_PUSH_CALLS && e == 0; i++)
		e = send(p, i, b, s);
	if (e != 0)
		resolved_push_clear(p);
	return e;
}

void resolved_push_clear(struct resolved_push *p)
{
	for (uint32_t i = 0; i < RESOLVED_PUSH_CALLS; i++)
		p->calls[i].slot = sd_bus_slot_unref(p->calls[i].slot);
	sd_bus_error_free(&p->said);
	p->left = 0;
	p->error = 0;
	p->done = false;
}
