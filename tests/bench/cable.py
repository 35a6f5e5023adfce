# SPDX-License-Identifier: BSD-2-Clause
"""cable: the bare cable, and what all contenders have in common.

                namespace a                          namespace b
    contender   10.78.0.1 . . . . . . . . . . . . .  10.78.0.2
    cable       eth0 192.0.2.1 -------- veth ------  eth0 192.0.2.2

Each contender has a pair of namespaces and a cable of its own. a always is one peer of b; with
`more`, b has so many peers beside it, who never come, or come from where a scene says. b starts
first and waits; a is the one whose start is timed.
"""
import base64
import pathlib
import random
import select
import shutil
import socket
import struct
import subprocess
import threading
import time

import netns
import wireguard

PORT = 51820
MTU = 1420
SIDES = (1, 2)
LOG_LINES = 12


def outer(side):
    return "192.0.2.%d" % side


def inner(side):
    return "10.78.0.%d" % side


def strangers(public_keys):
    """Peers of b beside a: each has an address of its own."""
    return [wireguard.Peer(key, ["10.%d.%d.%d/32" % (128 + (i >> 16), i >> 8 & 255, i & 255)])
            for i, key in enumerate(public_keys)]


def some_keys(n):
    """Public keys that nobody has the private keys of; always the same ones."""
    noise = random.Random(n)
    return [base64.b64encode(noise.randbytes(32)).decode("ascii") for _ in range(n)]


class Failure(RuntimeError):
    """A contender cannot do what it is asked."""


class Contender:
    """The bare cable. Others replace name, title, target, packages, offers, missing(), version(),
    prepare() and launch().

    `offers` says which probes it takes: "tcp", "udp", "ping"; "program": there is a process on each
    side; "wireguard": its b may have many peers, and answers handshakes."""

    name = "veth"
    title = "the bare cable"
    target = outer(2)      # whom a talks to, to reach what is measured
    listen = None          # where b's servers listen, if that is not `target`
    offers = frozenset(("tcp", "udp", "ping"))
    packages = ()          # of Debian
    peer = None            # or what tests/interop/build-peers calls it
    serial = 0

    def __init__(self, directory, options, more=()):
        Contender.serial += 1
        self.directory = directory / ("%d-%s" % (Contender.serial, self.name))
        self.directory.mkdir()
        self.options = options
        self.more = strangers(more)
        self.processes = {}  # by side
        self.start_seconds = None
        self.a, self.b = netns.Namespace("a"), netns.Namespace("b")
        try:
            self.lay()
            self.prepare()
            self.launch(2)
            self.start_seconds = self.first_answer(lambda: self.launch(1))
            self.settle()
        except BaseException as error:
            text = self.logs()
            self.close()
            if isinstance(error, Exception):
                raise Failure("%s: %s%s" % (type(error).__name__, error, text)) from error
            raise

    # -- what others replace -------------------------------------------------------------------

    @classmethod
    def missing(cls, options):
        """What is not here, as text; None when all is."""
        del options

    @classmethod
    def version(cls, options):
        del options
        return "veth of the kernel"

    def lay(self):
        """The cable."""
        netns.veth(self.a, "eth0", self.b, "eth0")
        for side, ns in self.ends():
            netns.address(ns, "eth0", outer(side) + "/24")

    def prepare(self):
        """Writes keys and files; its time does not count."""

    def launch(self, side):
        """Runs and configures a side's program. That of b returns when it can be reached."""

    def answers(self):
        """A new Answers: whether anything comes back through this."""
        return EchoRequests(self)

    def settle(self):
        """Returns when what is measured from now on is what lasts."""

    # -- what others use -----------------------------------------------------------------------

    def ends(self):
        return ((1, self.a), (2, self.b))

    def namespace(self, side):
        return self.a if side == 1 else self.b

    def device(self, side):
        """Sockets of wg(8) are by name, and all contenders share one directory of them."""
        return "%s%d-%d" % (self.name[:4].replace("-", ""), Contender.serial, side)

    def spawn(self, side, *argv, **kwargs):
        """A side's program, with a log."""
        with open(self.directory / ("side%d.log" % side), "ab") as log:
            p = self.namespace(side).spawn(*argv, stdout=log, stderr=log, **kwargs)
        self.processes[side] = p
        return p

    def wait(self, side, condition, what, timeout=20.0):
        """Looks each millisecond: this is in the time of a's start. A program that ends is a
        failure at once."""
        end = time.monotonic() + timeout
        while not condition():
            status = self.processes[side].poll()
            if status is not None:
                raise Failure("%s ended with status %d" % (self.name, status))
            if time.monotonic() > end:
                raise Failure("%s: not within %g s: %s" % (self.name, timeout, what))
            time.sleep(0.001)

    def wait_log(self, side, text, timeout=20.0):
        file = self.directory / ("side%d.log" % side)
        self.wait(side, lambda: text in file.read_text(errors="replace"),
                  "'%s' in the log" % text, timeout)

    def first_answer(self, begin, timeout=60.0):
        """Seconds from begin(), which returns when the program is configured, to an answer."""
        with self.answers() as answers:
            start = time.monotonic()
            begin()
            return answers.wait(timeout) - start

    def reach(self):
        """Returns when something has come back."""
        self.first_answer(lambda: None)

    def logs(self):
        """The ends of all logs, for a failure."""
        text = ""
        for file in sorted(pathlib.Path(self.directory).glob("*.log")):
            lines = file.read_text(errors="replace").splitlines()[-LOG_LINES:]
            if lines:
                text += "\n    %s:\n        %s" % (file.name, "\n        ".join(lines))
        return text

    def ended(self):
        """Which sides' programs are not there any more."""
        return [side for side, p in self.processes.items() if p.poll() is not None]

    def close(self):
        for p in self.processes.values():
            p.terminate()
        for p in self.processes.values():
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.a.close()
        self.b.close()


