# SPDX-License-Identifier: BSD-2-Clause
# The obfs transport in all modes, on the test host.
if(NOT SODIUM_FOUND)
	return()
endif()
set(obfs "${PROJECT_SOURCE_DIR}/transports/obfs")
include("${obfs}/sources.cmake")
list(TRANSFORM OBFS_SOURCES PREPEND "${obfs}/")
add_fuzzer(obfs_open fuzz_obfs_open.c ${OBFS_SOURCES})
target_include_directories(fuzz_obfs_open PRIVATE "${obfs}")
target_link_libraries(fuzz_obfs_open PRIVATE vpncore::testhost PkgConfig::SODIUM)
