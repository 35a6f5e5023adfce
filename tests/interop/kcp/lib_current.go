// SPDX-License-Identifier: BSD-2-Clause

//go:build !debian

package main

import kcp "github.com/xtaci/kcp-go/v5"

// What differs between the two: where the package is, and the AEAD that only this one has.
type (
	Session    = kcp.UDPSession
	BlockCrypt = kcp.BlockCrypt
)

const aeadBytes = 12 + 16

var (
	listen      = kcp.ListenWithOptions
	connect     = kcp.NewConn3
	newAES      = kcp.NewAESBlockCrypt
	newSalsa20  = kcp.NewSalsa20BlockCrypt
	newNone     = kcp.NewNoneBlockCrypt
	newAESGCM   = kcp.NewAESGCMCrypt
	defaultSnmp = kcp.DefaultSnmp
)
