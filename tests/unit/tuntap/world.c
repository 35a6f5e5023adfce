/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const struct vpn_component *world_component(void)
{
	return vpncore_plugin_v1.components[0];
}

/* A /dev/net/tun of our own that everybody may open, as udev makes it; not every machine has udev. */
static bool share_tun(void)
{
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", "/mnt", "tmpfs", 0, "mode=755") == 0 &&
	       mknod("/mnt/tun", S_IFCHR | 0666, makedev(10, 200)) == 0 &&
	       chmod("/mnt/tun", 0666) == 0 &&
	       mount("/mnt/tun", "/dev/net/tun", NULL, MS_BIND, NULL) == 0;
}

int world_enter(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 || !share_tun()) {
		fprintf(stderr, "cannot make namespaces (%s): these tests run as root\n",
			strerror(errno));
		return -1;
	}
	return world_set_up("lo", true);
}

/* ---- the driver ---- */

void world_init(struct world *w, const char *name)
{
	memset(w, 0, sizeof(*w));
	w->err.size = sizeof(w->err);
	w->options = (struct tuntap_options){.name = name, .up = 1, .fd = -1};
}

vpn_status world_start(struct world *w, uint32_t n_lanes)
{
	const struct vpn_lifecycle *life = world_component()->lifecycle;
	uint32_t mtu = w->options.mtu != 0 ? (uint32_t)w->options.mtu : WORLD_MTU;
	if (w->options.layer == TUNTAP_ETHERNET)
		mtu += TUNTAP_ETHERNET_ROOM;
	fake_init(&w->fake, n_lanes, mtu);
	w->inst = NULL;
	vpn_status status = life->validate(&w->options, &w->err);
	if (status == VPN_OK)
		status = life->create(&w->fake.host, &w->options, &w->inst, &w->err);
	if (status != VPN_OK)
		return status;
	status = life->start(w->inst, w->fake.lane_list, &w->err);
	if (status != VPN_OK)
		world_stop(w);
	return status;
}

void world_must_start(struct world *w, uint32_t n_lanes)
{
	if (world_start(w, n_lanes) != VPN_OK)
		fail_msg("start: %s (%s)", w->err.text, w->err.where);
}

void world_must_refuse(struct world *w, uint32_t n_lanes, vpn_status status, const char *where,
		       const char *text)
{
	assert_int_equal(world_start(w, n_lanes), status);
	assert_int_equal(w->err.status, status);
	if (strstr(w->err.text, text) == NULL || strcmp(w->err.where, where) != 0)
		fail_msg("expected \"%s\" at \"%s\", not \"%s\" at \"%s\"", text, where,
			 w->err.text, w->err.where);
	assert_true(strlen(w->err.text) < sizeof(w->err.text) - 1);
}

void world_stop(struct world *w)
{
	const struct vpn_lifecycle *life = world_component()->lifecycle;
	life->stop(w->inst);
	life->stop(w->inst);
	life->destroy(w->inst);
	w->inst = NULL;
	fake_check_clean(&w->fake);
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_until(struct world *w, bool (*done)(struct world *w), double patience)
{
	double deadline = seconds() + patience;
	while (!done(w)) {
		if (seconds() > deadline)
			fail_msg("nothing happened; the log is: %s", w->fake.log);
		fake_turn(&w->fake, world_component()->flow, w->inst, 1);
	}
}

void world_until(struct world *w, bool (*done)(struct world *w))
{
	run_until(w, done, 5);
}

void world_until_slow(struct world *w, bool (*done)(struct world *w))
{
	run_until(w, done, 60);
}

bool world_failed(struct world *w)
{
	return w->fake.failed;
}

bool world_logged(struct world *w, const char *text)
{
	return strstr(w->fake.log, text) != NULL;
}

const struct vpn_device_ext *world_device(struct world *w)
{
	const struct vpn_device_ext *ext = world_component()->lifecycle->get_extension(
		w->inst, VPN_EXT_DEVICE);
	assert_non_null(ext);
	return ext;
}

struct vpn_device_info world_info(struct world *w)
{
	struct vpn_device_info info = {.size = sizeof(info)};
	assert_int_equal(world_device(w)->info(w->inst, &info), VPN_OK);
	return info;
}

/* ---- another program ---- */

static int find_link(const char *name, struct tuntap_link *ret)
{
	struct tuntap_netlink nl = {0};
	int e = tuntap_netlink_open(&nl);
	if (e == 0)
		e = tuntap_netlink_get_link(&nl, 0, name, ret);
	tuntap_netlink_close(&nl);
	return e;
}

struct tuntap_link world_link(const char *name)
{
	struct tuntap_link link;
	assert_int_equal(find_link(name, &link), 0);
	return link;
}

bool world_has_link(const char *name)
{
	struct tuntap_link link;
	return find_link(name, &link) == 0;
}

bool world_has_address(const char *name, const char *text)
{
	struct tuntap_address list[32];
	struct tuntap_netlink nl = {0};
	uint32_t n = 0;
	char buf[128];
	bool found = false;
	struct tuntap_link link = world_link(name);
	assert_int_equal(tuntap_netlink_open(&nl), 0);
	assert_int_equal(tuntap_netlink_get_addresses(&nl, link.index, list, 32, &n), 0);
	tuntap_netlink_close(&nl);
	for (uint32_t i = 0; i < n; i++) {
		tuntap_address_format(&list[i], buf, sizeof(buf));
		found |= strcmp(buf, text) == 0;
	}
	return found;
}

int world_delete_address(const char *name, const struct tuntap_address *a)
{
	struct tuntap_netlink nl = {0};
	struct tuntap_link link = world_link(name);
	int e = tuntap_netlink_open(&nl);
	if (e == 0)
		e = tuntap_netlink_del_address(&nl, link.index, a);
	tuntap_netlink_close(&nl);
	return e;
}

struct change {
	uint16_t type;
	const char *name, *to;
	int up;
	uint32_t mtu;
	pid_t pid;
	int ns; /* descriptor, 0 = none */
};

/* A change of a link in words that the driver's own netlink code does not have. */
static int change_link(const struct change *c)
{
	char buf[4096] __attribute__((aligned(8)));
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = c->type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)if_nametoindex(c->name);
	if (c->up >= 0) {
		ifi->ifi_flags = c->up ? IFF_UP : 0;
		ifi->ifi_change = IFF_UP;
	}
	if (c->mtu != 0)
		mnl_attr_put_u32(nlh, IFLA_MTU, c->mtu);
	if (c->pid != 0)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_PID, (uint32_t)c->pid);
	if (c->ns != 0)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)c->ns);
	if (c->to != NULL)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, c->to);
	int r = -1;
	if (sock != NULL && mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) > 0) {
		ssize_t n = mnl_socket_recvfrom(sock, buf, sizeof(buf));
		r = n > 0 ? mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(sock), NULL, NULL)
			  : -1;
	}
	if (r < 0)
		fprintf(stderr, "changing %s: %s\n", c->name, strerror(errno));
	if (sock != NULL)
		mnl_socket_close(sock);
	return r < 0 ? -1 : 0;
}

