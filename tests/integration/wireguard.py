# SPDX-License-Identifier: BSD-2-Clause
"""wireguard: peers that speak WireGuard: ours, and other people's programs, configured alike.

A node is one end: a program in a namespace with keys and an inner address. `Node.start()` knows how
to run each kind. Every namespace has a /run/wireguard of its own, so that all interfaces may be
wg0.
"""
import base64
import ipaddress
import os
import pathlib
import re
import socket
import subprocess
import time

from harness import PORT, Test, hostport, sh, wait_for

# The kinds of program, and where they are. tests/interop/build-peers makes VPNCORE_PEERS_DIR.
VPNCORE = "vpncore"
DEBIAN_GO = "wireguard-go"
CURRENT_GO = "current wireguard-go"
BORINGTUN = "boringtun"
PEERS_DIR = pathlib.Path(os.environ.get("VPNCORE_PEERS_DIR", "/nonexistent"))
PROGRAMS = {
    DEBIAN_GO: ["/usr/bin/wireguard-go", "-f"],
    CURRENT_GO: [str(PEERS_DIR / "bin" / "wireguard-go"), "-f"],
    BORINGTUN: [str(PEERS_DIR / "bin" / "boringtun-cli"), "-f", "--disable-drop-privileges",
                "--verbosity", "info"],
}

SECRET_MODE = 0o600


class Keys:
    """A key pair, as base64 text."""

    def __init__(self, private=None):
        self.private = private or sh("wg", "genkey").stdout.strip()
        self.public = subprocess.run(["wg", "pubkey"], input=self.private + "\n", text=True,
                                     stdout=subprocess.PIPE, check=True).stdout.strip()


def preshared():
    return sh("wg", "genpsk").stdout.strip()


class Peer:
    """The other end, as one end is told of it."""

    def __init__(self, public_key, allowed_ips, *, endpoint=None, psk=None, keepalive=None):
        self.public_key = public_key
        self.allowed_ips = list(allowed_ips)
        self.endpoint = endpoint
        self.psk = psk
        self.keepalive = keepalive

    def section(self):
        """For `wg setconf`."""
        lines = ["[Peer]", "PublicKey = " + self.public_key]
        if self.allowed_ips:
            lines.append("AllowedIPs = " + ", ".join(self.allowed_ips))
        if self.endpoint:
            lines.append("Endpoint = " + self.endpoint)
        if self.psk:
            lines.append("PresharedKey = " + self.psk)
        if self.keepalive:
            lines.append("PersistentKeepalive = %d" % self.keepalive)
        return "\n".join(lines) + "\n"

    def entry(self, secret):
        """For a manifest; secret(text) puts a secret into a file and returns its path."""
        entry = {"public_key": self.public_key, "allowed_ips": self.allowed_ips}
        if self.endpoint:
            entry["endpoint"] = self.endpoint
        if self.psk:
            entry["preshared_key"] = {"file": secret(self.psk)}
        if self.keepalive:
            entry["keepalive"] = self.keepalive
        return entry


def secret_file(directory, text):
    """A new file that only we can read; returns its path."""
    path = directory / ("secret-%d" % sum(1 for _ in directory.glob("secret-*")))
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE)
    with open(fd, "w", encoding="ascii") as f:
        f.write(text + "\n")
    return str(path)


def manifest(directory, name, keys, peers, addresses, *, ifname="wg0", mtu=1420,
             listen="*:%d" % PORT, lanes=None, device=None, wireguard=None, udp=None, obfs=None):
    """The manifest of a WireGuard interface. `device`, `wireguard` and `udp` add to or replace keys
    of the stages; a value of None takes the key away. `obfs`, when given, is a stage in between."""
    stages = [
        {"device": "auto", "name": ifname, "mtu": mtu, "addresses": list(addresses)},
        {"transport": "wireguard", "private_key": {"file": secret_file(directory, keys.private)},
         "peers": [p.entry(lambda text: secret_file(directory, text)) for p in peers]},
        {"transport": "udp", "listen": listen},
    ]
    for stage, changes in zip(stages, (device or {}, wireguard or {}, udp or {})):
        stage.update(changes)
        for key in [k for k, v in stage.items() if v is None]:
            del stage[key]
    if obfs:
        stages.insert(2, {"transport": "obfs", **obfs})
    result = {"vpncore": 1, "name": name, "pipeline": stages}
    if lanes:
        result["lanes"] = lanes
    return result


def private_run(ns):
    """The words to put before a command so that it sees the /run/wireguard of its namespace; for
    what runs under `ip netns exec`, which has made a mount namespace."""
    return ["sh", "-c", 'mkdir -p "$0" /run/wireguard && mount --bind "$0" /run/wireguard && '
            'exec "$@"',
            "/run/wireguard-" + ns.name]


def wg(ns, *argv, **kwargs):
    """Runs wg(8) in a namespace."""
    return ns.sh(*private_run(ns), "wg", *argv, **kwargs)


