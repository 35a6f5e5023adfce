# SPDX-License-Identifier: BSD-2-Clause
# What the plugin is made of beside ../common; for the plugin, and for its tests.
set(DNS_RESOLVCONF_SOURCES child.c key.c place.c program.c record.c resolvconf.c split.c system.c
	watch.c)
