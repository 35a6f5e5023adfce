/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rig *current;

const struct vpn_component *rig_component(void)
{
	return vpncore_plugin_v1.components[0];
}

/* ---- the host's journal ---- */

static vpn_status journal_add(void *inst, uint32_t flags, const void *data, uint32_t len,
			      uint64_t *ret_id, struct vpn_error *err)
{
	struct rig *r = inst;
	assert_int_equal(flags, 0);
	if (r->add_status != VPN_OK)
		return err->status = r->add_status;
	assert_true(len <= sizeof(r->record_data) && r->record == 0);
	memcpy(r->record_data, data, len);
	r->record_len = len;
	*ret_id = r->record = 77;
	return VPN_OK;
}

static void journal_forget(void *inst, uint64_t id)
{
	struct rig *r = inst;
	assert_int_equal(id, r->record);
	r->record = 0;
}

static vpn_status journal_undo(void *inst, uint64_t id, struct vpn_error *err)
{
	struct rig *r = inst;
	assert_int_equal(id, r->record);
	vpn_status status = rig_component()->undo(&r->fake.host, 0, r->record_data, r->record_len,
						  err);
	if (status == VPN_OK)
		r->record = 0;
	return status;
}

static const struct vpn_journal_ext journal = {.size = sizeof(journal),
					       .add = journal_add,
					       .forget = journal_forget,
					       .undo = journal_undo};

static const void *get_service(const struct vpn_host *host, const char *id, void **ret_inst)
{
	(void)host;
	*ret_inst = current;
	return strcmp(id, VPN_EXT_JOURNAL) == 0 && current->has_journal ? &journal : NULL;
}

static void wake(const struct vpn_host *host, uint32_t index)
{
	(void)host;
	assert_int_equal(index, 0);
	assert_int_equal(write(current->woken[1], "w", 1), 1);
}

static vpn_status (*watch_of_fake)(struct vpn_lane *lane, int fd, uint32_t events, uint64_t token);

/* Token 0 is the queue's. */
static vpn_status watch(struct vpn_lane *lane, int fd, uint32_t events, uint64_t token)
{
	if (current->refuses_queue && token == 0 && events != 0)
		return VPN_EIO;
	return watch_of_fake(lane, fd, events, token);
}

/* ---- life ---- */

vpn_status rig_start(struct rig *r, const void *config, uint32_t mtu_above)
{
	const struct vpn_lifecycle *life = rig_component()->lifecycle;
	current = r;
	r->config = config;
	r->inst = NULL;
	r->record = 0;
	r->err = (struct vpn_error){.size = sizeof(r->err)};
	fake_init(&r->fake, 1, mtu_above);
	watch_of_fake = r->fake.host.watch;
	r->fake.host.watch = watch;
	r->fake.host.wake = wake;
	r->fake.host.get_service = get_service;
	vpn_status status = life->validate(config, &r->err);
	if (status == VPN_OK)
		status = life->create(&r->fake.host, config, &r->inst, &r->err);
	if (status != VPN_OK)
		return status;
	assert_int_equal(pipe(r->woken), 0);
	status = life->start(r->inst, r->fake.lane_list, &r->err);
	if (status != VPN_OK)
		rig_stop(r);
	return status;
}

void rig_must_start(struct rig *r, const void *config, uint32_t mtu_above)
{
	if (rig_start(r, config, mtu_above) != VPN_OK)
		fail_msg("start: %s (%s)", r->err.text, r->err.where);
}

void rig_must_refuse(struct rig *r, const void *config, vpn_status status, const char *where,
		     const char *text)
{
	assert_int_equal(rig_start(r, config, RIG_MTU), status);
	assert_int_equal(r->err.status, status);
	if (strstr(r->err.text, text) == NULL || strcmp(r->err.where, where) != 0)
		fail_msg("expected \"%s\" at \"%s\", not \"%s\" at \"%s\"", text, where,
			 r->err.text, r->err.where);
	assert_true(strlen(r->err.text) < sizeof(r->err.text) - 1);
}

