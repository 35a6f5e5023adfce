# SPDX-License-Identifier: BSD-2-Clause
"""traffic: ping, TCP with a content hash, UDP echo, raw frames; between namespaces."""
import hashlib
import random
import re
import socket
import struct
import threading
import time

from program import SLOWNESS, wait_for


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def ping_once(ns, address, count, size, *args):
    done = ns.sh("ping", "-n", "-q", "-c", count, "-i", "0.01", "-W", 2 * SLOWNESS, "-s", size,
                 *args, address, check=False)
    m = re.search(r"(\d+) received", done.stdout)
    return int(m[1]) if m else 0


def ping(ns, address, count=5, size=56, *args):
    """Sends `count` echo requests and returns how many answers came. `size` is the payload.

    When some are answered and some are not, all are sent once more, and that is printed: on a machine
    that is busy with other work single pings were lost, for a reason that has not been found. The
    kernel counts no drops of its receive backlog then.
    """
    answered = ping_once(ns, address, count, size, *args)
    if 0 < answered < count:
        print("    %s: %d of %d answered; once more" % (address, answered, count))
        answered = ping_once(ns, address, count, size, *args)
    return answered


def wait_ping(ns, address, timeout=15.0):
    """Until a ping is answered."""
    wait_for(lambda: ns.sh("ping", "-n", "-q", "-c", 1, "-W", 1, address, check=False).returncode == 0,
             "an answer from %s" % address, timeout)


class Thread(threading.Thread):
    """A thread whose exception is raised by result()."""

    def __init__(self, work, *args):
        super().__init__(daemon=True)
        self.work, self.args, self.value, self.error = work, args, None, None
        self.start()

    def run(self):
        try:
            self.value = self.work(*self.args)
        except BaseException as e:  # pylint: disable=broad-except
            self.error = e

    def result(self, timeout=60.0):
        self.join(timeout * SLOWNESS)
        if self.is_alive():
            raise AssertionError("%s has not ended" % self.work.__name__)
        if self.error:
            raise self.error
        return self.value


def _listener(ns, address):
    s = ns.socket(family_of(address), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.settimeout(30 * SLOWNESS)
    s.bind((address, 0))
    s.listen(8)
    return s


def _swallow(listener):
    digest = hashlib.sha256()
    n = 0
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(30 * SLOWNESS)
        while True:
            data = connection.recv(1 << 18)
            if not data:
                return n, digest.hexdigest()
            n += len(data)
            digest.update(data)


def _pour(ns, local, address, port, n, seed):
    block = random.Random(seed).randbytes(256 * 1024 - 37)
    digest = hashlib.sha256()
    with ns.socket(family_of(address), socket.SOCK_STREAM) as s:
        s.settimeout(30 * SLOWNESS)
        if local:
            s.bind((local, 0))
        s.connect((address, port))
        while n > 0:
            piece = block[:n]
            s.sendall(piece)
            digest.update(piece)
            n -= len(piece)
    return digest.hexdigest()


def tcp(source, sink, address, n=8 << 20, streams=1, local=None):
    """Sends n bytes over each of some streams to `address`, which is in `sink`; every byte must
    arrive. Returns the seconds that it took."""
    begin = time.monotonic()
    pairs = []
    for i in range(streams):
        listener = _listener(sink, address)
        pairs.append((listener, Thread(_swallow, listener),
                      Thread(_pour, source, local, address, listener.getsockname()[1], n, i)))
    for listener, swallower, pourer in pairs:
        sent = pourer.result(120)
        got, digest = swallower.result(120)
        listener.close()
        if got != n:
            raise AssertionError("%d of %d bytes arrived" % (got, n))
        if digest != sent:
            raise AssertionError("TCP content is not what was sent")
    return time.monotonic() - begin


class TcpStream:
    """A TCP stream without end, to have traffic while something happens."""

    def __init__(self, source, sink, address):
        self._stop = threading.Event()
        self.moved = 0
        self._listener = _listener(sink, address)
        self._threads = [Thread(self._drain),
                         Thread(self._fill, source, address, self._listener.getsockname()[1])]

    def _drain(self):
        try:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(0.2)
                while not self._stop.is_set():
                    try:
                        data = connection.recv(1 << 18)
                    except TimeoutError:
                        continue
                    if not data:
                        return
                    self.moved += len(data)
        except OSError:
            if not self._stop.is_set():
                raise

    def _fill(self, ns, address, port):
        block = bytes(1 << 17)
        try:
            with ns.socket(family_of(address), socket.SOCK_STREAM) as s:
                s.settimeout(10 * SLOWNESS)
                s.connect((address, port))
                s.settimeout(0.2)
                while not self._stop.is_set():
                    try:
                        s.send(block)
                    except TimeoutError:
                        continue
        except OSError:
            if not self._stop.is_set():
                raise

    def wait_moved(self, n):
        goal = self.moved + n
        wait_for(lambda: self.moved >= goal, "%d more bytes of TCP" % n, 30)

    def stop(self):
        self._stop.set()
        self._listener.close()
        for t in self._threads:
            t.join(15 * SLOWNESS)


class UdpEcho:
    """Answers every datagram with itself, in a namespace."""

    def __init__(self, ns, address):
        self._socket = ns.socket(family_of(address))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((address, 0))
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]
        self._stop = threading.Event()
        self._thread = Thread(self._serve)

    def _serve(self):
        while not self._stop.is_set():
            try:
                data, source = self._socket.recvfrom(65536)
            except TimeoutError:
                continue
            self._socket.sendto(data, source)

    def close(self):
        self._stop.set()
        self._thread.result()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _collect(s, expected):
    """Receives until every payload of `expected` has come; nothing else may come."""
    missing = set(expected)
    while missing:
        data = s.recv(65536)
        if data not in missing:
            raise AssertionError("a datagram of %d bytes came that was not sent, or twice" % len(data))
        missing.remove(data)


