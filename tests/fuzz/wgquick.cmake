# SPDX-License-Identifier: BSD-2-Clause
# The parser of wg-quick files, with what it calls elsewhere in the tree; the rest is linked.
if(NOT SODIUM_FOUND)
	return()
endif()
set(cli "${PROJECT_SOURCE_DIR}/framework/cli")
set(core "${PROJECT_SOURCE_DIR}/framework/core")
set(tcpip "${PROJECT_SOURCE_DIR}/framework/tcpip")
add_fuzzer(wgquick fuzz_wgquick.c "${cli}/keys.c" "${cli}/wgquick.c" "${cli}/wgquick_read.c"
	"${cli}/wgquick_awg.c" "${cli}/wgquick_dns.c"
	"${cli}/wgquick_check.c" "${cli}/wgquick_manifest.c" "${core}/option_type.c"
	"${core}/problems.c" "${core}/suggest.c" "${tcpip}/address.c" "${tcpip}/prefix.c")
target_include_directories(fuzz_wgquick PRIVATE "${cli}")
target_link_libraries(fuzz_wgquick PRIVATE vpncore_core vpncore::tcpip PkgConfig::SODIUM)
