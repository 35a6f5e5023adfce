// Hysteria's own package obfs, that tests/interop talks with; see ../build-peers.
module vpncore/interop

go 1.22

require github.com/apernet/hysteria/extras/v2 v2.6.1

require (
	golang.org/x/crypto v0.26.0 // indirect
	golang.org/x/sys v0.25.0 // indirect
)
