# SPDX-License-Identifier: BSD-2-Clause
# For the plugin, and for its tests, which link the sources directly.
set(DNS_FILE_SOURCES disk.c file.c options.c place.c probe.c record.c text.c watch.c)
