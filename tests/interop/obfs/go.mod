// Hysteria's own salamander, as Xray-core carries it, that tests/interop talks with; see ../build-peers.
module vpncore/interop

go 1.26

require github.com/xtls/xray-core v1.260327.0

require (
	golang.org/x/crypto v0.49.0 // indirect
	golang.org/x/sys v0.42.0 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)
