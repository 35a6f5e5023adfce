/* SPDX-License-Identifier: BSD-2-Clause */
#include "undo.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "bus.h"
#include "common/fault.h"
#include "link.h"
#include "settings.h"
#include "trouble.h"

#define UNDO_LIMIT_US UINT64_C(3000000) /* plugin.h: "at most a few seconds" */

/* With the interface goes what systemd-resolved knows of it. A number is not given twice in a while, but
 * the name tells for sure. */
static bool is_gone(const struct resolved_settings *ours)
{
	char name[IF_NAMESIZE];
	return if_indextoname(ours->ifindex, name) == NULL || strcmp(name, ours->ifname) != 0;
}

/* Half of it is ours too: the process may have died in between. */
static bool is_ours(const struct resolved_settings *ours, const struct resolved_settings *now)
{
	return (now->n_servers == 0 || resolved_settings_same_servers(ours, now)) &&
	       (now->n_domains == 0 || resolved_settings_same_domains(ours, now));
}

static int take_back(const struct vpn_host *host, struct resolved_bus *b,
		     const struct resolved_settings *ours, sd_bus_error *said)
{
	struct resolved_settings now;
	bool more = false;
	uint64_t deadline = resolved_bus_now() + UNDO_LIMIT_US;
	int e = resolved_link_read(b, ours->ifindex, deadline, &now, &more, said);
	if (e != 0 || (now.n_servers == 0 && now.n_domains == 0))
		return e;
	if (more || !is_ours(ours, &now)) {
		dns_log(host, VPN_LOG_INFO,
			"the name servers of %s in systemd-resolved are not of our making any "
			"more: they stay",
			ours->ifname);
		return 0;
	}
	return resolved_link_revert(b, ours->ifindex, deadline, said);
}

vpn_status resolved_undo(const struct vpn_host *host, uint32_t flags, const void *data,
			 uint32_t len, struct vpn_error *err)
{
	struct resolved_settings ours;
	struct resolved_bus b;
	sd_bus_error said = SD_BUS_ERROR_NULL;
	vpn_status status = VPN_OK;
	(void)flags;
	if (!resolved_settings_read(&ours, data, len))
		return dns_fault(err, VPN_EINVAL, 0, NULL,
				 "this record of %u bytes makes no sense here: another version of "
				 "the resolved plugin wrote it",
				 len);
	if (is_gone(&ours))
		return VPN_OK;
	int e = resolved_bus_open(&b, err);
	if (e == ENOENT || e == ECONNREFUSED)
		return VPN_OK; /* no bus: nobody who could know of it */
	if (e != 0)
		return dns_status(e);
	e = take_back(host, &b, &ours, &said);
	if (e != 0 && !resolved_trouble_is_absence(&said) && !resolved_trouble_is_no_link(&said))
		status = resolved_trouble(err, e, &said, ours.ifname);
	sd_bus_error_free(&said);
	resolved_bus_close(&b);
	return status;
}
