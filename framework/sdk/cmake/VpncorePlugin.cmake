# SPDX-License-Identifier: BSD-2-Clause
# vpncore_add_plugin(): builds a plugin, in this tree and outside of it.
#
#   vpncore_add_plugin(NAME KIND device|transport|routes|dns SOURCES file...
#                      [LIBS target...] [PKGCONFIG module...] [PLATFORMS system...]
#                      [NATIVE file...] [FOREIGN file...] [DESCRIPTION text])
#
# makes the target vpncore-WORD-NAME and the file WORD-NAME.so, where WORD is the kind ("driver" for
# a device). In the vpncore tree it also makes the option VPNCORE_WORD_NAME (AUTO, ON, OFF): AUTO
# builds the plugin where its platform and libraries are there, ON fails without them. Outside of the
# tree the plugin is always built, against the vpncore::plugin target that find_package() made.
#
# With FOREIGN, a plugin that is for other PLATFORMS is built all the same: FOREIGN's files, which touch no
# system, stand in for those of NATIVE, which are for its platforms only. It goes to the folder "foreign"
# beside the others, where `vpncore check --platform` alone looks for it.
#
# NAME is the component's id; the C module name for VPN_PLUGIN() is WORD_NAME with '-' and '.' as '_'.

include_guard(GLOBAL)
include(GNUInstallDirs)

define_property(GLOBAL PROPERTY VPNCORE_PLUGIN_ROWS BRIEF_DOCS "rows of the summary"
	FULL_DOCS "rows of the summary table that vpncore_plugin_summary() prints")
define_property(GLOBAL PROPERTY VPNCORE_CATALOG BRIEF_DOCS "all plugins of the tree"
	FULL_DOCS "kind, id and platforms of each plugin of the tree, built here or not, as rows of C")
define_property(GLOBAL PROPERTY VPNCORE_STATIC_MODULES BRIEF_DOCS "preloaded modules"
	FULL_DOCS "modules that are linked into the program, as WORD-NAME")

# -std=c11 hides what is not ISO C; this shows it again, in the words of each system.
function(vpncore_features out)
	set(features _GNU_SOURCE)
	if(CMAKE_SYSTEM_NAME STREQUAL "NetBSD")
		list(APPEND features _NETBSD_SOURCE)
	elseif(CMAKE_SYSTEM_NAME STREQUAL "OpenBSD")
		list(APPEND features _BSD_SOURCE)
	elseif(CMAKE_SYSTEM_NAME STREQUAL "Darwin")
		list(APPEND features _DARWIN_C_SOURCE __APPLE_USE_RFC_3542)
	endif()
	set(${out} "${features}" PARENT_SCOPE)
endfunction()

# Keeps symbols of static libraries to the file that they are linked into, where the linker can.
function(vpncore_hide_libraries target)
	include(CheckLinkerFlag)
	check_linker_flag(C "LINKER:--exclude-libs,ALL" VPNCORE_LINKER_EXCLUDES)
	if(VPNCORE_LINKER_EXCLUDES)
		target_link_options(${target} PRIVATE LINKER:--exclude-libs,ALL)
	endif()
endfunction()

# What users call a system: "macos" for Darwin, else its name in small letters.
function(vpncore_platform_names out)
	list(TRANSFORM ARGN TOLOWER)
	list(TRANSFORM ARGN REPLACE "^darwin$" "macos")
	set(${out} "${ARGN}" PARENT_SCOPE)
endfunction()

# One row of the catalog of loader.h: for whom a plugin is, "" for all.
function(_vpncore_catalog kind name platforms)
	string(TOUPPER "${kind}" kind)
	vpncore_platform_names(names ${platforms})
	list(JOIN names " " names)
	set_property(GLOBAL APPEND PROPERTY VPNCORE_CATALOG
		"{VPN_KIND_${kind}, \"${name}\", \"${names}\"},")
endfunction()

# One row of the summary table, with padded columns.
function(_vpncore_row name state reason)
	string(SUBSTRING "${name}                                " 0 28 name)
	string(SUBSTRING "${state}        " 0 8 state)
	set_property(GLOBAL APPEND PROPERTY VPNCORE_PLUGIN_ROWS "  ${name}${state}${reason}")
endfunction()

# Why a plugin cannot be built here: into `out`, empty when it can.
function(_vpncore_obstacle out platforms modules prefix)
	set(why "")
	if(platforms AND NOT CMAKE_SYSTEM_NAME IN_LIST platforms)
		list(JOIN platforms ", " names)
		set(why "only for ${names}")
	endif()
	if(NOT why AND modules)
		pkg_check_modules(${prefix} QUIET IMPORTED_TARGET ${modules})
		if(NOT ${prefix}_FOUND)
			list(JOIN modules ", " names)
			set(why "needs ${names} (pkg-config)")
		endif()
	endif()
	set(${out} "${why}" PARENT_SCOPE)
