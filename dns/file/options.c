/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "common/fault.h"

static vpn_status check_path(const char *path, struct vpn_error *err)
{
	size_t n = strlen(path);
	if (path[0] != '/' || path[n - 1] == '/')
		return dns_fault(err, VPN_EINVAL, 0, "/path",
				 "must be the absolute path of a file, such as /etc/resolv.conf");
	return VPN_OK;
}

/* resolv.conf(5): "edns0", "ndots:2". */
static const char *word_wrong(const char *word)
{
	size_t n = strlen(word);
	if (n == 0 || n > DNS_FILE_WORD_MAX)
		return "is empty or longer than 32 characters";
	if (word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-_:")] != '\0')
		return "is no option of resolv.conf(5), such as \"edns0\" or \"ndots:2\"";
	return NULL;
}

static vpn_status check_words(const struct vpn_list *l, struct vpn_error *err)
{
	char where[32];
	for (uint32_t i = 0; i < l->count; i++) {
		const char *word = dns_options_name(l, i);
		const char *wrong = word_wrong(word);
		snprintf(where, sizeof(where), "/options/%u", i);
		if (wrong != NULL)
			return dns_fault(err, VPN_EINVAL, 0, where, "\"%.40s\" %s", word, wrong);
	}
	return VPN_OK;
}

vpn_status dns_file_options_validate(const void *config, struct vpn_error *err)
{
	const struct dns_file_options *o = config;
	vpn_status status = dns_options_validate(&o->common, err);
	if (status == VPN_OK)
		status = dns_options_refuse_split(&o->common, err);
	if (status == VPN_OK)
		status = check_path(o->path, err);
	if (status == VPN_OK)
		status = check_words(&o->options, err);
	return status;
}

static const struct vpn_option options[] = {
	DNS_OPTION_ROWS,
	{.name = "path",
	 .type = VPN_OPT_STRING,
	 .dflt = "/etc/resolv.conf",
	 .min = 2,
	 .max = DNS_FILE_PATH_MAX,
	 .offset = (uint32_t)offsetof(struct dns_file_options, path),
	 .doc = "The file to write."},
	{.name = "options",
	 .type = VPN_OPT_LIST,
	 .item_type = VPN_OPT_STRING,
	 .max = DNS_FILE_WORDS_MAX,
	 .offset = (uint32_t)offsetof(struct dns_file_options, options),
	 .doc = "Words of its line \"options\": edns0, trust-ad, ndots:2, see resolv.conf(5)."},
};

const struct vpn_option_table dns_file_option_table = VPN_OPTION_TABLE(options,
								       struct dns_file_options);
