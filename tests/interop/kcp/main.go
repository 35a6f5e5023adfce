// SPDX-License-Identifier: BSD-2-Clause

// A tunnel end on kcp-go, for tests/interop: IP packets of a TUN device travel as messages of a KCP
// session. It is built twice, see ../build-peers: on the current kcp-go, and with the tag `debian`
// on the one that Debian has.
//
// It says "ready" when the device is there, "session CONV" for each session, and when it is
// terminated its counters, one "snmp NAME VALUE" a line. What it cannot do ends it with status 1.
package main

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"golang.org/x/crypto/pbkdf2"
)

const (
	segmentBytes = 24
	cryptBytes   = 16 + 4
	fecBytes     = 8
)

var (
	role       = flag.String("role", "", "client or server")
	address    = flag.String("addr", "", "to connect to, or to listen on")
	local      = flag.Int("local", 0, "port of a client, 0 = any")
	device     = flag.String("tun", "kcp0", "name of the TUN device")
	conv       = flag.Uint("conv", 0, "conversation of a client, 0 = random")
	crypt      = flag.String("crypt", "null", "null, none, salsa20, aes, aes-192, aes-128, aes-128-gcm")
	password   = flag.String("password", "it's a secrect", "the key comes from it, as in kcptun")
	dataShards = flag.Int("ds", 0, "FEC: data packets of a group")
	parShards  = flag.Int("ps", 0, "FEC: parity packets of a group")
	mode       = flag.String("mode", "fast", "normal, fast, fast2, fast3")
	sndWnd     = flag.Int("sndwnd", 256, "send window, segments")
	rcvWnd     = flag.Int("rcvwnd", 256, "receive window, segments")
	mtu        = flag.Int("mtu", 1350, "bytes of a datagram")
	stream     = flag.Bool("stream", false, "stream mode, each packet behind its length")
	ackNoDelay = flag.Bool("ack_no_delay", false, "acknowledge at once")
)

// nodelay, interval, resend, nc: the names are kcptun's.
var modes = map[string][4]int{
	"normal": {0, 40, 2, 1},
	"fast":   {0, 30, 2, 1},
	"fast2":  {1, 20, 2, 1},
	"fast3":  {1, 10, 2, 1},
}

func die(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

func must(err error) {
	if err != nil {
		die("%v", err)
	}
}

// cipher returns what -crypt says and the bytes that it adds to a datagram.
func cipher() (BlockCrypt, int) {
	key := pbkdf2.Key([]byte(*password), []byte("kcp-go"), 4096, 32, sha1.New)
	make, bytes := newNone, cryptBytes
	switch *crypt {
	case "null":
		return nil, 0
	case "none":
	case "salsa20":
		make = newSalsa20
	case "aes":
		make = newAES
	case "aes-192":
		make, key = newAES, key[:24]
	case "aes-128":
		make, key = newAES, key[:16]
	case "aes-128-gcm":
		make, key, bytes = newAESGCM, key[:16], aeadBytes
	default:
		die("no such cipher: %s", *crypt)
	}
	block, err := make(key)
	must(err)
	return block, bytes
}

// tune gives a session the options and says how long a message may be that is not cut.
func tune(s *Session, cryptBytes int) link {
	values, known := modes[*mode]
	if !known {
		die("no such mode: %s", *mode)
	}
	s.SetNoDelay(values[0], values[1], values[2], values[3])
	s.SetWindowSize(*sndWnd, *rcvWnd)
	s.SetACKNoDelay(*ackNoDelay)
	s.SetStreamMode(*stream)
	s.SetWriteDelay(false)
	if !s.SetMtu(*mtu) {
		die("mtu %d is refused", *mtu)
	}
	if *stream {
		return &streamLink{s, bufio.NewReaderSize(s, 1<<16)}
	}
	mss := *mtu - segmentBytes - cryptBytes
	if *dataShards > 0 {
		mss -= fecBytes
	}
	return &messageLink{s, mss}
}

// Packets of the device go to the session that came last; those before there is one go nowhere.
var current atomic.Value // of link

type holder struct{ link }

func fromDevice(tun *os.File) {
	buf := make([]byte, messageMost)
	for {
		n, err := tun.Read(buf)
		must(err)
		if h, is := current.Load().(holder); is {
			if err := h.write(buf[:n]); err != nil && current.Load() == any(h) {
				die("to the session: %v", err)
			}
		}
	}
}

func serve(s *Session, l link, tun *os.File) {
	fmt.Printf("session %d\n", s.GetConv())
	h := holder{l}
	current.Store(h)
	go func() {
		buf := make([]byte, messageMost)
		for {
			n, err := l.read(buf)
			if err != nil {
				// a session that another one has taken the place of ends this way
				fmt.Printf("ended %d: %v\n", s.GetConv(), err)
				return
			}
			if _, err := tun.Write(buf[:n]); err != nil {
				die("a message of %d bytes is no IP packet: %v", n, err)
			}
		}
	}()
}

func client(block BlockCrypt) *Session {
	remote, err := net.ResolveUDPAddr("udp", *address)
	must(err)
	socket, err := net.ListenUDP("udp", &net.UDPAddr{Port: *local})
	must(err)
	id := uint32(*conv)
	if id == 0 {
		must(binary.Read(rand.Reader, binary.LittleEndian, &id))
	}
	s, err := connect(id, remote, block, *dataShards, *parShards, socket)
	must(err)
	return s
}

func accept(block BlockCrypt, cryptBytes int, tun *os.File) {
	listener, err := listen(*address, block, *dataShards, *parShards)
	must(err)
	for {
		s, err := listener.AcceptKCP()
		must(err)
		serve(s, tune(s, cryptBytes), tun)
	}
}

func main() {
	flag.Parse()
	block, bytes := cipher()
	tun, err := openTun(*device)
	must(err)
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	switch *role {
	case "client":
		s := client(block)
		serve(s, tune(s, bytes), tun)
	case "server":
		go accept(block, bytes, tun)
	default:
		die("-role client or -role server")
	}
	go fromDevice(tun)
	fmt.Println("ready")
	<-ended
	snmp := defaultSnmp.Copy()
	values := snmp.ToSlice()
	for i, name := range snmp.Header() {
		fmt.Printf("snmp %s %s\n", name, values[i])
	}
}
