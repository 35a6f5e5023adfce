# SPDX-License-Identifier: BSD-2-Clause
# The whole WireGuard transport on the test host, with the reference peers of the unit tests.
pkg_check_modules(B2 QUIET IMPORTED_TARGET libb2)
if(NOT SODIUM_FOUND OR NOT B2_FOUND)
	return()
endif()
set(sources "")
foreach(file wireguard options text blake2 x25519_ladder noise types cookie ratelimit replay epoch allowedips index endpoint
		keypair peer peers timers staging handshake send receive inner icmp lane names config
		uapi uapi_socket uapi_system_linux uapi_text uapi_get aead aead_libsodium)
	list(APPEND sources "${wireguard}/${file}.c")
endforeach()
add_fuzzer(wg_messages fuzz_wg_messages.c "${wireguard_tests}/wg_world.c" ${sources})
target_include_directories(fuzz_wg_messages PRIVATE "${wireguard}" "${wireguard_tests}")
target_link_libraries(fuzz_wg_messages PRIVATE vpncore::testhost vpncore::tcpip PkgConfig::CMOCKA
	PkgConfig::SODIUM PkgConfig::B2 Threads::Threads)
