# SPDX-License-Identifier: BSD-2-Clause
"""vpns: programs that carry packets by protocols of their own.

Each has the settings that its documentation gives for two hosts, with the same MTU as all the
others, and no tuning: ciphers and buffers are those that it would take by itself, or recommends.
"""
from cable import MTU, PORT, SIDES, Contender, have, inner, outer
from debian import installed_version
from netns import sh


class Vpn(Contender):
    target = inner(2)
    offers = Contender.offers | {"program"}
    file = ""

    @classmethod
    def missing(cls, options):
        return None if have(cls.file) else "%s is not here" % cls.file

    @classmethod
    def version(cls, options):
        return installed_version(cls.packages[0])

    def script(self, side, name):
        """What configures the interface when the program has made it."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        device = self.device(side)
        lines = ["#!/bin/sh", "set -e", "ip addr add %s/24 dev %s" % (inner(side), device),
                 "ip link set %s mtu %d up" % (device, MTU)]
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
        path.chmod(0o755)
        return path

    def wait_address(self, side):
        """The interface is there and up, and has the address that the script gives it."""
        show = ["ip", "-o", "addr", "show", "up", "dev", self.device(side)]
        self.wait(side, lambda: inner(side) in self.namespace(side).sh(*show, check=False).stdout,
                  "its address")


class Fastd(Vpn):
    """salsa2012+umac is what fastd's documentation recommends for user space."""

    name = "fastd"
    title = "fastd, salsa2012+umac"
    packages = ("fastd",)
    file = "fastd"

    def prepare(self):
        keys = {}
        for side in SIDES:
            lines = sh("fastd", "--generate-key").stdout.splitlines()
            keys[side] = dict(line.lower().split(": ") for line in lines if ": " in line)
        for side in SIDES:
            other = 3 - side
            remote = 'remote %s:%d;' % (outer(other), PORT) if side == 1 else ""
            text = [
                'log level warn;', 'mode tun;', 'mtu %d;' % MTU, 'method "salsa2012+umac";',
                'interface "%s";' % self.device(side), 'bind %s:%d;' % (outer(side), PORT),
                'secret "%s";' % keys[side]["secret"],
                'on up "%s";' % self.script(side, "up%d" % side),
                'peer "side%d" { key "%s"; %s }' % (other, keys[other]["public"], remote)]
            (self.directory / ("side%d.conf" % side)).write_text("\n".join(text) + "\n")

    def launch(self, side):
        self.spawn(side, "fastd", "--config", self.directory / ("side%d.conf" % side))
        if side == 2:
            self.wait_address(side)


class OpenVpn(Vpn):
    """A server and a client who know each other's certificate. Its addresses are those that the
    server gives out: 10.78.0.1 is the server's."""

    name = "openvpn"
    title = "OpenVPN without DCO, ChaCha20-Poly1305"
    packages = ("openvpn", "openssl")
    file = "openvpn"
    target = inner(1)

    @classmethod
    def missing(cls, options):
        return super().missing(options) or (
            None if have("openssl") else "openssl, which makes OpenVPN's certificates, is not here")

    def prepare(self):
        certificate = [self.directory / ("side%d.crt" % side) for side in SIDES]
        prints = []
        for side, cert in zip(SIDES, certificate):
            sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
               "-subj", "/CN=side%d" % side, "-out", cert, "-keyout", cert.with_suffix(".key"))
            text = sh("openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256").stdout
            prints.append(text.strip().partition("=")[2])
        for side in SIDES:
            text = [
                "dev-type tun", "dev %s" % self.device(side), "proto udp", "tun-mtu %d" % MTU,
                "disable-dco", "topology subnet", "data-ciphers CHACHA20-POLY1305", "verb 3",
                "cert %s" % certificate[side - 1],
                "key %s" % certificate[side - 1].with_suffix(".key"),
                "peer-fingerprint %s" % prints[2 - side]]
            if side == 2:
                text += ["server 10.78.0.0 255.255.255.0", "dh none", "local %s" % outer(2),
                         "port %d" % PORT]
            else:
                text += ["client", "nobind", "remote %s %d" % (outer(2), PORT)]
            (self.directory / ("side%d.conf" % side)).write_text("\n".join(text) + "\n")

    def launch(self, side):
        self.spawn(side, "openvpn", "--config", self.directory / ("side%d.conf" % side))
        if side == 2:
            self.wait_log(side, "Initialization Sequence Completed")


class Tinc(Vpn):
    """Router mode, and the cipher and digest that 1.0 has by itself."""

    name = "tinc"
    title = "tinc 1.0"
    packages = ("tinc",)
    file = "tincd"

    def prepare(self):
        for side in SIDES:
            net = self.net(side)
            hosts = net / "hosts"
            hosts.mkdir(parents=True)
            conf = ["Name = side%d" % side, "Interface = %s" % self.device(side),
                    "BindToAddress = %s %d" % (outer(side), PORT), "Port = %d" % PORT]
            if side == 1:
                conf.append("ConnectTo = side2")
            (net / "tinc.conf").write_text("\n".join(conf) + "\n")
            (hosts / ("side%d" % side)).write_text(
                "Address = %s\nPort = %d\nSubnet = %s/32\n" % (outer(side), PORT, inner(side)))
            sh("tincd", "-c", net, "-K", "2048")
            self.script(side, "net%d/tinc-up" % side)
        for side in SIDES:
            name = "side%d" % (3 - side)
            own = self.net(3 - side) / "hosts" / name
            (self.net(side) / "hosts" / name).write_text(own.read_text())

    def net(self, side):
        return self.directory / ("net%d" % side)

    def launch(self, side):
        self.spawn(side, "tincd", "-c", self.net(side), "-D", "-d1",
                   "--pidfile=%s" % (self.directory / ("side%d.pid" % side)))
        if side == 2:
            self.wait_address(side)

    def settle(self):
        """Until it has found the path's MTU, tinc carries packets over its TCP connection."""
        def by_udp():
            before = self.outer_datagrams()
            sh(*self.a.command("ping", "-n", "-q", "-c", 20, "-i", "0.01", "-s", MTU - 28,
                               self.target))
            return self.outer_datagrams() - before >= 20
        self.wait(1, by_udp, "packets over UDP", 30)

    def outer_datagrams(self):
        """UDP datagrams that a has sent; nothing else in there sends any."""
        with self.a.entered(), open("/proc/thread-self/net/snmp", encoding="ascii") as counters:
            names, values = [line.split() for line in counters if line.startswith("Udp:")]
        return int(dict(zip(names, values))["OutDatagrams"])