class Status:
    """One peer in `wg show IFNAME dump`."""

    def __init__(self, line):
        fields = line.split("\t")
        if len(fields) != 8:
            raise AssertionError("not a peer of wg show dump: %r" % line)
        self.public_key = fields[0]
        self.psk = None if fields[1] == "(none)" else fields[1]
        self.endpoint = None if fields[2] == "(none)" else fields[2]
        self.allowed_ips = [] if fields[3] == "(none)" else fields[3].split(",")
        self.handshake = int(fields[4])  # seconds since 1970, 0 = none
        self.rx, self.tx = int(fields[5]), int(fields[6])
        self.keepalive = 0 if fields[7] == "off" else int(fields[7])


class Dump:
    """`wg show IFNAME dump`."""

    def __init__(self, text):
        first, *rest = text.splitlines()
        private, public, port, mark = first.split("\t")
        self.private = None if private == "(none)" else private
        self.public = None if public == "(none)" else public
        self.port = int(port)
        self.fwmark = 0 if mark == "off" else int(mark, 0)
        self.peers = {p.public_key: p for p in map(Status, rest)}


def show(ns, ifname="wg0"):
    return Dump(wg(ns, "show", ifname, "dump").stdout)


def uapi(ns, request, ifname="wg0"):
    """What the interface's socket answers to a request that ends in an empty line."""
    text = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(20)
        s.connect("/run/wireguard-%s/%s.sock" % (ns.name, ifname))
        s.sendall(request.encode("ascii"))
        while not re.search(rb"errno=-?\d+\n\n$", text):
            piece = s.recv(65536)
            if not piece:
                break
            text += piece
    return text.decode("ascii")


def handshake_numbers(ns, public_key, ifname="wg0"):
    """The last handshake as (seconds, nanoseconds) by the socket; wg(8) shows the seconds alone."""
    wanted = "public_key=" + base64.b64decode(public_key).hex()
    found, seconds = False, 0
    for line in uapi(ns, "get=1\n\n", ifname).splitlines():
        key, _, value = line.partition("=")
        if key == "public_key":
            found = line == wanted
        elif found and key == "last_handshake_time_sec":
            seconds = int(value)
        elif found and key == "last_handshake_time_nsec":
            return seconds, int(value)
    return 0, 0


