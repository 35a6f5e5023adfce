// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const messageMost = 65535

// A link carries messages over a session. In message mode one Write is one KCP message and one Read
// with room enough returns one; in stream mode each message stands behind its length, u16
// little-endian. An empty message is never written: it would block a reader of kcp-go for good.
type link interface {
	read(buf []byte) (int, error)
	write(message []byte) error
}

type messageLink struct {
	session io.ReadWriter
	mss     int
}

func (l *messageLink) read(buf []byte) (int, error) { return l.session.Read(buf) }

func (l *messageLink) write(message []byte) error {
	if len(message) > l.mss {
		return fmt.Errorf("a message of %d bytes would be cut in two: %d fit", len(message), l.mss)
	}
	return writeAll(l.session, message)
}

type streamLink struct {
	session io.Writer
	in      *bufio.Reader
}

func (l *streamLink) read(buf []byte) (int, error) {
	var header [2]byte
	if _, err := io.ReadFull(l.in, header[:]); err != nil {
		return 0, err
	}
	n := int(binary.LittleEndian.Uint16(header[:]))
	if n == 0 || n > len(buf) {
		return 0, fmt.Errorf("a message of %d bytes in the stream", n)
	}
	return io.ReadFull(l.in, buf[:n])
}

func (l *streamLink) write(message []byte) error {
	framed := binary.LittleEndian.AppendUint16(make([]byte, 0, 2+len(message)), uint16(len(message)))
	return writeAll(l.session, append(framed, message...))
}

func writeAll(w io.Writer, data []byte) error {
	if len(data) == 0 || len(data) > messageMost {
		return errors.New("not a message")
	}
	n, err := w.Write(data)
	if err == nil && n != len(data) {
		err = io.ErrShortWrite
	}
	return err
}
