# SPDX-License-Identifier: BSD-2-Clause
"""machine: on what a run was made."""
import os
import pathlib
import platform
import subprocess


def _field(file, key):
    try:
        with open(file, encoding="utf-8") as lines:
            for line in lines:
                name, _, value = line.partition(":" if ":" in line else "=")
                if name.strip() == key:
                    return value.strip().strip('"')
    except OSError:
        pass
    return "?"


def _caches():
    """{"L1 Data": "32K", ...} of the first processor, where the kernel says so."""
    found = {}
    for cache in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = [(cache / n).read_text(encoding="ascii").strip()
                                 for n in ("level", "type", "size")]
        except OSError:
            continue
        found["L%s %s" % (level, kind)] = size
    return found


def _iperf():
    done = subprocess.run(["iperf3", "--version"], stdout=subprocess.PIPE, text=True, check=False)
    return (done.stdout.splitlines() or ["?"])[0]


def describe():
    flags = _field("/proc/cpuinfo", "flags").split()
    return {"system": _field("/etc/os-release", "PRETTY_NAME"), "kernel": platform.release(),
            "cpu": _field("/proc/cpuinfo", "model name"), "virtual": "hypervisor" in flags,
            "simd": [f for f in ("aes", "avx2", "avx512f", "vaes") if f in flags],
            "caches": _caches(), "cores": len(os.sched_getaffinity(0)),
            "memory": _field("/proc/meminfo", "MemTotal"), "iperf3": _iperf(),
            "load before": os.getloadavg()[0]}


def text(about):
    return "%s%s, %d cores, %s; %s, Linux %s; %s; load before: %.2f" % (
        about["cpu"], " (virtual)" if about["virtual"] else "", about["cores"], about["memory"],
        about["system"], about["kernel"], about["iperf3"], about["load before"])