def udp_echo(source, sink, address, sizes, burst=16):
    """Each size goes there and back, in bursts that give the kernel something to coalesce."""
    noise = random.Random(1).randbytes(70000)
    sizes = list(sizes)
    with UdpEcho(sink, address) as echo, source.socket(family_of(address)) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.settimeout(10 * SLOWNESS)
        s.connect((address, echo.port))
        for i in range(0, len(sizes), burst):
            payloads = [noise[n & 511:(n & 511) + n] for n in sizes[i:i + burst]]
            for p in payloads:
                s.send(p)
            _collect(s, payloads)


def udp_same_size(source, sink, address, size, count, burst=32):
    """`count` different datagrams of one size there and back: what offload coalesces."""
    with UdpEcho(sink, address) as echo, source.socket(family_of(address)) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.settimeout(10 * SLOWNESS)
        s.connect((address, echo.port))
        for i in range(0, count, burst):
            payloads = [struct.pack("!I", k) * (size // 4) for k in range(i, min(count, i + burst))]
            for p in payloads:
                s.send(p)
            _collect(s, payloads)


def udp_flood(ns, address, port, size, count):
    """Sends without waiting; a full queue is what the caller wants. Returns how many were sent."""
    sent = 0
    with ns.socket(family_of(address)) as s:
        s.connect((address, port))
        payload = bytes(size)
        for _ in range(count):
            try:
                s.send(payload)
                sent += 1
            except OSError:
                pass
    return sent


ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8


class FrameSocket:
    """Whole Ethernet frames of a device. recv() puts the VLAN tag back that the kernel took out."""

    def __init__(self, ns, device):
        self.socket = ns.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        with ns.entered():
            self.socket.bind((device, ETH_P_ALL))
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.settimeout(10 * SLOWNESS)

    def send(self, frame):
        self.socket.send(frame)

    def recv(self):
        data, ancillary, _, _ = self.socket.recvmsg(70000, 256)
        for level, kind, value in ancillary:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", value[:20])
                if status & 0x10:  # TP_STATUS_VLAN_VALID
                    tpid = tpid if status & 0x40 else 0x8100
                    data = data[:12] + struct.pack("!HH", tpid, tci) + data[12:]
        return data

    def recv_match(self, frame):
        """Receives until this very frame comes; other frames are not looked at."""
        end = time.monotonic() + 10 * SLOWNESS
        while time.monotonic() < end:
            got = self.recv()
            if got == frame:
                return
        raise AssertionError("the frame did not come")

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
