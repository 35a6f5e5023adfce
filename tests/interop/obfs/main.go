// SPDX-License-Identifier: BSD-2-Clause

// A relay, for tests/interop: plain datagrams on one side, on the other side what Hysteria 2 makes of them
// ("salamander"), by Hysteria's own package obfs.
//
//	plain peer <--> -plain | -hidden <--> hidden peer
//
// Each side has an address of its own and a peer that is known beforehand. It says "ready" when both
// sockets are there, and when it is terminated "hidden N" and "plain N": datagrams that it has made hidden,
// and plain again. What it cannot do ends it with status 1.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/apernet/hysteria/extras/v2/obfs"
)

const (
	saltBytes = 8
	mostBytes = 65535
)

var (
	plainAddress  = flag.String("plain", "", "own address, plain side")
	plainPeer     = flag.String("plain-peer", "", "the peer there")
	hiddenAddress = flag.String("hidden", "", "own address, hidden side")
	hiddenPeer    = flag.String("hidden-peer", "", "the peer there")
	password      = flag.String("password", "", "of both ends")
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func listen(address, peer string) (*net.UDPConn, *net.UDPAddr) {
	own, err := net.ResolveUDPAddr("udp", address)
	must(err)
	other, err := net.ResolveUDPAddr("udp", peer)
	must(err)
	socket, err := net.ListenUDP("udp", own)
	must(err)
	must(socket.SetReadBuffer(4 << 20))
	return socket, other
}

// pass hands what comes to `from` through `change` and on to the peer of `to`.
func pass(from, to *net.UDPConn, peer *net.UDPAddr, count *atomic.Int64, change func([]byte) []byte) {
	buf := make([]byte, mostBytes)
	for {
		n, err := from.Read(buf)
		must(err)
		out := change(buf[:n])
		if out == nil {
			continue
		}
		// a peer that is not there yet refuses, which is no reason to end
		if _, err := to.WriteToUDP(out, peer); err == nil {
			count.Add(1)
		}
	}
}

// obfuscator makes one for each direction, so that neither waits for the other.
func obfuscator() *obfs.SalamanderObfuscator {
	made, err := obfs.NewSalamanderObfuscator([]byte(*password))
	must(err)
	return made
}

func main() {
	flag.Parse()
	hider, shower := obfuscator(), obfuscator()
	plain, toPlain := listen(*plainAddress, *plainPeer)
	hidden, toHidden := listen(*hiddenAddress, *hiddenPeer)
	var madeHidden, madePlain atomic.Int64
	go pass(plain, hidden, toHidden, &madeHidden, func(in []byte) []byte {
		out := make([]byte, len(in)+saltBytes)
		return out[:hider.Obfuscate(in, out)]
	})
	go pass(hidden, plain, toPlain, &madePlain, func(in []byte) []byte {
		out := make([]byte, len(in))
		n := shower.Deobfuscate(in, out)
		if n == 0 {
			return nil
		}
		return out[:n]
	})
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	fmt.Println("ready")
	<-ended
	fmt.Printf("hidden %d\nplain %d\n", madeHidden.Load(), madePlain.Load())
}
