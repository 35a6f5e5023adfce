/* SPDX-License-Identifier: BSD-2-Clause */
#include "hooks.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "fault.h"
#include "hook.h"
#include "log.h"

#define TEXT_MAX 8192u /* of a variable; a longer one is left out */

static const char safe_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* ---- the environment ----------------------------------------------------------------------------- */

/* Words with a space between them; too many make it empty for good. */
struct text {
	char at[TEXT_MAX];
	size_t len;
	bool full;
};

static void add_word(struct text *t, const char *word)
{
	size_t n = strlen(word);
	if (t->full || t->len + n + 2 > sizeof(t->at)) {
		t->full = true;
		return;
	}
	if (t->len > 0)
		t->at[t->len++] = ' ';
	memcpy(t->at + t->len, word, n + 1);
	t->len += n;
}

struct environment {
	char **words;
	size_t n;
	bool failed;
};

static void set_text(struct environment *e, const char *name, const char *value)
{
	char **grown = array_resize(e->words, e->n + 2, sizeof(*grown));
	if (grown != NULL) {
		e->words = grown;
		grown[e->n] = grown[e->n + 1] = NULL;
		if (asprintf(&grown[e->n], "%s=%s", name, value) < 0)
			grown[e->n] = NULL;
	}
	e->failed |= grown == NULL || grown[e->n] == NULL;
	e->n += grown != NULL && grown[e->n] != NULL;
}

static void set_number(struct environment *e, const char *name, uint32_t value)
{
	char text[16];
	snprintf(text, sizeof(text), "%u", value);
	set_text(e, name, text);
}

static void set_words(struct environment *e, const char *name, const struct text *t)
{
	if (!t->full)
		set_text(e, name, t->at);
}

static unsigned bits_of(const uint8_t *mask, size_t n)
{
	unsigned bits = 0;
	for (size_t i = 0; i < n; i++)
		for (unsigned b = mask[i]; b != 0; b &= b - 1)
			bits++;
	return bits;
}

/* "10.78.0.1/24", or nothing for another family. */
static void add_address(struct text *t, const struct ifaddrs *a)
{
	char address[INET6_ADDRSTRLEN], word[INET6_ADDRSTRLEN + 8];
	const uint8_t *bytes = NULL, *mask = NULL;
	size_t n = 0;
	if (a->ifa_addr == NULL || a->ifa_netmask == NULL)
		return;
	int family = a->ifa_addr->sa_family;
	if (family == AF_INET) {
		bytes = (const uint8_t *)&((struct sockaddr_in *)(void *)a->ifa_addr)->sin_addr;
		mask = (const uint8_t *)&((struct sockaddr_in *)(void *)a->ifa_netmask)->sin_addr;
		n = 4;
	} else if (family == AF_INET6) {
		bytes = (const uint8_t *)&((struct sockaddr_in6 *)(void *)a->ifa_addr)->sin6_addr;
		mask = (const uint8_t *)&((struct sockaddr_in6 *)(void *)a->ifa_netmask)->sin6_addr;
		n = 16;
	}
	if (n == 0 || inet_ntop(family, bytes, address, sizeof(address)) == NULL)
		return;
	snprintf(word, sizeof(word), "%s/%u", address, bits_of(mask, n));
	add_word(t, word);
}

static void set_addresses(struct environment *e, const char *device)
{
	struct text t = {.at = ""};
	struct ifaddrs *all = NULL;
	if (getifaddrs(&all) != 0)
		return;
	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next)
		if (strcmp(a->ifa_name, device) == 0)
			add_address(&t, a);
	freeifaddrs(all);
	set_words(e, "VPNCORE_ADDRESSES", &t);
}

struct peers {
	struct text allowed, endpoints;
};

static void add_endpoint(struct text *t, const struct vpn_endpoint *at)
{
	char address[INET6_ADDRSTRLEN], word[INET6_ADDRSTRLEN + 16];
	bool v6 = at->family == VPN_AF_INET6;
	if ((!v6 && at->family != VPN_AF_INET) ||
	    inet_ntop(v6 ? AF_INET6 : AF_INET, at->addr, address, sizeof(address)) == NULL)
		return;
	snprintf(word, sizeof(word), v6 ? "[%s]:%u" : "%s:%u", address, at->port);
	add_word(t, word);
}

static int add_peer(void *ctx, const struct vpn_peer_info *peer)
{
	struct peers *p = ctx;
	char address[INET6_ADDRSTRLEN], word[INET6_ADDRSTRLEN + 8];
	add_endpoint(&p->endpoints, &peer->endpoint);
	for (uint32_t i = 0; i < peer->n_allowed; i++) {
		const struct vpn_prefix *net = &peer->allowed[i];
		int family = net->family == VPN_AF_INET6 ? AF_INET6 : AF_INET;
		if (inet_ntop(family, net->addr, address, sizeof(address)) == NULL)
			continue;
		snprintf(word, sizeof(word), "%s/%u", address, net->length);
		add_word(&p->allowed, word);
	}
	return p->allowed.full && p->endpoints.full;
}

