# SPDX-License-Identifier: BSD-2-Clause
# bash completion for vpncore(1)

# The ids of the components that plugins bring, one a line.
_vpncore_ids()
{
	vpncore plugin list 2>/dev/null | awk 'NR > 1 { print $2 }'
}

# The pipelines that keep a journal; others than root do not see them.
_vpncore_left()
{
	ls -- /run/vpncore /var/lib/vpncore 2>/dev/null | grep -v '[:]'
}

# Files whose name ends in $1, and directories.
_vpncore_files()
{
	local IFS=$'\n'
	compopt -o filenames 2>/dev/null
	COMPREPLY=($(compgen -d -- "$2") $(compgen -f -X "!*.$1" -- "$2"))
}

_vpncore_words()
{
	COMPREPLY=($(compgen -W "$1" -- "$2"))
}

_vpncore()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local command=${COMP_WORDS[1]}
	COMPREPLY=()

	# "--format=dot" arrives as three words
	if [[ $cur == "=" ]]; then
		cur=""
	elif [[ $prev == "=" ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	if ((COMP_CWORD == 1)); then
		_vpncore_words "run check graph plugin keygen psk pubkey import wg cleanup help --help --version" "$cur"
		return
	fi
	if [[ $command == plugin ]] && ((COMP_CWORD == 2)); then
		_vpncore_words "list show --help" "$cur"
		return
	fi
	if [[ $command == plugin ]]; then
		command="plugin ${COMP_WORDS[2]}"
	fi
	case "$command $prev" in
	"run --log-level" | "run -l") _vpncore_words "error warn info debug" "$cur"; return ;;
	"run --log-format") _vpncore_words "text json" "$cur"; return ;;
	"graph --format" | "graph -f") _vpncore_words "text dot" "$cur"; return ;;
	"plugin show --kind" | "plugin show -k")
		_vpncore_words "device transport routes dns" "$cur"; return ;;
	"keygen --output" | "keygen -o" | "psk --output" | "psk -o")
		compopt -o default 2>/dev/null; return ;;
	"import --output" | "import -o") _vpncore_files json "$cur"; return ;;
	"check --platform" | "check -p")
		_vpncore_words "linux freebsd openbsd netbsd dragonfly macos" "$cur"; return ;;
	"wg --path-mtu" | "wg -m") return ;;
	"plugin show --plugin" | "plugin show -p") _vpncore_files so "$cur"; return ;;
	esac
	case "$command $cur" in
	"run -"*) _vpncore_words "--log-level --log-format --help" "$cur" ;;
	"check -"*) _vpncore_words "--platform --quiet --verbose --help" "$cur" ;;
	"graph -"*) _vpncore_words "--format --help" "$cur" ;;
	"plugin list "*) _vpncore_words "--json --help" "$cur" ;;
	"plugin show -"*) _vpncore_words "--kind --plugin --json --help" "$cur" ;;
	"plugin show "*) _vpncore_words "$(_vpncore_ids)" "$cur" ;;
	"keygen "* | "psk "*) _vpncore_words "--output --help" "$cur" ;;
	"pubkey -"*) _vpncore_words "--help" "$cur" ;;
	"pubkey "*) _vpncore_files key "$cur" ;;
	"import -"*) _vpncore_words "--output --force --help" "$cur" ;;
	"import "*) _vpncore_files conf "$cur" ;;
	"wg "*) _vpncore_words "--foreground --path-mtu --help" "$cur" ;;
	"cleanup -"*) _vpncore_words "--all --forget --list --help" "$cur" ;;
	"cleanup "*) _vpncore_words "$(_vpncore_left)" "$cur" ;;
	"help plugin"*) _vpncore_words "plugin" "$cur" ;;
	"help "*)
		if [[ $prev == plugin ]]; then
			_vpncore_words "list show" "$cur"
		else
			_vpncore_words "run check graph plugin keygen psk pubkey import wg cleanup" "$cur"
		fi
		;;
	"run "* | "check "* | "graph "*) _vpncore_files json "$cur" ;;
	esac
}

_vpncore_wg()
{
	COMPREPLY=()
	_vpncore_words "--foreground --path-mtu --help --version" "${COMP_WORDS[COMP_CWORD]}"
}

complete -F _vpncore vpncore
complete -F _vpncore_wg vpncore-wg
