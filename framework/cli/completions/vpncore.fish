# SPDX-License-Identifier: BSD-2-Clause
# fish completion for vpncore(1)

function __vpncore_ids
	vpncore plugin list 2>/dev/null | awk 'NR > 1 { print $2 }'
end

# True when the words before the cursor name this command, "plugin show" for example.
function __vpncore_at
	set -l words (commandline -opc)
	set -e words[1]
	set -l n (count $argv)
	test $n -eq 0; and return 0
	test (count $words) -ge $n; and test "$words[1..$n]" = "$argv"
end

function __vpncore_at_end
	__vpncore_at $argv; and test (count (commandline -opc)) -eq (math (count $argv) + 1)
end

complete -c vpncore -f

complete -c vpncore -n __vpncore_at_end -a run -d 'Bring a pipeline up and carry traffic'
complete -c vpncore -n __vpncore_at_end -a check -d 'Say everything that is wrong with manifests'
complete -c vpncore -n __vpncore_at_end -a graph -d 'Draw a pipeline'
complete -c vpncore -n __vpncore_at_end -a plugin -d 'Tell what the installed plugins can do'
complete -c vpncore -n __vpncore_at_end -a keygen -d 'Make a private key for WireGuard'
complete -c vpncore -n __vpncore_at_end -a psk -d 'Make a preshared key for WireGuard'
complete -c vpncore -n __vpncore_at_end -a pubkey -d 'Print the public key of a private one'
complete -c vpncore -n __vpncore_at_end -a import -d 'Turn a wg-quick file into a manifest'
complete -c vpncore -n __vpncore_at_end -a wg -d 'Start an interface that wg(8) configures'
complete -c vpncore -n __vpncore_at_end -a cleanup -d 'Undo what pipelines that are gone have left'
complete -c vpncore -n __vpncore_at_end -a help -d 'Show the help of a command'
complete -c vpncore -n __vpncore_at_end -s V -l version -d 'Show versions'
complete -c vpncore -s h -l help -d 'Show help'

complete -c vpncore -n '__vpncore_at run' -k -a '(__fish_complete_suffix .json)'
complete -c vpncore -n '__vpncore_at run' -s l -l log-level -x -a 'error warn info debug' -d 'Messages to show'
complete -c vpncore -n '__vpncore_at run' -l log-format -x -a 'text json' -d 'Form of messages'

complete -c vpncore -n '__vpncore_at check' -k -a '(__fish_complete_suffix .json)'
complete -c vpncore -n '__vpncore_at check' -s p -l platform -x -a 'linux freebsd openbsd netbsd dragonfly macos' -d 'Check for that system'
complete -c vpncore -n '__vpncore_at check' -s q -l quiet -d 'Print nothing about good files'
complete -c vpncore -n '__vpncore_at check' -s v -l verbose -d 'Say what auto takes, and why'

complete -c vpncore -n '__vpncore_at graph' -k -a '(__fish_complete_suffix .json)'
complete -c vpncore -n '__vpncore_at graph' -s f -l format -x -a 'text dot' -d 'Form of the picture'

complete -c vpncore -n '__vpncore_at_end plugin' -a list -d 'List components'
complete -c vpncore -n '__vpncore_at_end plugin' -a show -d 'Describe a component'
complete -c vpncore -n '__vpncore_at plugin list' -s j -l json -d 'Print JSON'
complete -c vpncore -n '__vpncore_at plugin show' -a '(__vpncore_ids)' -d Component
complete -c vpncore -n '__vpncore_at plugin show' -s j -l json -d 'Print JSON'
complete -c vpncore -n '__vpncore_at plugin show' -s k -l kind -x -a 'device transport routes dns' -d 'Kind of the component'
complete -c vpncore -n '__vpncore_at plugin show' -s p -l plugin -r -F -d 'Look into this plugin file'

complete -c vpncore -n '__vpncore_at keygen' -s o -l output -r -F -d 'Write to a new file'
complete -c vpncore -n '__vpncore_at psk' -s o -l output -r -F -d 'Write to a new file'
complete -c vpncore -n '__vpncore_at pubkey' -F

complete -c vpncore -n '__vpncore_at import' -k -a '(__fish_complete_suffix .conf)'
complete -c vpncore -n '__vpncore_at import' -s o -l output -r -F -d 'Write manifest and keys'
complete -c vpncore -n '__vpncore_at import' -s f -l force -d 'Replace files that exist'

complete -c vpncore -n '__vpncore_at wg' -s f -l foreground -d 'Stay in the foreground'
complete -c vpncore -n '__vpncore_at wg' -s m -l path-mtu -x -d 'Largest packet of the paths'

complete -c vpncore -n '__vpncore_at cleanup' -s a -l all -d 'Undo what stays on purpose too'
complete -c vpncore -n '__vpncore_at cleanup' -s f -l forget -d 'Forget what cannot be undone'
complete -c vpncore -n '__vpncore_at cleanup' -s l -l list -d 'Say what there is'

complete -c vpncore-wg -f
complete -c vpncore-wg -s f -l foreground -d 'Stay in the foreground'
complete -c vpncore-wg -s m -l path-mtu -x -d 'Largest packet of the paths'
complete -c vpncore-wg -s h -l help -d 'Show help'
complete -c vpncore-wg -l version -d 'Show versions'

complete -c vpncore -n '__vpncore_at_end help' -a 'run check graph plugin keygen psk pubkey import wg cleanup'
complete -c vpncore -n '__vpncore_at_end help plugin' -a 'list show'
