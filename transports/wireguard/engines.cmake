# SPDX-License-Identifier: BSD-2-Clause
# Sets WG_UAPI_SYSTEM (absolute), and WG_ENGINE_SOURCES (absolute), WG_ENGINE_LIBS, WG_ENGINE_INCLUDES and WG_ENGINE_DEFINITIONS for the
# AEAD engines that can be built, and for the way to X25519's base point that can; included by the plugin and
# by its unit tests.
include_guard(DIRECTORY)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
	set(WG_UAPI_SYSTEM "${CMAKE_CURRENT_LIST_DIR}/uapi_system_linux.c")
else()
	set(WG_UAPI_SYSTEM "${CMAKE_CURRENT_LIST_DIR}/uapi_system_kqueue.c")
endif()
set(WG_ENGINE_SOURCES "")
set(WG_ENGINE_LIBS "")
set(WG_ENGINE_INCLUDES "")
set(WG_ENGINE_DEFINITIONS "")
set(VPNCORE_WIREGUARD_OPENSSL AUTO CACHE STRING "AEAD engine of the wireguard transport (AUTO, ON, OFF)")
set(VPNCORE_WIREGUARD_IPSEC_MB AUTO CACHE STRING
	"AEAD engine of the wireguard transport, x86-64 (AUTO, ON, OFF)")
set_property(CACHE VPNCORE_WIREGUARD_OPENSSL VPNCORE_WIREGUARD_IPSEC_MB PROPERTY STRINGS AUTO ON OFF)

if(VPNCORE_WIREGUARD_OPENSSL STREQUAL "AUTO" OR VPNCORE_WIREGUARD_OPENSSL)
	pkg_check_modules(VPNCORE_LIBCRYPTO QUIET libcrypto>=3.0)
	if(VPNCORE_LIBCRYPTO_FOUND)
		list(APPEND WG_ENGINE_SOURCES "${CMAKE_CURRENT_LIST_DIR}/aead_openssl.c")
		# headers only: the engine loads the library when it is wanted
		list(APPEND WG_ENGINE_INCLUDES ${VPNCORE_LIBCRYPTO_INCLUDE_DIRS})
		list(APPEND WG_ENGINE_LIBS ${CMAKE_DL_LIBS})
		list(APPEND WG_ENGINE_DEFINITIONS WG_HAVE_OPENSSL)
	elseif(NOT VPNCORE_WIREGUARD_OPENSSL STREQUAL "AUTO")
		message(FATAL_ERROR "VPNCORE_WIREGUARD_OPENSSL=ON: libcrypto 3.0 is not here")
	endif()
endif()

if(VPNCORE_WIREGUARD_IPSEC_MB STREQUAL "AUTO" OR VPNCORE_WIREGUARD_IPSEC_MB)
	# it has no pkg-config file
	find_path(VPNCORE_IPSEC_MB_INCLUDE intel-ipsec-mb.h)
	find_library(VPNCORE_IPSEC_MB_LIBRARY IPSec_MB)
	mark_as_advanced(VPNCORE_IPSEC_MB_INCLUDE VPNCORE_IPSEC_MB_LIBRARY)
	if(VPNCORE_IPSEC_MB_INCLUDE AND VPNCORE_IPSEC_MB_LIBRARY)
		list(APPEND WG_ENGINE_SOURCES "${CMAKE_CURRENT_LIST_DIR}/aead_ipsec_mb.c")
		list(APPEND WG_ENGINE_LIBS "${VPNCORE_IPSEC_MB_LIBRARY}")
		list(APPEND WG_ENGINE_DEFINITIONS WG_HAVE_IPSEC_MB)
	elseif(NOT VPNCORE_WIREGUARD_IPSEC_MB STREQUAL "AUTO")
		message(FATAL_ERROR "VPNCORE_WIREGUARD_IPSEC_MB=ON: libipsec-mb is not here")
	endif()
endif()

# the faster one wants 128-bit integers, and the Ed25519 that a minimal libsodium leaves out
include(CheckCSourceCompiles)
pkg_check_modules(VPNCORE_SODIUM QUIET libsodium)
set(CMAKE_REQUIRED_INCLUDES ${VPNCORE_SODIUM_INCLUDE_DIRS})
check_c_source_compiles("#include <sodium.h>
	__extension__ typedef unsigned __int128 wide;
	int main(void) { unsigned char p[32] = {1}; wide w = p[0];
	return w && sizeof(&crypto_scalarmult_ed25519_base) && crypto_scalarmult_ed25519_BYTES == 32 ? 0 : 1; }"
	VPNCORE_WIREGUARD_EDWARDS)
unset(CMAKE_REQUIRED_INCLUDES)
if(VPNCORE_WIREGUARD_EDWARDS)
	list(APPEND WG_ENGINE_SOURCES "${CMAKE_CURRENT_LIST_DIR}/x25519_edwards.c")
else()
	list(APPEND WG_ENGINE_SOURCES "${CMAKE_CURRENT_LIST_DIR}/x25519_ladder.c")
endif()
