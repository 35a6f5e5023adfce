# SPDX-License-Identifier: BSD-2-Clause
# The same on each of the four systems. The plugin has here_NAME.c and ops.c besides, its tests a model.
set(TUNTAP_BSD_SOURCES
	address.c
	device.c
	dragonfly.c
	fault.c
	freebsd.c
	inner.c
	io.c
	life.c
	monitor.c
	name.c
	netbsd.c
	openbsd.c
	options.c
	record.c
	request.c)
