# SPDX-License-Identifier: BSD-2-Clause
"""measures: what is measured, by which probe, in which scene.

A measure is one row of the tables. A probe is one experiment with a contender and gives the figures
of one or more measures. A scene is probes under one circumstance: a further one is a class or an
object, and a line in SCENES.
"""
import time

import kcp_measures
import loads
import process
from cable import some_keys
from lanes import Lanes
from scenes import Fresh, Measure, Probe, Standing

GIGA = 1e9
IDLE_SECONDS = 7  # before it counts as idle; WireGuard's keepalive comes after 10


def tcp(name, streams, direction):
    """The rate; for one stream a to b also what it cost."""
    def work(contender, seconds):
        rate, _ = loads.tcp(contender, seconds, streams, direction)
        return {name: rate / GIGA}
    return work


def tcp_with_costs(contender, seconds):
    before = {side: process.cpu_seconds(p.pid) for side, p in contender.processes.items()}
    rate, carried = loads.tcp(contender, seconds, 1, "down")
    found = {"tcp": rate / GIGA}
    if contender.processes:
        used = {side: (process.cpu_seconds(p.pid) - before[side]) / (carried / GIGA)
                for side, p in contender.processes.items()}
        found.update({"cpu": sum(used.values()), "cpu-a": used[1], "cpu-b": used[2],
                      "rss-after": process.memory(contender.processes[2].pid, "VmRSS")})
    return found


def udp(name, size):
    def work(contender, seconds):
        return {name: loads.udp(contender, seconds, size) / 1e3}
    return work


def ping(contender, seconds, prefix="ping"):
    pings = loads.Pings(contender, seconds)
    return {prefix: pings.median(), prefix + "-p99": pings.percentile(99),
            prefix + "-lost": pings.lost()}


def ping_loaded(contender, seconds):
    with loads.loaded(contender):
        return ping(contender, seconds, "load")


def start_and_memory(contender, seconds):
    """At the first answer, and when nothing has happened for a while since, before any load."""
    pid = contender.processes[2].pid
    found = {"start": contender.start_seconds * 1e3, "rss-first": process.memory(pid, "VmRSS")}
    before = process.wakeups(pid)
    pause = IDLE_SECONDS if seconds else 0.1
    time.sleep(pause)
    found["wakeups"] = (process.wakeups(pid) - before) / pause
    found.update(rss=process.memory(pid, "VmRSS"), anon=process.memory(pid, "RssAnon"))
    return found


def memory_of_many(contender, seconds):
    del seconds
    return {"rss-crowd": process.memory(contender.processes[2].pid, "VmRSS")}


def handshakes(contender, seconds):
    found = loads.handshakes(contender, seconds)
    return {"handshakes": found["accepted_per_second"]}


def tcp_crowd(contender, seconds):
    return {"tcp-crowd": loads.tcp(contender, seconds, 1, "down")[0] / GIGA}


def ping_crowd(contender, seconds):
    return {"ping-crowd": loads.Pings(contender, seconds).median()}


def crowd(options):
    return some_keys(options.crowd)


def initiators(options):
    return loads.handshake_keys(options.initiators)


def less(title, unit):
    return Measure(title, unit, more_is_better=False)


PAIR = [
    Probe("tcp", "tcp", tcp_with_costs, {
        "tcp": Measure("TCP, 1 stream, a to b", "Gb/s"),
        "cpu": less("processor time, both ends", "s/GB"),
        "cpu-a": less("  of that the sender's", "s/GB"),
        "cpu-b": less("  of that the receiver's", "s/GB"),
        "rss-after": less("memory after that stream", "MiB")}, quick=True),
    Probe("tcp-up", "tcp", tcp("tcp-up", 1, "up"), {
        "tcp-up": Measure("TCP, 1 stream, b to a", "Gb/s")}),
    Probe("tcp-both", "tcp", tcp("tcp-both", 1, "both"), {
        "tcp-both": Measure("TCP, 1 stream each way, sum", "Gb/s")}),
    Probe("tcp4", "tcp", tcp("tcp4", 4, "down"), {
        "tcp4": Measure("TCP, 4 streams, a to b", "Gb/s")}),
    Probe("tcp4-up", "tcp", tcp("tcp4-up", 4, "up"), {
        "tcp4-up": Measure("TCP, 4 streams, b to a", "Gb/s")}),
    Probe("tcp4-both", "tcp", tcp("tcp4-both", 4, "both"), {
        "tcp4-both": Measure("TCP, 4 streams each way, sum", "Gb/s")}),
    Probe("udp64", "udp", udp("udp64", 64), {
        "udp64": Measure("UDP, 64 bytes, delivered", "1000/s")}, quick=True),
    Probe("udp512", "udp", udp("udp512", 512), {
        "udp512": Measure("UDP, 512 bytes, delivered", "1000/s")}),
    Probe("udp1300", "udp", udp("udp1300", 1300), {
        "udp1300": Measure("UDP, 1300 bytes, delivered", "1000/s")}, quick=True),
    Probe("ping", "ping", ping, {
        "ping": less("ping, idle, median", "us"), "ping-p99": less("ping, idle, p99", "us"),
        "ping-lost": less("ping, idle, unanswered", "%")}, quick=True),
    Probe("load", "ping", ping_loaded, {
        "load": less("ping beside 1 TCP stream, median", "us"),
        "load-p99": less("ping beside 1 TCP stream, p99", "us"),
        "load-lost": less("ping beside it, unanswered", "%")}, quick=True),
]

SCENES = {s.name: s for s in (
    Fresh("idle", [Probe("idle", "program", start_and_memory, {
        "start": less("start to the first answer", "ms"),
        "rss-first": less("memory, at the first answer", "MiB"),
        "rss": less("memory, idle, one peer", "MiB"),
        "anon": less("  of that not of files", "MiB"),
        "wakeups": less("wake-ups, idle", "1/s")}, quick=True)]),
    Standing("pair", PAIR),
    Lanes("lanes"),
    Standing("handshakes", [Probe("handshakes", "wireguard", handshakes, {
        "handshakes": Measure("handshakes accepted", "1/s")})], more=initiators),
    Fresh("idle-crowd", [Probe("rss-crowd", "wireguard", memory_of_many, {
        "rss-crowd": less("memory, many peers", "MiB")})], more=crowd),
    Standing("crowd", [
        Probe("tcp-crowd", "wireguard", tcp_crowd, {
            "tcp-crowd": Measure("TCP, 1 stream, many peers", "Gb/s")}),
        Probe("ping-crowd", "wireguard", ping_crowd, {
            "ping-crowd": less("ping, idle, many peers, median", "us")})], more=crowd),
    *kcp_measures.SCENES,
)}
QUICK = ("idle", "pair", "lanes")
MEASURES = {name: measure for scene in SCENES.values() for probe in scene.probes
            for name, measure in probe.measures.items()}
