# SPDX-License-Identifier: BSD-2-Clause
# For the plugin, and for its tests, which link the sources directly.
set(ROUTES_LINUX_SOURCES
	fault.c
	linux.c
	made_routes.c
	made_switches.c
	made_tables.c
	monitor.c
	netlink.c
	nft.c
	object.c
	options.c
	plan.c
	prefix.c
	query.c
	record.c
	route.c
	rule.c
	ruleset.c
	scene.c
	switch.c
	text.c
	want.c
	work.c)
