/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpncore/tcpip.h>

#include "life.h"

extern const struct vpn_plugin vpncore_plugin_v1;

const struct vpn_component *rig_component(void)
{
	return vpncore_plugin_v1.components[0];
}

/* ---- the journal ---- */

static vpn_status on_add(void *inst, uint32_t flags, const void *data, uint32_t len,
			 uint64_t *ret_id, struct vpn_error *err)
{
	struct rig *r = inst;
	(void)flags;
	if (++r->n_adds == r->fail_add) {
		err->status = VPN_EIO;
		snprintf(err->text, sizeof(err->text), "the journal is full");
		return VPN_EIO;
	}
	for (uint32_t i = 0; i < RIG_RECORDS; i++) {
		if (r->records[i].id != 0)
			continue;
		assert_true(len <= sizeof(r->records[i].data));
		memcpy(r->records[i].data, data, len);
		r->records[i].len = len;
		*ret_id = r->records[i].id = ++r->last_id;
		return VPN_OK;
	}
	fail_msg("records pile up");
	return VPN_ENOMEM;
}

static void on_forget(void *inst, uint64_t id)
{
	struct rig *r = inst;
	for (uint32_t i = 0; i < RIG_RECORDS; i++)
		if (r->records[i].id == id)
			r->records[i].id = 0;
}

static const struct vpn_journal_ext journal = {
	.size = sizeof(journal), .add = on_add, .forget = on_forget};

static const void *on_get_service(const struct vpn_host *host, const char *id, void **ret_inst)
{
	/* the host is the first member of the fake, which is the rig's */
	struct rig *r = (struct rig *)(uintptr_t)host;
	*ret_inst = r;
	return strcmp(id, VPN_EXT_JOURNAL) == 0 && !r->no_journal ? &journal : NULL;
}
_Static_assert(offsetof(struct rig, fake) == 0 && offsetof(struct fake, host) == 0,
	       "on_get_service() relies on it");

uint32_t rig_records(const struct rig *r)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < RIG_RECORDS; i++)
		n += r->records[i].id != 0;
	return n;
}

uint32_t rig_undo(struct rig *r)
{
	uint32_t failed = 0;
	for (uint32_t i = RIG_RECORDS; i-- > 0;) {
		uint64_t aligned[8];
		if (r->records[i].id == 0)
			continue;
		memcpy(aligned, r->records[i].data, sizeof(r->records[i].data));
		r->err = (struct vpn_error){.size = sizeof(r->err)};
		if (rig_component()->undo(&r->fake.host, 0, aligned, r->records[i].len, &r->err) ==
		    VPN_OK)
			r->records[i].id = 0;
		else
			failed++;
	}
	return failed;
}

/* ---- options ---- */

void rig_init(struct rig *r, enum bsd_layer_kind layer)
{
	memset(r, 0, sizeof(*r));
	fake_init(&r->fake, 1, RIG_MTU + (layer == BSD_ETHERNET ? BSD_ETHERNET_ROOM : 0));
	r->fake.host.name = "tuntap-bsd";
	r->fake.host.get_service = on_get_service;
	r->options.name = "vpn%d";
	r->options.layer = layer;
	r->options.up = 1;
	r->options.fd = -1;
	r->options.addresses = (struct vpn_list){r->addresses, 0, sizeof(r->addresses[0])};
	r->options.peers = (struct vpn_list){r->peers, 0, sizeof(r->peers[0])};
	r->err.size = sizeof(r->err);
}

static struct vpn_prefix parse(const char *text)
{
	struct vpn_prefix out = {0};
	struct tcpip_prefix p;
	assert_int_equal(tcpip_prefix_parse(text, &p), TCPIP_OK);
	out.family = p.family;
	out.length = p.len;
	memcpy(out.addr, p.addr, sizeof(out.addr));
	return out;
}

void rig_add_address(struct rig *r, const char *prefix)
{
	r->addresses[r->options.addresses.count++] = parse(prefix);
}

void rig_add_peer(struct rig *r, const char *address, const char *peer)
{
	struct bsd_peer *p = &r->peers[r->options.peers.count++];
	struct vpn_prefix a = parse(address);
	p->address.family = a.family;
	memcpy(p->address.addr, a.addr, sizeof(a.addr));
	p->peer = parse(peer);
}

/* ---- life ---- */

vpn_status rig_validate(struct rig *r)
{
	return rig_component()->lifecycle->validate(&r->options, &r->err);
}

static void end(struct rig *r)
{
	const struct vpn_lifecycle *life = rig_component()->lifecycle;
	life->stop(r->inst);
	life->stop(r->inst);
	life->destroy(r->inst);
	r->inst = NULL;
}

