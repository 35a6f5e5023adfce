#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""wireguard_wire: WireGuard messages made by hand, for floods and for bad input.

A handshake message that has the right mac1 costs its receiver a Diffie-Hellman; to make one takes
the receiver's public key alone (whitepaper section 5.4.4). Run as a program it floods:

    wireguard_wire.py KIND PUBLIC_KEY ADDRESS PORT PER_SECOND [SOURCE]

with one message of KIND after the other, from random content, until it is ended; it says `flooding`
when it has begun. A KIND that is the path of a file stands for the messages in it, one a line, in
hex, all of one size.
"""
import base64
import hashlib
import random
import socket
import struct
import subprocess
import sys
import time

INITIATION, RESPONSE, COOKIE, DATA = 1, 2, 3, 4
SIZES = {INITIATION: 148, RESPONSE: 92, COOKIE: 64}
SHORTEST = 32  # an empty data message, a keepalive
MACS = 32      # mac1 and mac2 end an initiation and a response

UDP_SEGMENT = 103  # linux/udp.h: one send becomes many datagrams of this size
BURST = 64


def head(kind):
    return struct.pack("<I", kind)


def mac1(public_key, covered):
    """`public_key` is base64 text, of the receiver."""
    key = hashlib.blake2s(b"mac1----" + base64.b64decode(public_key)).digest()
    return hashlib.blake2s(covered, digest_size=16, key=key).digest()


def noise(kind, chance, size=None):
    """A message of a kind with random content."""
    return head(kind) + chance.randbytes((size or SIZES.get(kind, 128)) - 4)


def plausible(kind, public_key, chance):
    """An initiation or a response whose mac1 is right, and nothing else."""
    covered = noise(kind, chance)[:-MACS]
    return covered + mac1(public_key, covered) + bytes(16)


def data(receiver, counter, sealed):
    return struct.pack("<IIQ", DATA, receiver, counter) + sealed


def messages(kind, public_key, count, seed=1):
    """`count` messages of a kind that a flood consists of, or those of a file."""
    if kind.startswith("/"):
        with open(kind, encoding="ascii") as f:
            return [bytes.fromhex(line) for line in f]
    chance = random.Random(seed)
    make = {
        "initiation": lambda: plausible(INITIATION, public_key, chance),
        "response": lambda: plausible(RESPONSE, public_key, chance),
        "bad-mac1": lambda: noise(INITIATION, chance),
        "cookie": lambda: noise(COOKIE, chance),
        "data": lambda: noise(DATA, chance),
        "random": lambda: chance.randbytes(128),
    }[kind]
    return [make() for _ in range(count)]


def flood(kind, public_key, address, port, per_second, source=None):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    pieces = messages(kind, public_key, 64 * BURST)
    size = len(pieces[0])
    bursts = [b"".join(pieces[i:i + BURST]) for i in range(0, len(pieces), BURST)]
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        if source:
            s.bind((source, 0))
        s.connect((address, port))
        print("flooding", flush=True)
        at = time.monotonic()
        n = 0
        while True:
            try:
                s.send(bursts[n % len(bursts)])
            except OSError:
                pass  # an ICMP error of an earlier one, or a full queue
            n += 1
            at += BURST / per_second
            now = time.monotonic()
            if at > now:
                time.sleep(at - now)
            else:
                at = now  # what could not be sent in time is not made up for


class Flood:
    """A flood that runs beside a test; a context manager. See the top for `kind`."""

    def __init__(self, ns, kind, public_key, address, *, port=51820, per_second=20000, source=None):
        argv = [sys.executable, __file__, kind, public_key, address, port, per_second]
        if source:
            argv.append(source)
        self.process = ns.spawn(*argv, stdout=subprocess.PIPE)
        if self.process.stdout.readline() != b"flooding\n":
            raise AssertionError("no flood")

    def close(self):
        if self.process.poll() is not None:
            raise AssertionError("the flood has ended by itself")
        self.process.kill()
        self.process.wait(30)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


if __name__ == "__main__":
    flood(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), *sys.argv[6:7])
