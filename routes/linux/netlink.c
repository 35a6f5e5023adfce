/* SPDX-License-Identifier: BSD-2-Clause */
#include "netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "object.h"
#include "prefix.h"

#define ANSWER_BYTES 32768
#define PATIENCE_S   5
#define DUMPS_MOST   5 /* of one that changes each time; who listens hears of the changes */
#define LISTS_MOST   2

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

int routes_netlink_open(struct routes_netlink *nl)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	const int on = 1;
	nl->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (nl->sock == NULL)
		return errno;
	int fd = mnl_socket_get_fd(nl->sock);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	/* Linux 4.20: dumps of one protocol's routes alone; the readers look at it in any case */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) == 0)
		return 0;
	int e = errno;
	routes_netlink_close(nl);
	return e;
}

void routes_netlink_close(struct routes_netlink *nl)
{
	if (nl->sock != NULL)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

struct nlmsghdr *routes_netlink_begin(struct routes_request *request, uint16_t type,
				      unsigned int flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request->buf);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return nlh;
}

/* Whether the kernel says that what it dumps has changed meanwhile (NLM_F_DUMP_INTR). The flag is taken
 * away: libmnl would stop there, and no other dump begins before this one is read to its end. */
static bool take_interrupted(char *answer, int n)
{
	bool found = false;
	for (struct nlmsghdr *nlh = (void *)answer; mnl_nlmsg_ok(nlh, n);
	     nlh = mnl_nlmsg_next(nlh, &n)) {
		found |= (nlh->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		nlh->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
	}
	return found;
}

static int ask(struct routes_netlink *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void *ctx,
	       bool *ret_interrupted)
{
	char answer[ANSWER_BYTES] __attribute__((aligned(8)));
	uint32_t port = mnl_socket_get_portid(nl->sock);
	int more = MNL_CB_OK;
	*ret_interrupted = false;
	nlh->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0)
		return errno;
	while (more > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, answer, sizeof(answer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		*ret_interrupted |= take_interrupted(answer, (int)n);
		/* an answer to a request that was given up has another number: ESRCH, read on */
		more = mnl_cb_run(answer, (size_t)n, nl->seq, port, cb, ctx);
		if (more < 0 && errno == ESRCH &&
		    ((const struct nlmsghdr *)(const void *)answer)->nlmsg_seq != nl->seq)
			more = MNL_CB_OK;
	}
	return more < 0 ? errno : 0;
}

int routes_netlink_ask(struct routes_netlink *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void *ctx)
{
	bool ignored; /* a single answer does not change while it is read */
	return ask(nl, nlh, cb, ctx, &ignored);
}

int routes_netlink_dump(struct routes_netlink *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void *ctx,
			struct routes_list *const *lists)
{
	uint32_t before[LISTS_MOST] = {0};
	bool again = true;
	int e = 0;
	for (size_t i = 0; lists[i] != NULL; i++)
		before[i] = lists[i]->n;
	for (int n = 0; n < DUMPS_MOST && again && e == 0; n++) {
		for (size_t i = 0; lists[i] != NULL; i++)
			lists[i]->n = before[i];
		e = ask(nl, nlh, cb, ctx, &again);
	}
	return e;
}

/* ---- attributes ---- */

static int collect(const struct nlattr *attr, void *ctx)
{
	struct routes_attributes *all = ctx;
	if (mnl_attr_get_type(attr) < ROUTES_ATTR_MAX)
		all->at[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

bool routes_attributes_read(const struct nlmsghdr *nlh, size_t header,
			    struct routes_attributes *ret)
{
	memset(ret, 0, sizeof(*ret));
	return mnl_nlmsg_get_payload_len(nlh) >= header &&
	       mnl_attr_parse(nlh, (unsigned int)header, collect, ret) >= 0;
}

void routes_attributes_of(const void *attributes, size_t len, struct routes_attributes *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (len != 0)
		mnl_attr_parse_payload(attributes, len, collect, ret);
}

void routes_attributes_nested(const struct nlattr *attr, struct routes_attributes *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (attr != NULL)
		mnl_attr_parse_nested(attr, collect, ret);
}

uint32_t routes_attributes_u32(const struct routes_attributes *a, uint32_t type, uint32_t otherwise)
{
	const struct nlattr *attr = a->at[type];
	return attr != NULL && mnl_attr_get_payload_len(attr) >= 4 ? mnl_attr_get_u32(attr)
								   : otherwise;
}

bool routes_attributes_address(const struct routes_attributes *a, uint32_t type, uint8_t family,
			       uint8_t out[16])
{
	const struct nlattr *attr = a->at[type];
	uint32_t want = routes_family_bytes(family);
	memset(out, 0, 16);
	if (attr == NULL || mnl_attr_get_payload_len(attr) != want)
		return false;
	memcpy(out, mnl_attr_get_payload(attr), want);
	return true;
}

uint8_t routes_family_to_af(uint8_t family)
{
	return family == VPN_AF_INET6 ? AF_INET6 : AF_INET;
}

uint8_t routes_family_from_af(uint8_t af)
{
	return af == AF_INET ? VPN_AF_INET : af == AF_INET6 ? VPN_AF_INET6 : VPN_AF_NONE;
}
