# SPDX-License-Identifier: BSD-2-Clause
"""relay: a UDP relay between two peers that delays, loses, reorders and doubles by a seed.

It stands in a namespace between the two: each peer has the relay's address on its side as its
remote. What it does to the n-th datagram of a direction follows from the seed alone.
"""
import heapq
import itertools
import random
import select
import socket
import threading
import time

from traffic import family_of

SO_RCVBUFFORCE = 33


class Relay:
    """relay = Relay(ns, ("192.0.2.9", 5000, peer_a), ("198.51.100.9", 5000, peer_b), loss=0.01)

    Each side is (own address, own port, (peer's address, peer's port)). Rates are from 0 to 1,
    delay and jitter in seconds. A reordered datagram is held back for `hold` seconds.
    """

    def __init__(self, ns, left, right, *, seed=1, delay=0.0, jitter=0.0, loss=0.0, double=0.0,
                 reorder=0.0, hold=0.01):
        self.delay, self.jitter, self.loss = delay, jitter, loss
        self.double, self.reorder, self.hold = double, reorder, hold
        self.seen = self.lost = self.doubled = self.reordered = 0
        self._queue = []
        self._serial = itertools.count()
        self._stop = threading.Event()
        self._sides = []
        for index, (address, port, peer) in enumerate((left, right)):
            s = ns.socket(family_of(address))
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
            s.bind((address, port))
            s.setblocking(False)
            self._sides.append((s, peer, random.Random("%d/%d" % (seed, index))))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _fate(self, chance):
        """The times from now at which copies of the next datagram leave."""
        self.seen += 1
        rolls = [chance.random() for _ in range(4)]
        if rolls[0] < self.loss:
            self.lost += 1
            return []
        at = self.delay + self.jitter * rolls[1]
        if rolls[2] < self.reorder:
            self.reordered += 1
            at += self.hold
        if rolls[3] < self.double:
            self.doubled += 1
            return [at, at + self.hold / 2]
        return [at]

    def _take(self, side, now):
        s, _, chance = self._sides[side]
        for _ in range(256):
            try:
                data = s.recv(65536)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue
            for after in self._fate(chance):
                heapq.heappush(self._queue, (now + after, next(self._serial), 1 - side, data))

    def _give(self, now):
        while self._queue and self._queue[0][0] <= now:
            _, _, side, data = heapq.heappop(self._queue)
            s, peer, _ = self._sides[side]
            try:
                s.sendto(data, peer)
            except (BlockingIOError, ConnectionRefusedError):
                pass

    def _run(self):
        sockets = [side[0] for side in self._sides]
        while not self._stop.is_set():
            wait = 0.05
            if self._queue:
                wait = max(0.0, min(wait, self._queue[0][0] - time.monotonic()))
            ready, _, _ = select.select(sockets, [], [], wait)
            now = time.monotonic()
            for s in ready:
                self._take(sockets.index(s), now)
            self._give(now)

    def close(self):
        self._stop.set()
        self._thread.join(10)
        for s, _, _ in self._sides:
            s.close()
