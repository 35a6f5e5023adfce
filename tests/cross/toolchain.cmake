# SPDX-License-Identifier: BSD-2-Clause
# Builds for a system that this one is not (presets cross-*): with zig's clang and the libraries that
# ./prepare makes for VPNCORE_CROSS_TARGET in VPNCORE_CROSS_DIR. What is built here is not run.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES VPNCORE_CROSS_DIR VPNCORE_CROSS_TARGET
	VPNCORE_CROSS_PREPARED)

if(NOT VPNCORE_CROSS_PREPARED)
	execute_process(COMMAND "${CMAKE_CURRENT_LIST_DIR}/prepare" "${VPNCORE_CROSS_DIR}"
		"${VPNCORE_CROSS_TARGET}" RESULT_VARIABLE failed)
	if(failed)
		message(FATAL_ERROR "the toolchain for ${VPNCORE_CROSS_TARGET} cannot be made, see above")
	endif()
	set(VPNCORE_CROSS_PREPARED ON)
endif()

set(home "${VPNCORE_CROSS_DIR}/${VPNCORE_CROSS_TARGET}")
set(system_freebsd FreeBSD)
set(system_netbsd NetBSD)
set(system_openbsd OpenBSD)
set(system_macos Darwin)
if(VPNCORE_CROSS_TARGET MATCHES "^([a-z]+)-?(.*)$")
	set(CMAKE_SYSTEM_NAME "${system_${CMAKE_MATCH_1}}")
	set(CMAKE_SYSTEM_PROCESSOR "${CMAKE_MATCH_2}")
endif()
if(NOT CMAKE_SYSTEM_PROCESSOR)
	set(CMAKE_SYSTEM_PROCESSOR x86_64)
endif()

set(CMAKE_C_COMPILER "${home}/bin/cc")
set(CMAKE_AR "${home}/bin/ar" CACHE FILEPATH "")
set(CMAKE_RANLIB "${home}/bin/ranlib" CACHE FILEPATH "")
set(CMAKE_FIND_ROOT_PATH "${home}/root")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} "${home}/root/lib/pkgconfig")
set(ENV{PKG_CONFIG_PATH} "")

if(CMAKE_SYSTEM_NAME STREQUAL "Darwin")
	# no SDK: the compiler brings its own
	set(CMAKE_OSX_SYSROOT "" CACHE PATH "")
	set(CMAKE_INSTALL_NAME_TOOL true CACHE FILEPATH "")
endif()
