# SPDX-License-Identifier: BSD-2-Clause
"""dns_responder: a name server of a few lines (RFC 1035), which notes what it was asked."""
import ipaddress
import select
import socket
import struct
import threading

A, AAAA = 1, 28
NXDOMAIN = 3
IP_FREEBIND = 15  # ip(7); also of IPv6 sockets: the address may come later


def read_name(packet, at):
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii").lower())
        at += 1 + packet[at]
    return ".".join(labels), at + 1


class Responder:
    """Answers for the names of a dict {name: address} at port 53 of `addresses` in a namespace."""

    def __init__(self, ns, addresses, names):
        self.names = {k: ipaddress.ip_address(v) for k, v in names.items()}
        self.asked = []
        self.sockets = []
        for address in addresses:
            s = ns.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            s.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            s.bind((address, 53))
            self.sockets.append(s)
        self.wake, self.end = socket.socketpair()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            for s in select.select(self.sockets + [self.wake], [], [])[0]:
                if s is self.wake:
                    return
                query, peer = s.recvfrom(4096)
                s.sendto(self.answer(query), peer)

    def answer(self, query):
        name, at = read_name(query, 12)
        kind = struct.unpack("!H", query[at:at + 2])[0]
        self.asked.append(name)
        address = self.names.get(name)
        found = address is not None and kind == (A if address.version == 4 else AAAA)
        code = 0 if address is not None else NXDOMAIN
        flags = 0x8580 | code  # a response, authoritative, recursion available
        head = query[:2] + struct.pack("!HHHHH", flags, 1, int(found), 0, 0)
        record = b""
        if found:
            data = address.packed
            record = struct.pack("!HHHIH", 0xc00c, kind, 1, 0, len(data)) + data
        return head + query[12:at + 4] + record

    def close(self):
        self.end.send(b"x")
        self.thread.join(10)
        for s in self.sockets + [self.wake, self.end]:
            s.close()
