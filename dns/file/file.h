/* SPDX-License-Identifier: BSD-2-Clause */
/* file: the instance of the dns component that writes resolv.conf itself. */
#ifndef DNS_FILE_FILE_H
#define DNS_FILE_FILE_H

#include "common/frame.h"
#include "options.h"
#include "record.h"
#include "text.h"

struct dns_file {
	struct dns dns; /* first: see struct dns_backend */
	char text[DNS_FILE_TEXT_MAX];
	size_t n_text;
	uint64_t record; /* of what we have made of the file */
	bool has_record;
	enum dns_file_way way; /* of the record */
	int notify;            /* inotify, -1 = none */
};

static inline const struct dns_file_options *dns_file_options(const struct dns_file *f)
{
	return (const void *)f->dns.options; /* begins with them */
}

#endif