endfunction()

function(vpncore_add_plugin name)
	cmake_parse_arguments(P "" "KIND;DESCRIPTION" "SOURCES;NATIVE;FOREIGN;LIBS;PKGCONFIG;PLATFORMS" ${ARGN})
	if(P_UNPARSED_ARGUMENTS OR NOT P_SOURCES)
		message(FATAL_ERROR "vpncore_add_plugin(${name}): SOURCES missing or unknown: ${P_UNPARSED_ARGUMENTS}")
	endif()
	if(NOT P_KIND MATCHES "^(device|transport|routes|dns)$")
		message(FATAL_ERROR "vpncore_add_plugin(${name}): KIND must be device, transport, routes or dns")
	endif()
	string(REPLACE "device" "driver" word "${P_KIND}")
	set(module "${word}-${name}")
	string(MAKE_C_IDENTIFIER "${module}" identifier)
	string(TOUPPER "VPNCORE_${identifier}" option)
	set(target "vpncore-${module}")
	_vpncore_catalog("${P_KIND}" "${name}" "${P_PLATFORMS}")

	set(foreign FALSE)
	if(P_FOREIGN AND P_PLATFORMS AND NOT CMAKE_SYSTEM_NAME IN_LIST P_PLATFORMS)
		set(foreign TRUE)
		set(P_PLATFORMS "")
		list(APPEND P_SOURCES ${P_FOREIGN})
	else()
		list(APPEND P_SOURCES ${P_NATIVE})
	endif()

	if(P_PKGCONFIG)
		find_package(PkgConfig REQUIRED)
	endif()
	_vpncore_obstacle(obstacle "${P_PLATFORMS}" "${P_PKGCONFIG}" "${option}_PC")
	if(DEFINED VPNCORE_ABI_MAJOR AND TARGET vpncore_warnings)
		set(${option} AUTO CACHE STRING "${P_DESCRIPTION} (AUTO, ON, OFF)")
		set_property(CACHE ${option} PROPERTY STRINGS AUTO ON OFF)
		if(NOT ${option} STREQUAL "AUTO" AND NOT ${option})
			_vpncore_row("${module}" "off" "${option}=OFF")
			return()
		endif()
		if(obstacle AND ${option} STREQUAL "AUTO")
			_vpncore_row("${module}" "off" "${obstacle}")
			return()
		endif()
	endif()
	if(obstacle)
		message(FATAL_ERROR "plugin ${module} cannot be built: ${obstacle}")
	endif()

	if(name IN_LIST VPNCORE_STATIC_PLUGINS AND NOT foreign)
		add_library(${target} STATIC ${P_SOURCES})
		target_compile_definitions(${target} PRIVATE VPNCORE_STATIC_PLUGIN)
		set_property(GLOBAL APPEND PROPERTY VPNCORE_STATIC_MODULES "${module}")
		_vpncore_row("${module}" "static" "${P_DESCRIPTION}")
	else()
		set(folder "")
		if(foreign)
			set(folder "/foreign")
		endif()
		add_library(${target} MODULE ${P_SOURCES})
		set_target_properties(${target} PROPERTIES
			PREFIX "" OUTPUT_NAME "${module}" SUFFIX ".so"
			LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins${folder}")
		vpncore_hide_libraries(${target})
		target_link_options(${target} PRIVATE
			$<$<PLATFORM_ID:Linux,FreeBSD,NetBSD,OpenBSD,DragonFly>:LINKER:-z,now>)
		if(foreign)
			_vpncore_row("${module}" "foreign" "${P_DESCRIPTION}; to check manifests for it")
		else()
			_vpncore_row("${module}" "on" "${P_DESCRIPTION}")
		endif()
		set(plugindir "${CMAKE_INSTALL_LIBDIR}/vpncore/abi-1${folder}")
		install(TARGETS ${target} LIBRARY DESTINATION "${plugindir}" COMPONENT "plugin-${module}")
	endif()
	set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON
		C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
	vpncore_features(features)
	target_compile_definitions(${target} PRIVATE ${features})
	target_link_libraries(${target} PRIVATE vpncore::plugin ${P_LIBS})
	if(P_PKGCONFIG)
		target_link_libraries(${target} PRIVATE PkgConfig::${option}_PC)
	endif()
	if(TARGET vpncore_warnings)
		target_link_libraries(${target} PRIVATE vpncore::warnings)
		target_compile_definitions(${target} PRIVATE VPNCORE_VERSION="${PROJECT_VERSION}")
	endif()
endfunction()

function(vpncore_plugin_summary)
	get_property(rows GLOBAL PROPERTY VPNCORE_PLUGIN_ROWS)
	message(STATUS "vpncore plugins:")
	foreach(row IN LISTS rows)
		message(STATUS "${row}")
	endforeach()
endfunction()