class Program:
    """A WireGuard program of somebody else, in the foreground, with its log."""

    def __init__(self, ns, argv, ifname, directory):
        self.ns, self.ifname = ns, ifname
        self.name = pathlib.Path(argv[0]).name
        self.log_file = directory / ("%s-%s.log" % (ns.name, self.name))
        env = dict(os.environ, LOG_LEVEL="verbose", WG_LOG_LEVEL="info")
        with open(self.log_file, "ab") as log:
            self.process = ns.spawn(*private_run(ns), *argv, ifname, stdout=log, stderr=log,
                                    env=env)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def wait_up(self):
        wait_for(lambda: not self.running()
                 or wg(self.ns, "show", self.ifname, check=False).returncode == 0,
                 "%s answers wg" % self.name, 20)
        if not self.running():
            raise AssertionError("%s ended with status %s\n%s"
                                 % (self.name, self.process.returncode, self.text()))
        return self

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def close(self):
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    stop = close

    def resident_bytes(self):
        for line in open("/proc/%d/status" % self.pid, encoding="ascii"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmRSS")

    def log(self):
        return self.log_file.read_text(errors="replace")

    def text(self, lines=60):
        return "--- %s (%s)\n%s\n" % (self.log_file.name, self.process.poll(),
                                      "\n".join(self.log().splitlines()[-lines:]))


class Node:
    """One end of a tunnel: where it is, what it is called, and what it may be told. start() runs
    it; kill() and start() again make another process with the same configuration."""

    def __init__(self, test, ns, kind, addresses, *, ifname="wg0", mtu=1420, port=PORT, keys=None,
                 name=None, options=(), **stages):
        self.test, self.ns, self.kind = test, ns, kind
        self.addresses = list(addresses)
        self.ifname, self.mtu, self.port = ifname, mtu, port
        self.keys = keys or Keys()
        self.name = name or ns.label
        self.options = list(options)  # of the command line, for programs of others
        self.stages = stages          # arguments of manifest(), for ours
        self.peers = []
        self.program = None

    def hosts(self):
        """The prefixes of exactly the inner addresses: what others allow of this node."""
        hosts = [ipaddress.ip_interface(a).ip for a in self.addresses]
        return ["%s/%d" % (h, h.max_prefixlen) for h in hosts]

    def inner(self, family):
        """The inner address of a family."""
        for a in self.addresses:
            ip = ipaddress.ip_interface(a).ip
            if ip.version == family:
                return str(ip)
        raise RuntimeError("no inner address of family %d" % family)

    def add(self, other, *, endpoint=None, psk=None, keepalive=None, allowed_ips=None):
        """Tells this node of another one; before start(). `endpoint` is its outer address."""
        self.peers.append(Peer(other.keys.public,
                               other.hosts() if allowed_ips is None else allowed_ips,
                               endpoint=hostport(endpoint, other.port) if endpoint else None,
                               psk=psk, keepalive=keepalive))
        return self

    # -- running -----------------------------------------------------------------------------

    def start(self):
        if self.kind == VPNCORE:
            stages = dict(self.stages)
            stages.setdefault("listen", "*:%d" % self.port)
            spec = manifest(self.test.directory, self.name, self.keys, self.peers, self.addresses,
                            ifname=self.ifname, mtu=self.mtu, **stages)
            self.program = self.test.vpncore(self.ns, spec, before=private_run(self.ns))
            self.program.wait_up()
        else:
            self._start_foreign()
        return self

    def _start_foreign(self):
        argv = PROGRAMS[self.kind] + self.options
        if not pathlib.Path(argv[0]).exists():
            raise AssertionError("%s is not there: %s" % (self.kind, argv[0]))
        self.program = Program(self.ns, argv, self.ifname, self.test.directory)
        self.test.programs.append(self.program)
        self.test.addCleanup(self.program.close)
        self.program.wait_up()
        self.wg("setconf", self.ifname, secret_file(self.test.directory, self.conf()))
        for a in self.addresses:
            self.ns.ip("addr", "add", a, "dev", self.ifname, *(["nodad"] if ":" in a else []))
        self.ns.ip("link", "set", self.ifname, "mtu", self.mtu, "up")

    def conf(self):
        """What `wg setconf` takes."""
        return "[Interface]\nPrivateKey = %s\nListenPort = %d\n%s" % (
            self.keys.private, self.port, "".join(p.section() for p in self.peers))

    def kill(self):
        """kill -9, and until the interface is gone."""
        self.program.kill()
        wait_for(lambda: not self.ns.has(self.ifname), "the end of %s" % self.ifname)

    def stop(self):
        self.program.stop()

    # -- looking -----------------------------------------------------------------------------

    def wg(self, *argv, **kwargs):
        return wg(self.ns, *argv, **kwargs)

    def show(self):
        return show(self.ns, self.ifname)

    def status(self, other=None):
        """What wg says of a peer; without `other`, of the only one."""
        peers = self.show().peers
        if other is None:
            (only,) = peers.values()
            return only
        return peers[other.keys.public]

    def transfer(self, other=None):
        """(rx, tx) in bytes of messages."""
        s = self.status(other)
        return s.rx, s.tx

    def handshake_time(self, other):
        """When the last handshake with `other` was, in seconds since 1970; 0 = there was none."""
        seconds, ns = handshake_numbers(self.ns, other.keys.public, self.ifname)
        if self.kind == BORINGTUN and (seconds, ns) != (0, 0):
            # it says how long ago that was (0.7.1, device/api.rs), by a clock of 250 ms
            return time.time() - seconds - ns / 1e9
        return seconds + ns / 1e9

    def wait_silence(self, seconds):
        """Until this node has sent and received nothing for so long."""
        last = [self.transfer(), time.monotonic()]

        def silent():
            now = self.transfer()
            if now != last[0]:
                last[:] = [now, time.monotonic()]
            return time.monotonic() - last[1] >= seconds
        wait_for(silent, "%g s of silence" % seconds, 10 * seconds)

    def wait_handshake(self, other, after=0, timeout=15.0):
        """Until this node's last handshake with `other` is later than `after`; returns its time."""
        margin = 0.25 if self.kind == BORINGTUN else 0

        def later():
            at = self.handshake_time(other)
            return at if at > after + margin else None
        return wait_for(later, "a handshake of %s with %s" % (self.name, other.name), timeout)

    # -- changing while it runs --------------------------------------------------------------

    def tell(self, other, *, endpoint=None, psk=None, keepalive=None):
        """A peer more, by wg; `endpoint` is its outer address."""
        argv = ["peer", other.keys.public, "allowed-ips", ",".join(other.hosts())]
        if endpoint:
            argv += ["endpoint", hostport(endpoint, other.port)]
        if psk:
            argv += ["preshared-key", secret_file(self.test.directory, psk)]
        if keepalive:
            argv += ["persistent-keepalive", keepalive]
        self.wg("set", self.ifname, *argv)

    def forget(self, public_key):
        self.wg("set", self.ifname, "peer", public_key, "remove")

    def set_psk(self, other, psk, endpoint=None):
        """boringtun 0.7.1 cannot change a peer: there it is removed and told anew."""
        if self.kind == BORINGTUN:
            self.forget(other.keys.public)
            self.tell(other, psk=psk, endpoint=endpoint)
        else:
            self.wg("set", self.ifname, "peer", other.keys.public, "preshared-key",
                    secret_file(self.test.directory, psk))

    def set_key(self, keys):
        self.keys = keys
        self.wg("set", self.ifname, "private-key", secret_file(self.test.directory, keys.private))


def wait_handshake(ns, ifname="wg0", timeout=15.0):
    """Until the interface has had a handshake with any of its peers."""
    return wait_for(lambda: [p for p in show(ns, ifname).peers.values() if p.handshake],
                    "a handshake on %s" % ifname, timeout)


class WireGuardTest(Test):
    """A test with nodes."""

    def node(self, ns, kind, addresses, **kwargs):
        return Node(self, ns, kind, addresses, **kwargs)