static void set_peers(struct environment *e, const struct pipeline *p)
{
	void *inst;
	const struct vpn_host *host = &p->instances[0].host;
	const struct vpn_peers_ext *ext = host->get_service(host, VPN_EXT_PEERS, &inst);
	struct peers *peers = calloc(1, sizeof(*peers));
	if (ext != NULL && peers != NULL && ext->each(inst, add_peer, peers) == VPN_OK) {
		set_words(e, "VPNCORE_ALLOWED_IPS", &peers->allowed);
		set_words(e, "VPNCORE_ENDPOINTS", &peers->endpoints);
	}
	e->failed |= peers == NULL;
	free(peers);
}

/* Nothing of our own environment: it may hold secrets. NULL when there is no memory. */
static char **make_environment(struct pipeline *p)
{
	struct environment e = {0};
	struct vpn_device_info device;
	set_text(&e, "PATH", safe_path);
	set_text(&e, "VPNCORE_NAME", p->graph->manifest->name);
	if (pipeline_device(p, &device)) {
		set_text(&e, "VPNCORE_DEVICE", device.name);
		set_number(&e, "VPNCORE_IFINDEX", device.ifindex);
		set_number(&e, "VPNCORE_MTU", device.mtu);
		set_text(&e, "VPNCORE_LAYER", device.layer == VPN_L2 ? "ethernet" : "ip");
		set_addresses(&e, device.name);
	}
	set_peers(&e, p);
	return e.failed ? hook_list_free_words(e.words) : e.words;
}

/* ---- running ------------------------------------------------------------------------------------- */

/* `env` with VPNCORE_EVENT in front of it. Returns the first error. */
static vpn_status run_list(const struct hook_list *list, const char *event, char *const *env,
			   uint64_t timeout_ns, bool all, struct vpn_error *err)
{
	char variable[64];
	size_t n = 0;
	vpn_status status = VPN_OK;
	snprintf(variable, sizeof(variable), "VPNCORE_EVENT=%s", event);
	while (env[n] != NULL)
		n++;
	const char **words = calloc(n + 2, sizeof(*words));
	if (words == NULL)
		return fault(err, VPN_ENOMEM, 0, "out of memory");
	words[0] = variable;
	memcpy(words + 1, env, n * sizeof(*words));
	for (size_t i = 0; i < list->n && (all || status == VPN_OK); i++) {
		struct vpn_error one = VPN_ERROR_INIT;
		vpn_status s = hook_run(event, list->commands[i], (char **)(uintptr_t)words,
					timeout_ns, &one);
		if (s != VPN_OK && status == VPN_OK)
			status = fault(err, s, one.os_errno, "%s: %.230s", event, one.text);
	}
	free(words);
	return status;
}

bool hooks_want_journal(const struct manifest *m)
{
	return m->on_down.n > 0 && geteuid() == 0;
}

static vpn_status note_down(struct pipeline *p, struct vpn_error *err)
{
	const struct manifest *m = p->graph->manifest;
	char id[] = HOOKS_ID, path[] = "";
	size_t len = 0;
	if (p->journal.journal == NULL || m->on_down.n == 0)
		return VPN_OK;
	char *data = hook_list_pack(&m->on_down, p->hook_env, m->hook_timeout_ns, &len);
	if (data == NULL)
		return fault(err, VPN_ENOMEM, 0, "out of memory");
	const struct journal_entry e = {
		.kind = HOOKS_KIND, .id = id, .path = path, .data = data, .len = (uint32_t)len};
	vpn_status status = journal_service_add(&p->journal, &e, &p->hook_record, err);
	free(data);
	return status;
}

vpn_status hooks_up(struct pipeline *p, struct vpn_error *err)
{
	const struct manifest *m = p->graph->manifest;
	if (m->on_up.n + m->on_down.n == 0)
		return VPN_OK;
	p->hook_env = make_environment(p);
	if (p->hook_env == NULL)
		return fault(err, VPN_ENOMEM, 0, "out of memory");
	vpn_status status = note_down(p, err);
	if (status != VPN_OK) {
		p->hook_env = hook_list_free_words(p->hook_env);
		return status;
	}
	return run_list(&m->on_up, "on_up", p->hook_env, m->hook_timeout_ns, false, err);
}

vpn_status hooks_down(struct pipeline *p, struct vpn_error *err)
{
	const struct manifest *m = p->graph->manifest;
	if (p->hook_env == NULL)
		return VPN_OK;
	vpn_status status = run_list(&m->on_down, HOOKS_ID, p->hook_env, m->hook_timeout_ns, true,
				     err);
	if (p->journal.journal != NULL)
		journal_forget(p->journal.journal, p->hook_record);
	p->hook_env = hook_list_free_words(p->hook_env);
	return status;
}

vpn_status hooks_undo(const struct journal_entry *e, struct vpn_error *err)
{
	struct hook_list list;
	char **env;
	uint64_t timeout_ns;
	if (strcmp(e->id, HOOKS_ID) != 0 ||
	    !hook_list_unpack(e->data, e->len, &list, &env, &timeout_ns))
		return fault(err, VPN_EINVAL, 0, "not the record of a hook");
	vpn_status status = run_list(&list, HOOKS_ID, env, timeout_ns, true, err);
	hook_list_clear(&list);
	hook_list_free_words(env);
	return status;
}
