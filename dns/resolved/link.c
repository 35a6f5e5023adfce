/* SPDX-License-Identifier: BSD-2-Clause */
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LINK_PATH      RESOLVED_PATH "/link"
#define LINK_INTERFACE "org.freedesktop.resolve1.Link"
#define PROPERTIES     "org.freedesktop.DBus.Properties"

char *resolved_link_path(uint32_t ifindex)
{
	char number[16], *path = NULL;
	snprintf(number, sizeof(number), "%u", ifindex);
	return sd_bus_path_encode(LINK_PATH, number, &path) < 0 ? NULL : path;
}

/* ---- properties ---- */

static int each_property(sd_bus_message *m,
			 int (*fn)(void *ctx, const char *name, sd_bus_message *m), void *ctx)
{
	const char *name;
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = sd_bus_message_read(m, "s", &name);
		if (r >= 0)
			r = fn(ctx, name, m);
		if (r == 0) /* it has left the value */
			r = sd_bus_message_skip(m, "v");
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

int resolved_link_properties(struct resolved_bus *b, const char *path, const char *interface,
			     int (*fn)(void *ctx, const char *name, sd_bus_message *m), void *ctx,
			     uint64_t deadline, sd_bus_error *ret_error)
{
	sd_bus_message *m = NULL, *reply = NULL;
	int r = sd_bus_message_new_method_call(b->bus, &m, RESOLVED_NAME, path, PROPERTIES,
					       "GetAll");
	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, 0);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", interface);
	int e = r < 0 ? -r : resolved_bus_call(b, m, deadline, ret_error, &reply);
	if (e == 0) {
		r = each_property(reply, fn, ctx);
		e = r < 0 ? -r : 0;
	}
	sd_bus_message_unref(reply);
	sd_bus_message_unref(m);
	return e;
}

int resolved_link_read_address(sd_bus_message *m, struct vpn_address *out)
{
	int family = 0;
	const void *bytes = NULL;
	size_t len = 0;
	memset(out, 0, sizeof(*out));
	int r = sd_bus_message_read(m, "i", &family);
	if (r >= 0)
		r = sd_bus_message_read_array(m, 'y', &bytes, &len);
	if (r < 0)
		return r;
	if (family == AF_INET && len == 4)
		out->family = VPN_AF_INET;
	else if (family == AF_INET6 && len == 16)
		out->family = VPN_AF_INET6;
	else
		return 0;
	memcpy(out->addr, bytes, len);
	return 0;
}

/* ---- one interface ---- */

struct reading {
	struct resolved_settings *out;
	bool more;
};

static int read_servers(struct reading *reading, sd_bus_message *m)
{
	struct vpn_address a;
	int r = sd_bus_message_enter_container(m, 'a', "(iay)");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "iay")) > 0) {
		r = resolved_link_read_address(m, &a);
		if (r >= 0 && !resolved_settings_add_server(reading->out, &a))
			reading->more = true;
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_domains(struct reading *reading, sd_bus_message *m)
{
	const char *name;
	int route_only, r = sd_bus_message_enter_container(m, 'a', "(sb)");
	while (r >= 0 && (r = sd_bus_message_read(m, "(sb)", &name, &route_only)) > 0)
		if (!resolved_settings_add_domain(reading->out, name, route_only != 0))
			reading->more = true;
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_flag(struct reading *reading, sd_bus_message *m)
{
	int flag = 0, r = sd_bus_message_read(m, "b", &flag);
	reading->out->default_route = flag != 0;
	return r;
}

static int on_property(void *ctx, const char *name, sd_bus_message *m)
{
	static const struct {
		const char *name, *type;
		int (*read)(struct reading *reading, sd_bus_message *m);
	} known[] = {{"DNS", "a(iay)", read_servers},
		     {"Domains", "a(sb)", read_domains},
		     {"DefaultRoute", "b", read_flag}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(name, known[i].name) != 0)
			continue;
		int r = sd_bus_message_enter_container(m, 'v', known[i].type);
		if (r >= 0)
			r = known[i].read(ctx, m);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		return r < 0 ? r : 1;
	}
	return 0;
}

int resolved_link_read(struct resolved_bus *b, uint32_t ifindex, uint64_t deadline,
		       struct resolved_settings *out, bool *ret_more, sd_bus_error *ret_error)
{
	struct reading reading = {.out = out};
	char *path = resolved_link_path(ifindex);
	memset(out, 0, sizeof(*out));
	int e = path == NULL ? ENOMEM
			     : resolved_link_properties(b, path, LINK_INTERFACE, on_property,
							&reading, deadline, ret_error);
	free(path);
	*ret_more = reading.more;
	return e;
}

static int call_with_index(struct resolved_bus *b, const char *method, uint32_t ifindex,
			   uint64_t deadline, sd_bus_error *ret_error)
{
	sd_bus_message *m = NULL;
	int e = resolved_bus_method(b, method, &m);
	int r = e == 0 && ifindex != 0 ? sd_bus_message_append(m, "i", (int)ifindex) : 0;
	if (r < 0)
		e = -r;
	if (e == 0)
		e = resolved_bus_call(b, m, deadline, ret_error, NULL);
	sd_bus_message_unref(m);
	return e;
}

int resolved_link_revert(struct resolved_bus *b, uint32_t ifindex, uint64_t deadline,
			 sd_bus_error *ret_error)
{
	sd_bus_error unimportant = SD_BUS_ERROR_NULL;
	int e = call_with_index(b, "RevertLink", ifindex, deadline, ret_error);
	/* what is cached expires; that it goes at once is a courtesy, and old versions cannot */
	if (e == 0)
		(void)call_with_index(b, "FlushCaches", 0, deadline, &unimportant);
	sd_bus_error_free(&unimportant);
	return e;
}