int world_delete_link(const char *name)
{
	return change_link(&(struct change){.type = RTM_DELLINK, .name = name, .up = -1});
}

int world_set_up(const char *name, bool up)
{
	return change_link(&(struct change){.type = RTM_NEWLINK, .name = name, .up = up});
}

int world_set_mtu(const char *name, uint32_t mtu)
{
	return change_link(
		&(struct change){.type = RTM_NEWLINK, .name = name, .up = -1, .mtu = mtu});
}

int world_move_to(const char *name, pid_t pid)
{
	return change_link(
		&(struct change){.type = RTM_NEWLINK, .name = name, .up = -1, .pid = pid});
}

int world_move_to_descriptor(const char *name, int ns)
{
	return change_link(&(struct change){.type = RTM_NEWLINK, .name = name, .up = -1, .ns = ns});
}

int world_rename(const char *name, const char *to)
{
	return change_link(&(struct change){.type = RTM_NEWLINK, .name = name, .up = -1, .to = to});
}

void world_make_persistent(const char *name, int flags, long owner)
{
	struct ifreq req;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	memset(&req, 0, sizeof(req));
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	req.ifr_flags = (short)(flags | IFF_NO_PI);
	assert_int_equal(ioctl(fd, TUNSETIFF, &req), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, 1ul), 0);
	if (owner >= 0)
		assert_int_equal(ioctl(fd, TUNSETOWNER, (unsigned long)owner), 0);
	close(fd);
}

struct vpn_prefix world_prefix(const char *text)
{
	struct vpn_prefix out = {0};
	char host[64];
	size_t n = strcspn(text, "/");
	assert_true(n < sizeof(host) && text[n] == '/');
	memcpy(host, text, n);
	host[n] = '\0';
	out.length = (uint8_t)strtoul(text + n + 1, NULL, 10);
	out.family = strchr(host, ':') != NULL ? VPN_AF_INET6 : VPN_AF_INET;
	assert_int_equal(inet_pton(out.family == VPN_AF_INET6 ? AF_INET6 : AF_INET, host, out.addr),
			 1);
	return out;
}

struct world_namespace world_make_namespace(void)
{
	struct world_namespace ns;
	int ready[2];
	char c;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	ns.keeper = fork();
	assert_true(ns.keeper >= 0);
	if (ns.keeper == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return ns;
}

void world_end_namespace(struct world_namespace *ns)
{
	assert_int_equal(kill(ns->keeper, SIGKILL), 0);
	assert_int_equal(waitpid(ns->keeper, NULL, 0), ns->keeper);
}

int world_go_to(const struct world_namespace *ns)
{
	char path[64];
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)ns->keeper);
	int there = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(home >= 0 && there >= 0);
	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	close(there);
	return home;
}

void world_go_home(int home)
{
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
	close(home);
}

bool world_in_child(int (*body)(void))
{
	int status = 0;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
