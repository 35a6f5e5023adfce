/* SPDX-License-Identifier: BSD-2-Clause */
#include "trouble.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"

/* org.freedesktop.resolve1(5), "Common Errors" */
#define NO_SUCH_LINK "org.freedesktop.resolve1.NoSuchLink"
#define LINK_BUSY    "org.freedesktop.resolve1.LinkBusy"

static bool begins(const sd_bus_error *error, const char *with)
{
	return error->name != NULL && strncmp(error->name, with, strlen(with)) == 0;
}

bool resolved_trouble_is_absence(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
	       begins(error, "org.freedesktop.DBus.Error.Spawn.") ||
	       begins(error, "org.freedesktop.systemd1.");
}

bool resolved_trouble_is_no_link(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, NO_SUCH_LINK) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT); /* its properties' */
}

bool resolved_trouble_is_old(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_METHOD);
}

static bool is_denial(int os_errno, const sd_bus_error *error)
{
	return os_errno == EACCES || os_errno == EPERM ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_AUTH_FAILED) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
}

static bool is_silence(int os_errno, const sd_bus_error *error)
{
	return os_errno == ETIMEDOUT || sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT);
}

static vpn_status of_link(struct vpn_error *err, int os_errno, const sd_bus_error *error,
			  const char *device)
{
	const char *said = error->message != NULL ? error->message : strerror(os_errno);
	if (resolved_trouble_is_no_link(error))
		return dns_fault(err, VPN_ENOENT, 0, NULL,
				 "systemd-resolved does not know the interface %s: does it run in "
				 "another network namespace? There \"backend\": \"file\" works",
				 device);
	if (sd_bus_error_has_name(error, LINK_BUSY))
		return dns_fault(err, VPN_EBUSY, 0, NULL,
				 "systemd-networkd manages %s and alone sets its name servers: let "
				 "no .network file match it, or give it Unmanaged=yes",
				 device);
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_INVALID_ARGS))
		return dns_fault(err, VPN_EINVAL, 0, NULL,
				 "systemd-resolved refuses this for %s: %s", device, said);
	return dns_fault(err, VPN_EIO, os_errno, NULL, "systemd-resolved cannot do this for %s: %s",
			 device, said);
}

vpn_status resolved_trouble(struct vpn_error *err, int os_errno, const sd_bus_error *error,
			    const char *device)
{
	const char *said = error->message != NULL ? error->message : strerror(os_errno);
	if (resolved_trouble_is_absence(error))
		return dns_fault(err, VPN_ENOENT, 0, NULL,
				 "systemd-resolved does not run: `systemctl enable --now "
				 "systemd-resolved`, or choose \"backend\": \"file\" (%.80s)",
				 said);
	if (is_denial(os_errno, error))
		return dns_fault(err, VPN_EPERM, 0, NULL,
				 "systemd-resolved does not let us: run as root, or allow "
				 "org.freedesktop.resolve1.set-dns-servers, set-domains, "
				 "set-default-route and revert in polkit (%.60s)",
				 said);
	if (is_silence(os_errno, error))
		return dns_fault(err, VPN_ETIMEDOUT, 0, NULL,
				 "systemd-resolved does not answer: `systemctl status "
				 "systemd-resolved` says more");
	if (device != NULL)
		return of_link(err, os_errno, error, device);
	return dns_fault(err, VPN_EIO, os_errno, NULL, "cannot talk with systemd-resolved: %s",
			 said);
}

vpn_status resolved_trouble_no_bus(struct vpn_error *err, int os_errno)
{
	const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
	return dns_fault(err, dns_status(os_errno), os_errno, NULL,
			 "there is no system bus%s%.80s, by which systemd-resolved is asked: start "
			 "dbus.service, or choose \"backend\": \"file\"",
			 address != NULL ? " at " : "", address != NULL ? address : "");
}
