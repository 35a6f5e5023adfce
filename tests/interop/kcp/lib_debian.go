// SPDX-License-Identifier: BSD-2-Clause

//go:build debian

package main

import (
	"errors"

	kcp "github.com/xtaci/kcp-go"
)

// The 5.6.1 of Debian's package golang-github-xtaci-kcp-dev; see lib_current.go.
type (
	Session    = kcp.UDPSession
	BlockCrypt = kcp.BlockCrypt
)

const aeadBytes = 0

var (
	listen      = kcp.ListenWithOptions
	connect     = kcp.NewConn3
	newAES      = kcp.NewAESBlockCrypt
	newSalsa20  = kcp.NewSalsa20BlockCrypt
	newNone     = kcp.NewNoneBlockCrypt
	defaultSnmp = kcp.DefaultSnmp
)

func newAESGCM([]byte) (BlockCrypt, error) {
	return nil, errors.New("this kcp-go has no AEAD")
}
