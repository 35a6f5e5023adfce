# SPDX-License-Identifier: BSD-2-Clause
# vpncore_add_plugin(): builds a plugin, in this tree and outside of it.
#
#   vpncore_add_plugin(NAME KIND device|transport|routes|dns SOURCES file...
#                      [LIBS target...] [PKGCONFIG module...] [PLATFORMS system...]
#                      [DESCRIPTION text])
#
# makes the target vpncore-WORD-NAME and the file WORD-NAME.so, where WORD is the kind ("driver" for
# a device). In the vpncore tree it also makes the option VPNCORE_WORD_NAME (AUTO, ON, OFF): AUTO
# builds the plugin where its platform and libraries are there, ON fails without them. Outside of the
# tree the plugin is always built, against the vpncore::plugin target that find_package() made.
#
# NAME is the component's id; the C module name for VPN_PLUGIN() is WORD_NAME with '-' and '.' as '_'.

include_guard(GLOBAL)
include(GNUInstallDirs)

define_property(GLOBAL PROPERTY VPNCORE_PLUGIN_ROWS BRIEF_DOCS "rows of the summary"
	FULL_DOCS "rows of the summary table that vpncore_plugin_summary() prints")
define_property(GLOBAL PROPERTY VPNCORE_STATIC_MODULES BRIEF_DOCS "preloaded modules"
	FULL_DOCS "modules that are linked into the program, as WORD-NAME")

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
	cmake_parse_arguments(P "" "KIND;DESCRIPTION" "SOURCES;LIBS;PKGCONFIG;PLATFORMS" ${ARGN})
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

	if(name IN_LIST VPNCORE_STATIC_PLUGINS)
		add_library(${target} STATIC ${P_SOURCES})
		target_compile_definitions(${target} PRIVATE VPNCORE_STATIC_PLUGIN)
		set_property(GLOBAL APPEND PROPERTY VPNCORE_STATIC_MODULES "${module}")
		_vpncore_row("${module}" "static" "${P_DESCRIPTION}")
	else()
		add_library(${target} MODULE ${P_SOURCES})
		set_target_properties(${target} PROPERTIES
			PREFIX "" OUTPUT_NAME "${module}" SUFFIX ".so"
			LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins")
		target_link_options(${target} PRIVATE
			$<$<PLATFORM_ID:Linux,FreeBSD,NetBSD,OpenBSD,DragonFly>:LINKER:--exclude-libs,ALL>
			$<$<PLATFORM_ID:Linux,FreeBSD,NetBSD,OpenBSD,DragonFly>:LINKER:-z,now>)
		_vpncore_row("${module}" "on" "${P_DESCRIPTION}")
		set(plugindir "${CMAKE_INSTALL_LIBDIR}/vpncore/abi-1")
		install(TARGETS ${target} LIBRARY DESTINATION "${plugindir}" COMPONENT "plugin-${module}")
	endif()
	set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON
		C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
	target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
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
