/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipe: a device for tests/interop: messages of a SOCK_SEQPACKET socket are its packets, whatever they
 * are, and none is ever lost. Two vpncore with one socket pair make a relay for what is not IP:
 *
 *   peer <--KCP--> [pipe, kcp, udp] <== socket pair ==> [pipe, kcp, udp] <--KCP--> peer
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <vpncore/plugin.h>

#define BATCH 32u
#define TOKEN 1u

struct options {
	uint64_t fd; /* inherited */
	uint64_t mtu;
};

struct pipe {
	const struct vpn_host *host;
	const struct options *options;
	struct vpn_lane *lane;
	int fd;
	struct vpn_packet *kept[BATCH]; /* read, and not taken by the stage below yet */
	uint32_t n_kept;
	bool blocked; /* the socket takes no more */
	bool ended;
};

static vpn_status fail(struct vpn_error *err, int e, const char *text)
{
	if (err != NULL) {
		err->status = VPN_EIO;
		err->os_errno = e;
		strncpy(err->text, text, sizeof(err->text) - 1);
	}
	return VPN_EIO;
}

static void watch(struct pipe *p)
{
	uint32_t events = 0;
	if (p->n_kept == 0 && !p->ended)
		events |= VPN_POLLIN;
	if (p->blocked)
		events |= VPN_POLLOUT;
	if (p->host->watch(p->lane, p->fd, events, TOKEN) != VPN_OK)
		abort();
}

/* ---- life ---- */

static void needs(const void *config, struct vpn_needs *out)
{
	const struct options *o = config;
	out->flags = VPN_L3;
	out->mtu = (uint32_t)o->mtu;
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	struct pipe *p = calloc(1, sizeof(*p));
	*inst = p;
	if (p == NULL)
		return fail(err, ENOMEM, "out of memory");
	p->host = host;
	p->options = config;
	return VPN_OK;
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct pipe *p = inst;
	int kind = 0;
	socklen_t len = sizeof(kind);
	p->fd = (int)p->options->fd;
	if (getsockopt(p->fd, SOL_SOCKET, SO_TYPE, &kind, &len) != 0 || kind != SOCK_SEQPACKET)
		return fail(err, errno, "fd is not a SOCK_SEQPACKET socket");
	p->lane = lanes[0];
	watch(p);
	return VPN_OK;
}

static void stop(void *inst)
{
	struct pipe *p = inst;
	if (p->lane == NULL)
		return;
	p->host->watch(p->lane, p->fd, 0, TOKEN);
	if (p->n_kept != 0)
		p->host->release(p->lane, p->kept, p->n_kept);
	p->n_kept = 0;
	p->lane = NULL;
}

/* ---- packets ---- */

static void push(struct pipe *p)
{
	uint32_t n = vpn_push(p->lane->down, p->kept, p->n_kept);
	p->n_kept -= n;
	memmove(p->kept, p->kept + n, p->n_kept * sizeof(p->kept[0]));
}

static uint32_t read_some(struct pipe *p)
{
	uint32_t room = p->lane->max_batch < BATCH ? p->lane->max_batch : BATCH;
	uint32_t n = p->host->alloc(p->lane, VPN_POOL_TX, p->kept, room), i;
	for (i = 0; i < n; i++) {
		struct vpn_packet *k = p->kept[i];
		ssize_t len = recv(p->fd, vpn_packet_data(k), p->options->mtu,
				   MSG_DONTWAIT | MSG_TRUNC);
		if (len < 0 && errno != EAGAIN)
			abort();
		if (len > (ssize_t)p->options->mtu)
			abort(); /* the other side's messages are larger than we have said: no test of anything */
		p->ended = len == 0;
		if (len <= 0)
			break;
		k->len = (uint32_t)len;
	}
	if (i != n)
		p->host->release(p->lane, p->kept + i, n - i);
	p->n_kept = i;
	if (i != 0)
		push(p);
	return i == room && p->n_kept == 0 ? VPN_MORE : VPN_IDLE;
}

static uint32_t take(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct pipe *p = inst;
	uint32_t done = 0;
	for (; done < n && !p->blocked; done++) {
		ssize_t len = send(p->fd, vpn_packet_data(pkts[done]), pkts[done]->len,
				   MSG_DONTWAIT | MSG_NOSIGNAL);
		/* other errors: the process behind the socket has ended, and so has the test */
		if (len < 0 && errno == EAGAIN) {
			p->blocked = true;
			break;
		}
	}
	if (done != 0)
		p->host->release(lane, pkts, done);
	if (p->blocked)
		watch(p);
	return done;
}

static uint32_t ready(void *inst, struct vpn_lane *lane, uint64_t token, uint32_t events)
{
	struct pipe *p = inst;
	uint32_t more = VPN_IDLE;
	(void)token;
	if ((events & VPN_POLLOUT) != 0 && p->blocked) {
		p->blocked = false;
		p->host->writable(lane, VPN_UP);
	}
	if ((events & VPN_POLLIN) != 0 && p->n_kept == 0)
		more = read_some(p);
	watch(p);
	return more;
}

static uint32_t writable(void *inst, struct vpn_lane *lane, uint32_t direction)
{
	struct pipe *p = inst;
	(void)lane;
	if (direction == VPN_DOWN && p->n_kept != 0)
		push(p);
	watch(p);
	return VPN_IDLE;
}

/* ---- what it is ---- */

static vpn_status info(void *inst, struct vpn_device_info *out)
{
	const struct pipe *p = inst;
	out->ifindex = 0;
	out->mtu = (uint32_t)p->options->mtu;
	out->layer = VPN_L3;
	strcpy(out->name, "pipe");
	if (VPN_HAS(out, struct vpn_device_info, flags))
		out->flags = VPN_DEVICE_UP;
	return VPN_OK;
}

static void subscribe(void *inst, void (*changed)(void *ctx), void *ctx)
{
	(void)inst;
	if (changed != NULL)
		changed(ctx);
}

static const void *get_extension(void *inst, const char *id)
{
	static const struct vpn_device_ext device = {
		.size = sizeof(device), .info = info, .subscribe = subscribe};
	(void)inst;
	return strcmp(id, VPN_EXT_DEVICE) == 0 ? &device : NULL;
}

static const struct vpn_option option_list[] = {
	{.name = "fd",
	 .type = VPN_OPT_UINT,
	 .flags = VPN_OPT_REQUIRED,
	 .offset = (uint32_t)offsetof(struct options, fd),
	 .min = 3,
	 .max = 1000,
	 .doc = "The socket, inherited."},
	{.name = "mtu",
	 .type = VPN_OPT_UINT,
	 .flags = VPN_OPT_REQUIRED,
	 .offset = (uint32_t)offsetof(struct options, mtu),
	 .min = 1,
	 .max = 65535,
	 .unit = "bytes",
	 .doc = "Largest message."},
};

static const struct vpn_option_table table = VPN_OPTION_TABLE(option_list, struct options);

static const struct vpn_lifecycle lifecycle = {
	.size = sizeof(lifecycle),
	.options = &table,
	.needs = needs,
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = free,
	.get_extension = get_extension,
};

static const struct vpn_flow flow = {
	.size = sizeof(flow),
	.recv = take,
	.ready = ready,
	.writable = writable,
};

static const struct vpn_component component = {
	.size = sizeof(component),
	.kind = VPN_KIND_DEVICE,
	.id = "org.vpncore.pipe",
	.summary = "messages of an inherited socket, for tests",
	.lifecycle = &lifecycle,
	.flow = &flow,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(pipe, "org.vpncore.pipe", "1", "BSD-2-Clause", "", "", components);
