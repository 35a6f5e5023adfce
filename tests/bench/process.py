# SPDX-License-Identifier: BSD-2-Clause
"""process: what a running program costs: processor time, memory, wake-ups; proc(5)."""
import os

TICKS = os.sysconf("SC_CLK_TCK")


def with_children(pid):
    """pid and what descends from it. A process that ends meanwhile is left out."""
    found = [pid]
    for parent in found:
        try:
            for thread in os.listdir("/proc/%d/task" % parent):
                with open("/proc/%d/task/%s/children" % (parent, thread), encoding="ascii") as f:
                    found += [int(child) for child in f.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def cpu_seconds(pid):
    """utime and stime of a program: of all its threads, its children, and those it has waited for.
    Counted in ticks of 10 ms. What the kernel does for it in an interrupt counts for whoever was
    running then."""
    ticks = 0
    for process in with_children(pid):
        try:
            with open("/proc/%d/stat" % process, encoding="utf-8") as f:
                # the name, the second field, is in brackets and may hold anything
                fields = f.read().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        ticks += sum(int(n) for n in fields[11:15])
    return ticks / TICKS


def memory(pid, kind):
    """MiB of a program and its children. `kind`: VmRSS, all that is resident; RssAnon, what is not
    pages of files."""
    kib = 0
    for process in with_children(pid):
        kib += _status(process, kind)
    if kib == 0:
        raise RuntimeError("process %d has no %s" % (pid, kind))
    return kib / 1024


def wakeups(pid):
    """How often the threads of a program have gone to sleep by themselves since they began."""
    return sum(_status("%d/task/%s" % (process, thread), "voluntary_ctxt_switches")
               for process in with_children(pid)
               for thread in os.listdir("/proc/%d/task" % process))


def _status(where, key):
    with open("/proc/%s/status" % where, encoding="utf-8", errors="replace") as status:
        for line in status:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return 0
