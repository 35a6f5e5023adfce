# SPDX-License-Identifier: BSD-2-Clause
# The whole KCP transport on the test host.
pkg_check_modules(ISAL QUIET IMPORTED_TARGET libisal)
if(NOT SODIUM_FOUND OR NOT ISAL_FOUND)
	return()
endif()
file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/transports/kcp/*.c")
add_fuzzer(kcp_input fuzz_kcp_input.c ${sources})
target_include_directories(fuzz_kcp_input PRIVATE "${PROJECT_SOURCE_DIR}/transports/kcp")
target_link_libraries(fuzz_kcp_input PRIVATE vpncore::testhost vpncore::tcpip PkgConfig::SODIUM
	PkgConfig::ISAL ${CMAKE_DL_LIBS})