class Answers:
    """Asks each millisecond until there is an answer; in a thread, so that a program can be
    started meanwhile. ask() returns whether there was an answer."""

    def __init__(self, contender):
        self.contender = contender
        self.stop = threading.Event()
        self.at = None
        self.error = None
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def work(self):
        try:
            while not self.stop.is_set():
                if self.ask():
                    self.at = time.monotonic()
                    return
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def wait(self, timeout):
        """When the answer came, by the monotonic clock."""
        self.thread.join(timeout)
        if self.error:
            raise self.error
        if self.at is None:
            raise Failure("no answer through %s within %g s" % (self.contender.name, timeout))
        return self.at

    def ask(self):
        raise NotImplementedError


class EchoRequests(Answers):
    """RFC 792. The kernel leaves the identifier of a raw socket's messages alone."""

    REQUEST, REPLY = 8, 0

    def __init__(self, contender):
        super().__init__(contender)
        self.id = random.randrange(1, 0xffff)
        self.sequence = 0
        self.socket = contender.a.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)

    def __exit__(self, *_):
        super().__exit__()
        self.socket.close()

    def ask(self):
        self.sequence = self.sequence + 1 & 0xffff
        head = struct.pack("!BBHHH", self.REQUEST, 0, 0, self.id, self.sequence)
        total = sum(struct.unpack("!4H", head))
        while total > 0xffff:
            total = (total & 0xffff) + (total >> 16)
        message = head[:2] + struct.pack("!H", ~total & 0xffff) + head[4:]
        try:
            self.socket.sendto(message, (self.contender.target, 0))
        except OSError:
            time.sleep(0.001)  # no device or no route as yet
            return False
        return self.heard(time.monotonic() + 0.001)

    def heard(self, until):
        while select.select([self.socket], [], [], max(0, until - time.monotonic()))[0]:
            packet = self.socket.recv(2048)
            at = (packet[0] & 15) * 4
            kind, _, _, number, _ = struct.unpack_from("!BBHHH", packet, at)
            if kind == self.REPLY and number == self.id:
                return True
        return False


def have(program):
    return shutil.which(program) is not None
