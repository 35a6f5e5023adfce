# SPDX-License-Identifier: BSD-2-Clause
# What every backend is made of beside its own files; for the plugins, and for their tests. A backend
# includes these headers as "common/...", with dns/ in its include path.
set(DNS_COMMON_DIR "${CMAKE_CURRENT_LIST_DIR}")
set(DNS_COMMON_SOURCES fault.c frame.c name.c options.c resolv.c)
list(TRANSFORM DNS_COMMON_SOURCES PREPEND "${DNS_COMMON_DIR}/")
