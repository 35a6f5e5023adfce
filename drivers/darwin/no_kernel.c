/* SPDX-License-Identifier: BSD-2-Clause */
/* A system without any of it: for the plugin files of other systems, in which `vpncore check --platform` and
 * `plugin show` find the options. Their start fails. */
#include <errno.h>

#include "ops.h"

static int no_node(const char *path)
{
	(void)path;
	errno = ENOSYS;
	return -1;
}

static int no_socket(int domain, int type, int protocol)
{
	(void)domain;
	(void)type;
	(void)protocol;
	errno = ENOSYS;
	return -1;
}

static darwin_function no_symbol(const char *name)
{
	(void)name;
	return NULL;
}

/* The drivers call nothing else before one of these has failed. */
const struct darwin_ops darwin_ops = {
	.open = no_node,
	.socket = no_socket,
	.symbol = no_symbol,
};
