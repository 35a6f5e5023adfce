# SPDX-License-Identifier: BSD-2-Clause
# Runs PROGRAM on the bad plugin FILE: it must exit with 1 and name every rule that is broken there.
execute_process(COMMAND "${PROGRAM}" "${FILE}" OUTPUT_VARIABLE out RESULT_VARIABLE status)
message("${out}")
if(NOT status EQUAL 1)
	message(FATAL_ERROR "exit status ${status}, not 1")
endif()
foreach(text
	"the plugin has no version"
	"the plugin's build is NULL"
	"bad-tables: no summary of one line"
	"\"drop_\" and VPN_COUNTER_DROP go together"
	"counter packets has no doc"
	"bad-tables: option 0: its name is not snake_case"
	"bad-default: option table: "
	"bad-manners: needs\\(\\) answers two things"
	"bad-manners: needs\\(\\): align 3"
	"bad-manners: get_extension\\(\\) knows an id"
	"bad-manners: validate, needs and create left a descriptor open"
	"the file is named for none of its components")
	if(NOT out MATCHES "${text}")
		message(FATAL_ERROR "not reported: ${text}")
	endif()
endforeach()
