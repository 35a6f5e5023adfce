# SPDX-License-Identifier: BSD-2-Clause
"""resolved: a systemd-resolved and a system bus of the test's own, and name servers to ask.

The programs are Debian's, unpacked by tests/tools/fetch_packages into build/packages. They run in the
client's namespace; their files are in the private /run and /etc of the test (see run.py).
"""
import contextlib
import ipaddress
import os
import pathlib
import shutil
import socket
import struct

from dns_responder import Responder
from harness import TOP, wait_for

PACKAGES = pathlib.Path(os.environ.get("VPNCORE_PACKAGES_DIR", TOP / "build" / "packages"))
STATE = pathlib.Path("/run/systemd/resolve")
STUB = ("127.0.0.53", 53)
USER, UID = "systemd-resolve", 989
NAME = "org.freedesktop.resolve1"

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=%(socket)s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>%(policy)s</include>
  %(more)s
</busconfig>
"""


def package(name):
    path = PACKAGES / name
    if not path.is_dir():
        raise AssertionError("%s is not there: tests/tools/fetch_packages %s" % (path, PACKAGES))
    return path


def program(*names):
    """A file of systemd-resolved's package: where it is depends on the distribution's version."""
    for name in names:
        path = package("systemd-resolved") / name
        if path.exists():
            return path
    raise AssertionError("systemd-resolved's package has no %s" % names[0])


def environment():
    """For the programs of systemd's packages."""
    folders = {str(f.parent) for f in package("libsystemd-shared").rglob("libsystemd-shared-*.so")}
    return dict(os.environ, LD_LIBRARY_PATH=":".join(sorted(folders)), SYSTEMD_LOG_TARGET="console",
                SYSTEMD_LOG_LEVEL="info", SYSTEMD_COLORS="0")


class Daemon:
    """A process with a log, in a namespace."""

    def __init__(self, ns, argv, log, env=None):
        self.log_file = log
        with open(log, "ab") as f:
            self.process = ns.spawn(*argv, stdout=f, stderr=f, env=env)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def text(self):
        return "--- %s\n%s\n" % (self.log_file.name, self.log_file.read_text(errors="replace"))


class Resolved:
    """The bus and systemd-resolved."""

    def __init__(self, ns, directory):
        self.ns, self.directory = ns, directory
        self.socket = directory / "bus"
        self.bus = self.daemon = None
        self.user()

    @staticmethod
    def user():
        """The one that systemd-resolved turns into, in the private copy of /etc."""
        text = pathlib.Path("/etc/passwd").read_text(encoding="utf-8")
        if not any(line.startswith(USER + ":") for line in text.splitlines()):
            with open("/etc/passwd", "a", encoding="ascii") as f:
                f.write("%s:x:%d:%d::/:/usr/sbin/nologin\n" % (USER, UID, UID))
            with open("/etc/group", "a", encoding="ascii") as f:
                f.write("%s:x:%d:\n" % (USER, UID))

    def start_bus(self, more=""):
        policy = program("usr/share/dbus-1/system.d/org.freedesktop.resolve1.conf")
        config = self.directory / "bus.conf"
        config.write_text(BUS_CONFIG % {"socket": self.socket, "policy": policy, "more": more},
                          encoding="ascii")
        os.chmod(self.directory, 0o755)  # systemd-resolved is not root
        with contextlib.suppress(FileNotFoundError):
            self.socket.unlink()
        self.bus = Daemon(self.ns, ["dbus-daemon", "--nofork", "--nopidfile", "--nosyslog",
                                    "--config-file=%s" % config], self.directory / "bus.log")
        wait_for(self.socket.exists, "the system bus")

    def start(self):
        """systemd-resolved; returns when it has its name on the bus."""
        if not STATE.exists():
            STATE.mkdir(parents=True)
            shutil.chown(STATE, USER, USER)
        pathlib.Path("/etc/systemd").mkdir(exist_ok=True)
        pathlib.Path("/etc/systemd/resolved.conf").write_text(
            "[Resolve]\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\nFallbackDNS=\nCache=no-negative\n",
            encoding="ascii")
        self.daemon = Daemon(self.ns, [program("usr/lib/systemd/systemd-resolved",
                                               "lib/systemd/systemd-resolved")],
                             self.directory / "resolved.log", environment())
        wait_for(self.is_there, "systemd-resolved on the bus")

    def is_there(self):
        return self.ctl("status", check=False).returncode == 0

    def restart(self):
        """With nothing kept of what it was told."""
        self.kill()
        shutil.rmtree(STATE)
        self.start()

    def kill(self):
        self.daemon.kill()

    def close(self):
        for d in (self.daemon, self.bus):
            if d:
                d.kill()
        shutil.rmtree(STATE, ignore_errors=True)

    def text(self):
        return "".join(d.text() for d in (self.bus, self.daemon) if d)

    # -- looking -----------------------------------------------------------------------------

    def ctl(self, *argv, **kwargs):
        return self.ns.sh(program("usr/bin/resolvectl"), "--no-pager", *argv, env=environment(),
                          **kwargs)

    def state(self):
        """All that it was told, of every interface."""
        lines = self.ctl("status").stdout.splitlines()
        return "\n".join(" ".join(line.split()) for line in lines
                         if "Current DNS Server" not in line)

    def link(self, device="wg0"):
        """(servers, domains, default route) of an interface."""
        values = []
        for what in ("dns", "domain", "default-route"):
            done = self.ctl(what, device, check=False)
            if done.returncode != 0:
                return None
            values.append(done.stdout.partition(":")[2].strip())
        return tuple(values)


class Anything(dict):
    """Has one value for every key."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def get(self, key, default=None):
        return self.value


class NameServer(Responder):
    """Answers every question for an address with the same one."""

    def __init__(self, ns, address, answer):
        super().__init__(ns, [address], {})
        self.names = Anything(ipaddress.ip_address(answer))


def ask(ns, name, server=STUB, timeout=5.0):
    """The address that a name server gives for a name, as a program of the namespace would ask; None when
    there is no answer, "" when it has none to give."""
    query = struct.pack("!HHHHHH", 0x4242, 0x0100, 1, 0, 0, 0)
    query += b"".join(bytes([len(part)]) + part.encode("ascii") for part in name.split("."))
    query += b"\0" + struct.pack("!HH", 1, 1)
    with contextlib.closing(ns.socket()) as s:
        s.settimeout(timeout)
        try:
            s.sendto(query, server)
            answer = s.recv(4096)
        except OSError:
            return None
    if answer[3] & 15 or not struct.unpack("!H", answer[6:8])[0]:
        return ""
    return socket.inet_ntoa(answer[len(query) + 12:len(query) + 16])