vpn_status rig_start(struct rig *r)
{
	const struct vpn_lifecycle *life = rig_component()->lifecycle;
	vpn_status status = rig_validate(r);
	if (status == VPN_OK)
		status = life->create(&r->fake.host, &r->options, &r->inst, &r->err);
	if (status != VPN_OK)
		return status;
	status = life->start(r->inst, r->fake.lane_list, &r->err);
	if (status != VPN_OK)
		end(r);
	return status;
}

void rig_must_start(struct rig *r)
{
	vpn_status status = rig_start(r);
	if (status != VPN_OK)
		fail_msg("status %d at \"%s\": %s", status, r->err.where, r->err.text);
}

void rig_must_refuse(struct rig *r, vpn_status status, const char *where, const char *text)
{
	vpn_status got = rig_start(r);
	assert_int_equal(got, status);
	assert_int_equal(r->err.status, status);
	assert_string_equal(r->err.where, where);
	if (strstr(r->err.text, text) == NULL)
		fail_msg("\"%s\" is not in: %s", text, r->err.text);
	fake_check_clean(&r->fake);
}

void rig_stop(struct rig *r)
{
	end(r);
	fake_check_clean(&r->fake);
}

void rig_kill(struct rig *r)
{
	model_kill();
	/* the rest is only for the sanitizers: no call of a dead process has an effect */
	model.fail_at = 1;
	model.fail_errno = EIO;
	model.dies = true;
	rig_component()->lifecycle->stop(r->inst);
	rig_component()->lifecycle->destroy(r->inst);
	r->inst = NULL;
	model.dies = model.failed = false;
	model.fail_at = 0;
}

/* ---- looking ---- */

struct vpn_device_info rig_info(struct rig *r)
{
	const struct vpn_device_ext *ext = rig_component()->lifecycle->get_extension(
		r->inst, VPN_EXT_DEVICE);
	struct vpn_device_info info = {.size = sizeof(info)};
	assert_int_equal(ext->info(r->inst, &info), VPN_OK);
	return info;
}

struct model_if *rig_if(struct rig *r)
{
	struct model_if *f = model_find(rig_info(r).name);
	assert_non_null(f);
	return f;
}

bool rig_logged(const struct rig *r, const char *text)
{
	return strstr(r->fake.log, text) != NULL;
}

uint64_t rig_count(const struct rig *r, const char *counter)
{
	const struct vpn_lifecycle *life = rig_component()->lifecycle;
	for (uint32_t i = 0; i < life->n_counters; i++)
		if (strcmp(life->counters[i].name, counter) == 0)
			return r->fake.counters[0][i];
	fail_msg("there is no counter %s", counter);
	return 0;
}

uint32_t rig_read(struct rig *r)
{
	return rig_component()->flow->ready(r->inst, &r->fake.lanes[0], BSD_TOKEN_DEVICE,
					    VPN_POLLIN);
}

void rig_write(struct rig *r, const void *data, uint32_t len, uint32_t flags)
{
	struct vpn_packet *p = fake_packet(&r->fake, data, len, flags);
	assert_int_equal(rig_component()->flow->recv(r->inst, &r->fake.lanes[0], &p, 1), 1);
}

void rig_notice(struct rig *r)
{
	model.route_messages++;
	rig_component()->flow->ready(r->inst, &r->fake.lanes[0], BSD_TOKEN_MONITOR, VPN_POLLIN);
}

void rig_check_left(uint32_t n)
{
	assert_int_equal(model_open_fds(), 0);
	assert_int_equal(model_devices(), n);
	assert_false(model.hung);
	assert_false(model.bad_request);
	assert_false(model.closed_badly);
}

void rig_check_clean(void)
{
	rig_check_left(0);
}

uint32_t rig_packet(uint8_t *p, int version, uint32_t len)
{
	memset(p, 0, len);
	if (version == 6) {
		p[0] = 0x60;
		tcpip_ipv6_set_payload_len(p, (uint16_t)(len - TCPIP_IPV6_LEN));
		p[7] = 64;
		p[8] = 0xfd;
	} else {
		static const uint8_t src[4] = {10, 78, 0, 2}, dst[4] = {10, 78, 0, 1};
		tcpip_ipv4_write(p, src, dst, TCPIP_IPPROTO_UDP, 64, 0,
				 (uint16_t)(len - TCPIP_IPV4_LEN));
	}
	for (uint32_t i = version == 6 ? TCPIP_IPV6_LEN : TCPIP_IPV4_LEN; i < len; i++)
		p[i] = (uint8_t)(i * 7);
	return len;
}
