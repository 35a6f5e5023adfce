# SPDX-License-Identifier: BSD-2-Clause
# For the plugin, and for its tests, which link the sources directly.
set(DNS_RESOLVED_SOURCES
	bus.c
	judge.c
	keep.c
	link.c
	options.c
	place.c
	push.c
	query.c
	resolved.c
	settings.c
	trouble.c
	undo.c
	view.c)
