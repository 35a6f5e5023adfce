/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-keeper: a device without a device, which keeps a journal as one does that the kernel does not take
 * away by itself. It writes into a file what happens to it, a word a line: "start", "stop", "undo".
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vpncore/plugin.h>

struct options {
	const char *file;
	uint32_t leave;
};

struct keeper {
	const struct vpn_host *host;
	const struct options *options;
	const struct vpn_journal_ext *journal;
	void *journal_inst;
	uint64_t record;
};

static const struct vpn_option option_list[] = {
	{.name = "file",
	 .type = VPN_OPT_STRING,
	 .flags = VPN_OPT_REQUIRED,
	 .min = 1,
	 .max = 200,
	 .offset = (uint32_t)offsetof(struct options, file),
	 .doc = "The file, an absolute path."},
	{.name = "leave",
	 .type = VPN_OPT_BOOL,
	 .dflt = "false",
	 .offset = (uint32_t)offsetof(struct options, leave),
	 .doc = "stop() leaves the record to the host."},
};
static const struct vpn_option_table table = VPN_OPTION_TABLE(option_list, struct options);

static vpn_status note(const char *file, const char *word)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return VPN_EIO;
	ssize_t n = write(fd, word, strlen(word));
	close(fd);
	return n == (ssize_t)strlen(word) ? VPN_OK : VPN_EIO;
}

static void needs(const void *config, struct vpn_needs *out)
{
	(void)config;
	out->flags = VPN_L3;
}

static vpn_status create(const struct vpn_host *host, const void *config, void **inst,
			 struct vpn_error *err)
{
	struct keeper *k = calloc(1, sizeof(*k));
	(void)err;
	*inst = k;
	if (k == NULL)
		return VPN_ENOMEM;
	k->host = host;
	k->options = config;
	return VPN_OK;
}

static vpn_status start(void *inst, struct vpn_lane *const *lanes, struct vpn_error *err)
{
	struct keeper *k = inst;
	const char *file = k->options->file;
	(void)lanes;
	k->journal = k->host->get_service(k->host, VPN_EXT_JOURNAL, &k->journal_inst);
	if (k->journal == NULL)
		return VPN_ENOTSUP;
	vpn_status status = k->journal->add(k->journal_inst, 0, file, (uint32_t)strlen(file) + 1,
					    &k->record, err);
	return status == VPN_OK ? note(file, "start\n") : status;
}

static void stop(void *inst)
{
	struct keeper *k = inst;
	if (k->record == 0)
		return;
	(void)note(k->options->file, "stop\n");
	if (!k->options->leave)
		k->journal->forget(k->journal_inst, k->record);
	k->record = 0;
}

static vpn_status undo(const struct vpn_host *host, uint32_t flags, const void *data, uint32_t len,
		       struct vpn_error *err)
{
	const char *file = data;
	(void)host;
	(void)flags;
	(void)err;
	if (len == 0 || file[0] != '/' || file[len - 1] != '\0')
		return VPN_EINVAL;
	return note(file, "undo\n");
}

static uint32_t take(void *inst, struct vpn_lane *lane, struct vpn_packet **pkts, uint32_t n)
{
	struct keeper *k = inst;
	k->host->release(lane, pkts, n);
	return n;
}

static vpn_status info(void *inst, struct vpn_device_info *out)
{
	(void)inst;
	out->layer = VPN_L3;
	memcpy(out->name, "keeper", 7);
	return VPN_OK;
}

static const void *get_extension(void *inst, const char *id)
{
	static const struct vpn_device_ext device = {
		.size = offsetof(struct vpn_device_ext, subscribe), .info = info};
	(void)inst;
	return strcmp(id, VPN_EXT_DEVICE) == 0 ? &device : NULL;
}

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

static const struct vpn_flow flow = {.size = sizeof(flow), .recv = take};

static const struct vpn_component component = {
	.size = sizeof(component),
	.kind = VPN_KIND_DEVICE,
	.id = "test-keeper",
	.summary = "a device that keeps a journal",
	.lifecycle = &lifecycle,
	.flow = &flow,
	.undo = undo,
};

static const struct vpn_component *const components[] = {&component, NULL};

VPN_PLUGIN(driver_test_keeper, "test-keeper", "1", "BSD-2-Clause", "", "", components);
