# SPDX-License-Identifier: BSD-2-Clause
"""installed: what a user of libvpncore has: an installed tree, and programs that are built against it."""
import os
import pathlib
import shlex
import tempfile

from harness import BUILD, TOP, environment, sanitizer, sh

EXAMPLES = TOP / "docs" / "examples"
_FLAGS = {"": [], "asan": ["-fsanitize=address,undefined"], "tsan": ["-fsanitize=thread"]}
_WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
_state = {}


def set_up(*names):
    """Installs the build as it is into a prefix of its own, and builds docs/examples/NAME.c."""
    _state["prefix"] = pathlib.Path(tempfile.mkdtemp()) / "prefix"
    prefix().parent.chmod(0o755)
    sh("cmake", "--install", BUILD, "--prefix", prefix())
    for name in names:
        build(EXAMPLES / (name + ".c"), "cc")


def prefix():
    return _state["prefix"]


def the_only(pattern):
    found = sorted(prefix().rglob(pattern))
    if len(found) != 1:
        raise AssertionError("%s: %d found in the installed tree" % (pattern, len(found)))
    return found[0]


def pkg_config(*args):
    env = dict(os.environ, PKG_CONFIG_PATH=str(the_only("vpncore.pc").parent))
    return shlex.split(sh("pkg-config", *args, "vpncore", env=env).stdout)


def _program(name):
    return prefix().parent / name


def build(source, compiler):
    """Builds the program that command() then runs, by the name of its source."""
    sh(compiler, *_WARNINGS, *_FLAGS[sanitizer()], "-o", _program(pathlib.Path(source).stem), source,
       *pkg_config("--cflags", "--libs"))


def command(name, *args):
    """gcc 12's ThreadSanitizer cannot place its shadow with much address randomisation."""
    wrapper = ["setarch", os.uname().machine, "-R"] if sanitizer() == "tsan" else []
    return [*wrapper, str(_program(name)), *map(str, args)]


def environ(plugins=None):
    return environment(LD_LIBRARY_PATH=the_only("libvpncore.so").parent,
                       VPNCORE_PLUGIN_PATH=plugins or the_only("transport-udp.so").parent)