void rig_stop(struct rig *r)
{
	const struct vpn_lifecycle *life = rig_component()->lifecycle;
	life->stop(r->inst);
	life->stop(r->inst);
	life->destroy(r->inst);
	r->inst = NULL;
	close(r->woken[0]);
	close(r->woken[1]);
	fake_check_clean(&r->fake);
	assert_int_equal(model_open_descriptors(), 0);
	assert_int_equal(model_count_interfaces(), 0);
}

static int take_wakes(struct rig *r, int timeout_ms)
{
	char buf[64];
	struct pollfd p = {.fd = r->woken[0], .events = POLLIN};
	const struct vpn_flow *flow = rig_component()->flow;
	if (poll(&p, 1, timeout_ms) <= 0)
		return 0;
	assert_true(read(r->woken[0], buf, sizeof(buf)) > 0);
	while (flow->ready(r->inst, &r->fake.lanes[0], VPN_TOKEN_WAKE, 0) == VPN_MORE)
		;
	return 1;
}

void rig_turn(struct rig *r)
{
	for (int i = 0; i < 1000; i++)
		if (fake_turn(&r->fake, rig_component()->flow, r->inst, 0) == 0 &&
		    take_wakes(r, 0) == 0)
			return;
	fail_msg("it never comes to rest");
}

void rig_until_captured(struct rig *r, uint32_t n)
{
	for (int i = 0; i < 10000 && r->fake.n_captured < n; i++) {
		(void)fake_turn(&r->fake, rig_component()->flow, r->inst, 0);
		(void)take_wakes(r, 1);
	}
	assert_int_equal(r->fake.n_captured, n);
}

void rig_until_paused(struct rig *r)
{
	for (int i = 0; i < 10000 && r->fake.deadline[0] == 0; i++) {
		(void)fake_turn(&r->fake, rig_component()->flow, r->inst, 0);
		(void)take_wakes(r, 1);
	}
	rig_turn(r);
	assert_true(r->fake.deadline[0] != 0);
}

void rig_until_failed(struct rig *r)
{
	for (int i = 0; i < 10000 && !r->fake.failed; i++) {
		(void)fake_turn(&r->fake, rig_component()->flow, r->inst, 0);
		(void)take_wakes(r, 1);
	}
	assert_true(r->fake.failed);
}

/* ---- asking ---- */

void rig_retry(struct rig *r)
{
	if (r->fake.deadline[0] == 0)
		return;
	rig_component()->flow->timer(r->inst, &r->fake.lanes[0], r->fake.deadline[0]);
	rig_turn(r);
}

void rig_settle(struct rig *r, uint32_t n)
{
	for (int i = 0; i < 10000 && r->fake.n_captured < n && !r->fake.failed; i++) {
		(void)take_wakes(r, 1);
		rig_turn(r);
		rig_retry(r);
	}
}

bool rig_logged(const struct rig *r, const char *text)
{
	return strstr(r->fake.log, text) != NULL;
}

struct vpn_device_info rig_info(struct rig *r)
{
	struct vpn_device_info info = {.size = sizeof(info)};
	const struct vpn_device_ext *ext = rig_component()->lifecycle->get_extension(
		r->inst, VPN_EXT_DEVICE);
	assert_int_equal(ext->info(r->inst, &info), VPN_OK);
	return info;
}

void rig_up(struct rig *r, const void *data, uint32_t len, uint32_t flags, uint32_t n)
{
	struct vpn_packet *pkts[VPN_BATCH_MAX];
	assert_true(n <= VPN_BATCH_MAX);
	for (uint32_t i = 0; i < n; i++)
		pkts[i] = fake_packet(&r->fake, data, len, flags);
	assert_int_equal(rig_component()->flow->recv(r->inst, &r->fake.lanes[0], pkts, n), n);
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

struct vpn_prefix rig_prefix(const char *text)
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

void rig_packet(uint8_t *buf, uint32_t len, int version, uint8_t mark)
{
	memset(buf, mark, len);
	if (version == 6) {
		memset(buf, 0, 40);
		buf[0] = 0x60;
	} else {
		memset(buf, 0, 20);
		buf[0] = 0x45;
	}
}
