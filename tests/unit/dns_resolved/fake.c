/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link.h"

#define CALLS 4096u

static char *calls; /* shared with the process */
static pid_t child;
static enum fake_kind kind;

static void add(const char *text)
{
	size_t at = strlen(calls);
	snprintf(calls + at, CALLS - at, "%s", text);
}

/* ---- answers ---- */

static int answer(sd_bus_message *m, sd_bus_error *ret_error)
{
	add("\n");
	switch (kind) {
	case FAKE_DENIES:
		return sd_bus_error_set(ret_error, SD_BUS_ERROR_ACCESS_DENIED, "no");
	case FAKE_BUSY:
		return sd_bus_error_set(ret_error, "org.freedesktop.resolve1.LinkBusy", "managed");
	case FAKE_NO_LINK:
		return sd_bus_error_set(ret_error, "org.freedesktop.resolve1.NoSuchLink", "none");
	case FAKE_SILENT:
		return 1;
	case FAKE_DIES:
		_exit(0);
	default:
		return sd_bus_reply_method_return(m, NULL);
	}
}

static void add_index(sd_bus_message *m, const char *method)
{
	char text[64];
	int ifindex = 0;
	sd_bus_message_read(m, "i", &ifindex);
	snprintf(text, sizeof(text), "%s %d", method, ifindex);
	add(text);
}

static int on_domains(sd_bus_message *m, void *ctx, sd_bus_error *ret_error)
{
	const char *name;
	int route_only;
	(void)ctx;
	add_index(m, "SetLinkDomains");
	sd_bus_message_enter_container(m, 'a', "(sb)");
	while (sd_bus_message_read(m, "(sb)", &name, &route_only) > 0) {
		add(route_only ? " ~" : " ");
		add(name);
	}
	return answer(m, ret_error);
}

static int on_dns(sd_bus_message *m, void *ctx, sd_bus_error *ret_error)
{
	char text[INET6_ADDRSTRLEN];
	struct vpn_address a;
	(void)ctx;
	add_index(m, "SetLinkDNS");
	sd_bus_message_enter_container(m, 'a', "(iay)");
	while (sd_bus_message_enter_container(m, 'r', "iay") > 0) {
		resolved_link_read_address(m, &a);
		add(" ");
		add(inet_ntop(a.family == VPN_AF_INET ? AF_INET : AF_INET6, a.addr, text,
			      sizeof(text)));
		sd_bus_message_exit_container(m);
	}
	return answer(m, ret_error);
}

static int on_default_route(sd_bus_message *m, void *ctx, sd_bus_error *ret_error)
{
	int yes = 0;
	(void)ctx;
	add_index(m, "SetLinkDefaultRoute");
	sd_bus_message_read(m, "b", &yes);
	add(yes ? " yes" : " no");
	return answer(m, ret_error);
}

static int on_revert(sd_bus_message *m, void *ctx, sd_bus_error *ret_error)
{
	(void)ctx;
	add_index(m, "RevertLink");
	return answer(m, ret_error);
}

static int on_flush(sd_bus_message *m, void *ctx, sd_bus_error *ret_error)
{
	(void)ctx;
	add("FlushCaches");
	return answer(m, ret_error);
}

static const sd_bus_vtable manager[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("SetLinkDomains", "ia(sb)", NULL, on_domains, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("SetLinkDNS", "ia(iay)", NULL, on_dns, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("RevertLink", "i", NULL, on_revert, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("SetLinkDefaultRoute", "ib", NULL, on_default_route,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("FlushCaches", NULL, NULL, on_flush, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable old_manager[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("SetLinkDomains", "ia(sb)", NULL, on_domains, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("SetLinkDNS", "ia(iay)", NULL, on_dns, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("RevertLink", "i", NULL, on_revert, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

/* ---- properties ---- */

static int get_dns(sd_bus *bus, const char *path, const char *interface, const char *property,
		   sd_bus_message *m, void *ctx, sd_bus_error *ret_error)
{
	static const uint8_t four[4] = {10, 78, 0, 1};
	(void)bus, (void)path, (void)interface, (void)property, (void)ctx, (void)ret_error;
	sd_bus_message_open_container(m, 'a', "(iay)");
	sd_bus_message_open_container(m, 'r', "iay");
	sd_bus_message_append(m, "i", AF_INET);
	sd_bus_message_append_array(m, 'y', four, sizeof(four));
	sd_bus_message_close_container(m);
	return sd_bus_message_close_container(m);
}

static int get_domains(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *m, void *ctx, sd_bus_error *ret_error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)ctx, (void)ret_error;
	return sd_bus_message_append(m, "a(sb)", 2, "corp.example", 1, "lan", 0);
}

static int get_flag(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *m, void *ctx, sd_bus_error *ret_error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)ctx, (void)ret_error;
	return sd_bus_message_append(m, "b", 1);
}

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *m, void *ctx, sd_bus_error *ret_error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)ctx, (void)ret_error;
	return sd_bus_message_append(m, "s", "no servers");
}

static const sd_bus_vtable link_properties[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("DNS", "a(iay)", get_dns, 0, 0),
	SD_BUS_PROPERTY("DNSSEC", "s", get_text, 0, 0),
	SD_BUS_PROPERTY("Domains", "a(sb)", get_domains, 0, 0),
	SD_BUS_PROPERTY("DefaultRoute", "b", get_flag, 0, 0),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable strange_properties[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("DNS", "s", get_text, 0, 0),
	SD_BUS_VTABLE_END,
};

/* ---- the process ---- */

static void serve(int fd)
{
	sd_bus *bus = NULL;
	sd_id128_t id;
	char *path = resolved_link_path(FAKE_INDEX);
	bool good = path != NULL && sd_id128_randomize(&id) >= 0 && sd_bus_new(&bus) >= 0 &&
		    sd_bus_set_fd(bus, fd, fd) >= 0 && sd_bus_set_server(bus, 1, id) >= 0 &&
		    sd_bus_set_anonymous(bus, 1) >= 0 && sd_bus_start(bus) >= 0 &&
		    sd_bus_add_object_vtable(bus, NULL, RESOLVED_PATH, RESOLVED_MANAGER,
					     kind == FAKE_OLD ? old_manager : manager, NULL) >= 0 &&
		    sd_bus_add_object_vtable(
			    bus, NULL, path, "org.freedesktop.resolve1.Link",
			    kind == FAKE_STRANGE ? strange_properties : link_properties, NULL) >= 0;
	while (good && sd_bus_process(bus, NULL) >= 0)
		sd_bus_wait(bus, 1000);
	_exit(good ? 0 : 1);
}

void fake_start(enum fake_kind wanted, struct resolved_bus *b)
{
	int pair[2];
	kind = wanted;
	if (calls == NULL)
		calls = mmap(NULL, CALLS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			     0);
	assert_ptr_not_equal(calls, MAP_FAILED);
	memset(calls, 0, CALLS);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(pair[0]);
		serve(pair[1]);
	}
	close(pair[1]);
	memset(b, 0, sizeof(*b));
	assert_true(sd_bus_new(&b->bus) >= 0);
	assert_true(sd_bus_set_fd(b->bus, pair[0], pair[0]) >= 0);
	assert_true(sd_bus_start(b->bus) >= 0);
}

const char *fake_calls(void)
{
	return calls;
}

void fake_stop(struct resolved_bus *b)
{
	resolved_bus_close(b);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}
