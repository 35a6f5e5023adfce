# SPDX-License-Identifier: BSD-2-Clause
"""debian: what is installed, and installing it."""
import os
import subprocess
import sys


def installed_version(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}", package],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip() or "%s, not of a package" % package


def install(packages):
    """apt-get; whether all are there now. What it says goes to stderr."""
    print("run: installing %s" % " ".join(packages), file=sys.stderr, flush=True)
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    try:
        for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            done = subprocess.run(["apt-get", "-q", *command], stdout=sys.stderr,
                                  stdin=subprocess.DEVNULL, env=env, check=False)
            if done.returncode != 0:
                return False
    except FileNotFoundError:
        print("run: there is no apt-get here", file=sys.stderr)
        return False
    return True
