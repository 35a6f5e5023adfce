# SPDX-License-Identifier: BSD-2-Clause
# kcp-go's outer layers in the KCP transport: FEC and the crypt header.
pkg_check_modules(ISAL QUIET IMPORTED_TARGET libisal)
pkg_check_modules(LIBCRYPTO QUIET libcrypto>=3.0)
if(NOT SODIUM_FOUND OR NOT ISAL_FOUND OR NOT LIBCRYPTO_FOUND)
	return()
endif()
set(kcp "${PROJECT_SOURCE_DIR}/transports/kcp")

add_fuzzer(kcp_fec fuzz_kcp_fec.c "${kcp}/rs.c" "${kcp}/fec.c" "${kcp}/fec_encode.c"
	"${kcp}/fec_decode.c" "${kcp}/fec_tune.c")
target_include_directories(fuzz_kcp_fec PRIVATE "${kcp}")
target_link_libraries(fuzz_kcp_fec PRIVATE PkgConfig::ISAL)

add_fuzzer(kcp_crypt fuzz_kcp_crypt.c "${kcp}/crypt.c" "${kcp}/crypt_cfb.c" "${kcp}/crypt_gcm.c"
	"${kcp}/crypt_salsa20.c" "${kcp}/crypt_nonce.c" "${kcp}/crypt_library.c" "${kcp}/crc32.c")
target_include_directories(fuzz_kcp_crypt PRIVATE "${kcp}" ${LIBCRYPTO_INCLUDE_DIRS})
target_link_libraries(fuzz_kcp_crypt PRIVATE PkgConfig::ISAL PkgConfig::SODIUM Threads::Threads
	${CMAKE_DL_LIBS})
